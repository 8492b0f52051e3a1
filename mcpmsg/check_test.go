package mcpmsg_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

const (
	meta26 = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	call   = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":`
)

// row is a message and what Check must make of it.
type row struct {
	name string
	in   string
	ctx  mcpmsg.Context
	want mcpmsg.Code
}

func client(v mcpmsg.Version) mcpmsg.Context {
	return mcpmsg.Context{Version: v, Direction: mcpmsg.FromClient}
}

func server(v mcpmsg.Version, of mcpmsg.Method) mcpmsg.Context {
	return mcpmsg.Context{Version: v, Direction: mcpmsg.FromServer, ResultOf: of}
}

// TestZeroValidator: what was not made by New refuses everything.
func TestZeroValidator(t *testing.T) {
	var v mcpmsg.Validator
	if _, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":1,"method":"ping"}`), client(0)); bad.Code != mcpmsg.CodeNotConfigured {
		t.Errorf("zero Validator: %v", bad.Code)
	}
	if bad := v.CheckMirror(&mcpmsg.Message{Kind: mcpmsg.Request}, nil); bad.Code != mcpmsg.CodeNotConfigured {
		t.Errorf("zero Validator, CheckMirror: %v", bad.Code)
	}
	if bad := newValidator(t, mcpmsg.Config{}).CheckMirror(&mcpmsg.Message{}, nil); bad.Code != mcpmsg.CodeNotConfigured {
		t.Errorf("zero Message, CheckMirror: %v", bad.Code)
	}
}

// TestSafeID: the id of a refused message is known exactly if the rest of the text leaves no doubt.
func TestSafeID(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	for _, r := range []struct{ in, want string }{
		{`{"jsonrpc":"2.0","id":7,"method":"nope"}`, `7`},
		{`{"jsonrpc":"2.0","method":"nope","params":{"id":1,"a":[{"id":2}]},"id":"x"}`, `"x"`},
		{`{"method":"tools/call","params":{"name":1},"jsonrpc":"2.0","id":0}`, `0`},
		{`{"params":{"name":1},"method":"tools/call","jsonrpc":"2.0","id":0}`, `0`},
		{`{"jsonrpc":"2.0","id":7,"method":"tools/call"}`, `7`},
		{`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","name":"b"}}`, `7`},
		{`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","arguments":[]}}  `, `7`},
		{`{"jsonrpc":"2.0","id":7,"method":"nope"}x`, ``},
		{`{"jsonrpc":"2.0","id":7,"method":"tools/call"}x`, ``},
		{`{"jsonrpc":"2.0","id":7,"method":"nope"`, ``},
		{`{"jsonrpc":"2.0","id":7,"method":"nope","id":7}`, ``},
		{`{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","id":7,"ID":8}`, ``},
		{`{"jsonrpc":"2.0","ID":7,"method":"nope","id":7}`, ``},
		{`{"jsonrpc":"2.0","ID":7,"method":"ping"}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","Id":7}`, ``},
		{`{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"ping","id":{"a":1}}`, ``},
		{`{"jsonrpc":"2.0","jsonrpc":"2.0","method":"ping","id":{"a":1}}`, ``},
		{`{"jsonrpc":"2.0","jsonrpc":"2.0","method":"ping","params":{"id":7}}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","id":null}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","id":"a\u0000"}`, ``},
		{`{"jsonrpc":"2.0","id":"a\u0000","method":"nope"}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","id":1.5}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","id":{}}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","id":"` + strings.Repeat("i", 300) + `"}`, ``},
		{`{"jsonrpc":"1.0","id":7,"method":"nope"}`, ``},
		{`[{"jsonrpc":"2.0","id":7,"method":"nope"}]`, ``},
	} {
		m, bad := v.Check([]byte(r.in), client(0))
		if bad.OK() || string(m.ID) != r.want {
			t.Errorf("Check(%s) = %v with id %s, want %s", r.in, bad.Code, m.ID, r.want)
		}
		in := []byte(r.in)
		if n := allocs(20, func() { v.Check(in, client(0)) }); n != 0 {
			t.Errorf("Check(%s): %v allocations, want 0", r.in, n)
		}
	}
}

func TestMessage(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	in := ` {"id":"\u0061","params":{"_meta":{"progressToken":1},"arguments":{"q":[1]},"name":"se\u0061rch"},"method":"tools\/call","jsonrpc":"2.0"} `
	m, bad := v.Check([]byte(in), client(mcpmsg.V20250618))
	if !bad.OK() {
		t.Fatal(bad.Err())
	}
	got := fmt.Sprintf("%v %v %v %s %s %s %s %s %v %t %t", m.Kind, m.Version, m.Method, m.ID, m.Name, m.Name.AppendText(nil), m.Arguments, m.Meta,
		m.URI == nil, m.ID.Is("a"), m.MethodText.Is("tools/call"))
	want := `request 2025-06-18 tools/call "\u0061" "se\u0061rch" search {"q":[1]} {"progressToken":1} true true true`
	if got != want {
		t.Errorf("message is\n%s\nwant\n%s", got, want)
	}
	if string(m.Raw) != strings.TrimSpace(in) {
		t.Errorf("Raw is %s", m.Raw)
	}
}

