package e2e

import (
	"context"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

// A client whose answer to the server is refused goes on: with the call that waits for the answer, until it is cancelled, and with
// the next one. Above all it does not take the refusal for the answer to a call of its own.
func TestRefusedAnswer(t *testing.T) {
	noLeak(t)
	refuseAnswer(t, "gosdk", connectGoSDK) // mcp-go's client can't tell the server that it does not wait any more
}

func TestTypeScriptRefusedAnswer(t *testing.T) {
	v1, v2 := startTypeScript(t, "v1"), startTypeScript(t, "v2")
	noLeak(t)
	refuseAnswer(t, "ts-v1", v1.connect)
	refuseAnswer(t, "ts-v2", v2.connect)
}

func refuseAnswer(t *testing.T, client string, connect connector) {
	for _, h := range hosts {
		revision := h.revisions[len(h.revisions)-1]
		p := play{client: client, connect: connect, host: &h, revision: revision}
		if h.stateless() || !p.asks() {
			continue
		}
		t.Run(client+"-to-"+h.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			seen, stage := &events{}, newStage()
			defer stage.end()
			cfg := guardedConfig(seen)
			cfg.Rules = loadRules(t, `SecRule ARGS "@contains a thought" "id:1000,phase:2,deny,status:403"`)
			s, err := connect(ctx, t, server{
				url: listen(t, newGuard(t, cfg).Wrap(h.handler(stage))) + "/mcp", legacy: h.legacy(), revision: revision, changed: func() {},
			})
			if err != nil {
				t.Fatal(err)
			}
			callCtx, cancelCall := context.WithCancel(ctx)
			defer cancelCall()
			go func() {
				waitFor(t, "the refusal", func() bool { return len(refusals(seen.peek())) > 0 })
				cancelCall()
			}()
			if got, err := s.call(callCtx, toolAsk, map[string]any{}, nil); err == nil || callCtx.Err() == nil {
				t.Errorf("ask: %q, %v, want the call to wait until it is cancelled", got, err)
			}
			if refused := refusals(seen.take()); len(refused) != 1 || refused[0].Layer != waf.LayerRules {
				t.Errorf("refusals %+v, want one by a rule", refused)
			}
			if got, err := s.call(ctx, toolEcho, map[string]any{"message": "still here"}, nil); err != nil || got != "still here" {
				t.Errorf("echo after the refusal: %q, %v; refused: %v", got, err, refusals(seen.take()))
			}
			if err := s.end(); err != nil {
				t.Error(err)
			}
		})
	}
}

// loadRules returns the embedded rules and one more.
func loadRules(t *testing.T, inline string) *waf.Ruleset {
	t.Helper()
	rules, err := waf.LoadRules(waf.RulesConfig{Inline: inline})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rules.Close() })
	return rules
}
