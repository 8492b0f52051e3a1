package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/rules"
	"github.com/sallyport/sallyport/waf"
)

// shortcomings are what goes wrong with the middleware that comes with Coraza 3.8.1, each as a test that a Guard passes with the rules
// on. What concerns the server's own process is tested as middleware only.
var shortcomings = []struct {
	name       string
	middleware bool
	test       func(t *testing.T, p path)
}{
	{"S1 a flush before the first write leaves", false, flushBeforeWrite},
	{"S2 an inspected stream flows event by event", false, inspectedStreamFlows},
	{"S3 ResponseController reaches the connection", true, controllerReachesConnection},
	{"S4 a writer that only unwraps hides nothing", true, unwrappingWriter},
	{"S5 1xx is not the answer", false, informational},
	{"S6 drop and redirect refuse", false, dropAndRedirect},
	{"S7 a body that can't be read is an error", false, unreadableBody},
	{"S8 a refusal has a form, and the program may give it another", false, refusalHasForm},
	{"S9 rules see an IPv6 client without brackets", true, addressesInRules},
	{"S10 rules see the server's address", true, addressesInRules},
	{"S11 rules see the target as it came", false, targetInRules},
	{"S12 trailers stay trailers", false, trailers},
	{"S13 an open stream costs little", true, streamCost},
	{"S14 a panic passes and leaves nothing", false, panicPasses},
	{"S15 a connection can be taken over", true, takeOver},
	{"S16 a client that leaves within the body is reported", false, clientLeavesInBody},
}

func TestShortcomings(t *testing.T) {
	for _, s := range shortcomings {
		t.Run(s.name, func(t *testing.T) {
			paths(t, func(t *testing.T, p path) {
				if p.wiring == "middleware" || !s.middleware {
					s.test(t, p)
				}
			})
		})
	}
}

// progress is the data of the nth event.
func progress(n int) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":%d}}`, n)
}

// steps is a server whose events each wait for the test.
type steps struct{ next chan struct{} }

func (s *steps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i := 0; ; i++ {
		_ = http.NewResponseController(w).Flush()
		select {
		case _, more := <-s.next:
			if !more {
				return
			}
			fmt.Fprintf(w, "data: %s\n\n", progress(i))
		case <-r.Context().Done():
			return
		}
	}
}

// walk wants the header before the first event, and each event before the next one is asked for.
func (s *steps) walk(t *testing.T, client *http.Client, r *http.Request) {
	t.Helper()
	resp := do(t, client, r)
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("answer %d of type %q, want a stream", resp.StatusCode, got)
	}
	lines := bufio.NewScanner(resp.Body)
	for i := range 3 {
		s.next <- struct{}{}
		if want := "data: " + progress(i); !lines.Scan() || lines.Text() != want {
			t.Fatalf("event %q, %v, want %q", lines.Text(), lines.Err(), want)
		}
		lines.Scan() // the empty line
	}
	close(s.next)
	if lines.Scan() {
		t.Errorf("more than was sent: %q", lines.Text())
	}
}

func flushBeforeWrite(t *testing.T, p path) {
	for _, message := range []string{ping, ""} {
		s := &steps{make(chan struct{})}
		_, base, client := p.serve(t, waf.Config{}, s)
		s.walk(t, client, mcpRequest(t, base+"/mcp", message))
	}
}

func inspectedStreamFlows(t *testing.T, p path) {
	if _, err := waf.LoadRules(waf.RulesConfig{Inline: "SecResponseBodyAccess On"}); err == nil {
		t.Error("rules that hold answers back are taken")
	}
	detect := inspected()
	detect.Mode = waf.DetectOnly
	for _, cfg := range []waf.Config{inspected(), detect} {
		for _, message := range []string{listTools, ""} {
			s := &steps{make(chan struct{})}
			_, base, client := p.serve(t, cfg, s)
			s.walk(t, client, mcpRequest(t, base+"/mcp", message))
		}
	}
}

