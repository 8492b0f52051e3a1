package e2e

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"
)

// A stream on which nothing happens outlives what the Guard bounds in time, and is a stream still.
func TestIdleStream(t *testing.T) {
	noLeak(t)
	stayIdle(t, map[string]connector{"gosdk": connectGoSDK, "mcpgo": connectMCPGo})
}

func TestTypeScriptIdleStream(t *testing.T) {
	v1, v2 := startTypeScript(t, "v1"), startTypeScript(t, "v2")
	noLeak(t)
	stayIdle(t, map[string]connector{"ts-v1": v1.connect, "ts-v2": v2.connect})
}

func stayIdle(t *testing.T, clients map[string]connector) {
	const bound = 3 * time.Second // short enough to wait for it, and longer than what may come between the head and the body of a request
	for _, h := range hosts {
		for _, client := range slices.Sorted(maps.Keys(clients)) {
			p := play{client: client, connect: clients[client], host: &h, revision: h.revisions[len(h.revisions)-1]}
			if !p.hears() || !speaks(client, &h, p.revision) {
				continue
			}
			t.Run(client+"-to-"+h.name, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				seen, stage := &events{}, newStage()
				defer stage.end()
				cfg := guardedConfig(t, seen)
				cfg.Limits.BodyTimeout = bound
				proxied := wirings[1].wrap(t, newGuard(t, cfg), h.handler(stage))
				changed := make(chan struct{}, 16)
				s, err := p.connect(ctx, t, server{
					url: listen(t, proxied) + "/mcp", legacy: h.legacy(), revision: p.revision, changed: func() { changed <- struct{}{} },
				})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(bound + bound/2)
				stage.addTool()
				select {
				case <-changed:
				case <-ctx.Done():
					t.Errorf("the stream is dead; refused: %v", refusals(seen.take()))
				}
				if got, err := s.call(ctx, toolEcho, map[string]any{"message": "hello"}, nil); err != nil || got != "hello" {
					t.Errorf("echo: %q, %v", got, err)
				}
				if err := leave(t, s); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
