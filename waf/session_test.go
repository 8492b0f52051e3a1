package waf_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

var (
	oldKey = bytes.Repeat([]byte("o"), 32)
	newKey = bytes.Repeat([]byte("n"), 32)
)

func withSessions(keys ...[]byte) func(*waf.Config) {
	return func(c *waf.Config) {
		c.DangerouslyNoRules, c.SessionKeys = true, keys
		c.Identities.Bearer = append(c.Identities.Bearer, waf.BearerToken{Name: "other", SHA256: sha256.Sum256([]byte("other"))})
		c.Endpoints = append(c.Endpoints, waf.Endpoint{Path: "/message", Transport: waf.TransportHTTPSSE, SSEPath: "/sse"})
	}
}

// issued opens a session through g and returns the id that the client gets.
func issued(t *testing.T, g *guarded, id string) string {
	t.Helper()
	rec := answerWith(g, post(call), writes(200, "application/json", "{}", "Mcp-Session-Id", id))
	return rec.Header().Get("Mcp-Session-Id")
}

func TestSessionBinding(t *testing.T) {
	g := newGuarded(t, withSessions(newKey, oldKey))
	older := newGuarded(t, withSessions(oldKey))
	foreign := newGuarded(t, withSessions(bytes.Repeat([]byte("f"), 32)))
	const id = "1868a90c.x/y+z="
	bound := issued(t, g, id)
	if !strings.HasPrefix(bound, id+".") || len(bound) != len(id)+1+22 {
		t.Fatalf("the client gets the id %q, want %q and a MAC", bound, id)
	}
	other := set("Authorization", "Bearer other")
	for _, tc := range []struct {
		name   string
		id     string
		change []func(*http.Request)
		status int
	}{
		{"own", bound, nil, 202},
		{"issued under the older key", issued(t, older, id), nil, 202},
		{"stolen", bound, []func(*http.Request){other}, 404},
		{"issued under a foreign key", issued(t, foreign, id), nil, 404},
		{"not bound", id, nil, 404},
		{"without MAC", id + ".", nil, 404},
		{"cut", bound[:len(bound)-1], nil, 404},
		{"another id under this MAC", "x" + bound, nil, 404},
		{"stolen, on a path in other case", bound, []func(*http.Request){other, target("/MCP")}, 404},
		{"own, to end the session", bound, []func(*http.Request){func(r *http.Request) { r.Method, r.Body = http.MethodDelete, http.NoBody }}, 202},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := g.serve(post(call, append(tc.change, set("Mcp-Session-Id", tc.id))...))
			if rec.Code != tc.status {
				t.Fatalf("status %d, want %d", rec.Code, tc.status)
			}
			if tc.status == 202 && g.request.Header.Get("Mcp-Session-Id") != id {
				t.Errorf("the server gets the id %q, want its own %q", g.request.Header.Get("Mcp-Session-Id"), id)
			}
			if tc.status == 404 && g.events[0].Code != "session_unknown" {
				t.Errorf("event %+v, want session_unknown", g.events[0])
			}
		})
	}
	if rec := g.serve(post(call)); rec.Code != 202 {
		t.Errorf("without a session: status %d, want 202", rec.Code)
	}
}

// Two ids are none, also where they are both the caller's own, and where what checks fields only detects.
func TestRepeatedSessionID(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		withSessions(newKey)(c)
		c.Modes = map[waf.Layer]waf.Mode{waf.LayerValidate: waf.DetectOnly}
	})
	mine := issued(t, g, "mine")
	for _, tc := range []struct {
		ids    []string
		status int
	}{{[]string{mine}, 202}, {[]string{mine, mine}, 404}, {[]string{mine, "stolen"}, 404}, {[]string{"stolen", mine}, 404}} {
		rec := g.serve(post(call, func(r *http.Request) { r.Header["Mcp-Session-Id"] = tc.ids }))
		if rec.Code != tc.status || tc.status == 202 && g.request.Header.Get("Mcp-Session-Id") != "mine" {
			t.Errorf("%d ids: status %d, events %+v, want %d", len(tc.ids), rec.Code, g.events, tc.status)
		}
	}
}

