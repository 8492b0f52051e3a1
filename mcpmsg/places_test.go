package mcpmsg_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

// placed is a value of a text, found by encoding/json.
type placed struct {
	pointer    string
	outer      int // where its name begins, or itself
	start, end int
	leaf       bool
}

// places lists all values of a JSON text, the outer ones after what is in them.
func places(text []byte) []placed {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var all []placed
	var value func(pointer string, outer int)
	token := func() (tok json.Token, start, end int) {
		start = int(dec.InputOffset())
		tok, err := dec.Token()
		if err != nil {
			panic(err) // only valid texts are read
		}
		for strings.IndexByte(" \t\r\n,:", text[start]) >= 0 {
			start++
		}
		return tok, start, int(dec.InputOffset())
	}
	value = func(pointer string, outer int) {
		tok, start, end := token()
		if outer < 0 {
			outer = start
		}
		n := 0
		if d, ok := tok.(json.Delim); ok {
			for ; dec.More(); n++ {
				at, from := pointer+"/"+strconv.Itoa(n), -1
				if n > 0 { // what follows the comma belongs to the element
					from = int(dec.InputOffset()) + bytes.IndexByte(text[dec.InputOffset():], ',') + 1
				}
				if d == '{' {
					name, i, _ := token()
					at = pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name.(string))
					from = i
				}
				value(at, from)
			}
			_, _, end = token()
		}
		all = append(all, placed{pointer, outer, start, end, n == 0})
	}
	value("", -1)
	return all
}

// comparePointer: the pointer of a violation leads to the innermost value around the offset.
func comparePointer(t *testing.T, in []byte, bad mcpmsg.Violation) {
	t.Helper()
	got := bad.Pointer(in)
	if !json.Valid(in) || bad.Code < mcpmsg.CodeJSONDepth { // no JSON text, or one that encoding/json is lax about
		return
	}
	for _, p := range places(in) {
		// The end of an object or array belongs to itself, and so do the blanks and commas between its members.
		if p.outer <= bad.Offset && bad.Offset < p.end {
			if got != p.pointer {
				t.Errorf("%v at %d is at %q, by encoding/json at %q of %.300q", bad.Code, bad.Offset, got, p.pointer, in)
			}
			return
		}
	}
}

// compareLeaves: Leaves and encoding/json see the same leaves of a value, in the same places.
func compareLeaves(t *testing.T, r mcpmsg.Raw) {
	t.Helper()
	want := slices.DeleteFunc(places(r), func(p placed) bool { return !p.leaf })
	n := 0
	leaves := mcpmsg.NewLeaves(r)
	for ; leaves.Next(); n++ {
		if n == len(want) {
			t.Fatalf("more than %d leaves in %.300q", n, r)
		}
		p, v := want[n], leaves.Value()
		name := ""
		if i := strings.LastIndexByte(p.pointer, '/'); i >= 0 {
			name = strings.NewReplacer("~1", "/", "~0", "~").Replace(p.pointer[i+1:])
		}
		if path := string(leaves.AppendPath(nil)); path != p.pointer || &v[0] != &r[p.start] || len(v) != p.end-p.start ||
			leaves.Name() != nil && string(leaves.Name().AppendText(nil)) != name || leaves.Depth() != strings.Count(p.pointer, "/") {
			t.Fatalf("leaf %d is %q, by encoding/json %q of %.300q", n, path, p.pointer, r)
		}
	}
	if n != len(want) {
		t.Fatalf("%d leaves, by encoding/json %d of %.300q", n, len(want), r)
	}
}

func TestPlaces(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	for _, r := range vectors(t) {
		m, bad := v.Check(r.Message, r.ctx)
		if !bad.OK() && r.ctx.Direction != 0 {
			comparePointer(t, r.Message, bad)
		}
		for _, part := range []mcpmsg.Raw{m.Params, m.Result, m.Error, m.ID} {
			if part != nil {
				compareLeaves(t, part)
			}
		}
	}
}

// FuzzPlaces looks for arguments whose leaves, and for refusals whose pointer, encoding/json sees elsewhere.
func FuzzPlaces(f *testing.F) {
	for _, text := range []string{`{}`, `{"a/b~":[1,{"\u0041":[]},{}],"":{"":null}}`, ` { "a" : [ true , { } , [ ] ] } `, `{"a":1,"b":[0,{"c":1,"c":2}]}`, `[]`, `{"a":[1E999]}`,
		`{"a":{"b":"\ud800"}}`, `{"x":[[[[1,2],3]],"\"]"]}`, `{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":[1,2,3,4, 5]}`} {
		f.Add([]byte(text))
	}
	usual, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		f.Fatal(err)
	}
	s, err := mcpmsg.CompileSchema([]byte(`{"properties":{"a":{"type":"array","items":{"maxProperties":1}},"b":{"required":["c"]}},"additionalProperties":{"maxLength":2}}`))
	if err != nil {
		f.Fatal(err)
	}
	tight, err := mcpmsg.New(mcpmsg.Config{
		MaxDepth: 6, MaxMembers: 8, MaxItems: 4, MaxStringBytes: 64, MaxNameBytes: 64, MaxNumberBytes: 16, Tools: []mcpmsg.ToolRule{{Name: "t", InputSchema: s}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, arguments []byte) {
		in := append(append([]byte(call), arguments...), "}}"...)
		for _, v := range []*mcpmsg.Validator{usual, tight} {
			m, bad := v.Check(in, client(mcpmsg.V20250618))
			if !bad.OK() {
				comparePointer(t, in, bad)
			} else {
				compareLeaves(t, m.Arguments)
			}
		}
	})
}
