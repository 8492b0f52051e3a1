package schema

import (
	"math/bits"

	"github.com/sallyport/sallyport/internal/jsonscan"
)

var headerMark = jsonscan.WordsOf("x-mcp-header")

// free reads the object or array at b[i] under a node that admits everything, inside depth open ones. It is
// the part of a walk that most bytes of a message take: no atom is judged, only syntax, limits and repeated names are. It
// returns the index after the value, or -1 as [Walker.Walk] does.
func (w *Walker) free(b []byte, i, depth int, n *Node) int {
	outer := depth
	var (
		f     *frame
		start int
		close byte // the bracket that ends the innermost value
	)
value:
	if uint(i) >= uint(len(b)) {
		return w.syntax(Syntax, i)
	}
	switch c := b[i]; {
	case c == '"':
		start = i
		if i++; i >= 0 && i <= len(b)-8 {
			m := jsonscan.Special(load64(b, i))
			if m == 0 && i <= len(b)-16 {
				i += 8
				m = jsonscan.Special(load64(b, i))
			}
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
			} else {
				i += 8
			}
		}
		if uint(i) < uint(len(b)) && b[i] == '"' {
			i++ // up to sixteen bytes: fewer than any limit
		} else if i = w.longString(b, start, i, depth); i < 0 {
			return -1
		}
	case c == '{' || c == '[':
		if depth >= w.deep {
			return w.refuse(Depth, i, w.Limits.Depth, w.Limits.Depth+1)
		}
		f = &w.frames[depth]
		depth++
		close = c + 2 // '}' and ']' are two above '{' and '['
		f.node, f.object, f.cap, f.count = n, c == '{', 0, 0
		f.bloom, f.base, f.table, f.end = 0, int32(len(w.names)), -1, int32(len(w.tables))
		f.room = w.roomAfter(len(w.names), n)
		if i++; i < len(b) && b[i] <= ' ' {
			i = jsonscan.Space(b, i)
		}
		if i < len(b) && b[i] == close {
			goto after
		}
		if c == '{' {
			goto name
		}
		f.count = 1
		goto value
	case c == '-' || c-'0' < 10:
		start = i
		if i = shortInteger(b, start); i < 0 {
			if i, _ = jsonscan.Number(b, start); uint(i-start) > shortNumber && !w.number(b, start, i, depth) {
				return -1
			}
		}
	case c <= ' ':
		if start = i; jsonscan.Space(b, i) == i {
			return w.syntax(Syntax, i)
		}
		i = jsonscan.Space(b, i)
		goto value
	default:
		start = i
		if i = jsonscan.Literal(b, start); i < 0 {
			return w.syntax(Syntax, start)
		}
	}
after:
	if uint(i) >= uint(len(b)) {
		return w.syntax(Syntax, i)
	}
	switch c := b[i]; {
	case c == ',':
		i++
		if close == '}' {
			goto name
		}
		if f.count++; int(f.count) > w.Limits.Items {
			return w.limit(ManyItems, i, w.Limits.Items, int(f.count), resume{i, depth, true})
		}
		goto value
	case c == close:
		i++
		w.names, w.tables = w.names[:f.base], w.tables[:f.end]
		if depth--; depth == outer {
			return i
		}
		f = &w.frames[depth-1]
		close = ']'
		if f.object {
			close = '}'
		}
		goto after
	case c <= ' ' && jsonscan.Space(b, i) > i:
		i = jsonscan.Space(b, i)
		goto after
	}
	return w.syntax(Syntax, i)
name:
	// A plain name of up to fifteen bytes, without white space around it: all of it is in two words.
	if i >= 0 && i < len(b)-9 && b[i] == '"' {
		start = i + 1
		end, words := start, jsonscan.Words{First: load64(b, start)}
		if m := jsonscan.Special(words.First); m != 0 {
			end += bits.TrailingZeros64(m) >> 3
			words.First &= (m ^ (m - 1)) >> 8 // what is below the lowest mark
			words.Last = words.First
		} else {
			if i >= len(b)-18 || words.First == headerMark.First {
				goto odd
			}
			end += 8 + bits.TrailingZeros64(jsonscan.Special(load64(b, i+9)))>>3
			words.Last = load64(b, end-8)
		}
		if b[end] != '"' || b[end+1] != ':' {
			goto odd
		}
		words.Len = end - start
		i = end + 2
		k, bit := len(w.names), bloomBit(words)
		if k >= int(f.room) || f.bloom&bit != 0 && beginsLike(w.names[f.base:], words.First) {
			if !w.addFree(f, b, words, start, end) {
				w.at = resume{i, depth, true}
				return -1
			}
			goto value
		}
		f.bloom |= bit
		w.names = w.names[:k+1]
		w.names[k] = nameEntry{words.First, uint32(start), uint32(words.Len)}
		goto value
	}
