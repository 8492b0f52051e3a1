package waf_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

func TestAccess(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		ep := &c.Endpoints[0]
		ep.Tools = []waf.AccessRule{{Identity: "ci", Allow: []string{"search_*"}, Deny: []string{"search_secrets"}}}
		ep.Prompts = []waf.AccessRule{{Identity: "*", Deny: []string{"admin_*"}}}
		ep.Resources = []waf.AccessRule{{Identity: "*", Allow: []string{"file:///docs/*"}}}
		ep.Methods = []waf.AccessRule{{Identity: "*", Deny: []string{"logging/*"}}}
	})
	message := func(method, params string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params)
	}
	named := func(method, name string) string { return message(method, fmt.Sprintf(`{"name":"%s"}`, name)) }
	at := func(method, uri string) string { return message(method, fmt.Sprintf(`{"uri":"%s"}`, uri)) }
	const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`
	for _, tc := range []struct {
		name, body, code string
		change           []func(*http.Request)
	}{
		{"tool allowed", named("tools/call", "search_docs"), "", nil},
		{"tool allowed, escaped", named("tools/call", `search\u005fdocs`), "", nil},
		{"tool in other case", named("tools/call", "Search_docs"), "tool_not_allowed", nil},
		{"tool denied", named("tools/call", "search_secrets"), "tool_not_allowed", nil},
		{"tool denied, escaped", named("tools/call", `search_\u0073ecrets`), "tool_not_allowed", nil},
		{"tool denied, in another case", named("tools/call", "search_SECRETS"), "tool_not_allowed", nil},
		{"tool denied, with spaces", named("tools/call", "search_secrets. "), "tool_not_allowed", nil},
		{"tool denied, long s", named("tools/call", "search_ſecrets"), "tool_not_allowed", nil},
		{"tool not allowed", named("tools/call", "deploy"), "tool_not_allowed", nil},
		{"prompt allowed", named("prompts/get", "greeting"), "", nil},
		{"prompt denied", named("prompts/get", "admin_reset"), "prompt_not_allowed", nil},
		{"resource allowed", at("resources/read", "file:///docs/a"), "", nil},
		{"resource not allowed", at("resources/read", "file:///etc/passwd"), "resource_not_allowed", nil},
		{"resource that climbs", at("resources/read", "file:///docs/../etc/passwd"), "resource_not_allowed", nil},
		{"resource that climbs, escaped", at("resources/read", `file:///docs/\u002e./etc/passwd`), "resource_not_allowed", nil},
		{"subscription not allowed", at("resources/subscribe", "file:///etc/passwd"), "resource_not_allowed", nil},
		{"end of a subscription", at("resources/unsubscribe", "file:///docs/a"), "", nil},
		{"completion of a prompt", message("completion/complete", `{"ref":{"type":"ref/prompt","name":"greeting"},"argument":{"name":"a","value":""}}`), "", nil},
		{"completion of a denied prompt", message("completion/complete", `{"ref":{"type":"ref/prompt","name":"admin_x"},"argument":{"name":"a","value":""}}`), "prompt_not_allowed", nil},
		{"completion of a resource", message("completion/complete", `{"ref":{"type":"ref/resource","uri":"file:///etc/{x}"},"argument":{"name":"a","value":""}}`), "resource_not_allowed", nil},
		{"method denied", message("logging/setLevel", `{"level":"info"}`), "mcp_method_not_allowed", nil},
		{"another method", message("tools/list", `{}`), "", nil},
		{"handshake", initialize, "", nil},
		{"answer to the server", `{"jsonrpc":"2.0","id":1,"result":{}}`, "", nil},
		{"batch with one denied call", `[` + named("tools/call", "search_docs") + `,{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"deploy"}}]`, "tool_not_allowed",
			[]func(*http.Request){set("Mcp-Protocol-Version", "2025-03-26")}},
		{"batch of allowed calls", `[` + named("tools/call", "search_docs") + `,{"jsonrpc":"2.0","id":2,"method":"ping"}]`, "",
			[]func(*http.Request){set("Mcp-Protocol-Version", "2025-03-26")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := g.serve(post(tc.body, tc.change...))
			want := http.StatusAccepted
			if tc.code != "" {
				want = http.StatusForbidden
			}
			if rec.Code != want || len(g.events) != 1 || g.events[0].Code != tc.code {
				t.Errorf("status %d, events %+v, want %d with code %q", rec.Code, g.events, want, tc.code)
			}
		})
	}
}

// The stream of notifications that takes the place of subscriptions in 2026-07-28 tells of allowed resources only.
func TestAccessOfListeners(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.Endpoints[0].Resources = []waf.AccessRule{{Identity: "*", Allow: []string{"file:///docs/*"}}}
	})
	open := newGuarded(t, func(c *waf.Config) { c.DangerouslyNoRules = true })
	for _, tc := range []struct {
		notifications string
		status        int
	}{
		{`{"toolsListChanged":true}`, 202},
		{`{"resourceSubscriptions":[]}`, 202},
		{`{"resourceSubscriptions":["file:///docs/a","file:///docs/b"]}`, 202},
		{`{"resourceSubscriptions":["file:///docs/a","file:///etc/passwd"]}`, 403},
		{`{"resourceSubscriptions":["file:///etc/passwd","file:///docs/a"]}`, 403},
		{`{"resourceSubscriptions":["file:///docs/\u002e./etc/passwd"]}`, 403},
		{`{"ResourceSubscriptions":["file:///etc/passwd"]}`, 400},
	} {
		if rec := g.serve(listen(tc.notifications)); rec.Code != tc.status {
			t.Errorf("%s: status %d, %s, want %d", tc.notifications, rec.Code, rec.Body, tc.status)
		}
		if rec := open.serve(listen(tc.notifications)); rec.Code != 202 && tc.status != 400 {
			t.Errorf("%s without rules: status %d, %s, want 202", tc.notifications, rec.Code, rec.Body)
		}
	}
}

// listen asks for a stream of notifications.
func listen(notifications string) *http.Request {
	body := `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":` + notifications + `,"_meta":{` +
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
	return post(body, set("Mcp-Protocol-Version", "2026-07-28"), set("Mcp-Method", "subscriptions/listen"))
}

// A caller to whom no rule applies may use nothing of a kind that has rules, and everything of the others.
func TestAccessOfOthers(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.Endpoints[0].Anonymous = true
		c.Endpoints[0].Tools = []waf.AccessRule{{Identity: "ci", Allow: []string{"*"}}}
	})
	if rec := g.serve(post(call, del("Authorization"))); rec.Code != 403 {
		t.Errorf("a tool of somebody else: status %d, want 403", rec.Code)
	}
	if rec := g.serve(post(`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"x"}}`, del("Authorization"))); rec.Code != 202 {
		t.Errorf("a prompt without rules: status %d, want 202", rec.Code)
	}
}
