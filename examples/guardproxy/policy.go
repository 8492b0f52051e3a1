package main

import (
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"slices"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"

	"github.com/sallyport/sallyport/waf"
)

// demoPolicy guards the embedded server. It is a policy file like any other; the run's token is added to it.
//
//go:embed demo-policy.json
var demoPolicy []byte

// policySource makes the Guard's configuration, at start-up and again on every reload.
type policySource struct {
	opts    options
	onEvent func(waf.Event) // nil if nobody wants to know
	limiter waf.Limiter     // nil if there is no limit; it outlives reloads
	hosts   []string        // values of Host that a listener on loopback serves without -policy; nil elsewhere
	token   string          // made for this run; "" if a policy says who may call, or nobody may
}

func newPolicySource(opts options, listener net.Listener, events *eventLog, metrics *metrics) *policySource {
	s := &policySource{opts: opts, onEvent: onEvent(events, metrics)}
	if opts.rate > 0 {
		s.limiter = newRateLimiter(opts.rate)
	}
	if addr := listener.Addr().(*net.TCPAddr); addr.IP.IsLoopback() && opts.policy == "" {
		host, _, _ := net.SplitHostPort(addr.String()) // addr wrote the string
		if addr.IP.To4() == nil {
			host = "[" + host + "]"
		}
		s.hosts = []string{"localhost", host}
		s.token = rand.Text()
	}
	return s
}

// onEvent tells both, each of which may be nil.
func onEvent(events *eventLog, metrics *metrics) func(waf.Event) {
	switch {
	case events == nil && metrics == nil:
		return nil
	case metrics == nil:
		return events.write
	case events == nil:
		return metrics.observe
	}
	return func(e waf.Event) {
		metrics.observe(e)
		events.write(e)
	}
}

// newGuard returns a Guard and the ruleset that the caller must close after it, or nil if the Guard has its own.
func (s *policySource) newGuard() (*waf.Guard, *waf.Ruleset, error) {
	cfg, err := s.config()
	if err != nil {
		return nil, nil, err
	}
	guard, err := waf.New(cfg)
	if err != nil {
		closeRules(cfg.Rules)
		return nil, nil, fmt.Errorf("policy: %w", err)
	}
	return guard, cfg.Rules, nil
}

func (s *policySource) config() (waf.Config, error) {
	cfg, err := s.base()
	if err != nil {
		return waf.Config{}, err
	}
	cfg.OnEvent, cfg.Limiter = s.onEvent, s.limiter
	if s.opts.detect {
		cfg.Mode, cfg.Modes = waf.DetectOnly, nil
		for i := range cfg.Endpoints {
			cfg.Endpoints[i].Modes = nil
		}
	}
	if s.opts.sessions != "" {
		if cfg.SessionKeys, err = readSessionKeys(s.opts.sessions); err != nil {
			return waf.Config{}, err
		}
	}
	if len(s.opts.rules) > 0 || s.opts.crs {
		rules := waf.RulesConfig{Files: s.opts.rules, MaxBodyBytes: cfg.MaxBodyBytes}
		if s.opts.crs {
			rules.CRS = coreruleset.FS
		}
		if cfg.Rules, err = waf.LoadRules(rules); err != nil {
			return waf.Config{}, fmt.Errorf("rules: %w", err)
		}
	}
	return cfg, nil
}

// base is the policy file's configuration, or the one that stands in for it.
func (s *policySource) base() (waf.Config, error) {
	if s.opts.policy != "" {
		return readPolicy(s.opts.policy)
	}
	cfg := waf.Config{Endpoints: waf.WellKnownEndpoints()}
	if s.opts.upstream == nil {
		var err error
		if cfg, err = waf.ParsePolicy(demoPolicy); err != nil {
			return waf.Config{}, fmt.Errorf("demo policy: %w", err)
		}
	}
	cfg.StrictDiscovery = true
	for i := range cfg.Endpoints {
		cfg.Endpoints[i].AllowHosts = s.hosts
	}
	if s.token != "" {
		cfg.Identities.Bearer = []waf.BearerToken{{Name: "local", SHA256: sha256.Sum256([]byte(s.token))}}
	}
	return cfg, nil
}

const maxPolicyBytes = 1 << 20 // what ParsePolicy takes

func readPolicy(path string) (waf.Config, error) {
	text, err := readFile("-policy", path, maxPolicyBytes)
	if err != nil {
		return waf.Config{}, err
	}
	cfg, err := waf.ParsePolicy(text)
	if err != nil {
		return waf.Config{}, fmt.Errorf("-policy %s: %w", path, err)
	}
	return cfg, nil
}

// files are those that a reload reads again.
func (s *policySource) files() []string {
	files := slices.Clone(s.opts.rules)
	for _, file := range [...]string{s.opts.policy, s.opts.sessions} {
		if file != "" {
			files = append(files, file)
		}
	}
	return files
}

func closeRules(rules *waf.Ruleset) error {
	if rules == nil {
		return nil
	}
	return rules.Close()
}

// errNothingToReload is told to whoever sends SIGHUP to a program that was started without files.
var errNothingToReload = errors.New("there is no -policy, -rules or -session-keys file to read again")
