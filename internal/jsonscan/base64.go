package jsonscan

import "encoding/binary"

// Base64 returns the number of characters of the Base64 alphabet (RFC 4648, 4) with which s begins.
func Base64(s []byte) int {
	i := 0
	for uint(i)+32 <= uint(len(s)) {
		p := s[i : i+32 : i+32] // one bounds check for four loads
		w0, w1 := binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:])
		w2, w3 := binary.LittleEndian.Uint64(p[16:]), binary.LittleEndian.Uint64(p[24:])
		if base64Lanes(w0)&base64Lanes(w1)&base64Lanes(w2)&base64Lanes(w3)&^(w0|w1|w2|w3)&highs != highs {
			break
		}
		i += 32
	}
	for i < len(s) && isBase64(s[i]) {
		i++
	}
	return i
}

// base64Lanes sets the high bit of each byte of a word that is a letter, a digit, '/' or '+'. Where a byte is above 0x7f it may
// be wrong about all of them.
func base64Lanes(w uint64) uint64 {
	lower := w | ones*0x20
	letters := (lower + ones*(0x80-'a')) ^ (lower + ones*(0x80-'z'-1))
	digits := (w + ones*(0x80-'/')) ^ (w + ones*(0x80-'9'-1)) // '/' stands before '0'
	return letters ^ digits ^ (highs - (w ^ ones*'+'))
}

func isBase64(c byte) bool {
	return c|0x20-'a' < 26 || c-'/' < 11 || c == '+'
}
