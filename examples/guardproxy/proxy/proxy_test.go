package proxy_test

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/examples/guardproxy/proxy"
	"github.com/sallyport/sallyport/waf"
)

// bare puts no Guard before the proxy.
func bare(proxy http.Handler) http.Handler { return proxy }

// anonymous puts a Guard before the proxy that lets every well-formed call through.
func anonymous(t *testing.T) func(http.Handler) http.Handler {
	t.Helper()
	guard, err := waf.New(waf.Config{Endpoints: []waf.Endpoint{{Path: "/mcp", Anonymous: true}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = guard.Close() })
	return guard.Wrap
}

// front starts upstream and a proxy before it, and returns the proxy's URL.
func front(t *testing.T, guard func(http.Handler) http.Handler, upstream http.HandlerFunc) string {
	t.Helper()
	back := httptest.NewServer(upstream)
	t.Cleanup(back.Close)
	target, err := url.Parse(back.URL)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(guard(proxy.New(target, nil)))
	t.Cleanup(server.Close)
	return server.URL
}

// raw sends bytes to the server at base and returns the whole answer.
func raw(t *testing.T, base, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// A plain ReverseProxy was seen to cut one in some hundreds of these; the test below this one says why.
func TestShortStreamsAreNeverCut(t *testing.T) {
	const workers = 8
	calls := int64(5000)
	if testing.Short() {
		calls = 500 // the race detector makes each ten times slower
	}
	body := []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow_count","arguments":{"to":2}}}`)
	base := front(t, anonymous(t), func(w http.ResponseWriter, r *http.Request) {
		got := make([]byte, len(body)) // answers before it has seen the body's end, as servers that decode JSON do
		_, err := io.ReadFull(r.Body, got)
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("upstream got %d bytes, %v, want the %d that were sent", len(got), err, len(body))
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
		}
	})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	defer client.CloseIdleConnections()
	var next, cut atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for next.Add(1) <= calls {
				if !streamed(client, base, body) {
					cut.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := cut.Load(); n != 0 {
		t.Errorf("%d of %d streams were cut, want none", n, calls)
	}
}

func streamed(client *http.Client, base string, body []byte) bool {
	resp, err := client.Post(base+"/mcp", "application/json", io.MultiReader(bytes.NewReader(body)))
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return err == nil && string(got) == "data: 0\n\ndata: 1\n\ndata: 2\n\n"
}

// earlyBody is an inbound body whose end is asked for only after the upstream has begun to answer. Go's server has closed the
// body by then, so the read fails, and a transport that reads the inbound body drops the stream.
type earlyBody struct {
	data     io.Reader
	answered <-chan struct{}
}

func (b *earlyBody) Read(p []byte) (int, error) {
	if n, err := b.data.Read(p); err == nil {
		return n, nil
	}
	select {
	case <-b.answered:
		return 0, http.ErrBodyReadAfterClose
	default:
		return 0, io.EOF
	}
}

func (b *earlyBody) Close() error { return nil }

func TestTheTransportNeverReadsTheInboundBody(t *testing.T) {
	const size = 32 << 20 // more than sockets hold, so that the upstream answers before the body was sent
	answered := make(chan struct{})
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.WriteString(w, "data: 0\n\n")
		_ = http.NewResponseController(w).Flush()
		close(answered)
		if n, err := io.Copy(io.Discard, r.Body); n != size || err != nil {
			t.Errorf("the upstream got %d bytes, %v, want %d", n, err, size)
		}
		_, _ = io.WriteString(w, "data: 1\n\n")
	}))
	defer back.Close()
	target, err := url.Parse(back.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/mcp", nil)
	text := strings.Repeat(" ", size)
	r.Body, r.ContentLength = &earlyBody{strings.NewReader(text), answered}, -1
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
	proxy.New(target, nil).ServeHTTP(w, r)
	if got := w.Body.String(); got != "data: 0\n\ndata: 1\n\n" {
		t.Errorf("the client got %q, want both events", got)
	}
}

// unread fails the test if anybody reads it.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the inbound body was read")
	return 0, io.ErrUnexpectedEOF
}

func (u unread) Close() error { return nil }

// A body that the Guard holds in memory is sent from there, and not copied: its bounds would count half of what is held.
func TestTheGuardsBodyIsNotCopied(t *testing.T) {
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer back.Close()
	target, err := url.Parse(back.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/mcp", unread{t})
	r.ContentLength = 5
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("again")), nil }
	proxy.New(target, nil).ServeHTTP(w, r)
	if got := w.Body.String(); got != "again" {
		t.Errorf("the upstream got %q, want the body of GetBody", got)
	}
}

