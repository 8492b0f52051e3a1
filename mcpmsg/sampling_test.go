package mcpmsg_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

const (
	user      = `{"role":"user","content":`
	assistant = `{"role":"assistant","content":`
	textBlock = `{"type":"text","text":"x"}`
)

func useOf(id string) string { return `{"type":"tool_use","id":"` + id + `","name":"t","input":{}}` }

func resultFor(id string) string {
	return `{"type":"tool_result","toolUseId":"` + id + `","content":[]}`
}

// TestToolBalance judges conversations, as the params of a request and inside a result.
func TestToolBalance(t *testing.T) {
	v, literal := newValidator(t, mcpmsg.Config{}), newValidator(t, mcpmsg.Config{Schema: mcpmsg.Published})
	var uses, results []string
	for i := range 129 {
		uses, results = append(uses, useOf(fmt.Sprint("call", i))), append(results, resultFor(fmt.Sprint("call", i)))
	}
	list := func(blocks ...string) string { return "[" + strings.Join(blocks, ",") + "]}" }
	for _, r := range []struct {
		name     string
		messages []string
		at       int // of the bad message, -1 for none
	}{
		{"no tools", []string{user + textBlock + "}", assistant + list(textBlock, textBlock)}, -1},
		{"no messages", nil, -1},
		{"use and result", []string{user + textBlock + "}", assistant + useOf("a") + "}", user + resultFor("a") + "}"}, -1},
		{"in lists, other order, other spelling", []string{assistant + list(textBlock, useOf("a"), useOf("b")), user + list(resultFor("b"), resultFor(`\u0061`)), assistant + textBlock + "}"}, -1},
		{"content first", []string{`{"content":` + useOf("a") + `,"role":"assistant"}`, `{"content":[` + resultFor("a") + `],"role":"user"}`}, -1},
		{"two rounds with the same ids", []string{assistant + useOf("a") + "}", user + resultFor("a") + "}", assistant + useOf("a") + "}", user + resultFor("a") + "}"}, -1},
		{"results without uses", []string{user + list(resultFor("a"), resultFor("b")), assistant + textBlock + "}"}, -1},
		{"text beside a result", []string{user + list(textBlock, resultFor("a"))}, 0},
		{"text after a result that answers", []string{assistant + useOf("a") + "}", user + list(resultFor("a"), textBlock)}, 1},
		{"use beside a result", []string{user + list(resultFor("a"), useOf("b"))}, 0},
		{"use at the end", []string{user + textBlock + "}", assistant + useOf("a") + "}"}, 1},
		{"text after a use", []string{assistant + useOf("a") + "}", user + textBlock + "}"}, 1},
		{"nothing after a use", []string{assistant + useOf("a") + "}", user + "[]}"}, 1},
		{"assistant after a use", []string{assistant + useOf("a") + "}", assistant + textBlock + "}"}, 1},
		{"result of another use", []string{assistant + useOf("a") + "}", user + resultFor("b") + "}"}, 1},
		{"a result too few", []string{assistant + list(useOf("a"), useOf("b")), user + resultFor("a") + "}"}, 1},
		{"a result too many", []string{assistant + useOf("a") + "}", user + list(resultFor("a"), resultFor("b"))}, 1},
		{"one result twice", []string{assistant + list(useOf("a"), useOf("b")), user + list(resultFor("a"), resultFor("a"))}, 1},
		{"one use twice", []string{assistant + list(useOf("a"), useOf(`\u0061`)), user + list(resultFor("a"), resultFor("a"))}, 0},
		{"128 uses", []string{assistant + list(uses[:128]...), user + list(results[:128]...)}, -1},
		{"129 uses", []string{assistant + list(uses...), user + list(results...)}, 0},
	} {
		params := `{"maxTokens":1,"messages":[` + strings.Join(r.messages, ",") + `]}`
		for _, place := range []struct {
			in, pointer string
			ctx         mcpmsg.Context
			part        int
		}{
			{`{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":` + params + `}`, "/params", server(mcpmsg.V20251125, 0), -32602},
			{`{"jsonrpc":"2.0","params":` + params + `,"id":1,"method":"sampling/createMessage"}`, "/params", server(0, 0), -32602},
			{`{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"r":{"method":"roots/list"},"s":{"params":` + params +
				`,"method":"sampling/createMessage"}}}}`, "/result/inputRequests/s/params", server(mcpmsg.V20260728, mcpmsg.MethodPromptsGet), -32600},
		} {
			in := []byte(place.in)
			_, bad := v.Check(in, place.ctx)
			want, pointer := mcpmsg.CodeOK, ""
			if r.at >= 0 {
				want, pointer = mcpmsg.CodeToolBalance, fmt.Sprint(place.pointer, "/messages/", r.at)
			}
			code, _ := bad.RPC()
			if bad.Code != want || bad.Pointer(in) != pointer || !bad.OK() && code != place.part {
				t.Errorf("%s: %v at %q (%d), want %v at %q in %.300s", r.name, bad.Code, bad.Pointer(in), code, want, pointer, in)
			}
			if n := allocs(10, func() { v.Check(in, place.ctx) }); n != 0 {
				t.Errorf("%s: %v allocations, want 0", r.name, n)
			}
			if _, bad := literal.Check(in, place.ctx); !bad.OK() {
				t.Errorf("%s: refused by the schema files alone: %v", r.name, bad.Err())
			}
		}
	}
	// What only looks like the inputs of a result is no reason to fall over.
	for _, requests := range []string{`7`, `{"a":7}`, `{"a":{"method":"sampling/createMessage","params":{"messages":[7,{"role":"assistant","content":{"type":"tool_use","id":7}}]}}}`} {
		in := `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[],"inputRequests":` + requests + `}}`
		v.Check([]byte(in), server(mcpmsg.V20260728, mcpmsg.MethodToolsCall))
	}
}
