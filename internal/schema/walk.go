package schema

import (
	"math/bits"

	"github.com/sallyport/sallyport/internal/jsonscan"
)

// Limits bound what a walk admits. Every field must be set; there is no "0 means unlimited".
type Limits struct {
	Depth       int // objects and arrays inside one another
	Members     int // of one object
	Items       int // of one array
	StringBytes int // between the quotes, as written
	NameBytes   int // the same, for member names
	NumberBytes int
}

// NumMarks is more than the largest mark of an [Edge.Cap].
const NumMarks = 16

// FirstTold is the first mark whose values are told to the Host when they end. The place of others is only noted.
const FirstTold = 13

// numPlaces is how many places a Walker remembers what came next at. More places than these share the memory.
const numPlaces = 2048

// Span is the place of a value in the text.
type Span struct{ From, To int32 }

// Host is told about the members that its graph marks with [Edge.Cap], as the walk passes them.
type Host interface {
	// Enter is called before the value of a member that has no node of its own. It returns the edge to judge the value
	// by, or nil to refuse the text. at is the offset of the value, or of white space before it.
	Enter(w *Walker, cap uint8, at int) *Edge
	// Leave is called after a value with a mark from [FirstTold] on: b[start:end] is its raw text. It returns false to refuse the text.
	Leave(w *Walker, cap uint8, start, end int) bool
}

// Walker holds the state of one walk and its scratch memory. It is not safe for concurrent use; reuse it to save memory.
type Walker struct {
	Limits   Limits
	Host     Host
	Spans    [NumMarks]Span        // where the last value with each mark is
	Marks    uint16                // a bit for each mark that has a span; the owner resets it
	Wide     bool                  // a string has a character that is not ASCII, or a \u escape; the owner resets it
	Reserved func(key []byte) bool // keys of _meta that are refused though the rules for keys admit them; nil = none
	Marked   bool                  // a free-form object may have a member x-mcp-header; the owner resets it
	// WholeBase64 says that every character of Base64 text is looked at, not just those at the ends of a long one.
	WholeBase64 bool
	steps       int              // taken by patterns so far
	tired       bool             // they were too many
	Fault       Fault            // why the last walk stopped; Reason OK with a Host that refused
	few         int              // names of an object that are compared one by one
	next        [numPlaces]*slot // the known member that came the last time after each place, see [Edge]
	root        *Edge
	deep        int    // frames that this walk may use
	reason      Reason // what the last failing atom said
	frames      []frame
	names       []nameEntry
	tables      []uint32
	text        []byte // decoded name
	at          resume
}

// frame is an open object or array, in a cache line.
type frame struct {
	node   *Node
	edge   *Edge  // of the member or element being read
	guess  *slot  // the member that comes next, perhaps
	alive  uint64 // atoms not refuted
	seen   uint64 // known members seen
	bloom  uint64 // filter over the unknown names
	start  int32  // where the value of a marked member begins
	count  int32  // members or elements
	base   int32  // first unknown name
	table  int32  // start of the name table, -1 while there are few
	end    int32  // length of the tables when the object was opened
	room   int32  // how many names there may be in all before a free-form object must look after them
	bits   uint8  // log2 of the table's size
	object bool
	cap    uint8 // what the Host wants to know about the value being read
}

// resume is where a walk stopped on a fault that leaves the text readable.
type resume struct {
	pos, depth int
	value      bool // before a value, not after one
}

// NewWalker returns a Walker for texts within the limits.
func NewWalker(lim Limits) *Walker {
	return &Walker{Limits: lim, few: min(fewNames, lim.Members), frames: make([]frame, lim.Depth), names: make([]nameEntry, 0, 64), text: make([]byte, 0, 64)}
}

// Walk judges the value that begins at or after b[i] by the root edge, inside outer open arrays, and returns the index after it, or
// -1 with the Fault set. What follows the value is the caller's business.
func (w *Walker) Walk(b []byte, i int, root *Edge, outer int) int {
	w.at = resume{}
	return w.walk(b, i, root, outer, 0)
}

// WalkOn goes on with an object of the root at the value of a member, b[i], after its owner has read the object so far: seen are the bits
// of the members that there are, see [Node.Bits]. The value has the mark and is judged by the inner edge.
func (w *Walker) WalkOn(b []byte, i int, root *Edge, outer int, seen uint64, inner *Edge, mark uint8) int {
	w.at = resume{i, 1, true}
	f := &w.frames[0]
	f.node, f.alive, f.seen, f.bloom, f.count = root.Node, root.Node.object, seen, 0, int32(bits.OnesCount64(seen))
	f.base, f.table, f.end, f.object = 0, -1, 0, true
	f.edge, f.guess, f.cap, f.start = inner, w.next[inner.id&(numPlaces-1)], mark, int32(i)
	return w.walk(b, i, root, outer, 1)
}

