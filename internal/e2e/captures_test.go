package e2e

import (
	"bytes"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/internal/reference"
	"github.com/sallyport/sallyport/waf"
)

// caller is what the operator's own authentication makes of a request in the replays.
func caller(*http.Request) (waf.Identity, error) {
	return waf.Identity{Name: "caller", Method: "replay"}, nil
}

// Every request that a real client made and a real server accepted passes, and reaches the server with the bytes it had.
func TestCapturesPass(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(reference.Path(t, "mcp", "captures"), "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	seen := &events{}
	for name, cfg := range map[string]waf.Config{
		"authenticated": {Authenticate: caller, OnEvent: seen.add},
		"anonymous":     {Endpoints: anonymous(waf.WellKnownEndpoints()), OnEvent: seen.add},
	} {
		t.Run(name, func(t *testing.T) {
			var reached []byte
			base := listen(t, newGuard(t, cfg).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reached, _ = io.ReadAll(r.Body)
				w.WriteHeader(http.StatusTeapot)
			})))
			passed, refused := 0, 0
			for _, file := range files {
				for _, c := range records(t, file) {
					reached = nil
					resp, body := exchange(t, base, c.Request.Method, c.wire())
					decisions := seen.take()
					switch {
					case resp == nil || len(decisions) != 1:
						t.Errorf("%s: no answer, or %d events, want 1", c.ID, len(decisions))
					case resp.StatusCode == http.StatusTeapot:
						passed++
						if !bytes.Equal(reached, c.Request.bytes()) {
							t.Errorf("%s: the server got another body", c.ID)
						}
					case c.Expect == "pass":
						t.Errorf("%s: %s %s is refused: %d %s, %s: %s\n%s", c.ID, c.Request.Method, c.Request.Path,
							resp.StatusCode, body, decisions[0].Layer, decisions[0].Code, c.wire())
					default:
						refused++
						if resp.StatusCode >= 500 {
							t.Errorf("%s: answer %d to a bad request", c.ID, resp.StatusCode)
						}
					}
				}
			}
			t.Logf("%d passed; %d refused that the real server refused or that the suite sent to be refused", passed, refused)
		})
	}
}

func anonymous(endpoints []waf.Endpoint) []waf.Endpoint {
	for i := range endpoints {
		endpoints[i].Anonymous = true
	}
	return endpoints
}
