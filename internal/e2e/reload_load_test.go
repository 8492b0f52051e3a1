package e2e

import (
	"flag"
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

// reloads is raised for a soak: go test -race ./internal/e2e -run ReloadsUnderLoad -timeout 1h -reloads 1000
var reloads = flag.Int("reloads", 40, "how often TestReloadsUnderLoad reloads")

// While configurations come and go, every tenth with a ruleset that the Guard loads and closes, every call is answered, no call passes
// that each of them denies, and nothing of the old ones stays.
func TestReloadsUnderLoad(t *testing.T) {
	shared, err := defaultRules()
	if err != nil {
		t.Fatal(err)
	}
	config := func(n int) waf.Config {
		cfg := inspected()
		cfg.Authenticate = caller
		cfg.MaxBodyBytes = 1<<20 + n // no two are alike
		if n%10 != 0 {
			cfg.Rules = shared
		}
		return cfg
	}
	guard := newGuard(t, config(0))
	var passed, refused, reached atomic.Int64
	base := listen(t, guard.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		m, ok := waf.MessageFrom(r.Context())
		if !ok || m.Name.Is("delete") {
			t.Error("a call passed that every configuration denies")
		}
		reached.Add(1)
	})))
	call := func(client *http.Client, tool string, want int, count *atomic.Int64) {
		r := mcpRequest(t, base+"/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+tool+`","arguments":{}}}`)
		resp, err := client.Do(r)
		if err != nil {
			t.Errorf("a call was lost: %v", err)
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body) // or every refusal would cost a port
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("a call of %s is answered %d, want %d", tool, resp.StatusCode, want)
		}
		count.Add(1)
	}
	under := func(reload func()) {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				client := &http.Client{Transport: &http.Transport{}, Timeout: patience}
				defer client.CloseIdleConnections()
				for {
					select {
					case <-stop:
						return
					default:
						call(client, "echo", http.StatusOK, &passed)
						call(client, "delete", http.StatusForbidden, &refused)
					}
				}
			})
		}
		reload()
		close(stop)
		wg.Wait()
	}
	some := func(from, to int) func() {
		return func() {
			for n := from; n < to; n++ {
				if err := guard.Reload(config(n)); err != nil {
					t.Error(err)
				}
				if n%10 == 9 && guard.Reload(waf.Config{MaxBodyBytes: -1}) == nil {
					t.Error("a bad configuration is taken")
				}
			}
		}
	}
	under(some(1, 11)) // after which all that grows only once has grown
	before := held()
	under(some(11, 11+*reloads))
	await(t, "what the old configurations held", func() bool {
		now := held()
		return now.goroutines <= before.goroutines && now.descriptors <= before.descriptors && now.heap <= before.heap+8<<20
	})
	if passed.Load() == 0 || reached.Load() != passed.Load() || guard.Stats() != (waf.Stats{}) {
		t.Errorf("%d calls were answered, %d reached the server; the Guard holds %+v", passed.Load(), reached.Load(), guard.Stats())
	}
	t.Logf("%d reloads, %d calls passed, %d were refused; before %+v, after %+v", *reloads, passed.Load(), refused.Load(), before, held())
}

// holding is what the process holds.
type holding struct{ goroutines, descriptors, heap int }

func held() holding {
	for range 2 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return holding{goroutines: runtime.NumGoroutine(), descriptors: descriptors(), heap: int(m.HeapAlloc)}
}
