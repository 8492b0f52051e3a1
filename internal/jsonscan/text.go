package jsonscan

import (
	"bytes"
	"unicode/utf8"
)

// The functions of this file take the body of a string (the bytes between its quotes) that [String] has accepted.

// next decodes the character at the start of a string body: either a byte of plain text, or an escape. It returns the
// character and the number of bytes it took. A byte above 0x7f is returned alone, as raw.
func next(body []byte) (r rune, raw bool, n int) {
	c := body[0]
	if c != '\\' {
		return rune(c), true, 1
	}
	if e := simpleEscape[body[1]]; e != 0 {
		return rune(e), false, 2
	}
	r = rune(hex4(body, 0))
	if r&^0x3ff == 0xd800 {
		return 0x10000 + (r&0x3ff)<<10 | rune(hex4(body, 6))&0x3ff, false, 12
	}
	return r, false, 6
}

// Rune decodes the character at the start of a string body, an escape or not, and returns it with its length as written.
func Rune(body []byte) (r rune, n int) {
	r, raw, n := next(body)
	if raw && r >= utf8.RuneSelf {
		return utf8.DecodeRune(body)
	}
	return r, n
}

// HasEscape reports whether a string body has an escape, so that its decoded text differs from its bytes.
func HasEscape(body []byte) bool { return bytes.IndexByte(body, '\\') >= 0 }

// AppendText appends the decoded text of a string body to dst.
func AppendText(dst, body []byte) []byte {
	for {
		plain := bytes.IndexByte(body, '\\')
		if plain < 0 {
			return append(dst, body...)
		}
		dst = append(dst, body[:plain]...)
		r, _, n := next(body[plain:])
		dst = utf8.AppendRune(dst, r)
		body = body[plain+n:]
	}
}

// Equal reports whether the decoded text of a string body equals text.
func Equal[T ~string | ~[]byte](body []byte, text T) bool {
	if !HasEscape(body) {
		return string(body) == string(text)
	}
	for len(body) > 0 {
		r, raw, n := next(body)
		body = body[n:]
		if raw {
			if len(text) == 0 || text[0] != byte(r) {
				return false
			}
			text = text[1:]
			continue
		}
		var buf [utf8.UTFMax]byte
		k := utf8.EncodeRune(buf[:], r)
		if len(text) < k || string(text[:k]) != string(buf[:k]) {
			return false
		}
		text = text[k:]
	}
	return len(text) == 0
}

// RuneCount returns the number of characters (code points) of the decoded text of a string body.
func RuneCount(body []byte) int {
	count := 0
	for len(body) > 0 {
		plain := bytes.IndexByte(body, '\\')
		if plain < 0 {
			return count + utf8.RuneCount(body)
		}
		_, _, n := next(body[plain:])
		count += utf8.RuneCount(body[:plain]) + 1
		body = body[plain+n:]
	}
	return count
}

// SameText reports whether two string bodies have the same decoded text.
func SameText(a, b []byte) bool {
	x, y := NewCursor(a), NewCursor(b)
	for {
		p, more := x.Next()
		q, also := y.Next()
		if !more || !also || p != q {
			return !more && !also
		}
	}
}

// Cursor reads the decoded text of a string body byte by byte.
type Cursor struct {
	body    []byte
	buf     [utf8.UTFMax]byte
	at, end int
}

// NewCursor returns a Cursor at the start of a string body.
func NewCursor(body []byte) Cursor { return Cursor{body: body} }

// Next returns the next byte, or false at the end.
func (c *Cursor) Next() (byte, bool) {
	if c.at == c.end {
		if len(c.body) == 0 {
			return 0, false
		}
		r, raw, n := next(c.body)
		c.body = c.body[n:]
		if raw {
			return byte(r), true
		}
		c.at, c.end = 0, utf8.EncodeRune(c.buf[:], r)
	}
	c.at++
	return c.buf[c.at-1], true
}
