package schema

import "github.com/sallyport/sallyport/internal/jsonscan"

var headerMark = jsonscan.WordsOf("x-mcp-header")

// free reads the object or array at b[i] under a node that admits everything, inside depth open ones of at most deep. It is
// the part of a walk that most bytes of a message take: no atom is judged, only syntax, limits and repeated names are. It
// returns the index after the value, or -1 as [Walker.Walk] does.
func (w *Walker) free(b []byte, i, depth, deep int, n *Node) int {
	outer := depth
	var (
		f     *frame
		start int
		close byte // the bracket that ends the innermost value
	)
open:
	if depth >= deep {
		return w.refuse(Depth, i, w.Limits.Depth, w.Limits.Depth+1)
	}
	f = &w.frames[depth]
	depth++
	close = b[i] + 2 // '}' and ']' are two above '{' and '['
	f.node, f.object, f.cap, f.count = n, close == '}', 0, 0
	f.bloom, f.base, f.table, f.end = 0, int32(len(w.names)), -1, int32(len(w.tables))
	if i++; i < len(b) && b[i] <= ' ' {
		i = jsonscan.Space(b, i)
	}
	if i < len(b) && b[i] == close {
		goto closed
	}
	if close == '}' {
		goto name
	}
	f.count = 1
value:
	if uint(i) >= uint(len(b)) {
		return w.syntax(Syntax, i)
	}
	switch c := b[i]; {
	case c == '"':
		start = i
		n := jsonscan.Plain(b, start+1)
		if n == 8 {
			n += jsonscan.Plain(b, start+9)
		}
		if i += 1 + n; i < len(b) && b[i] == '"' {
			i++ // up to sixteen bytes: fewer than any limit
		} else if i = jsonscan.String(b, i, &w.Wide); i < 0 {
			return w.badString(b, start+1)
		} else if i-start-2 > w.Limits.StringBytes {
			return w.limit(LongString, start, w.Limits.StringBytes, i-start-2, resume{i, depth, false})
		}
	case c == '{' || c == '[':
		goto open
	case c == '-' || c-'0' < 10:
		start = i
		if i = shortInteger(b, start); i < 0 {
			if i, _ = jsonscan.Number(b, start); i < 0 {
				return w.syntax(Syntax, start)
			}
		}
		if i-start > w.Limits.NumberBytes {
			return w.limit(LongNumber, start, w.Limits.NumberBytes, i-start, resume{i, depth, false})
		}
		if i-start > 4 && overflows(b[start:i]) {
			w.reason = Overflow
			return w.halt(start, resume{i, depth, false})
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
		goto closed
	case c <= ' ':
		if j := jsonscan.Space(b, i); j > i {
			i = j
			goto after
		}
	}
	return w.syntax(Syntax, i)
name:
	{
		if uint(i) >= uint(len(b)) || b[i] != '"' {
			if i = jsonscan.Space(b, i); i >= len(b) || b[i] != '"' {
				return w.syntax(Syntax, i)
			}
		}
		start = i + 1
		var words jsonscan.Words
		plain, usual := true, !n.foldDup
		size, more := jsonscan.Plain(b, start), 0
		if size == 8 {
			more = jsonscan.Plain(b, start+8)
		}
		i = start + size + more
		switch {
		case size < 8 && start+8 <= len(b) && b[i] == '"':
			words = jsonscan.ShortWords(b, start, size)
			i++
		case size == 8 && more < 8 && start+16 <= len(b) && b[i] == '"':
			if words = jsonscan.LongWords(b, start, size+more); words == headerMark {
				w.Marked = true
			}
			i++
		default:
			if i, words, plain = jsonscan.Name(b, start, &w.Wide); i < 0 {
				return w.badString(b, start)
			}
			usual = usual && plain && i-1-start <= w.Limits.NameBytes
		}
		end := i - 1
		if uint(i) >= uint(len(b)) || b[i] != ':' {
			if i = jsonscan.Space(b, i); i >= len(b) || b[i] != ':' {
				return w.syntax(Syntax, i)
			}
		}
		i++
		if usual {
			if bit := bloomBit(words); f.bloom&bit == 0 && f.table < 0 && len(w.names)-int(f.base) < w.few {
				f.bloom |= bit
				w.names = append(w.names, nameEntry{words.First, uint32(start), uint32(end - start)})
				goto value
			}
		}
		if !w.freeName(f, b, words, plain && !n.foldDup, start, end) {
			w.at = resume{i, depth, true}
			return -1
		}
		goto value
	}
closed:
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
}

// freeName adds a name that is not one of few, or not plain. It returns false, with the Fault, if the name is refused.
func (w *Walker) freeName(f *frame, b []byte, words jsonscan.Words, plain bool, start, end int) bool {
	w.Fault.Offset = start - 1
	switch n := len(w.names) - int(f.base); {
	case end-start > w.Limits.NameBytes:
		w.Fault = Fault{LongName, start - 1, w.Limits.NameBytes, end - start}
	case n >= w.Limits.Members:
		w.Fault = Fault{ManyMembers, start - 1, w.Limits.Members, n + 1}
	case !plain:
		if w.oddName(f, b, start, end) != nil {
			return true
		}
		w.Fault.Reason = w.reason
	default:
		f.bloom |= bloomBit(words)
		if w.addName(f, b, words, b[start:end], start, end, false) {
			return true
		}
		w.Fault.Reason = Duplicate
	}
	return false
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