func controllerReachesConnection(t *testing.T, p path) {
	for _, message := range []string{ping, listTools, ""} { // the answers to the last two are looked at
		_, base, client := p.serve(t, inspected(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			rc := http.NewResponseController(w)
			for name, err := range map[string]error{
				"SetReadDeadline":  rc.SetReadDeadline(time.Now().Add(patience)),
				"SetWriteDeadline": rc.SetWriteDeadline(time.Now().Add(patience)),
				"EnableFullDuplex": rc.EnableFullDuplex(),
				"Flush":            rc.Flush(),
			} {
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			_ = rc.SetWriteDeadline(time.Now().Add(-time.Second)) // takes effect: what follows never arrives
			_, _ = io.WriteString(w, "data: late\n\n")
			_ = rc.Flush()
		}))
		resp, err := client.Do(mcpRequest(t, base+"/mcp", message))
		var body []byte
		if err == nil { // over HTTP/2 the cut may overtake the header
			body, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		if err == nil || len(body) > 0 {
			t.Errorf("body %q, %v, want a connection cut by the deadline", body, err)
		}
	}
}

// unwrapping is a writer as other middleware makes it: what it does not know is reached by Unwrap alone.
type unwrapping struct{ inner http.ResponseWriter }

func (u unwrapping) Header() http.Header         { return u.inner.Header() }
func (u unwrapping) Write(p []byte) (int, error) { return u.inner.Write(p) }
func (u unwrapping) WriteHeader(status int)      { u.inner.WriteHeader(status) }
func (u unwrapping) Unwrap() http.ResponseWriter { return u.inner }

func unwrappingWriter(t *testing.T, p path) {
	for _, message := range []string{ping, listTools, ""} {
		s := &steps{make(chan struct{})}
		guarded := newGuard(t, func() waf.Config { c := inspected(); c.Authenticate = caller; return c }()).Wrap(s)
		base, client := p.listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			guarded.ServeHTTP(unwrapping{w}, r)
		}), nil)
		s.walk(t, client, mcpRequest(t, base+"/mcp", message))
	}
	guarded := newGuard(t, waf.Config{}).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if (err == nil) != (p.protocol == "HTTP/1.1") {
			t.Errorf("Hijack: %v", err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}))
	base, client := p.listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guarded.ServeHTTP(unwrapping{w}, r)
	}), nil)
	if resp, err := client.Get(base + "/terminal"); err == nil {
		_ = resp.Body.Close()
	}
}

func informational(t *testing.T, p path) {
	for _, message := range []string{ping, listTools, ""} {
		for _, status := range []int{http.StatusOK, http.StatusNoContent, http.StatusNotFound} {
			_, base, client := p.serve(t, inspected(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Link", "</style.css>; rel=preload")
				w.WriteHeader(http.StatusEarlyHints)
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
			}))
			var hints []string
			r := mcpRequest(t, base+"/mcp", message)
			r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
				Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
					hints = append(hints, fmt.Sprint(code, h.Get("Link")))
					return nil
				},
			}))
			resp := do(t, client, r)
			if want := []string{"103</style.css>; rel=preload"}; resp.StatusCode != status || !slices.Equal(hints, want) {
				t.Errorf("hints %q, then %d; want %q, then %d", hints, resp.StatusCode, want, status)
			}
		}
	}
}

// inline loads the rules in text and no others.
func inline(t *testing.T, text string) *waf.Ruleset {
	t.Helper()
	rs, err := waf.LoadRules(waf.RulesConfig{Profiles: []rules.Profile{}, Inline: text})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rs.Close() })
	return rs
}

func unreached(t *testing.T) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the server was reached") })
}

func dropAndRedirect(t *testing.T, p path) {
	for _, action := range []string{"drop", "redirect:https://example.org/", "deny,status:200"} {
		for _, phase := range []int{1, 2} {
			rs := inline(t, fmt.Sprintf(`SecRule REQUEST_METHOD "@streq POST" "id:1000,phase:%d,%s"`, phase, action))
			_, base, client := p.serve(t, waf.Config{Rules: rs}, unreached(t))
			resp := do(t, client, mcpRequest(t, base+"/mcp", ping))
			if resp.StatusCode != http.StatusForbidden || resp.Header.Get("Location") != "" {
				t.Errorf("%s in phase %d answers %d, Location %q, want 403", action, phase, resp.StatusCode, resp.Header.Get("Location"))
			}
		}
	}
}

