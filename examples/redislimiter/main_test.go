package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/examples/internal/selfrun"
	"github.com/sallyport/sallyport/waf"
)

func TestMain(m *testing.M) { selfrun.Main(m, main) }

// patience bounds waiting for what must happen; it only decides how soon a broken program is reported.
const patience = time.Minute

// startRedis runs a Redis server of the test's own and returns its socket and a function that ends it.
func startRedis(t *testing.T) (socket string, stop func()) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed")
	}
	dir, err := os.MkdirTemp("", "redis") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket = filepath.Join(dir, "socket")
	cmd := exec.Command(path, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	t.Cleanup(stop)
	client := newClient(socket)
	defer client.Close()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(25 * time.Millisecond) {
		if client.Ping(t.Context()).Err() == nil {
			return socket, stop
		}
	}
	t.Fatal("redis-server does not answer")
	return "", nil
}

// Two programs share one limit, and refuse everything when they can't count.
func TestFleet(t *testing.T) {
	socket, stop := startRedis(t)
	args := []string{"-listen", "127.0.0.1:0", "-redis", socket, "-limit", "3", "-window", "1h", "-timeout", patience.String()}
	a, b := selfrun.Start(t, args...), selfrun.Start(t, args...)
	for i, step := range []struct {
		program *selfrun.Process
		tool    string
		want    int
	}{
		{a, "search", 200}, {b, "search", 200}, {a, "search", 200},
		{b, "search", 429}, {a, "search", 429},
		{b, "add", 200}, // another tool
	} {
		resp, text := step.program.CallTool(t, "localhost", step.tool)
		if resp.StatusCode != step.want {
			t.Fatalf("step %d: answer %d %s, want %d", i, resp.StatusCode, text, step.want)
		}
		if step.want == 429 {
			seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
			if err != nil || seconds < 1 || seconds > 3600 {
				t.Errorf("step %d: Retry-After %q, want what is left of the hour", i, resp.Header.Get("Retry-After"))
			}
		}
	}
	stop()
	if resp, text := a.CallTool(t, "localhost", "add"); resp.StatusCode != 500 || !strings.Contains(text, `"code":-32603`) {
		t.Errorf("without Redis: answer %d %s, want 500", resp.StatusCode, text)
	}
}

func TestWindow(t *testing.T) {
	socket, _ := startRedis(t)
	client := newClient(socket)
	defer client.Close()
	l := &limiter{redis: client, limit: 1, window: 50 * time.Millisecond, timeout: patience}
	key := waf.LimiterKey{Caller: "ci", Endpoint: "/mcp", Method: "tools/call", Tool: "search"}
	allow := func(key waf.LimiterKey) (bool, time.Duration) {
		t.Helper()
		ok, wait, err := l.Allow(t.Context(), key)
		if err != nil || wait < 0 || wait > l.window {
			t.Fatalf("Allow = %v, %v, want a wait within the window", wait, err)
		}
		return ok, wait
	}
	for range 5 { // the next window begins, and each has an end
		deadline := time.Now().Add(patience)
		for ok := false; !ok; ok, _ = allow(key) {
			if time.Now().After(deadline) {
				t.Fatal("no window ever begins")
			}
		}
	}
	l.window = time.Hour
	other := key
	other.Caller = "cd"
	if ok, _ := allow(other); !ok {
		t.Error("another caller is counted together with the first")
	}
	if ok, _ := allow(other); ok {
		t.Error("the second use is allowed, the limit is 1")
	}
	// A key that lost its end gets one again.
	if err := client.Persist(t.Context(), redisKey(other)).Err(); err != nil {
		t.Fatal(err)
	}
	if _, wait := allow(other); wait != l.window {
		t.Errorf("a key without an end: wait %v, want a whole window", wait)
	}
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if !strings.HasPrefix(k, keyPrefix) || len(k) != len(keyPrefix)+32 {
			t.Errorf("key %q, want the prefix and a digest", k)
		}
	}
}

func TestRedisKey(t *testing.T) {
	seen := map[string]waf.LimiterKey{}
	for _, key := range []waf.LimiterKey{
		{Caller: "a", Endpoint: "b"}, {Caller: "ab"}, {Endpoint: "ab"}, {Caller: "a", Method: "b"}, {Caller: "a", Tool: "b"}, {Method: "a", Tool: "b"},
	} {
		k := redisKey(key)
		if other, ok := seen[k]; ok {
			t.Errorf("%+v and %+v have one key", key, other)
		}
		seen[k] = key
	}
}

func TestBadSettings(t *testing.T) {
	if _, err := newHandler("127.0.0.1:1", 0, time.Minute, time.Second); err == nil {
		t.Error("a limit of 0 is taken")
	}
	if _, err := newHandler("127.0.0.1:1", 1, 0, time.Second); err == nil {
		t.Error("a window of 0 is taken")
	}
	if _, err := newHandler("127.0.0.1:1", 1, time.Minute, 0); err == nil {
		t.Error("a timeout of 0 is taken")
	}
}