// The upstream waits for the client to have read an event before it sends the next one: a proxy that buffers hangs here.
func TestEventsPassOneByOne(t *testing.T) {
	read := make(chan struct{})
	base := front(t, bare, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-read:
			case <-r.Context().Done():
				return
			}
		}
	})
	resp, err := http.Get(base + "/mcp")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for i := range 3 {
		if want := fmt.Sprintf("data: %d", i); !lines.Scan() || lines.Text() != want {
			t.Fatalf("event %d is %q, want %q", i, lines.Text(), want)
		}
		lines.Scan() // the empty line
		read <- struct{}{}
	}
}

func TestTargetIsForwardedByteForByte(t *testing.T) {
	base := front(t, bare, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RequestURI) })
	for _, target := range []string{
		"/", "/mcp", "/mcp/", "//mcp", "/a//b", "/a/../b", "/a%2Fb", "/a%2fb", "/%6dcp", "/mcp?", "/mcp?a=1&a=2",
		"/mcp?a=%zz", "/mcp?a;b", "/mcp?sessionId=1;2&x", "/a:b@c!$&'()*+,;=", "/mcp;v=1", "/[a]", "/~a_b-c.d", "/%E2%82%AC",
	} {
		answer := raw(t, base, "GET "+target+" HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
		if _, got, _ := strings.Cut(answer, "\r\n\r\n"); got != target {
			t.Errorf("upstream saw target %q, want %q", got, target)
		}
	}
}

func TestForwardedFieldsOfClientsAreDropped(t *testing.T) {
	var seen http.Header
	var host string
	base := front(t, bare, func(_ http.ResponseWriter, r *http.Request) { seen, host = r.Header.Clone(), r.Host })
	raw(t, base, "POST /mcp HTTP/1.1\r\nHost: mcp.example.com\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: evil\r\n"+
		"X-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\nX_Forwarded-For: 6.6.6.6\r\nX_Real_IP: 6.6.6.6\r\nX-Forwarded-User: ann\r\n"+
		"Authorization: Bearer t\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n"+
		"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n2\r\n{}\r\n0\r\nX-Late: 1\r\n\r\n")
	for name, want := range map[string]string{
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "mcp.example.com", "X-Forwarded-Proto": "http", "Forwarded": "",
		"X_Forwarded-For": "", "X_Real_Ip": "", "X-Forwarded-User": "",
		"Authorization": "Bearer t", "X-Hop": "", "Expect": "", "Trailer": "", "Content-Length": "", "User-Agent": "",
	} {
		if got := strings.Join(seen.Values(name), "|"); got != want {
			t.Errorf("upstream saw %s: %q, want %q", name, got, want)
		}
	}
	if !strings.HasPrefix(host, "127.0.0.1:") {
		t.Errorf("upstream saw Host %q, want its own", host)
	}
}

// Fields on the user are kept from a proxy that the policy knows, and from nobody else; those on the way from nobody.
func TestForwardedFieldsOfKnownProxies(t *testing.T) {
	fields := map[string]string{ // and whether a known proxy may send them
		"X-Forwarded-User": "keep", "X-Forwarded-Email": "keep",
		"X-Forwarded-Prefix": "", "X-Forwarded-Port": "", "X-Forwarded-Server": "", "X-Forwarded-Uri": "", "X-Real-Ip": "", "Cf-Connecting-Ip": "", "True-Client-Ip": "",
		"Client-Ip": "", "X-Remote-Addr": "", "X-Remote-Ip": "", "X-Originating-Ip": "", "X-Original-Forwarded-For": "", "Fly-Client-Ip": "",
		"X-Forwarder": "always", "X-User": "always", "Client": "always", "Uri": "always", "User": "always",
	}
	values := map[string]string{"X-Forwarded-Port": "1", "X-Real-Ip": "192.0.2.9"}
	for _, from := range []string{"127.0.0.1/32", "192.0.2.0/24"} {
		guard := func(next http.Handler) http.Handler {
			g, err := waf.New(waf.Config{
				DangerouslyNoRules: true,
				Identities:         waf.Identities{TrustedHeader: &waf.TrustedHeader{Name: "X-Verified", From: []netip.Prefix{netip.MustParsePrefix(from)}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = g.Close() })
			return g.Wrap(next)
		}
		var seen http.Header
		base := front(t, guard, func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Clone() })
		request := "GET /page HTTP/1.1\r\nHost: mcp.example.com\r\nX-Verified: ann\r\nConnection: close\r\n"
		for name := range fields {
			request += name + ": " + cmp.Or(values[name], "forged") + "\r\n"
		}
		raw(t, base, request+"\r\n")
		for name, when := range fields {
			want := when == "always" || when == "keep" && from == "127.0.0.1/32"
			if _, got := seen[http.CanonicalHeaderKey(name)]; got != want {
				t.Errorf("trusted from %s: upstream saw %s: %v, want %v", from, name, got, want)
			}
		}
	}
}

// uploads puts a Guard before the proxy that leaves the bodies for /upload unread.
func uploads(t *testing.T) func(http.Handler) http.Handler {
	t.Helper()
	guard, err := waf.New(waf.Config{MaxBodyBytes: 1000, DangerouslyNoRules: true, DangerouslyUnreadBodies: []string{"/upload"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = guard.Close() })
	return guard.Wrap
}

// The upstream has the first piece before the client sends the next one, and answers before it sends the last one: a proxy that
// buffers either way hangs here.
func TestUnreadBodiesPassAsTheyCome(t *testing.T) {
	const pieces = 3
	base := front(t, uploads(t), func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintf(w, "got %s\n", lines.Text())
			_ = http.NewResponseController(w).Flush()
		}
		if lines.Err() != nil {
			t.Errorf("the upstream's body ends with %v", lines.Err())
		}
		fmt.Fprintf(w, "end\n")
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "POST /upload HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n")
	answer := bufio.NewReader(conn)
	var lines *bufio.Scanner
	for i := range pieces {
		fmt.Fprintf(conn, "8\r\npiece %d\n\r\n", i)
		if lines == nil {
			resp, err := http.ReadResponse(answer, nil)
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("answer %v, %v, want 200", resp, err)
			}
			lines = bufio.NewScanner(resp.Body)
		}
		if want := fmt.Sprintf("got piece %d", i); !lines.Scan() || lines.Text() != want {
			t.Fatalf("answer %q, %v, want %q", lines.Text(), lines.Err(), want)
		}
	}
	_, _ = io.WriteString(conn, "0\r\n\r\n")
	if !lines.Scan() || lines.Text() != "end" || lines.Scan() || lines.Err() != nil {
		t.Errorf("the answer ends with %q, %v, want end", lines.Text(), lines.Err())
	}
}