func unreadableBody(t *testing.T, p path) {
	cfg := waf.Config{MaxBodyBytes: 1000, Authenticate: caller}
	long := strings.Replace(ping, "ping", strings.Repeat("x", 2000), 1)
	for name, tc := range map[string]struct {
		outer  int64 // limit of http.MaxBytesReader before the Guard; 0 if there is none
		body   string
		length int64 // as declared; -1 if it is not
		status int
	}{
		"over an outer limit":           {10, ping, -1, http.StatusRequestEntityTooLarge},
		"over the Guard's limit":        {0, long, int64(len(long)), http.StatusRequestEntityTooLarge},
		"over it, of no known length":   {0, long, -1, http.StatusRequestEntityTooLarge},
		"empty":                         {0, "", 0, http.StatusBadRequest},
		"of a coding that nobody reads": {0, "\x1f\x8b", 2, http.StatusBadRequest},
	} {
		guarded := newGuard(t, cfg).Wrap(unreached(t))
		base, client := p.listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if tc.outer > 0 {
				r.Body = http.MaxBytesReader(w, r.Body, tc.outer)
			}
			guarded.ServeHTTP(w, r)
		}), nil)
		r := mcpRequest(t, base+"/mcp", ping)
		r.Body, r.ContentLength, r.GetBody = io.NopCloser(strings.NewReader(tc.body)), tc.length, nil
		if strings.HasPrefix(tc.body, "\x1f") {
			r.Header.Set("Content-Encoding", "gzip")
		}
		resp := do(t, client, r)
		if body, err := io.ReadAll(resp.Body); resp.StatusCode != tc.status || len(body) == 0 || err != nil {
			t.Errorf("a body %s: answer %d %q, %v, want %d with a body", name, resp.StatusCode, body, err, tc.status)
		}
	}
	if p.protocol != "HTTP/1.1" {
		return
	}
	_, base, _ := p.serve(t, waf.Config{}, unreached(t))
	head := "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, chunks := range []string{"zz\r\n{}\r\n0\r\n\r\n", "2\r\n{}xx\r\n0\r\n\r\n", "ffffffffffffffffff\r\n"} {
		if resp, body := exchange(t, base, http.MethodPost, []byte(head+chunks)); resp == nil || resp.StatusCode != http.StatusBadRequest || len(body) == 0 {
			t.Errorf("chunks %q: answer %v %q, want 400 with a body", chunks, resp, body)
		}
	}
}

func refusalHasForm(t *testing.T, p path) {
	deny := inline(t, `SecRule REQUEST_METHOD "@streq POST" "id:1000,phase:2,deny"`)
	_, base, client := p.serve(t, waf.Config{Rules: deny}, unreached(t))
	resp := do(t, client, mcpRequest(t, base+"/mcp", ping))
	var answer struct {
		JSONRPC string
		ID      int
		Error   struct{ Code int }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.JSONRPC != "2.0" || answer.ID != 1 || answer.Error.Code != 403 {
		t.Errorf("answer %+v, %v, want a JSON-RPC error with the id", answer, err)
	}
	own := waf.Config{Rules: deny, OnDeny: func(w http.ResponseWriter, _ *http.Request, d waf.Denial) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusTeapot)
		_ = json.NewEncoder(w).Encode(d.RuleIDs)
	}}
	_, base, client = p.serve(t, own, unreached(t))
	resp = do(t, client, mcpRequest(t, base+"/mcp", ping))
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusTeapot || string(body) != "[1000]\n" {
		t.Errorf("answer %d %q, want that of the program", resp.StatusCode, body)
	}
}

// elsewhere is a listener whose connections seem to come from another address, and to arrive at another one.
type elsewhere struct {
	net.Listener
	remote, local net.Addr
}

func (l elsewhere) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return elsewhereConn{conn, l}, err
}

type elsewhereConn struct {
	net.Conn
	of elsewhere
}

func (c elsewhereConn) RemoteAddr() net.Addr { return c.of.remote }
func (c elsewhereConn) LocalAddr() net.Addr  { return c.of.local }

func addressesInRules(t *testing.T, p path) {
	guarded := newGuard(t, waf.Config{Authenticate: caller, Rules: inline(t, `
SecRule REMOTE_ADDR "!@ipMatch 2001:db8:7::/48" "id:1000,phase:1,deny"
SecRule REMOTE_ADDR "!@streq 2001:db8:7::1" "id:1001,phase:1,deny"
SecRule REMOTE_PORT "!@eq 4711" "id:1002,phase:1,deny"
SecRule SERVER_ADDR "!@streq 2001:db8:8::1" "id:1003,phase:1,deny"
SecRule SERVER_PORT "!@eq 8443" "id:1004,phase:1,deny"
`)}).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	for remote, want := range map[string]int{"2001:db8:7::1": http.StatusTeapot, "2001:db8:9::1": http.StatusForbidden} {
		base, client := p.listen(t, guarded, func(l net.Listener) net.Listener {
			return elsewhere{l, &net.TCPAddr{IP: net.ParseIP(remote), Port: 4711}, &net.TCPAddr{IP: net.ParseIP("2001:db8:8::1"), Port: 8443}}
		})
		if resp := do(t, client, mcpRequest(t, base+"/mcp", ping)); resp.StatusCode != want {
			t.Errorf("a client at %s is answered %d, want %d", remote, resp.StatusCode, want)
		}
	}
}

