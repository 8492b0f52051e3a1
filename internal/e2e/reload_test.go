package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

// A request under way while the policy is replaced ends under the policy that it began with, rules included.
func TestReloadDuringARequest(t *testing.T) {
	begun, reloaded := make(chan struct{}), make(chan struct{})
	guard := newGuard(t, waf.Config{Authenticate: func(r *http.Request) (waf.Identity, error) {
		close(begun)
		<-reloaded
		return caller(r)
	}})
	base := listen(t, guard.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })))
	status := make(chan int, 1)
	go func() {
		resp, err := impatient.Post(base+"/mcp", "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
		if err != nil {
			status <- 0
			return
		}
		_ = resp.Body.Close()
		status <- resp.StatusCode
	}()
	receive(t, "the request", begun)
	if err := guard.Reload(waf.Config{}); err != nil { // the new policy knows nobody
		t.Error(err)
	}
	close(reloaded)
	if got := receive(t, "the request's end", status); got != http.StatusTeapot {
		t.Errorf("the request under way ends with %d, want the handler's answer", got)
	}
	if got := post(t, base+"/mcp", "", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); got != http.StatusUnauthorized {
		t.Errorf("the next request ends with %d, want 401", got)
	}
}
