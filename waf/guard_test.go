package waf_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/waf"
)

const token = "token-of-this-test"

// call is the smallest complete tools/call.
const call = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hi"}}}`

// guarded is a Guard in front of a handler that counts what reaches it and keeps the events.
type guarded struct {
	*waf.Guard
	reached int
	body    string
	request *http.Request
	events  []waf.Event
}

func newGuarded(t *testing.T, change func(*waf.Config)) *guarded {
	t.Helper()
	g := new(guarded)
	var err error
	g.Guard, err = waf.New(testConfig(func(c *waf.Config) {
		c.OnEvent = func(e waf.Event) { g.events = append(g.events, e) }
		if change != nil {
			change(c)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return g
}

// testConfig returns the configuration of most tests, changed.
func testConfig(change func(*waf.Config)) waf.Config {
	cfg := waf.Config{
		Endpoints: []waf.Endpoint{{
			Path: "/mcp", AllowHosts: []string{"mcp.example.com"},
			Tools: []waf.AccessRule{{Identity: "*", Deny: []string{"delete_*"}}},
		}},
		Identities: waf.Identities{Bearer: []waf.BearerToken{{Name: "ci", SHA256: sha256.Sum256([]byte(token))}}},
	}
	change(&cfg)
	return cfg
}

// serve sends one request through the Guard and returns the answer.
func (g *guarded) serve(r *http.Request) *httptest.ResponseRecorder {
	g.reached, g.body, g.request, g.events = 0, "", nil, nil
	rec := httptest.NewRecorder()
	g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.reached++
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		g.body, g.request = string(body), r
		w.WriteHeader(http.StatusAccepted)
	})).ServeHTTP(rec, r)
	return rec
}

// post returns a request that the default Guard of these tests lets through.
func post(body string, change ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(body))
	r.Host = "mcp.example.com"
	r.Header = http.Header{
		"Content-Type":  {"application/json"},
		"Accept":        {"application/json, text/event-stream"},
		"Authorization": {"Bearer " + token},
	}
	for _, c := range change {
		c(r)
	}
	return r
}

