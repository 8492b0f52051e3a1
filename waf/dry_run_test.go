package waf_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/waf"
)

// The lists to try out decide nothing and tell every disagreement, and only those.
func TestDryRun(t *testing.T) {
	for _, tc := range []struct {
		name   string
		tool   string
		dry    *waf.AccessLists
		mode   waf.Mode
		status int
		want   []string
	}{
		{"none", "echo", nil, waf.Enforce, 202, []string{"allow none "}},
		{"both allow", "echo", &waf.AccessLists{Tools: []waf.AccessRule{{Identity: "ci", Allow: []string{"echo"}}}}, waf.Enforce, 202, []string{"allow none "}},
		{"both deny", "delete_all", &waf.AccessLists{Tools: []waf.AccessRule{}}, waf.Enforce, 403, []string{"deny policy tool_not_allowed"}},
		{"would deny", "echo", &waf.AccessLists{Tools: []waf.AccessRule{{Identity: "cd"}}}, waf.Enforce, 202,
			[]string{"dry-deny policy tool_not_allowed", "allow none "}},
		{"would deny the method", "echo", &waf.AccessLists{Methods: []waf.AccessRule{{Identity: "*", Allow: []string{"tools/list"}}}}, waf.Enforce, 202,
			[]string{"dry-deny policy mcp_method_not_allowed", "allow none "}},
		{"would allow", "delete_all", &waf.AccessLists{}, waf.Enforce, 403,
			[]string{"dry-allow policy tool_not_allowed", "deny policy tool_not_allowed"}},
		{"would allow, and the policy only detects", "delete_all", &waf.AccessLists{}, waf.DetectOnly, 202,
			[]string{"dry-allow policy tool_not_allowed", "detect policy tool_not_allowed", "allow none "}},
	} {
		g := newGuarded(t, func(c *waf.Config) { c.DangerouslyNoRules, c.Mode, c.Endpoints[0].DryRun = true, tc.mode, tc.dry })
		rec := g.serve(post(strings.Replace(call, "echo", tc.tool, 1)))
		var got []string
		for _, e := range g.events {
			got = append(got, e.Action.String()+" "+e.Layer.String()+" "+e.Code)
			if e.Tool != tc.tool || e.Endpoint != "/mcp" || e.Identity != "ci" || e.RequestID != g.events[0].RequestID {
				t.Errorf("%s: event %+v does not tell the call", tc.name, e)
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" || rec.Code != tc.status {
			t.Errorf("%s: status %d, want %d; events (-want +got):\n%s", tc.name, rec.Code, tc.status, diff)
		}
	}
}

// Two endpoints that differ only in what is tried out are one to a lenient router.
func TestDryRunIsNoSetting(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		other := c.Endpoints[0]
		other.Path, other.DryRun = "/mcp/", &waf.AccessLists{Tools: []waf.AccessRule{}}
		c.DangerouslyNoRules, c.Endpoints = true, append(c.Endpoints, other)
	})
	if rec := g.serve(post(call, target("/mcp/"))); rec.Code != 202 || len(g.events) != 2 {
		t.Errorf("status %d, events %+v, want 202 and a disagreement", rec.Code, g.events)
	}
}

func TestDryRunInPolicyFile(t *testing.T) {
	cfg, err := waf.ParsePolicy([]byte(`{"endpoints": [{"path": "/mcp", "tools": [{"identity": "*"}],
		"dry_run": {"tools": [{"identity": "ci", "deny": ["delete_*"]}], "methods": []}}]}`))
	want := &waf.AccessLists{Methods: []waf.AccessRule{}, Tools: []waf.AccessRule{{Identity: "ci", Deny: []string{"delete_*"}}}}
	if err != nil || !cmp.Equal(cfg.Endpoints[0].DryRun, want) {
		t.Errorf("dry_run is read as %+v, %v, want %+v", cfg.Endpoints, err, want)
	}
	for text, message := range map[string]string{
		`{"endpoints": [{"path": "/mcp", "dry_run": {"tools": [{"identity": "*", "deny": [""]}]}}]}`: "endpoints[0].dry_run.tools[0].deny[0]: must not be empty",
		`{"endpoints": [{"path": "/mcp", "dry_run": {"path": "/mcp"}}]}`:                             "endpoints[0].dry_run",
	} {
		_, err := waf.ParsePolicy([]byte(text))
		var fault *waf.PolicyError
		if !errors.As(err, &fault) || !strings.Contains(fault.Message, message) {
			t.Errorf("%s: %v, want %q", text, err, message)
		}
	}
}