// endless never ends, and holds nothing.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// No bound of the proxy's own cuts a long upload.
func TestUnreadBodiesHaveAnyLength(t *testing.T) {
	const size = 65 << 20 // more than a Guard can be told to read
	base := front(t, uploads(t), func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	})
	resp, err := http.Post(base+"/upload", "application/octet-stream", io.LimitReader(endless{}, size))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); string(got) != fmt.Sprint(size, error(nil)) {
		t.Errorf("the upstream got %q, %v, want %d bytes", got, err, size)
	}
}

// An upstream that is sent a part of a body sees that it is one, and is not blamed for it. What the client is told, it may be gone.
func TestCutBodyIsNoFailureOfTheUpstream(t *testing.T) {
	begins, ends := make(chan bool), make(chan error, 1)
	back := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		begins <- true
		_, err := io.Copy(io.Discard, r.Body)
		ends <- err
	}))
	defer back.Close()
	target, err := url.Parse(back.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, length := range []int64{-1, 1 << 20} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/upload", nil)
		body, cut := io.Pipe()
		r.Body, r.ContentLength = body, length
		go func() {
			_, _ = io.WriteString(cut, strings.Repeat("a part", 10_000)) // more than is kept back
			<-begins
			_ = cut.CloseWithError(io.ErrUnexpectedEOF)
		}()
		proxy.New(target, func(err error) { t.Errorf("length %d: reported %v", length, err) }).ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest {
			t.Errorf("length %d: status %d, want 400", length, w.Code)
		}
		if err := <-ends; err == nil {
			t.Errorf("length %d: the upstream takes a part for the whole", length)
		}
	}
}

func TestUpgradedConnectionsPass(t *testing.T) {
	base := front(t, bare, func(w http.ResponseWriter, _ *http.Request) {
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, _ := buf.ReadString('\n')
		_, _ = io.WriteString(conn, line)
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	answer := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answer, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("answer %v, %v, want 101", resp, err)
	}
	_, _ = io.WriteString(conn, "hello\n")
	if line, err := answer.ReadString('\n'); line != "hello\n" {
		t.Errorf("echo %q, %v, want hello", line, err)
	}
}

func TestUpstreamDown(t *testing.T) {
	target := &url.URL{Scheme: "http", Host: "127.0.0.1:1"} // which no server gets by chance, as one that was in use
	var reported []error
	server := httptest.NewServer(proxy.New(target, func(err error) { reported = append(reported, err) }))
	defer server.Close()
	resp, err := http.Get(server.URL + "/status")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusBadGateway || string(body) != "Bad Gateway\n" {
		t.Errorf("answer %d %q, want 502 and no detail", resp.StatusCode, body)
	}
	if len(reported) != 1 {
		t.Errorf("reported %v, want one failure", reported)
	}
}
