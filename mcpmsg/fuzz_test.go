package mcpmsg_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sallyport/sallyport/mcpmsg"
)

// FuzzCheck: properties of every verdict. What is accepted means to encoding/json, whose structs fold names and take the last
// of two, and to its maps, what it means here.
func FuzzCheck(f *testing.F) {
	for _, r := range vectors(f) {
		if len(r.Message) <= 4<<10 {
			f.Add([]byte(r.Message), uint8(r.ctx.Version), r.ctx.Direction == mcpmsg.FromServer)
		}
	}
	v, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		f.Fatal(err)
	}
	tight, err := mcpmsg.New(mcpmsg.Config{MaxBytes: 400, MaxDepth: 6, MaxMembers: 8, MaxItems: 3, MaxStringBytes: 64, MaxNameBytes: 64, MaxNumberBytes: 16, MaxIDBytes: 8, MaxBatch: 2})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte, version uint8, fromServer bool) {
		ctx := mcpmsg.Context{Version: mcpmsg.Version(version % 6), Direction: mcpmsg.FromClient}
		if fromServer {
			ctx.Direction, ctx.ResultOf = mcpmsg.FromServer, mcpmsg.MethodToolsCall
		}
		before := bytes.Clone(in)
		m, bad := v.Check(in, ctx)
		if !bytes.Equal(in, before) {
			t.Fatal("the message was changed")
		}
		if again, bad2 := v.Check(in, ctx); bad2 != bad || !reflect.DeepEqual(again, m) {
			t.Fatalf("two verdicts: %v and %v", bad, bad2)
		}
		if bad.Offset < 0 || bad.Offset > len(in) {
			t.Fatalf("offset %d is outside of the message", bad.Offset)
		}
		if _, tighter := tight.Check(in, ctx); tighter.OK() && !bad.OK() {
			t.Fatalf("tighter limits accept what %v refuses", bad.Err())
		}
		if !bad.OK() {
			if err := bad.Err().Error(); len(err) > 120 {
				t.Fatalf("error is long: %q", err)
			}
			bad.Pointer(in)
			if answer := bad.AppendRPC(nil, m.ID); !json.Valid(answer) || !utf8.Valid(answer) {
				t.Fatalf("the answer is no JSON text: %q", answer)
			}
			for _, id := range []mcpmsg.Raw{m.ID, v.IDOf(in)} {
				var o map[string]json.RawMessage
				if id != nil && (json.Unmarshal(in, &o) != nil || string(o["id"]) != string(id)) {
					t.Fatalf("id %s of a refused message is another one to encoding/json", id)
				}
			}
			return
		}
		if !json.Valid(in) || !utf8.Valid(in) {
			t.Fatal("accepted what is no JSON text")
		}
		for one := range m.Each() {
			sameMeaning(t, &one)
		}
	})
}

// sameMeaning compares a view with what encoding/json reads.
func sameMeaning(t *testing.T, m *mcpmsg.Message) {
	t.Helper()
	var folded struct { // finds METHOD too
		Method *string
		ID     json.RawMessage
		Params json.RawMessage
		Result json.RawMessage
	}
	var exact map[string]json.RawMessage
	if err := json.Unmarshal(m.Raw, &folded); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(m.Raw, &exact); err != nil {
		t.Fatal(err)
	}
	if folded.Method != nil != (m.MethodText != nil) || folded.Method != nil && !m.MethodText.Is(*folded.Method) {
		t.Fatalf("method is %s", m.MethodText)
	}
	for name, pair := range map[string][3]string{
		"id": {string(m.ID), string(folded.ID), string(exact["id"])}, "params": {string(m.Params), string(folded.Params), string(exact["params"])},
		"result": {string(m.Result), string(folded.Result), string(exact["result"])},
	} {
		if pair[0] != pair[1] || pair[0] != pair[2] {
			t.Fatalf("%s is %q, but %q and %q to others", name, pair[0], pair[1], pair[2])
		}
	}
	if m.Name == nil && m.URI == nil {
		return
	}
	var params struct {
		Name, URI, TaskID *string
		Arguments         json.RawMessage
	}
	if err := json.Unmarshal(m.Params, &params); err != nil {
		t.Fatal(err)
	}
	name := params.Name
	if name == nil {
		name = params.TaskID
	}
	if m.Name != nil && !m.Name.Is(*name) || m.URI != nil && !m.URI.Is(*params.URI) || string(m.Arguments) != string(params.Arguments) {
		t.Fatalf("name, uri or arguments differ in %s", m.Params)
	}
	leaves, n := mcpmsg.NewLeaves(m.Arguments), 0
	for leaves.Next() {
		n++
	}
	if m.Arguments != nil && n != countLeaves(t, m.Arguments) {
		t.Fatalf("%d leaves in %s", n, m.Arguments)
	}
}

func countLeaves(t *testing.T, text []byte) int {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		if strings.Contains(err.Error(), "cannot unmarshal number") { // beyond float64
			leaves, n := mcpmsg.NewLeaves(text), 0
			for leaves.Next() {
				n++
			}
			return n
		}
		t.Fatal(err)
	}
	var count func(v any) int
	count = func(v any) int {
		n := 0
		switch v := v.(type) {
		case map[string]any:
			for _, e := range v {
				n += count(e)
			}
		case []any:
			for _, e := range v {
				n += count(e)
			}
		}
		return max(n, 1)
	}
	return count(v)
}

// FuzzMirror: no header makes CheckMirror panic, and what it accepts as Mcp-Name is the name.
func FuzzMirror(f *testing.F) {
	for _, s := range []string{"t", " t ", "=?base64?dA==?=", "=?base64?dA=?=", "t, t", "T", ""} {
		f.Add(s)
	}
	v, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		f.Fatal(err)
	}
	m, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t",`+meta26+`}}`), client(0))
	if !bad.OK() {
		f.Fatal(bad.Err())
	}
	f.Fuzz(func(t *testing.T, value string) {
		bad := v.CheckMirror(&m, map[string][]string{"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {value}})
		if text := strings.Trim(value, " \t"); bad.OK() != (text == "t" || text == "=?base64?dA==?=") {
			t.Errorf("%q: %v", value, bad.Code)
		}
	})
}

// FuzzCompileSchema: no schema makes the compiler panic or run away, and what it compiles can judge.
func FuzzCompileSchema(f *testing.F) {
	for _, s := range []string{`{"type":"object"}`, `{"anyOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"oneOf":[true,false]}}}`, `{"allOf":[{"$ref":"#"}]}`, `{"items":{"$ref":"#"}}`, `{"pattern":"a*"}`} {
		f.Add([]byte(s), []byte(`{"a":[1,"x",null]}`))
	}
	f.Fuzz(func(t *testing.T, text, arguments []byte) {
		s, err := mcpmsg.CompileSchema(text)
		if err != nil {
			return
		}
		v, err := mcpmsg.New(mcpmsg.Config{Tools: []mcpmsg.ToolRule{{Name: "t", InputSchema: s}}})
		if err != nil {
			t.Fatal(err)
		}
		v.Check(append(append([]byte(call), arguments...), "}}"...), client(0))
	})
}
