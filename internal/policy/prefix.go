package policy

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// HasPrefix reports whether value starts with prefix, byte for byte, and leads nowhere else when a server reads it as a path or
// a URL: see leadsElsewhere. It is linear, and allocates only for a value with a "%" that is longer than [MaxNameBytes].
func HasPrefix(value, prefix []byte) bool {
	return bytes.HasPrefix(value, prefix) && !leadsElsewhere(value)
}

// leadsElsewhere reports whether a reader of paths could leave the place to which the beginning of text leads: by a segment of
// dots, in ASCII or in characters that become such, between slashes or backslashes or what becomes those; by an escape that hides
// one of them, or another escape; by a control character, or bytes that are not UTF-8, of which readers make different things.
//
// Source: RFC 3986, 5.2.4; the escapes and look-alikes are those that path handling in servers is known to undo.
func leadsElsewhere(text []byte) bool {
	if bytes.IndexByte(text, '%') >= 0 {
		if hasPathEscape(text) {
			return true
		}
		var buf [MaxNameBytes]byte
		text = appendUnescaped(buf[:0], text)
	}
	return !utf8.Valid(text) || bytes.ContainsFunc(text, unicode.IsControl) || climbs(text)
}

// appendUnescaped appends a text, in which each "%" begins an escape, without its escapes.
func appendUnescaped(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' {
			c = hexValue(text[i+1])<<4 | hexValue(text[i+2])
			i += 2
		}
		dst = append(dst, c)
	}
	return dst
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// climbs reports whether a segment of text is made of dots. Spaces, and characters that show nothing, do not count; parameters, a
// query or a fragment end a segment, as in "..;x".
func climbs(text []byte) bool {
	dots, other, ended := false, false, false
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		switch r = foldRune(r); r {
		case '/', '\\', '\u2044', '\u2215', '\u29f8', '\u2216', '\u29f5', '\ufe68', '\u00a5', '\u20a9':
			if dots && !other {
				return true
			}
			dots, other, ended = false, false, false
		case '.', '\u2024', '\u2025', '\u2026', '\ufe19', '\ufe30', '\ufe52', '\uff61', '\u3002':
			dots = true
		case ';', '?', '#':
			ended = true
		case '%', '\ufe6a': // look-alikes: ASCII ones are undone already
			if beginsEscape(text) {
				return true
			}
			other = other || !ended
		default:
			other = other || !ended && r != ' ' && !unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
		}
	}
	return dots && !other
}

// beginsEscape reports whether text begins with two hexadecimal digits, of any width.
func beginsEscape(text []byte) bool {
	for range 2 {
		r, size := utf8.DecodeRune(text)
		if r = foldRune(r); r >= utf8.RuneSelf || !isHex(byte(r)) {
			return false
		}
		text = text[size:]
	}
	return true
}
