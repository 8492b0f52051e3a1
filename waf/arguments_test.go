package waf_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/waf"
)

// argumentTools are rules with every kind of condition.
func argumentTools(t testing.TB) []waf.AccessRule {
	schema, err := mcpmsg.CompileSchema([]byte(`{
		"type": "object", "additionalProperties": false, "required": ["query"],
		"properties": {"query": {"type": "string", "maxLength": 10}, "limit": {"type": "integer", "minimum": 1, "maximum": 50}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return []waf.AccessRule{
		{Identity: "*"},
		{Identity: "*", Allow: []string{"read_file"}, Arguments: []waf.ArgumentRule{{Path: "/path", Prefixes: []string{"/docs/", "/pub/"}}}},
		{Identity: "*", Allow: []string{"deploy"}, Arguments: []waf.ArgumentRule{
			{Path: "/env", OneOf: []any{"staging", "test"}},
			{Path: "/replicas", OneOf: []any{1, 2.5, json.Number("12345678901234567890"), true}, Optional: true},
		}},
		{Identity: "*", Allow: []string{"call_tool"}, Arguments: []waf.ArgumentRule{
			{Path: "/tool/name", OneOf: []any{"search"}},
			{Path: "/tool/args/a~1b", Prefixes: []string{"x"}, Optional: true},
		}},
		{Identity: "*", Allow: []string{"search_*"}, ArgumentSchema: schema},
		{Identity: "cd", Allow: []string{"restart"}, Arguments: []waf.ArgumentRule{{Path: "/force", OneOf: []any{false}}}},
		{Identity: "*", Deny: []string{"drop"}, Allow: []string{"drop"}, Arguments: []waf.ArgumentRule{{Path: "/x", OneOf: []any{"y"}}}},
	}
}

func TestArguments(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.Endpoints[0].Tools = argumentTools(t)
	})
	const refused = "argument_not_allowed"
	for _, tc := range []struct{ tool, arguments, code string }{
		{"free", `{"anything": ["goes"]}`, ""},
		{"free", "", ""},

		{"read_file", `{"path": "/docs/a.md"}`, ""},
		{"read_file", `{"path": "/pub/a.md", "encoding": "utf-8", "Paths": []}`, ""},
		{"read_file", `{"path": "\/docs\u002fa.md"}`, ""},
		{"read_file", `{"path": "/etc/passwd"}`, refused},
		{"read_file", `{"path": "/docs"}`, refused},
		{"read_file", `{"path": "/Docs/a"}`, refused},
		{"read_file", `{"path": " /docs/a"}`, refused},
		{"read_file", `{"path": "/docs/../etc/passwd"}`, refused},
		{"read_file", `{"path": "/docs/\u002e\u002e/etc/passwd"}`, refused},
		{"read_file", `{"path": "/docs/%2e%2e/etc/passwd"}`, refused},
		{"read_file", `{"path": "/docs/．．/etc/passwd"}`, refused},
		{"read_file", `{"path": "/docs/..\\etc"}`, refused},
		{"read_file", `{"path": "/docs/a\u0000"}`, refused},
		{"read_file", `{"path": ["/docs/a"]}`, refused},
		{"read_file", `{"path": {"path": "/docs/a"}}`, refused},
		{"read_file", `{"path": null}`, refused},
		{"read_file", `{"path": 1}`, refused},
		{"read_file", `{"Path": "/docs/a"}`, refused},
		{"read_file", `{"path": "/docs/a", "Path": "/etc/passwd"}`, refused},
		{"read_file", `{"path": "/docs/a", "p\u0061th ": "/etc/passwd", "PATH": ""}`, refused},
		{"read_file", `{"path": "/docs/a", "ｐath": "/etc/passwd"}`, refused},
		{"read_file", `{"path": "/docs/a", "pa\u0074h": "/etc/passwd"}`, "json_duplicate_member"},
		{"read_file", `{}`, refused},
		{"read_file", "", refused},
		{"Read_File", `{"path": "/etc/passwd"}`, refused},
		{"read_file ", `{"path": "/etc/passwd"}`, refused},
		{"read\uff3ffile", `{"path": "/etc/passwd"}`, refused},
		{"read_file2", `{"path": "/etc/passwd"}`, ""},

		{"deploy", `{"env": "staging"}`, ""},
		{"deploy", `{"env": "st\u0061ging", "replicas": 1}`, ""},
		{"deploy", `{"env": "test", "replicas": 1.0}`, ""},
		{"deploy", `{"env": "test", "replicas": 10e-1}`, ""},
		{"deploy", `{"env": "test", "replicas": 25e-1}`, ""},
		{"deploy", `{"env": "test", "replicas": 12345678901234567890.0}`, ""},
		{"deploy", `{"env": "test", "replicas": 12345678901234567891}`, refused},
		{"deploy", `{"env": "test", "replicas": true}`, ""},
		{"deploy", `{"env": "test", "replicas": "1"}`, refused},
		{"deploy", `{"env": "test", "replicas": "true"}`, refused},
		{"deploy", `{"env": "test", "replicas": 1.0000000000000000000001}`, refused},
		{"deploy", `{"env": "test", "replicas": null}`, refused},
		{"deploy", `{"env": "test", "Replicas": 9}`, refused},
		{"deploy", `{"env": "test", "labels": {"a": 1, "A": 2}}`, ""},
		{"deploy", `{"env": "prod"}`, refused},
		{"deploy", `{"env": "Staging"}`, refused},
		{"deploy", `{"env": "staging "}`, refused},
		{"deploy", `{"env": "ｓtaging"}`, refused},
		{"deploy", `{"replicas": 1}`, refused},

		{"call_tool", `{"tool": {"name": "search", "args": {"q": "x"}}}`, ""},
		{"call_tool", `{"tool": {"name": "search", "args": {"a/b": "xy"}}}`, ""},
		{"call_tool", `{"tool": {"name": "search"}}`, ""},
		{"call_tool", `{"tool": {"name": "search", "args": {"a/b": "yx"}}}`, refused},
		{"call_tool", `{"tool": {"name": "search", "args": {"A/B": "yx"}}}`, refused},
		{"call_tool", `{"tool": {"name": "search", "args": []}}`, refused},
		{"call_tool", `{"tool": {"name": "delete_all"}}`, refused},
		{"call_tool", `{"tool": {"name": "search", "Name": "delete_all"}}`, refused},
		{"call_tool", `{"tool": {"name": "search"}, "TOOL": {"name": "delete_all"}}`, refused},
		{"call_tool", `{"tool": "search"}`, refused},
		{"call_tool", `{"tool": [{"name": "search"}]}`, refused},
		{"call_tool", `{"name": "search"}`, refused},

		{"search_docs", `{"query": "go"}`, ""},
		{"search_docs", `{"query": "go", "limit": 50}`, ""},
		{"search_docs", `{"query": "go", "limit": 51}`, refused},
		{"search_docs", `{"query": "longer than ten"}`, refused},
		{"search_docs", `{"query": "go", "more": 1}`, refused},
		{"search_docs", `{"limit": 1}`, refused},
		{"search_docs", "", refused},
		{"SEARCH_docs", `{"more": 1}`, refused},

		{"restart", `{"force": true}`, ""}, // the condition is for somebody else
		{"drop", `{"x": "y"}`, "tool_not_allowed"},
	} {
		name, err := json.Marshal(tc.tool)
		if err != nil {
			t.Fatal(err)
		}
		params := fmt.Sprintf(`{"name":%s}`, name)
		if tc.arguments != "" {
			params = fmt.Sprintf(`{"name":%s,"arguments":%s}`, name, tc.arguments)
		}
		one := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":%s}`, params)
		for form, r := range map[string]*http.Request{
			"alone":      post(one),
			"in a batch": post(`[{"jsonrpc":"2.0","id":2,"method":"ping"},`+one+`]`, set("Mcp-Protocol-Version", "2025-03-26")),
		} {
			rec := g.serve(r)
			want := http.StatusAccepted
			switch tc.code {
			case "":
			case "json_duplicate_member":
				want = http.StatusBadRequest
			default:
				want = http.StatusForbidden
			}
			if rec.Code != want || len(g.events) != 1 || g.events[0].Code != tc.code {
				t.Errorf("%s(%s) %s: status %d, events %+v, want %d with code %q", tc.tool, tc.arguments, form, rec.Code, g.events, want, tc.code)
			}
		}
	}
}