// Bits returns the bits of the members with the given names.
func (n *Node) Bits(names ...string) uint64 {
	var all uint64
	for _, name := range names {
		all |= n.find([]byte(name)).bit
	}
	return all
}

// walk is Walk, or with depth 1 the rest of WalkOn, where the outermost object has a frame.
//
// Its jumps make two loops, one in the other, each entered at its top only: value to the next value, and after a value over the brackets
// that close there. Where a loop has two entries the compiler moves all variables to memory in every round.
func (w *Walker) walk(b []byte, i int, root *Edge, outer, depth int) int {
	w.root, w.Fault, w.steps = root, Fault{}, 0
	w.names, w.tables, w.deep = w.names[:0], w.tables[:0], min(w.Limits.Depth, len(w.frames))-outer
	var (
		cur   = root.Node
		f     *frame
		start int
	)
	if depth > 0 {
		f = &w.frames[0]
		cur = f.edge.Node
	}
value:
	if uint(i) >= uint(len(b)) {
		return w.syntax(Syntax, i)
	}
	switch c := b[i]; {
	case c == '"':
		start = i
		pass := cur.passPlain
		if i++; i >= 0 && i <= len(b)-8 {
			m := jsonscan.SpecialOrDEL(load64(b, i))
			if m == 0 && i <= len(b)-16 {
				i += 8
				m = jsonscan.SpecialOrDEL(load64(b, i))
			}
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
			} else {
				i += 8
			}
		}
		if uint(i) < uint(len(b)) && b[i] == '"' {
			i++ // up to sixteen bytes: fewer than any limit
		} else {
			if i = w.longString(b, start, i, depth); i < 0 {
				return -1
			}
			if pass != cur.pass && !jsonscan.IsVisibleASCII(b[start+1:i-1]) {
				pass = cur.pass
			}
		}
		if pass&KindString == 0 && !w.scalar(cur, KindString, b, start, i, depth) {
			return w.stop(i, depth, false)
		}
	case c == '{' && cur.freeObj || c == '[' && cur.freeArr:
		if !cur.free {
			cur = Free
		}
		if i+1 < len(b) && b[i+1] == c+2 && depth < w.deep { // '}' and ']' are two above '{' and '['
			i += 2
		} else if i = w.free(b, i, depth, cur); i < 0 {
			return -1
		}
	case c == '{':
		if depth >= w.deep {
			return w.refuse(Depth, i, w.Limits.Depth, w.Limits.Depth+1)
		}
		if cur.object == 0 && w.refute(depth, Type, i) {
			return w.stop(i, depth, true)
		}
		f = &w.frames[depth]
		depth++
		f.node, f.edge, f.alive, f.seen, f.bloom, f.count = cur, &cur.items, cur.object, 0, 0, 0
		f.base, f.table, f.end, f.object, f.cap = int32(len(w.names)), -1, int32(len(w.tables)), true, 0
		f.guess = w.next[cur.items.id&(numPlaces-1)]
		i++
		if i < len(b) && b[i] <= ' ' {
			i = jsonscan.Space(b, i)
		}
		if i < len(b) && b[i] == '}' {
			goto after
		}
		goto name
	case c == '[':
		if depth >= w.deep {
			return w.refuse(Depth, i, w.Limits.Depth, w.Limits.Depth+1)
		}
		if cur.array == 0 && w.refute(depth, Type, i) {
			return w.stop(i, depth, true)
		}
		f = &w.frames[depth]
		depth++
		f.node, f.alive, f.count = cur, cur.array, 0
		f.object, f.cap, f.edge = false, 0, &cur.items
		i++
		if i < len(b) && b[i] <= ' ' {
			i = jsonscan.Space(b, i)
		}
		if i < len(b) && b[i] == ']' {
			goto after
		}
		f.count = 1
		cur = cur.items.Node
		goto value
	case c == '-' || c-'0' < 10:
		start = i
		kind, pass := KindInteger, cur.passPlain
		if i = shortInteger(b, start); i < 0 {
			var integer bool
			if i, integer = jsonscan.Number(b, start); uint(i-start) > shortNumber && !w.number(b, start, i, depth) {
				return -1
			}
			if pass = cur.pass; !integer {
				kind = KindFraction
			}
		}
		if pass&kind == 0 && !w.scalar(cur, kind, b, start, i, depth) {
			return w.stop(i, depth, false)
		}
	case c <= ' ':
		if j := jsonscan.Space(b, i); j > i {
			i = j
			goto value
		}
		return w.syntax(Syntax, i)
	default:
		start = i
		kind := KindBool
		if c == 'n' {
			kind = KindNull
		}
		if i = jsonscan.Literal(b, start); i < 0 {
			return w.syntax(Syntax, start)
		}
		if cur.pass&kind == 0 && !w.scalar(cur, kind, b, start, i, depth) {
			return w.stop(i, depth, false)
		}
	}
