package validate

import (
	"math/bits"
	"strings"

	"github.com/sallyport/sallyport/internal/scan"
)

// uriClass says what a raw byte of a path or query asks of the walk.
type uriClass uint8

const (
	uriPlain uriClass = iota
	uriSlash
	uriDot
	uriPercent
	uriSemicolon
	uriHash
	uriDelimiter // gen-delims and others that RFC 3986 wants escaped, but clients send
	uriHigh      // above 0x7f
	uriBad       // never allowed
)

var pathClasses, queryClasses = buildURIClasses()

// buildURIClasses makes the tables from pchar and query. Source: RFC 3986, 3.3 and 3.4.
func buildURIClasses() (path, query [256]uriClass) {
	set := func(t *[256]uriClass, class uriClass, bytes string) {
		for i := range len(bytes) {
			t[bytes[i]] = class
		}
	}
	for c := range path {
		switch {
		case c >= 0x80:
			path[c] = uriHigh
		case c <= ' ' || c == 0x7f:
			path[c] = uriBad
		}
	}
	set(&path, uriDelimiter, "[]{}|^`")
	set(&path, uriPercent, "%")
	set(&path, uriSemicolon, ";")
	set(&path, uriHash, "#")
	query = path
	set(&path, uriBad, "\\\"<>?")
	set(&path, uriSlash, "/")
	set(&path, uriDot, ".")
	set(&query, uriDelimiter, "\\\"<>")
	return path, query
}

// notDots says that the current segment holds something else than dots.
const notDots = -1

// pathWalk is the state of a walk over a path.
type pathWalk struct {
	dots    int  // dots of the current segment, raw or escaped, or notDots
	encoded bool // the segment has an escaped dot, or an escaped slash at its start
	utf     utf8Walk
	twice   twiceDecoded
}

// path checks s[from:to], which starts with a slash. It passes over eight plain bytes at a time.
func (t *Target) path(s string, from, to int, refuse *codeSet) Violation {
	if to-from > min(t.maxSegments, t.maxSegment) {
		if v := t.segments(s[from:to], from); !v.OK() {
			return v
		}
	}
	s = s[:to]
	w := pathWalk{dots: notDots}
	sawDots := false
	for i := from; i < len(s); {
		if len(s)-i > 8 && w.utf.Done() && (w.dots < 0 || w.dots == 0 && s[i] != '.') {
			m := oddInPath(scan.Load64(s[i:]), scan.Load64(s[i+1:]))
			k := bits.TrailingZeros64(m) >> 3 // 8 if m is zero
			if k > 0 {
				i += k
				w.dots, w.encoded = notDots, false
				if s[i-1] == '/' {
					w.dots = 0
				}
				if k == 8 {
					continue
				}
			}
		}
		c, at := s[i], i
		i++
		class := pathClasses[c]
		if !w.utf.Done() && class != uriHigh && class != uriPercent && w.utf.broken() && refuse.has(CodeURIUTF8Invalid) {
			return Violation{Code: CodeURIUTF8Invalid, Offset: at}
		}
		var found Code
		switch class {
		case uriPlain:
			w.dots = notDots
		case uriDot:
			w.dot()
		case uriSlash:
			found = w.endSegment()
			if found == CodeOK && i < len(s) && s[i] == '/' {
				found = CodeURISegmentEmpty
				if at == from {
					found = CodeURIPathAmbiguous
				}
			}
			w.dots, w.encoded = 0, false
		case uriPercent:
			d, ok := escaped(s, at)
			if !ok {
				found = CodeURIPercentInvalid
				w.dots = notDots
				break
			}
			i += 2
			found = w.escape(s, at, d, refuse)
		case uriSemicolon:
			if found = CodeURIParameter; w.isDots() {
				found = CodeURIDotSegmentParameter
			}
			w.dots = notDots
		case uriHash:
			found = CodeURIFragment
		case uriDelimiter:
			found = CodeURIDelimiterRaw
			w.dots = notDots
		case uriHigh:
			w.dots = notDots
			if found = w.utf.next(c, refuse); found == CodeOK {
				found = CodeURINonASCII
			}
		case uriBad:
			found = CodeURIByteInvalid
			w.dots = notDots
		}
		if found != CodeOK {
			if refuse.has(found) {
				return Violation{Code: found, Offset: at}
			}
			sawDots = sawDots || found == CodeURIDotSegment
		}
	}
	if !w.utf.Done() && refuse.has(CodeURIUTF8Invalid) {
		return Violation{Code: CodeURIUTF8Invalid, Offset: to}
	}
	if found := w.endSegment(); found != CodeOK {
		if refuse.has(found) {
			return Violation{Code: found, Offset: to}
		}
		sawDots = sawDots || found == CodeURIDotSegment
	}
	if sawDots && t.allowsDots && refuse.has(CodeURIAboveRoot) {
		if at := climbs(s[from:to]); at >= 0 {
			return Violation{Code: CodeURIAboveRoot, Offset: from + at}
		}
	}
	return Violation{}
}

