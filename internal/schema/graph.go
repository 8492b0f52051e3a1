package schema

import (
	"regexp"

	"github.com/sallyport/sallyport/internal/jsonscan"
)

// Kinds of JSON values, as a set.
const (
	KindString   uint8 = 1 << iota
	KindInteger        // a number without fraction and exponent
	KindFraction       // any other number
	KindBool
	KindNull
	KindObject
	KindArray

	KindNumber = KindInteger | KindFraction
	KindAny    = KindString | KindNumber | KindBool | KindNull | KindObject | KindArray
)

// Atom is one schema object without the keywords that combine schemas. Fields that do not apply are zero.
type Atom struct {
	Types    uint8  // kinds that the schema admits
	Required uint64 // member bits of the node that must have been seen
	Enum     []Const
	Min, Max string // bounds of a number as JSON text, "" for none
	ExclMin  bool   // the bound itself is outside
	ExclMax  bool
	MinLen   int // characters
	MaxLen   int // characters, plus one; 0 for no bound, as in the next ones
	MinItems int
	MaxItems int
	MinProps int
	MaxProps int
	Pattern  *regexp.Regexp
	steps    int             // most that a match of Pattern takes for each byte
	texts    map[string]bool // the strings of a long Enum

	// What the text of the protocol says beside its schema.
	MoreTypes uint8   // kinds that it admits too
	Strict    bool    // an integer must be one to every reader: 1.0, 1e3, -0 and those beyond 2^53-1 are refused
	Format    Format  // form of a string
	NameRule  Format  // form of every member name that the schema does not define
	ProseEnum []Const // the only values
	NotEnum   []Const // values that sibling alternatives claim

	Optional    uint64 // member bits of Required that may be missing all the same
	AnyRequired uint64 // member bits of which at least one must have been seen, 0 for no such rule
	Without     uint64 // member bits that belong to sibling alternatives: none of them may have been seen

	scalarChecked bool // something beyond Types applies to a scalar
}

// Const is one value of an enum: a decoded string, or a number, boolean or null as JSON text.
type Const struct {
	Kind uint8
	Text string
}

// Op combines bits of a verdict.
type Op uint8

// The operations of a [Gate].
const (
	OpAll Op = iota + 1 // all bits of the mask
	OpAny               // at least one
	OpOne               // exactly one
)

// Gate derives one more verdict bit from the lower ones.
type Gate struct {
	Op   Op
	Mask uint64
	Bit  uint64
}

// Map is what the verdict on a member or element means for the value around it: if none of the bits Need is set, the
// atoms Kill of the outer node are refuted.
type Map struct {
	Kill, Need uint64
}

// Edge leads from a node to the node of a member or of the elements.
type Edge struct {
	Node    *Node
	Cap     uint8  // what the Host wants to know about this member, 0 for nothing
	special bool   // a walk must look at more than Node and Maps
	id      uint16 // of the place after the member, in a linked graph; 0 in others. See Walker.next
	kill    uint64 // union of the Kill masks
	Closed  uint64 // atoms that admit no such member at all
	Maps    []Map
}

// Node is a place of the message. What every value needs stands first, so that it shares a cache line.
type Node struct {
	types     uint8  // union over the atoms
	pass      uint8  // kinds of scalars that no atom and no gate has anything more to say about
	passPlain uint8  // the same where a string is visible ASCII, and an integer has up to three digits and no sign
	simple    bool   // one atom, no gates
	free      bool   // anything goes: no member is known, nothing is checked below
	freeObj   bool   // the same for objects only
	freeArr   bool   // and for arrays
	foldDup   bool   // member names that fold to the same text repeat each other, here and below
	nameRule  bool   // some atom has a NameRule
	sized     bool   // some atom bounds the number of members or elements
	shift     uint8  // with mul the hash of table: the name's Key times mul, shifted right
	object    uint64 // atoms that admit an object
	required  uint64 // union over the atoms
	mul       uint64
	table     []slot          // known members, by perfect hash; nil when none is known
	array     uint64          // atoms that admit an array
	folded    []string        // the known members as the loosest readers see them
	foldedSet map[string]bool // the same, if they are many
	firsts    uint32          // a bit for the first byte of each of these
	atoms     []Atom
	gates     []Gate
	other     Edge // members that are not in the table
	items     Edge
}

// slot is a known member. Members whose names have the same Key are linked.
type slot struct {
	quoted phrase // the name as it is mostly written
	of     *Node  // whose member it is
	words  jsonscan.Words
	bit    uint64 // 0: more members than bits, repeats are found by the name set
	name   string
	edge   Edge
	next   *slot
}

// Free is the node that admits every value.
var Free = newFree(false)

// FreeFolded is [Free] for readers that ignore case: names that fold to the same text count as repeated.
var FreeFolded = newFree(true)

func newFree(fold bool) *Node {
	n := &Node{types: KindAny, pass: KindAny, passPlain: KindAny, simple: true, free: true, freeObj: true, freeArr: true, foldDup: fold, object: 1, array: 1}
	n.atoms = []Atom{{Types: KindAny}}
	n.other = Edge{Node: n}
	n.items = Edge{Node: n}
	return n
}
