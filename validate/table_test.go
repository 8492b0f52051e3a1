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
		used[endsOf(name).slot()] = name
	}
	if len(used) != len(overrideNames) {
		t.Error("names of overrides share a slot: choose another multiplier")
	}
	for _, k := range fieldList {
		if c := textproto.CanonicalMIMEHeaderKey(k.name); c != k.name {
			t.Errorf("%q is not canonical: %q", k.name, c)
		}
		if other, ok := used[endsOf(k.name).slot()]; ok {
			t.Errorf("%q and %q share a slot: choose another multiplier", k.name, other)
		}
		used[endsOf(k.name).slot()] = k.name
		upper, lower := []byte(k.name), []byte(k.name)
		for i, c := range upper {
			if c >= 'a' && c <= 'z' {
				upper[i] -= 32
			}
			if c >= 'A' && c <= 'Z' {
				lower[i] += 32
			}
		}
		id := find(&knownFields, k.name)
		if id == customRow || knownFields.fields[id].name != k.name || find(&knownFields, upper) != id || find(&knownFields, lower) != id {
			t.Errorf("%q is not found in every case", k.name)
		}
		for i := range upper {
			changed := []byte(k.name)
			changed[i] ^= 0x20
			isLetter := changed[i]|0x20 >= 'a' && changed[i]|0x20 <= 'z'
			if got := find(&knownFields, changed); (got == id) != isLetter {
				t.Errorf("%q: row %d", changed, got)
			}
			if got := find(&knownFields, k.name[:i]+"!"+k.name[i+1:]); got == id {
				t.Errorf("%q with another byte at %d is found", k.name, i)
			}
		}
		if find(&knownFields, k.name+"x") != customRow {
			t.Errorf("%q with another byte at the end is found", k.name)
		}
	}
	var once uint64
	for _, f := range knownFields.fields[:knownFields.used] {
		wanted := f.flags&singleton != 0 || f.grammar == mcpParamGrammar
		if wanted != (f.once != 0) || once&f.once != 0 || f.once&(f.once-1) != 0 {
			t.Errorf("%q has the bit %#x for its repetition", f.name, f.once)
		}
		once |= f.once
	}
	if len(fieldList)+firstRow+len(overrideNames)+maxNamed > 256 {
		t.Error("rows do not fit a byte")
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
				if endsOf(name).slot() == endsOf(k.name).slot() {
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
