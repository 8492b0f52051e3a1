package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// options are the parsed command line.
type options struct {
	listen   string
	upstream *url.URL // nil: the embedded demo server
	policy   string
	rules    []string
	crs      bool
	sessions string // file of keys
	tlsCert  string
	tlsKey   string
	clientCA string
	detect   bool
	events   string
	metrics  string
	pprof    bool
	explain  string
	rate     int // messages a minute; 0: no limit
}

const maxRate = 1_000_000

func parseOptions(args []string) (options, error) {
	var opts options
	var upstream string
	flags := newFlags(&opts, &upstream)
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if upstream != "" {
		var err error
		if opts.upstream, err = parseUpstream(upstream); err != nil {
			return options{}, err
		}
	}
	if (opts.tlsCert == "") != (opts.tlsKey == "") {
		return options{}, errors.New("-tls-cert and -tls-key go together")
	}
	if opts.clientCA != "" && opts.tlsCert == "" {
		return options{}, errors.New("-client-ca needs -tls-cert and -tls-key")
	}
	if opts.explain != "" && opts.policy == "" {
		return options{}, errors.New("-explain needs -policy")
	}
	if opts.rate < 0 || opts.rate > maxRate {
		return options{}, fmt.Errorf("-rate must be 0 to %d", maxRate)
	}
	if opts.pprof && opts.metrics == "" {
		return options{}, errors.New("-pprof needs -metrics")
	}
	return opts, nil
}

func newFlags(opts *options, upstream *string) *flag.FlagSet {
	flags := flag.NewFlagSet("guardproxy", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run prints the error, in one line
	flags.StringVar(&opts.listen, "listen", "127.0.0.1:8080", "`address` to listen on")
	flags.StringVar(upstream, "upstream", "", "`URL` of the guarded server, scheme and host; without it an embedded demo server runs")
	flags.StringVar(&opts.policy, "policy", "", "JSON policy `file`; SIGHUP or a change reloads it")
	flags.BoolVar(&opts.crs, "crs", false, "load the OWASP Core Rule Set too, with the exclusions that MCP needs")
	flags.Func("rules", "further SecLang `file`; may be repeated", func(file string) error {
		opts.rules = append(opts.rules, file)
		return nil
	})
	flags.StringVar(&opts.sessions, "session-keys", "", "`file` with one Base64 key per line, which bind session ids to callers; the first one signs")
	flags.StringVar(&opts.tlsCert, "tls-cert", "", "certificate `file` (PEM)")
	flags.StringVar(&opts.tlsKey, "tls-key", "", "private key `file` (PEM)")
	flags.StringVar(&opts.clientCA, "client-ca", "", "`file` (PEM) of the authorities whose client certificates are required")
	flags.BoolVar(&opts.detect, "detect", false, "report what would be refused, refuse nothing")
	flags.StringVar(&opts.events, "events", "", "`file` for one JSON object per decision; - is standard output")
	flags.StringVar(&opts.metrics, "metrics", "", "`address` of a listener for /metrics, /healthz and /readyz; keep it on loopback or a private network")
	flags.BoolVar(&opts.pprof, "pprof", false, "serve /debug/pprof/ there, too")
	flags.StringVar(&opts.explain, "explain", "", "`file` with one HTTP/1.1 request: print what -policy and -rules say about it, and exit")
	flags.IntVar(&opts.rate, "rate", 0, "`messages` a minute of one caller and tool; 0 is no limit")
	return flags
}

func usage() string {
	var text strings.Builder
	text.WriteString("Usage: guardproxy [flags]\n")
	flags := newFlags(new(options), new(string))
	flags.SetOutput(&text)
	flags.PrintDefaults()
	return text.String()
}

// parseUpstream accepts scheme and host only: what the Guard judged is the target that the upstream gets, so nothing may be
// put before it.
func parseUpstream(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "":
		return nil, errors.New("-upstream must look like http://127.0.0.1:9000 or https://mcp.example.com")
	case u.User != nil:
		return nil, errors.New("-upstream must not hold a user name or password")
	case (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("-upstream takes no path, query or fragment, because requests keep theirs: give %s://%s", u.Scheme, u.Host)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}
