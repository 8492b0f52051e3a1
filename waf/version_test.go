package waf_test

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/waf"
)

// A minimum for one caller refuses that caller what others may use, in the words in which an endpoint refuses a revision.
func TestMinVersions(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.Identities.Bearer = append(c.Identities.Bearer, waf.BearerToken{Name: "new", SHA256: sha256.Sum256([]byte("new"))})
		c.Endpoints[0].MinVersions = []waf.MinVersion{{Identity: "old", Version: mcpmsg.V20260728}, {Identity: "new", Version: mcpmsg.V20250618}}
	})
	initialize := func(version string) string {
		return `{"jsonrpc":"2.0","id":7,"method":"initialize","params":{"protocolVersion":"` + version + `","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`
	}
	modern := strings.Replace(call, `"params":{`, `"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}},`, 1)
	version := func(v string) func(*http.Request) { return set("Mcp-Protocol-Version", v) }
	get := func(r *http.Request) { r.Method, r.Body = http.MethodGet, http.NoBody }
	for _, path := range []string{"/mcp", "/MCP/"} {
		for _, tc := range []struct {
			name   string
			body   string
			change []func(*http.Request)
			status int
			code   string // of the JSON-RPC error
		}{
			{"older", call, []func(*http.Request){version("2025-03-26")}, 400, "-32022"},
			{"the minimum", call, []func(*http.Request){version("2025-06-18")}, 202, ""},
			{"newer", call, []func(*http.Request){version("2025-11-25")}, 202, ""},
			{"without sessions", modern, []func(*http.Request){version("2026-07-28"), set("Mcp-Method", "tools/call"), set("Mcp-Name", "echo")}, 202, ""},
			{"not told, so older", call, nil, 400, "-32020"},
			{"asked for, older", initialize("2024-11-05"), nil, 400, "-32022"},
			{"asked for, the minimum", initialize("2025-06-18"), nil, 202, ""},
			{"asked for, one to come", initialize("2030-01-01"), nil, 202, ""},
			{"a stream, older", "", []func(*http.Request){get, version("2025-03-26")}, 400, "-32022"},
			{"a stream", "", []func(*http.Request){get, version("2025-06-18")}, 202, ""},
		} {
			for caller, status := range map[string]int{token: 202, "new": tc.status} {
				rec := g.serve(post(tc.body, append(tc.change, target(path), set("Authorization", "Bearer "+caller))...))
				if rec.Code != status {
					t.Errorf("%s, %s as %s: status %d, events %+v, want %d", path, tc.name, caller, rec.Code, g.events, status)
				}
				if status == 202 {
					continue
				}
				for _, want := range []string{`"code":` + tc.code, `"supported":["2025-06-18","2025-11-25","2026-07-28"]`} {
					if !strings.Contains(rec.Body.String(), want) {
						t.Errorf("%s, %s: the answer lacks %s: %s", path, tc.name, want, rec.Body)
					}
				}
				if hasID := strings.Contains(rec.Body.String(), `"id":7,`); hasID != (tc.body != "") {
					t.Errorf("%s, %s: the answer is %s, want the id of the message", path, tc.name, rec.Body)
				}
				if e := g.events[len(g.events)-1]; e.Layer != waf.LayerPolicy || e.Code != "version_unsupported" || e.Identity != "new" {
					t.Errorf("%s, %s: event %+v", path, tc.name, e)
				}
			}
		}
	}
	e := g.Explain(post(call, version("2025-03-26"), set("Authorization", "Bearer new")))
	if got := e.String(); !strings.Contains(got, "refuses: 400 version_unsupported, by endpoints[0].min_versions[1]\n") {
		t.Errorf("the explanation does not name the rule:\n%s", got)
	}
}

// What can't be read may be of any revision, whatever the header says.
func TestMinVersionsOfUnreadMessages(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.Modes = map[waf.Layer]waf.Mode{waf.LayerTransport: waf.DetectOnly, waf.LayerMessage: waf.DetectOnly, waf.LayerBody: waf.DetectOnly}
		c.Identities.Bearer = append(c.Identities.Bearer, waf.BearerToken{Name: "new", SHA256: sha256.Sum256([]byte("new"))})
		c.Endpoints[0].Tools, c.Endpoints[0].MinVersions = nil, []waf.MinVersion{{Identity: "new", Version: mcpmsg.V20250618}}
	})
	twin := strings.Replace(call, `"method"`, `"Method":"tools/call","method"`, 1)
	for caller, want := range map[string]int{"new": 403, token: 202} {
		for _, version := range []string{"2025-06-18", ""} {
			request := post(twin, set("Authorization", "Bearer "+caller), set("Mcp-Protocol-Version", version))
			if version == "" {
				request.Header.Del("Mcp-Protocol-Version")
			}
			if rec := g.serve(request); rec.Code != want {
				t.Errorf("%s, version %q: status %d, events %+v, want %d", caller, version, rec.Code, g.events, want)
			}
			request = post(call, verb("PUT"), set("Authorization", "Bearer "+caller))
			if rec := g.serve(request); rec.Code != want {
				t.Errorf("%s, another verb: status %d, events %+v, want %d", caller, rec.Code, g.events, want)
			}
		}
	}
}

func TestMinVersionFaults(t *testing.T) {
	long := strings.Repeat("x", 257)
	_, err := waf.New(testConfig(func(c *waf.Config) {
		c.Endpoints[0].Versions = []mcpmsg.Version{mcpmsg.V20250618}
		c.Endpoints[0].MinVersions = []waf.MinVersion{
			{"", mcpmsg.V20250618}, {"*", mcpmsg.V20250618}, {"a", mcpmsg.V20250618}, {"a", mcpmsg.V20250618}, {"b", 0}, {"c", 99},
			{"d", mcpmsg.V20251125}, {long, mcpmsg.V20250618}, {"e", mcpmsg.V20241105},
		}
	}))
	const at = "waf: Config.Endpoints[0].MinVersions"
	want := strings.Join([]string{
		at + "[0].Identity: must be 1 to 256 bytes",
		at + "[1].Identity: must be one identity: MinVersion is for all",
		at + "[3].Identity: repeated",
		at + "[4].Version: is a revision that is not known",
		at + "[5].Version: is a revision that is not known",
		at + "[6].Version: is newer than all revisions that the endpoint serves",
		at + "[7].Identity: must be 1 to 256 bytes",
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("New: %v\nwant %s", err, want)
	}
	_, err = waf.New(testConfig(func(c *waf.Config) { c.Endpoints[0].MinVersions = make([]waf.MinVersion, 1025) }))
	if err == nil || err.Error() != at+": 1025 rules, at most 1024" {
		t.Errorf("New with too many: %v", err)
	}
}
