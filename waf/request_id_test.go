package waf_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

var requestID = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// Every event, every refusal and every forwarded request carries the id that the Guard made, and never the client's.
func TestRequestID(t *testing.T) {
	denied := strings.Replace(call, "echo", "delete_all", 1)
	seen := make(map[string]bool)
	for _, tc := range []struct {
		name, body string
		change     func(*waf.Config)
		want       int
		events     int
	}{
		{"allowed", call, nil, 202, 1},
		{"denied", denied, nil, 403, 1},
		{"detected", denied, func(c *waf.Config) { c.Mode = waf.DetectOnly }, 202, 2},
		{"hook answers", denied, func(c *waf.Config) {
			c.OnDeny = func(w http.ResponseWriter, _ *http.Request, d waf.Denial) {
				if id := w.Header().Get("X-Request-Id"); id != d.RequestID {
					t.Errorf("the hook sees the header %q and the denial %q", id, d.RequestID)
				}
				w.WriteHeader(http.StatusTeapot)
			}
		}, 418, 1},
	} {
		g := newGuarded(t, tc.change)
		rec := g.serve(post(tc.body, set("X-Request-Id", "forged"), set("X_request-ID", "forged for CGI")))
		if rec.Code != tc.want || len(g.events) != tc.events {
			t.Fatalf("%s: status %d and %d events, want %d and %d", tc.name, rec.Code, len(g.events), tc.want, tc.events)
		}
		id := g.events[0].RequestID
		if !requestID.MatchString(id) || seen[id] {
			t.Errorf("%s: id %q, want a new one of 26 characters", tc.name, id)
		}
		seen[id] = true
		for _, e := range g.events {
			if e.RequestID != id || !strings.Contains(e.LogValue().String(), id) {
				t.Errorf("%s: event %v, want the id %q", tc.name, e.LogValue(), id)
			}
		}
		answered := rec.Header().Values("X-Request-Id")
		if g.reached == 0 && (len(answered) != 1 || answered[0] != id) || g.reached > 0 && answered != nil {
			t.Errorf("%s: the answer carries %q, want %q on a refusal only", tc.name, answered, id)
		}
		if g.reached > 0 {
			if got := g.request.Header.Values("X-Request-Id"); len(got) != 1 || got[0] != id {
				t.Errorf("%s: the handler sees %q, want %q", tc.name, got, id)
			}
			for name, values := range g.request.Header {
				if strings.Contains(strings.Join(values, ""), "forged") {
					t.Errorf("%s: the handler sees %q: %q", tc.name, name, values)
				}
			}
		}
	}
}

func TestRequestIDOfCheck(t *testing.T) {
	g := newGuarded(t, nil)
	r := post(call)
	if d, pass := g.Check(r); !pass || d.RequestID != "" || r.Header.Get("X-Request-Id") != g.events[0].RequestID {
		t.Errorf("Check = %+v, %v, header %v, want a pass and the event's id in the request", d, pass, r.Header)
	}
	if d, pass := g.Check(post(call, del("Authorization"))); pass || d.RequestID != g.events[1].RequestID {
		t.Errorf("Check = %+v, %v, want a refusal with the event's id", d, pass)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if d, pass := g.Check(post(call)); pass || !requestID.MatchString(d.RequestID) {
		t.Errorf("Check of a closed Guard = %+v, %v, want a refusal with an id", d, pass)
	}
}

// A request made by hand may have no header at all.
func TestRequestIDWithoutHeader(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) { c.DangerouslyNoRules = true })
	r := httptest.NewRequest(http.MethodGet, "/elsewhere", nil)
	r.Header = nil
	if rec := g.serve(r); rec.Code != 202 || !requestID.MatchString(g.request.Header.Get("X-Request-Id")) {
		t.Errorf("status %d, header %v, want 202 and an id", rec.Code, g.request.Header)
	}
}

func TestRequestIDOfWithheldAnswer(t *testing.T) {
	g := newGuarded(t, nil)
	rec := httptest.NewRecorder()
	g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("X-Request-Id", "upstream")
		_, _ = io.WriteString(w, "{}") // which some clients read whatever its label
	})).ServeHTTP(rec, post(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	if got := rec.Header().Values("X-Request-Id"); rec.Code != 502 || len(got) != 1 || got[0] != g.events[0].RequestID {
		t.Errorf("answer %d with %q, want 502 with the event's id", rec.Code, got)
	}
}

// The id costs its text and the header's slice.
func TestAllocsRequestID(t *testing.T) {
	h := make(http.Header)
	if n := testing.AllocsPerRun(100, func() { waf.SetNewRequestID(h) }); n > 2 {
		t.Errorf("%v allocs, want at most 2", n)
	}
}