// In 2026-07-28 there are no sessions; an id there must not reach a server that knows the older revisions too.
func TestSessionIDOfStatelessRevision(t *testing.T) {
	g := newGuarded(t, withSessions(newKey))
	modern := strings.Replace(call, `"params":{`, `"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}},`, 1)
	rec := g.serve(post(modern, set("Mcp-Protocol-Version", "2026-07-28"), set("Mcp-Method", "tools/call"), set("Mcp-Name", "echo"), set("Mcp-Session-Id", "stolen")))
	if rec.Code != 202 || g.request.Header.Get("Mcp-Session-Id") != "" {
		t.Errorf("status %d, the server gets the session %q; want 202 and none", rec.Code, g.request.Header.Get("Mcp-Session-Id"))
	}
}

// The HTTP+SSE transport tells the session in its first event and takes it back in the query.
func TestSessionOfSSEPair(t *testing.T) {
	g := newGuarded(t, withSessions(newKey))
	stream := answerWith(g, post("", target("/sse"), func(r *http.Request) { r.Method, r.Body = http.MethodGet, http.NoBody }),
		writes(200, "text/event-stream", "event: endpoint\ndata: /message?x=a%20b&sessionId=5f1d%2F2c\n\nevent: message\ndata: {}\n\n"))
	events := strings.Split(stream.Body.String(), "\n")
	place, ok := strings.CutPrefix(events[1], "data: ")
	if !ok || !strings.HasPrefix(place, "/message?x=a%20b&sessionId=5f1d%2F2c.") || !strings.HasSuffix(stream.Body.String(), "\n\nevent: message\ndata: {}\n\n") {
		t.Fatalf("the client gets the stream %q", stream.Body)
	}
	for _, tc := range []struct {
		name   string
		target string
		token  string
		status int
	}{
		{"own", place, token, 202},
		{"stolen", place, "other", 404},
		{"not bound", "/message?sessionId=5f1d%2F2c", token, 404},
		{"under another spelling", strings.Replace(place, "sessionId", "SessionID", 1), "other", 404},
		{"under an escaped spelling", strings.Replace(place, "sessionId", "session%49d", 1), "other", 404},
		{"as an array", "/message?sessionId%5B%5D=5f1d%2F2c", "other", 404},
		{"as an array with raw brackets", "/message?sessionId[0]=5f1d%2F2c", "other", 404},
		{"in brackets", "/message?[sessionId]=5f1d%2F2c", "other", 404},
		{"with a mark that becomes an underscore", "/message?session.id=5f1d%2F2c", "other", 404},
		{"after a semicolon", "/message?x=1;sessionId=5f1d%2F2c", "other", 404},
		{"after the own one and a semicolon", place + ";x=1;session_id=5f1d%2F2c", token, 400},
		{"own, with a semicolon elsewhere", place + "&x=a;b=c", token, 202},
		{"beside a bound one", place + "&session_id=5f1d", token, 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := g.serve(post(call, target(tc.target), set("Authorization", "Bearer "+tc.token)))
			if rec.Code != tc.status {
				t.Fatalf("status %d, events %+v, want %d", rec.Code, g.events, tc.status)
			}
			if tc.status != 202 {
				return
			}
			if got := g.request.URL.Query().Get("sessionId"); got != "5f1d/2c" || g.request.URL.Query().Get("x") != "a b" {
				t.Errorf("the server gets the query %q, want its own session id", g.request.URL.RawQuery)
			}
			if got := g.request.RequestURI; got != g.request.URL.RequestURI() {
				t.Errorf("the server gets the target %q beside the URL %q", got, g.request.URL)
			}
		})
	}
}

// What is only bound passes untouched in every other way, without being held.
func TestSessionBindingLeavesAnswers(t *testing.T) {
	g := newGuarded(t, withSessions(newKey))
	const page = "<html>\x00any bytes</html>"
	server := httptest.NewServer(g.Wrap(writes(200, "text/html", page)))
	t.Cleanup(server.Close)
	r := post(call)
	request, err := http.NewRequest(http.MethodPost, server.URL+"/mcp", r.Body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header, request.Host = r.Header, r.Host
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != page {
		t.Errorf("the client gets %q, %v, want the page", body, err)
	}
}

func TestSessionKeyFaults(t *testing.T) {
	_, err := waf.New(waf.Config{SessionKeys: [][]byte{newKey, []byte("short")}})
	if err == nil || !strings.Contains(err.Error(), "Config.SessionKeys[1]") || strings.Contains(err.Error(), "short") {
		t.Errorf("New with a short key: %v, want an error about it without the key", err)
	}
	if _, err := waf.New(waf.Config{SessionKeys: make([][]byte, 9)}); err == nil {
		t.Error("New takes nine keys")
	}
}
