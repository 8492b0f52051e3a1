package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/examples/internal/selfrun"
)

func TestMain(m *testing.M) { selfrun.Main(m, main) }

func TestCoraza(t *testing.T) {
	program := selfrun.Start(t, "-listen", "127.0.0.1:0")
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"select * from t; rm -rf"}}}`
	for _, tc := range []struct {
		name, path, body string
		header           map[string]string
		want             int
	}{
		{"authorised call", "/mcp", call, map[string]string{"Authorization": "Bearer t"}, http.StatusOK},
		{"no credential", "/mcp_message", call, nil, http.StatusForbidden},
		{"not one JSON value", "/mcp", call + "x", map[string]string{"Authorization": "Bearer t"}, http.StatusBadRequest},
		{"a member that another parser reads", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}`, map[string]string{"Authorization": "Bearer t"},
			http.StatusBadRequest},
		{"the program's own rule", "/", "", map[string]string{"X-Debug": "1"}, http.StatusForbidden},
	} {
		req, err := http.NewRequest(http.MethodPost, "http://"+program.Addr+tc.path, strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		for name, value := range tc.header {
			req.Header.Set(name, value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != tc.want {
			t.Errorf("%s: status %d, want %d", tc.name, resp.StatusCode, tc.want)
		}
	}
	for _, rule := range []string{"matched rule 1000\n", "matched rule 9599100\n"} {
		if said := program.Stop(); !strings.Contains(said, rule) {
			t.Errorf("want %q in:\n%s", rule, said)
		}
	}
}
