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
	i := 0
	for ; i+32 <= len(s); i += 32 {
		b := s[i : i+32]
		w0, w1, w2, w3 := Load64(b), Load64(b[8:]), Load64(b[16:]), Load64(b[24:])
		if (unplain(w0)|unplain(w1)|unplain(w2)|unplain(w3))&highs == 0 {
			continue // the common case: printable ASCII
		}
		if suspects(w0)|suspects(w1)|suspects(w2)|suspects(w3) == 0 {
			continue // obs-text
		}
		if j := Not(b, 0, Value); j < 32 {
			return i + j
		}
	}
	for ; i+8 <= len(s); i += 8 {
		if suspects(Load64(s[i:i+8])) != 0 {
			if j := Not(s[i:i+8], 0, Value); j < 8 {
				return i + j
			}
		}
	}
	if i = Not(s, i, Value); i < len(s) {
		return i
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
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := Load64(s[i : i+8])
		if ((w-ones*0x21)|(w+ones)|w)&highs != 0 {
			break
		}
	}
	if i = Not(s, i, Visible); i < len(s) {
		return i
	}
	return -1
}
