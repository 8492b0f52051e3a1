// Package scan holds the byte classes and the word-at-a-time loops that more than one checking package needs. Every
// function is linear in its input, allocates nothing and takes strings and byte slices alike.
package scan

// Text is what a check can read: request text as a string or as bytes.
type Text interface{ ~string | ~[]byte }

// Class is a set of byte classes.
type Class uint16

// The classes, each with the list of bytes in its source.
const (
	Token      Class = 1 << iota // tchar: RFC 9110, 5.6.2
	Token68                      // ALPHA DIGIT "-" "." "_" "~" "+" "/" and "=": RFC 9110, 11.2
	Digit                        // RFC 5234, B.1
	Alpha                        // RFC 5234, B.1
	HexDigit                     // both cases: RFC 3986, 2.1
	Value                        // HTAB, SP, VCHAR, obs-text: RFC 9110, 5.5
	Visible                      // VCHAR, 0x21 to 0x7e: RFC 5234, B.1
	CookieByte                   // cookie-octet: RFC 6265, 4.1.1
	Unreserved                   // RFC 3986, 2.3
	LDH                          // letters, digits, hyphen: RFC 1123, 2.1
	RegName                      // unreserved / sub-delims without comma: RFC 3986, 3.2.2 (a comma would make Host a list)
	Quoted                       // qdtext: RFC 9110, 5.6.4
	Scheme                       // after the first letter: RFC 3986, 3.1
)

var classes = buildClasses()

func buildClasses() (t [256]Class) {
	add := func(k Class, bytes string) {
		for i := range len(bytes) {
			t[bytes[i]] |= k
		}
	}
	span := func(k Class, low, high int) {
		for c := low; c <= high; c++ {
			t[c] |= k
		}
	}
	span(Token|Token68|Digit|HexDigit|Unreserved|LDH|RegName|Scheme, '0', '9')
	span(Token|Token68|Alpha|Unreserved|LDH|RegName|Scheme, 'a', 'z')
	span(Token|Token68|Alpha|Unreserved|LDH|RegName|Scheme, 'A', 'Z')
	span(HexDigit, 'a', 'f')
	span(HexDigit, 'A', 'F')
	add(Token, "!#$%&'*+-.^_`|~")
	add(Token68, "-._~+/=")
	add(Unreserved|RegName, "-._~")
	add(RegName, "!$&'()*+;=")
	add(LDH, "-")
	add(Scheme, "+-.")
	span(Visible, 0x21, 0x7e)
	add(Value|Quoted, "\t ")
	span(Value, 0x21, 0x7e)
	span(Value|Quoted, 0x80, 0xff)
	add(Quoted, "!")
	span(Quoted, 0x23, 0x5b)
	span(Quoted, 0x5d, 0x7e)
	add(CookieByte, "!")
	span(CookieByte, 0x23, 0x2b)
	span(CookieByte, 0x2d, 0x3a)
	span(CookieByte, 0x3c, 0x5b)
	span(CookieByte, 0x5d, 0x7e)
	return t
}

// Is reports whether c is in one of the classes k.
func Is(c byte, k Class) bool { return classes[c]&k != 0 }

// Not returns the index of the first byte of s at or after from that is in none of the classes k, or len(s).
func Not[T Text](s T, from int, k Class) int {
	for from < len(s) && classes[s[from]]&k != 0 {
		from++
	}
	return from
}

// Lower returns c with an ASCII letter in lower case.
func Lower(c byte) byte {
	if c-'A' < 26 {
		return c | 0x20
	}
	return c
}

// EqualFold reports whether s equals want but for the case of ASCII letters.
func EqualFold[T Text](s T, want string) bool {
	if len(s) != len(want) {
		return false
	}
	for i := range len(want) {
		if s[i] != want[i] && Lower(s[i]) != Lower(want[i]) {
			return false
		}
	}
	return true
}

// HasPrefixFold reports whether s starts with prefix but for the case of ASCII letters.
func HasPrefixFold[T Text](s T, prefix string) bool {
	return len(s) >= len(prefix) && EqualFold(s[:len(prefix)], prefix)
}

// Hex returns the value of a hexadecimal digit, or 0xff.
func Hex(c byte) byte {
	switch {
	case c-'0' < 10:
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

// UTF8 is the state of a decoder that is fed byte by byte; the zero UTF8 stands between characters.
//
// Source: RFC 3629, 4.
type UTF8 struct {
	need      uint8 // continuation bytes still expected
	low, high uint8 // range of the next one
}

// Done reports whether no character is open.
func (u *UTF8) Done() bool { return u.need == 0 }

// Next takes the next byte and reports whether it may stand there. After false the state is that of a new start.
func (u *UTF8) Next(c byte) bool {
	if u.need != 0 {
		if c < u.low || c > u.high {
			u.need = 0
			return false
		}
		u.need--
		u.low, u.high = 0x80, 0xbf
		return true
	}
	u.low, u.high = 0x80, 0xbf
	switch {
	case c < 0x80:
	case c < 0xc2 || c > 0xf4:
		return false
	case c < 0xe0:
		u.need = 1
	case c < 0xf0:
		u.need = 2
		switch c {
		case 0xe0:
			u.low = 0xa0
		case 0xed:
			u.high = 0x9f
		}
	default:
		u.need = 3
		switch c {
		case 0xf0:
			u.low = 0x90
		case 0xf4:
			u.high = 0x8f
		}
	}
	return true
}
