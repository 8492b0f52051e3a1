package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

// protocols are the versions of HTTP that a Guard serves.
var protocols = []string{"HTTP/1.1", "HTTP/2.0"}

// A path is one of the ways by which a request gets to a server: as middleware or through guardproxy, over a version of HTTP.
type path struct{ wiring, protocol string }

// paths calls test for each way.
func paths(t *testing.T, test func(t *testing.T, p path)) {
	for _, wiring := range wirings {
		for _, protocol := range protocols {
			t.Run(wiring.name+" "+protocol, func(t *testing.T) { test(t, path{wiring.name, protocol}) })
		}
	}
}

// defaultRules are those that a Guard loads by itself. Loaded once: it takes longer than most tests.
var defaultRules = sync.OnceValues(func() (*waf.Ruleset, error) { return waf.LoadRules(waf.RulesConfig{}) })

// serve puts a Guard with cfg and the default rules before the server. Nobody needs a credential, unless cfg says otherwise.
func (p path) serve(t *testing.T, cfg waf.Config, server http.Handler) (guard *waf.Guard, base string, client *http.Client) {
	t.Helper()
	if cfg.Rules == nil {
		var err error
		if cfg.Rules, err = defaultRules(); err != nil {
			t.Fatal(err)
		}
	}
	if cfg.Authenticate == nil {
		cfg.Authenticate = caller
	}
	guard = newGuard(t, cfg)
	for _, wiring := range wirings {
		if wiring.name == p.wiring {
			base, client = p.listen(t, wiring.wrap(t, guard, server), nil)
		}
	}
	return guard, base, client
}

// listen serves handler on loopback until the test ends. wrap, if not nil, changes the listener.
func (p path) listen(t *testing.T, handler http.Handler, wrap func(net.Listener) net.Listener) (base string, client *http.Client) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	if wrap != nil {
		server.Listener = wrap(server.Listener)
	}
	if p.protocol == "HTTP/2.0" {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() { shut(t, server) })
	client = server.Client()
	client.Timeout = patience
	t.Cleanup(client.CloseIdleConnections)
	return server.URL, client
}

const (
	ping      = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	listTools = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	toolList  = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"echo"},{"name":"delete"}]}}`
)

// inspected is a configuration under which the answers to lists, and the streams of a GET, are looked at.
func inspected() waf.Config {
	return waf.Config{Endpoints: []waf.Endpoint{{Path: "/mcp", Tools: []waf.AccessRule{{Identity: "*", Deny: []string{"delete"}}}}}}
}

// mcpRequest is a POST of the message, or the GET of a stream if message is "".
func mcpRequest(t *testing.T, url, message string) *http.Request {
	t.Helper()
	method := http.MethodPost
	if message == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	if message != "" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
	}
	return r
}

// do sends r and returns the answer as soon as its header is there.
func do(t *testing.T, client *http.Client, r *http.Request) *http.Response {
	t.Helper()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}
