package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/examples/guardproxy/proxy"
	"github.com/sallyport/sallyport/waf"
)

const (
	maxHeaderBytes = 32 << 10

	drainTimeout = 2 * time.Second // for calls that run when a stop is asked for
	endTimeout   = 2 * time.Second // for streams to end after that
)

// program is one running guardproxy.
type program struct {
	opts     options
	log      *lineLog
	events   *eventLog
	tls      *tls.Config // nil: no TLS
	listener net.Listener
	policy   *policySource
	guard    *waf.Guard
	rules    *waf.Ruleset // nil: the Guard has its own
	seen     []stamp      // of the files that guard was made from
	metrics  *metrics     // nil: off
	admin    *admin       // nil: off
	serving  atomic.Bool  // requests are welcome
}

// serve answers requests until ctx ends, then stops within drainTimeout and endTimeout.
func (p *program) serve(ctx context.Context) error {
	var next http.Handler
	if p.opts.upstream != nil {
		next = proxy.New(p.opts.upstream, func(err error) { p.log.line("upstream: " + cause(err).Error()) })
	} else {
		next = demoServer()
	}
	streams, endStreams := context.WithCancel(context.Background())
	defer endStreams()
	server := &http.Server{
		Handler:           p.guard.Wrap(answerRequestID(next)),
		TLSConfig:         p.tls,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(logWriter{p.log}, "", 0),
		BaseContext:       func(net.Listener) context.Context { return streams },
	}
	p.serving.Store(true)
	failed := make(chan error, 1)
	go func() {
		if p.tls != nil {
			failed <- server.ServeTLS(p.listener, "", "")
		} else {
			failed <- server.Serve(p.listener)
		}
	}()
	watchCtx, stopWatch := context.WithCancel(ctx)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		p.watch(watchCtx)
	}()
	defer func() {
		stopWatch()
		<-watching
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		p.serving.Store(false)
		return stop(server, endStreams)
	}
}

// stop lets running calls finish, then ends what is still open: streams never finish by themselves.
func stop(server *http.Server, endStreams func()) error {
	if drained(server, drainTimeout) {
		return nil
	}
	endStreams()
	if drained(server, endTimeout) {
		return nil
	}
	return server.Close()
}

func drained(server *http.Server, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return server.Shutdown(ctx) == nil
}

// close releases what start took; each part may be missing.
func (p *program) close() {
	if p.listener != nil {
		_ = p.listener.Close() // serving has closed it already, unless start failed
	}
	var errs []error
	if p.guard != nil {
		errs = append(errs, p.guard.Close())
	}
	errs = append(errs, closeRules(p.rules))
	if err := errors.Join(errs...); err != nil {
		p.log.line(err.Error())
	}
	p.events.close()
	p.admin.close()
}

// logWriter lets net/http's log write lines of ours.
type logWriter struct{ log *lineLog }

// Write implements io.Writer.
func (w logWriter) Write(p []byte) (int, error) {
	w.log.line(string(p))
	return len(p), nil
}
