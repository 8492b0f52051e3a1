package corazamcp_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"
	"github.com/corazawaf/coraza/v3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/waf/corazamcp"
)

// Register from many goroutines, each of which then builds a WAF: meaningful under the race detector.
func TestRegisterIsSafe(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			corazamcp.Register()
			newWAF(t, `SecRule REQUEST_URI_RAW "!@validURI" "id:1,phase:1,deny"`)
		})
	}
	wg.Wait()
}

func newWAF(t testing.TB, rules string) coraza.WAF {
	t.Helper()
	corazamcp.Register()
	w, err := coraza.NewWAF(coraza.NewWAFConfig().WithDirectives("SecRuleEngine On\nSecAuditEngine Off\nSecRequestBodyAccess On\n" +
		"SecRequestBodyLimit 8388608\nSecRequestBodyInMemoryLimit 8388608\n" +
		`SecAction "id:9,phase:1,pass,nolog,ctl:requestBodyProcessor=MCP"` + "\n" + rules))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// run sends a body through and returns the transaction, to be closed by the test's end.
func run(t testing.TB, w coraza.WAF, body string, header ...string) types.Transaction {
	t.Helper()
	tx := w.NewTransaction()
	t.Cleanup(func() {
		if err := tx.Close(); err != nil {
			t.Error(err)
		}
	})
	tx.ProcessURI("/mcp", "POST", "HTTP/1.1")
	for i := 0; i < len(header); i += 2 {
		tx.AddRequestHeader(header[i], header[i+1])
	}
	tx.ProcessRequestHeaders()
	if _, _, err := tx.WriteRequestBody([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ProcessRequestBody(); err != nil {
		t.Fatal(err)
	}
	return tx
}

func vars(tx types.Transaction) plugintypes.TransactionVariables {
	return tx.(plugintypes.TransactionState).Variables()
}

func args(tx types.Transaction) map[string][]string {
	got := map[string][]string{}
	for _, a := range vars(tx).ArgsPost().FindAll() {
		got[a.Key()] = append(got[a.Key()], a.Value())
	}
	return got
}

func TestProcessorVariables(t *testing.T) {
	w := newWAF(t, "")
	tx := run(t, w, ` { "jsonrpc":"2.0", "id":7, "m\u0065thod":"tools\/call",
		"params":{"name":"a\u0062","arguments":{"k":["x",{"y":null}],"n":1.50,"t":true,"nums":[1,2,3],"":"e","o":{}}}}`)
	want := map[string][]string{
		"json.jsonrpc": {"2.0"}, "json.id": {"7"}, "json.method": {"tools/call"}, "json.params.name": {"ab"},
		"json.params.arguments.k.0": {"x"}, "json.params.arguments.k.1.y": {""}, "json.params.arguments.n": {"1.50"},
		"json.params.arguments.t": {"true"}, "json.params.arguments.": {"e"},
	}
	if diff := cmp.Diff(want, args(tx)); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string][]string{
		"mcp_method": {"tools/call"}, "mcp_name": {"ab"}, "mcp_uri": nil, "mcp_kind": {"request"}, "mcp_version": {"2025-11-25"}, "mcp_code": nil,
	} {
		if diff := cmp.Diff(want, vars(tx).TX().Get(name)); diff != "" {
			t.Errorf("TX:%s: %s", name, diff)
		}
	}
	if got := vars(tx).RequestBodyError().Get(); got == "1" {
		t.Error("REQBODY_ERROR is set for a valid message")
	}
}

func TestProcessorBatch(t *testing.T) {
	tx := run(t, newWAF(t, ""), `[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}},{"jsonrpc":"2.0","method":"notifications/initialized"},
		{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"u:x"}}]`)
	if diff := cmp.Diff([]string{"tools/call", "notifications/initialized", "resources/read"}, vars(tx).TX().Get("mcp_method")); diff != "" {
		t.Error(diff)
	}
	if got := args(tx)["json.2.params.uri"]; !cmp.Equal(got, []string{"u:x"}) {
		t.Errorf("json.2.params.uri = %q", got)
	}
}

func TestProcessorRefuses(t *testing.T) {
	w := newWAF(t, `SecRule REQBODY_ERROR "@eq 1" "id:1,phase:2,deny,status:400"`)
	ping := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	for _, tc := range []struct {
		name, body, code string
		header           []string
	}{
		{name: "valid", body: ping},
		{name: "mirror agrees", body: ping, header: []string{"Mcp-Method", "ping"}},
		{name: "mirror disagrees", body: ping, header: []string{"mcp-method", "tools/list"}, code: "mirror_mismatch"},
		{name: "two mirrors", body: ping, header: []string{"Mcp-Method", "ping", "mcp-method", "ping"}, code: "mirror_repeated"},
		{name: "twin", body: `{"jsonrpc":"2.0","id":1,"Method":"SECRET"}`, code: "member_case_twin"},
		{name: "trailing", body: ping + "SECRET", code: "json_trailing_bytes"},
		{name: "deep", body: `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`, code: "json_depth"},
		{name: "padded", body: strings.Replace(ping, "{", "{"+dummies(1000), 1), code: "members_too_many"},
		{name: "vector", body: strings.Replace(ping, "}", `,"params":{"v":[`+strings.TrimSuffix(strings.Repeat("0.25,", 5000), ",")+`]}}`, 1)},
	} {
		tx := run(t, w, tc.body, tc.header...)
		if got := tx.IsInterrupted(); got != (tc.code != "") {
			t.Errorf("%s: refused %v", tc.name, got)
		}
		if got := strings.Join(vars(tx).TX().Get("mcp_code"), ","); got != tc.code {
			t.Errorf("%s: TX:mcp_code = %q, want %q", tc.name, got, tc.code)
		}
		if msg := vars(tx).RequestBodyErrorMsg().Get(); strings.Contains(msg, "SECRET") {
			t.Errorf("%s: the error quotes the body: %q", tc.name, msg)
		}
		if tc.code != "" && tc.name != "padded" && len(args(tx)) != 0 {
			t.Errorf("%s: a refused body reached ARGS", tc.name)
		}
	}
}

func dummies(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"d%d":"",`, i)
	}
	return b.String()
}

// The sum of all names is bounded, however deep and wide the message.
func TestFillBoundsNames(t *testing.T) {
	v, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		t.Fatal(err)
	}
	key := strings.Repeat("k", 1000)
	inner := `"x"`
	for range 50 {
		inner = `{"` + key + `":` + inner + `}`
	}
	body := `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[` + inner + strings.Repeat(`,`+inner, 20) + `]}}`
	m, bad := v.Check([]byte(body), mcpmsg.Context{Direction: mcpmsg.FromClient})
	if !bad.OK() {
		t.Fatal(bad.Err())
	}
	tx := run(t, newWAF(t, ""), "")
	if err := corazamcp.Fill(vars(tx), &m, 0); err != nil {
		t.Errorf("names that fit the body: %v", err)
	}
	leaves := `"` + strings.Repeat(`x","`, 500) + `x"`
	for range 50 {
		leaves = `{"` + key + `":[` + leaves + `]}`
	}
	m, bad = v.Check([]byte(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":`+leaves+`}}`), mcpmsg.Context{Direction: mcpmsg.FromClient})
	if !bad.OK() && bad.Code != mcpmsg.CodeJSONDepth {
		t.Fatal(bad.Err())
	}
	if bad.OK() {
		if err := corazamcp.Fill(vars(tx), &m, 0); !errors.Is(err, corazamcp.ErrTooManyMembers) {
			t.Errorf("names of 25 MB for a body of 55 kB: %v", err)
		}
	}
}