func set(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func del(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }

func target(path string) func(*http.Request) {
	return func(r *http.Request) {
		changed := httptest.NewRequest(r.Method, path, nil)
		r.RequestURI, r.URL = changed.RequestURI, changed.URL
	}
}

// Each refusal of each layer: its status, code, JSON-RPC error and id, exactly one event, and a handler that was not reached.
func TestGuardRefuses(t *testing.T) {
	g := newGuarded(t, nil)
	for _, tc := range []struct {
		name    string
		request *http.Request
		layer   waf.Layer
		code    string
		status  int
		rpc     int
		id      string
	}{
		{"validate: dot segment", post(call, target("/mcp/../x")), waf.LayerValidate, "uri_dot_segment", 400, 0, ""},
		{"validate: repeated singleton", post(call, func(r *http.Request) { r.Header.Add("Authorization", "Bearer x") }), waf.LayerValidate, "header_duplicate", 400, -32600, ""},
		{"validate: absolute form", post(call, func(r *http.Request) { r.RequestURI = "http://mcp.example.com/mcp" }), waf.LayerValidate, "uri_absolute", 400, -32600, ""},
		{"validate: mirror header", post(call, set("Mcp-Name", "=?base64?SGVsbG8?=")), waf.LayerValidate, "mcp_encoding_invalid", 400, -32020, "7"},
		{"validate: mirror header of nobody", post(call, set("Mcp-Name", "=?base64?SGVsbG8?="), del("Authorization")), waf.LayerValidate, "mcp_encoding_invalid", 400, -32020, ""},
		{"validate: mirror header of a compressed body", post(call, set("Mcp-Name", "=?base64?SGVsbG8?="), set("Content-Encoding", "gzip")), waf.LayerValidate, "mcp_encoding_invalid", 400, -32020, ""},
		{"validate: version", post(call, set("Mcp-Protocol-Version", "v999.0.0")), waf.LayerValidate, "protocol_version_invalid", 400, -32022, "7"},
		{"validate: tunnel", post(call, func(r *http.Request) { r.Method, r.RequestURI = http.MethodConnect, "mcp.example.com:443" }), waf.LayerValidate, "method_connect", 405, 0, ""},
		{"validate: another path in a header", post(call, target("/public"), set("X-Original-URL", "/mcp?x")), waf.LayerValidate, "header_reroutes", 400, 0, ""},
		{"validate: another path in a header, in other spelling", post(call, target("/public"), set("X-Rewrite-URL", "/MCP/")), waf.LayerValidate, "header_reroutes", 400, 0, ""},
		{"validate: away from the endpoint", post(call, set("X-Rewrite-URL", "/public")), waf.LayerValidate, "header_reroutes", 400, -32600, ""},
		{"validate: another path in a header that CGI reads", post(call, target("/public"), set("X_Original_URL", "/mcp")), waf.LayerValidate, "header_reroutes", 400, 0, ""},
		{"validate: another path in a header, without a slash", post(call, target("/public"), set("X-Original-URL", "mcp")), waf.LayerValidate, "header_reroutes", 400, 0, ""},
		{"validate: another path in a header, after a host", post(call, target("/public"), set("X-Original-URL", "//h/mcp")), waf.LayerValidate, "header_reroutes", 400, 0, ""},
		{"validate: another path in a header, by dots", post(call, target("/public"), set("X-Original-URL", "/public/%2e%2e/mcp")), waf.LayerValidate, "header_reroutes", 400, 0, ""},
		{"transport: method override that CGI reads", post(call, set("X_HTTP_Method_Override", "DELETE")), waf.LayerTransport, "transport_override", 400, -32600, ""},
		{"transport: method override", post(call, set("X-HTTP-Method-Override", "DELETE")), waf.LayerTransport, "transport_override", 400, -32600, ""},
		{"transport: verb", post(call, func(r *http.Request) { r.Method = http.MethodPut }), waf.LayerTransport, "transport_verb", 405, 405, ""},
		{"transport: host", post(call, func(r *http.Request) { r.Host = "evil.example" }), waf.LayerTransport, "host_not_allowed", 403, 403, ""},
		{"transport: origin", post(call, set("Origin", "https://evil.example")), waf.LayerTransport, "origin_not_allowed", 403, 403, ""},
		{"transport: upgrade", post(call, set("Connection", "upgrade"), set("Upgrade", "websocket")), waf.LayerTransport, "transport_upgrade", 400, -32600, ""},
		{"transport: media type", post(call, set("Content-Type", "text/plain")), waf.LayerTransport, "media_type", 415, 415, ""},
		{"transport: no media type", post(call, del("Content-Type")), waf.LayerTransport, "media_type", 415, 415, ""},
		{"transport: accept", post(call, set("Accept", "image/png")), waf.LayerTransport, "not_acceptable", 406, 406, ""},
		{"transport: two sessions", post(call, target("/mcp?sessionId=a&sessionId=b")), waf.LayerTransport, "session_repeated", 400, -32600, ""},
		{"transport: version", post(call, set("Mcp-Protocol-Version", "1999-01-01")), waf.LayerTransport, "version_unsupported", 400, -32022, "7"},
		{"identity: none", post(call, del("Authorization")), waf.LayerIdentity, "identity_required", 401, 401, ""},
		{"identity: wrong token", post(call, set("Authorization", "Bearer wrong")), waf.LayerIdentity, "identity_required", 401, 401, ""},
		{"identity: token in the query", post(call, target("/mcp?access_token="+token)), waf.LayerIdentity, "token_in_query", 400, -32600, ""},
		{"identity: token in the query alone", post(call, target("/mcp?x=1&Access%2DToken"), del("Authorization")), waf.LayerIdentity, "token_in_query", 400, -32600, ""},
		{"body: compressed", post(call, set("Content-Encoding", "gzip")), waf.LayerBody, "body_encoded", 400, -32600, ""},
		{"body: too large", post(`"` + strings.Repeat("x", 4<<20) + `"`), waf.LayerBody, "body_too_large", 413, 413, ""},
		{"message: empty", post(""), waf.LayerMessage, "json_empty", 400, -32700, ""},
		{"message: not JSON", post("{"), waf.LayerMessage, "json_syntax", 400, -32700, ""},
		{"message: twin", post(`{"jsonrpc":"2.0","id":7,"method":"ping","Method":"tools/call"}`), waf.LayerMessage, "member_case_twin", 400, -32600, "7"},
		{"message: unknown method", post(`{"jsonrpc":"2.0","id":"a","method":"tools/destroy"}`), waf.LayerMessage, "method_unknown", 400, -32601, `"a"`},
		{"policy: tool", post(strings.Replace(call, "echo", "delete_everything", 1)), waf.LayerPolicy, "tool_not_allowed", 403, 403, "7"},
		{"policy: tool in other case", post(strings.Replace(call, "echo", "Delete_Everything ", 1)), waf.LayerPolicy, "tool_not_allowed", 403, 403, "7"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := g.serve(tc.request)
			if g.reached != 0 {
				t.Error("the handler was reached")
			}
			if rec.Code != tc.status {
				t.Errorf("status %d, want %d", rec.Code, tc.status)
			}
			if len(g.events) != 1 {
				t.Fatalf("%d events, want 1: %v", len(g.events), g.events)
			}
			e := g.events[0]
			if e.Action != waf.ActionDeny || e.Layer != tc.layer || e.Code != tc.code || e.Status != tc.status {
				t.Errorf("event %v %v %q %d, want deny %v %q %d", e.Action, e.Layer, e.Code, e.Status, tc.layer, tc.code, tc.status)
			}
			h := rec.Header()
			if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("header %v lacks no-store or nosniff", h)
			}
			if tc.rpc == 0 {
				return
			}
			var answer struct {
				JSONRPC string          `json:"jsonrpc"`
				ID      json.RawMessage `json:"id"`
				Error   struct {
					Code    int    `json:"code"`
					Message string `json:"message"`
				} `json:"error"`
			}
			if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil || h.Get("Content-Type") != "application/json" {
				t.Fatalf("answer %q as %q: %v", rec.Body, h.Get("Content-Type"), err)
			}
			if answer.JSONRPC != "2.0" || answer.Error.Code != tc.rpc || string(answer.ID) != tc.id || answer.Error.Message == "" {
				t.Errorf("answer %s, want error %d with id %q", rec.Body, tc.rpc, tc.id)
			}
			if tc.status == 401 && h.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("WWW-Authenticate %q, want Bearer", h.Get("WWW-Authenticate"))
			}
			if tc.status == 405 && h.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
		})
	}
}