func targetInRules(t *testing.T, p path) {
	rs := inline(t, `SecRule REQUEST_URI_RAW "!@streq /a%41//b?x=%41&y=1" "id:1000,phase:1,deny"`)
	_, base, client := p.serve(t, waf.Config{Rules: rs}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	for target, want := range map[string]int{"/a%41//b?x=%41&y=1": http.StatusTeapot, "/aA//b?x=%41&y=1": http.StatusForbidden, "/a%41/b?x=A&y=1": http.StatusForbidden} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp := do(t, client, r); resp.StatusCode != want {
			t.Errorf("the target %s is answered %d, want %d", target, resp.StatusCode, want)
		}
	}
	if p.protocol != "HTTP/1.1" {
		return
	}
	for _, target := range []string{"http://127.0.0.1/a%41//b?x=%41&y=1", "/a%41//b?x=%41&y=1#f"} { // what would have been rewritten is refused
		resp, _ := exchange(t, base, http.MethodGet, []byte("GET "+target+" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
		if resp == nil || resp.StatusCode != http.StatusBadRequest {
			t.Errorf("the target %s is answered %v, want 400", target, resp)
		}
	}
}

func trailers(t *testing.T, p path) {
	for message, body := range map[string]string{ping: "{}", listTools: toolList, "": "data: {}\n\n"} {
		_, base, client := p.serve(t, inspected(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if message == "" {
				w.Header().Set("Content-Type", "text/event-stream")
			}
			w.Header().Set("Trailer", "X-Digest")
			_, _ = io.WriteString(w, body)
			w.Header().Set("X-Digest", "1")
			w.Header().Set(http.TrailerPrefix+"X-Other", "2")
			w.Header().Set("X-Too-Late", "3")
		}))
		resp := do(t, client, mcpRequest(t, base+"/mcp", message))
		for _, name := range []string{"X-Digest", "X-Other", http.TrailerPrefix + "X-Other", "X-Too-Late"} {
			if v, there := resp.Header[name]; there {
				t.Errorf("%.40q: the header has %s: %q", message, name, v)
			}
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Error(err)
		}
		if want := (http.Header{"X-Digest": {"1"}, "X-Other": {"2"}}); !maps.EqualFunc(resp.Trailer, want, slices.Equal) {
			t.Errorf("%.40q: trailers %v, want %v", message, resp.Trailer, want)
		}
	}
}

func panicPasses(t *testing.T, p path) {
	for message, body := range map[string]string{ping: `{"jsonrpc":`, listTools: toolList, "": "data: 1\n\n"} {
		guard, base, client := p.serve(t, inspected(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if message == "" {
				w.Header().Set("Content-Type", "text/event-stream")
			}
			_, _ = io.WriteString(w, body)
			panic(http.ErrAbortHandler)
		}))
		resp, err := client.Do(mcpRequest(t, base+"/mcp", message))
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		if err == nil && resp.StatusCode != http.StatusBadGateway { // which a proxy answers if nothing had come yet
			t.Errorf("%.40q: the answer %d ends as if it were whole", message, resp.StatusCode)
		}
		await(t, "the Guard to give back everything", func() bool { return guard.Stats() == waf.Stats{} })
	}
}

func takeOver(t *testing.T, p path) {
	taken := make(chan error, 1)
	_, base, client := p.serve(t, waf.Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		taken <- err
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, err := rw.ReadString('\n')
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(conn, strings.ToUpper(line))
	}))
	if p.protocol == "HTTP/2.0" { // as without a Guard, there is no connection to take
		if _ = do(t, client, mcpRequest(t, base+"/terminal", "")); !errors.Is(receive(t, "the handler", taken), http.ErrNotSupported) {
			t.Error("Hijack does not say that it is not supported")
		}
		return
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, "GET /terminal HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello\n")
	all, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 101 ") || !strings.HasSuffix(string(all), "\r\n\r\nHELLO\n") {
		t.Errorf("the connection carried %q, %v", all, err)
	}
}

func clientLeavesInBody(t *testing.T, p path) {
	seen := &events{}
	reported := make(chan struct{}, 1)
	guard, base, client := p.serve(t, waf.Config{OnEvent: func(e waf.Event) {
		seen.add(e)
		reported <- struct{}{}
	}}, unreached(t))
	body, writer := io.Pipe() // of which no end ever comes
	go func() { _, _ = io.WriteString(writer, ping[:10]) }()
	ctx, leave := context.WithCancel(t.Context())
	r := mcpRequest(t, base+"/mcp", ping).WithContext(ctx)
	r.Body, r.ContentLength, r.GetBody = body, int64(len(ping)), nil
	answered := make(chan error, 1)
	go func() {
		_, err := client.Do(r)
		answered <- err
	}()
	await(t, "the body to arrive", func() bool { return guard.Stats().Bodies == 1 })
	leave()
	_ = writer.Close() // for which Go's client waits
	if err := receive(t, "the client to leave", answered); err == nil {
		t.Error("the client got an answer")
	}
	receive(t, "the report", reported)
	if list := seen.take(); len(list) != 1 || list[0].Action != waf.ActionDeny || list[0].Code != "body_unreadable" {
		t.Errorf("events %+v, want one refusal of the body", list)
	}
	await(t, "the body to be given back", func() bool { return guard.Stats() == waf.Stats{} })
}
