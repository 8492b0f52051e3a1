package e2e

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// streamRoom is what an open stream may cost beyond the handler alone, in bytes.
const streamRoom = 8 << 10

// streamCost opens many streams at once, with the Guard and without, and compares what they take.
func streamCost(t *testing.T, p path) {
	if testing.Short() {
		t.Skip("the race detector, with which short tests run, needs memory of its own")
	}
	for _, message := range []string{ping, ""} {
		var bare, guarded int
		for range 3 { // the most: stacks that lie free in spans in use, which are taken first, seem to cost nothing
			bare = max(bare, costOf(t, p, message, func(server http.Handler) http.Handler { return server }))
			guarded = max(guarded, costOf(t, p, message, func(server http.Handler) http.Handler {
				cfg := inspected()
				cfg.Authenticate = caller
				return newGuard(t, cfg).Wrap(server)
			}))
		}
		t.Logf("%.4q: %d bytes for a stream of the bare handler, %d with the Guard", message, bare, guarded)
		if guarded > bare+streamRoom {
			t.Errorf("%.4q: a stream takes %d bytes, without the Guard %d, want at most %d more", message, guarded, bare, streamRoom)
		}
	}
}

// costOf returns the bytes of heap and stacks that one of many open streams takes, with what little its client needs.
func costOf(t *testing.T, p path, message string, wrap func(http.Handler) http.Handler) int {
	t.Helper()
	const streams = 200 // an HTTP/2 server lets a connection have 250
	base, client := p.listen(t, wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		beginStream(w, r)
		<-r.Context().Done()
	})), nil)
	open, closeAll := openRaw, func() {}
	if p.protocol == "HTTP/2.0" {
		conn := dialHTTP2(t, base, client)
		open, closeAll = conn.open, conn.close
	}
	for range streams / 10 { // they pay for what all share
		open(t, base, message)
	}
	before := memory()
	for range streams {
		open(t, base, message)
	}
	taken := memory() - before
	closeAll()
	return taken / streams
}

func beginStream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.Copy(io.Discard, r.Body)
	_ = http.NewResponseController(w).Flush()
}

// memory returns the bytes of heap and stacks in use. Each collection halves the stacks that are too large by now.
func memory() int {
	var m runtime.MemStats
	for range 4 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// openRaw opens a stream over a connection of its own and returns when its header is there.
func openRaw(t *testing.T, base, message string) {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if err := mcpRequest(t, base+"/mcp", message).Write(conn); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("answer %v, %v, want a stream", resp, err)
	}
}

// http2Client speaks as much of HTTP/2 as opening streams takes, without memory for each of them.
type http2Client struct {
	conn   net.Conn
	framer *http2.Framer
	block  bytes.Buffer
	fields *hpack.Encoder
	next   uint32
}

func dialHTTP2(t *testing.T, base string, client *http.Client) *http2Client {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	roots := client.Transport.(*http.Transport).TLSClientConfig.RootCAs
	conn, err := tls.Dial("tcp", u.Host, &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	c := &http2Client{conn: conn, framer: http2.NewFramer(conn, conn), next: 1}
	c.fields = hpack.NewEncoder(&c.block)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := c.framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *http2Client) close() { _ = c.conn.Close() }

// open opens a stream and returns when its header is there.
func (c *http2Client) open(t *testing.T, base, message string) {
	t.Helper()
	r := mcpRequest(t, base+"/mcp", message)
	c.block.Reset()
	for _, f := range [...]hpack.HeaderField{
		{Name: ":method", Value: r.Method}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: r.Host},
		{Name: ":path", Value: "/mcp"}, {Name: "accept", Value: r.Header.Get("Accept")},
	} {
		_ = c.fields.WriteField(f)
	}
	if message != "" {
		_ = c.fields.WriteField(hpack.HeaderField{Name: "content-type", Value: r.Header.Get("Content-Type")})
	}
	stream := c.next
	c.next += 2
	err := c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: c.block.Bytes(), EndHeaders: true, EndStream: message == ""})
	if err == nil && message != "" {
		err = c.framer.WriteData(stream, true, []byte(message))
	}
	for err == nil {
		var frame http2.Frame
		if frame, err = c.framer.ReadFrame(); err != nil {
			break
		}
		if settings, ok := frame.(*http2.SettingsFrame); ok && !settings.IsAck() {
			err = c.framer.WriteSettingsAck()
		}
		if frame.Header().StreamID == stream && frame.Header().Type == http2.FrameHeaders {
			if frame.Header().Flags.Has(http2.FlagHeadersEndStream) {
				t.Fatal("the answer is no stream")
			}
			return
		}
	}
	t.Fatal(err)
}
