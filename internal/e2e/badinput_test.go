package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

// A body that does not arrive whole, in the plain, and within its limit is refused, and the server behind sees no byte of it.
func TestBadBodies(t *testing.T) {
	const good = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	const limit = 64 << 10
	head := func(fields string) string {
		return "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
			"Accept: application/json, text/event-stream\r\n" + fields + "\r\n"
	}
	length := func(n int) string { return fmt.Sprintf("Content-Length: %d\r\n", n) }
	const chunked = "Transfer-Encoding: chunked\r\n"
	packed := gzipped(good)
	for _, wiring := range wirings {
		t.Run(wiring.name, func(t *testing.T) {
			noLeak(t)
			var reached atomic.Int64
			seen := &events{}
			server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reached.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				w.WriteHeader(http.StatusTeapot)
			})
			guard := newGuard(t, waf.Config{Authenticate: caller, MaxBodyBytes: limit, OnEvent: seen.add})
			base := listen(t, wiring.wrap(t, guard, server))
			for _, tc := range []struct {
				name, request string
				hangUp        bool // the client goes away after it
				want          int  // 0: nobody is there to read the answer
			}{
				{"good", head(length(len(good))) + good, false, http.StatusTeapot},
				{"good, chunked", head(chunked) + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(good), good), false, http.StatusTeapot},
				{"good, at the limit", head(length(limit)) + good + strings.Repeat(" ", limit-len(good)), false, http.StatusTeapot},
				{"client gone in the body", head(length(len(good))) + good[:20], true, 0},
				{"client gone in a chunk", head(chunked) + "2e\r\n" + good[:20], true, 0},
				{"client gone between chunks", head(chunked) + "2e\r\n" + good + "\r\n", true, 0},
				{"chunk size is none", head(chunked) + "zz\r\n" + good + "\r\n0\r\n\r\n", false, 400},
				{"chunk longer than said", head(chunked) + "2\r\n" + good + "\r\n0\r\n\r\n", false, 400},
				{"chunk size too big", head(chunked) + "fffffffffffffffff\r\n" + good, false, 400},
				{"over the limit", head(length(limit+1)) + good + strings.Repeat(" ", limit+1-len(good)), false, 413},
				{"over the limit, chunked", head(chunked) + fmt.Sprintf("%x\r\n%s%s\r\n0\r\n\r\n", limit+1, good, strings.Repeat(" ", limit+1-len(good))), false, 413},
				{"length too short", head(length(len(good)-1)) + good, false, 400},
				{"no body", head(""), false, 400},
				{"compressed", head("Content-Encoding: gzip\r\n"+length(len(packed))) + packed, false, 400},
				{"compressed, not said", head(length(len(packed))) + packed, false, 400},
				{"compressed transfer", head("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n", false, 501},
			} {
				before := reached.Load()
				seen.take()
				var status int
				if tc.hangUp {
					hangUp(t, base, tc.request)
					await(t, "the event: "+tc.name, func() bool { return len(seen.peek()) > 0 })
				} else if resp, _ := exchange(t, base, http.MethodPost, []byte(tc.request)); resp != nil {
					status = resp.StatusCode
				}
				if status != tc.want {
					t.Errorf("%s: status %d, want %d", tc.name, status, tc.want)
				}
				through := reached.Load() != before
				if through != (tc.want == http.StatusTeapot) {
					t.Errorf("%s: the server was reached: %v", tc.name, through)
				}
				decisions := seen.take()
				if tc.want == http.StatusNotImplemented && len(decisions) == 0 {
					continue // net/http answers for itself
				}
				if len(decisions) != 1 || (decisions[0].Action == waf.ActionAllow) != through {
					t.Errorf("%s: events %+v, want one that tells the outcome", tc.name, decisions)
				}
			}
		})
	}
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

// hangUp sends the start of a request and closes the connection.
func hangUp(t *testing.T, base, request string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Error(err)
	}
	_ = conn.Close()
}
