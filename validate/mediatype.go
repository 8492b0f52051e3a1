package validate

import "github.com/sallyport/sallyport/internal/scan"

// maxParameters bounds the parameters of one media type or Forwarded element, so that finding a repeated one stays linear.
const maxParameters = 16

// ContentType reports whether value is a media type: type "/" subtype and at most 16 parameters, none twice. The charset of
// JSON types (application/json, text/json, +json) must be UTF-8, written utf-8 or utf8; anything else answers 415. It allocates
// nothing. net/http does not check it; mime.ParseMediaType also takes "application" alone.
//
// Source: RFC 9110, 8.3 and 5.6.6; RFC 8259, 8.1. The bound on parameters is ours.
func ContentType[T Text](value T) Violation { return contentTypeProblem(value).in("Content-Type") }

// IsMediaType reports whether contentType is the media type want (such as "application/json"), but for case, parameters
// and white space around it. It judges nothing else; call it with a value that [ContentType] accepts.
func IsMediaType[T Text](contentType T, want string) bool {
	i := skipOWS(contentType, 0)
	end := i
	for end < len(contentType) && contentType[end] != ';' && !isOWS(contentType[end]) {
		end++
	}
	return scan.EqualFold(contentType[i:end], want)
}

func contentTypeProblem[T Text](s T) problem {
	from, to := trimOWS(s)
	s = s[:to]
	i := mediaType(s, from)
	if i < 0 {
		return problem{CodeContentTypeInvalid, from}
	}
	json := isJSONType(s[from:i])
	var seen [maxParameters]parameter
	for n := 0; ; {
		p, next, code := nextParameter(s, i)
		if code != CodeOK {
			return problem{code, next}
		}
		if next == len(s) && p.end == 0 {
			return problem{}
		}
		if n == maxParameters {
			return problem{CodeContentTypeInvalid, p.name}
		}
		for _, q := range seen[:n] {
			if equalFoldText(s[q.name:q.nameEnd], s[p.name:p.nameEnd]) {
				return problem{CodeContentTypeRepeated, p.name}
			}
		}
		if json && scan.EqualFold(s[p.name:p.nameEnd], "charset") && !isUTF8Name(s[p.value:p.valueEnd]) {
			return problem{CodeContentTypeCharset, p.value}
		}
		seen[n] = p
		n++
		i = next
	}
}

// nextParameter reads OWS ";" OWS [parameter] at s[i], passing over empty ones. At the end of s it returns a zero parameter.
func nextParameter[T Text](s T, i int) (p parameter, next int, code Code) {
	for {
		i = skipOWS(s, i)
		if i == len(s) {
			return parameter{}, i, CodeOK
		}
		if s[i] != ';' {
			return p, i, CodeContentTypeInvalid
		}
		i = skipOWS(s, i+1)
		if i == len(s) || s[i] == ';' {
			continue
		}
		p, at, ok := readParameter(s, i, false)
		if !ok {
			return p, at, CodeContentTypeInvalid
		}
		return p, p.end, CodeOK
	}
}

// mediaType returns the index after type "/" subtype at s[i], or -1.
func mediaType[T Text](s T, i int) int {
	slash := scan.Not(s, i, scan.Token)
	if slash == i || slash == len(s) || s[slash] != '/' {
		return -1
	}
	end := scan.Not(s, slash+1, scan.Token)
	if end == slash+1 {
		return -1
	}
	return end
}

func isJSONType[T Text](s T) bool {
	const suffix = "+json"
	return scan.EqualFold(s, "application/json") || scan.EqualFold(s, "text/json") ||
		len(s) > len(suffix) && scan.EqualFold(s[len(s)-len(suffix):], suffix)
}

func isUTF8Name[T Text](s T) bool { return scan.EqualFold(s, "utf-8") || scan.EqualFold(s, "utf8") }

// equalFoldText is scan.EqualFold for two pieces of the same text.
func equalFoldText[T Text](a, b T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if scan.Lower(a[i]) != scan.Lower(b[i]) {
			return false
		}
	}
	return true
}

