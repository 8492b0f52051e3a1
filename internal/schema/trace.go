package schema

import "bytes"

// isTraceparent reports whether s is version, trace id, parent id and flags in lower-case hex, the ids not all zeros.
//
// Source: W3C Trace Context, 3.2.
func isTraceparent(s []byte) bool {
	const form = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx"
	if len(s) < len(form) || len(s) > len(form) && (s[len(form)] != '-' || string(s[:2]) == "00") || string(s[:2]) == "ff" {
		return false
	}
	for i := range len(form) {
		hex := s[i]-'0' < 10 || s[i]-'a' < 6
		if form[i] == 'x' && !hex || form[i] == '-' && s[i] != '-' {
			return false
		}
	}
	return string(s[3:35]) != "00000000000000000000000000000000" && string(s[36:52]) != "0000000000000000"
}

// maxTraceMembers and maxBaggageMembers are how many members the lists may have.
const (
	maxTraceMembers   = 32
	maxBaggageMembers = 180
)

// isTracestate reports whether s is a list of key=value, some of which may be empty. Keys are lower-case letters, digits and
// "_-*/@", values visible ASCII and spaces without comma and equals sign, both of up to 256 bytes.
//
// Source: W3C Trace Context Level 2, 3.3.1.
func isTracestate(s []byte) bool {
	for n := 0; ; {
		member, rest, more := bytes.Cut(s, comma)
		if member = trim(member); len(member) > 0 {
			if n++; n > maxTraceMembers || !isTraceMember(member) {
				return false
			}
		}
		if s = rest; !more {
			return true
		}
	}
}

func isTraceMember(s []byte) bool {
	key, value, ok := bytes.Cut(s, equals)
	if !ok || len(key) == 0 || len(key) > 256 || len(value) == 0 || len(value) > 256 || !isLower(key[0]) {
		return false
	}
	for _, c := range key {
		if !isLower(c) && bytes.IndexByte(traceKeyMarks, c) < 0 {
			return false
		}
	}
	return isVisible(value) && bytes.IndexByte(value, '=') < 0
}

func isLower(c byte) bool { return c-'a' < 26 || c-'0' < 10 }

// isBaggage reports whether s is a list of key=value, each perhaps with properties after semicolons. Keys are tokens.
//
// Source: W3C Baggage, 3.3.1.
func isBaggage(s []byte) bool {
	for n := 1; ; n++ {
		member, rest, more := bytes.Cut(s, comma)
		if n > maxBaggageMembers || !isBaggageMember(member) {
			return false
		}
		if s = rest; !more {
			return true
		}
	}
}

func isBaggageMember(s []byte) bool {
	for first := true; ; first = false {
		part, rest, more := bytes.Cut(s, semicolon)
		key, value, ok := bytes.Cut(part, equals)
		if !ok && first || !isToken(trim(key)) {
			return false
		}
		for _, c := range trim(value) {
			if c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
				return false
			}
		}
		if s = rest; !more {
			return true
		}
	}
}

// isToken reports whether s is a token of RFC 9110, 5.6.2.
func isToken(s []byte) bool {
	for _, c := range s {
		if !isAlnum(c) && bytes.IndexByte(tokenMarks, c) < 0 {
			return false
		}
	}
	return len(s) > 0
}

var (
	comma, equals, semicolon = []byte(","), []byte("="), []byte(";")
	traceKeyMarks            = []byte("_-*/@")
	tokenMarks               = []byte("!#$%&'*+-.^_`|~")
)

// trim removes the spaces and tabs around s.
func trim(s []byte) []byte { return bytes.Trim(s, " \t") }