// escape judges the escape of d at s[at]. Of several findings it returns one that is refused.
func (w *pathWalk) escape(s string, at int, d byte, refuse *codeSet) (found Code) {
	switch {
	case d == '.':
		w.dot()
		w.encoded = w.dots >= 0
		return CodeURIUnreservedEncoded
	case d == '/':
		found = CodeURISlashEncoded
		if w.isDots() {
			found = CodeURIDotSegmentEncoded
		}
		w.dots, w.encoded = 0, true
		return found
	case d == ';' && w.isDots():
		w.dots = notDots
		return CodeURIDotSegmentParameter
	}
	w.dots = notDots
	switch {
	case d >= 0x80:
		return w.utf.next(d, refuse)
	case !w.utf.Done() && w.utf.broken() && refuse.has(CodeURIUTF8Invalid):
		return CodeURIUTF8Invalid
	case d == '\\':
		return CodeURIBackslashEncoded
	case d == '%':
		return w.twice.judge(s, at, false)
	case d == 0:
		return CodeURINULEncoded
	case d < ' ' || d == 0x7f:
		return CodeURIControlEncoded
	case scan.Is(d, scan.Unreserved):
		return CodeURIUnreservedEncoded
	}
	return CodeOK
}

func (w *pathWalk) dot() {
	if w.dots >= 0 {
		w.dots++
	}
}

func (w *pathWalk) isDots() bool { return w.dots == 1 || w.dots == 2 }

// endSegment judges the segment that ends here.
func (w *pathWalk) endSegment() Code {
	switch {
	case !w.isDots():
		return CodeOK
	case w.encoded:
		return CodeURIDotSegmentEncoded
	}
	return CodeURIDotSegment
}

// oddInPath flags the lanes of x that a walk must look at, y being the same text one byte on: bytes that are no pchar, "%",
// ";", and slashes before a slash or a dot. The lowest flagged lane is a true one; lanes above it may be flagged wrongly.
func oddInPath(x, y uint64) uint64 {
	return oddInURI(x) | inRange(x, ';', '?') | equals(x, '/')&(equals(y, '/')|equals(y, '.')) | inRange(x, '\\', '\\')
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// oddInURI flags the lanes that are not plain in path and query alike.
func oddInURI(x uint64) uint64 {
	low := (x - ones*'&') &^ x // 0x00 to 0x25, with "!", "$" flagged in vain
	return (low|x)&highs | inRange(x, '[', '^') | inRange(x, '`', '`') | inRange(x, '{', '}') | equals(x, 0x7f) | equals(x, '<') | equals(x, '>')
}

// inRange flags exactly the ASCII lanes from low to high.
func inRange(x uint64, low, high byte) uint64 {
	seven := x &^ highs
	return (seven + ones*uint64(0x80-low)) &^ (seven + ones*uint64(0x7f-high)) &^ x & highs
}

// equals flags exactly the lanes equal to c, an ASCII byte.
func equals(x uint64, c byte) uint64 {
	x ^= ones * uint64(c)
	return ^((x&^highs + ones*0x7f) | x) & highs
}

// segments checks number and size of the segments of a path.
func (t *Target) segments(path string, offset int) Violation {
	n, longest := 0, 0
	for at := 0; at < len(path); {
		n++
		end := strings.IndexByte(path[at+1:], '/')
		if end < 0 {
			end = len(path) - at - 1
		}
		if longest = end; longest > t.maxSegment {
			v := tooLong(CodeURISegmentTooLong, "", t.maxSegment, longest)
			v.Offset = offset + at + 1 + t.maxSegment
			return v
		}
		if n > t.maxSegments {
			v := tooMany(CodeURISegmentTooMany, "", t.maxSegments, n)
			v.Offset = offset + at
			return v
		}
		at += 1 + end
	}
	return Violation{}
}

// climbs returns the offset of the first ".." segment that leaves the root, or -1. Escaped dots are refused before.
func climbs(path string) int {
	depth := 0
	for at := 1; at <= len(path); {
		end := strings.IndexByte(path[at:], '/')
		if end < 0 {
			end = len(path) - at
		}
		switch path[at : at+end] {
		case ".", "":
		case "..":
			if depth--; depth < 0 {
				return at
			}
		default:
			depth++
		}
		at += end + 1
	}
	return -1
}

// escaped decodes the escape at s[at], a percent sign.
func escaped(s string, at int) (byte, bool) {
	if at+2 >= len(s) {
		return 0, false
	}
	high, low := scan.Hex(s[at+1]), scan.Hex(s[at+2])
	return high<<4 | low, high < 16 && low < 16
}
