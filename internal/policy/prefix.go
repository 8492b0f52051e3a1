package policy

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// HasPrefix reports whether value starts with prefix, byte for byte, and leads nowhere else when a server reads it as a path or
// a URL: see leadsElsewhere. Where prefix is the beginning of an http or https URL that ends before the query, a query leads nowhere, and
// holds only no control characters. It is linear, and allocates only for a value with a "%" that is longer than [MaxNameBytes].
func HasPrefix(value, prefix []byte) bool {
	if !bytes.HasPrefix(value, prefix) {
		return false
	}
	if beginsWebAddress(prefix) && bytes.IndexByte(prefix, '?') < 0 {
		if i := bytes.IndexByte(value, '?'); i >= 0 {
			return !leadsElsewhere(value[:i]) && !holdsControl(value[i:])
		}
	}
	return !leadsElsewhere(value)
}

// beginsWebAddress reports whether text is the beginning of an http or https URL, with the whole host. In URLs of other schemes a "?"
// may be part of the path: programs make a file name of what stands after "file://".
//
// Source: RFC 9110, 4.2; RFC 3986, 3.4.
func beginsWebAddress(text []byte) bool {
	scheme, rest, ok := bytes.Cut(text, []byte("://"))
	return ok && (bytes.EqualFold(scheme, []byte("http")) || bytes.EqualFold(scheme, []byte("https"))) && bytes.IndexByte(rest, '/') >= 0
}

// holdsControl reports whether a query has a control character, as it is or escaped, or bytes that are not UTF-8. A client that undoes
// the escape of a line end would send a second request, to anywhere on that host.
func holdsControl(query []byte) bool {
	for i, c := range query {
		if c == '%' && i+2 < len(query) && isHex(query[i+1]) && isHex(query[i+2]) {
			if c = hexValue(query[i+1])<<4 | hexValue(query[i+2]); c < ' ' || c == 0x7f {
				return true
			}
		}
	}
	return !utf8.Valid(query) || bytes.ContainsFunc(query, unicode.IsControl)
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
