package waf_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/sallyport/waf"
)

// The refusal of one message of an HTTP+SSE session comes as an event on its stream, and the POST is answered 202: anything
// else ends the session of some clients.
func TestRefusalOnSSEStream(t *testing.T) {
	for name, keys := range map[string][][]byte{"bound": {newKey}, "not bound": nil} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, func(c *waf.Config) {
				withSessions(keys...)(c)
				c.OnEvent = nil
				c.Endpoints[1].Tools = []waf.AccessRule{{Identity: "*", Deny: []string{"delete_*"}}}
				c.Limiter = limiterFunc(func(key waf.LimiterKey) (bool, time.Duration, error) { return key.Method == "tools/call", 0, nil })
			})
			leave, reached := make(chan struct{}), make(chan struct{}, 16)
			server := httptest.NewServer(g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					reached <- struct{}{}
					w.WriteHeader(http.StatusAccepted)
					return
				}
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, "event: endpoint\ndata: /message?sessionId=5f1d\n\nevent: mess") // and a start that is held back
				_ = http.NewResponseController(w).Flush()
				<-leave
				_, _ = io.WriteString(w, "age\ndata: {}\n\n")
			})))
			t.Cleanup(server.Close)
			do := func(method, path, token, body string) *http.Response {
				request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
				require.NoError(t, err)
				request.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}
				response, err := server.Client().Do(request)
				require.NoError(t, err)
				t.Cleanup(func() { response.Body.Close() })
				return response
			}
			stream := bufio.NewScanner(do(http.MethodGet, "/sse", token, "").Body)
			event := func() (lines string) {
				for stream.Scan() && stream.Text() != "" {
					lines += stream.Text() + "\n"
				}
				return lines
			}
			place, ok := strings.CutPrefix(strings.TrimSpace(event()), "event: endpoint\ndata: ")
			if !ok {
				t.Fatal("the stream does not begin with the endpoint event")
			}
			denied := strings.Replace(call, "echo", "delete_all", 1)
			if got := do(http.MethodPost, place, token, denied).StatusCode; got != 202 {
				t.Errorf("a refused call: status %d, want 202", got)
			}
			const want = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":403,\"message\":\"Forbidden\"}}\n"
			if got := event(); got != want {
				t.Errorf("the stream carries %q, want %q", got, want)
			}
			for what, message := range map[string]string{ // for neither, the client expects an event
				"answer":       `{"jsonrpc":"2.0","id":7,"result":{}}`,
				"notification": `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`,
			} {
				if got := do(http.MethodPost, place, token, message).StatusCode; got != 202 {
					t.Errorf("a refused %s: status %d, want 202", what, got)
				}
			}
			if len(reached) > 0 {
				t.Errorf("the handler got %d of the refused messages", len(reached))
			}
			if got := do(http.MethodPost, place, token, call).StatusCode; got != 202 || len(reached) != 1 {
				t.Errorf("the next call: status %d, reached the handler %d times, want 202 and once", got, len(reached))
			}
			wrong := 403 // somebody else: not on this stream
			if keys != nil {
				wrong = 404
			}
			if got := do(http.MethodPost, place, "other", denied).StatusCode; got != wrong {
				t.Errorf("a refused call of another caller: status %d, want %d", got, wrong)
			}
			close(leave)
			if got, want := event(), "event: message\ndata: {}\n"; got != want {
				t.Errorf("the handler's event arrives as %q, want %q", got, want)
			}
			if stream.Scan() {
				t.Errorf("the stream goes on with %q", stream.Text())
			}
			if got := do(http.MethodPost, place, token, denied).StatusCode; got != 403 {
				t.Errorf("a refused call after the stream ended: status %d, want 403", got)
			}
		})
	}
}
