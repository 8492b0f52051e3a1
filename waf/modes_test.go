package waf_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/waf"
)

// An endpoint's modes count on that endpoint, and nowhere else.
func TestEndpointModes(t *testing.T) {
	denied := strings.Replace(call, "echo", "delete_all", 1)
	for name, tc := range map[string]struct {
		config   waf.Mode
		endpoint map[waf.Layer]waf.Mode
		request  *http.Request
		status   int
		events   string
	}{
		"none of its own":                 {waf.Enforce, nil, post(denied), 403, "deny tool_not_allowed"},
		"none of its own, and detection":  {waf.DetectOnly, nil, post(denied), 202, "detect tool_not_allowed, allow "},
		"detects":                         {waf.Enforce, waf.AllLayers(waf.DetectOnly), post(denied, del("Authorization")), 202, "detect identity_required, detect tool_not_allowed, allow "},
		"detects framing":                 {waf.Enforce, waf.AllLayers(waf.DetectOnly), post(call, set("Mcp-Name", "=?base64?SGVsbG8?=")), 202, "detect mcp_encoding_invalid, detect mirror_encoding, allow "},
		"one layer detects":               {waf.Enforce, map[waf.Layer]waf.Mode{waf.LayerPolicy: waf.DetectOnly}, post(denied), 202, "detect tool_not_allowed, allow "},
		"one layer detects, another not":  {waf.Enforce, map[waf.Layer]waf.Mode{waf.LayerPolicy: waf.DetectOnly}, post(denied, del("Authorization")), 401, "deny identity_required"},
		"enforces":                        {waf.DetectOnly, waf.AllLayers(waf.Enforce), post(denied), 403, "deny tool_not_allowed"},
		"one layer enforces":              {waf.DetectOnly, map[waf.Layer]waf.Mode{waf.LayerPolicy: waf.Enforce}, post(denied, del("Authorization")), 403, "detect identity_required, deny tool_not_allowed"},
		"benign":                          {waf.Enforce, waf.AllLayers(waf.DetectOnly), post(call), 202, "allow "},
		"the other endpoint":              {waf.Enforce, waf.AllLayers(waf.DetectOnly), post(denied, target("/other")), 403, "deny tool_not_allowed"},
		"the other endpoint, by a header": {waf.Enforce, waf.AllLayers(waf.DetectOnly), post(denied, set("X-Original-Url", "/other")), 400, "deny header_reroutes"},
		"either endpoint":                 {waf.Enforce, waf.AllLayers(waf.DetectOnly), post(denied, target("/mcp/x;/../../other")), 400, "deny uri_dot_segment"},
	} {
		g := newGuarded(t, func(c *waf.Config) {
			other := c.Endpoints[0]
			other.Path = "/other"
			c.DangerouslyNoRules, c.Mode = true, tc.config
			c.Endpoints[0].Modes = tc.endpoint
			c.Endpoints = append(c.Endpoints, other)
		})
		rec := g.serve(tc.request)
		var events []string
		for _, e := range g.events {
			events = append(events, e.Action.String()+" "+e.Code)
		}
		if got := strings.Join(events, ", "); rec.Code != tc.status || got != tc.events {
			t.Errorf("%s: status %d, events %q, want %d, %q", name, rec.Code, got, tc.status, tc.events)
		}
	}
}

func verb(method string) func(*http.Request) { return func(r *http.Request) { r.Method = method } }

