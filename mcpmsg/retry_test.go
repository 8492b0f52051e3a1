package mcpmsg_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

func TestCheckRetry(t *testing.T) {
	const (
		elicited = `{"action":"accept","content":{"a":1}}`
		sampled  = `{"role":"assistant","model":"m","content":{"type":"text","text":"x"}}`
		rooted   = `{"roots":[{"uri":"file:///a"}]}`
		asked    = `"inputRequests":{"e":{"method":"elicitation/create","params":{"message":"m","requestedSchema":{"type":"object","properties":{}}}},` +
			`"r":{"method":"roots\/list"},"s":{"method":"sampling/createMessage","params":{"maxTokens":1,"messages":[]}}}`
	)
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"k%d":{"method":"roots/list"}`, i)
		}
		return `"inputRequests":{` + strings.TrimPrefix(b.String(), ",") + `}`
	}
	v := newValidator(t, mcpmsg.Config{})
	for _, r := range []struct {
		name, result, request string
		want                  mcpmsg.Code
		pointer               string
	}{
		{"all answered", asked, `"inputResponses":{"s":` + sampled + `,"e":` + elicited + `,"r":` + rooted + `}`, 0, ""},
		{"escaped keys", asked, `"inputResponses":{"\u0073":` + sampled + `}`, 0, ""},
		{"none answered", asked, `"inputResponses":null`, 0, ""},
		{"one that nobody asked for", asked, `"inputResponses":{"x":` + sampled + `}`, 0, ""},
		{"roots for an elicitation", asked, `"inputResponses":{"e":` + rooted + `}`, mcpmsg.CodeSchemaMissing, "/params/inputResponses/e"},
		{"elicitation for roots", asked, `"inputResponses":{"\u0072":` + elicited + `}`, mcpmsg.CodeSchemaMissing, "/params/inputResponses/r"},
		{"elicitation for sampling", asked, `"inputResponses":{"x":` + rooted + `,"s":{"action":"cancel"}}`, mcpmsg.CodeSchemaMissing, "/params/inputResponses/s"},
		{"state", `"requestState":"a\/b"`, `"requestState":"a/b"`, 0, ""},
		{"empty state", `"requestState":""`, `"requestState":""`, 0, ""},
		{"another state", `"requestState":"a"`, `"requestState":"b"`, mcpmsg.CodeSchemaValue, "/params/requestState"},
		{"longer state", `"requestState":"a"`, `"requestState":"ab"`, mcpmsg.CodeSchemaValue, "/params/requestState"},
		{"no state", `"requestState":"a"`, `"x":1`, mcpmsg.CodeSchemaMissing, "/params"},
		{"state from nowhere", asked, `"requestState":"a"`, mcpmsg.CodeSchemaMember, "/params/requestState"},
		{"64 inputs", many(64), `"inputResponses":{"k63":` + rooted + `}`, 0, ""},
		{"64 inputs, the last one bad", many(64), `"inputResponses":{"k63":` + elicited + `}`, mcpmsg.CodeSchemaMissing, "/params/inputResponses/k63"},
		{"65 inputs", many(65), `"inputResponses":{"k1":` + rooted + `}`, mcpmsg.CodeTooManyMembers, "/params/inputResponses"},
		{"65 inputs, none answered", many(65), `"x":1`, mcpmsg.CodeTooManyMembers, "/params"},
	} {
		result, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required",`+r.result+`}}`), server(mcpmsg.V20260728, mcpmsg.MethodToolsCall))
		if !bad.OK() {
			t.Fatalf("%s: %v at %q", r.name, bad.Err(), bad.Pointer(result.Raw))
		}
		for _, id := range []string{`2`, `"1"`, `1`} {
			in := ` {"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"t",` + r.request + `,` + meta26 + `}}`
			m, bad := v.Check([]byte(in), client(mcpmsg.V20260728))
			if !bad.OK() {
				t.Fatalf("%s: %v at %q", r.name, bad.Err(), bad.Pointer([]byte(in)))
			}
			want, pointer := r.want, r.pointer
			if id == "1" {
				want, pointer = mcpmsg.CodeIDReused, "/id"
			}
			if bad = v.CheckRetry(&m, &result); bad.Code != want || bad.Pointer(m.Raw) != pointer {
				t.Errorf("%s: %v at %q, want %v at %q", r.name, bad.Code, bad.Pointer(m.Raw), want, pointer)
			}
			if n := allocs(10, func() { v.CheckRetry(&m, &result) }); n != 0 {
				t.Errorf("%s: %v allocations, want 0", r.name, n)
			}
			var zero mcpmsg.Validator
			if a, b, c := zero.CheckRetry(&m, &result), v.CheckRetry(&m, &m), v.CheckRetry(nil, &result); a.Code&b.Code&c.Code != mcpmsg.CodeNotConfigured {
				t.Errorf("not configured: %v, %v, %v", a.Code, b.Code, c.Code)
			}
		}
	}
	// Methods that are never retried may use the names for anything.
	result, _ := v.Check([]byte(`{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","requestState":7}}`), server(mcpmsg.V20260728, 0))
	m, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"requestState":7,`+meta26+`}}`), client(mcpmsg.V20260728))
	if !bad.OK() || v.CheckRetry(&m, &result).Code != mcpmsg.CodeSchemaValue {
		t.Errorf("states that are no strings: %v, %v", bad.Code, v.CheckRetry(&m, &result).Code)
	}
}