// The benign twins: what differs from a refused request in one point only.
func TestGuardAllows(t *testing.T) {
	g := newGuarded(t, nil)
	for _, tc := range []struct {
		name    string
		request *http.Request
		body    string
	}{
		{"call", post(call), call},
		{"host with a port, in other case", post(call, func(r *http.Request) { r.Host = "MCP.example.com:8443" }), call},
		{"origin of an allowed host", post(call, set("Origin", "https://mcp.example.com")), call},
		{"media type in other case with charset", post(call, set("Content-Type", "Application/JSON; charset=UTF-8")), call},
		{"no Accept", post(call, del("Accept")), call},
		{"known version", post(call, set("Mcp-Protocol-Version", "2025-06-18")), call},
		{"the same path in a header", post(call, set("X-Original-URL", "/mcp")), call},
		{"method override elsewhere", post("x", target("/api/items"), set("X-HTTP-Method-Override", "PATCH")), "x"},
		{"token in the query elsewhere", post("x", target("/api/items?access_token=1")), "x"},
		{"path in a header elsewhere", post("x", target("/api/items"), set("X-Original-URL", "/shop/items")), "x"},
		{"whole URL in a header elsewhere", post("x", target("/api/items"), set("X-Original-URL", "https://shop.example.com/items/.x?a=/../b")), "x"},
		{"identity coding", post(call, set("Content-Encoding", "identity")), call},
		{"stream", post("", func(r *http.Request) { r.Method = http.MethodGet }, set("Accept", "text/event-stream"), del("Content-Type")), ""},
		{"session end", post("", func(r *http.Request) { r.Method = http.MethodDelete }, del("Content-Type")), ""},
		{"tool with a similar name", post(strings.Replace(call, "echo", "undelete_x", 1)), strings.Replace(call, "echo", "undelete_x", 1)},
		{"another path", post("any bytes", target("/api/items"), del("Authorization"), set("Content-Type", "text/plain")), "any bytes"},
		{"well-known document", post("", target("/.well-known/oauth-protected-resource/mcp"), func(r *http.Request) { r.Method = http.MethodGet },
			del("Authorization"), del("Content-Type")), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := g.serve(tc.request)
			if g.reached != 1 || rec.Code != http.StatusAccepted {
				t.Fatalf("reached %d times, status %d, answer %s, events %v", g.reached, rec.Code, rec.Body, g.events)
			}
			if g.body != tc.body {
				t.Errorf("the handler read %q, want %q", g.body, tc.body)
			}
			if len(g.events) != 1 || g.events[0].Action != waf.ActionAllow || g.events[0].Layer != waf.LayerNone {
				t.Errorf("events %v, want one that allows", g.events)
			}
		})
	}
}

func TestGuardContext(t *testing.T) {
	g := newGuarded(t, nil)
	g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.reached++
		m, ok := waf.MessageFrom(r.Context())
		if !ok || m.Method.String() != "tools/call" || !m.Name.Is("echo") || string(m.ID) != "7" {
			t.Errorf("MessageFrom = %v, %v, want the call of echo", m, ok)
		}
		id, ok := waf.IdentityFrom(r.Context())
		if want := (waf.Identity{Name: "ci", Method: "bearer"}); !ok || id != want {
			t.Errorf("IdentityFrom = %v, %v, want %v", id, ok, want)
		}
	})).ServeHTTP(httptest.NewRecorder(), post(call))
	if g.reached != 1 {
		t.Fatalf("the handler was reached %d times, want once", g.reached)
	}
	if e := g.events[0]; e.Endpoint != "/mcp" || e.Method != "tools/call" || e.Tool != "echo" || e.Identity != "ci" {
		t.Errorf("event %+v lacks endpoint, method, tool or identity", e)
	}
	if _, ok := waf.MessageFrom(t.Context()); ok {
		t.Error("MessageFrom finds a message in a foreign context")
	}
}

func TestGuardCheck(t *testing.T) {
	g := newGuarded(t, nil)
	r := post(call)
	if d, pass := g.Check(r); !pass {
		t.Fatalf("Check refused: %+v", d)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || string(body) != call {
		t.Errorf("the body after Check is %q, %v, want the same bytes", body, err)
	}
	if _, ok := waf.MessageFrom(r.Context()); !ok {
		t.Error("the context after Check holds no message")
	}
	d, pass := g.Check(post(strings.Replace(call, "echo", "delete_all", 1)))
	want := waf.Denial{Layer: waf.LayerPolicy, Code: "tool_not_allowed", Status: 403, RPCID: []byte("7"), MCP: true}
	if diff := cmp.Diff(want, d, cmp.FilterPath(func(p cmp.Path) bool {
		name := p.Last().String()
		return name == ".header" || name == ".data" || name == ".by" || name == ".name" || name == ".beyond" || name == ".RequestID"
	}, cmp.Ignore())); pass || diff != "" {
		t.Errorf("Check = pass %v, denial (-want +got):\n%s", pass, diff)
	}
}

func TestDetectOnly(t *testing.T) {
	bad := func() *http.Request {
		return post(strings.Replace(call, "echo", "delete_all", 1), del("Authorization"), set("Origin", "https://evil.example"))
	}
	t.Run("all layers", func(t *testing.T) {
		g := newGuarded(t, func(c *waf.Config) { c.Mode = waf.DetectOnly })
		g.serve(bad())
		var got []string
		for _, e := range g.events {
			got = append(got, e.Action.String()+" "+e.Code)
		}
		want := []string{"detect origin_not_allowed", "detect identity_required", "detect tool_not_allowed", "allow "}
		if diff := cmp.Diff(want, got); diff != "" || g.reached != 1 {
			t.Errorf("reached %d times; events (-want +got):\n%s", g.reached, diff)
		}
	})
	t.Run("one layer", func(t *testing.T) {
		g := newGuarded(t, func(c *waf.Config) { c.Modes = map[waf.Layer]waf.Mode{waf.LayerTransport: waf.DetectOnly} })
		if rec := g.serve(bad()); rec.Code != 401 || g.reached != 0 || len(g.events) != 2 {
			t.Errorf("status %d, reached %d times, events %v; want 401 after one detection", rec.Code, g.reached, g.events)
		}
	})
	t.Run("a layer does not rely on one that only detects", func(t *testing.T) {
		g := newGuarded(t, func(c *waf.Config) {
			c.Modes = map[waf.Layer]waf.Mode{waf.LayerValidate: waf.DetectOnly}
			c.Endpoints[0].AllowOrigins = []string{"https://app.example.com"}
		})
		r := post(call, func(r *http.Request) {
			r.Header["Origin"] = []string{"https://app.example.com", "https://evil.example"}
		})
		if rec := g.serve(r); rec.Code != 403 || g.reached != 0 {
			t.Errorf("two origins: status %d, reached %d times; want 403, never", rec.Code, g.reached)
		}
	})
	t.Run("body over the limit goes through whole", func(t *testing.T) {
		g := newGuarded(t, func(c *waf.Config) { c.Mode, c.MaxBodyBytes = waf.DetectOnly, 10 })
		r := post(call)
		r.ContentLength = -1 // chunked
		if g.serve(r); g.body != call {
			t.Errorf("the handler read %q, want the whole body", g.body)
		}
		if g.serve(post(call)); g.body != call {
			t.Errorf("with a length, the handler read %q, want the whole body", g.body)
		}
	})
	t.Run("unreadable body stays unreadable", func(t *testing.T) {
		g := newGuarded(t, func(c *waf.Config) { c.Mode = waf.DetectOnly })
		r := post("")
		r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(`{"json`), failing{})), -1
		g.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if body, err := io.ReadAll(r.Body); string(body) != `{"json` || !errors.Is(err, errBroken) {
				t.Errorf("the handler read %q, %v, want the start and the same error", body, err)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	})
}