// Where messages that can't be read go on, they may be a use of anything: the policy lets them through only if it has no rules.
func TestPolicyOfUnreadMessages(t *testing.T) {
	twin := strings.Replace(call, `"method"`, `"Method":"tools/call","method"`, 1)
	other := []waf.AccessRule{{Identity: "*", Deny: []string{"x"}}}
	for name, tc := range map[string]struct {
		rules   waf.AccessLists
		request *http.Request
		status  int
	}{
		"no rules":                      {waf.AccessLists{}, post(twin), 202},
		"rules for tools":               {waf.AccessLists{Tools: other}, post(twin), 403},
		"rules for methods":             {waf.AccessLists{Methods: other}, post(twin), 403},
		"rules for resources":           {waf.AccessLists{Resources: other}, post(twin), 403},
		"body over the limit":           {waf.AccessLists{Tools: other}, post(call + strings.Repeat(" ", 200)), 403},
		"a message that was read":       {waf.AccessLists{Tools: other}, post(call), 202},
		"one whose mirror disagrees":    {waf.AccessLists{Tools: other}, post(call, set("Mcp-Method", "ping")), 202},
		"one that the policy forbids":   {waf.AccessLists{Tools: other}, post(strings.Replace(call, "echo", "x", 1), set("Mcp-Method", "ping")), 403},
		"the stream, where none is due": {waf.AccessLists{Tools: other}, post("", stream), 202},
		"a message under another verb":  {waf.AccessLists{Tools: other}, post(call, verb("PUT")), 403},
		"one in the request for events": {waf.AccessLists{Tools: other}, post(call, verb("GET"), set("Accept", "text/event-stream")), 403},
		"one that is compressed":        {waf.AccessLists{Tools: other}, post(call, verb("DELETE"), set("Content-Encoding", "gzip")), 403},
		"the same without rules":        {waf.AccessLists{}, post(call, verb("PUT")), 202},
		"the end of a session":          {waf.AccessLists{Tools: other}, post("", verb("DELETE")), 202},
	} {
		g := newGuarded(t, func(c *waf.Config) {
			c.DangerouslyNoRules, c.MaxBodyBytes = true, 200
			c.Modes = map[waf.Layer]waf.Mode{waf.LayerTransport: waf.DetectOnly, waf.LayerMessage: waf.DetectOnly, waf.LayerBody: waf.DetectOnly}
			e := &c.Endpoints[0]
			e.Methods, e.Tools, e.Resources = tc.rules.Methods, tc.rules.Tools, tc.rules.Resources
		})
		if rec := g.serve(tc.request); rec.Code != tc.status || tc.status == 403 && g.events[len(g.events)-1].Layer != waf.LayerPolicy {
			t.Errorf("%s: status %d, want %d; events %+v", name, rec.Code, tc.status, g.events)
		}
	}
}

// A path that leads to two endpoints is refused although the one that the wire form names only detects.
func TestEndpointModesOfAmbiguousPath(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		watched := c.Endpoints[0]
		watched.Path, watched.Modes = "/Mcp/*", waf.AllLayers(waf.DetectOnly)
		c.DangerouslyNoRules = true
		c.Endpoints = append(c.Endpoints, watched, waf.Endpoint{Path: "/mcp/admin"})
	})
	for path, want := range map[string]int{"/Mcp/x": 202, "/Mcp/admin": 400} {
		if rec := g.serve(post(call, del("Authorization"), target(path))); rec.Code != want {
			t.Errorf("%s: status %d, events %+v, want %d", path, rec.Code, g.events, want)
		}
	}
}

// In the modes of an endpoint, too, Explain gives as the verdict what Check decides.
func TestEndpointModesExplained(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		explainConfig(c)
		c.Endpoints[0].Modes = map[waf.Layer]waf.Mode{waf.LayerPolicy: waf.DetectOnly, waf.LayerMessage: waf.DetectOnly}
	})
	for _, tc := range explained {
		got := g.Explain(tc.request()).Verdict
		if want, _ := g.Check(tc.request()); got.Layer != want.Layer || got.Code != want.Code {
			t.Errorf("%s: Explain says %v %s, Check %v %s", tc.name, got.Layer, got.Code, want.Layer, want.Code)
		}
	}
}

