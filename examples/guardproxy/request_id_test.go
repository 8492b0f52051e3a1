package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// The client gets the id that the upstream saw and the event tells, whatever client and upstream say.
func TestRequestID(t *testing.T) {
	seen := make(chan string, 1)
	demo := demoServer()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("X-Request-Id")
		w.Header().Set("X-Request-Id", "of the upstream")
		demo.ServeHTTP(w, r)
	}))
	defer upstream.Close()
	p := launch(t, "-upstream", upstream.URL, "-events", "-")
	token := p.stderr.await(t, "Authorization: Bearer (\\w+)")[1]
	resp := p.call(t, http.DefaultClient, "/mcp", token, toolCall("add", `{"a":1,"b":2}`))
	said, _ := p.stdout.state()
	event := decisions(t, said)[0]
	if ids := resp.Header.Values("X-Request-Id"); len(ids) != 1 || ids[0] == "" || ids[0] != <-seen || ids[0] != event["request_id"] {
		t.Errorf("the answer carries %q, the event %v, want the id that the upstream saw", ids, event["request_id"])
	}
}
