package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Session ids belong to the caller that opened them, also while the keys are rotated.
func TestSessionKeys(t *testing.T) {
	const older, newer = "b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2w=\n", "bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=\n"
	const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`
	var bearer []string
	for _, name := range []string{"mine", "other"} {
		sum := sha256.Sum256([]byte(name))
		bearer = append(bearer, fmt.Sprintf(`{"name": %q, "sha256": %q}`, name, hex.EncodeToString(sum[:])))
	}
	keys := write(t, "keys", older)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Mcp-Session-Id") {
		case "":
			w.Header().Set("Mcp-Session-Id", "its-own-id")
		case "its-own-id":
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	t.Cleanup(backend.Close)
	p := launch(t, "-upstream", backend.URL, "-policy", write(t, "policy.json", `{"identities": {"bearer": [`+strings.Join(bearer, ",")+`]}, "endpoints": [{"path": "/mcp"}]}`),
		"-session-keys", keys)
	send := func(token, session, message string) *http.Response {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, p.url+"/mcp", strings.NewReader(message))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		req.Header.Set("Authorization", "Bearer "+token)
		if session != "" {
			req.Header.Set("Mcp-Session-Id", session)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	open := func() string {
		t.Helper()
		resp := send("mine", "", initialize)
		id := resp.Header.Get("Mcp-Session-Id")
		if resp.StatusCode != 200 || !strings.HasPrefix(id, "its-own-id.") {
			t.Fatalf("initialize: status %d, session %q", resp.StatusCode, id)
		}
		return id
	}
	expect := func(when, token, session string, status int) {
		t.Helper()
		if resp := send(token, session, toolCall("add", `{"a":1,"b":2}`)); resp.StatusCode != status {
			t.Errorf("%s: status %d, want %d", when, resp.StatusCode, status)
		}
	}
	rotate := func(text string) {
		t.Helper()
		replace(t, keys, text)
	}
	first := open()
	expect("own session", "mine", first, 200)
	expect("stolen session", "other", first, 404)

	rotate("# rotated\n" + newer + older)
	p.stderr.await(t, "policy reloaded\n")
	second := open()
	expect("opened before the new key", "mine", first, 200)
	expect("opened under the new key", "mine", second, 200)
	expect("stolen under the new key", "other", second, 404)

	rotate(newer)
	p.stderr.await(t, "(?s)(policy reloaded\n.*){2}")
	expect("after the old key", "mine", first, 404)
	expect("under the only key", "mine", second, 200)
	if said, _ := p.stderr.state(); strings.Contains(said, strings.TrimSpace(newer)) {
		t.Error("a key is in the log")
	}
}
