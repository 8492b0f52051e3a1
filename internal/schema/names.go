package schema

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"slices"

	"github.com/sallyport/sallyport/internal/jsonscan"
)

const (
	fewNames = 24      // unknown names of an object that are compared one by one, before it gets a table
	oddName  = 1 << 31 // flag in nameEntry.size: the text to compare is not the bytes of the message
)

// nameEntry is a member name that the schema does not define.
type nameEntry struct {
	first uint64 // its first eight bytes; once the object has a table, its hash
	off   uint32 // where it begins in the message
	size  uint32 // its length as written, and oddName
}

// addName adds a name to those of the object. name is its text, words its Words, b[start:end] how it is written; odd says that the two
// differ. It returns false if the object already has it.
func (w *Walker) addName(f *frame, b []byte, words jsonscan.Words, name []byte, start, end int, odd bool) bool {
	entry := nameEntry{words.First, uint32(start), uint32(end - start)}
	if odd {
		entry.size |= oddName
	}
	n := len(w.names) - int(f.base)
	if f.table < 0 {
		for i := range w.names[f.base:] {
			if o := &w.names[int(f.base)+i]; o.first == words.First && w.sameName(f, b, o, name, odd) {
				return false
			}
		}
		w.names = append(w.names, entry)
		if n+1 >= fewNames {
			for i := range w.names[f.base:] {
				o := &w.names[int(f.base)+i]
				text := w.entryText(f, b, o)
				o.first = hashName(jsonscan.WordsOf(text), text)
			}
			w.growTable(f, 8)
		}
		return true
	}
	if (n+1)*2 > 1<<f.bits {
		w.growTable(f, f.bits+2)
	}
	table := w.tables[f.table : int(f.table)+1<<f.bits]
	h := hashName(words, name)
	mask := uint32(len(table) - 1)
	p := uint32(h) & mask
	for ; table[p] != 0; p = (p + 1) & mask {
		if (table[p]^uint32(h>>32))>>indexBits != 0 {
			continue
		}
		if o := &w.names[int(f.base)+int(table[p]&indexMask)-1]; o.first == h && w.sameName(f, b, o, name, odd) {
			return false
		}
	}
	entry.first = h
	w.names = append(w.names, entry)
	table[p] = uint32(h>>32)&^indexMask | uint32(n+1)
	return true
}

// A place of a name table holds some bits of a hash and the number of the object's entry, counted from 1.
const (
	indexBits = 21 // MaxMembers is at most 1<<20
	indexMask = 1<<indexBits - 1
)

var (
	seed    = maphash.MakeSeed()
	secrets = [2]uint64{maphash.String(seed, "first"), maphash.String(seed, "last")}
)

// hashName is a hash that the sender of a message can't predict. The Words of a short name are all there is of it.
func hashName(words jsonscan.Words, name []byte) uint64 {
	if words.Len > 16 {
		return maphash.Bytes(seed, name)
	}
	hi, lo := bits.Mul64(words.First^secrets[0], words.Last^secrets[1])
	hi, lo = bits.Mul64(hi^lo^uint64(words.Len), secrets[0]|1)
	return hi ^ lo
}

// sameName reports whether the entry's text is name.
func (w *Walker) sameName(f *frame, b []byte, o *nameEntry, name []byte, odd bool) bool {
	if o.size&oddName == 0 && !odd && int(o.size) == len(name) {
		return string(b[o.off:o.off+o.size]) == string(name)
	}
	if o.size&oddName == 0 && !odd {
		return false
	}
	return string(w.entryText(f, b, o)) == string(name)
}

// entryText returns the text by which the entry is compared. It may use the free end of w.text.
func (w *Walker) entryText(f *frame, b []byte, o *nameEntry) []byte {
	raw := b[o.off : o.off+o.size&^oddName]
	if o.size&oddName == 0 {
		return raw
	}
	n := len(w.text)
	w.text = appendName(w.text, raw, f.node.foldDup)
	text := w.text[n:]
	w.text = w.text[:n]
	return text
}