after:
	if depth == 0 {
		return i
	}
	if f.cap != 0 {
		if mark := f.cap; mark < FirstTold && b[f.start] > ' ' {
			w.Spans[mark] = Span{f.start, int32(i)}
			w.Marks |= 1 << mark
			f.cap = 0
		} else if !w.leave(f, b, i, depth) {
			return -1
		}
	}
	if uint(i) >= uint(len(b)) {
		return w.syntax(Syntax, i)
	}
	switch c := b[i]; {
	case c == ',':
		i++
		if f.object {
			goto name
		}
		if f.count++; int(f.count) > w.Limits.Items {
			return w.limit(ManyItems, i, w.Limits.Items, int(f.count), resume{i, depth, true})
		}
		cur = f.edge.Node
		goto value
	case c == '}' && f.object:
		i++
		if n := f.node; f.seen&n.required != n.required || n.sized || !n.simple {
			if !w.close(f, depth, i-1) {
				return w.stop(i-1, depth, false)
			}
		}
		w.names, w.tables = w.names[:f.base], w.tables[:f.end]
	case c == ']' && !f.object:
		i++
		if n := f.node; n.sized || !n.simple {
			if !w.close(f, depth, i-1) {
				return w.stop(i-1, depth, false)
			}
		}
	case c <= ' ' && jsonscan.Space(b, i) > i:
		i = jsonscan.Space(b, i)
		goto after
	default:
		return w.syntax(Syntax, i)
	}
	if depth--; depth > 0 {
		f = &w.frames[depth-1]
	}
	goto after
name:
	// Senders keep the order of their members, so the one that came last after the same one is mostly the next again. A wrong guess
	// costs a comparison, and never the verdict: what is guessed is compared in full.
	if s := f.guess; s != nil && s.of == f.node && s.quoted.begins(b, i) &&
		(len(s.quoted.text) <= 8 || s.quoted.ends(b, i)) && f.seen&s.bit == 0 && int(f.count) < w.Limits.Members {
		start = i + 1
		i += len(s.quoted.text)
		f.count++
		f.seen |= s.bit
		f.edge, f.guess, f.cap, f.start = &s.edge, w.next[s.edge.id&(numPlaces-1)], s.edge.Cap, int32(i)
		if cur = s.edge.Node; s.edge.special {
			cur = w.member(f, &s.edge, b, start, i-2, i, depth)
		}
	} else {
		i, cur = w.name(f, b, i, depth)
	}
	if cur == nil {
		return -1
	}
	goto value
}

// name reads the name of a member of f, from its quote or white space before it, and the colon after it. It returns the index after that, and
// the node by which the value is judged, or nil if the text is refused.
func (w *Walker) name(f *frame, b []byte, i, depth int) (int, *Node) {
	if uint(i) >= uint(len(b)) || b[i] != '"' {
		if i = jsonscan.Space(b, i); i >= len(b) || b[i] != '"' {
			return w.syntax(Syntax, i), nil
		}
	}
	start := i + 1
	end, words, plain := jsonscan.Name(b, start, &w.Wide)
	if end < 0 {
		return w.badString(b, start), nil
	}
	i = end
	if uint(i) >= uint(len(b)) || b[i] != ':' {
		if i = jsonscan.Space(b, i); i >= len(b) || b[i] != ':' {
			return w.syntax(Syntax, i), nil
		}
	}
	i++
	if end-1-start > w.Limits.NameBytes {
		return w.limit(LongName, start-1, w.Limits.NameBytes, end-1-start, resume{i, depth, true}), nil
	}
	if f.count++; int(f.count) > w.Limits.Members {
		return w.limit(ManyMembers, start-1, w.Limits.Members, int(f.count), resume{i, depth, true}), nil
	}
	var e *Edge
	if !plain || f.node.foldDup {
		e = w.oddName(f, b, start, end-1)
	} else {
		e = w.plainName(f, b, words, start, end-1)
	}
	if e == nil {
		return w.halt(start-1, resume{i, depth, true}), nil
	}
	f.edge, f.guess, f.cap, f.start = e, w.next[e.id&(numPlaces-1)], e.Cap, int32(i)
	if e.special {
		return i, w.member(f, e, b, start, end-1, i, depth)
	}
	return i, e.Node
}