// The same in 2026-07-28, where the call has _meta.
func TestArgumentsOfStateless(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.Endpoints[0].Tools = argumentTools(t)
	})
	for env, want := range map[string]int{"staging": 202, "prod": 403} {
		body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"deploy","arguments":{"env":"` + env + `"},"_meta":{` +
			`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
		r := post(body, set("Mcp-Protocol-Version", "2026-07-28"), set("Mcp-Method", "tools/call"), set("Mcp-Name", "deploy"))
		if rec := g.serve(r); rec.Code != want {
			t.Errorf("deploy to %s: status %d, %s, want %d", env, rec.Code, rec.Body, want)
		}
	}
}

// Arguments up to the bounds of the message can be judged.
func TestArgumentsAtTheBounds(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.MaxBodyBytes = 4096
		c.Message = mcpmsg.Config{MaxDepth: 8}
		c.Endpoints[0].Tools = argumentTools(t)
	})
	const before, after = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","arguments":{"path":"/docs/`, `"}}}`
	if rec := g.serve(post(before + strings.Repeat("a", 4096-len(before)-len(after)) + after)); rec.Code != 202 {
		t.Errorf("the longest path: status %d, want 202", rec.Code)
	}
	deep := strings.Repeat("[", 5) + strings.Repeat("]", 5)
	if rec := g.serve(post(before + `a","deep":` + deep + `,"x":"` + after)); rec.Code != 202 {
		t.Errorf("the deepest arguments: status %d, %s, want 202", rec.Code, rec.Body)
	}
}

