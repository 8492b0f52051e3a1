package e2e

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/validate"
	"github.com/sallyport/sallyport/waf"
)

// guardedConfig is the policy of these tests: the token may call every tool but toolDelete.
func guardedConfig(t *testing.T, seen *events) waf.Config {
	t.Helper()
	rules, err := defaultRules()
	if err != nil {
		t.Fatal(err)
	}
	tools := []waf.AccessRule{{Identity: "e2e", Deny: []string{toolDelete}}}
	return waf.Config{
		Identities: bearerIdentity(),
		Endpoints: []waf.Endpoint{
			{Path: "/mcp", Tools: tools},
			{Path: "/mcp_message", Tools: tools},
		},
		Rules:   rules,
		OnEvent: seen.add,
	}
}

// host is a server that clients connect to, in each of its revisions.
type host struct {
	name      string
	handler   func(*stage) http.Handler
	revisions []string
}

func (h *host) stateless() bool { return strings.HasSuffix(h.name, "-stateless") }
func (h *host) legacy() bool    { return strings.HasSuffix(h.name, "-legacy") }

var hosts = []host{
	{"gosdk-stateful", func(s *stage) http.Handler { return goSDKStreamable(s, false) }, []string{"2025-03-26", "2025-06-18", "2025-11-25"}},
	{"gosdk-stateless", func(s *stage) http.Handler { return goSDKStreamable(s, true) }, []string{"2025-11-25", "2026-07-28"}},
	{"gosdk-legacy", goSDKLegacy, []string{"2024-11-05"}},
	{"mcpgo-stateful", func(s *stage) http.Handler { return mcpGoStreamable(s, false) }, []string{"2025-03-26", "2025-06-18", "2025-11-25"}},
	{"mcpgo-stateless", func(s *stage) http.Handler { return mcpGoStreamable(s, true) }, []string{"2025-11-25", "2026-07-28"}},
	{"mcpgo-legacy", mcpGoLegacy, []string{"2024-11-05"}},
}

// Every client speaks to every host in every revision that both have: what it gets to see, and what the host gets to see, is the
// same with the Guard between them as without it.
func TestSessions(t *testing.T) {
	noLeak(t)
	playAll(t, map[string]connector{"gosdk": connectGoSDK, "mcpgo": connectMCPGo})
}

func TestTypeScriptSessions(t *testing.T) {
	v1, v2 := startTypeScript(t, "v1"), startTypeScript(t, "v2")
	noLeak(t)
	playAll(t, map[string]connector{"ts-v1": v1.connect, "ts-v2": v2.connect})
}

func playAll(t *testing.T, clients map[string]connector) {
	for _, h := range hosts {
		for _, client := range slices.Sorted(maps.Keys(clients)) {
			for _, revision := range h.revisions {
				if !speaks(client, &h, revision) {
					continue
				}
				t.Run(client+"-to-"+h.name+"/"+revision, func(t *testing.T) {
					p := play{client: client, connect: clients[client], host: &h, revision: revision, protocol: "HTTP/1.1"}
					direct := p.run(t, nil, nil)
					t.Log("without the Guard:\n" + strings.Join(direct, "\n"))
					if slices.ContainsFunc(direct, failed) {
						t.Error("something fails without the Guard")
					}
					for _, wiring := range wirings {
						for _, p.protocol = range protocols {
							if p.protocol == "HTTP/2.0" && (strings.HasPrefix(client, "ts-") || revision != h.revisions[len(h.revisions)-1]) {
								continue // the TypeScript SDKs leave HTTP to Node.js, which speaks 1.1
							}
							seen := &events{}
							cfg := guardedConfig(t, seen)
							if wiring.name == "proxy" { // one binds the ids of sessions, the other one is as strict as it can be
								cfg.SessionKeys = [][]byte{bytes.Repeat([]byte("k"), 32)}
							} else {
								cfg.Request, cfg.StrictDiscovery = validate.Strict(), true
								cfg.Message.StrictToolNames, cfg.Message.RefuseReservedMeta = true, true
							}
							guard := newGuard(t, cfg)
							guarded := p.run(t, seen, func(server http.Handler) http.Handler { return wiring.wrap(t, guard, server) })
							if !slices.Equal(direct, guarded) {
								t.Errorf("%s %s:\n%s\nrefused: %v", wiring.name, p.protocol, strings.Join(guarded, "\n"), refusals(seen.take()))
							}
						}
					}
				})
			}
		}
	}
}

// speaks reports whether a client can be made to speak the revision. The TypeScript SDK before version 2 takes the newest one.
func speaks(client string, h *host, revision string) bool {
	return client != "ts-v1" || h.legacy() || revision == "2025-11-25"
}

func refusals(list []waf.Event) []waf.Event {
	return slices.DeleteFunc(list, func(e waf.Event) bool { return e.Action != waf.ActionDeny })
}
