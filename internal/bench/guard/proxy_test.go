package guard_test

import (
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/examples/guardproxy/proxy"
)

// side is one way to the same upstream.
type side struct {
	name       string
	must       string
	throughput string
	addr       string
	latencies  []time.Duration
	cpu        time.Duration
}

// upstream answers as a small tool does.
func upstream(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"the quick brown fox jumps over the lazy dog"}]}}`)
}

// plainProxy is what people write without the Guard.
func plainProxy(target *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:       func(pr *httputil.ProxyRequest) { pr.SetURL(target); pr.SetXForwarded() },
		FlushInterval: -1,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	}
}

func proxySides(t *testing.T, server http.Handler) []*side {
	t.Helper()
	target, err := url.Parse("http://" + listen(t, server))
	if err != nil {
		t.Fatal(err)
	}
	return []*side{
		{name: "httputil.ReverseProxy", must: "-", throughput: "-", addr: listen(t, plainProxy(target))},
		{name: "guardproxy without rules", must: "1.15", throughput: "0.9", addr: listen(t, newGuard(t, true).Wrap(proxy.New(target, nil)))},
		{name: "guardproxy", must: "1.5", throughput: "-", addr: listen(t, newGuard(t, false).Wrap(proxy.New(target, nil)))},
	}
}

const (
	callers = 8                      // connections that each wait for an answer before the next call
	round   = 200 * time.Millisecond // of one side, before the next one's
)

func tableOfProxies(t *testing.T) {
	for _, size := range []int{300, 64 << 10} {
		printf("\n| %d B tools/call, %d callers | p50 µs | p99 µs | ratio | must | calls/s | ratio | must | CPU µs | ratio |\n"+
			"| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |", size, callers)
		sides := proxySides(t, http.HandlerFunc(upstream))
		clients := map[*side][]*client{}
		for _, s := range sides {
			for range callers {
				c := dial(t, s.addr, wire(call(size)))
				if err := c.do(); err != nil {
					t.Fatalf("%s: %v", s.name, err)
				}
				clients[s] = append(clients[s], c)
			}
		}
		if !*table {
			continue
		}
		rounds := max(1, int(*budget*3/round)/len(sides))
		for i := range rounds {
			for k := range sides { // in an order that changes
				s := sides[(k+i)%len(sides)]
				before := cpuTime()
				s.latencies = append(s.latencies, load(t, clients[s])...)
				s.cpu += cpuTime() - before
			}
		}
		base := sides[0]
		for _, s := range sides {
			slices.Sort(s.latencies)
			p50, p99 := quantile(s, 0.5), quantile(s, 0.99)
			printf("| %s | %.0f | %.0f | %.2f | %s | %.0f | %.2f | %s | %.0f | %.2f |", s.name, p50, p99, p99/quantile(base, 0.99), s.must,
				float64(len(s.latencies))/(float64(rounds)*round.Seconds()), float64(len(s.latencies))/float64(len(base.latencies)), s.throughput,
				s.perCall(), s.perCall()/base.perCall())
		}
	}
}

// perCall returns the microseconds of CPU that one call takes, caller and upstream included.
func (s *side) perCall() float64 {
	return float64(s.cpu.Nanoseconds()) / 1e3 / float64(len(s.latencies))
}

// quantile returns microseconds.
func quantile(s *side, q float64) float64 {
	return float64(s.latencies[int(q*float64(len(s.latencies)-1))].Nanoseconds()) / 1e3
}

// load lets every client call for one round.
func load(t *testing.T, clients []*client) []time.Duration {
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	for _, c := range clients {
		wg.Go(func() {
			var own []time.Duration
			for begin := time.Now(); time.Since(begin) < round; {
				start := time.Now()
				if err := c.do(); err != nil {
					t.Error(err)
					return
				}
				own = append(own, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
		})
	}
	wg.Wait()
	return all
}
