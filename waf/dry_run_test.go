package waf_test

import (
	"errors"
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