// Accept reports whether value is a list of media ranges with parameters and weights. An empty list is one. It allocates
// nothing. net/http does not check it. [Headers] checks it only when asked: Java's own client sends "*; q=.2".
//
// Source: RFC 9110, 12.5.1 and 12.4.2.
func Accept[T Text](value T) Violation { return acceptProblem(value).in("Accept") }

func acceptProblem[T Text](s T) problem {
	for i := 0; ; {
		r, next, p := nextRange(s, i)
		if p.code != CodeOK || r.end == 0 {
			return p
		}
		i = next
	}
}

// AcceptMCP reports whether the Accept lines of a POST to a Streamable HTTP endpoint cover both application/json and
// text/event-stream with a weight above zero. Media ranges count only if wildcards is true: the specification wants both
// types listed, and clients of the older HTTP+SSE transport send "*/*" or nothing. A malformed line is refused.
// It allocates nothing.
//
// Source: MCP 2025-03-26 and later, Streamable HTTP, Sending Messages.
func AcceptMCP(values []string, wildcards bool) Violation {
	var json, events bool
	for _, value := range values {
		for i := 0; ; {
			r, next, p := nextRange(value, i)
			if p.code != CodeOK {
				return p.in("Accept")
			}
			if r.end == 0 {
				break
			}
			i = next
			if r.zero {
				continue
			}
			text := value[r.from:r.end]
			all := wildcards && text == "*/*"
			json = json || all || scan.EqualFold(text, "application/json") || wildcards && scan.EqualFold(text, "application/*")
			events = events || all || scan.EqualFold(text, "text/event-stream") || wildcards && scan.EqualFold(text, "text/*")
		}
	}
	if !json || !events {
		return Violation{Code: CodeAcceptUnsatisfied, Name: "Accept"}
	}
	return Violation{}
}

// mediaRange is a member of Accept: text[from:end] is type "/" subtype, zero says that its weight is 0.
type mediaRange struct {
	from, end int
	zero      bool
}

// nextRange reads the next member of an Accept list; at the end of the list the range is zero.
func nextRange[T Text](s T, i int) (r mediaRange, next int, p problem) {
	for {
		i = skipOWS(s, i)
		if i == len(s) {
			return mediaRange{}, i, problem{}
		}
		if s[i] != ',' {
			break
		}
		i++
	}
	r.from = i
	if i = mediaType(s, i); i < 0 || s[r.from] == '*' && string(s[r.from:i]) != "*/*" {
		return r, 0, problem{CodeAcceptInvalid, r.from}
	}
	r.end = i
	for {
		i = skipOWS(s, i)
		if i == len(s) || s[i] == ',' {
			return r, i, problem{}
		}
		if s[i] != ';' {
			return r, 0, problem{CodeAcceptInvalid, i}
		}
		i = skipOWS(s, i+1)
		if i == len(s) || s[i] == ';' || s[i] == ',' {
			continue
		}
		q, at, ok := readParameter(s, i, false)
		if !ok {
			return r, 0, problem{CodeAcceptInvalid, at}
		}
		if q.nameEnd-q.name == 1 && s[q.name]|0x20 == 'q' {
			zero, ok := weight(s[q.value:q.valueEnd])
			if !ok {
				return r, 0, problem{CodeAcceptInvalid, q.value}
			}
			r.zero = zero
		}
		i = q.end
	}
}

// weight reads a qvalue.
//
// Source: RFC 9110, 12.4.2.
func weight[T Text](s T) (zero, ok bool) {
	if len(s) == 0 || len(s) > 5 || s[0] != '0' && s[0] != '1' || len(s) > 1 && s[1] != '.' {
		return false, false
	}
	zero = s[0] == '0'
	for i := 2; i < len(s); i++ {
		if !scan.Is(s[i], scan.Digit) || s[0] == '1' && s[i] != '0' {
			return false, false
		}
		zero = zero && s[i] == '0'
	}
	return zero, true
}
