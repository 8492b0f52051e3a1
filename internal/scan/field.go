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

// Load32 reads the first four bytes of s as one word, lowest address first.
func Load32[T Text](s T) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// ValueFault is what is wrong with a field value.
type ValueFault uint8

const (
	NoFault ValueFault = iota
	Invalid            // a byte that a value may not hold
	Folded             // an obsolete line folding: CR LF or LF, then SP or HTAB
)

// FieldValue returns what is wrong with a field value and the index of the byte where that shows, 0 if nothing is. Allowed
// are HTAB, SP, VCHAR and obs-text (0x80 to 0xff).
//
// Source: RFC 9110, 5.5; RFC 9112, 5.2.
func FieldValue[T Text](s T) (at int, fault ValueFault) {
	n := len(s)
	if n < 32 {
		var odd uint64
		switch {
		case n >= 8:
			odd = unplain(Load64(s[:8])) | unplain(Load64(s[n-8:]))
			if n > 16 {
				odd |= unplain(Load64(s[8:16])) | unplain(Load64(s[n-16:n-8]))
			}
		case n >= 4:
			odd = unplain(uint64(Load32(s[:4])) | uint64(Load32(s[n-4:]))<<32)
		default:
			return valueFrom(s, 0)
		}
		if odd&highs == 0 {
			return 0, NoFault
		}
		return valueFrom(s, 0)
	}
	i := 0
	for ; i <= n-32; i += 32 {
		w := s[i : i+32]
		w0, w1, w2, w3 := Load64(w[:8]), Load64(w[8:16]), Load64(w[16:24]), Load64(w[24:32])
		if (unplain(w0)|unplain(w1)|unplain(w2)|unplain(w3))&highs == 0 {
			continue // printable ASCII, nearly all of what comes
		}
		if suspects(w0)|suspects(w1)|suspects(w2)|suspects(w3) != 0 && Not(w, 0, Value) < 32 {
			return valueFrom(s, i)
		}
	}
	if i == n {
		return 0, NoFault
	}
	w := s[n-32:] // the last words overlap what is known to be good
	w0, w1, w2, w3 := Load64(w[:8]), Load64(w[8:16]), Load64(w[16:24]), Load64(w[24:32])
	if (unplain(w0)|unplain(w1)|unplain(w2)|unplain(w3))&highs == 0 || suspects(w0)|suspects(w1)|suspects(w2)|suspects(w3) == 0 {
		return 0, NoFault
	}
	return valueFrom(s, i)
}

// valueFrom looks at every byte from s[i] on.
func valueFrom[T Text](s T, i int) (at int, fault ValueFault) {
	for ; i < len(s); i++ {
		if classes[s[i]]&Value == 0 {
			if isFold(s[i:]) {
				return i, Folded
			}
			return i, Invalid
		}
	}
	return 0, NoFault
}

// isFold reports whether s starts with a line end and white space.
func isFold[T Text](s T) bool {
	if s[0] == '\r' && len(s) > 2 {
		s = s[1:]
	}
	return s[0] == '\n' && len(s) > 1 && (s[1] == ' ' || s[1] == '\t')
}

// unplain has the high bit of the lowest byte that is no printable ASCII set, and no high bit if there is none: bytes from
// 0xa0 on and below 0x20 show in the difference, those from 0x7f to 0xfe in the sum, and a carry or borrow comes only out of
// a byte that shows itself.
func unplain(w uint64) uint64 { return (w - ones*0x20) | (w + ones) }

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
func VisibleASCII[T Text](s T) int { return firstOutside(s, 0x21) }

// PrintableASCII returns the index of the first byte that is neither HTAB nor within 0x20 to 0x7e, or -1.
func PrintableASCII[T Text](s T) int { return firstOutside(s, ' ') }

// firstOutside returns the index of the first byte outside low to 0x7e, or -1. If low is a space, HTAB is within too. Words
// are tested first, the last of which overlaps the one before it; why the sum and the difference suffice: see unplain.
func firstOutside[T Text](s T, low byte) int {
	if n := len(s); n >= 8 {
		lows := ones * uint64(low)
		w := Load64(s[n-8:])
		odd := (w - lows) | (w + ones)
		i := 0
		for ; i <= n-32; i += 32 {
			block := s[i : i+32]
			w0, w1, w2, w3 := Load64(block[:8]), Load64(block[8:16]), Load64(block[16:24]), Load64(block[24:32])
			odd |= (w0 - lows) | (w0 + ones) | (w1 - lows) | (w1 + ones) | (w2 - lows) | (w2 + ones) | (w3 - lows) | (w3 + ones)
		}
		for ; i < n-8; i += 8 {
			w = Load64(s[i : i+8])
			odd |= (w - lows) | (w + ones)
		}
		if odd&highs == 0 {
			return -1
		}
	}
	for i := range len(s) {
		if c := s[i]; c-low > 0x7e-low && (c != '\t' || low != ' ') {
			return i
		}
	}
	return -1
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
