package waf_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/waf"
)

// The names in the log are what people's queries and alerts stand on.
func TestLogEventsGolden(t *testing.T) {
	at := time.Date(2026, 7, 28, 12, 0, 0, 0, time.UTC)
	var b bytes.Buffer
	log := waf.LogEvents(slog.New(slog.NewJSONHandler(&b, nil)))
	for _, e := range []waf.Event{
		{Time: at, Action: waf.ActionAllow},
		{
			Time: at, RequestID: "R1", Action: waf.ActionDeny, Layer: waf.LayerRules, Code: "rules_matched", Status: 403, RuleIDs: []int{9599242, 9599512},
			Endpoint: "/mcp", Method: "tools/call", Tool: "echo", Identity: "ci",
			Headers:   []waf.LoggedValue{{Name: "User-Agent", Value: "curl/8"}},
			Arguments: []waf.LoggedValue{{Name: "/path", Value: "/docs/a"}, {Name: "/token", Value: "[redacted]"}},
			Total:     4 * time.Millisecond, ReadBody: time.Millisecond, Message: 20 * time.Microsecond, RulesTime: 3 * time.Millisecond,
		},
		{Time: at, Action: waf.ActionDetect, Layer: waf.LayerIdentity, Code: "identity_required", Status: 401, Endpoint: "/mcp"},
		{Time: at, Action: waf.ActionDryDeny, Layer: waf.LayerPolicy, Code: "tool_not_allowed", Status: 403, Endpoint: "/mcp", Tool: "echo"},
		{Time: at, Action: waf.ActionDryAllow, Layer: waf.LayerPolicy, Code: "tool_not_allowed", Status: 403, Endpoint: "/mcp", Tool: "echo"},
		{Time: at, Action: waf.ActionDeny, Layer: waf.LayerIdentity, Code: "identity_failed", Status: 500, Endpoint: "/mcp"},
		{Time: at, Action: waf.ActionDeny, Layer: waf.LayerResponse, Code: "response_too_large", Status: 502, Endpoint: "/mcp"},
	} {
		log(e)
	}
	waf.CheckGolden(t, "testdata/events.golden", b.String())
}

// A logger that takes warnings only gets no record of what was let through.
func TestLogEventsLevel(t *testing.T) {
	var b bytes.Buffer
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.OnEvent = waf.LogEvents(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelWarn})))
	})
	g.serve(post(call))
	if b.Len() > 0 {
		t.Errorf("an allowed request is logged as %s", &b)
	}
	g.serve(post(call, del("Authorization")))
	if !strings.Contains(b.String(), "level=WARN msg=decision") || !strings.Contains(b.String(), "code=identity_required") {
		t.Errorf("a refused request is logged as %q", &b)
	}
}