func TestOperators(t *testing.T) {
	for _, tc := range []struct {
		operator, value string
		want            bool
	}{
		{"@mcpValid", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, true},
		{"@mcpValid", `{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"}`, false},
		{"@mcpValid server", `{"jsonrpc":"2.0","id":1,"method":"roots/list"}`, true},
		{"@mcpValid", `{}`, false},
		{"@mcpMethod", "tools/call", true},
		{"@mcpMethod", "Tools/call", false},
		{"@mcpMethod tools/list, tools/call", "tools/call", true},
		{"@mcpMethod tools/list", "tools/call", false},
		{"@validHeaderName", "X-A", true},
		{"@validHeaderName", "X A", false},
		{"@validHeaderValue", "a b\tc", true},
		{"@validHeaderValue", "a\x00b", false},
		{"@validHost", "a.example:80", true},
		{"@validHost", "a b", false},
		{"@validOrigin", "https://a.example", true},
		{"@validOrigin", "https://a.example/x", false},
		{"@validSessionId", "0b7f-1", true},
		{"@validSessionId", "a b", false},
		{"@validContentType", "application/json; charset=utf-8", true},
		{"@validContentType", "application json", false},
		{"@validURI", "/a?b=c", true},
		{"@validURI", "/a%zz", false},
	} {
		w := newWAF(t, `SecRule REQUEST_HEADERS:X-Value "`+tc.operator+`" "id:1,phase:1,deny"`)
		tx := run(t, w, "", "X-Value", tc.value)
		if got := tx.IsInterrupted(); got != tc.want {
			t.Errorf("%s on %q = %v, want %v", tc.operator, tc.value, got, tc.want)
		}
	}
	for _, bad := range []string{"@mcpValid both", "@mcpMethod tools/none", "@validURI x", "@validHost x"} {
		if _, err := coraza.NewWAF(coraza.NewWAFConfig().WithDirectives(`SecRule ARGS "` + bad + `" "id:1,phase:1,deny"`)); err == nil {
			t.Errorf("%s loads", bad)
		}
	}
}