func TestArgumentsExplained(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.Endpoints[0].Tools = argumentTools(t)
	})
	for tool, want := range map[string]string{
		"read_file":   "endpoints[0].tools[1].arguments",
		"search_docs": "endpoints[0].tools[4].argument_schema",
	} {
		e := g.Explain(post(strings.Replace(strings.Replace(call, "echo", tool, 1), "hi", "planted", 1)))
		if text := e.String(); !strings.Contains(text, "refuses: 403 argument_not_allowed, by "+want+"\n") || strings.Contains(text, "planted") {
			t.Errorf("%s is explained as\n%s\nwant the rule %s and no value", tool, text, want)
		}
	}
}

// Conditions that are tried out are compared like names.
func TestArgumentsDryRun(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.Endpoints[0].DryRun = &waf.AccessLists{Tools: argumentTools(t)}
	})
	if rec := g.serve(post(strings.Replace(call, "echo", "read_file", 1))); rec.Code != 202 || len(g.events) != 2 ||
		g.events[0].Action != waf.ActionDryDeny || g.events[0].Code != "argument_not_allowed" {
		t.Errorf("status %d, events %+v, want 202 and a disagreement", rec.Code, g.events)
	}
}

func TestArgumentFaults(t *testing.T) {
	long := strings.Repeat("a", 1025)
	for _, tc := range []struct {
		name string
		rule waf.AccessRule
		want []string
	}{
		{"paths", waf.AccessRule{Identity: "*", Arguments: []waf.ArgumentRule{
			{Path: "", OneOf: []any{1}},
			{Path: "env", OneOf: []any{1}},
			{Path: "/a~2", OneOf: []any{1}},
			{Path: "/" + long, OneOf: []any{1}},
			{Path: "/1/2/3/4/5/6/7/8/9", OneOf: []any{1}},
			{Path: "/\xff", OneOf: []any{1}},
		}}, []string{
			`.Arguments[0].Path: must be a JSON Pointer to one argument, such as "/env"`,
			`.Arguments[1].Path: must be a JSON Pointer to one argument, such as "/env"`,
			`.Arguments[2].Path: must write "~" as "~0" and "/" within a name as "~1"`,
			".Arguments[3].Path: must not be longer than 1024 bytes and 8 names",
			".Arguments[4].Path: must not be longer than 1024 bytes and 8 names",
			".Arguments[5].Path: is not valid UTF-8",
		}},
		{"values", waf.AccessRule{Identity: "*", Arguments: []waf.ArgumentRule{
			{Path: "/a"},
			{Path: "/b", OneOf: []any{1}, Prefixes: []string{"x"}},
			{Path: "/c", OneOf: []any{}},
			{Path: "/d", Prefixes: []string{}},
			{Path: "/e", OneOf: []any{nil, []any{}, math.NaN(), json.Number("x"), json.Number("null"), long, "\xff", "", int8(1), uint(1), float32(1), json.Number("1e999"), json.Number(strings.Repeat("1", 101))}},
			{Path: "/f", Prefixes: []string{"", "https://a.example", "/a/../b", "/a/..", "https://a.example/", "a\n", "\xff", long, "//a.example", "//a.example/"}},
			{Path: "/g", OneOf: slices.Repeat([]any{1}, 257)},
			{Path: "/h", Prefixes: slices.Repeat([]string{"x"}, 257)},
		}}, []string{
			".Arguments[0]: must have either OneOf or Prefixes",
			".Arguments[1]: must have either OneOf or Prefixes",
			".Arguments[2].OneOf: must not be empty: no value would be allowed",
			".Arguments[3].Prefixes: must not be empty: no value would be allowed",
			".Arguments[4].OneOf[0]: must be a string, a number or a boolean",
			".Arguments[4].OneOf[1]: must be a string, a number or a boolean",
			".Arguments[4].OneOf[2]: must be a string, a number or a boolean",
			".Arguments[4].OneOf[3]: is not a JSON number",
			".Arguments[4].OneOf[4]: is not a JSON number",
			".Arguments[4].OneOf[5]: must not be longer than 1024 bytes",
			".Arguments[4].OneOf[6]: is not valid UTF-8",
			".Arguments[4].OneOf[11]: is a number that readers take for different ones: too long, or too large",
			".Arguments[4].OneOf[12]: is a number that readers take for different ones: too long, or too large",
			".Arguments[5].Prefixes[0]: must not be empty: every text starts so",
			`.Arguments[5].Prefixes[1]: must go on to the slash after the host: "https://a.example" is also how "https://a.example.evil.example" starts`,
			".Arguments[5].Prefixes[2]: leads elsewhere itself: dot segments, their escapes and look-alikes, and control characters are refused",
			".Arguments[5].Prefixes[5]: leads elsewhere itself: dot segments, their escapes and look-alikes, and control characters are refused",
			".Arguments[5].Prefixes[6]: is not valid UTF-8",
			".Arguments[5].Prefixes[7]: must not be longer than 1024 bytes",
			`.Arguments[5].Prefixes[8]: must go on to the slash after the host: "https://a.example" is also how "https://a.example.evil.example" starts`,
			".Arguments[6].OneOf: 257 values, at most 256",
			".Arguments[7].Prefixes: 257 prefixes, at most 256",
		}},
		{"the same place", waf.AccessRule{Identity: "*", Arguments: []waf.ArgumentRule{
			{Path: "/a/b", OneOf: []any{1}},
			{Path: "/a/b", OneOf: []any{2}},
			{Path: "/a/b/c", OneOf: []any{1}},
			{Path: "/a", OneOf: []any{1}},
			{Path: "/a/c", OneOf: []any{1}},
		}}, []string{
			".Arguments[1].Path: this argument, or a part of it, is named already",
			".Arguments[2].Path: this argument, or a part of it, is named already",
			".Arguments[3].Path: this argument, or a part of it, is named already",
		}},
		{"no tool", waf.AccessRule{Identity: "*", Allow: []string{}, Arguments: []waf.ArgumentRule{{Path: "/a", OneOf: []any{1}}}}, []string{
			".Allow: must not be empty beside conditions: they are for the tools that it holds",
		}},
		{"no schema", waf.AccessRule{Identity: "*", ArgumentSchema: new(mcpmsg.Schema)}, []string{
			".ArgumentSchema: must be one that mcpmsg.CompileSchema returned",
		}},
		{"too many", waf.AccessRule{Identity: "*", Arguments: slices.Repeat([]waf.ArgumentRule{{Path: "/a", OneOf: []any{1}}}, 65)}, []string{
			".Arguments: 65 conditions, at most 64",
		}},
	} {
		_, err := waf.New(testConfig(func(c *waf.Config) {
			c.DangerouslyNoRules = true
			c.Endpoints[0].Tools = []waf.AccessRule{tc.rule}
		}))
		var got []string
		for line := range strings.Lines(fmt.Sprint(err)) {
			got = append(got, strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "waf: Config.Endpoints[0].Tools[0]"))
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: faults\n%s\nwant\n%s", tc.name, strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
		}
	}
	_, err := waf.New(testConfig(func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.Endpoints[0].Prompts = []waf.AccessRule{{Identity: "*", Arguments: []waf.ArgumentRule{{Path: "/a", OneOf: []any{1}}}}}
		c.Endpoints[0].Methods = []waf.AccessRule{{Identity: "*", ArgumentSchema: new(mcpmsg.Schema)}}
	}))
	const want = `waf: Config.Endpoints[0].Methods[0].ArgumentSchema: only Tools have arguments that rules can judge
waf: Config.Endpoints[0].Prompts[0].Arguments: only Tools have arguments that rules can judge`
	if fmt.Sprint(err) != want {
		t.Errorf("conditions elsewhere: %v, want %s", err, want)
	}
}
