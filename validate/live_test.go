package validate_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/sallyport/sallyport/validate"
)

// liveServer is a net/http server on loopback, for HTTP/1.1 and HTTP/2 in the clear, that hands on what reaches its handler.
type liveServer struct {
	addr    string
	reached chan validate.RequestView
}

func newLiveServer(t *testing.T) *liveServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &liveServer{addr: l.Addr().String(), reached: make(chan validate.RequestView, 16)}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Protocols: protocols, ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.reached <- validate.RequestView{
				Method: r.Method, Target: r.RequestURI, Host: r.Host, Proto: r.Proto, Header: r.Header.Clone(),
				ContentLength: r.ContentLength, TransferEncoding: r.TransferEncoding, Parsed: true,
			}
		}),
	}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	})
	return s
}

// view wants the status that net/http answered, and returns what reached the handler: something did if that is 200.
func (s *liveServer) view(t *testing.T, name string, status, want int) (v validate.RequestView, reached bool) {
	t.Helper()
	select {
	case v = <-s.reached:
		reached = true
	default:
	}
	if status != want || reached != (want == http.StatusOK) {
		t.Errorf("%s: net/http answers %d, want %d; reached the handler: %v", name, status, want, reached)
	}
	return v, reached
}

// dial opens a connection that lasts a minute.
func (s *liveServer) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(time.Minute))
	return c
}

// http1 sends raw bytes and returns the status.
func (s *liveServer) http1(t *testing.T, raw string) int {
	t.Helper()
	c := s.dial(t)
	defer c.Close()
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// http2 sends one request as a header block and returns the status, or 0 if the stream or connection was refused.
func (s *liveServer) http2(t *testing.T, block []validate.Field, body string) int {
	t.Helper()
	c := s.dial(t)
	defer c.Close()
	var encoded bytes.Buffer
	encoder := hpack.NewEncoder(&encoded)
	for _, f := range block {
		encoder.WriteField(hpack.HeaderField{Name: f.Name, Value: f.Value})
	}
	io.WriteString(c, http2.ClientPreface)
	framer := http2.NewFramer(c, c)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.WriteSettings()
	framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: encoded.Bytes(), EndHeaders: true, EndStream: body == ""})
	if body != "" {
		framer.WriteData(1, true, []byte(body))
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return 0
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			status := 0
			fmt.Sscan(f.PseudoValue("status"), &status)
			return status
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return 0
		}
	}
}

