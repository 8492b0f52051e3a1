package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/examples/guardproxy/proxy"
	"github.com/sallyport/sallyport/waf"
)

// faults are what goes wrong around a Guard. Each ends in the documented answer and leaves nothing behind.
var faults = []struct {
	name   string
	wiring string // "" for each of them
	test   func(t *testing.T, p path)
}{
	{"the server dies within a stream", "", serverDiesInStream},
	{"a client does not read", "", clientDoesNotRead},
	{"a server takes its time", "", slowServer},
	{"a client sends too slowly", "", slowClient},
	{"a client closes its half within the body", "", halfClosed},
	{"an event sink blocks", "", sinkBlocks},
	{"a hook or the handler panics", "", panics},
	{"a thousand bodies are too long", "middleware", longBodies},
	{"a client expects 100-continue", "", expectContinue},
	{"the upstream is not there", "proxy", upstreamGone},
	{"the upstream speaks no HTTP", "proxy", upstreamGarbage},
}

func TestFaults(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			paths(t, func(t *testing.T, p path) {
				if f.wiring == "" || f.wiring == p.wiring {
					leavesNothing(t)
					f.test(t, p)
				}
			})
		})
	}
}

// leavesNothing fails the test if goroutines or descriptors are left when all else has been cleaned up.
func leavesNothing(t *testing.T) {
	t.Helper()
	before := descriptors()
	t.Cleanup(func() {
		await(t, "the descriptors to be closed", func() bool { return descriptors() <= before })
	})
	noLeak(t)
}

// descriptors counts the open files of the process, where the system tells.
func descriptors() int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(files)
}

// stillServes wants the next call to be answered, and the Guard to hold nothing.
func stillServes(t *testing.T, guard *waf.Guard, client *http.Client, base string) {
	t.Helper()
	if resp := do(t, client, mcpRequest(t, base+"/other", "")); resp.StatusCode != http.StatusTeapot {
		t.Errorf("the next request is answered %d, want that of the server", resp.StatusCode)
	}
	await(t, "the Guard to give back everything", func() bool { return guard.Stats() == waf.Stats{} })
}

// orTeapot answers what stillServes asks, and leaves the rest to handler.
func orTeapot(handler http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/other" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		handler(w, r)
	})
}

