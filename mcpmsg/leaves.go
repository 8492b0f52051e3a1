package mcpmsg

import (
	"strconv"

	"github.com/sallyport/sallyport/internal/jsonscan"
)

// Leaves goes through the leaves of a value of an accepted message, in order: the strings, numbers, booleans and nulls, and
// the objects and arrays that are empty. It is for policy and rules that look at the arguments of a tool.
//
//	leaves := mcpmsg.NewLeaves(m.Arguments)
//	for leaves.Next() {
//		... leaves.Value(), leaves.Name(), leaves.AppendPath(buf[:0])
//	}
//
// It does not allocate, unless more than 64 objects and arrays are inside one another. It is not safe for concurrent use.
type Leaves struct {
	b      []byte
	next   int // where to read on
	value  Raw
	depth  int
	levels [64]level
	deep   []level // those from 64 on
	done   bool
}

// level is an open object or array.
type level struct {
	name   Raw // of the member being read; nil in an array
	index  int // of the element being read
	object bool
	mark   uint8 // what headerMarksHold knows about it
}

// NewLeaves returns a Leaves before the first leaf of a value of an accepted message. An absent value has none.
func NewLeaves(r Raw) Leaves { return Leaves{b: r, done: len(r) == 0} }

func (l *Leaves) top() *level { return l.level(l.depth - 1) }

// level returns an open object or array, 0 for the outermost.
func (l *Leaves) level(d int) *level {
	if d < len(l.levels) {
		return &l.levels[d]
	}
	return &l.deep[d-len(l.levels)]
}

// Next moves to the next leaf and reports whether there is one.
func (l *Leaves) Next() bool {
	if l.done {
		return false
	}
	if l.value != nil && !l.ahead() {
		l.done, l.value = true, nil
		return false
	}
	for {
		i := jsonscan.Space(l.b, l.next)
		c := l.b[i]
		if c != '{' && c != '[' {
			end := jsonscan.Skip(l.b, i)
			l.value, l.next = Raw(l.b[i:end:end]), end
			return true
		}
		inside := jsonscan.Space(l.b, i+1)
		if l.b[inside] == c+2 { // '}' and ']' are two above '{' and '['
			l.value, l.next = Raw(l.b[i:inside+1:inside+1]), inside+1
			return true
		}
		l.depth++
		if l.depth > len(l.levels) {
			l.deep = append(l.deep[:l.depth-len(l.levels)-1], level{})
		}
		*l.top() = level{object: c == '{'}
		l.next = inside
		if c == '{' {
			l.readName()
		}
	}
}

// ahead moves from the end of a value to the beginning of the next one.
func (l *Leaves) ahead() bool {
	for l.depth > 0 {
		i := jsonscan.Space(l.b, l.next)
		l.next = i + 1
		if l.b[i] == ',' {
			if at := l.top(); at.object {
				l.readName()
			} else {
				at.index++
			}
			return true
		}
		l.depth--
	}
	return false
}

func (l *Leaves) readName() {
	i := jsonscan.Space(l.b, l.next)
	end := jsonscan.SkipString(l.b, i+1)
	l.top().name = Raw(l.b[i:end:end])
	l.next = jsonscan.Space(l.b, end) + 1
}

// Value returns the leaf.
func (l *Leaves) Value() Raw { return l.value }

// Name returns the name of the member whose value the leaf is, nil if it is an element of an array or the whole value.
func (l *Leaves) Name() Raw {
	if l.depth == 0 {
		return nil
	}
	return l.top().name
}

// Depth returns the number of objects and arrays around the leaf.
func (l *Leaves) Depth() int { return l.depth }

// AppendPath appends the JSON Pointer (RFC 6901) of the leaf, from the value that NewLeaves was given. It allocates only where
// dst is too small.
func (l *Leaves) AppendPath(dst []byte) []byte {
	for d := range l.depth {
		at := l.level(d)
		dst = append(dst, '/')
		if !at.object {
			dst = strconv.AppendInt(dst, int64(at.index), 10)
			continue
		}
		dst = appendPointerName(dst, at.name.body())
	}
	return dst
}

// appendPointerName appends the decoded text of a string body as a reference token of a JSON Pointer.
func appendPointerName(dst, body []byte) []byte {
	for at := jsonscan.NewCursor(body); ; {
		c, ok := at.Next()
		switch {
		case !ok:
			return dst
		case c == '~':
			dst = append(dst, "~0"...)
		case c == '/':
			dst = append(dst, "~1"...)
		default:
			dst = append(dst, c)
		}
	}
}