var errBroken = errors.New("connection broken")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

func TestBodyErrors(t *testing.T) {
	g := newGuarded(t, nil)
	r := post("")
	r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(call), failing{})), -1
	if rec := g.serve(r); rec.Code != 400 || rec.Header().Get("Connection") != "close" || g.reached != 0 {
		t.Errorf("broken body: status %d, header %v, reached %d times; want 400, close, never", rec.Code, rec.Header(), g.reached)
	}
	r = post("")
	r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(call), failing{})), -1
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0
	if rec := g.serve(r); rec.Code != 400 || rec.Header().Get("Connection") != "" {
		t.Errorf("broken body over HTTP/2: status %d, header %v; want 400, and a connection that the others keep", rec.Code, rec.Header())
	}
	r = post(call)
	r.Trailer = http.Header{"X-Late": {"1"}}
	if rec := g.serve(r); rec.Code != 400 || g.reached != 0 {
		t.Errorf("trailer: status %d, reached %d times; want 400, never", rec.Code, g.reached)
	}
	if rec := g.serve(post(call, func(r *http.Request) { r.Method = http.MethodDelete })); rec.Code != 400 || g.reached != 0 {
		t.Errorf("DELETE with a body: status %d, reached %d times; want 400, never", rec.Code, g.reached)
	}
}

func TestAuthenticateHook(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.Authenticate = func(r *http.Request) (waf.Identity, error) {
			switch r.Header.Get("Authorization") {
			case "Bearer hook":
				return waf.Identity{Name: "hooked", Method: "test"}, nil
			case "Bearer broken":
				return waf.Identity{Name: "never"}, errors.New("directory is down: token broken")
			default:
				return waf.Identity{}, nil
			}
		}
	})
	for auth, want := range map[string]int{"Bearer hook": 202, "Bearer broken": 500, "Bearer other": 401, "Bearer " + token: 202} {
		rec := g.serve(post(call, set("Authorization", auth)))
		if rec.Code != want || strings.Contains(rec.Body.String(), "directory") {
			t.Errorf("Authorization %q: status %d %s, want %d and no cause", auth, rec.Code, rec.Body, want)
		}
	}
}

func TestResourceMetadata(t *testing.T) {
	const metadata = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"
	g := newGuarded(t, func(c *waf.Config) { c.ResourceMetadata = metadata })
	rec := g.serve(post(call, del("Authorization")))
	if got, want := rec.Header().Get("WWW-Authenticate"), `Bearer resource_metadata="`+metadata+`"`; rec.Code != 401 || got != want {
		t.Errorf("status %d, WWW-Authenticate %s, want 401 and %s", rec.Code, got, want)
	}
	for _, bad := range []string{"mcp.example.com", "ftp://a.example", "https://", `https://a.example/"x`, "https://a.example/#x", "https://a.example/\r\nX: y"} {
		if _, err := waf.New(waf.Config{ResourceMetadata: bad}); err == nil {
			t.Errorf("New takes ResourceMetadata %q", bad)
		}
	}
}

