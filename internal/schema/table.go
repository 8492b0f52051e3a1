package schema

import (
	"cmp"
	"slices"

	"github.com/sallyport/sallyport/internal/jsonscan"
)

// finish sets what a node derives from its atoms, and its table of known members.
func (n *Node) finish(slots []slot) {
	for k := range n.atoms {
		a := &n.atoms[k]
		a.scalarChecked = a.checksScalars()
		a.index()
		n.types |= a.Types
		n.required |= a.Required
		n.nameRule = n.nameRule || a.NameRule != 0
		n.sized = n.sized || a.AnyRequired != 0 || a.Without != 0 || a.MinItems > 0 || a.MaxItems > 0 || a.MinProps > 0 || a.MaxProps > 0
		if a.Types&KindObject != 0 {
			n.object |= 1 << k
		}
		if a.Types&KindArray != 0 {
			n.array |= 1 << k
		}
	}
	n.simple = len(n.atoms) == 1 && len(n.gates) == 0
	if a := n.atoms[0]; n.simple {
		if !a.scalarChecked && !a.Strict {
			n.pass = a.Types
		}
		n.passPlain = n.pass
		form := a.Format
		if a.Format = 0; !a.checksScalars() {
			n.passPlain |= a.Types & KindInteger
			if form == NoFormat || form == Visible || form == Name {
				n.passPlain |= a.Types & KindString
			}
		}
	}
	n.other.finish(n.nameRule)
	n.items.finish(false)
	bare := n.simple && !n.sized
	n.freeObj = bare && n.object != 0 && len(slots) == 0 && n.other.Node == Free && !n.other.special && n.other.Cap == 0
	n.freeArr = bare && n.array != 0 && n.items.Node == Free
	for i := range slots {
		slots[i].words = jsonscan.WordsOf(slots[i].name)
		slots[i].of, slots[i].quoted = n, newPhrase(slots[i].name)
		slots[i].edge.finish(false)
		folded := jsonscan.FoldedText(slots[i].name)
		n.folded = append(n.folded, folded)
		if len(slots) > fewNames {
			if n.foldedSet == nil {
				n.foldedSet = make(map[string]bool, len(slots))
			}
			n.foldedSet[folded] = true
		}
		if folded != "" {
			n.firsts |= 1 << firstBit(folded[0])
		}
	}
	if len(slots) > 0 {
		n.place(slots)
	}
}

func (e *Edge) finish(nameRule bool) {
	e.kill = 0
	for _, m := range e.Maps {
		e.kill |= m.Kill
	}
	e.special = e.Node == nil || e.Closed != 0 || nameRule
}

// manyKeys is from where on a table has no perfect hash: it would be far larger than the names.
const manyKeys = 256

// place finds a hash that gives every Key a place of its own, in the smallest table for which a short search succeeds, or for
// many keys one that nobody can predict. Names with the same place are linked.
func (n *Node) place(slots []slot) {
	byKey := map[uint64][]int{}
	var keys []uint64
	for i := range slots {
		k := slots[i].words.Key()
		if byKey[k] == nil {
			keys = append(keys, k)
		}
		byKey[k] = append(byKey[k], i)
	}
	bits := uint8(1)
	for len(keys) > 1<<bits {
		bits++
	}
	mul, shift := secrets[0]|1, 63-bits
	if len(keys) < manyKeys {
		mul, shift = searchHash(keys, bits)
	}
	n.mul, n.shift = mul, shift
	n.table = make([]slot, 1<<(64-shift))
	for i := range n.table {
		n.table[i].words.Len = -1
	}
	for _, k := range keys {
		at := &n.table[k*mul>>shift]
		for _, i := range byKey[k] {
			if at.words.Len < 0 {
				*at = slots[i]
				continue
			}
			s := slots[i]
			s.next, at.next = at.next, &s
		}
	}
}

// searchHash returns a multiplier and shift under which the keys do not collide. It always ends: the table doubles until
// the odds are overwhelming.
func searchHash(keys []uint64, bits uint8) (mul uint64, shift uint8) {
	mul = 0x9e3779b97f4a7c15
	for ; ; bits++ {
		shift = 64 - bits
		for range 100 {
			if !collides(keys, mul, shift) {
				return mul, shift
			}
			mul = mul*6364136223846793005 + 1442695040888963407 | 1
		}
	}
}

func collides(keys []uint64, mul uint64, shift uint8) bool {
	used := make([]uint64, (1<<(64-shift)+63)/64)
	for _, k := range keys {
		p := k * mul >> shift
		if used[p>>6]>>(p&63)&1 != 0 {
			return true
		}
		used[p>>6] |= 1 << (p & 63)
	}
	return false
}

// narrow takes the kinds from Types that no value of the enum has.
func (a *Atom) narrow() {
	if a.Enum == nil {
		return
	}
	var kinds uint8
	for _, c := range a.Enum {
		kinds |= c.Kind
	}
	a.Types &= kinds
}

// index makes a set of the strings of a long Enum.
func (a *Atom) index() {
	if len(a.Enum) <= fewNames {
		return
	}
	a.texts = make(map[string]bool, len(a.Enum))
	for _, c := range a.Enum {
		if c.Kind == KindString {
			a.texts[c.Text] = true
		}
	}
}

// sortSlots orders members by bit, those without one by name after the others.
func sortSlots(s []*slot) {
	slices.SortFunc(s, func(a, b *slot) int {
		return cmp.Or(cmp.Compare(a.bit-1, b.bit-1), cmp.Compare(a.name, b.name)) // 0-1 is the largest
	})
}

// checksScalars reports whether the atom asks for more of a scalar than its kind.
func (a *Atom) checksScalars() bool {
	return a.Enum != nil || a.ProseEnum != nil || a.NotEnum != nil || a.Min != "" || a.Max != "" || a.MinLen > 0 || a.MaxLen > 0 ||
		a.Pattern != nil || a.Format != 0
}
