package waf_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

// reusedWriter is a ResponseWriter that costs nothing, so that the Guard is what is measured.
type reusedWriter struct{ header http.Header }

func (w *reusedWriter) Header() http.Header         { return w.header }
func (w *reusedWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *reusedWriter) WriteHeader(int)             {}

// BenchmarkGuard is the cost of a Guard around a handler that reads the body.
func BenchmarkGuard(b *testing.B) {
	large := strings.Replace(call, `"hi"`, `"`+strings.Repeat("0123456789abcde ", 4096)+`"`, 1)
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	for _, bc := range []struct {
		name string
		body string
		wrap func(b *testing.B) http.Handler
	}{
		{"bare/small", call, func(*testing.B) http.Handler { return handler }},
		{"no-rules/small", call, func(b *testing.B) http.Handler { return newBenchGuard(b, true).Wrap(handler) }},
		{"rules/small", call, func(b *testing.B) http.Handler { return newBenchGuard(b, false).Wrap(handler) }},
		{"refused/small", strings.Replace(call, "echo", "delete_all", 1), func(b *testing.B) http.Handler { return newBenchGuard(b, true).Wrap(handler) }},
		{"bare/64KiB", large, func(*testing.B) http.Handler { return handler }},
		{"no-rules/64KiB", large, func(b *testing.B) http.Handler { return newBenchGuard(b, true).Wrap(handler) }},
		{"rules/64KiB", large, func(b *testing.B) http.Handler { return newBenchGuard(b, false).Wrap(handler) }},
	} {
		b.Run(bc.name, func(b *testing.B) {
			h := bc.wrap(b)
			w := &reusedWriter{header: make(http.Header)}
			template := post(bc.body)
			b.SetBytes(int64(len(bc.body)))
			b.ReportAllocs()
			for b.Loop() {
				r := *template
				r.Body = io.NopCloser(strings.NewReader(bc.body))
				clear(w.header)
				h.ServeHTTP(w, &r)
			}
		})
	}
}

func newBenchGuard(b *testing.B, noRules bool) *waf.Guard {
	b.Helper()
	g, err := waf.New(testConfig(func(c *waf.Config) { c.DangerouslyNoRules = noRules }))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = g.Close() })
	return g
}