func appendName(dst, raw []byte, fold bool) []byte {
	if fold {
		return jsonscan.AppendFolded(dst, raw)
	}
	return jsonscan.AppendText(dst, raw)
}

// growTable gives the object a table of 1<<lg places with the names it has so far.
func (w *Walker) growTable(f *frame, lg uint8) {
	at, size := len(w.tables), 1<<lg
	w.tables = slices.Grow(w.tables, size)[:at+size]
	w.names = slices.Grow(w.names, size/2) // as many as the table will hold
	table := w.tables[at:]
	clear(table)
	mask := uint32(len(table) - 1)
	for i := int(f.base); i < len(w.names); i++ {
		h := w.names[i].first
		p := uint32(h) & mask
		for table[p] != 0 {
			p = (p + 1) & mask
		}
		table[p] = uint32(h>>32)&^indexMask | uint32(i-int(f.base)+1)
	}
	f.table, f.bits = int32(at), lg
}

// oddName finds the edge for a name that has escapes or is not ASCII, or whose object compares names without case. It
// returns nil, with the reason, if the name repeats another one, is the twin of a member that the schema defines, or holds a NUL,
// at which many readers end a name: it may be the twin of any other.
func (w *Walker) oddName(f *frame, b []byte, start, end int) *Edge {
	n := f.node
	w.text = appendName(w.text[:0], b[start:end], false)
	text := w.text
	if s := n.find(text); s != nil {
		if s.bit != 0 {
			if f.seen&s.bit != 0 {
				w.reason = Duplicate
				return nil
			}
			f.seen |= s.bit
			return &s.edge
		}
		return w.addOdd(f, b, text, start, end, &s.edge)
	}
	if bytes.IndexByte(text, 0) >= 0 || n.table != nil && w.isTwin(n, b[start:end]) {
		w.reason = Twin
		return nil
	}
	w.text = appendName(w.text[:0], b[start:end], false)
	text = w.text
	if n.foldDup {
		w.text = appendName(w.text[:0], b[start:end], true)
		text = w.text
	}
	return w.addOdd(f, b, text, start, end, &n.other)
}

func (w *Walker) addOdd(f *frame, b, text []byte, start, end int, e *Edge) *Edge {
	words := jsonscan.WordsOf(text)
	f.bloom |= bloomBit(words)
	if !w.addName(f, b, words, text, start, end, true) {
		w.reason = Duplicate
		return nil
	}
	return e
}

// find returns the slot of a known member, or nil.
func (n *Node) find(name []byte) *slot {
	for s := n.chain(name); s != nil; s = s.next {
		if s.name == string(name) {
			return s
		}
	}
	return nil
}

func (n *Node) chain(name []byte) *slot {
	if n.table == nil {
		return nil
	}
	return &n.table[jsonscan.WordsOf(name).Key()*n.mul>>(n.shift&63)]
}

// plainTwin is isTwin for a plain name. It looks at the first letter before all else.
func (w *Walker) plainTwin(n *Node, name []byte) bool {
	i := 0
	for i < len(name) && (name[i] == '-' || name[i] == '_') {
		i++
	}
	if i < len(name) && i < 2 && n.firsts>>firstBit(name[i])&1 == 0 {
		return false
	}
	return w.isTwin(n, name)
}

// firstBit numbers the first bytes of names, without case and not all apart.
func firstBit(c byte) byte { return (c | 0x20) & 31 }

// isTwin reports whether a name that the node does not know folds to one that it knows, or names the prototype of objects in
// JavaScript, by which merging readers take members from elsewhere.
func (w *Walker) isTwin(n *Node, raw []byte) bool {
	if jsonscan.Equal(raw, "__proto__") {
		return true
	}
	w.text = jsonscan.AppendFolded(w.text[:0], raw)
	if n.foldedSet != nil {
		return n.foldedSet[string(w.text)]
	}
	for _, known := range n.folded {
		if known == string(w.text) {
			return true
		}
	}
	return false
}
