package schema

import (
	"bytes"

	"github.com/sallyport/sallyport/internal/jsonscan"
)

// Format is a rule for the text of a string that JSON Schema can't express or leaves to "format".
type Format uint8

// The rules.
const (
	NoFormat    Format = iota
	Visible            // no character that shows nothing: no control, format or filler characters
	Base64             // RFC 4648, section 4, padded
	MetaKey            // key of a _meta object
	PrefixedKey        // the same, where the prefix must be there
	FileURI            // file://
	WebURL             // http:// or https://
	IconURI            // http, https or data
	Traceparent        // W3C Trace Context, traceparent header
	Token              // something to tell requests apart by: at most 254 bytes as written, and no NUL
	Name               // Visible, and no word of two scripts that look alike
	Cursor             // something to go on by: at most 8,192 bytes as written
	Tracestate         // W3C Trace Context, tracestate header
	Baggage            // W3C Baggage, baggage header
	MediaType          // type and subtype, and perhaps parameters (RFC 6838, 4.2)
	numFormats
)

var formatNames = [numFormats]string{
	Visible: "visible", Base64: "byte", MetaKey: "meta-key", PrefixedKey: "prefixed-key", FileURI: "file-uri", WebURL: "web-url",
	IconURI: "icon-uri", Traceparent: "traceparent", Token: "token", Cursor: "cursor", Name: "name", MediaType: "media-type", Tracestate: "tracestate",
	Baggage: "baggage",
}

// maxDecoded is the longest string with escapes that is decoded to judge it. No honest key, address or trace comes near.
const maxDecoded = 64 << 10

// holds reports whether a string body follows the rule. One of more than maxDecoded bytes, with escapes, follows none.
func (f Format) holds(w *Walker, body []byte) bool {
	if f > Base64 && len(body) > maxDecoded && jsonscan.HasEscape(body) {
		return false
	}
	switch f {
	case Visible:
		return jsonscan.FirstInvisible(body) < 0
	case Name:
		return jsonscan.FirstInvisible(body) < 0 && !jsonscan.MixesScripts(body)
	case Base64:
		return isBase64(body, w.WholeBase64)
	case MetaKey:
		key := w.decoded(body)
		return isMetaKey(key, false) && (w.Reserved == nil || !w.Reserved(key))
	case PrefixedKey:
		return isMetaKey(w.decoded(body), true)
	case FileURI:
		return hasScheme(w.decoded(body), "file://")
	case WebURL:
		text := w.decoded(body)
		return hasScheme(text, "https://") || hasScheme(text, "http://")
	case IconURI:
		text := w.decoded(body)
		return hasScheme(text, "https://") || hasScheme(text, "data:") || hasScheme(text, "http://")
	case Traceparent:
		return isTraceparent(w.decoded(body))
	case Tracestate:
		return isTracestate(w.decoded(body))
	case Baggage:
		return isBaggage(w.decoded(body))
	case Token:
		return len(body) <= 254 && !HasNUL(body)
	case Cursor:
		return len(body) <= 8<<10
	case MediaType:
		return isMediaType(w.decoded(body))
	}
	return true
}

// HasNUL reports whether the text of a string body holds a NUL, at which many readers end a text.
func HasNUL(body []byte) bool {
	for at := bytes.IndexByte(body, '\\'); at >= 0 && at+1 < len(body); {
		if r, n := jsonscan.Rune(body[at:]); r == 0 {
			return true
		} else if next := bytes.IndexByte(body[at+n:], '\\'); next < 0 {
			return false
		} else {
			at += n + next
		}
	}
	return false
}

// isMediaType reports whether s is type/subtype in visible ASCII, with nothing or parameters after it.
func isMediaType(s []byte) bool {
	slash := -1
	for i, c := range s {
		switch {
		case c == '/' && slash < 0 && i > 0:
			slash = i
		case c == ';' && slash > 0 && i > slash+1:
			return isVisible(s[i:])
		case !isAlnum(c) && bytes.IndexByte(mediaTypeMarks, c) < 0:
			return false
		}
	}
	return slash > 0 && slash < len(s)-1
}

var mediaTypeMarks = []byte("!#$&-^_.+")

func isVisible(s []byte) bool {
	for _, c := range s {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// hasScheme reports whether s begins with a scheme, in any case, and goes on without white space or control characters.
func hasScheme(s []byte, scheme string) bool {
	if len(s) <= len(scheme) {
		return false
	}
	for i := range len(scheme) {
		if c := s[i]; c != scheme[i] && (!isLetter(c) || c|0x20 != scheme[i]) {
			return false
		}
	}
	for _, c := range s {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// Of Base64 text of more than wholeBase64 bytes only base64Checked bytes at each end are looked at, unless [Walker.WholeBase64]
// is set. A wrong character in the middle of a picture misleads no reader of the message, and looking for it takes as long as
// all the rest of the walk.
const (
	wholeBase64   = 64 << 10
	base64Checked = 4 << 10
)

// isBase64 reports whether a string body is Base64 text.
func isBase64(body []byte, whole bool) bool {
	if n := len(body); n > wholeBase64 && !whole && n%4 == 0 &&
		jsonscan.Base64(body[:base64Checked]) == base64Checked && jsonscan.Base64(body[n-base64Checked:])+2 >= base64Checked {
		body = body[n-base64Checked:]
	}
	if end := jsonscan.Base64(body); end == len(body) || body[end] == '=' {
		pad := len(body) - end
		return len(body)%4 == 0 && pad <= 2 && string(body[end:]) == "=="[:pad]
	}
	// A slash may be written \/, as some encoders do.
	size, pad := 0, 0
	for at := jsonscan.NewCursor(body); ; size++ {
		c, ok := at.Next()
		switch {
		case !ok:
			return (size+pad)%4 == 0 && pad <= 2
		case c == '=':
			pad++
			size--
		case pad > 0 || !isAlnum(c) && c != '+' && c != '/':
			return false
		}
	}
}

func isLetter(c byte) bool { return c|0x20-'a' < 26 }
func isAlnum(c byte) bool  { return isLetter(c) || c-'0' < 10 }

// isMetaKey reports whether s is a key that a _meta object may have: an optional prefix of labels joined by dots that
// ends with a slash, and a name that is empty or begins and ends with a letter or digit. With prefixed there must be a prefix.
//
// Source: MCP 2025-06-18 and later, Base Protocol, _meta.
func isMetaKey(s []byte, prefixed bool) bool {
	slash := -1
	for i, c := range s {
		if c == '/' {
			slash = i
			break
		}
	}
	if slash >= 0 && !isMetaPrefix(s[:slash]) || slash < 0 && prefixed {
		return false
	}
	name := s[slash+1:]
	if len(name) == 0 {
		return true
	}
	if !isAlnum(name[0]) || !isAlnum(name[len(name)-1]) {
		return false
	}
	for _, c := range name {
		if !isAlnum(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// isMetaPrefix reports whether s is labels joined by dots.
func isMetaPrefix(s []byte) bool {
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			if !isAlnum(s[i]) && s[i] != '-' {
				return false
			}
			continue
		}
		if i == start || !isLetter(s[start]) || !isAlnum(s[i-1]) {
			return false
		}
		start = i + 1
	}
	return true
}
