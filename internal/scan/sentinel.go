package scan

const (
	sentinelOpen  = "=?base64?"
	sentinelClose = "?="
)

// Sentinel reports whether s has the form of an encoded MCP mirror-header value, and where its payload lies: s[from:to].
// Text that lacks either end, or writes it in another case, is a literal.
//
// Source: MCP 2026-07-28, Streamable HTTP, header value encoding.
func Sentinel[T Text](s T) (from, to int, ok bool) {
	if len(s) < len(sentinelOpen)+len(sentinelClose) ||
		string(s[:len(sentinelOpen)]) != sentinelOpen || string(s[len(s)-len(sentinelClose):]) != sentinelClose {
		return 0, 0, false
	}
	return len(sentinelOpen), len(s) - len(sentinelClose), true
}

// Base64 returns the index of the first byte at which s stops to be the one canonical Base64 text of some UTF-8 text, or
// -1: standard alphabet, padding present and in place, no stray trailing bits, UTF-8 inside. Empty text is the encoding
// of empty text.
//
// Source: RFC 4648, 3.2, 3.5 and 4; MCP 2026-07-28 (the payload is UTF-8).
func Base64[T Text](s T) int {
	var u UTF8
	for i := 0; i < len(s); i += 4 {
		if len(s)-i < 4 {
			return i
		}
		q, n, bad := quantum(s[i : i+4])
		if bad >= 0 {
			return i + bad
		}
		if n < 3 && i+4 != len(s) {
			return i + n + 1 // padding before the end
		}
		for k := range n {
			if !u.Next(byte(q >> (16 - 8*k))) {
				return i
			}
		}
	}
	if !u.Done() {
		return len(s) - 4
	}
	return -1
}

// quantum decodes four characters to n bytes in the upper part of 24 bits; bad is the index of a wrong one, or -1.
func quantum[T Text](s T) (q uint32, n, bad int) {
	n = 3
	if s[3] == '=' {
		n = 2
		if s[2] == '=' {
			n = 1
		}
	}
	for i := range n + 1 {
		v := sextet(s[i])
		if v > 63 {
			return 0, n, i
		}
		q |= uint32(v) << (18 - 6*i)
	}
	if q&(1<<(24-8*n)-1) != 0 {
		return 0, n, n // bits that no byte holds
	}
	return q, n, -1
}

func sextet(c byte) byte {
	switch {
	case c-'A' < 26:
		return c - 'A'
	case c-'a' < 26:
		return c - 'a' + 26
	case c-'0' < 10:
		return c - '0' + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return 0xff
}
