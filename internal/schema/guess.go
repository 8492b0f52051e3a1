package schema

import "encoding/binary"

// phrase is how most writers write a member name: quoted, with a colon and no white space.
type phrase struct {
	text        string
	first, mask uint64 // its first eight bytes, and which of them there are
	last        uint64 // its last eight bytes; the first ones if it has not more
}

func newPhrase(name string) phrase {
	text := `"` + name + `":`
	var first, mask [8]byte
	for i := range min(len(text), 8) {
		first[i], mask[i] = text[i], 0xff
	}
	p := phrase{text: text, first: load64(first[:], 0), mask: load64(mask[:], 0)}
	p.last = p.first
	if n := len(text); n > 8 {
		p.last = load64([]byte(text), n-8)
	}
	return p
}

func load64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i : i+8 : i+8]) }

// begins reports whether b[i:] begins as the phrase does; what is short has begun and ended.
func (p *phrase) begins(b []byte, i int) bool {
	return i >= 0 && i <= len(b)-8 && (load64(b, i)^p.first)&p.mask == 0
}

// ends reports whether b[i:], which begins as the phrase does, goes on so to its end.
func (p *phrase) ends(b []byte, i int) bool {
	end := i + len(p.text)
	return end <= len(b) && load64(b, end-8) == p.last && (len(p.text) <= 16 || string(b[i:end]) == p.text)
}
