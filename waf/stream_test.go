package waf_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/sallyport/waf"
)

// versions runs a test over HTTP/1.1 and HTTP/2 with a server that has the Guard in front of the handler.
func versions(t *testing.T, handler http.HandlerFunc, test func(t *testing.T, client *http.Client, url string)) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			g := newGuarded(t, func(c *waf.Config) { c.Endpoints = []waf.Endpoint{{Path: "/mcp", Anonymous: true}} })
			server := httptest.NewUnstartedServer(g.Wrap(handler))
			server.EnableHTTP2 = proto == "HTTP/2.0"
			server.StartTLS()
			t.Cleanup(server.Close)
			test(t, server.Client(), server.URL)
		})
	}
}

func get(t *testing.T, client *http.Client, url string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	request.Header.Set("Accept", "text/event-stream")
	response, err := client.Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// The header of a stream arrives with the first Flush, before any event, and each event before the next one is written.
func TestStreamEventByEvent(t *testing.T) {
	next := make(chan struct{})
	versions(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		for i := range 3 {
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
		}
	}, func(t *testing.T, client *http.Client, url string) {
		response := get(t, client, url+"/mcp")
		if got := response.Header.Get("Content-Type"); response.StatusCode != 200 || got != "text/event-stream" {
			t.Fatalf("%d %q, want the stream's header before its first event", response.StatusCode, got)
		}
		lines := bufio.NewScanner(response.Body)
		for i := range 3 {
			next <- struct{}{}
			if !lines.Scan() || lines.Text() != fmt.Sprintf("data: %d", i) {
				t.Fatalf("event %d arrives as %q, %v", i, lines.Text(), lines.Err())
			}
			lines.Scan() // the empty line
		}
	})
}

// A client that leaves is seen by the handler.
func TestStreamClientLeaves(t *testing.T) {
	gone := make(chan struct{}, 1)
	versions(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		gone <- struct{}{}
	}, func(t *testing.T, client *http.Client, url string) {
		response := get(t, client, url+"/mcp")
		response.Body.Close()
		client.CloseIdleConnections()
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			t.Error("the handler did not see that the client left")
		}
	})
}

// http.ResponseController and the optional interfaces reach the server's own writer.
func TestResponseController(t *testing.T) {
	results := make(chan string, 1)
	versions(t, func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		results <- fmt.Sprint(c.SetReadDeadline(time.Now().Add(time.Minute)), c.SetWriteDeadline(time.Now().Add(time.Minute)), c.EnableFullDuplex())
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusNotFound)
	}, func(t *testing.T, client *http.Client, url string) {
		response := get(t, client, url+"/mcp")
		if got := <-results; got != "<nil> <nil> <nil>" {
			t.Errorf("ResponseController answers %s, want no errors", got)
		}
		if response.StatusCode != http.StatusNotFound {
			t.Errorf("103 and then 404 arrive as %d, want 404", response.StatusCode)
		}
	})
}

// On a path that is no endpoint a connection can be taken over, as WebSocket servers do.
func TestHijack(t *testing.T) {
	g := newGuarded(t, nil)
	server := httptest.NewServer(g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		rw.Flush()
		line, err := rw.ReadString('\n')
		if err != nil {
			t.Error(err)
		}
		fmt.Fprint(rw, strings.ToUpper(line))
		rw.Flush()
	})))
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello\n")
	require.NoError(t, err)
	all, err := io.ReadAll(conn)
	require.NoError(t, err)
	if !strings.HasPrefix(string(all), "HTTP/1.1 101 ") || !strings.HasSuffix(string(all), "HELLO\n") {
		t.Errorf("the hijacked connection carried %q", all)
	}
}
