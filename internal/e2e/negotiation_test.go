package e2e

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

// Where an endpoint serves fewer revisions than the server behind it, clients that choose by themselves find one of them: by what
// the Guard answers in the server's place.
func TestNegotiation(t *testing.T) {
	noLeak(t)
	negotiate(t, map[string]connector{"gosdk": connectGoSDK, "mcpgo": connectMCPGo})
}

func TestTypeScriptNegotiation(t *testing.T) {
	v1, v2 := startTypeScript(t, "v1"), startTypeScript(t, "v2")
	noLeak(t)
	negotiate(t, map[string]connector{"ts-v1": v1.connect, "ts-v2": v2.connect})
}

func negotiate(t *testing.T, clients map[string]connector) {
	for _, tc := range []struct {
		name     string
		versions []mcpmsg.Version
		want     string
	}{
		{"all", nil, "2026-07-28"},
		{"handshake", []mcpmsg.Version{mcpmsg.V20250618, mcpmsg.V20251125}, "2025-11-25"},
		{"modern", []mcpmsg.Version{mcpmsg.V20260728}, "2026-07-28"},
	} {
		for _, client := range slices.Sorted(maps.Keys(clients)) {
			t.Run(client+"/"+tc.name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				seen, stage := &events{}, newStage()
				defer stage.end()
				cfg := guardedConfig(t, seen)
				cfg.Endpoints[0].Versions = tc.versions
				guarded := newGuard(t, cfg).Wrap(goSDKStreamable(stage, true))
				s, err := clients[client](ctx, t, server{url: listen(t, guarded) + "/mcp", changed: func() {}})
				want := tc.want
				if client == "ts-v1" { // it does not know the newest one
					want = "2025-11-25"
					if tc.name == "modern" {
						if err == nil {
							t.Errorf("it speaks %s", s.revision())
						}
						return
					}
				}
				if err != nil {
					t.Fatalf("connect: %v; refused: %v", err, refusals(seen.take()))
				}
				if s.revision() != want {
					t.Errorf("revision %s, want %s", s.revision(), want)
				}
				if got, err := s.call(ctx, toolEcho, map[string]any{"message": "hello"}, nil); err != nil || got != "hello" {
					t.Errorf("echo: %q, %v; refused: %v", got, err, refusals(seen.take()))
				}
				if err := leave(t, s); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
