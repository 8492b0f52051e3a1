package validate

import "github.com/sallyport/sallyport/internal/scan"

// utf8Walk decodes the bytes above 0x7f of a target, raw and escaped ones alike.
type utf8Walk struct {
	scan.UTF8
	last uint32 // the last four bytes
}

// next takes a byte above 0x7f and returns what is wrong with it or with the character that it ends.
func (u *utf8Walk) next(c byte, refuse *codeSet) Code {
	if open := !u.Done(); !u.Next(c) {
		u.last = 0
		if open && u.Next(c) {
			u.last = uint32(c) // it may start the next character
		}
		return CodeURIUTF8Invalid
	}
	u.last = u.last<<8 | uint32(c)
	if u.Done() {
		three := u.last & 0xffffff
		u.last = 0
		if refuse.has(CodeURILookalike) && isLookalike(three) {
			return CodeURILookalike
		}
	}
	return CodeOK
}

// raw is next for a byte that is not escaped, which may be wrong by itself.
func (u *utf8Walk) raw(c byte, refuse *codeSet) Code {
	if found := u.next(c, refuse); found != CodeOK && refuse.has(found) {
		return found
	}
	return CodeURINonASCII
}

// broken ends an open character, and always reports that this is wrong.
func (u *utf8Walk) broken() bool {
	*u = utf8Walk{}
	return true
}

// isLookalike reports whether three bytes are a character that mappings to ASCII turn into ".", "/" or "\".
func isLookalike(utf8 uint32) bool {
	switch utf8 {
	case 0xe28184, // U+2044 fraction slash
		0xe28895, // U+2215 division slash
		0xe28896, // U+2216 set minus
		0xe280a4, // U+2024 one dot leader
		0xe280a5, // U+2025 two dot leader
		0xe38082, // U+3002 ideographic full stop
		0xefb992, // U+FE52 small full stop
		0xefb9a8, // U+FE68 small reverse solidus
		0xefbc8e, // U+FF0E fullwidth full stop
		0xefbc8f, // U+FF0F fullwidth solidus
		0xefbcbc, // U+FF3C fullwidth reverse solidus
		0xefbda1: // U+FF61 halfwidth ideographic full stop
		return true
	}
	return false
}

// twiceDecoded follows bytes that only a second decoding would show.
type twiceDecoded struct {
	lead byte // 0xe0 or 0xf0 if that was the last such byte, which some continuations make overlong
	end  int  // where its escape ended
}

// judge looks at an escaped percent sign at s[at]: if two hexadecimal digits follow, raw or escaped themselves, a second
// decoding makes a byte of them, and if that is a percent sign, a third one, and so on. Dangerous are dots, slashes,
// backslashes, NUL, CR, LF and the start of an overlong form. In a query, where URLs nest in honest use, a slash is so only
// beside two dots.
//
// Source: CRS 920230; CWE-174. Which bytes: those that the checks of a single escape refuse.
func (w *twiceDecoded) judge(s string, at int, query bool) Code {
	d, end, ok := hexPair(s, at+3)
	if !ok {
		return CodeOK
	}
	for d == '%' {
		deeper, next, ok := hexPair(s, end)
		if !ok {
			break
		}
		d, end = deeper, next
	}
	lead := byte(0)
	if w.end == at {
		lead = w.lead
	}
	w.lead, w.end = d, end
	switch d {
	case '.', '\\', 0, '\r', '\n', 0xc0, 0xc1:
		return CodeURIDoubleEncoded
	case '/':
		if !query || hasDotsBefore(s, at) || hasDotsAfter(s, end) {
			return CodeURIDoubleEncoded
		}
	}
	if lead == 0xe0 && d >= 0x80 && d < 0xa0 || lead == 0xf0 && d >= 0x80 && d < 0x90 {
		return CodeURIDoubleEncoded
	}
	return CodeURIPercentEncoded
}

// decoded returns the byte at s[i], which may be escaped, and where the next one starts.
func decoded(s string, i int) (c byte, next int, ok bool) {
	if i >= len(s) {
		return 0, i, false
	}
	if s[i] != '%' {
		return s[i], i + 1, true
	}
	if c, ok = escaped(s, i); !ok {
		return 0, i, false
	}
	return c, i + 3, true
}

// hexPair reads two hexadecimal digits, raw or escaped, at s[i].
func hexPair(s string, i int) (d byte, end int, ok bool) {
	c, i, ok := decoded(s, i)
	high := scan.Hex(c)
	if !ok || high > 15 {
		return 0, i, false
	}
	c, end, ok = decoded(s, i)
	low := scan.Hex(c)
	return high<<4 | low, end, ok && low < 16
}

// hasDotsBefore reports whether two dots, raw or escaped, stand before s[i].
func hasDotsBefore(s string, i int) bool {
	for range 2 {
		switch {
		case i >= 1 && s[i-1] == '.':
			i--
		case i >= 3 && s[i-3] == '%' && s[i-2] == '2' && s[i-1]|0x20 == 'e':
			i -= 3
		default:
			return false
		}
	}
	return true
}

// hasDotsAfter reports whether two dots, raw or escaped, stand at s[i].
func hasDotsAfter(s string, i int) bool {
	c, i, _ := decoded(s, i)
	d, _, _ := decoded(s, i)
	return c == '.' && d == '.'
}
