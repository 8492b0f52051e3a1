package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/examples/internal/selfrun"
)

func TestMain(m *testing.M) { selfrun.Main(m, main) }

func TestMiddleware(t *testing.T) {
	program := selfrun.Start(t, "-listen", "127.0.0.1:0", "-token", "secret")
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
		req, err := http.NewRequest(tc.method, "http://"+program.Addr+tc.path, strings.NewReader(tc.body))
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
	if said := program.Stop(); strings.Count(said, "decision") != 5 || strings.Contains(said, "secret") {
		t.Errorf("want five events and no token in:\n%s", said)
	}
}

func call(tool string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + tool + `"}}`
}
