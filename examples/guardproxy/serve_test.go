package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/waf"
)

// A body has a time to arrive in; an answer may take longer than that.
func TestBodyTimeIsLimitedAndAnswersAreNot(t *testing.T) {
	const limit = 100 * time.Millisecond
	codes := make(chan string, 2)
	guard, err := waf.New(waf.Config{
		Endpoints: []waf.Endpoint{{Path: "/mcp", Anonymous: true}},
		OnEvent:   func(e waf.Event) { codes <- e.Code },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer guard.Close()
	server := httptest.NewServer(limitBodyTime(guard, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(3 * limit):
			_, _ = io.WriteString(w, "done")
		case <-r.Context().Done():
		}
	}), limit))
	defer server.Close()
	const message = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	for _, tc := range []struct{ name, body, want, code string }{
		{"slow answer", message, "200 OK", ""},
		{"slow body", message[:20], "408 Request Timeout", "body_timeout"},
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n"+
			"Content-Length: %d\r\n\r\n%s", len(message), tc.body)
		answer, _ := io.ReadAll(conn)
		if code := <-codes; code != tc.code || !strings.HasPrefix(string(answer), "HTTP/1.1 "+tc.want) {
			t.Errorf("%s: code %q, answer %q, want %q and %s", tc.name, code, answer, tc.code, tc.want)
		}
	}
}