// The walk over an accepted message finds what encoding/json finds.
func FuzzFill(f *testing.F) {
	for _, s := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"ping"}`, `{"jsonrpc":"2.0","id":"\u0031","method":"tools/call","params":{"name":"a","arguments":{"\"\\":[[],{},"\\\"",1e5,[true,"x"]]}}}`,
		`[{"jsonrpc":"2.0","id":1,"method":"ping"} , {"jsonrpc":"2.0","id":2,"method":"ping"}]`, `{"jsonrpc":"2.0","id":1,"result":{"a":"b\ud83d\ude80"}}`,
	} {
		f.Add(s)
	}
	v, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		f.Fatal(err)
	}
	w := newWAF(f, "")
	f.Fuzz(func(t *testing.T, body string) {
		m, bad := v.Check([]byte(body), mcpmsg.Context{Direction: mcpmsg.FromClient})
		if !bad.OK() {
			return
		}
		tx := run(t, w, "")
		if err := corazamcp.Fill(vars(tx), &m, 0); err != nil {
			return
		}
		dec := json.NewDecoder(strings.NewReader(body))
		dec.UseNumber()
		var tree any
		if err := dec.Decode(&tree); err != nil {
			t.Fatal(err)
		}
		want := map[string][]string{}
		flatten(want, "json", tree, false)
		got := args(tx)
		if diff := cmp.Diff(count(want), count(got)); diff != "" {
			t.Errorf("%q: %s", body, diff)
		}
	})
}

func flatten(out map[string][]string, key string, v any, inArray bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			flatten(out, key+"."+name, member, false)
		}
	case []any:
		for i, item := range v {
			flatten(out, fmt.Sprintf("%s.%d", key, i), item, true)
		}
	case string:
		out[key] = append(out[key], v)
	case nil:
		if !inArray {
			out[key] = append(out[key], "")
		}
	default:
		if !inArray {
			out[key] = append(out[key], fmt.Sprint(v))
		}
	}
}

// count turns values into a multiset: members may come in any order, and different paths may have the same name.
func count(m map[string][]string) map[string]int {
	n := map[string]int{}
	for k, vs := range m {
		for _, v := range vs {
			n[k+"="+v]++
		}
	}
	return n
}

// FillSome shows what keep says, counts everything, and leaves the other variables alone.
func TestFillSome(t *testing.T) {
	v, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"k":"v","l":"w"}}}`
	m, bad := v.Check([]byte(body), mcpmsg.Context{Direction: mcpmsg.FromClient})
	if !bad.OK() {
		t.Fatal(bad.Err())
	}
	keep := func(name []byte, value mcpmsg.Raw) bool {
		return string(name) == "json.params.arguments.l" && string(value) == `"w"`
	}
	tx := run(t, newWAF(t, ""), "")
	if err := corazamcp.FillSome(vars(tx), &m, 6, keep); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]string{"json.params.arguments.l": {"w"}}, args(tx)); diff != "" {
		t.Error(diff)
	}
	if got := vars(tx).TX().Get("mcp_name"); !cmp.Equal(got, []string{"a"}) {
		t.Errorf("TX:mcp_name = %q", got)
	}
	if err := corazamcp.FillSome(vars(tx), &m, 5, keep); !errors.Is(err, corazamcp.ErrTooManyMembers) {
		t.Errorf("six values with a limit of five: %v", err)
	}
}
