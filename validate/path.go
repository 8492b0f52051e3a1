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
func (t *Target) path(s string, from, to int, refuse *codeSet) problem {
	s = s[:to]
	if to-from > min(t.maxSegments, t.maxSegment) {
		if p := t.segments(s, from); p.code != CodeOK {
			return p
		}
	}
	w := pathWalk{dots: notDots}
	sawDots := false
	for i := from; i < len(s); {
		if len(s) >= 8 && w.dots < 0 && w.utf.Done() && s[i] != '%' {
			at := i
			if i = skipPath(s, i); i == len(s) {
				w.dots = notDots
				break
			}
			if i > at && s[i-1] == '/' {
				w.dots, w.encoded = 0, false
			}
		}
		c, at := s[i], i
		i++
		class := pathClasses[c]
		if !w.utf.Done() && class != uriHigh && class != uriPercent && w.utf.broken() && refuse.has(CodeURIUTF8Invalid) {
			return problem{CodeURIUTF8Invalid, at}
		}
		var found Code
		switch class {
		case uriPlain:
			w.dots = notDots
			continue
		case uriDot:
			w.dot()
			continue
		case uriSlash:
			found = w.slash(s, at, from)
		case uriPercent:
			d, ok := escaped(s, at)
			if !ok {
				found = CodeURIPercentInvalid
				if !w.utf.Done() && w.utf.broken() && refuse.has(CodeURIUTF8Invalid) {
					found = CodeURIUTF8Invalid
				}
				w.dots = notDots
				break
			}
			i += 2
			found = w.escape(s, at, d, refuse)
		default:
			found = w.special(c, class, refuse)
		}
		if found != CodeOK {
			if refuse.has(found) {
				return problem{found, at}
			}
			sawDots = sawDots || found == CodeURIDotSegment
		}
	}
	if !w.utf.Done() && refuse.has(CodeURIUTF8Invalid) {
		return problem{CodeURIUTF8Invalid, to}
	}
	if found := w.endSegment(); found != CodeOK {
		if refuse.has(found) {
			return problem{found, to}
		}
		sawDots = sawDots || found == CodeURIDotSegment
	}
	if sawDots && t.allowsDots && refuse.has(CodeURIAboveRoot) {
		if at := climbs(s[from:]); at >= 0 {
			return problem{CodeURIAboveRoot, from + at}
		}
	}
	return problem{}
}

// slash judges what a slash at s[at] ends and starts.
func (w *pathWalk) slash(s string, at, from int) Code {
	found := w.endSegment()
	w.dots, w.encoded = 0, false
	switch {
	case found != CodeOK || at+1 == len(s) || s[at+1] != '/':
		return found
	case at == from:
		return CodeURIPathAmbiguous
	}
	return CodeURISegmentEmpty
}

// special judges the rarer raw bytes.
func (w *pathWalk) special(c byte, class uriClass, refuse *codeSet) Code {
	dots := w.isDots()
	w.dots = notDots
	switch class {
	case uriSemicolon:
		if dots {
			return CodeURIDotSegmentParameter
		}
		return CodeURIParameter
	case uriHash:
		return CodeURIFragment
	case uriDelimiter:
		return CodeURIDelimiterRaw
	case uriHigh:
		return w.utf.raw(c, refuse)
	}
	return CodeURIByteInvalid
}

// escape judges the escape of d at s[at]. Of several findings it returns one that is refused.
func (w *pathWalk) escape(s string, at int, d byte, refuse *codeSet) Code {
	if d < 0x80 && !w.utf.Done() && w.utf.broken() && refuse.has(CodeURIUTF8Invalid) {
		return CodeURIUTF8Invalid
	}
	dots := w.isDots()
	switch d {
	case '.':
		w.dot()
		w.encoded = w.dots >= 0
		return CodeURIUnreservedEncoded
	case '/':
		w.dots, w.encoded = 0, true
		if dots {
			return CodeURIDotSegmentEncoded
		}
		return CodeURISlashEncoded
	}
	w.dots = notDots
	switch {
	case d >= 0x80:
		return w.utf.next(d, refuse)
	case d == ';' && dots:
		return CodeURIDotSegmentParameter
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
	if w.dots > 2 {
		w.dots = notDots
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

// skipPath returns the index of the first byte of s at or after i that a walk must look at: it passes over letters, digits
// and other plain bytes, over dots within a segment, and over slashes before anything but a dot or a slash. It may stop
// earlier. s[i] must lie within a segment.
func skipPath(s string, i int) int {
	for len(s)-i > 8 {
		x := scan.Load64(s[i : i+8])
		m := odd(x) | ambiguous(x, scan.Load64(s[i+1:i+9]))
		if m != 0 {
			if m &^= equals(x, '_'); m != 0 {
				return i + bits.TrailingZeros64(m)>>3
			}
		}
		i += 8
	}
	if len(s) >= 8 {
		x := scan.Load64(s[len(s)-8:])
		if (odd(x)|ambiguous(x, x>>8))&^equals(x, '_') == 0 {
			return len(s)
		}
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// odd flags exactly the lanes that are neither letters nor "&" to ":" (digits, "-", "." and "/" among them), which are plain
// in path and query alike but for slashes and dots.
func odd(x uint64) uint64 {
	seven := x &^ highs // no carry leaves a lane
	lower := seven | ones*0x20
	letter := (lower + ones*(0x80-'a')) &^ (lower + ones*(0x7f-'z'))
	middle := (seven + ones*(0x80-'&')) &^ (seven + ones*(0x7f-':'))
	return (^(letter | middle) | x) & highs
}

// ambiguous flags the slashes of x before a slash or a dot, y being the same text one byte on. It may flag one before a byte
// above 0x7f.
func ambiguous(x, y uint64) uint64 {
	notSlash := (x&^highs ^ ones*'/') + ones*0x7f
	neither := (y&(ones*0x7e) ^ ones*'.') + ones*0x7f // "." and "/" differ in the last bit
	return ^(notSlash | neither) & highs
}

// equals flags exactly the lanes equal to c, an ASCII byte.
func equals(x uint64, c byte) uint64 {
	x ^= ones * uint64(c)
	return ^((x&^highs + ones*0x7f) | x) & highs
}

// segments checks number and size of the segments of the path that starts at s[from].
func (t *Target) segments(s string, from int) problem {
	if strings.Count(s[from:], "/") > t.maxSegments {
		at := from
		for range t.maxSegments {
			at += 1 + strings.IndexByte(s[at+1:], '/')
		}
		return problem{CodeURISegmentTooMany, at}
	}
	// Every run of maxSegment+1 bytes needs a slash. Looking for the last one in it passes over the others.
	for at := from; len(s)-at-1 > t.maxSegment; {
		next := strings.LastIndexByte(s[at+1:at+2+t.maxSegment], '/')
		if next < 0 {
			return problem{CodeURISegmentTooLong, at + 1 + t.maxSegment}
		}
		at += 1 + next
	}
	return problem{}
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