func TestTrustedHeader(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.Identities.TrustedHeader = &waf.TrustedHeader{Name: "X-Verified-User", From: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
	})
	as := func(peer string, h http.Header) *http.Request {
		r := post(call, del("Authorization"))
		r.RemoteAddr = peer
		for name, values := range h {
			r.Header[name] = values
		}
		return r
	}
	for _, tc := range []struct {
		name   string
		peer   string
		header http.Header
		status int
		user   string
	}{
		{"listed peer", "10.1.2.3:5", http.Header{"X-Verified-User": {"alice"}}, 202, "alice"},
		{"listed peer over IPv6", "[::1]:5", http.Header{"X-Verified-User": {"alice"}}, 202, "alice"},
		{"listed peer, IPv4-mapped", "[::ffff:10.1.2.3]:5", http.Header{"X-Verified-User": {"alice"}}, 202, "alice"},
		{"other peer", "192.0.2.1:5", http.Header{"X-Verified-User": {"alice"}}, 401, ""},
		{"no peer address", "", http.Header{"X-Verified-User": {"alice"}}, 401, ""},
		{"empty", "10.1.2.3:5", http.Header{"X-Verified-User": {""}}, 401, ""},
		{"twice", "10.1.2.3:5", http.Header{"X-Verified-User": {"alice", "bob"}}, 401, ""},
		{"everybody", "10.1.2.3:5", http.Header{"X-Verified-User": {"*"}}, 401, ""},
		{"underscore spelling", "10.1.2.3:5", http.Header{"X_verified_user": {"alice"}}, 401, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := g.serve(as(tc.peer, tc.header))
			if rec.Code != tc.status || g.events[0].Identity != tc.user {
				t.Errorf("status %d for %q, want %d for %q", rec.Code, g.events[0].Identity, tc.status, tc.user)
			}
		})
	}

	// Whatever is not honoured does not reach the handler either, on any path.
	twins := []string{"X_verified_user", "X-Verified_user", "X_VERIFIED_USER", "x_verified-user", "x-verified-user", "X-VERIFIED-USER"}
	for _, name := range append(twins, "X-Verified-User") {
		r := as("192.0.2.1:5", http.Header{name: {"alice"}})
		target("/elsewhere")(r)
		g.serve(r)
		if g.reached != 1 {
			t.Fatalf("%s: the handler was not reached: %v", name, g.events)
		}
		if _, there := g.request.Header[name]; there {
			t.Errorf("%s reached the handler", name)
		}
	}

	// Nor does a twin beside the field of a listed peer, which may have passed it on unseen; a field of another name does.
	for _, name := range append(twins, "X-Verified-Users") {
		g.serve(as("10.1.2.3:5", http.Header{"X-Verified-User": {"alice"}, name: {"root"}}))
		if g.reached != 1 || g.events[0].Identity != "alice" {
			t.Fatalf("%s beside the field: events %v, want alice to reach the handler", name, g.events)
		}
		if _, there := g.request.Header[name]; there != (name == "X-Verified-Users") || g.request.Header.Get("X-Verified-User") != "alice" {
			t.Errorf("%s beside the field: the handler gets %v", name, g.request.Header)
		}
	}
}

func TestStrictDiscovery(t *testing.T) {
	exposed := map[string]*http.Request{
		"message":        post(call, target("/hidden")),
		"mirror headers": post("{}", target("/hidden"), set("Mcp-Method", "tools/call")),
	}
	ordinary := map[string]*http.Request{
		"JSON":  post(`{"method":"x"}`, target("/api")),
		"empty": post("", target("/api")),
	}
	for strict, want := range map[bool]int{false: 202, true: 403} {
		g := newGuarded(t, func(c *waf.Config) { c.StrictDiscovery = strict })
		for name, r := range exposed {
			body := r.Body
			copied, _ := io.ReadAll(body)
			r.Body = io.NopCloser(strings.NewReader(string(copied)))
			rec := g.serve(r)
			if rec.Code != want || g.events[0].Code != "endpoint_exposed" || g.events[0].Layer != waf.LayerEndpoint {
				t.Errorf("strict %v, %s: status %d, events %v, want %d", strict, name, rec.Code, g.events, want)
			}
			r.Body = io.NopCloser(strings.NewReader(string(copied)))
		}
		for name, r := range ordinary {
			copied, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(copied)))
			if rec := g.serve(r); rec.Code != 202 || len(g.events) != 1 {
				t.Errorf("strict %v, %s: status %d, events %v, want it let through in silence", strict, name, rec.Code, g.events)
			}
			r.Body = io.NopCloser(strings.NewReader(string(copied)))
		}
	}
}

// A path that readers with formats, or that trim, take for an endpoint's is refused what only an endpoint gets.
func TestNearlyEndpoint(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.Endpoints = append(c.Endpoints, waf.Endpoint{Path: "*/hub"}, waf.Endpoint{Path: "/tree/*"})
	})
	for _, path := range []string{"/mcp.json", "/mcp.x", "/MCP%2ejson", "/mcp.", "/mcp%20", "/mcp%2520", "/mcp%20.", "/mcp/%20", "/mcp%23x", "/mcp.json;a", "/a/hub.json", "/mcp.json/"} {
		anonymous := []func(*http.Request){target(path), del("Authorization")}
		for name, r := range map[string]*http.Request{
			"a message":                       post(call, anonymous...),
			"a batch":                         post("["+call+"]", anonymous...),
			"a message with a twin":           post(strings.Replace(call, "{", `{"id":8,`, 1), anonymous...),
			"a member in another case":        post(strings.Replace(call, "jsonrpc", `JSON\u0072pc\u0000`, 1), anonymous...),
			"a message behind a comment":      post("/**/"+call, anonymous...),
			"a message that few can read":     post(strings.Replace(call, `"hi"`, "NaN", 1), anonymous...),
			"a message under another label":   post(call, append(anonymous, set("Content-Type", "text/plain"))...),
			"anything, with a mirror header":  post("x", append(anonymous, set("Mcp-Method", "ping"))...),
			"nothing, where a stream is read": post("", append(anonymous, stream)...),
		} {
			if rec := g.serve(r); rec.Code != 400 || g.events[0].Code != "endpoint_ambiguous" {
				t.Errorf("%s to %s: status %d, events %+v, want 400", name, path, rec.Code, g.events)
			}
		}
		page := func(r *http.Request) { r.Header.Set("Accept", "application/json, */*") }
		for name, r := range map[string]*http.Request{
			"a document":   post("", append(anonymous, stream, page)...),
			"another JSON": post(`{"mcpServers":{}}`, anonymous...),
			"a list":       post(`[{"a":1}]`, anonymous...),
			"text":         post("servers:\n", append(anonymous, set("Content-Type", "text/yaml"))...),
		} {
			if rec := g.serve(r); rec.Code != 202 {
				t.Errorf("%s to %s: status %d, events %+v, want it let through", name, path, rec.Code, g.events)
			}
		}
	}
	for _, path := range []string{"/mcpx", "/mcp-json", "/.mcp", "/mcp/.json", "/json.mcp", "/mcp.json/x", "/a.hub"} {
		if rec := g.serve(post(call, target(path), del("Authorization"))); rec.Code != 202 {
			t.Errorf("%s, which is no endpoint for anybody: status %d, events %+v", path, rec.Code, g.events)
		}
	}
}