// An answer is filtered or not as the endpoint says.
func TestEndpointModesOfAnswers(t *testing.T) {
	for mode, want := range map[waf.Mode]bool{waf.Enforce: false, waf.DetectOnly: true} {
		g := newGuarded(t, func(c *waf.Config) {
			c.DangerouslyNoRules = true
			c.Endpoints[0].Modes = map[waf.Layer]waf.Mode{waf.LayerResponse: mode}
		})
		rec := answerWith(g, post(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`),
			writes(200, "application/json", `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete_all","inputSchema":{"type":"object"}}]}}`))
		if got := strings.Contains(rec.Body.String(), "delete_all"); got != want {
			t.Errorf("%v: the answer is %s", mode, rec.Body)
		}
	}
}

func TestMinVersion(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.Endpoints[0].MinVersion = mcpmsg.V20250618
	})
	initialize := func(version string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"` + version + `","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`
	}
	for _, tc := range []struct {
		name    string
		request *http.Request
		status  int
	}{
		{"older", post(call, set("Mcp-Protocol-Version", "2025-03-26")), 400},
		{"the minimum", post(call, set("Mcp-Protocol-Version", "2025-06-18")), 202},
		{"newer", post(call, set("Mcp-Protocol-Version", "2025-11-25")), 202},
		{"not told, so older", post(call), 400},
		{"asked for, older", post(initialize("2024-11-05")), 400},
		{"asked for, the minimum", post(initialize("2025-06-18")), 202},
	} {
		rec := g.serve(tc.request)
		if rec.Code != tc.status {
			t.Errorf("%s: status %d, events %+v, want %d", tc.name, rec.Code, g.events, tc.status)
		}
		if tc.status == 400 && !strings.Contains(rec.Body.String(), `"supported":["2025-06-18","2025-11-25","2026-07-28"]`) {
			t.Errorf("%s: the answer does not tell what is served: %s", tc.name, rec.Body)
		}
	}
	for _, change := range []func(*waf.Endpoint){
		func(ep *waf.Endpoint) { ep.MinVersion = 99 },
		func(ep *waf.Endpoint) {
			ep.MinVersion, ep.Versions = mcpmsg.V20250618, []mcpmsg.Version{mcpmsg.V20251125}
		},
	} {
		_, err := waf.New(testConfig(func(c *waf.Config) { change(&c.Endpoints[0]) }))
		if err == nil || !strings.Contains(err.Error(), "Config.Endpoints[0].MinVersion: ") {
			t.Errorf("New: %v, want a fault of MinVersion", err)
		}
	}
}

func TestModeFaults(t *testing.T) {
	for _, modes := range []map[waf.Layer]waf.Mode{{waf.LayerNone: waf.Enforce}, {99: waf.Enforce}, {waf.LayerRules: 2}} {
		_, err := waf.New(testConfig(func(c *waf.Config) { c.Modes, c.Endpoints[0].Modes = modes, modes }))
		const want = "waf: Config.Modes: no such layer or mode\nwaf: Config.Endpoints[0].Modes: no such layer or mode"
		if err == nil || err.Error() != want {
			t.Errorf("Modes %v: %v", modes, err)
		}
	}
}

// A path that cleaning readers take elsewhere is refused although the endpoint that it begins with only detects: what it hides
// would be judged by nobody.
func TestEndpointModesOfPathThatLeadsElsewhere(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		watched := c.Endpoints[0]
		watched.Path, watched.Modes = "/new/*", waf.AllLayers(waf.DetectOnly)
		c.DangerouslyNoRules = true
		c.Endpoints = append(c.Endpoints, watched)
	})
	for path, want := range map[string]int{
		"/new/x": 202, "/new/.x/..y/z.": 202, "/new/a?b=/../c": 202, "/new/a%41;v=1": 202, "/new//a/": 202,
		"/new/../mcp": 400, "/new/./../mcp": 400, "/new/..": 400, "/new/%2e%2E/mcp": 400, "/new/..%2fmcp": 400, `/new/..\mcp`: 400,
		"/new/..;x/mcp": 400, "/new/x;/..;/../mcp": 400, "/new/%252e%252e/mcp": 400, "/new/../mcp/%2e%2e/new/x": 400,
		"/new/x#/../../mcp": 400, "/new/x?y#z": 202,
		"/new/%3f/../mcp": 400, "/new/%3F/..%2fmcp": 400, "/new/%3f/%252e%252e/mcp": 400, "/new/a%3fb": 202, "/new/..%3f": 400, "/new/;%252f../mcp": 400, "/new/;v=.;w=..a": 202,
	} {
		if rec := g.serve(post(call, del("Authorization"), target(path))); rec.Code != want {
			t.Errorf("%s: status %d, events %+v, want %d", path, rec.Code, g.events, want)
		}
	}
}
