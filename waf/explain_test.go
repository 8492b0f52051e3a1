package waf_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/waf"
)

// explained are requests in all the ways in which layers refuse, skip and pass.
var explained = []struct {
	name    string
	request func() *http.Request
}{
	{"allowed by a pattern", func() *http.Request { return post(call) }},
	{"denied by a pattern", func() *http.Request { return post(strings.Replace(call, "echo", "delete_all", 1)) }},
	{"allowed by no rule", func() *http.Request { return post(strings.Replace(call, "echo", "planted_tool", 1)) }},
	{"allowed by a rule without patterns", func() *http.Request {
		return post(`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"hello"}}`)
	}},
	{"no list asked", func() *http.Request { return post(`{"jsonrpc":"2.0","id":1,"method":"ping"}`) }},
	{"resource that means another", func() *http.Request {
		return post(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///docs/../planted"}}`)
	}},
	{"completion", func() *http.Request {
		return post(`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"hidden"},"argument":{"name":"a","value":"planted"}}}`)
	}},
	{"everything wrong at once", func() *http.Request {
		return post(strings.Replace(call, "echo", "delete_all", 1), set("Authorization", "Bearer planted"), set("Origin", "https://planted.example"),
			set("Mcp-Method", "tools/list\x01planted"))
	}},
	{"two meanings", func() *http.Request {
		return post(`{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"planted"}`)
	}},
	{"stream", func() *http.Request { return post("", stream) }},
	{"preflight", func() *http.Request {
		return post("", del("Authorization"), set("Origin", "https://mcp.example.com"), set("Access-Control-Request-Method", "POST"),
			func(r *http.Request) { r.Method, r.Body, r.ContentLength = http.MethodOptions, http.NoBody, 0 })
	}},
	{"no endpoint", func() *http.Request { return post("", target("/index.html"), stream) }},
	{"exposed endpoint", func() *http.Request { return post(call, target("/planted")) }},
	{"body too large", func() *http.Request { return post(strings.Repeat(" ", 9000) + call) }},
}

func explainConfig(c *waf.Config) {
	c.MaxBodyBytes = 8 << 10
	c.Endpoints[0].Tools = []waf.AccessRule{{Identity: "*", Deny: []string{"drop", "delete_*"}, Allow: []string{}}, {Identity: "ci", Allow: []string{"add", "ec*"}}}
	c.Endpoints[0].Prompts = []waf.AccessRule{{Identity: "*", Deny: []string{"hidden"}}}
	c.Endpoints[0].Resources = []waf.AccessRule{{Identity: "*", Allow: []string{"file:///docs/*"}}}
}

func TestExplainGolden(t *testing.T) {
	g := newGuarded(t, explainConfig)
	var b strings.Builder
	for _, tc := range explained {
		b.WriteString("# " + tc.name + "\n" + g.Explain(tc.request()).String() + "\n")
	}
	got := b.String()
	if strings.Contains(strings.ReplaceAll(got, "tools/call planted_tool", ""), "planted") {
		t.Error("an explanation holds what was planted in the request")
	}
	waf.CheckGolden(t, "testdata/explain.golden", got)
}

// What Explain gives as the verdict is what Check decides, in every mode.
func TestExplainAgreesWithCheck(t *testing.T) {
	for name, mode := range map[string]func(*waf.Config){
		"enforce": func(*waf.Config) {},
		"strict":  func(c *waf.Config) { c.StrictDiscovery = true },
		"detect":  func(c *waf.Config) { c.Mode = waf.DetectOnly },
		"mixed": func(c *waf.Config) {
			c.Modes = map[waf.Layer]waf.Mode{waf.LayerValidate: waf.DetectOnly, waf.LayerIdentity: waf.DetectOnly, waf.LayerPolicy: waf.DetectOnly}
		},
	} {
		g := newGuarded(t, func(c *waf.Config) {
			explainConfig(c)
			mode(c)
		})
		for _, tc := range explained {
			got := g.Explain(tc.request())
			g.events = nil
			want, pass := g.Check(tc.request())
			if got.Verdict.Layer != want.Layer || got.Verdict.Code != want.Code || got.Verdict.Status != want.Status || pass != (got.Verdict.Layer == waf.LayerNone) {
				t.Errorf("%s, %s: Explain says %v %s, Check %v %s", name, tc.name, got.Verdict.Layer, got.Verdict.Code, want.Layer, want.Code)
			}
			for _, e := range g.events { // every finding of Check is one of Explain
				found := e.Layer == waf.LayerNone
				for _, l := range got.Layers {
					for _, f := range l.Findings {
						found = found || l.Layer == e.Layer && f.Code == e.Code && f.Enforced == (e.Action == waf.ActionDeny)
					}
				}
				if !found {
					t.Errorf("%s, %s: Check reports %v %v %s, which Explain does not", name, tc.name, e.Action, e.Layer, e.Code)
				}
			}
		}
	}
}

// limiterSpy counts how often it is asked.
type limiterSpy struct{ asked int }

func (l *limiterSpy) Allow(context.Context, waf.LimiterKey) (bool, time.Duration, error) {
	l.asked++
	return false, 0, nil
}

func TestExplainHasNoSideEffects(t *testing.T) {
	limiter := new(limiterSpy)
	g := newGuarded(t, func(c *waf.Config) {
		c.Limiter = limiter
	})
	for _, r := range []*http.Request{post(call, set("X-Request-Id", "mine")), post("", stream)} {
		before := r.Header.Clone()
		if e := g.Explain(r); e.Verdict.Layer != waf.LayerNone {
			t.Errorf("Explain refuses: %v", e)
		}
		if diff := cmp.Diff(before, r.Header); diff != "" {
			t.Errorf("Explain changed the header (-before +after):\n%s", diff)
		}
	}
	if len(g.events) > 0 || limiter.asked > 0 || g.Stats() != (waf.Stats{}) {
		t.Errorf("%d events, limiter asked %d times, %+v held; want nothing", len(g.events), limiter.asked, g.Stats())
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if e := g.Explain(post(call)); e.Verdict.Code != "guard_closed" || !strings.Contains(e.String(), "guard_closed") {
		t.Errorf("a closed Guard explains %v", e)
	}
}
