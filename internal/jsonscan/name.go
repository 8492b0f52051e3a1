package jsonscan

import (
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words are the eye-catching parts of a member name: its first and its last eight bytes (the same, zero padded, for a
// name of up to eight) and its length. Names of up to sixteen bytes are equal if and only if their Words are.
type Words struct {
	First, Last uint64
	Len         int
}

// WordsOf returns the Words of a decoded name.
func WordsOf[T ~string | ~[]byte](name T) Words {
	var w uint64
	switch n := len(name); {
	case n >= 8:
		return Words{word(name[:8]), word(name[n-8:]), n}
	case n >= 4:
		w = uint64(half(name[:4])) | uint64(half(name[n-4:]))<<(8*uint(n-4))
	case n > 0:
		w = uint64(name[0]) | uint64(name[n/2])<<(8*uint(n/2)) | uint64(name[n-1])<<(8*uint(n-1))
	}
	return Words{w, w, len(name)}
}

func half[T ~string | ~[]byte](b T) uint32 {
	_ = b[3]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// word loads eight bytes. The compiler makes one load of it.
func word[T ~string | ~[]byte](b T) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// Key is a digest of the name that ignores the case of ASCII letters (and some more: equal keys prove nothing). It has no
// secret, so it may only choose a place in a table that holds no attacker's names, or a bit of a filter. Its high bits are
// no better than its low ones: multiply before taking some.
func (w Words) Key() uint64 {
	const fold = ones * 0x20
	return w.First | fold ^ bits.RotateLeft64(w.Last|fold, 23) ^ uint64(w.Len)<<2
}

// Plain returns how many of the bytes from b[i] on are plain and visible (not DEL), up to eight; 0 near the end of the text, where it
// does not look. It is small enough to become part of the loop that calls it.
func Plain(b []byte, i int) int {
	if holds64(b, i) {
		return bits.TrailingZeros64(SpecialOrDEL(load64(b, i))) >> 3
	}
	return 0
}

// SpecialOrDEL is [Special], and marks DEL.
func SpecialOrDEL(w uint64) uint64 { return Special(w) | (w+ones)&highs }

// Name reads the rest of a member name from just after its opening quote. It returns the index after the closing quote
// (-1 if the string is not valid), the name's Words, and whether it is plain: ASCII without escapes, so that its bytes are
// its text. The Words of a name that is not plain are not set. wide is as in [String].
func Name(b []byte, i int, wide *bool) (end int, w Words, plain bool) {
	first := head(b, i)
	n := bits.TrailingZeros64(Special(first)) >> 3
	if at := i + n; n < 8 && at < len(b) && b[at] == '"' {
		first &= 1<<(8*uint(n)&63) - 1
		return at + 1, Words{first, first, n}, true
	}
	for more := n; more == 8; n += more {
		more = bits.TrailingZeros64(Special(head(b, i+n))) >> 3
	}
	if at := i + n; n < 8 || at >= len(b) || b[at] != '"' {
		return String(b, at, wide), w, false
	}
	return i + n + 1, Words{load64(b, i), load64(b, i+n-8), n}, true
}

// AppendFolded appends to dst what the decoded text of a name becomes under the loosest readers: letters without case,
// no hyphens and underscores, the characters whose case folding or compatibility form is an ASCII letter or digit as that, characters that show
// nothing left out, and nothing from the first NUL on. Two names that fold to the same text are twins.
func AppendFolded(dst, body []byte) []byte {
	for len(body) > 0 {
		r, n := Rune(body)
		body = body[n:]
		switch f := foldRune(r); {
		case f == 0:
			return dst
		case f > 0:
			dst = utf8.AppendRune(dst, f)
		}
	}
	return dst
}

// foldRune returns what a lax reader makes of r: 0 where a C string ends, -1 for nothing at all.
func foldRune(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z':
		return r | 0x20
	case r == '-' || r == '_': // encoding/json/v2 passes them over when it ignores case
		return -1
	case r < utf8.RuneSelf:
		return r
	case r == 0x017f: // long s
		return 's'
	case r == 0x212a: // Kelvin sign
		return 'k'
	case r == 0x0130 || r == 0x0131: // dotted and dotless i
		return 'i'
	case 0xff01 <= r && r <= 0xff5e: // full-width forms
		return foldRune(r - 0xfee0)
	case IsInvisible(r):
		return -1
	}
	least := r // of all that have the same simple case folding, as encoding/json compares names
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}

// FoldedText returns what a decoded name becomes under the loosest readers, see [AppendFolded].
func FoldedText(name string) string {
	var out []byte
	for _, r := range name {
		switch f := foldRune(r); {
		case f == 0:
			return string(out)
		case f > 0:
			out = utf8.AppendRune(out, f)
		}
	}
	return string(out)
}

// IsInvisible reports whether r is a control or format character, or another one that shows nothing: zero-width and
// direction marks, the tags block, variation selectors, fillers.
//
// Source: Unicode general categories Cc, Cf, Zl, Zp and the property Default_Ignorable_Code_Point.
func IsInvisible(r rune) bool {
	switch {
	case r < 0x20, 0x7f <= r && r < 0xa0, r == 0xad:
		return true
	case r < 0x034f:
		return false
	case r == 0x034f, 0x0600 <= r && r <= 0x0605, r == 0x061c, r == 0x06dd, r == 0x070f, 0x0890 <= r && r <= 0x0891, r == 0x08e2:
		return true
	case 0x115f <= r && r <= 0x1160, 0x17b4 <= r && r <= 0x17b5, 0x180b <= r && r <= 0x180f:
		return true
	case 0x200b <= r && r <= 0x200f, 0x2028 <= r && r <= 0x202e, 0x2060 <= r && r <= 0x206f, r == 0x2800:
		return true
	case r == 0x3164, 0xfe00 <= r && r <= 0xfe0f, r == 0xfeff, r == 0xffa0, 0xfff0 <= r && r <= 0xfffb:
		return true
	case r == 0x110bd, r == 0x110cd, 0x13430 <= r && r <= 0x1343f, 0x1bca0 <= r && r <= 0x1bca3, 0x1d173 <= r && r <= 0x1d17a:
		return true
	}
	return 0xe0000 <= r && r <= 0xe0fff
}

// isForName reports whether a name may have r: it shows something, means it outside of one program, and is a character.
func isForName(r rune) bool {
	switch {
	case r < 0xe000:
		return !IsInvisible(r)
	case r <= 0xf8ff, 0xfdd0 <= r && r <= 0xfdef, r&0xfffe == 0xfffe, r >= 0xf0000: // private use, noncharacters
		return false
	}
	return !IsInvisible(r)
}

// FirstInvisible returns the index in a string body of its first character that no name may have: one that shows nothing (see
// [IsInvisible]), of private use, a noncharacter, or a combining mark at the start, which shows as part of what stands before. It
// returns -1 if there is none.
func FirstInvisible(body []byte) int {
	if IsVisibleASCII(body) {
		return -1 // nearly every name
	}
	i := 0
	for i < len(body) {
		r, n := Rune(body[i:])
		if !isForName(r) || i == 0 && unicode.Is(unicode.M, r) {
			return i
		}
		i += n
	}
	return -1
}

// IsVisibleASCII reports whether a string body is nothing but visible ASCII without escapes.
func IsVisibleASCII(body []byte) bool {
	const del = ones * 0x7f
	i := 0
	for ; i+8 <= len(body); i += 8 {
		if w := load64(body, i); (Special(w)|((w^del)-ones))&highs != 0 {
			return false
		}
	}
	for ; i < len(body); i++ {
		if !isPlain(body[i]) || body[i] == 0x7f {
			return false
		}
	}
	return true
}

// MixesScripts reports whether a word of a string body has letters of Latin beside Cyrillic letters, or beside Greek ones that
// look like Latin: no language writes so, and a person can't tell the name from another one. Words end at everything that is
// no letter.
func MixesScripts(body []byte) bool {
	const latin, other = 1, 2
	seen := 0
	for len(body) > 0 {
		r, n := Rune(body)
		body = body[n:]
		switch {
		case !unicode.IsLetter(r):
			seen = 0
		case unicode.Is(unicode.Latin, r):
			seen |= latin
		case unicode.Is(unicode.Cyrillic, r), strings.ContainsRune("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαγικνορτυχϲ", r):
			seen |= other
		}
		if seen == latin|other {
			return true
		}
	}
	return false
}
