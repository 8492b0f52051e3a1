package waf_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/sallyport/waf"
)

// held sends a request through g that stays in the handler until release is called, which waits for its end.
func held(g *guarded, r *http.Request) (release func()) {
	inside, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		g.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			close(inside)
			<-leave
		})).ServeHTTP(httptest.NewRecorder(), r)
	})
	<-inside
	return func() {
		close(leave)
		wg.Wait()
	}
}

func stream(r *http.Request) { r.Method, r.Body, r.ContentLength = http.MethodGet, http.NoBody, 0 }

func TestLimitsOfBodies(t *testing.T) {
	large := strings.Replace(call, "hi", strings.Repeat("x", 5000), 1)
	for _, tc := range []struct {
		name   string
		limits waf.Limits
		held   string
		next   string
	}{
		{"number", waf.Limits{MaxBodies: 1}, call, call},
		{"sum", waf.Limits{MaxBodiesSize: 12 << 10}, large, large},
		{"sum, with a small one", waf.Limits{MaxBodiesSize: 8<<10 + 500}, large, call},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newGuarded(t, func(c *waf.Config) {
				c.DangerouslyNoRules, c.Limits, c.MaxBodyBytes = true, tc.limits, 8<<10
				c.OnEvent = nil
			})
			release := held(g, post(tc.held))
			rec := httptest.NewRecorder()
			g.Wrap(http.NotFoundHandler()).ServeHTTP(rec, post(tc.next))
			if rec.Code != 503 || rec.Header().Get("Retry-After") != "1" {
				t.Errorf("beyond the limit: status %d, header %v, want 503 and Retry-After", rec.Code, rec.Header())
			}
			rec = httptest.NewRecorder()
			g.Wrap(http.NotFoundHandler()).ServeHTTP(rec, post("", stream))
			if rec.Code != 404 {
				t.Errorf("a request without a body meanwhile: status %d, want the handler's 404", rec.Code)
			}
			release()
			for range 3 {
				if rec := g.serve(post(tc.held)); rec.Code != 202 {
					t.Fatalf("after the release: status %d, want 202", rec.Code)
				}
				if _, pass := g.Check(post(tc.held)); !pass {
					t.Fatal("after the release: Check refuses")
				}
			}
		})
	}
}

func TestLimitOfStreams(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules, c.OnEvent, c.Limits.MaxStreams, c.Endpoints[0].Anonymous = true, nil, 2, true
	})
	get := func(change ...func(*http.Request)) *http.Request { return post("", append(change, stream)...) }
	status := func(r *http.Request) int {
		rec := httptest.NewRecorder()
		g.Wrap(http.NotFoundHandler()).ServeHTTP(rec, r)
		return rec.Code
	}
	first, second := held(g, get()), held(g, get())
	if got := status(get()); got != 429 {
		t.Errorf("a third stream: status %d, want 429", got)
	}
	anonymous := del("Authorization")
	if got := status(get(anonymous)); got != 404 {
		t.Errorf("a stream of another caller: status %d, want the handler's 404", got)
	}
	if got := status(post(call)); got != 404 {
		t.Errorf("a call of the same caller: status %d, want the handler's 404", got)
	}
	rec := httptest.NewRecorder()
	if g.Wrap(http.NotFoundHandler()).ServeHTTP(rec, listen("{}")); rec.Code != 429 || !strings.Contains(rec.Body.String(), `"id":1`) {
		t.Errorf("a third stream, of subscriptions: answer %d %s, want 429 with the id", rec.Code, rec.Body)
	}
	first()
	third := held(g, listen("{}"))
	if got := status(get()); got != 429 || g.Stats().Streams != 2 {
		t.Errorf("a third stream beside one of subscriptions: status %d, %d streams, want 429, 2", got, g.Stats().Streams)
	}
	second()
	third()
	if n := g.Stats().Streams; n != 0 {
		t.Errorf("%d streams are left", n)
	}
}

// An anonymous client has one address of IPv4, and of IPv6 as many as it likes in its network.
func TestLimitOfStreamsByNetwork(t *testing.T) {
	for _, tc := range []struct {
		first, second string
		status        int
	}{
		{"192.0.2.1:1", "192.0.2.1:2", 429},
		{"192.0.2.1:1", "192.0.2.2:1", 404},
		{"[2001:db8::1]:1", "[2001:db8::ffff:1]:1", 429},
		{"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", 404},
		{"[::ffff:192.0.2.1]:1", "192.0.2.1:1", 429},
		{"[::ffff:192.0.2.1]:1", "192.0.2.2:1", 404},
	} {
		g := newGuarded(t, func(c *waf.Config) {
			c.DangerouslyNoRules, c.OnEvent, c.Limits.MaxStreams, c.Endpoints[0].Anonymous = true, nil, 1, true
		})
		from := func(addr string) *http.Request {
			return post("", stream, del("Authorization"), func(r *http.Request) { r.RemoteAddr = addr })
		}
		end := held(g, from(tc.first))
		rec := httptest.NewRecorder()
		g.Wrap(http.NotFoundHandler()).ServeHTTP(rec, from(tc.second))
		end()
		if rec.Code != tc.status {
			t.Errorf("a stream of %s beside one of %s: status %d, want %d", tc.second, tc.first, rec.Code, tc.status)
		}
	}
}

