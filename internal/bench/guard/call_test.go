package guard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// sdkServer is an MCP server on the official Go SDK, without sessions, so that a single POST calls a tool.
func sdkServer() http.Handler {
	server := mcp.NewServer(&mcp.Implementation{Name: "bench", Version: "1.0.0"}, nil)
	type args struct {
		Message string `json:"message"`
	}
	mcp.AddTool(server, &mcp.Tool{Name: "echo"}, func(context.Context, *mcp.CallToolRequest, args) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "done"}}}, nil, nil
	})
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{Stateless: true,
		DisableLocalhostProtection: true})
}

// readAll is a handler that reads the body as most do.
func readAll(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		panic(err)
	}
	w.WriteHeader(http.StatusOK)
}

// discard is a handler that lets the body go by.
func discard(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }

func tableOfCalls(t *testing.T) {
	printf("| call | bare µs | Guard µs | ratio | must | allocations added | must |\n| --- | --- | --- | --- | --- | --- | --- |")
	small, large := call(300), call(64<<10)
	for _, row := range []struct {
		name    string
		body    string
		bare    http.Handler
		guarded http.Handler
		noRules bool
		must    string
		side    func(*testing.T, http.Handler, string) func() error
		batch   int
	}{
		{"300 B, Go SDK server, end to end", small, sdkServer(), sdkServer(), true, "1.05", overLoopback, 1},
		{readFirstRow, small, sdkServer(), sdkServer(), true, "-", overLoopback, 1},
		{"300 B, Go SDK server and client, end to end", small, sdkServer(), sdkServer(), true, "-", bySDKClient, 1},
		{"300 B, Go SDK server, end to end, with rules", small, sdkServer(), sdkServer(), false, "-", overLoopback, 1},
		{"300 B, in memory, handler reads", small, http.HandlerFunc(discard), http.HandlerFunc(discard), true, "-", inMemory, 20},
		{"64 KiB, in memory, against io.ReadAll", large, http.HandlerFunc(readAll), http.HandlerFunc(discard), true, "2", inMemory, 20},
		{"64 KiB, end to end, against io.ReadAll", large, http.HandlerFunc(readAll), http.HandlerFunc(discard), true, "2", overLoopback, 1},
		{"64 KiB, Go SDK server, end to end", large, sdkServer(), sdkServer(), true, "-", overLoopback, 1},
	} {
		guarded := newGuard(t, row.noRules).Wrap(row.guarded)
		if row.name == readFirstRow {
			guarded = readFirst(row.guarded)
		}
		a, b := row.side(t, row.bare, row.body), row.side(t, guarded, row.body)
		if err := a(); err != nil {
			t.Fatalf("%s: bare: %v", row.name, err)
		}
		if err := b(); err != nil {
			t.Fatalf("%s: Guard: %v", row.name, err)
		}
		if !*table {
			continue
		}
		added := testing.AllocsPerRun(200, func() { _ = inMemoryOnce(guarded, row.body) }) -
			testing.AllocsPerRun(200, func() { _ = inMemoryOnce(row.guarded, row.body) })
		bare, ours := compare(a, b, row.batch)
		printf("| %s | %.1f | %.1f | %.3f | %s | %.0f | %s |", row.name, bare/1e3, ours/1e3, ours/bare, row.must, added, map[bool]string{true: "12", false: "-"}[row.noRules])
	}
}

const readFirstRow = "300 B, Go SDK server, end to end; in place of the Guard what only reads the body"

// readFirst is the least that a middleware does which looks at a whole body before the handler does.
func readFirst(next http.Handler) http.Handler {
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := buffers.Get().(*bytes.Buffer)
		defer buffers.Put(body)
		body.Reset()
		if _, err := body.ReadFrom(r.Body); err != nil {
			panic(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body.Bytes()))
		next.ServeHTTP(w, r)
	})
}

// compare returns the nanoseconds per call in the fastest tenth of the batches of each side. They run in turn.
func compare(a, b func() error, batch int) (nsA, nsB float64) {
	per := func(f func() error) float64 {
		start := time.Now()
		for range batch {
			_ = f()
		}
		return float64(time.Since(start)) / float64(batch)
	}
	var allA, allB []float64
	for end := time.Now().Add(*budget); time.Now().Before(end); {
		allA, allB = append(allA, per(a)), append(allB, per(b))
	}
	slices.Sort(allA)
	slices.Sort(allB)
	return allA[len(allA)/10], allB[len(allB)/10]
}

func overLoopback(t *testing.T, handler http.Handler, body string) func() error {
	return dial(t, listen(t, handler), wire(body)).do
}

// bySDKClient lets the official client make the call, as an application does.
func bySDKClient(t *testing.T, handler http.Handler, body string) func() error {
	var message struct{ Params mcp.CallToolParams }
	if err := json.Unmarshal([]byte(body), &message); err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "bench", Version: "1.0.0"}, nil).Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: "http://" + listen(t, handler) + "/mcp", HTTPClient: &http.Client{Transport: namedHost{}}, DisableStandaloneSSE: true,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return func() error {
		_, err := session.CallTool(t.Context(), &message.Params)
		return err
	}
}

// namedHost asks for the host that the Guard serves.
type namedHost struct{}

func (namedHost) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = "mcp.example.com"
	return http.DefaultTransport.RoundTrip(r)
}

// reusedWriter is a ResponseWriter that costs nothing.
type reusedWriter struct{ header http.Header }

func (w *reusedWriter) Header() http.Header         { return w.header }
func (w *reusedWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *reusedWriter) WriteHeader(int)             {}

func inMemory(_ *testing.T, handler http.Handler, body string) func() error {
	return func() error { return inMemoryOnce(handler, body) }
}

var template = func() *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/mcp", http.NoBody)
	r.Host = "mcp.example.com"
	r.Header = http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "Mcp-Protocol-Version": {"2025-11-25"},
		"User-Agent": {"bench/1.0"},
	}
	return r
}()

func inMemoryOnce(handler http.Handler, body string) error {
	r := *template
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader([]byte(body))), int64(len(body))
	handler.ServeHTTP(&reusedWriter{http.Header{}}, &r)
	return nil
}