// planted is a call with something to hide in every place.
func planted() *http.Request {
	return post(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"path":"/docs/planted","token":"planted",`+
		`"n":1.50,"nothing":null,"deep":{"a/b":"planted sk-0123456789abcdef","list":[1]},"text":"planted\u0000\n\"é\""}}}`,
		set("User-Agent", "planted/1"), set("Cookie", "planted=1"), set("X-Trace", "planted eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"))
}

// No value is logged unless it is named; what is named is redacted.
func TestLogValues(t *testing.T) {
	all := waf.LogValues{
		Headers:   []string{"user-agent", "Authorization", "Cookie", "X-Trace", "X-Absent"},
		Arguments: []string{"/path", "/token", "/n", "/nothing", "/deep/a~1b", "/deep/list", "/deep/absent", "/absent", "/text"},
	}
	for _, tc := range []struct {
		name      string
		values    waf.LogValues
		request   *http.Request
		headers   []waf.LoggedValue
		arguments []waf.LoggedValue
	}{
		{"nothing named", waf.LogValues{}, planted(), nil, nil},
		{"all named", all, planted(),
			[]waf.LoggedValue{{"User-Agent", "planted/1"}, {"Authorization", "[redacted]"}, {"Cookie", "[redacted]"}, {"X-Trace", "planted [redacted]"}},
			[]waf.LoggedValue{{"/deep/a~1b", "planted [redacted]"}, {"/deep/list", "[array]"}, {"/n", "1.50"}, {"/nothing", "null"},
				{"/path", "/docs/planted"}, {"/text", `planted\x00\n\"\u00e9\"`}, {"/token", "[redacted]"}}},
		{"cut", waf.LogValues{Headers: []string{"User-Agent"}, MaxBytes: 7}, planted(), []waf.LoggedValue{{"User-Agent", "plan..."}}, nil},
		{"message not read", all, post("{", set("User-Agent", "x"), del("Authorization")), []waf.LoggedValue{{"User-Agent", "x"}}, nil},
		{"no arguments", waf.LogValues{Arguments: []string{"/path"}}, post(`{"jsonrpc":"2.0","id":7,"method":"tools/list"}`), nil, nil},
		{"path through no object", waf.LogValues{Arguments: []string{"/path/x"}}, planted(), nil, nil},
	} {
		g := newGuarded(t, func(c *waf.Config) { c.DangerouslyNoRules, c.LogValues = true, tc.values })
		g.serve(tc.request)
		if len(g.events) != 1 {
			t.Errorf("%s: events %+v", tc.name, g.events)
			continue
		}
		e := g.events[0]
		if diff := cmp.Diff(tc.headers, e.Headers); diff != "" {
			t.Errorf("%s: headers (-want +got):\n%s", tc.name, diff)
		}
		if diff := cmp.Diff(tc.arguments, e.Arguments); diff != "" {
			t.Errorf("%s: arguments (-want +got):\n%s", tc.name, diff)
		}
		if tc.name == "nothing named" && strings.Contains(e.LogValue().String(), "planted") {
			t.Errorf("%s: the event is logged as %v", tc.name, e.LogValue())
		}
	}
}

func TestLogValueFaults(t *testing.T) {
	_, err := waf.New(testConfig(func(c *waf.Config) {
		c.LogValues = waf.LogValues{Headers: []string{"User-Agent", "planted header"}, Arguments: []string{"planted", "/a", "/a/b"}, MaxBytes: 1025}
	}))
	const want = `waf: Config.LogValues.MaxBytes: must be 1 to 1024, or 0 for 128
waf: Config.LogValues.Headers[1]: is not a field name
waf: Config.LogValues.Arguments[0]: must be a JSON Pointer to one argument, such as "/env"
waf: Config.LogValues.Arguments[2]: this argument, or a part of it, is named already`
	if err == nil || err.Error() != want {
		t.Errorf("New: %v, want %s", err, want)
	}
}

// slowLimiter is a Limiter that takes its time.
type slowLimiter struct{}

func (slowLimiter) Allow(context.Context, waf.LimiterKey) (bool, time.Duration, error) {
	time.Sleep(2 * time.Millisecond)
	return true, 0, nil
}

// Every layer that a request reached has a time, the slow one most of it, and the others none.
func TestEventTook(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) { c.DangerouslyNoRules, c.Limiter = true, slowLimiter{} })
	g.serve(post(call))
	allowed := g.events[0]
	g.serve(post(call, del("Authorization")))
	refused := g.events[0]
	for layer := waf.LayerNone; layer <= waf.LayerResponse+1; layer++ {
		wantAllowed := layer > waf.LayerNone && layer < waf.LayerResponse
		wantRefused := layer > waf.LayerNone && layer <= waf.LayerIdentity
		if (allowed.Took(layer) > 0) != wantAllowed || (refused.Took(layer) > 0) != wantRefused {
			t.Errorf("%v took %v and %v", layer, allowed.Took(layer), refused.Took(layer))
		}
	}
	if allowed.Took(waf.LayerPolicy) < 2*time.Millisecond {
		t.Errorf("the limiter's time is not that of its layer: %+v", allowed)
	}
}
