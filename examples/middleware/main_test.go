package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestMiddleware(t *testing.T) {
	var events bytes.Buffer
	guard, err := newGuard("secret", slog.New(slog.NewJSONHandler(&events, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer guard.Close()
	server := httptest.NewServer(guard.Wrap(routes()))
	defer server.Close()
	for _, tc := range []struct {
		name, method, path, token, body string
		want                            int
		answer                          string // in the body
	}{
		{"allowed tool", "POST", "/mcp", "secret", call("search_docs"), 200, `"ci called search_docs"`},
		{"tool not allowed", "POST", "/mcp", "secret", call("delete_docs"), 403, `"id":1`},
		{"no token", "POST", "/mcp", "", call("search_docs"), 401, "error"},
		{"two meanings", "POST", "/mcp", "secret", `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}`, 400, "-32600"},
		{"ordinary page", "GET", "/hello", "", "", 200, "hello"},
	} {
		req, err := http.NewRequest(tc.method, server.URL+tc.path, strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		if tc.body != "" {
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Accept", "application/json, text/event-stream")
		}
		if tc.token != "" {
			req.Header.Set("Authorization", "Bearer "+tc.token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != tc.want || !strings.Contains(string(body), tc.answer) {
			t.Errorf("%s: %d %s, want %d with %s", tc.name, resp.StatusCode, body, tc.want, tc.answer)
		}
	}
	if n := strings.Count(events.String(), `"msg":"decision"`); n != 5 || strings.Contains(events.String(), "secret") {
		t.Errorf("%d events, want 5 without the token:\n%s", n, events.String())
	}
}

func call(tool string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + tool + `"}}`
}
