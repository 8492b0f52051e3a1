package e2e

import (
	"fmt"
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
	for _, path := range []string{"/mcp", "/upload"} {
		if got := post(t, base+path, "", message(limit-2)); got != http.StatusTeapot {
			t.Errorf("POST %s of two bytes less than the limit: %d, want %d", path, got, http.StatusTeapot)
		}
		// The refusal comes before the body, which is not sent: the connection ends while a client like Go's still writes.
		head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, limit+2)
		if resp, _ := exchange(t, base, http.MethodPost, []byte(head)); resp == nil || resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("POST %s of two bytes more than the limit: %v, want %d", path, resp, http.StatusRequestEntityTooLarge)
		}
	}
}
