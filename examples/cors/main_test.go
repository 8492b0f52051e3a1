package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/examples/internal/selfrun"
)

func TestMain(m *testing.M) { selfrun.Main(m, main) }

func TestCORS(t *testing.T) {
	const app = "https://app.example.com"
	program := selfrun.Start(t, "-listen", "127.0.0.1:0", "-origin", app, "-token", "secret")
	for _, tc := range []struct {
		name, method, origin, token, wants string
		status                             int
		allowed                            string // Access-Control-Allow-Origin
	}{
		{"preflight", "OPTIONS", app, "", "POST", 204, app},
		{"request", "POST", app, "secret", "", 200, app},
		{"refusal that the page can read", "POST", app, "", "", 401, app},
		{"no browser", "POST", "", "secret", "", 200, ""},
		{"preflight of a stream", "OPTIONS", app, "", "GET ,last-event-id", 204, app},
		{"preflight of a session's end", "OPTIONS", app, "", "DELETE", 204, app},
		{"preflight of the revision with mirror headers", "OPTIONS", app, "", "POST ,mcp-method,mcp-name", 204, app},
		{"preflight from elsewhere", "OPTIONS", "https://evil.example", "", "POST", 403, ""},
		{"preflight from a sandbox", "OPTIONS", "null", "", "POST", 403, ""},
		{"preflight for another method", "OPTIONS", app, "", "PATCH", 403, ""},
		{"preflight for another field", "OPTIONS", app, "", "POST ,x-evil", 403, ""},
		{"request from elsewhere", "POST", "https://evil.example", "secret", "", 403, ""},
		{"request from a part of the origin", "POST", "https://app.example.com.evil.example", "secret", "", 403, ""},
		{"request from another scheme", "POST", "http://app.example.com", "secret", "", 403, ""},
		{"request from a sandbox", "POST", "null", "secret", "", 403, ""},
		{"request from the address of the server", "POST", "http://" + program.Addr, "secret", "", 403, ""},
		{"OPTIONS that is no preflight", "OPTIONS", "https://evil.example", "", "", 403, ""},
	} {
		body := ""
		if tc.method == "POST" {
			body = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
		}
		req, err := http.NewRequest(tc.method, "http://"+program.Addr+"/mcp", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if tc.origin != "" {
			req.Header.Set("Origin", tc.origin)
		}
		if tc.token != "" {
			req.Header.Set("Authorization", "Bearer "+tc.token)
		}
		if method, field, _ := strings.Cut(tc.wants, " "); method != "" {
			req.Header.Set("Access-Control-Request-Method", method)
			fields := strings.Split("authorization,content-type,mcp-protocol-version,mcp-session-id"+field, ",")
			slices.Sort(fields) // as browsers send them
			req.Header.Set("Access-Control-Request-Headers", strings.Join(fields, ","))
		}
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Accept", "application/json, text/event-stream")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := resp.Header.Get("Access-Control-Allow-Origin"); resp.StatusCode != tc.status || got != tc.allowed {
			t.Errorf("%s: status %d, allowed origin %q, want %d, %q", tc.name, resp.StatusCode, got, tc.status, tc.allowed)
		}
		if tc.method == "OPTIONS" {
			continue // no cache keeps the answer
		}
		if vary := resp.Header.Values("Vary"); !slices.Contains(vary, "Origin") {
			t.Errorf("%s: a cache may mix the answers up: Vary is %q", tc.name, vary)
		}
		exposed := resp.Header.Get("Access-Control-Expose-Headers")
		if want := "mcp-session-id,retry-after,www-authenticate,x-request-id"; tc.allowed != "" && exposed != want {
			t.Errorf("%s: the page may read %q, want %q", tc.name, exposed, want)
		}
		if resp.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: a page may act with the cookies of its visitor", tc.name)
		}
	}
}

// An origin that is none, or all, starts nothing.
func TestOriginsMustBeExact(t *testing.T) {
	for _, origin := range []string{"", "*", "null", "https://*.example.com", "app.example.com", "https://app.example.com/"} {
		if _, err := newHandler(origin, "secret"); err == nil {
			t.Errorf("newHandler(%q) accepts it", origin)
		}
	}
	if _, err := newHandler("https://app.example.com", ""); err == nil {
		t.Error("newHandler accepts an empty token")
	}
}