// TestLiveHTTP1 sends raw bytes to net/http and wants the verdict on what reaches a handler. Status 200 means that it did.
func TestLiveHTTP1(t *testing.T) {
	s := newLiveServer(t)
	r := newRequest(t, validate.Default())
	const host = "Host: a.example"
	message := func(body string, lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n\r\n" + body }
	get := func(target string, lines ...string) string {
		return message("", slices.Concat([]string{"GET " + target + " HTTP/1.1", host}, lines)...)
	}
	post := func(body string, lines ...string) string {
		return message(body, slices.Concat([]string{"POST /mcp HTTP/1.1", host}, lines)...)
	}
	for _, c := range []struct {
		name, raw string
		status    int
		want      validate.Code
	}{
		{"plain", get("/mcp"), 200, validate.CodeOK},
		{"length", post("abc", "Content-Length: 3"), 200, validate.CodeOK},
		{"length with zero", post("abc", "Content-Length: 03"), 200, validate.CodeOK},
		{"chunked", post("0\r\n\r\n", "Transfer-Encoding: chunked"), 200, validate.CodeOK},
		{"both: net/http repairs, RFC 9112, 6.1", post("0\r\n\r\n", "Content-Length: 3", "Transfer-Encoding: chunked"), 200, validate.CodeOK},
		{"folded: net/http repairs, RFC 9112, 5.2", get("/mcp", "X-A: b\r\n c"), 200, validate.CodeOK},
		{"bare line feeds: net/http repairs, RFC 9112, 2.2", "GET /mcp HTTP/1.1\nHost: a\n\n", 200, validate.CodeOK},
		{"HTTP/1.0", message("", "GET /mcp HTTP/1.0"), 200, validate.CodeOK},
		{"odd method", message("", "FOO!#$ /mcp HTTP/1.1", host), 200, validate.CodeOK},
		{"absolute", get("http://b.example/x"), 200, validate.CodeOK}, // net/http drops Host, RFC 9112, 3.2.2
		{"absolute, userinfo", get("http://u@b.example/x"), 200, validate.CodeURIUserinfo},
		{"absolute, foreign", get("ftp://b/x"), 200, validate.CodeURISchemeInvalid},
		{"opaque", get("http:x"), 200, validate.CodeURISchemeInvalid},
		{"authority", get("b.example:80"), 200, validate.CodeURISchemeInvalid},
		{"asterisk", get("*"), 200, validate.CodeURIFormInvalid},
		{"fragment", get("/x#f"), 200, validate.CodeURIFragment},
		{"dots", get("/a/../b"), 200, validate.CodeURIDotSegment},
		{"escaped NUL", get("/a%00"), 200, validate.CodeURINULEncoded},
		{"backslash", get("/a\\b"), 200, validate.CodeURIByteInvalid},
		{"raw Latin-1", get("/\xe9"), 200, validate.CodeURIUTF8Invalid},
		{"bad query escape", get("/a?b=%zz"), 200, validate.CodeURIPercentInvalid},
		{"two ports", message("", "GET /a HTTP/1.1", "Host: a:80:80"), 200, validate.CodeHostPortInvalid},
		{"empty host", message("", "GET /a HTTP/1.1", "Host:"), 200, validate.CodeHostMissing},
		{"host list", message("", "GET /a HTTP/1.1", "Host: a,b"), 200, validate.CodeHostInvalid},
		{"underscore coding", post("", "Transfer_Encoding: chunked"), 200, validate.CodeHeaderNameTwin},
		{"two authorizations", get("/a", "Authorization: a", "authorization: b"), 200, validate.CodeHeaderDuplicate},
		{"nominated", get("/a", "Connection: Host"), 200, validate.CodeConnectionNominates},
		{"expect", get("/a", "Expect: y 100-continue"), 200, validate.CodeExpectUnsupported},
		{"trailer", post("0\r\n\r\n", "Transfer-Encoding: chunked", "Trailer: Host"), 200, validate.CodeOK}, // net/http moves it to Trailer
		{"version", message("", "GET /a HTTP/1.2", host), 200, validate.CodeVersionUnsupported},
		{"control byte", get("/a", "X-A: b\x01"), 400, 0},
		{"name", get("/a", "X A: b"), 400, 0},
		{"two hosts", get("/a", host), 400, 0},
		{"no host", message("", "GET /a HTTP/1.1"), 400, 0},
		{"signed length", post("abc", "Content-Length: +3"), 400, 0},
		{"other coding", post("", "Transfer-Encoding: gzip"), 501, 0},
		{"space in target", get("/a b"), 400, 0},
		{"bad path escape", get("/a%zz"), 400, 0},
	} {
		v, reached := s.view(t, c.name, s.http1(t, c.raw), c.status)
		if !reached {
			continue
		}
		for _, v.Parsed = range []bool{true, false} {
			if got := r.Check(v); got.Code != c.want {
				t.Errorf("%s: Check = %v with Parsed %v, want %v", c.name, got, v.Parsed, c.want)
			}
		}
	}
}

// TestLiveHTTP2 does the same over HTTP/2, where net/http leaves more open. Status 0 means a stream error.
func TestLiveHTTP2(t *testing.T) {
	s := newLiveServer(t)
	r := newRequest(t, validate.Default())
	block := func(changes ...string) []validate.Field {
		f := fields(":method", "POST", ":scheme", "http", ":path", "/mcp", ":authority", "a.example")
	change:
		for i := 0; i+1 < len(changes); i += 2 {
			for k := range f {
				if strings.HasPrefix(changes[i], ":") && f[k].Name == changes[i] {
					f[k].Value = changes[i+1]
					continue change
				}
			}
			f = append(f, validate.Field{Name: changes[i], Value: changes[i+1]})
		}
		return f
	}
	for _, c := range []struct {
		name   string
		block  []validate.Field
		body   string
		status int
		want   validate.Code
	}{
		{"plain", block("content-type", "application/json"), "abc", 200, validate.CodeOK},
		{"length", block("content-length", "3"), "abc", 200, validate.CodeOK},
		{"method", block(":method", "GET /admin HTTP/1.1"), "", 200, validate.CodeMethodInvalid},
		{"space in query", block(":path", "/a?b HTTP/1.1"), "", 200, validate.CodeURIByteInvalid},
		{"space in path", block(":path", "/a b"), "", 200, validate.CodeURIByteInvalid},
		{"fragment", block(":path", "/a#b"), "", 200, validate.CodeURIFragment},
		{"absolute", block(":path", "http://a.example/x"), "", 200, validate.CodeURIFormInvalid},
		{"authority with space", block(":authority", "a b"), "", 200, validate.CodeHostInvalid},
		{"authority with slash", block(":authority", "a/b"), "", 200, validate.CodeHostInvalid},
		{"host differs", block("host", "b.example"), "", 200, validate.CodeHostMismatch},
		{"host equals", block("host", "A.example:80"), "", 200, validate.CodeOK},
		{"two lengths", block("content-length", "3", "content-length", "4"), "abc", 200, validate.CodeContentLengthDuplicate},
		{"length zz", block("content-length", "zz"), "", 200, validate.CodeContentLengthInvalid},
		{"length signed", block("content-length", "+3"), "", 200, validate.CodeContentLengthInvalid},
		{"length negative", block("content-length", "-1"), "", 200, validate.CodeContentLengthInvalid},
		{"length without body", block("content-length", "5"), "", 200, validate.CodeContentLengthMismatch},
		{"outer space", block("x-a", " b "), "", 200, validate.CodeHeaderValueSpace},
		{"underscore twin", block("content_length", "3"), "", 200, validate.CodeHeaderNameTwin},
		{"expect", block("expect", "x"), "", 200, validate.CodeExpectUnsupported},
		{"upper case", block("X-A", "b"), "", 0, 0},
		{"control byte", block("x-a", "b\x01"), "", 0, 0},
		{"transfer-encoding", block("transfer-encoding", "chunked"), "", 400, 0},
		{"connection", block("connection", "close"), "", 400, 0},
	} {
		v, reached := s.view(t, c.name, s.http2(t, c.block, c.body), c.status)
		if !reached {
			continue
		}
		if got := r.Check(v); got.Code != c.want {
			t.Errorf("%s: parsed Check = %v, want %v", c.name, got, c.want)
		}
	}
}
