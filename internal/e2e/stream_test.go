package e2e

import (
	"bufio"
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

// protocols are the versions of HTTP that a Guard serves.
var protocols = []struct {
	name  string
	start func(t *testing.T, handler http.Handler) (base string, client *http.Client)
}{
	{"HTTP/1.1", func(t *testing.T, handler http.Handler) (string, *http.Client) {
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		return listen(t, handler), &http.Client{Transport: transport}
	}},
	{"HTTP/2.0", func(t *testing.T, handler http.Handler) (string, *http.Client) {
		server := httptest.NewUnstartedServer(handler)
		server.EnableHTTP2 = true
		server.StartTLS()
		t.Cleanup(func() {
			server.CloseClientConnections()
			server.Close()
		})
		return server.URL, server.Client()
	}},
}

const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

// onEachPath runs the test with every wiring over every protocol.
func onEachPath(t *testing.T, server http.HandlerFunc, test func(t *testing.T, base string, client *http.Client)) {
	for _, wiring := range wirings {
		for _, protocol := range protocols {
			t.Run(wiring.name+" "+protocol.name, func(t *testing.T) {
				guard := newGuard(t, waf.Config{Authenticate: caller})
				base, client := protocol.start(t, wiring.wrap(t, guard, server))
				client.Timeout = patience
				test(t, base, client)
			})
		}
	}
}

func postMessage(t *testing.T, client *http.Client, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(ping))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// The server flushes before it writes and then waits for the client to have seen each step.
func TestStreamsFlowStepByStep(t *testing.T) {
	var step chan struct{}
	onEachPath(t, func(w http.ResponseWriter, r *http.Request) {
		flush := http.NewResponseController(w).Flush
		w.Header().Set("Content-Type", "text/event-stream")
		if err := flush(); err != nil {
			t.Errorf("flush before the first write: %v", err)
		}
		for i := range 3 {
			select {
			case <-step:
			case <-r.Context().Done():
				t.Error("the stream ended early")
				return
			}
			fmt.Fprintf(w, "data: %d\n\n", i)
			_ = flush()
		}
	}, func(t *testing.T, base string, client *http.Client) {
		step = make(chan struct{})
		resp := postMessage(t, client, base+"/mcp") // returns with the header, before any event
		if !strings.HasSuffix(t.Name(), resp.Proto) || resp.StatusCode != http.StatusOK {
			t.Fatalf("answer %s %d", resp.Proto, resp.StatusCode)
		}
		events := bufio.NewScanner(resp.Body)
		for i := range 3 {
			step <- struct{}{}
			if want := fmt.Sprintf("data: %d", i); !events.Scan() || events.Text() != want {
				t.Fatalf("event %q, %v, want %q", events.Text(), events.Err(), want)
			}
			events.Scan()
		}
		if events.Scan() {
			t.Errorf("more than was sent: %q", events.Text())
		}
	})
}

// A client that leaves ends the server's request: a tool must not run on for nobody.
func TestClientThatLeavesEndsTheRequest(t *testing.T) {
	var left chan struct{}
	onEachPath(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(left)
	}, func(t *testing.T, base string, client *http.Client) {
		left = make(chan struct{})
		_ = postMessage(t, client, base+"/mcp").Body.Close()
		select {
		case <-left:
		case <-time.After(patience):
			t.Error("the server's request goes on")
		}
	})
}

func TestResponseControllerReachesTheConnection(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.name, func(t *testing.T) {
			guard := newGuard(t, waf.Config{Authenticate: caller})
			base, client := protocol.start(t, guard.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				rc := http.NewResponseController(w)
				for name, err := range map[string]error{
					"SetReadDeadline":  rc.SetReadDeadline(time.Now().Add(patience)),
					"SetWriteDeadline": rc.SetWriteDeadline(time.Now().Add(patience)),
					"EnableFullDuplex": rc.EnableFullDuplex(),
					"Flush":            rc.Flush(),
				} {
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
				_ = rc.SetWriteDeadline(time.Now().Add(-time.Second)) // takes effect: what follows never arrives
				_, _ = io.WriteString(w, "late")
				_ = rc.Flush()
			})))
			resp, err := client.Post(base+"/mcp", "application/json", strings.NewReader(ping))
			var body []byte
			if err == nil { // over HTTP/2 the cut may overtake the header
				defer resp.Body.Close()
				body, err = io.ReadAll(resp.Body)
			}
			if err == nil || len(body) > 0 {
				t.Errorf("body %q, %v, want a connection cut by the deadline", body, err)
			}
		})
	}
}

// Outside MCP endpoints a handler may take the connection over.
func TestHijack(t *testing.T) {
	guard := newGuard(t, waf.Config{})
	base := listen(t, guard.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "mine\n")
	})))
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, "GET /terminal HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	if got, err := io.ReadAll(conn); string(got) != "mine\n" || err != nil {
		t.Errorf("got %q, %v, want the hijacker's line", got, err)
	}
}
