package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

// The configured limit is the one that counts: no other part has a smaller one of its own.
func TestBodyLimitIsTheConfiguredOne(t *testing.T) {
	const limit = 8 << 20
	base := listen(t, newGuard(t, waf.Config{Authenticate: caller, MaxBodyBytes: limit}).Wrap(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })))
	message := func(size int) string {
		const head, tail = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"message":"`, `"}}}`
		return head + strings.Repeat("a ", (size-len(head)-len(tail))/2) + tail
	}
	for size, want := range map[int]int{limit - 2: http.StatusTeapot, limit + 2: http.StatusRequestEntityTooLarge} {
		for _, path := range []string{"/mcp", "/upload"} {
			if got := post(t, base+path, "", message(size)); got != want {
				t.Errorf("POST %s of %d bytes with a limit of %d: %d, want %d", path, size, limit, got, want)
			}
		}
	}
}
