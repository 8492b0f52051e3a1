package oracle

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// tree is a JSON value as it is written: names and scalars are raw text. Unlike the values of a parser it can hold
// repeated members and unusual spellings.
type tree struct {
	kind    byte   // '{', '[' or 0 for a scalar
	text    string // of a scalar
	members []member
	items   []*tree
}

type member struct {
	name  string // with its quotes
	value *tree
}

func scalar(text string) *tree { return &tree{text: text} }

// quoted is a string as JSON text.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string can always be encoded
	}
	return string(b)
}

func (t *tree) add(name string, value *tree) {
	t.members = append(t.members, member{quoted(name), value})
}

// set replaces a member or adds it.
func (t *tree) set(name string, value *tree) {
	if i := t.index(name); i >= 0 {
		t.members[i].value = value
		return
	}
	t.add(name, value)
}

func (t *tree) index(name string) int {
	return slices.IndexFunc(t.members, func(m member) bool { return decoded(m.name) == name })
}

func (t *tree) get(name string) *tree {
	if i := t.index(name); i >= 0 {
		return t.members[i].value
	}
	return nil
}

func (t *tree) clone() *tree {
	c := &tree{kind: t.kind, text: t.text}
	for _, m := range t.members {
		c.members = append(c.members, member{m.name, m.value.clone()})
	}
	for _, v := range t.items {
		c.items = append(c.items, v.clone())
	}
	return c
}

// walk visits t and every value in it.
func (t *tree) walk(visit func(*tree)) {
	visit(t)
	for _, m := range t.members {
		m.value.walk(visit)
	}
	for _, v := range t.items {
		v.walk(visit)
	}
}

// write appends the text of t. between is called where JSON admits white space.
func (t *tree) write(b *bytes.Buffer, between func(*bytes.Buffer)) {
	between(b)
	switch t.kind {
	case '{':
		b.WriteByte('{')
		for i, m := range t.members {
			if i > 0 {
				b.WriteByte(',')
			}
			between(b)
			b.WriteString(m.name)
			between(b)
			b.WriteByte(':')
			m.value.write(b, between)
		}
		between(b)
		b.WriteByte('}')
	case '[':
		b.WriteByte('[')
		for i, v := range t.items {
			if i > 0 {
				b.WriteByte(',')
			}
			v.write(b, between)
		}
		between(b)
		b.WriteByte(']')
	default:
		b.WriteString(t.text)
	}
	between(b)
}

func (t *tree) bytes() []byte {
	var b bytes.Buffer
	t.write(&b, func(*bytes.Buffer) {})
	return b.Bytes()
}

// parse reads a JSON text into a tree, repeated members and broken UTF-8 included.
func parse(text []byte) (*tree, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	t, err := parseValue(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, io.ErrUnexpectedEOF
	}
	return t, nil
}

func parseValue(dec *jsontext.Decoder) (*tree, error) {
	kind := dec.PeekKind()
	if kind != '{' && kind != '[' {
		raw, err := dec.ReadValue()
		return scalar(string(raw)), err
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	t := &tree{kind: byte(kind)}
	for dec.PeekKind() != kind+2 {
		var name string
		if kind == '{' {
			raw, err := dec.ReadValue()
			if err != nil {
				return nil, err
			}
			name = string(raw)
		}
		v, err := parseValue(dec)
		if err != nil {
			return nil, err
		}
		if kind == '{' {
			t.members = append(t.members, member{name, v})
		} else {
			t.items = append(t.items, v)
		}
	}
	_, err := dec.ReadToken()
	return t, err
}

func TestTreeKeepsText(t *testing.T) {
	for _, text := range []string{`{"a":[1,2.50,{"\u0061":"\n"}],"a":null,"b":{}}`, `[]`, `"x"`, `-0`} {
		v, err := parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(v.clone().bytes()); got != text {
			t.Errorf("parse(%s) is written as %s", text, got)
		}
	}
	if _, err := parse([]byte(`{} {}`)); err == nil {
		t.Error("two values are read as one")
	}
	if !strings.Contains(quoted("a\u2028"), `\u2028`) {
		t.Error("quoted leaves a line separator as it is")
	}
}
