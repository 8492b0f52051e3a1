package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestCoraza(t *testing.T) {
	var mu sync.Mutex
	var matched []int
	handler, err := protect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
		func(rule int) {
			mu.Lock()
			defer mu.Unlock()
			matched = append(matched, rule)
		})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"select * from t; rm -rf"}}}`
	for _, tc := range []struct {
		name, path, body string
		header           map[string]string
		want             int
	}{
		{"authorised call", "/mcp", call, map[string]string{"Authorization": "Bearer t"}, http.StatusTeapot},
		{"no credential", "/mcp_message", call, nil, http.StatusForbidden},
		{"not one JSON value", "/mcp", call + "x", map[string]string{"Authorization": "Bearer t"}, http.StatusBadRequest},
		{"the program's own rule", "/", "", map[string]string{"X-Debug": "1"}, http.StatusForbidden},
	} {
		req, err := http.NewRequest(http.MethodPost, server.URL+tc.path, strings.NewReader(tc.body))
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
	mu.Lock()
	defer mu.Unlock()
	if !slices.Contains(matched, 1000) {
		t.Errorf("reported %d, want the program's own rule among them", matched)
	}
}