func initialize(version string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"` + version +
		`","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`
}

func TestVersions(t *testing.T) {
	modern := strings.Replace(call, `"params":{`, `"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}},`, 1)
	mirrors := []func(*http.Request){set("Mcp-Protocol-Version", "2026-07-28"), set("Mcp-Method", "tools/call"), set("Mcp-Name", "echo")}
	legacy := set("Mcp-Protocol-Version", "2025-06-18")
	for _, tc := range []struct {
		name     string
		versions []mcpmsg.Version
		request  *http.Request
		status   int
		rpc      string
	}{
		{"legacy on a dual endpoint", nil, post(call, legacy), 202, ""},
		{"modern on a dual endpoint", nil, post(modern, mirrors...), 202, ""},
		{"no header on a dual endpoint", nil, post(call), 202, ""},
		{"legacy on a modern endpoint", []mcpmsg.Version{mcpmsg.V20260728}, post(call, legacy), 400, "-32022"},
		{"no header on a modern endpoint", []mcpmsg.Version{mcpmsg.V20260728}, post(call), 400, "-32020"},
		{"modern on a modern endpoint", []mcpmsg.Version{mcpmsg.V20260728}, post(modern, mirrors...), 202, ""},
		{"modern on a legacy endpoint", []mcpmsg.Version{mcpmsg.V20250618, mcpmsg.V20251125}, post(modern, mirrors...), 400, "-32022"},
		{"older than served", []mcpmsg.Version{mcpmsg.V20251125}, post(call, legacy), 400, "-32022"},
		{"no header where only newer revisions are served", []mcpmsg.Version{mcpmsg.V20251125}, post(call), 400, "-32020"},
		{"no header where an old revision is served", []mcpmsg.Version{mcpmsg.V20241105}, post(call), 202, ""},
		{"initialize with an older revision", []mcpmsg.Version{mcpmsg.V20251125}, post(initialize("2024-11-05")), 400, "-32022"},
		{"initialize with the revision", []mcpmsg.Version{mcpmsg.V20251125}, post(initialize("2025-11-25")), 202, ""},
		{"initialize with a newer revision", []mcpmsg.Version{mcpmsg.V20250618}, post(initialize("2025-11-25")), 202, ""},
		{"initialize between two revisions", []mcpmsg.Version{mcpmsg.V20241105, mcpmsg.V20251125}, post(initialize("2025-06-18")), 202, ""},
		{"initialize on a modern endpoint", []mcpmsg.Version{mcpmsg.V20260728}, post(initialize("2025-11-25")), 400, "-32022"},
		{"initialize with a modern revision on a modern endpoint", []mcpmsg.Version{mcpmsg.V20260728}, post(initialize("2026-07-28")), 202, ""},
		{"initialize with a revision of the future", []mcpmsg.Version{mcpmsg.V20251125}, post(initialize("2031-01-01")), 202, ""},
		{"modern body without its headers", nil, post(modern), 400, "-32020"},
		{"modern header on a legacy body", nil, post(call, mirrors...), 400, "-32602"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newGuarded(t, func(c *waf.Config) { c.Endpoints[0].Versions, c.DangerouslyNoRules = tc.versions, true })
			rec := g.serve(tc.request)
			if rec.Code != tc.status || !strings.Contains(rec.Body.String(), tc.rpc) {
				t.Errorf("answer %d %s, want %d with %s", rec.Code, rec.Body, tc.status, tc.rpc)
			}
			if tc.rpc == "-32022" && !strings.Contains(rec.Body.String(), `"data":{"supported":["`+tc.versions[0].String()+`"`) {
				t.Errorf("answer %s does not name the revisions that are served", rec.Body)
			}
		})
	}
}

// What the official conformance suite asks of servers that know 2026-07-28 holds for the Guard, which answers in their place.
func TestModernRefusals(t *testing.T) {
	modern := func(method, version, header string) *http.Request {
		return post(`{"jsonrpc":"2.0","id":7,"method":"`+method+`","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"`+version+
			`","io.modelcontextprotocol/clientCapabilities":{}}}}`, set("Mcp-Protocol-Version", header), set("Mcp-Method", method))
	}
	const supported = `"supported":["2024-11-05","2025-03-26","2025-06-18","2025-11-25","2026-07-28"],`
	for _, tc := range []struct {
		name    string
		request *http.Request
		status  int
		rpc     string
		data    string
	}{
		{"unknown method", modern("unknown/method", "2026-07-28", "2026-07-28"), 404, "-32601", ""},
		{"method of the handshake", modern("initialize", "2026-07-28", "2026-07-28"), 404, "-32601", ""},
		{"unknown method of a session", post(`{"jsonrpc":"2.0","id":7,"method":"unknown/method"}`, set("Mcp-Protocol-Version", "2025-11-25")), 400, "-32601", ""},
		{"another version in the message", modern("tools/list", "v999.0.0", "2026-07-28"), 400, "-32020", ""},
		{"unknown version", modern("tools/list", "v999.0.0", "v999.0.0"), 400, "-32022", supported + `"requested":"v999.0.0"`},
		{"unknown version without header", post(`{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"_meta":` +
			`{"io.modelcontextprotocol/protocolVersion":"2031-01-01"}}}`), 400, "-32022", supported + `"requested":"2031-01-01"`},
		{"version that is none", modern("tools/list", "<script>", "<script>"), 400, "-32022", supported + `"requested":""`},
		{"version that is none, without header", post(`{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"_meta":` +
			`{"io.modelcontextprotocol/protocolVersion":"a\"b"}}}`), 400, "-32022", supported + `"requested":""`},
		{"long version", modern("tools/list", "2026-07-28", strings.Repeat("2", 33)), 400, "-32022", supported + `"requested":""`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newGuarded(t, func(c *waf.Config) { c.DangerouslyNoRules = true })
			rec := g.serve(tc.request)
			var answer struct {
				ID    int
				Error struct {
					Code json.RawMessage
					Data json.RawMessage
				}
			}
			if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
			data := strings.Trim(string(answer.Error.Data), "{}")
			if rec.Code != tc.status || answer.ID != 7 || string(answer.Error.Code) != tc.rpc || data != tc.data {
				t.Errorf("answer %d %s, want %d with id 7, %s and data %s", rec.Code, rec.Body, tc.status, tc.rpc, tc.data)
			}
		})
	}
}

