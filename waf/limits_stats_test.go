package waf_test

import (
	"testing"

	"github.com/sallyport/sallyport/waf"
)

func TestStats(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) { c.DangerouslyNoRules, c.OnEvent = true, nil })
	if got := g.Stats(); got != (waf.Stats{}) {
		t.Errorf("at rest: %+v, want zeros", got)
	}
	endBody := held(g, post(call))
	endStream := held(g, post("", stream))
	if got := g.Stats(); got.Bodies != 1 || got.BodyBytes < int64(len(call)) || got.Streams != 1 {
		t.Errorf("with a body and a stream: %+v, want one of each", got)
	}
	endBody()
	endStream()
	if got := g.Stats(); got != (waf.Stats{}) {
		t.Errorf("afterwards: %+v, want zeros", got)
	}
	if got := new(waf.Guard).Stats(); got != (waf.Stats{}) {
		t.Errorf("the zero Guard: %+v, want zeros", got)
	}
}
