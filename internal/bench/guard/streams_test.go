package guard_test

import (
	"bufio"
	"io"
	"net/http"
	"runtime"
	"syscall"
	"testing"
	"time"
)

const idleFor = 3 * time.Second

// tableOfStreams opens idle streams through each proxy. Clients and upstream share the process: only the differences between rows
// belong to the proxies.
func tableOfStreams(t *testing.T) {
	streams, idle := 2000, idleFor
	if !*table {
		streams, idle = 20, 0
	}
	printf("\n| %d idle streams | B for each, clients and upstream included | above ReverseProxy | must | CPU ms in %v |\n| --- | --- | --- | --- | --- |",
		streams, idleFor)
	base := map[string]int{}
	for k, s := range proxySides(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})) {
		for _, body := range []string{"", call(300)} {
			open := func(n int) (all []*client) {
				for range n {
					c := dial(t, s.addr, wire(body))
					c.answers = bufio.NewReaderSize(c.conn, 16)
					if _, err := c.conn.Write(c.request); err != nil {
						t.Fatal(err)
					}
					if resp, err := http.ReadResponse(c.answers, nil); err != nil || resp.StatusCode != http.StatusOK {
						t.Fatalf("%s: answer %v, %v", s.name, resp, err)
					}
					all = append(all, c)
				}
				return all
			}
			all := open(20) // they pay for what all share
			before := memory()
			all = append(all, open(streams)...)
			each := (memory() - before) / streams
			cpu := cpuTime()
			time.Sleep(idle)
			cpu = cpuTime() - cpu
			for _, c := range all {
				_ = c.conn.Close()
			}
			for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > 100 && time.Now().Before(end); {
				time.Sleep(10 * time.Millisecond)
			}
			kind := map[bool]string{true: "GET", false: "POST"}[body == ""]
			if k == 0 {
				base[kind] = each
			}
			printf("| %s, %s | %d | %d | 8192 | %d |", s.name, kind, each, each-base[kind], cpu.Milliseconds())
		}
	}
}

// memory returns the bytes of heap and stacks in use. Each collection halves the stacks that are too large by now.
func memory() int {
	for range 4 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// cpuTime returns what the process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
