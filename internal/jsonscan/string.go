package jsonscan

import (
	"encoding/binary"
	"math/bits"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// load64 loads eight bytes. The third index and a check of i before, in the form of [holds64], leave nothing but the load.
func load64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i : i+8 : i+8]) }

// holds64 reports whether the text has eight bytes from b[i] on.
func holds64(b []byte, i int) bool { return i >= 0 && i <= len(b)-8 }

// Special marks the bytes of a word that end a run of plain ASCII: a quote or a control character (xor with 2 maps '"' to
// 0x20 and keeps the controls below it, so that one subtraction finds both), a backslash, and everything above 0x7f. The
// lowest mark is exact; a higher one may be false, because borrows go up.
func Special(w uint64) uint64 {
	return (w | ((w ^ ones*0x02) - ones*0x21) | ((w ^ ones*'\\') - ones)) & highs
}

// String reads the rest of a string from after its opening quote, or from a later place where a character begins, and
// returns the index after the closing quote, or -1 if the string is not valid: unterminated, a raw control character, a bad
// escape, a surrogate half, bad UTF-8. It sets wide if the string has a character that is not ASCII, or a \u escape.
func String(b []byte, i int, wide *bool) int {
	for clean := 0; ; { // plain words in a row: long plain text goes to the wide loop
		if holds64(b, i) {
			m := Special(load64(b, i))
			if m == 0 {
				i += 8
				if clean++; clean >= 4 {
					i = plainBlocks(b, i)
					clean = 0
				}
				continue
			}
			i += bits.TrailingZeros64(m) >> 3
		} else if i += bits.TrailingZeros64(Special(tail(b, i))) >> 3; i >= len(b) {
			return -1
		}
		clean = 0
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			end, done := escaped(b, i, wide)
			if done {
				return end
			}
			i = end
		case c < 0x20:
			return -1
		default:
			*wide = true
			if i = multiByte(b, i); i < 0 {
				return -1
			}
		}
	}
}

// escaped goes on with a string at an escape. Escapes seldom come alone, so it takes 32 bytes at a time and goes from one
// mark to the next. It returns the result of [String] and true, or the index of a character at which to go on and false.
func escaped(b []byte, i int, wide *bool) (end int, done bool) {
blocks:
	for i >= 0 && i <= len(b)-33 {
		p := (*[33]byte)(b[i : i+33])
		m := marks8(binary.LittleEndian.Uint64(p[:])) | marks8(binary.LittleEndian.Uint64(p[8:]))<<8 |
			marks8(binary.LittleEndian.Uint64(p[16:]))<<16 | marks8(binary.LittleEndian.Uint64(p[24:]))<<24
		for m != 0 {
			at := bits.TrailingZeros32(m) & 31
			if p[at] == '"' {
				return i + at + 1, true
			}
			if p[at] != '\\' {
				return i + at, false
			}
			if simpleEscape[p[at+1]] == 0 {
				*wide = true
				if i = unicodeEscape(b, i+at); i < 0 {
					return -1, true
				}
				continue blocks
			}
			m &^= 3 * (m & -m) // the backslash and what follows
			if at == 31 {
				i++ // what follows is in the next block
			}
		}
		i += 32
	}
	if i < len(b) && b[i] == '\\' { // near the end of the text
		if i+1 < len(b) && simpleEscape[b[i+1]] != 0 {
			return i + 2, false
		}
		*wide = true
		end = unicodeEscape(b, i)
		return end, end < 0
	}
	return i, false
}

// marks8 returns a bit for each of eight bytes that Special marks, here exactly: no borrow goes from one byte to the next.
func marks8(w uint64) uint32 {
	plain := ((w ^ ones*0x02 | highs) - ones*0x21) & ((w ^ ones*'\\' | highs) - ones)
	return uint32((w | ^plain) & highs >> 7 * 0x0102040810204080 >> 56)
}

// head returns the word of the eight bytes from b[i] on, where the text ends before, with zeros after it.
func head(b []byte, i int) uint64 {
	if holds64(b, i) {
		return load64(b, i)
	}
	return tail(b, i)
}

// tail returns a word of the last bytes of the text from b[i] on, of which there are fewer than eight, with zeros after
// them.
func tail(b []byte, i int) uint64 {
	if len(b) >= 8 {
		return load64(b, len(b)-8) >> (8 * uint(i+8-len(b)))
	}
	var w uint64
	for j := len(b) - 1; j >= i; j-- {
		w = w<<8 | uint64(b[j])
	}
	return w
}