// plainName finds the edge for a name of plain text. It returns nil, with the reason, if the name is refused.
func (w *Walker) plainName(f *frame, b []byte, words jsonscan.Words, start, end int) *Edge {
	n := f.node
	e := &n.other
	if n.table != nil {
		for s := &n.table[words.Key()*n.mul>>(n.shift&63)]; s != nil; s = s.next {
			if s.words != words || words.Len > 16 && string(b[start:end]) != s.name {
				continue
			}
			e = &s.edge
			if s.bit == 0 {
				break
			}
			if f.seen&s.bit != 0 {
				w.reason = Duplicate
				return nil
			}
			f.seen |= s.bit
			w.next[f.edge.id&(numPlaces-1)] = s
			return e
		}
		if e == &n.other && w.plainTwin(n, b[start:end]) {
			w.reason = Twin
			return nil
		}
	}
	// The unknown names so far: a filter first, then, while they are few, one look at each.
	bit := bloomBit(words)
	if f.table < 0 && f.bloom&bit == 0 && len(w.names)-int(f.base) < fewNames {
		f.bloom |= bit
		w.names = append(w.names, nameEntry{words.First, uint32(start), uint32(end - start)})
		return e
	}
	if f.bloom |= bit; !w.addName(f, b, words, b[start:end], start, end, false) {
		w.reason = Duplicate
		return nil
	}
	return e
}

// bloomBit returns the bit of a name in the filter of its object.
func bloomBit(w jsonscan.Words) uint64 {
	return 1 << ((w.First ^ bits.RotateLeft64(w.Last, 23)) * 0x9e3779b97f4a7c15 >> 58)
}

// scalar judges the scalar b[start:end] by n and tells the value around it. It returns false if the text is refuted.
func (w *Walker) scalar(n *Node, kind uint8, b []byte, start, end, depth int) bool {
	if n.simple {
		return w.admits(&n.atoms[0], kind, b[start:end]) || !w.tired && !w.refute(depth, w.reason, start) || w.tire(start)
	}
	w.reason = Type
	var verdict uint64
	for k := range n.atoms {
		if w.admits(&n.atoms[k], kind, b[start:end]) {
			verdict |= 1 << k
		}
	}
	if w.tired {
		return w.tire(start)
	}
	switch verdict {
	case 0:
		return !w.refute(depth, w.reason, start)
	case 1<<len(n.atoms) - 1:
		w.reason = OneOf // if anything is wrong
	}
	return w.report(n, verdict, depth, start)
}

// tire ends a walk whose patterns are too much work. It returns false.
func (w *Walker) tire(at int) bool {
	if w.tired {
		w.tired = false
		w.Fault = Fault{Pattern, at, maxSteps, w.steps}
	}
	return false
}

// report applies the verdict on a value of node n to the value around it. It returns false if the text is refuted.
func (w *Walker) report(n *Node, verdict uint64, depth, at int) bool {
	for _, g := range n.gates {
		if g.holds(verdict) {
			verdict |= g.Bit
		}
	}
	if depth == 0 {
		for _, m := range w.root.Maps {
			if verdict&m.Need == 0 {
				w.Fault = Fault{Reason: OneOf, Offset: at}
				return false
			}
		}
		return true
	}
	f := &w.frames[depth-1]
	for _, m := range f.edge.Maps {
		if verdict&m.Need == 0 {
			f.alive &^= m.Kill
		}
	}
	if f.alive != 0 {
		return true
	}
	if w.reason == OK {
		w.reason = OneOf
	}
	return !w.refute(depth-1, w.reason, at)
}

func (g *Gate) holds(verdict uint64) bool {
	in := verdict & g.Mask
	switch g.Op {
	case OpAll:
		return in == g.Mask
	case OpAny:
		return in != 0
	default:
		return in != 0 && in&(in-1) == 0
	}
}

