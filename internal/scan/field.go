package scan

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// Load64 reads the first eight bytes of s as one word, lowest address first. The compiler makes it one load.
func Load64[T Text](s T) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// FieldValue returns the index of the first byte that a field value may not hold, or -1. Allowed are HTAB, SP, VCHAR and
// obs-text (0x80 to 0xff).
//
// Source: RFC 9110, 5.5.
func FieldValue[T Text](s T) int {
	n := len(s)
	if n < 32 {
		if n >= 8 {
			odd := unplain(Load64(s[:8])) | unplain(Load64(s[n-8:]))
			if n > 16 {
				odd |= unplain(Load64(s[8:16])) | unplain(Load64(s[n-16:n-8]))
			}
			if odd&highs == 0 {
				return -1
			}
		}
		return valueFrom(s, 0)
	}
	for rest := s; len(rest) >= 32; rest = rest[32:] { // slicing, rather than an index, spares the bounds checks
		w0, w1, w2, w3 := Load64(rest[:8]), Load64(rest[8:16]), Load64(rest[16:24]), Load64(rest[24:32])
		if (unplain(w0)|unplain(w1)|unplain(w2)|unplain(w3))&highs == 0 {
			continue // printable ASCII, nearly all of what comes
		}
		if suspects(w0)|suspects(w1)|suspects(w2)|suspects(w3) != 0 {
			if i := Not(rest[:32], 0, Value); i < 32 {
				return n - len(rest) + i
			}
		}
	}
	if n%32 == 0 {
		return -1
	}
	rest := s[n-32:] // the last words overlap what is known to be good
	w0, w1, w2, w3 := Load64(rest[:8]), Load64(rest[8:16]), Load64(rest[16:24]), Load64(rest[24:32])
	if suspects(w0)|suspects(w1)|suspects(w2)|suspects(w3) == 0 {
		return -1
	}
	return valueFrom(s, n-n%32)
}

// valueFrom looks at every byte from s[i] on.
func valueFrom[T Text](s T, i int) int {
	for ; i < len(s); i++ {
		if classes[s[i]]&Value == 0 {
			return i
		}
	}
	return -1
}

// unplain has the high bit of a lane set where the byte is no printable ASCII. It may flag the lane above a flagged one.
func unplain(w uint64) uint64 { return (w - ones*0x20) | (w + ones) | w }

// suspects flags every lane below 0x20 or equal to 0x7f. It may flag a good lane (HTAB, or a borrow from its neighbour),
// never miss a bad one; callers look again.
func suspects(w uint64) uint64 {
	ctl := (w - ones*0x20) &^ w
	del := w ^ ones*0x7f
	del = (del - ones) &^ del
	return (ctl | del) & highs
}

// FieldName returns the index of the first byte that a field name may not hold, or -1. It does not judge emptiness.
//
// Source: RFC 9110, 5.1 and 5.6.2.
func FieldName[T Text](s T) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if unnamed(Load64(s[i:i+8])) != 0 {
			if j := Not(s[i:i+8], 0, Token); j < 8 {
				return i + j
			}
		}
	}
	if i = Not(s, i, Token); i < len(s) {
		return i
	}
	return -1
}

// unnamed flags a word that does not consist of letters, digits and hyphens alone.
func unnamed(w uint64) uint64 {
	seven := w &^ highs // no carry out of a lane below
	lower := seven | ones*0x20
	alpha := (lower + ones*(0x80-'a')) &^ (lower + ones*(0x7f-'z'))
	digit := (seven + ones*(0x80-'0')) &^ (seven + ones*(0x7f-'9'))
	dash := ^((seven ^ ones*'-') + ones*0x7f)
	return (^(alpha | digit | dash) | w) & highs
}

// VisibleASCII returns the index of the first byte outside 0x21 to 0x7e, or -1.
func VisibleASCII[T Text](s T) int {
	if len(s) >= 8 && plainWords(s, ones*0x21) {
		return -1
	}
	if i := Not(s, 0, Visible); i < len(s) {
		return i
	}
	return -1
}

// PrintableASCII returns the index of the first byte that is neither HTAB nor within 0x20 to 0x7e, or -1.
func PrintableASCII[T Text](s T) int {
	if len(s) >= 8 && plainWords(s, ones*0x20) {
		return -1
	}
	for i := range len(s) {
		if c := s[i]; c != '\t' && c-0x20 > 0x7e-0x20 {
			return i
		}
	}
	return -1
}

// plainWords reports whether every byte of s lies between low, the same byte in all lanes, and 0x7e. s has at least eight
// bytes; the last word overlaps the one before it.
func plainWords[T Text](s T, low uint64) bool {
	last := Load64(s[len(s)-8:])
	odd := (last - low) | (last + ones) | last
	for len(s) > 8 {
		w := Load64(s[:8])
		odd |= (w - low) | (w + ones) | w
		s = s[8:]
	}
	return odd&highs == 0
}

// HostName reports whether s, of at least eight bytes, holds only letters, digits, hyphens and dots.
func HostName[T Text](s T) bool {
	odd := notHostName(Load64(s[len(s)-8:]))
	for len(s) > 8 {
		odd |= notHostName(Load64(s[:8]))
		s = s[8:]
	}
	return odd == 0
}

// notHostName flags exactly the lanes that are no letter, digit, hyphen or dot.
func notHostName(w uint64) uint64 {
	seven := w &^ highs
	lower := seven | ones*0x20
	letter := (lower + ones*(0x80-'a')) &^ (lower + ones*(0x7f-'z'))
	middle := (seven + ones*(0x80-'-')) &^ (seven + ones*(0x7f-'9')) // "-", ".", "/", digits
	slash := ^((seven ^ ones*'/') + ones*0x7f)
	return (^(letter | middle) | slash | w) & highs
}