func isPlain(c byte) bool { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' }

// plainBlocks skips whole blocks of 32 plain bytes.
func plainBlocks(b []byte, i int) int {
	for uint(i)+32 <= uint(len(b)) {
		p := b[i : i+32 : i+32] // one bounds check for four loads
		w0, w1 := binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:])
		w2, w3 := binary.LittleEndian.Uint64(p[16:]), binary.LittleEndian.Uint64(p[24:])
		m := w0 | ((w0 ^ ones*0x02) - ones*0x21) | ((w0 ^ ones*'\\') - ones)
		m |= w1 | ((w1 ^ ones*0x02) - ones*0x21) | ((w1 ^ ones*'\\') - ones)
		m |= w2 | ((w2 ^ ones*0x02) - ones*0x21) | ((w2 ^ ones*'\\') - ones)
		m |= w3 | ((w3 ^ ones*0x02) - ones*0x21) | ((w3 ^ ones*'\\') - ones)
		if m&highs != 0 {
			break
		}
		i += 32
	}
	return i
}

// simpleEscape holds the byte that a two-character escape stands for, zero for no such escape.
var simpleEscape = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// unicodeEscape reads \uXXXX, or the two of a surrogate pair, at b[i] == '\\'. A surrogate half is refused: it has no
// UTF-8 form, and parsers disagree on what they put in its place.
func unicodeEscape(b []byte, i int) int {
	r := hex4(b, i)
	if r < 0 || r&0xfc00 == 0xdc00 {
		return -1
	}
	i += 6
	if r&0xfc00 == 0xd800 {
		if r = hex4(b, i); r&0xfc00 != 0xdc00 || r < 0 {
			return -1
		}
		i += 6
	}
	return i
}

// hex4 returns the value of the escape \uXXXX at b[i], or -1.
func hex4(b []byte, i int) int {
	if i+6 > len(b) || b[i] != '\\' || b[i+1] != 'u' {
		return -1
	}
	r := 0
	for _, c := range b[i+2 : i+6] {
		switch {
		case c-'0' < 10:
			c -= '0'
		case c|0x20-'a' < 6:
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | int(c)
	}
	return r
}

// multiByte reads the multi-byte UTF-8 characters that start at b[i] >= 0x80 and returns the index of the first ASCII
// byte after them, or -1.
func multiByte(b []byte, i int) int {
	// Two characters of three bytes at a time: most of the world's text that is not ASCII.
	for holds64(b, i) {
		w := load64(b, i)
		if w&0x0000c0c0f0c0c0f0 != 0x00008080e08080e0 {
			break
		}
		// After lead 0xe0 the second byte has bit 5 set (no overlong form); after 0xed it has not (no surrogate).
		x, y := w&0x200f, w>>24&0x200f
		if x == 0 || y == 0 || x == 0x200d || y == 0x200d {
			return -1
		}
		i += 6
	}
	for i < len(b) && b[i] >= 0x80 {
		if c := b[i]; c >= 0xe1 && c < 0xed && i+2 < len(b) { // three bytes without special cases
			if b[i+1]&0xc0 != 0x80 || b[i+2]&0xc0 != 0x80 {
				return -1
			}
			i += 3
			continue
		}
		n := runeLen(b[i:])
		if n == 0 {
			return -1
		}
		i += n
	}
	return i
}

// runeLen returns the length of the valid multi-byte character at the start of b, or 0.
func runeLen(b []byte) int {
	switch c := b[0]; {
	case c < 0xc2:
		return 0
	case c < 0xe0:
		if len(b) >= 2 && b[1]&0xc0 == 0x80 {
			return 2
		}
	case c < 0xf0:
		if len(b) >= 3 && b[1]&0xc0 == 0x80 && b[2]&0xc0 == 0x80 && !(c == 0xe0 && b[1] < 0xa0) && !(c == 0xed && b[1] >= 0xa0) {
			return 3
		}
	case c < 0xf5:
		if len(b) >= 4 && b[1]&0xc0 == 0x80 && b[2]&0xc0 == 0x80 && b[3]&0xc0 == 0x80 &&
			!(c == 0xf0 && b[1] < 0x90) && !(c == 0xf4 && b[1] >= 0x90) {
			return 4
		}
	}
	return 0
}

// Fault says what is wrong with a string.
type Fault uint8

// What can be wrong with a string.
const (
	FaultNone      Fault = iota
	FaultSyntax          // unterminated, or an escape that JSON does not have
	FaultControl         // a control character that is not escaped
	FaultSurrogate       // half of a surrogate pair
	FaultUTF8            // bytes that are not UTF-8
)

// StringFault finds the first fault of the string whose opening quote is before b[i], and its index. It is the slow twin
// of [String], for use after that returned -1.
func StringFault(b []byte, i int) (Fault, int) {
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			return FaultNone, i
		case c < 0x20:
			return FaultControl, i
		case c >= 0x80:
			n := runeLen(b[i:])
			if n == 0 {
				return FaultUTF8, i
			}
			i += n
		case c != '\\':
			i++
		case i+1 < len(b) && simpleEscape[b[i+1]] != 0:
			i += 2
		case hex4(b, i) < 0:
			return FaultSyntax, i
		default:
			end := unicodeEscape(b, i)
			if end < 0 {
				return FaultSurrogate, i
			}
			i = end
		}
	}
	return FaultSyntax, i
}