// refute records that the value inside the first depth frames fits none of its atoms, and what follows for the values
// around it. It returns true if the whole text is refuted.
func (w *Walker) refute(depth int, r Reason, at int) bool {
	for d := depth - 1; d >= 0; d-- {
		f := &w.frames[d]
		if f.alive &^= f.edge.kill; f.alive != 0 {
			return false
		}
	}
	w.Fault = Fault{Reason: r, Offset: at}
	return true
}

// close judges what is known only at the end of an object or array, and tells the value around it.
func (w *Walker) close(f *frame, depth, at int) bool {
	n := f.node
	w.reason = OK
	for k := range n.atoms {
		if f.alive>>k&1 == 0 {
			continue
		}
		a := &n.atoms[k]
		switch {
		case f.object && (f.seen&a.Required != a.Required || a.AnyRequired != 0 && f.seen&a.AnyRequired == 0):
			w.reason = Missing
		case f.object && f.seen&a.Without != 0:
			w.reason = Unknown
		case f.object && (int(f.count) < a.MinProps || uint(f.count) > uint(a.MaxProps-1)),
			!f.object && (int(f.count) < a.MinItems || uint(f.count) > uint(a.MaxItems-1)):
			w.reason = Count
		default:
			continue
		}
		f.alive &^= 1 << k
	}
	if f.alive == 0 {
		if w.reason == OK {
			w.reason = OneOf
		}
		return !w.refute(depth-1, w.reason, at)
	}
	return n.simple || w.report(n, f.alive, depth-1, at)
}

// member handles a member whose edge asks for more than a node: the form of its name, no such member admitted, or a node
// that the Host chooses. It returns the node of the value, or nil if the text is refused.
func (w *Walker) member(f *frame, e *Edge, b []byte, start, end, next, depth int) *Node {
	n := f.node
	if n.nameRule && e == &n.other {
		w.reason = NameForm
		for k := range n.atoms {
			if r := n.atoms[k].NameRule; r != 0 && f.alive>>k&1 != 0 && !r.holds(w, b[start:end]) {
				f.alive &^= 1 << k
			}
		}
	}
	if f.alive&e.Closed != 0 {
		w.reason = Unknown
		f.alive &^= e.Closed
	}
	if f.alive == 0 && w.refute(depth-1, w.reason, start-1) {
		w.at = resume{next, depth, true}
		return nil
	}
	if e.Node != nil {
		return e.Node
	}
	w.at = resume{next, depth, true}
	inner := w.Host.Enter(w, e.Cap, next)
	if inner == nil {
		return nil
	}
	f.edge = inner
	return inner.Node
}

// leave notes the place of a marked value that ends at b[end], and tells the Host if it wants to know.
func (w *Walker) leave(f *frame, b []byte, end, depth int) bool {
	start := int(f.start)
	if b[start] <= ' ' {
		start = jsonscan.Space(b, start)
	}
	mark := f.cap
	f.cap = 0
	w.Spans[mark&(NumMarks-1)] = Span{int32(start), int32(end)}
	w.Marks |= 1 << (mark & (NumMarks - 1))
	if mark < FirstTold {
		return true
	}
	w.at = resume{end, depth, false}
	return w.Host.Leave(w, mark, start, end)
}

// The functions below end a walk and return -1.

// syntax refuses bytes that are no JSON text.
func (w *Walker) syntax(r Reason, at int) int {
	w.Fault = Fault{Reason: r, Offset: at}
	return -1
}

func (w *Walker) refuse(r Reason, at, limit, got int) int {
	w.Fault = Fault{r, at, limit, got}
	return -1
}

func (w *Walker) badString(b []byte, i int) int {
	kind, at := jsonscan.StringFault(b, i)
	return w.syntax([...]Reason{Syntax, Syntax, Control, Surrogate, UTF8}[kind], at)
}

// limit refuses a text that exceeds a limit but can be read on.
func (w *Walker) limit(r Reason, at, limit, got int, next resume) int {
	w.Fault, w.at = Fault{r, at, limit, got}, next
	return -1
}

// halt refuses a member name for w.reason.
func (w *Walker) halt(at int, next resume) int {
	w.Fault, w.at = Fault{Reason: w.reason, Offset: at}, next
	return -1
}

// stop ends a walk whose Fault is set.
func (w *Walker) stop(pos, depth int, value bool) int {
	w.at = resume{pos, depth, value}
	return -1
}
