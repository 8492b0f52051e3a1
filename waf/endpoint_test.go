package waf

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

func mustCompileEndpoints(t testing.TB, endpoints ...Endpoint) *endpointTable {
	t.Helper()
	table, errs := compileEndpoints(endpoints, mcpmsg.Config{})
	for _, err := range errs {
		t.Fatal(err)
	}
	return table
}

func TestFoldPath(t *testing.T) {
	for _, tc := range []struct{ path, want string }{
		{"", ""},
		{"/", "/"},
		{"/mcp", "/mcp"},
		{"/a.b/c_d~e", "/a.b/c_d~e"},
		{"/MCP", "/mcp"},
		{"/mcp/", "/mcp"},
		{"/mcp//", "/mcp"},
		{"//mcp", "/mcp"},
		{"/a///b", "/a/b"},
		{"/mcp%5Fmessage", "/mcp_message"},
		{"/mcp%5fmessage", "/mcp_message"},
		{"/mcp%255Fmessage", "/mcp_message"},
		{"/x%2Fmcp", "/x/mcp"},
		{"/x%5Cmcp", "/x/mcp"},
		{`/x\mcp`, "/x/mcp"},
		{"/mcp;v=1", "/mcp"},
		{"/mcp;v=1/list;x", "/mcp/list"},
		{"/mcp%3Bv=1", "/mcp"},
		{"/%", "/%"},
		{"/%4", "/%4"},
		{"/%zz", "/%zz"},
		{"/100%25", "/100%"},
	} {
		if got := foldPath(tc.path); got != tc.want {
			t.Errorf("foldPath(%q) = %q, want %q", tc.path, got, tc.want)
		}
	}
}

func FuzzFoldPath(f *testing.F) {
	for _, seed := range []string{"/", "/mcp", "/MCP/", "//a%2f;b", `/\%5c`, "/%25255f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		folded := foldPath(path)
		if isFolded(path) && folded != path {
			t.Errorf("foldPath(%q) = %q, want it unchanged", path, folded)
		}
		if len(folded) > len(path) {
			t.Errorf("foldPath(%q) = %q, longer than the path", path, folded)
		}
		if path, _, _ = strings.Cut(path, "?"); foldPath(path) != folded {
			t.Errorf("foldPath(%q) = %q, want %q as with a query", path, foldPath(path), folded)
		}
		if upper := foldPath(strings.ToUpper(path)); isASCII(path) && upper != folded {
			t.Errorf("foldPath of %q in upper case = %q, want %q", path, upper, folded)
		}
	})
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func TestFindEndpoint(t *testing.T) {
	table := mustCompileEndpoints(t,
		Endpoint{Path: "/mcp"},
		Endpoint{Path: "/admin/mcp", Anonymous: false, Tools: []AccessRule{}},
		Endpoint{Path: "*/mcp", Anonymous: true},
		Endpoint{Path: "/tools/*"},
		Endpoint{Path: "/tools/deep/*", Anonymous: true},
		Endpoint{Path: "/mcp_message", Transport: TransportHTTPSSE, SSEPath: "/stream"},
	)
	for _, tc := range []struct {
		path, want string
		ambiguous  bool
	}{
		{path: "/mcp", want: "/mcp"},
		{path: "/x/mcp", want: "*/mcp"},
		{path: "/admin/mcp", want: "/admin/mcp"},
		{path: "/tools/a", want: "/tools/*"},
		{path: "/tools/", want: "/tools/*"},
		{path: "/tools/deep/a", want: "/tools/deep/*"},
		{path: "/mcp_message", want: "/mcp_message"},
		{path: "/stream", want: "/stream"},
		{path: "/", want: ""},
		{path: "/mcpx", want: ""},
		{path: "/mcp/x", want: ""},
		{path: "/tools", want: ""},
		{path: "/mcp_messages", want: ""},

		// Other spellings of an endpoint are judged as that endpoint.
		{path: "/MCP", want: "/mcp"},
		{path: "/mcp/", want: "/mcp"},
		{path: "/mcp_message/", want: "/mcp_message"},
		{path: "/mcp%5Fmessage", want: "/mcp_message"},
		{path: "/mcp_message;x=1", want: "/mcp_message"},
		{path: "/tools%2Fa", want: "/tools/*"},

		// A path that leads to endpoints with different settings, depending on the reader.
		{path: "/tools/deep;x/mcp", want: "/tools/*", ambiguous: true},
		{path: "/admin;/mcp", want: "*/mcp", ambiguous: true},
		{path: "/Admin/mcp", want: "*/mcp", ambiguous: true},
		{path: "//mcp", want: "*/mcp", ambiguous: true},
	} {
		ep, ambiguous := table.find(tc.path)
		got := ""
		if ep != nil {
			got = ep.Path
		}
		if got != tc.want || ambiguous != tc.ambiguous {
			t.Errorf("find(%q) = %q, %v, want %q, %v", tc.path, got, ambiguous, tc.want, tc.ambiguous)
		}
	}
}