func TestEach(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	members := []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":"]}"}}}`,
		`{"method":"resources/read","params":{"uri":"file:///a"}, "jsonrpc":"2.0","id":"b"}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized","params":{"_meta":{}}}`,
	}
	m, bad := v.Check([]byte(" [ "+strings.Join(members, " , ")+" ] "), client(0))
	if !bad.OK() {
		t.Fatal(bad.Err())
	}
	got := slices.Collect(m.Each())
	if len(got) != len(members) {
		t.Fatalf("%d messages, want %d", len(got), len(members))
	}
	for i, in := range members {
		want, bad := v.Check([]byte(in), client(mcpmsg.V20250326))
		if !bad.OK() {
			t.Fatal(bad.Err())
		}
		if fmt.Sprintf("%+v", got[i]) != fmt.Sprintf("%+v", want) {
			t.Errorf("message %d is\n%+v\nwant\n%+v", i, got[i], want)
		}
	}
	for one := range got[0].Each() {
		if one.Method != mcpmsg.MethodToolsCall {
			t.Errorf("a single message yields %v", one.Method)
		}
	}
}

func TestError(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	m, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":"s\"3","method":"secret/method"}`), client(0))
	err := bad.Err()
	if !errors.Is(err, mcpmsg.CodeMethodUnknown) || errors.Is(err, mcpmsg.CodeEmpty) {
		t.Errorf("errors.Is does not find the code in %v", err)
	}
	if text := err.Error(); text != "mcpmsg: method_unknown at byte 38" {
		t.Errorf("Error() = %q", text)
	}
	if got, want := string(bad.AppendRPC(nil, m.ID)), `{"jsonrpc":"2.0","id":"s\"3","error":{"code":-32601,"message":"Method not found"}}`; got != want {
		t.Errorf("AppendRPC = %s, want %s", got, want)
	}
	if got, want := string(bad.AppendRPC(nil, nil)), `{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"}}`; got != want {
		t.Errorf("AppendRPC without id = %s, want %s", got, want)
	}
	if (mcpmsg.Violation{}).Err() != nil {
		t.Error("the zero Violation is an error")
	}
}

// TestAnswers: every answer to a violation is a valid message itself, with every id that Check gives, and takes no allocation.
func TestAnswers(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	buf := make([]byte, 0, 1024)
	for code := mcpmsg.CodeOK + 1; code.String() != "unknown"; code++ {
		bad := mcpmsg.Violation{Code: code}
		for _, id := range []string{``, `0`, `-9007199254740991`, `""`, `"\u0001\"\\ud800\\"`, `" </script>😀"`} {
			if id != "" {
				m, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":`+id+`,"method":"nope"}`), client(0))
				if bad.OK() || string(m.ID) != id {
					t.Fatalf("id %s is read as %s", id, m.ID)
				}
			}
			for _, version := range []mcpmsg.Version{mcpmsg.V20250618, mcpmsg.V20260728} {
				answer := bad.AppendRPC(buf, mcpmsg.Raw(id))
				if m, bad := v.Check(answer, server(version, 0)); !bad.OK() || m.Kind != mcpmsg.ErrorResponse || string(m.ID) != id {
					t.Errorf("%v is answered by %s, which is %v", code, answer, bad.Code)
				}
			}
			if n := allocs(5, func() { bad.AppendRPC(buf, mcpmsg.Raw(id)) }); n != 0 {
				t.Errorf("%v: %v allocations, want 0", code, n)
			}
		}
	}
}

func TestPointer(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	for in, want := range map[string]string{
		`{"jsonrpc":"2.0","id":1,"method":"nope"}`:                                                    "/method",
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}`:                          "/params/name",
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"a":1}}}`:               "/params",
		call + `{"a/b":[0,{"c~":[1,2,{"x":1,"x":2}]}]}}}`:                                             "/params/arguments/a~1b/1/c~0/2/x",
		`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"p","arguments":{"é\"":1}}}`: "/params/arguments/é\"",
		`{"jsonrpc":"2.0","id":1}`:                                                                    "",
	} {
		_, bad := v.Check([]byte(in), client(0))
		if got := bad.Pointer([]byte(in)); bad.OK() || got != want {
			t.Errorf("Pointer of %v in %s = %q, want %q", bad.Code, in, got, want)
		}
	}
}