// limiterFunc is a Limiter.
type limiterFunc func(waf.LimiterKey) (bool, time.Duration, error)

func (f limiterFunc) Allow(_ context.Context, key waf.LimiterKey) (bool, time.Duration, error) {
	return f(key)
}

func TestLimiter(t *testing.T) {
	var keys []waf.LimiterKey
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules = true
		c.Limiter = limiterFunc(func(key waf.LimiterKey) (bool, time.Duration, error) {
			keys = append(keys, key)
			switch key.Tool {
			case "busy":
				return false, 1500 * time.Millisecond, nil
			case "broken":
				return true, 0, errors.New("no connection")
			}
			return true, 0, nil
		})
	})
	for tool, want := range map[string]int{"echo": 202, "busy": 429, "broken": 500, "delete_all": 403} {
		rec := g.serve(post(strings.Replace(call, "echo", tool, 1)))
		if rec.Code != want || want != 202 && !strings.Contains(rec.Body.String(), `"id":7`) {
			t.Errorf("tool %s: answer %d %s, want %d with the id", tool, rec.Code, rec.Body, want)
		}
		if want == 429 && rec.Header().Get("Retry-After") != "2" {
			t.Errorf("tool %s: Retry-After %q, want whole seconds, rounded up", tool, rec.Header().Get("Retry-After"))
		}
	}
	keys = nil
	g.serve(post(call))
	g.serve(post("", stream))
	want := []waf.LimiterKey{{Caller: "ci", Endpoint: "/mcp", Method: "tools/call", Tool: "echo"}}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// A hook that panics leaves no body, no stream and no ruleset behind.
func TestPanicLeavesNothing(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.Limits.MaxBodies, c.Limits.MaxStreams = 1, 1
		c.OnEvent = func(e waf.Event) {
			if e.Action == waf.ActionAllow && e.Tool != "echo" {
				panic("sink is gone")
			}
		}
	})
	other := strings.Replace(call, "echo", "other", 1)
	for range 3 {
		for _, r := range []*http.Request{post(other), post("", stream)} {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic of the hook was swallowed")
					}
				}()
				g.serve(r)
			}()
			if g.reached != 0 {
				t.Fatal("the handler was reached")
			}
		}
		if rec := g.serve(post(call)); rec.Code != 202 {
			t.Fatalf("after the panics: status %d, want 202", rec.Code)
		}
	}
}

// A body that comes too slowly is given up, and a stream after a body is not cut by that bound.
func TestBodyTimeout(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules, c.Limits.BodyTimeout = true, 100*time.Millisecond
	})
	server := httptest.NewServer(g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-time.After(300 * time.Millisecond): // longer than the bound
			_, _ = io.WriteString(w, "done")
		case <-r.Context().Done():
			t.Error("the stream was cut")
		}
	})))
	t.Cleanup(server.Close)
	send := func(body string) string {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		_, err = fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: mcp.example.com\r\nConnection: close\r\nAuthorization: Bearer %s\r\n"+
			"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", token, len(call), body)
		require.NoError(t, err)
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		return string(answer)
	}
	if got := send(call[:20]); !strings.HasPrefix(got, "HTTP/1.1 408 ") {
		t.Errorf("a body that does not end: %q, want 408", got)
	}
	if got := send(call); !strings.HasSuffix(got, "done") {
		t.Errorf("a whole body and a slow answer: %q, want the answer", got)
	}
}

// The answer to a request that is refused for its head reaches a client that still sends the body, though the connection ends: of a body
// that comes within two seconds. A client that was held up for so long tries again.
func TestRefusalReachesSlowSender(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) { c.DangerouslyNoRules = true })
	server := httptest.NewServer(g.Wrap(http.NotFoundHandler()))
	t.Cleanup(server.Close)
	body := strings.Repeat("x", 100<<10)
	send := func(target string) (answer string, err error) {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: mcp.example.com\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
			target, len(body))
		require.NoError(t, err)
		for part := range slices.Chunk([]byte(body), 10<<10) {
			time.Sleep(5 * time.Millisecond)
			if _, err := conn.Write(part); err != nil {
				return "", err
			}
		}
		text, err := io.ReadAll(conn)
		return string(text), err
	}
	for target, want := range map[string]string{"/mcp": "HTTP/1.1 401 ", "/mcp/../x": "HTTP/1.1 400 "} {
		for try := 1; ; try++ {
			begin := time.Now()
			answer, err := send(target)
			if err == nil && strings.HasPrefix(answer, want) {
				break
			}
			if took := time.Since(begin); took < time.Second || try == 10 {
				t.Errorf("%s: answer %.40q, %v after %v, want %q", target, answer, err, took, want)
				break
			}
		}
	}
}

func TestLimitFaults(t *testing.T) {
	_, err := waf.New(waf.Config{Limits: waf.Limits{MaxBodies: -1, MaxBodiesSize: 5, BodyTimeout: time.Nanosecond, MaxStreams: -1}})
	if err == nil {
		t.Fatal("New takes limits that are out of range")
	}
	for _, field := range []string{"MaxBodies", "MaxBodiesSize", "BodyTimeout", "MaxStreams"} {
		if !strings.Contains(err.Error(), "Config.Limits."+field+":") {
			t.Errorf("the error does not name %s:\n%v", field, err)
		}
	}
}
