package waf

import (
	"bytes"
	"hash/maphash"
	"strings"
	"sync/atomic"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/waf/corazamcp"
)

// A sieveSource is the part of a request that a field comes from. The values are bits.
type sieveSource uint8

const (
	sieveHeader sieveSource = 1 << iota
	sieveCookie
	sieveQueryArg
	sieveBody
	sievePath // the path, a field whose name it is
)

// A sieveField is a header field, a cookie or an argument.
type sieveField struct {
	shape *sieveShape
	raw   mcpmsg.Raw // a leaf of the message whose value nobody has asked for yet
	text  string     // the value
	coded bool       // it is a coded text
}

// value returns the value as the engine has it.
func (f *sieveField) value() string {
	if f.raw != nil {
		f.text, f.raw = corazamcp.LeafText(f.raw), nil
	}
	return f.text
}

// passesGate reports whether the value could match the pattern behind the gate.
func (f *sieveField) passesGate(g *sieveGate) bool {
	if f.raw != nil && f.raw[0] == '"' && bytes.IndexByte(f.raw, '\\') < 0 {
		return sieveGatePasses(g, f.raw[1:len(f.raw)-1])
	}
	return sieveGatePasses(g, f.value())
}

// sieveBits is a set of at most sieveMaxBits bits.
type sieveBits [4]uint64

const sieveMaxBits = 64 * len(sieveBits{})

func (b *sieveBits) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }
func (b *sieveBits) put(i int)      { b[i>>6] |= 1 << (i & 63) }

func (b *sieveBits) join(o *sieveBits) {
	for i := range b {
		b[i] |= o[i]
	}
}

// A sieveShape is what the rules say about a field by its source and name alone.
type sieveShape struct {
	key   string    // source and name
	bits  sieveBits // targets that the field is one of, and links whose operator matches its name
	doubt sieveBits // links for which that is not known
	short bool      // counts for corazaMaxShortBytes
	coded bool      // but only by a share if it is a coded text
}

// sieveFields finds shapes. Names come back from request to request, and from item to item of an array, so they are kept; a slot holds
// one shape, and a name that takes it costs the other one its place and nobody memory.
type sieveFields struct {
	tests  []sieveFieldTest
	native [sieveMaxBits]int // by bit, how many links look at the values of such fields whose pattern may match coded texts
	blind  bool              // no test tells one digit from another
	seed   maphash.Seed
	shapes [sieveShapeSlots]atomic.Pointer[sieveShape]
}

const (
	sieveShapeSlots    = 2048
	sieveMaxShapeBytes = 256 // a longer name is not kept
)

// A sieveFieldTest decides about one bit.
type sieveFieldTest struct {
	targets []sieveTargets
	link    *sieveLink // set if the bit tells whether the names match its operator
}

// shape returns the shape of a field. key is its source and name; it is changed. likely is the shape that it will have, if that can be
// guessed.
func (f *sieveFields) shape(key []byte, likely *sieveShape) *sieveShape {
	if f.blind && sieveSource(key[0]) != sievePath && bytes.IndexByte(key, '%') < 0 { // behind a percent sign digits are no digits
		for i, c := range key {
			if '0' <= c && c <= '9' {
				key[i] = '0'
			}
		}
	}
	if likely != nil && likely.key == string(key) {
		return likely
	}
	slot := &f.shapes[maphash.Bytes(f.seed, key)%sieveShapeSlots]
	if s := slot.Load(); s != nil && s.key == string(key) {
		return s
	}
	s := f.judge(string(key))
	if len(key) <= sieveMaxShapeBytes {
		slot.Store(s)
	}
	return s
}

// judge runs the tests on a name.
func (f *sieveFields) judge(key string) *sieveShape {
	s := &sieveShape{key: key}
	from, name := sieveSource(key[0]), key[1:]
	lower := strings.ToLower(name)
	s.short = from == sieveBody && corazaIsShort([]byte(name))
	native := 0
	for bit := range f.tests {
		test := &f.tests[bit]
		for i := range test.targets {
			if !test.targets[i].have(from, lower) {
				continue
			}
			answer := sieveYes
			if test.link != nil {
				answer = (*sieveRun)(nil).holds(test.link, name)
			}
			switch answer {
			case sieveYes:
				s.bits.put(bit)
				native += f.native[bit]
			case sieveUnsure:
				s.doubt.put(bit)
			}
			break // the name is the same for every variable that has it
		}
	}
	s.coded = native <= sieveCodedLinks
	return s
}