func TestZeroValues(t *testing.T) {
	var zero waf.Guard
	rec := httptest.NewRecorder()
	zero.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the zero Guard let a request through") })).ServeHTTP(rec, post(call))
	if rec.Code != 500 || !strings.Contains(rec.Body.String(), "-32603") {
		t.Errorf("the zero Guard answers %d %s, want 500 with -32603", rec.Code, rec.Body)
	}

	g := newGuarded(t, func(c *waf.Config) { *c = waf.Config{} })
	if rec := g.serve(post(call)); rec.Code != 401 {
		t.Errorf("the zero Config answers an MCP request %d, want 401", rec.Code)
	}
	if rec := g.serve(post("x", target("/other"))); rec.Code != 202 {
		t.Errorf("the zero Config answers another request %d, want it let through", rec.Code)
	}

	defer func() {
		if recover() == nil {
			t.Error("Wrap(nil) did not panic")
		}
	}()
	g.Wrap(nil)
}

func TestClose(t *testing.T) {
	g := newGuarded(t, nil)
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if rec := g.serve(post(call)); rec.Code != 500 || g.reached != 0 {
		t.Errorf("a closed Guard answers %d, want 500", rec.Code)
	}
	if err := g.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestReload(t *testing.T) {
	g := newGuarded(t, nil)
	if err := g.Reload(waf.Config{MaxBodyBytes: -1}); err == nil {
		t.Fatal("Reload took a bad configuration")
	}
	if rec := g.serve(post(call)); rec.Code != 202 {
		t.Errorf("after a bad Reload: status %d, want the old configuration to allow it", rec.Code)
	}
	if err := g.Reload(waf.Config{}); err != nil {
		t.Fatal(err)
	}
	if rec := g.serve(post(call)); rec.Code != 401 {
		t.Errorf("after Reload: status %d, want 401", rec.Code)
	}
}

// A request that began under the old configuration ends under it, its ruleset included.
func TestReloadDuringRequest(t *testing.T) {
	var g *guarded
	reloaded := false
	g = newGuarded(t, func(c *waf.Config) {
		c.Authenticate = func(*http.Request) (waf.Identity, error) {
			if !reloaded {
				reloaded = true
				if err := g.Reload(waf.Config{}); err != nil {
					return waf.Identity{}, err
				}
			}
			return waf.Identity{Name: "old"}, nil
		}
	})
	if rec := g.serve(post(call, del("Authorization"))); rec.Code != 202 || !reloaded {
		t.Errorf("a request during Reload: status %d %s, want the old configuration to allow it", rec.Code, rec.Body)
	}
}

// The ruleset takes every body that the Guard takes.
func TestRulesTakeLargeBodies(t *testing.T) {
	large := strings.Replace(call, "hi", strings.Repeat("x", 5<<20), 1)
	g := newGuarded(t, func(c *waf.Config) { c.MaxBodyBytes = 8 << 20 })
	if rec := g.serve(post(large)); rec.Code != 202 {
		t.Errorf("a body of %d bytes: status %d %s, events %+v, want 202", len(large), rec.Code, rec.Body, g.events)
	}
	small, err := waf.LoadRules(waf.RulesConfig{MaxBodyBytes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = small.Close() })
	if _, err := waf.New(waf.Config{Rules: small}); err == nil {
		t.Error("New takes a ruleset that refuses bodies which the Guard takes")
	}
	if _, err := waf.New(waf.Config{Rules: small, MaxBodyBytes: 1000}); err != nil {
		t.Errorf("New with a ruleset of the same limit: %v", err)
	}
}

// A ruleset that its owner closed too early refuses; it is no hole.
func TestRulesClosedByOwner(t *testing.T) {
	rs, err := waf.LoadRules(waf.RulesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	g := newGuarded(t, func(c *waf.Config) { c.Rules = rs })
	if rec := g.serve(post(call)); rec.Code != 202 {
		t.Fatalf("status %d, want 202", rec.Code)
	}
	if err := rs.Close(); err != nil {
		t.Fatal(err)
	}
	if rec := g.serve(post(call)); rec.Code != 500 || g.events[0].Code != "rules_closed" {
		t.Errorf("with a closed ruleset: status %d, events %+v, want 500", rec.Code, g.events)
	}
}

func TestOnDeny(t *testing.T) {
	bad := strings.Replace(call, "echo", "delete_all", 1)
	g := newGuarded(t, func(c *waf.Config) {
		c.OnDeny = func(w http.ResponseWriter, _ *http.Request, d waf.Denial) {
			w.Header().Set("Content-Type", "text/plain")
			http.Error(w, "own: "+d.Code, http.StatusTeapot)
		}
	})
	if rec := g.serve(post(bad)); rec.Code != http.StatusTeapot || rec.Body.String() != "own: tool_not_allowed\n" || g.reached != 0 {
		t.Errorf("answer %d %q, reached %d times; want the hook's answer and no pass", rec.Code, rec.Body, g.reached)
	}
	g = newGuarded(t, func(c *waf.Config) {
		c.OnDeny = func(w http.ResponseWriter, _ *http.Request, _ waf.Denial) {
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		}
	})
	if rec := g.serve(post(call, del("Authorization"))); rec.Code != http.StatusUnauthorized || rec.Body.Len() > 0 {
		t.Errorf("a hook that only flushes: answer %d %s, want an empty 401", rec.Code, rec.Body)
	}
	g = newGuarded(t, func(c *waf.Config) { c.OnDeny = func(http.ResponseWriter, *http.Request, waf.Denial) {} })
	if rec := g.serve(post(bad)); rec.Code != 403 || rec.Body.Len() == 0 {
		t.Errorf("a silent hook: answer %d %q, want the Guard's own 403", rec.Code, rec.Body)
	}
}

func TestConfigFaults(t *testing.T) {
	_, err := waf.New(waf.Config{
		Mode:         9,
		MaxBodyBytes: -1,
		Endpoints:    []waf.Endpoint{{Path: "x"}},
		Identities: waf.Identities{
			Bearer:             []waf.BearerToken{{Name: "", SHA256: sha256.Sum256(nil)}},
			ClientCertificates: []waf.ClientCertificate{{Name: "a"}},
			TrustedHeader:      &waf.TrustedHeader{Name: "Authorization"},
		},
	})
	if err == nil {
		t.Fatal("New took a configuration that is wrong everywhere")
	}
	for _, field := range []string{
		"Config.Mode", "Config.MaxBodyBytes", "Config.Endpoints[0].Path", "Config.Identities.Bearer[0].Name", "Config.Identities.Bearer[0].SHA256",
		"Config.Identities.ClientCertificates[0]", "Config.Identities.TrustedHeader.Name", "Config.Identities.TrustedHeader.From",
	} {
		if !strings.Contains(err.Error(), "waf: "+field+": ") {
			t.Errorf("the error does not name %s:\n%v", field, err)
		}
	}
	var fault *waf.ConfigError
	if !errors.As(err, &fault) {
		t.Errorf("%T holds no *waf.ConfigError", err)
	}
}

// A call costs no more than this many allocations over those of the handler, the copy of the request included.
func TestGuardAllocs(t *testing.T) {
	const most = 12
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	g, err := waf.New(testConfig(func(c *waf.Config) { c.DangerouslyNoRules = true }))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	template := post("")
	for _, body := range []string{call, strings.Replace(call, "hi", strings.Repeat("0123456789abcde ", 4<<10), 1)} {
		allocs := func(h http.Handler) float64 {
			w := &reusedWriter{header: make(http.Header)}
			return testing.AllocsPerRun(200, func() {
				r := *template
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
				h.ServeHTTP(w, &r)
			})
		}
		if bare, guarded := allocs(handler), allocs(g.Wrap(handler)); guarded > bare+most {
			t.Errorf("%d bytes: %v allocations, %v without the Guard, want at most %d more", len(body), guarded, bare, most)
		}
	}
}

// A CORS preflight carries no credentials. It passes for an allowed origin, and nothing else passes as one.
func TestPreflight(t *testing.T) {
	preflight := func(change ...func(*http.Request)) *http.Request {
		return post("", append([]func(*http.Request){del("Authorization"), del("Content-Type"), set("Origin", "https://app.example.com"),
			set("Access-Control-Request-Method", "POST"), func(r *http.Request) { r.Method, r.Body, r.ContentLength = http.MethodOptions, http.NoBody, 0 }}, change...)...)
	}
	g := newGuarded(t, func(c *waf.Config) { c.Endpoints[0].AllowOrigins = []string{"https://app.example.com"} })
	for _, tc := range []struct {
		name    string
		request *http.Request
		status  int
		code    string
	}{
		{"allowed origin", preflight(), 202, ""},
		{"another origin", preflight(set("Origin", "https://evil.example")), 403, "origin_not_allowed"},
		{"origin of the host, which the list does not hold", preflight(set("Origin", "https://mcp.example.com")), 403, "origin_not_allowed"},
		{"null", preflight(set("Origin", "null")), 403, "origin_not_allowed"},
		{"user information in the origin", preflight(set("Origin", "https://app.example.com@evil.example")), 403, "origin_invalid"},
		{"path after the origin", preflight(set("Origin", "https://app.example.com/")), 403, "origin_invalid"},
		{"two origins", preflight(func(r *http.Request) { r.Header.Add("Origin", "https://evil.example") }), 400, "header_duplicate"},
		{"another host", preflight(func(r *http.Request) { r.Host = "evil.example" }), 403, "host_not_allowed"},
		{"no origin, so no preflight", preflight(del("Origin")), 401, "identity_required"},
		{"no method asked for, so no preflight", preflight(del("Access-Control-Request-Method")), 401, "identity_required"},
		{"with a body", preflight(func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(call)), int64(len(call))
		}), 400, "body_unexpected"},
		{"of another method, which is none", preflight(func(r *http.Request) { r.Method = http.MethodGet }, set("Accept", "text/event-stream")), 401, "identity_required"},
	} {
		if rec := g.serve(tc.request); rec.Code != tc.status || g.events[0].Code != tc.code || (g.reached > 0) != (tc.status == 202) {
			t.Errorf("%s: status %d, events %+v, want %d %s", tc.name, rec.Code, g.events, tc.status, tc.code)
		}
	}
}
