package corazamcp

import (
	"bytes"
	"strconv"

	"github.com/sallyport/sallyport/mcpmsg"
)

// The names of members are written out in full for each leaf, so a deep message costs more than its bytes. These bound the sum of the
// names, as Coraza's own processor does.
const (
	maxKeyFactor = 8
	minKeyBytes  = 4096
)

// A flattener walks a JSON text that mcpmsg has accepted, so it need not check anything, and hands out its leaves under the names that
// Coraza's stock processor gives them: json.params.name, json.0.method.
type flattener struct {
	text     []byte
	i        int
	left     int // leaves
	keyBytes int
	add      func(key []byte, value mcpmsg.Raw)
}

// value reads the value at i. It is false when a bound is reached.
func (f *flattener) value(key []byte, inArray bool) bool {
	f.space()
	switch c := f.text[f.i]; c {
	case '{':
		return f.members(key)
	case '[':
		return f.items(key)
	case '"':
		text, _ := f.str()
		return f.leaf(key, text)
	default:
		start := f.i
		for f.i < len(f.text) && !endsScalar(f.text[f.i]) {
			f.i++
		}
		if inArray {
			return true
		}
		return f.leaf(key, f.text[start:f.i])
	}
}

func (f *flattener) leaf(key []byte, value mcpmsg.Raw) bool {
	f.left--
	f.keyBytes -= len(key)
	if f.left < 0 || f.keyBytes < 0 {
		return false
	}
	f.add(key, value)
	return true
}

func (f *flattener) members(key []byte) bool {
	key = append(key, '.')
	for f.i++; ; f.i++ { // past the brace or comma
		if f.space(); f.text[f.i] == '}' {
			f.i++
			return true
		}
		text, plain := f.str()
		name := key
		if plain {
			name = append(name, text[1:len(text)-1]...)
		} else {
			name = mcpmsg.Raw(text).AppendText(name)
		}
		f.space()
		f.i++ // colon
		if !f.value(name, false) {
			return false
		}
		if f.space(); f.text[f.i] == '}' {
			f.i++
			return true
		}
	}
}

func (f *flattener) items(key []byte) bool {
	key = append(key, '.')
	f.i++
	for n := 0; ; n++ {
		if f.space(); f.text[f.i] == ']' {
			f.i++
			return true
		}
		if !f.value(strconv.AppendInt(key, int64(n), 10), true) {
			return false
		}
		if f.space(); f.text[f.i] == ',' {
			f.i++
		}
	}
}

// str returns the string at i with its quotes. plain is true if it has no escapes.
func (f *flattener) str() (text []byte, plain bool) {
	start := f.i
	f.i++
	quote := f.i + bytes.IndexByte(f.text[f.i:], '"')
	for plain = true; ; plain = false {
		escape := bytes.IndexByte(f.text[f.i:quote], '\\')
		if escape < 0 {
			f.i = quote + 1
			return f.text[start:f.i], plain
		}
		if f.i += escape + 2; f.i > quote { // the quotation mark was escaped
			quote = f.i + bytes.IndexByte(f.text[f.i:], '"')
		}
	}
}

func (f *flattener) space() {
	for f.text[f.i] == ' ' || f.text[f.i] == '\t' || f.text[f.i] == '\n' || f.text[f.i] == '\r' {
		f.i++
	}
}

func endsScalar(c byte) bool {
	return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\n' || c == '\r'
}
