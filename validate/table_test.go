package validate

import (
	"fmt"
	"net/textproto"
	"strings"
	"testing"
)

// TestFieldTable wants canonical names, each found at once and in any case, and none for others.
func TestFieldTable(t *testing.T) {
	used := map[uint32]string{}
	for _, name := range overrideNames {
		used[wordsOf(name).slot()] = name
	}
	if len(used) != len(overrideNames) {
		t.Error("names of overrides share a slot: choose another multiplier")
	}
	for _, k := range fieldList {
		if c := textproto.CanonicalMIMEHeaderKey(k.name); c != k.name {
			t.Errorf("%q is not canonical: %q", k.name, c)
		}
		if other, ok := used[wordsOf(k.name).slot()]; ok {
			t.Errorf("%q and %q share a slot: choose another multiplier", k.name, other)
		}
		used[wordsOf(k.name).slot()] = k.name
		upper, lower := []byte(k.name), []byte(k.name)
		for i, c := range upper {
			if c >= 'a' && c <= 'z' {
				upper[i] -= 32
			}
			if c >= 'A' && c <= 'Z' {
				lower[i] += 32
			}
		}
		row := find(knownFields, k.name)
		if row.name != k.name || find(knownFields, upper) != row || find(knownFields, lower) != row {
			t.Errorf("%q is not found in every case", k.name)
		}
		for i := range upper {
			changed := []byte(k.name)
			changed[i] ^= 0x20
			isLetter := changed[i]|0x20 >= 'a' && changed[i]|0x20 <= 'z'
			if got := find(knownFields, changed); (got == row) != isLetter {
				t.Errorf("%q: row of %q", changed, got.name)
			}
			if got := find(knownFields, k.name[:i]+"!"+k.name[i+1:]); got == row {
				t.Errorf("%q with another byte at %d is found", k.name, i)
			}
		}
		if find(knownFields, k.name+"x") != &knownFields.custom {
			t.Errorf("%q with another byte at the end is found", k.name)
		}
	}
	var all fieldFlags
	rows := 0
	for _, f := range append(knownFields.rows[:], knownFields.custom, knownFields.param) {
		own := f.flags & anyOnce
		wanted := f.flags&singleton != 0 || f.grammar == mcpParamGrammar
		if wanted != (own != 0) || all&own != 0 || own&(own-1) != 0 {
			t.Errorf("%q has the bit %#x for its repetition", f.name, own)
		}
		all |= own
		if f.name != "" {
			rows++
		}
	}
	if rows != len(fieldList) {
		t.Errorf("%d rows for %d fields", rows, len(fieldList))
	}
	if n := len(fieldList) + len(overrideNames) + maxNamed; n > len(knownFields.rows)*2/5 {
		t.Errorf("%d names are too many for %d rows", n, len(knownFields.rows))
	}
}

// TestFieldNames wants the lines of a field, and no others, to be taken for it. Names that look alike to the table, because
// they share ends or slot with the field, are others.
func TestFieldNames(t *testing.T) {
	for _, k := range fieldList {
		h, err := NewHeaders(HeaderConfig{RefuseNames: []string{k.name}})
		if err != nil {
			t.Fatal(err)
		}
		refused := func(name string) bool {
			return h.CheckFields([]Field{{Name: name}}).Code == CodeHeaderForbidden
		}
		for _, name := range []string{k.name, strings.ToLower(k.name), strings.ToUpper(k.name)} {
			if !refused(name) {
				t.Errorf("%q passes, %q is refused by name", name, k.name)
			}
		}
		others := []string{k.name + k.name}
		for i := range k.name {
			others = append(others, k.name[:i]+"!"+k.name[i+1:], k.name[:i]+"!"+k.name[i:])
		}
		for n := range 3000 {
			for _, name := range []string{fmt.Sprintf("%s%03d", k.name[:max(len(k.name)-3, 0)], n), fmt.Sprintf("%03d%s", n, k.name[min(3, len(k.name)):])} {
				if wordsOf(name).slot() == wordsOf(k.name).slot() {
					others = append(others, name)
				}
			}
		}
		for _, name := range others {
			if refused(name) {
				t.Errorf("%q is taken for %q", name, k.name)
			}
		}
	}
}

// TestFieldBytes wants a byte that no value may hold to be found in the value of every field, whatever else is wrong with it.
func TestFieldBytes(t *testing.T) {
	var names []string
	for _, k := range fieldList {
		if k.flags&forbidden == 0 {
			names = append(names, k.name, strings.ToLower(k.name))
		}
	}
	for _, cfg := range []HeaderConfig{{}, Strict().Headers} {
		h, err := NewHeaders(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range append(names, "X-Custom", "Mcp-Param-X") {
			for value, want := range map[string]Violation{
				"\x00":          {Code: CodeHeaderValueInvalid},
				"a,\x7f":        {Code: CodeHeaderValueInvalid, Offset: 2},
				" a\x1f\t":      {Code: CodeHeaderValueInvalid, Offset: 2},
				"a\r\n ":        {Code: CodeHeaderValueFolded, Offset: 1},
				"chunked,\n\tb": {Code: CodeHeaderValueFolded, Offset: 8},
			} {
				want.Name = name
				if got := h.Check(map[string][]string{name: {value}}); got != want {
					t.Errorf("%s: %q: %+v, want %+v", name, value, got, want)
				}
				lines := 0
				for got := range h.AllFields([]Field{{name, value}, {name, value}}) {
					if lines++; got != want {
						t.Errorf("%s: %q, line %d: %+v, want %+v", name, value, lines, got, want)
					}
				}
				if lines != 2 {
					t.Errorf("%s: %q: %d violations, want 2", name, value, lines)
				}
			}
		}
	}
}
