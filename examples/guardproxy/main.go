// Guardproxy is a reverse proxy that lets only well-formed, unambiguous and permitted requests reach an MCP server.
//
//	guardproxy                                   embedded demo MCP server, guarded on 127.0.0.1:8080
//	guardproxy -listen ADDR -upstream URL        guards a real server
//	           -policy FILE                      JSON policy; SIGHUP or a changed file reloads it
//	           -rules FILE                       a further SecLang file; may be repeated
//	           -session-keys FILE                keys that bind session ids to the callers that opened them
//	           -tls-cert FILE -tls-key FILE      TLS, with HTTP/2
//	           -client-ca FILE                   mutual TLS: client certificates of this authority are required
//	           -detect                           log what would be refused, refuse nothing
//	           -rate N                           N messages a minute of one caller and tool, and N at once
//	           -events FILE                      one JSON object per decision; - is standard output
//	           -metrics ADDR                     Prometheus metrics, /healthz and /readyz on a listener of their own
//	           -pprof                            /debug/pprof/ there, too
//	guardproxy -policy FILE -explain FILE        says what every layer would do with the HTTP/1.1 request in a file
//
// Without -policy every caller on loopback needs the token that is made and printed at start-up, and a listener that is not
// on loopback refuses every MCP request. The exit status is 0 after a stop by signal, 2 if it could not start as told and
// 1 if serving failed. With -explain it is 0 if the request would be let through and 1 if not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run serves until ctx ends and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	log := &lineLog{w: stderr}
	opts, err := parseOptions(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage())
		return 0
	}
	if err != nil {
		log.line(err.Error())
		return 2
	}
	if opts.explain != "" {
		pass, err := explain(opts, stdout)
		switch {
		case err != nil:
			log.line(err.Error())
			return 2
		case !pass:
			return 1
		}
		return 0
	}
	p, err := start(opts, stdout, log)
	if err != nil {
		log.line(err.Error())
		return 2
	}
	defer p.close()
	p.announce(stdout, stderr)
	if err := p.serve(ctx); err != nil {
		log.line(err.Error())
		return 1
	}
	return 0
}

// start does everything that can fail because of what the user gave.
func start(opts options, stdout io.Writer, log *lineLog) (p *program, err error) {
	p = &program{opts: opts, log: log}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.tls, err = tlsConfig(opts, log); err != nil {
		return p, err
	}
	if p.events, err = openEvents(opts.events, stdout, log); err != nil {
		return p, err
	}
	if p.listener, err = net.Listen("tcp", opts.listen); err != nil {
		return p, fmt.Errorf("cannot listen on %s: %w", opts.listen, cause(err))
	}
	if opts.metrics != "" {
		p.metrics = newMetrics()
	}
	p.policy = newPolicySource(opts, p.listener, p.events, p.metrics)
	p.seen = stamps(p.policy.files()) // before they are read: a change in between is seen by watch
	if p.guard, p.rules, err = p.policy.newGuard(); err != nil || p.metrics == nil {
		return p, err
	}
	p.metrics.watch(p.guard)
	return p, p.startAdmin()
}

// cause returns the innermost error, for messages that have said already what was tried.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// lineLog writes one line per message, whatever the message holds.
type lineLog struct{ w io.Writer }

func (l *lineLog) line(message string) {
	fmt.Fprintf(l.w, "guardproxy: %s\n", strings.Join(strings.Fields(strings.ReplaceAll(message, "\n", "; ")), " "))
}
