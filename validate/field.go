package validate

import "github.com/sallyport/sallyport/internal/scan"

// FieldName reports whether name is a field name: one or more tchar. It does not bound the length and allocates nothing.
// net/http refuses other names itself, over HTTP/1.1 and HTTP/2.
//
// Source: RFC 9110, 5.1 and 5.6.2.
func FieldName[T Text](name T) Violation { return fieldName(name).in("") }

func fieldName[T Text](name T) problem {
	if len(name) == 0 {
		return problem{CodeHeaderNameEmpty, 0}
	}
	if i := scan.FieldName(name); i >= 0 {
		return problem{CodeHeaderNameInvalid, i}
	}
	return problem{}
}

// FieldValue reports whether value holds only what a field value may: HTAB, SP, VCHAR and bytes above 0x7f. A line folded
// in the obsolete way (CR LF and white space) has a code of its own. White space around the value is no matter of this
// check. It does not bound the length and allocates nothing. net/http refuses other values itself and unfolds.
//
// Source: RFC 9110, 5.5; RFC 9112, 5.2.
func FieldValue[T Text](value T) Violation {
	at, fault := scan.FieldValue(value)
	return Violation{Code: valueCodes[fault], Offset: at}
}

var valueCodes = [...]Code{scan.NoFault: CodeOK, scan.Invalid: CodeHeaderValueInvalid, scan.Folded: CodeHeaderValueFolded}

// IsFieldValue is [FieldValue] for loops that need no more than the answer.
func IsFieldValue[T Text](value T) bool {
	_, fault := scan.FieldValue(value)
	return fault == scan.NoFault
}

// valueProblem is the problem that scan.FieldValue found.
func valueProblem(at int, fault scan.ValueFault) problem { return problem{valueCodes[fault], at} }

// Method reports whether method is a token of at most 32 bytes. net/http does not check it over HTTP/2, where
// "GET /admin HTTP/1.1" reaches a handler as a method.
//
// Source: RFC 9110, 9.1. The bound is ours: the longest registered method has 17 bytes.
func Method[T Text](method T) Violation { return methodProblem(method).in("") }

const maxMethodBytes = 32

func methodProblem[T Text](method T) problem {
	if len(method) > maxMethodBytes {
		return problem{CodeMethodInvalid, maxMethodBytes}
	}
	if i := scan.FieldName(method); i >= 0 || len(method) == 0 {
		return problem{CodeMethodInvalid, max(i, 0)}
	}
	return problem{}
}

func isOWS(c byte) bool { return c == ' ' || c == '\t' }

// skipOWS returns the index of the first byte of s at or after i that is no optional white space, or len(s).
func skipOWS[T Text](s T, i int) int {
	for i < len(s) && isOWS(s[i]) {
		i++
	}
	return i
}

// trimOWS returns the bounds of s without the optional white space around it.
func trimOWS[T Text](s T) (from, to int) {
	from, to = skipOWS(s, 0), len(s)
	for to > from && isOWS(s[to-1]) {
		to--
	}
	return from, to
}

// nextElement returns the bounds of the next non-empty member of the list s at or after i, without white space around it,
// and where to go on; ok is false at the end. It knows no quoted strings.
//
// Source: RFC 9110, 5.6.1: empty members are to be ignored.
func nextElement[T Text](s T, i int) (from, to, next int, ok bool) {
	for {
		i = skipOWS(s, i)
		if i >= len(s) {
			return 0, 0, i, false
		}
		if s[i] != ',' {
			break
		}
		i++
	}
	from = i
	for i < len(s) && s[i] != ',' {
		i++
	}
	to = i
	for to > from && isOWS(s[to-1]) {
		to--
	}
	return from, to, i, true
}

// quotedEnd returns the index after the quoted string that starts at s[i], or -1 if it is malformed or never ends.
//
// Source: RFC 9110, 5.6.4.
func quotedEnd[T Text](s T, i int) int {
	for i++; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return i + 1
		case s[i] == '\\':
			if i++; i >= len(s) || !scan.Is(s[i], scan.Value) {
				return -1
			}
		case !scan.Is(s[i], scan.Quoted):
			return -1
		}
	}
	return -1
}

// parameter is a name=value pair of a header field, as offsets.
type parameter struct {
	name, nameEnd   int
	value, valueEnd int // without the quotes
	end             int // after the parameter
}

// readParameter reads token "=" (token / quoted-string) at s[i]; space says whether white space may stand around "=".
// On failure it returns the index of the offending byte and false.
//
// Source: RFC 9110, 5.6.6 (no white space) and 11.2 (bad white space allowed).
func readParameter[T Text](s T, i int, space bool) (parameter, int, bool) {
	p := parameter{name: i}
	p.nameEnd = scan.Not(s, i, scan.Token)
	i = p.nameEnd
	if space {
		i = skipOWS(s, i)
	}
	if p.nameEnd == p.name || i >= len(s) || s[i] != '=' {
		return p, i, false
	}
	i++
	if space {
		i = skipOWS(s, i)
	}
	if i < len(s) && s[i] == '"' {
		p.end = quotedEnd(s, i)
		if p.end < 0 {
			return p, i, false
		}
		p.value, p.valueEnd = i+1, p.end-1
		return p, i, true
	}
	p.value = i
	p.valueEnd = scan.Not(s, i, scan.Token)
	p.end = p.valueEnd
	return p, i, p.valueEnd > p.value
}
