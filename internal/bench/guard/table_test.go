// Package guard_test measures what a Guard costs: around a handler, and in guardproxy against a plain httputil.ReverseProxy. The sides of
// a row run in turn, under the same load; only numbers of one run may be compared.
//
//	cd internal/bench/guard
//	go test -run Table -v -table                 # all rows, as Markdown tables
//	go test -run Table/proxy -v -table -time 30s # one of them, for longer
//
// Without -table every row does its work once, and no time is looked at. It is a module of its own because of the official Go SDK.
package guard_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/waf"
)

var (
	table  = flag.Bool("table", false, "measure, and print the tables")
	budget = flag.Duration("time", 5*time.Second, "time per row")
)

func TestTable(t *testing.T) {
	t.Run("call", tableOfCalls)
	t.Run("proxy", tableOfProxies)
	t.Run("streams", tableOfStreams)
}

// printf prints a line of a table, if one is asked for.
func printf(format string, args ...any) {
	if *table {
		fmt.Printf(format+"\n", args...)
	}
}

// newGuard is a Guard that lets the calls of this package through.
func newGuard(t *testing.T, noRules bool) *waf.Guard {
	t.Helper()
	g, err := waf.New(waf.Config{
		Endpoints:          []waf.Endpoint{{Path: "/mcp", Anonymous: true, AllowHosts: []string{"mcp.example.com"}}},
		DangerouslyNoRules: noRules,
		Limits:             waf.Limits{MaxStreams: 10_000}, // all streams are of one address
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

// call is a tools/call of that many bytes.
func call(size int) string {
	const head, tail = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"message":"`, `"}}}`
	const words = "the quick brown fox jumps over the lazy dog "
	return head + strings.Repeat(words, size/len(words)+1)[:size-len(head)-len(tail)] + tail
}

// wire is a request as it goes over a connection. body "" makes it the GET of a stream.
func wire(body string) string {
	const common = " /mcp HTTP/1.1\r\nHost: mcp.example.com\r\nUser-Agent: bench/1.0\r\nMcp-Protocol-Version: 2025-11-25\r\n"
	if body == "" {
		return "GET" + common + "Accept: text/event-stream\r\n\r\n"
	}
	return "POST" + common + "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n" +
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

func listen(t *testing.T, handler http.Handler) (addr string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.Listener.Addr().String()
}

// client is one connection that sends the same request again and again.
type client struct {
	conn    net.Conn
	answers *bufio.Reader
	request []byte
}

func dial(t *testing.T, addr, request string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{conn, bufio.NewReader(conn), []byte(request)}
}

// do sends the request and reads the whole answer.
func (c *client) do() error {
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
