package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// probeTimeout bounds the wait for the upstream when somebody asks whether the program is ready.
const probeTimeout = time.Second

// admin is the listener for operators: metrics, health and profiles. It is never the one that clients reach.
type admin struct {
	listener net.Listener
	server   *http.Server
}

// startAdmin serves operators until close. It answers from the start on: /readyz tells when the program is ready.
func (p *program) startAdmin() error {
	listener, err := net.Listen("tcp", p.opts.metrics)
	if err != nil {
		return fmt.Errorf("-metrics: cannot listen on %s: %w", p.opts.metrics, cause(err))
	}
	p.admin = &admin{listener, &http.Server{
		Handler:           p.adminHandler(),
		ReadHeaderTimeout: 10 * time.Second,
		WriteTimeout:      2 * time.Minute, // a profile takes 30 s
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(logWriter{p.log}, "", 0),
	}}
	go func() {
		if err := p.admin.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.log.line("-metrics: " + err.Error())
		}
	}()
	return nil
}

func (a *admin) close() {
	if a != nil {
		_ = a.server.Close()
	}
}

func (p *program) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.metrics.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := p.notReady(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	if p.opts.pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// notReady says why no traffic should come here: the program starts or stops, or the upstream takes no connections. It names
// no address.
func (p *program) notReady(ctx context.Context) error {
	if !p.serving.Load() {
		return errors.New("not serving")
	}
	if p.opts.upstream == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", dialAddress(p.opts.upstream))
	if err != nil {
		return errors.New("the upstream takes no connections")
	}
	_ = conn.Close() // it was only a question
	return nil
}

// dialAddress returns host and port, the scheme's own if the URL has none.
func dialAddress(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
