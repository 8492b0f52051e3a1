// Package proxy forwards guarded requests to one upstream server without breaking MCP's streams.
package proxy

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/sallyport/waf"
)

// New returns a handler that forwards requests to upstream, of which only scheme and host are used. It is meant to be
// wrapped by a [waf.Guard] and safe for concurrent use.
//
// The request target reaches the upstream byte for byte, as the Guard judged it. Host becomes the upstream's own: MCP
// servers on loopback refuse foreign hosts, so the check of the client's Host is the Guard's (allow_hosts), and the client's
// value travels in X-Forwarded-Host. Forwarded, X-Forwarded-* and the other fields by which proxies tell who the client is are dropped if a
// client sent them; those of a proxy that the Guard knows the caller from (its trusted header) are kept, but for what tells the way.
// Authorization is passed on.
//
// Server-sent events pass one by one, and so do the pieces of a body that the Guard let pass unread. Nothing here times out a stream.
//
// report, if not nil, is called with every failure to reach the upstream, possibly concurrently. The client is told nothing of it.
func New(upstream *url.URL, report func(error)) http.Handler {
	forward := &httputil.ReverseProxy{
		Rewrite:       func(pr *httputil.ProxyRequest) { rewrite(pr, upstream) },
		Transport:     transport(),
		FlushInterval: -1, // every write of the upstream is flushed at once
		BufferPool:    new(buffers),
		ModifyResponse: func(resp *http.Response) error {
			resp.Header.Del("X-Request-Id") // the answer carries the Guard's
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if broken := new(bodyError); errors.As(err, &broken) {
				http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
				return
			}
			if report != nil && r.Context().Err() == nil { // a client that left is no failure
				report(err)
			}
			badGateway(w, r)
		},
		ErrorLog: log.New(io.Discard, "", 0), // it would print targets, and so what a client wrote
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		detachBody(r)
		// Without full duplex, Go's server ends the inbound body when the answer starts. Connections that cannot do it
		// (HTTP/2 always does) say so here, and need nothing.
		_ = http.NewResponseController(w).EnableFullDuplex()
		forward.ServeHTTP(w, r)
	})
}

// rewrite turns the judged request into the upstream's.
func rewrite(pr *httputil.ProxyRequest, upstream *url.URL) {
	pr.Out.URL.Scheme = upstream.Scheme
	pr.Out.URL.Host = upstream.Host
	pr.Out.URL.RawQuery = pr.In.URL.RawQuery // ReverseProxy leaves out what it cannot parse; the Guard judged all of it
	pr.Out.Host = upstream.Host
	dropForwarded(pr.Out.Header, isFromProxy(pr.In.Context()))
	pr.SetXForwarded()
	pr.Out.Header.Del("Expect") // the first read of a body that is not here yet asks the client for it
	pr.Out.Trailer = nil
}

// isFromProxy reports whether a proxy that the policy lists has told the Guard who calls.
func isFromProxy(ctx context.Context) bool {
	caller, ok := waf.IdentityFrom(ctx)
	return ok && caller.Method == "trusted-header"
}

// dropForwarded removes, in every spelling that CGI-style servers read as one of them, the fields by which proxies tell servers about the
// client. What a known proxy adds on the user, such as X-Forwarded-Email, stays.
func dropForwarded(h http.Header, known bool) {
	for name := range h {
		field := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		switch field {
		case "forwarded", "x-real-ip", "client-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cf-connecting-ip", "fastly-client-ip",
			"fly-client-ip", "x-original-forwarded-for", "x-originating-ip", "x-remote-ip", "x-remote-addr":
			delete(h, name)
			continue
		}
		if about, ok := strings.CutPrefix(field, "x-forwarded-"); ok && (!known || isAboutWay(about)) {
			delete(h, name)
		}
	}
}

// isAboutWay reports whether the end of the name of an X-Forwarded field tells of the way that a request took, which the proxy tells
// anew.
func isAboutWay(about string) bool {
	switch about {
	case "for", "host", "proto", "protocol", "scheme", "ssl", "port", "prefix", "path", "uri", "method", "server", "by":
		return true
	}
	return false
}

// transport has a bound on connecting, none on waiting for an answer: a tool may work for minutes before its first byte.
// It follows no proxy environment variables and leaves compression to client and upstream.
func transport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 5 * time.Second,
		ForceAttemptHTTP2:   true,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     90 * time.Second,

		MaxResponseHeaderBytes: 256 << 10, // of an upstream's answer, 1xx before it included
	}
}

// detachBody gives r a body that does not belong to the server, where the Guard has one in memory: requests as they arrive have no
// GetBody, and the Guard's says whether all of the body is there. The transport may still read it after the answer began, when the
// server may have closed its own. Any other body was let pass as it comes; it goes on in the same way, and nothing holds it.
func detachBody(r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	if r.GetBody != nil {
		if body, err := r.GetBody(); err == nil {
			r.Body = body
			return
		}
	}
	r.Body = clientBody{r.Body}
}

// clientBody marks what goes wrong with a body as the client's: the upstream is not to blame for it.
type clientBody struct{ io.ReadCloser }

// Read implements io.Reader.
func (b clientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = &bodyError{err}
	}
	return n, err
}

type bodyError struct{ cause error }

// Error implements error.
func (e *bodyError) Error() string { return e.cause.Error() }

// Unwrap returns what went wrong.
func (e *bodyError) Unwrap() error { return e.cause }

// buffers are what answers are copied through. Without them ReverseProxy makes a new one for every answer.
type buffers struct{ pool sync.Pool }

const bufferBytes = 32 << 10

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[bufferBytes]byte); ok {
		return buffer[:]
	}
	return make([]byte, bufferBytes)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(buffer []byte) { b.pool.Put((*[bufferBytes]byte)(buffer)) }

// badGateway answers when the upstream does not: with a JSON-RPC error that carries the id if the Guard read a message, and
// never with the reason, which names addresses.
func badGateway(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	message, ok := waf.MessageFrom(r.Context())
	if !ok {
		http.Error(w, http.StatusText(http.StatusBadGateway), http.StatusBadGateway)
		return
	}
	answer := []byte(`{"jsonrpc":"2.0",`)
	if len(message.ID) > 0 {
		answer = append(append(append(answer, `"id":`...), message.ID...), ',')
	}
	answer = append(answer, `"error":{"code":-32603,"message":"upstream unavailable"}}`...)
	header.Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = w.Write(answer) // a client that is gone needs no answer
}