// The client must not take the part for the whole.
func serverDiesInStream(t *testing.T, p path) {
	for _, message := range []string{ping, listTools, ""} {
		guard, base, client := p.serve(t, inspected(), orTeapot(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: "+progress(0)+"\n\n")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}))
		resp := do(t, client, mcpRequest(t, base+"/mcp", message))
		if body, err := io.ReadAll(resp.Body); err == nil || string(body) != "data: "+progress(0)+"\n\n" {
			t.Errorf("the client reads %q, %v, want the event and an error", body, err)
		}
		stillServes(t, guard, client, base)
	}
}

// The server's writes wait for the client, and end when it leaves.
func clientDoesNotRead(t *testing.T, p path) {
	for _, message := range []string{ping, ""} {
		ended := make(chan struct{})
		guard, base, client := p.serve(t, inspected(), orTeapot(func(w http.ResponseWriter, _ *http.Request) {
			defer close(ended)
			w.Header().Set("Content-Type", "text/event-stream")
			event := "data: " + progress(1) + "\n: " + strings.Repeat("x", 64<<10) + "\n\n"
			for {
				if _, err := io.WriteString(w, event); err != nil {
					return
				}
				if err := http.NewResponseController(w).Flush(); err != nil {
					return
				}
			}
		}))
		resp := do(t, client, mcpRequest(t, base+"/mcp", message))
		select {
		case <-ended:
			t.Error("the server's writes end though the client is there")
		case <-time.After(50 * time.Millisecond): // long enough to fill every buffer on the way; shorter would find no fault either
		}
		_ = resp.Body.Close()
		receive(t, "the server's writes to end", ended)
		stillServes(t, guard, client, base)
	}
}

// Nothing times out an answer that takes long to begin, and a client that gives up ends the server's request.
func slowServer(t *testing.T, p path) {
	const bound = 2 * time.Second // longer than what may come between the head and the body of a request
	arrived, begin, left := make(chan struct{}, 2), make(chan struct{}, 1), make(chan struct{}, 1)
	cfg := waf.Config{Limits: waf.Limits{BodyTimeout: bound}}
	guard, base, client := p.serve(t, cfg, orTeapot(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		select {
		case <-begin:
			_, _ = io.WriteString(w, "{}")
		case <-r.Context().Done():
			left <- struct{}{}
		}
	}))
	go func() {
		<-arrived
		time.Sleep(bound + bound/4)
		begin <- struct{}{}
	}()
	resp := do(t, client, mcpRequest(t, base+"/mcp", ping))
	if body, err := io.ReadAll(resp.Body); string(body) != "{}" || err != nil {
		t.Errorf("answer %q, %v, want that of the server", body, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if resp, err := client.Do(mcpRequest(t, base+"/mcp", ping).WithContext(ctx)); err == nil {
		_ = resp.Body.Close()
		t.Error("an answer came before the server wrote it")
	}
	receive(t, "the server's request to end", left)
	stillServes(t, guard, client, base)
}

// A body that does not come within its time is given up, and its client told so.
func slowClient(t *testing.T, p path) {
	guard, base, client := p.serve(t, waf.Config{Limits: waf.Limits{BodyTimeout: 50 * time.Millisecond}}, orTeapot(unreached(t).ServeHTTP))
	body, writer := io.Pipe()
	go func() { _, _ = io.WriteString(writer, ping[:10]) }()
	r := mcpRequest(t, base+"/mcp", ping)
	r.Body, r.ContentLength, r.GetBody = body, int64(len(ping)), nil
	resp, err := client.Do(r)
	_ = writer.Close() // for which Go's client waits
	if err != nil || resp.StatusCode != http.StatusRequestTimeout {
		t.Fatalf("answer %v, %v, want 408", resp, err)
	}
	_ = resp.Body.Close()
	stillServes(t, guard, client, base)
}

// A body that will not go on is a refusal, which still gets to the client.
func halfClosed(t *testing.T, p path) {
	if p.protocol != "HTTP/1.1" {
		return // HTTP/2 has no half of a connection to close
	}
	guard, base, client := p.serve(t, waf.Config{}, orTeapot(unreached(t).ServeHTTP))
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n%s", ping)
	_ = conn.(*net.TCPConn).CloseWrite()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusBadRequest || !resp.Close {
		t.Errorf("answer %v, %v, want 400 and the end of the connection", resp, err)
	}
	stillServes(t, guard, client, base)
}

// What the sink blocks waits for it; nothing else does.
func sinkBlocks(t *testing.T, p path) {
	blocked, release := make(chan struct{}), make(chan struct{})
	cfg := waf.Config{OnEvent: func(e waf.Event) {
		if e.Method == "ping" {
			close(blocked)
			<-release
		}
	}}
	guard, base, client := p.serve(t, cfg, orTeapot(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	status := make(chan int, 1)
	go func() {
		resp, err := client.Do(mcpRequest(t, base+"/mcp", ping))
		if err != nil {
			status <- 0
			return
		}
		_ = resp.Body.Close()
		status <- resp.StatusCode
	}()
	receive(t, "the event", blocked)
	for range 10 {
		if resp := do(t, client, mcpRequest(t, base+"/mcp", listTools)); resp.StatusCode != http.StatusAccepted {
			t.Errorf("another call is answered %d", resp.StatusCode)
		}
	}
	close(release)
	if got := receive(t, "the call that waited", status); got != http.StatusAccepted {
		t.Errorf("the call that waited is answered %d", got)
	}
	stillServes(t, guard, client, base)
}

// limiter is a Limiter of a function.
type limiter func() bool

// Allow implements waf.Limiter.
func (l limiter) Allow(context.Context, waf.LimiterKey) (ok bool, wait time.Duration, err error) {
	return l(), 0, nil
}

// A panic is never a pass: the connection ends without an answer, as net/http does it, and the next request is served.
func panics(t *testing.T, p path) {
	var armed atomic.Bool
	fall := func(want bool) {
		if want && armed.Load() {
			panic(http.ErrAbortHandler)
		}
	}
	for _, where := range []string{"Authenticate", "OnEvent", "OnDeny", "Limiter", "handler"} {
		armed.Store(true)
		cfg := waf.Config{
			Authenticate: func(r *http.Request) (waf.Identity, error) {
				fall(where == "Authenticate")
				return caller(r)
			},
			OnEvent: func(waf.Event) { fall(where == "OnEvent") },
			OnDeny:  func(http.ResponseWriter, *http.Request, waf.Denial) { fall(where == "OnDeny") },
			Limiter: limiter(func() bool {
				fall(where == "Limiter")
				return where != "OnDeny"
			}),
		}
		guard, base, client := p.serve(t, cfg, orTeapot(func(http.ResponseWriter, *http.Request) {
			if where != "handler" {
				t.Errorf("%s panicked, and the server was reached", where)
			}
			fall(true)
		}))
		resp, err := client.Do(mcpRequest(t, base+"/mcp", ping))
		if err == nil {
			_ = resp.Body.Close()
			if where != "handler" || p.wiring != "proxy" || resp.StatusCode != http.StatusBadGateway {
				t.Errorf("%s panicked, and the client is answered %d", where, resp.StatusCode)
			}
		}
		armed.Store(false)
		stillServes(t, guard, client, base)
	}
}

func longBodies(t *testing.T, p path) {
	const atOnce = 250 // as many as Go's server lets an HTTP/2 connection have, and as a process of few descriptors can hold
	bodies := 1000
	if testing.Short() {
		bodies = atOnce
		t.Logf("-short: %d bodies", bodies)
	}
	guard, base, client := p.serve(t, waf.Config{MaxBodyBytes: 8 << 10, Limits: waf.Limits{MaxBodies: 100}}, orTeapot(unreached(t).ServeHTTP))
	stillServes(t, guard, client, base) // over the one HTTP/2 connection that all then take: of 250 that begin, Go's server ends the slow ones
	body := strings.Repeat(" ", 20<<10)
	var wg sync.WaitGroup
	var refused atomic.Int64
	slots := make(chan struct{}, atOnce)
	for range bodies {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			r := mcpRequest(t, base+"/mcp", ping)
			r.Body, r.ContentLength, r.GetBody = io.NopCloser(strings.NewReader(body)), -1, nil
			resp, err := client.Do(r)
			if err != nil {
				t.Errorf("no answer: %v", err)
				return
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Error(err)
			}
			switch resp.StatusCode {
			case http.StatusRequestEntityTooLarge:
				refused.Add(1)
			case http.StatusServiceUnavailable:
				if resp.Header.Get("Retry-After") == "" {
					t.Error("503 does not say when to come back")
				}
			default:
				t.Errorf("a body that is too long is answered %d", resp.StatusCode)
			}
		})
	}
	wg.Wait()
	if refused.Load() == 0 {
		t.Error("no body was refused for its length")
	}
	stillServes(t, guard, client, base)
}

// Who is refused for the head is told so at once; everybody else is asked for the body.
func expectContinue(t *testing.T, p path) {
	if p.protocol != "HTTP/1.1" {
		return // Go's HTTP/2 server asks for the body as soon as it is read, too, but its client does not wait
	}
	guard, base, client := p.serve(t, waf.Config{}, orTeapot(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	for mediaType, want := range map[string][]int{"application/json": {100, 200}, "text/plain": {415}} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		_, _ = fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", mediaType, len(ping))
		answers := bufio.NewReader(conn)
		for _, status := range want {
			resp, err := http.ReadResponse(answers, nil)
			if err != nil || resp.StatusCode != status {
				t.Fatalf("%s: answer %v, %v, want %d", mediaType, resp, err, status)
			}
			if status == http.StatusContinue {
				_, _ = io.WriteString(conn, ping)
			}
		}
	}
	stillServes(t, guard, client, base)
}

// before puts a Guard before guardproxy's handler for the upstream at addr.
func (p path) before(t *testing.T, addr string) (guard *waf.Guard, base string, client *http.Client, report *atomic.Int64) {
	t.Helper()
	report = new(atomic.Int64)
	target := &url.URL{Scheme: "http", Host: addr}
	guard = newGuard(t, waf.Config{Authenticate: caller, DangerouslyNoRules: true})
	base, client = p.listen(t, guard.Wrap(orTeapot(proxy.New(target, func(error) { report.Add(1) }).ServeHTTP)), nil)
	return guard, base, client, report
}

// wantUnavailable wants the JSON-RPC error that tells a client so, and nothing of the reason.
func wantUnavailable(t *testing.T, client *http.Client, base, why string) {
	t.Helper()
	resp := do(t, client, mcpRequest(t, base+"/mcp", ping))
	var answer struct {
		ID    int
		Error struct {
			Code    int
			Message string
		}
	}
	err := json.NewDecoder(resp.Body).Decode(&answer)
	if resp.StatusCode != http.StatusBadGateway || err != nil || answer.ID != 1 || answer.Error.Code != -32603 || answer.Error.Message != "upstream unavailable" {
		t.Errorf("%s: answer %d %+v, %v, want 502 with the id", why, resp.StatusCode, answer, err)
	}
}

func upstreamGone(t *testing.T, p path) {
	guard, base, client, report := p.before(t, "127.0.0.1:1") // which no server gets by chance, as one that was in use
	wantUnavailable(t, client, base, "nobody listens")
	if report.Load() != 1 {
		t.Errorf("%d reports, want one", report.Load())
	}
	stillServes(t, guard, client, base)
}

func upstreamGarbage(t *testing.T, p path) {
	for why, answer := range map[string]string{
		"nothing":              "",
		"garbage":              "\x16\x03\x01 garbage\r\n\r\n",
		"no status":            "HTTP/1.1 xyz\r\n\r\n",
		"1xx without end":      strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 20_000),
		"a header without end": "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: "+strings.Repeat("a", 1000)+"\r\n", 2000) + "\r\n",
		"two lengths":          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
	} {
		guard, base, client, report := p.before(t, rawUpstream(t, answer))
		wantUnavailable(t, client, base, why)
		if report.Load() == 0 {
			t.Errorf("%s: no report", why)
		}
		stillServes(t, guard, client, base)
	}
	guard, base, client, _ := p.before(t, rawUpstream(t, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"))
	resp := do(t, client, mcpRequest(t, base+"/mcp", ping))
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("a part of an answer ends as if it were whole: %d %q", resp.StatusCode, body)
	}
	stillServes(t, guard, client, base)
}

// rawUpstream answers every request with the same bytes and closes.
func rawUpstream(t *testing.T, answer string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				continue
			}
			_ = conn.SetDeadline(time.Now().Add(patience))
			if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
	})
	return l.Addr().String()
}