// Lists that the server answers with are compared too: by name, in every form of an answer, and they stay as they are.
func TestDryRunOfLists(t *testing.T) {
	const (
		list   = `{"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"echo"},{"name":"add"},{"name":"add"},{"name":"delete_all"},{"Name":"x","name":"add"},7]}}`
		shown  = `{"id":3,"jsonrpc":"2.0","result":{"tools":[{"name":"echo"},{"name":"add"},{"name":"add"}]}}`
		prompt = `{"jsonrpc":"2.0","id":3,"result":{"prompts":[{"name":"hello\u0000"}]}}`
		uris   = `{"jsonrpc":"2.0","id":3,"result":{"resources":[{"uri":"file:///a"},{"uri":"file:///b"}],"resourceTemplates":[{"uriTemplate":"file:///{n}"}]}}`
	)
	none := &waf.AccessLists{Tools: []waf.AccessRule{}, Prompts: []waf.AccessRule{}, Resources: []waf.AccessRule{}}
	for _, tc := range []struct {
		name, answer, mediaType string
		dry                     *waf.AccessLists
		want                    string
		events                  []string
	}{
		{"no disagreement", list, "application/json", &waf.AccessLists{Tools: []waf.AccessRule{{Identity: "*", Deny: []string{"delete_*"}}}}, shown, nil},
		{"would hide and show", list, "application/json", &waf.AccessLists{Tools: []waf.AccessRule{{Identity: "*", Deny: []string{"add"}}}}, shown,
			[]string{"dry-deny tool_not_allowed add", "dry-allow tool_not_allowed delete_all"}},
		{"in an event", "data: " + list + "\n\n", "text/event-stream", &waf.AccessLists{Tools: []waf.AccessRule{{Identity: "*", Deny: []string{"add", "delete_all"}}}},
			"data: " + shown + "\n\n", []string{"dry-deny tool_not_allowed add"}},
		{"in a batch", "[" + list + "]", "application/json", &waf.AccessLists{Tools: []waf.AccessRule{{Identity: "ci", Allow: []string{"add"}}}}, "[" + shown + "]",
			[]string{"dry-deny tool_not_allowed echo"}},
		{"prompts", prompt, "application/json", none, `{"id":3,"jsonrpc":"2.0","result":{"prompts":[{"name":"hello\u0000"}]}}`, []string{`dry-deny prompt_not_allowed hello\x00`}},
		{"resources, without their names", uris, "application/json", none, `{"id":3,"jsonrpc":"2.0","result":` +
			`{"resourceTemplates":[{"uriTemplate":"file:///{n}"}],"resources":[{"uri":"file:///a"},{"uri":"file:///b"}]}}`, []string{"dry-deny resource_not_allowed "}},
		{"not a list", `{"jsonrpc":"2.0","id":3,"result":{"tools":"x"}}`, "application/json", none, "", []string{"deny response_unreadable "}},
		{"an error", `{"jsonrpc":"2.0","id":3,"error":{"code":1,"message":"x"}}`, "application/json", none, `{"jsonrpc":"2.0","id":3,"error":{"code":1,"message":"x"}}`, nil},
	} {
		g := newGuarded(t, func(c *waf.Config) { c.DangerouslyNoRules, c.Endpoints[0].DryRun = true, tc.dry })
		rec := answerWith(g, post(listTools), writes(200, tc.mediaType, tc.answer))
		var got []string
		for _, e := range g.events[1:] {
			got = append(got, e.Action.String()+" "+e.Code+" "+e.Tool)
			if e.Endpoint != "/mcp" || e.Identity != "ci" || e.Method != "tools/list" || e.RequestID != g.events[0].RequestID {
				t.Errorf("%s: event %+v does not tell the request", tc.name, e)
			}
		}
		if diff := cmp.Diff(tc.events, got); diff != "" {
			t.Errorf("%s: events (-want +got):\n%s", tc.name, diff)
		}
		if rec.Body.String() != tc.want && tc.want != "" {
			t.Errorf("%s: the answer is %s, want %s", tc.name, rec.Body, tc.want)
		}
	}
}

// A server can't make more events than a bounded number.
func TestDryRunOfLongLists(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules, c.Endpoints[0].DryRun = true, &waf.AccessLists{Tools: []waf.AccessRule{}}
	})
	var elements []string
	for i := range 1000 {
		elements = append(elements, fmt.Sprintf(`{"name":"t%d"}`, i))
	}
	answerWith(g, post(listTools), writes(200, "application/json", `{"jsonrpc":"2.0","id":3,"result":{"tools":[`+strings.Join(elements, ",")+`]}}`))
	if len(g.events) != 101 {
		t.Errorf("%d events, want 101", len(g.events))
	}
}
