package e2e

import (
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/examples/guardproxy/proxy"
	"github.com/sallyport/sallyport/waf"
)

// patience bounds waiting for what must happen; it only decides how soon a broken build is reported.
const patience = time.Minute

// within runs f, which waits for something that has no bound of its own. If that does not come, the run ends with the stacks of all
// goroutines.
func within(t *testing.T, what string, f func()) {
	limit := time.AfterFunc(patience+patience/2, func() { // later than what patience bounds, which says more
		debug.SetTraceback("all")
		panic(t.Name() + " waits in vain for " + what)
	})
	defer limit.Stop()
	f()
}

// await waits until the condition holds.
func await(t *testing.T, what string, holds func() bool) {
	within(t, what, func() {
		for !holds() {
			time.Sleep(time.Millisecond)
		}
	})
}

// receive waits for a value.
func receive[T any](t *testing.T, what string, from <-chan T) (value T) {
	within(t, what, func() { value = <-from })
	return value
}

// events collects the decisions of a Guard.
type events struct {
	mu   sync.Mutex
	list []waf.Event
}

func (e *events) add(event waf.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, event)
}

// take returns what came since the last call.
func (e *events) take() []waf.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := e.list
	e.list = nil
	return list
}

func newGuard(t *testing.T, cfg waf.Config) *waf.Guard {
	t.Helper()
	guard, err := waf.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := guard.Close(); err != nil {
			t.Error(err)
		}
	})
	return guard
}

// bearerIdentity is the caller who has token.
func bearerIdentity() waf.Identities {
	return waf.Identities{Bearer: []waf.BearerToken{{Name: "e2e", SHA256: sha256.Sum256([]byte(token))}}}
}

// wirings are the two ways to put a Guard before a server.
var wirings = []struct {
	name string
	wrap func(t *testing.T, guard *waf.Guard, server http.Handler) http.Handler
}{
	{"middleware", func(_ *testing.T, guard *waf.Guard, server http.Handler) http.Handler { return guard.Wrap(server) }},
	{"proxy", func(t *testing.T, guard *waf.Guard, server http.Handler) http.Handler {
		target, err := url.Parse(listen(t, server))
		if err != nil {
			t.Fatal(err)
		}
		return guard.Wrap(proxy.New(target, nil))
	}},
}

// listen serves handler on loopback until the test ends and returns its URL.
func listen(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() { shut(t, server) })
	return server.URL
}

// shut closes the server. Streams end by their connections alone; a client may open another one until the listener is closed.
func shut(t *testing.T, server *httptest.Server) {
	within(t, "the handlers of a server to return", func() {
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			server.Close()
		}()
		for {
			server.CloseClientConnections()
			select {
			case <-closed:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
}

// noLeak fails the test if, when all else has been cleaned up, more goroutines are left than there were.
func noLeak(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		deadline := time.Now().Add(patience)
		for runtime.NumGoroutine() > before {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<20)
				t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// peek returns what came since the last take.
func (e *events) peek() []waf.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}