odd:
	if i = w.oddFree(f, b, i, depth); i < 0 {
		return -1
	}
	goto value
}

// beginsLike reports whether one of the names begins with the same eight bytes.
func beginsLike(names []nameEntry, first uint64) bool {
	for i := range names {
		if names[i].first == first {
			return true
		}
	}
	return false
}

// roomAfter returns how many names there may be in all, n of them before an object's own, while adding one to that object needs no more
// than a look at its filter: they are few, and have memory. There is no such room where names are read without case.
func (w *Walker) roomAfter(n int, of *Node) int32 {
	if of.foldDup {
		return 0
	}
	return int32(min(n+w.few, cap(w.names)))
}

// oddFree reads a name and the colon after it, whatever they look like. It returns the index after them, or -1.
func (w *Walker) oddFree(f *frame, b []byte, i, depth int) int {
	if i = jsonscan.Space(b, i); i >= len(b) || b[i] != '"' {
		return w.syntax(Syntax, i)
	}
	start := i + 1
	i, words, plain := jsonscan.Name(b, start, &w.Wide)
	if i < 0 {
		return w.badString(b, start)
	}
	end := i - 1
	if i = jsonscan.Space(b, i); i >= len(b) || b[i] != ':' {
		return w.syntax(Syntax, i)
	}
	if !plain {
		words.Len = -1
	} else if words == headerMark {
		w.Marked = true
	}
	if !w.addFree(f, b, words, start, end) {
		w.at = resume{i + 1, depth, true}
		return -1
	}
	return i + 1
}

// addFree adds a name that is not one of few, or not plain, which words without a length say. It returns false, with the Fault, if the
// name is refused.
func (w *Walker) addFree(f *frame, b []byte, words jsonscan.Words, start, end int) bool {
	w.Fault.Offset = start - 1
	switch n := len(w.names) - int(f.base); {
	case end-start > w.Limits.NameBytes:
		w.Fault = Fault{LongName, start - 1, w.Limits.NameBytes, end - start}
		return false
	case n >= w.Limits.Members:
		w.Fault = Fault{ManyMembers, start - 1, w.Limits.Members, n + 1}
		return false
	case words.Len < 0 || f.node.foldDup:
		if w.oddName(f, b, start, end) == nil {
			w.Fault.Reason = w.reason
			return false
		}
	default:
		f.bloom |= bloomBit(words)
		if !w.addName(f, b, words, b[start:end], start, end, false) {
			w.Fault.Reason = Duplicate
			return false
		}
	}
	f.room = w.roomAfter(int(f.base), f.node) // there may be more memory now
	return true
}

// shortInteger reads an integer without sign of up to three digits at b[i], and returns the index after it, or -1 if the number
// is another one.
func shortInteger(b []byte, i int) int {
	for j := i + 1; j < len(b) && j < i+4; j++ {
		if c := b[j]; c-'0' >= 10 {
			if c == '.' || c|0x20 == 'e' || b[i] == '-' || b[i] == '0' && j > i+1 {
				return -1
			}
			return j
		}
	}
	return -1
}

// longString reads the rest, from b[i] on, of the string that begins at b[start]. It returns the index after it, or -1.
func (w *Walker) longString(b []byte, start, i, depth int) int {
	if i = jsonscan.String(b, i, &w.Wide); i < 0 {
		return w.badString(b, start+1)
	}
	if i-start-2 > w.Limits.StringBytes {
		return w.limit(LongString, start, w.Limits.StringBytes, i-start-2, resume{i, depth, false})
	}
	return i
}

// shortNumber is a size of numbers that no limit and no exponent makes too large.
const shortNumber = 4

// number judges a number that is not short, b[start:end], or none if end is -1. It returns false, with the Fault, if it is refused.
func (w *Walker) number(b []byte, start, end, depth int) bool {
	switch {
	case end < 0:
		w.syntax(Syntax, start)
	case end-start > w.Limits.NumberBytes:
		w.limit(LongNumber, start, w.Limits.NumberBytes, end-start, resume{end, depth, false})
	case overflows(b[start:end]):
		w.reason = Overflow
		w.halt(start, resume{end, depth, false})
	default:
		return true
	}
	return false
}