// The default endpoints share their settings, so that no spelling of a path is refused for ambiguity.
func TestFindWellKnown(t *testing.T) {
	table := mustCompileEndpoints(t, WellKnownEndpoints()...)
	for path, want := range map[string]bool{
		"/mcp": true, "/mcp/": true, "/mcp/a": true, "/servers/github/mcp": true, "/sse": true, "/message": true, "/messages": true,
		"/messages/": true, "/mcp_message": true, "/mcp_message/": true, "/": false, "/api/items": false, "/mcpx": false, "/message/x": false,
	} {
		ep, ambiguous := table.find(path)
		if (ep != nil) != want || ambiguous {
			t.Errorf("find(%q) = %v, ambiguous %v, want found %v", path, ep, ambiguous, want)
		}
	}
}

func TestFindAllocs(t *testing.T) {
	table := mustCompileEndpoints(t, WellKnownEndpoints()...)
	for _, path := range []string{"/mcp", "/api/items/7", "/servers/github/mcp"} {
		if n := testing.AllocsPerRun(100, func() { table.find(path) }); n != 0 {
			t.Errorf("find(%q): %v allocs, want 0", path, n)
		}
	}
}

func TestCompileEndpointsFaults(t *testing.T) {
	for _, tc := range []struct {
		name      string
		endpoints []Endpoint
		want      []string // one part of each error, in order
	}{
		{"empty path", []Endpoint{{}}, []string{"Endpoints[0].Path"}},
		{"relative path", []Endpoint{{Path: "mcp"}}, []string{"Endpoints[0].Path"}},
		{"star inside", []Endpoint{{Path: "/a*b"}}, []string{"Endpoints[0].Path"}},
		{"query", []Endpoint{{Path: "/mcp?x"}}, []string{"Endpoints[0].Path"}},
		{"raw non-ASCII", []Endpoint{{Path: "/mcp\u00e9"}}, []string{"Endpoints[0].Path"}},
		{"same path twice", []Endpoint{{Path: "/mcp"}, {Path: "/mcp"}}, []string{"Endpoints[1].Path"}},
		{"twins with other settings", []Endpoint{{Path: "/mcp"}, {Path: "/MCP", Anonymous: true}}, []string{"Endpoints[1].Path"}},
		{"unknown transport", []Endpoint{{Path: "/mcp", Transport: 9}}, []string{"Endpoints[0].Transport"}},
		{"stream without pair", []Endpoint{{Path: "/mcp", SSEPath: "/sse"}}, []string{"Endpoints[0].SSEPath"}},
		{"pattern stream", []Endpoint{{Path: "/m", Transport: TransportHTTPSSE, SSEPath: "/sse/*"}}, []string{"Endpoints[0].SSEPath"}},
		{"unknown revision", []Endpoint{{Path: "/mcp", Versions: []mcpmsg.Version{77}}}, []string{"Endpoints[0].Versions"}},
		{"no revision", []Endpoint{{Path: "/mcp", Versions: []mcpmsg.Version{}}}, []string{"Endpoints[0].Versions"}},
		{"null origin", []Endpoint{{Path: "/mcp", AllowOrigins: []string{"null"}}}, []string{"AllowOrigins[0]"}},
		{"wildcard origin", []Endpoint{{Path: "/mcp", AllowOrigins: []string{"https://ok.example", "https://*.example"}}}, []string{"AllowOrigins[1]"}},
		{"origin with path", []Endpoint{{Path: "/mcp", AllowOrigins: []string{"https://a.example/"}}}, []string{"AllowOrigins[0]"}},
		{"origin in upper case", []Endpoint{{Path: "/mcp", AllowOrigins: []string{"https://A.example"}}}, []string{"AllowOrigins[0]"}},
		{"bad host", []Endpoint{{Path: "/mcp", AllowHosts: []string{"a b"}}}, []string{"AllowHosts[0]"}},
		{"all at once", []Endpoint{{Path: "x"}, {Path: "/mcp", AllowHosts: []string{"a/b"}}}, []string{"Endpoints[0].Path", "Endpoints[1].AllowHosts[0]"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, errs := compileEndpoints(tc.endpoints, mcpmsg.Config{})
			if len(errs) != len(tc.want) {
				t.Fatalf("compileEndpoints = %v, want %d errors", errs, len(tc.want))
			}
			for i, err := range errs {
				if !strings.Contains(err.Error(), tc.want[i]) {
					t.Errorf("error %d = %q, want one about %s", i, err, tc.want[i])
				}
			}
		})
	}
}

func TestTwinsWithEqualSettings(t *testing.T) {
	table := mustCompileEndpoints(t, Endpoint{Path: "/mcp"}, Endpoint{Path: "/mcp/"})
	for _, path := range []string{"/mcp", "/mcp/", "/MCP/"} {
		if ep, ambiguous := table.find(path); ep == nil || ambiguous {
			t.Errorf("find(%q) = %v, %v, want an endpoint", path, ep, ambiguous)
		}
	}
}
