package main

import (
	"net/http"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

func TestRate(t *testing.T) {
	path := write(t, "policy.json", policyText("echo"))
	p := launch(t, "-policy", path, "-rate", "2")
	call := func(tool, arguments string) *http.Response {
		return p.call(t, http.DefaultClient, "/mcp", "secret", toolCall(tool, arguments))
	}
	for i, want := range []int{200, 200, 429} {
		if resp := call("add", `{"a":1,"b":2}`); resp.StatusCode != want || want == 429 && resp.Header.Get("Retry-After") != "30" {
			t.Errorf("call %d: status %d, Retry-After %q, want %d and 30 s", i, resp.StatusCode, resp.Header.Get("Retry-After"), want)
		}
	}
	if resp := call("slow_count", `{"to":1}`); resp.StatusCode != 200 {
		t.Errorf("another tool: status %d, want 200", resp.StatusCode)
	}
}

// A reload does not give anybody a fresh start.
func TestRateOutlivesReloads(t *testing.T) {
	s := &policySource{opts: options{policy: write(t, "policy.json", policyText("echo"))}, limiter: newRateLimiter(1)}
	key := waf.LimiterKey{Caller: "ci", Tool: "add"}
	for i, want := range []bool{true, false} {
		cfg, err := s.config()
		if err != nil {
			t.Fatal(err)
		}
		if ok, _, err := cfg.Limiter.Allow(t.Context(), key); ok != want || err != nil {
			t.Errorf("configuration %d: Allow = %v, %v, want %v", i, ok, err, want)
		}
	}
}
