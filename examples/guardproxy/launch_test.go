package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen; it only decides when a broken program is reported. With the race detector, the
// Core Rule Set takes a busy machine more than a minute to load.
const patience = 3 * time.Minute

// output collects what a program writes and lets a test wait for it.
type output struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{} // closed and replaced by every write
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(p)
}

func (o *output) state() (text string, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.changed
}

// await returns the first match of pattern and its groups.
func (o *output) await(t *testing.T, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	timeout := time.After(patience)
	for {
		text, changed := o.state()
		if match := re.FindStringSubmatch(text); match != nil {
			return match
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("no output matches %q in:\n%s", pattern, text)
		}
	}
}

// instance is a guardproxy that runs inside the test.
type instance struct {
	url            string
	stdout, stderr *output
	stop           func() int // ends it and returns the exit status
}

// launch runs guardproxy on a port of its own and waits until it listens. The test ends it if it is still running.
func launch(t *testing.T, args ...string) *instance {
	t.Helper()
	p := &instance{stdout: newOutput(), stderr: newOutput()}
	ctx, cancel := context.WithCancel(context.Background())
	status := make(chan int, 1)
	go func() {
		code := run(ctx, append([]string{"-listen", "127.0.0.1:0"}, args...), p.stdout, p.stderr)
		if code == 2 {
			_, _ = p.stdout.Write([]byte("guarding nothing on http://failed\n")) // wakes launch up
		}
		status <- code
	}()
	p.stop = sync.OnceValue(func() int {
		cancel()
		select {
		case code := <-status:
			return code
		case <-time.After(patience):
			t.Error("guardproxy did not stop")
			return -1
		}
	})
	t.Cleanup(func() { p.stop() })
	announced := p.stdout
	if strings.Contains(strings.Join(args, " "), "-events -") {
		announced = p.stderr
	}
	p.url = announced.await(t, `(?m)^guarding .* on (https?://\S+)$`)[1]
	if strings.HasSuffix(p.url, "//failed") {
		stderr, _ := p.stderr.state()
		t.Fatalf("guardproxy did not start: %s", stderr)
	}
	return p
}

// token is the one that the program made for this run.
func (p *instance) token(t *testing.T) string {
	t.Helper()
	return p.stdout.await(t, `(?:this run's token: |Authorization: Bearer )(\w+)`)[1]
}

// call posts an MCP message to path and returns the open answer.
func (p *instance) call(t *testing.T, client *http.Client, path, token, message string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+path, strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// toolCall is a call of a demo tool.
func toolCall(tool, arguments string) string {
	return `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"` + tool + `","arguments":` + arguments +
		`,"_meta":{"progressToken":"p/1"}}}`
}

// replace gives a file another text at once, so that nobody sees a part of it.
func replace(t *testing.T, path, text string) {
	t.Helper()
	move(t, write(t, "next", text), path)
}

// write makes a file in a directory of the test.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
