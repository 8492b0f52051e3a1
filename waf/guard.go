package waf

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/sallyport/sallyport/mcpmsg"
)

// Guard decides which requests may reach a handler. Create one with [New]. It is safe for concurrent use; the zero Guard
// refuses everything.
type Guard struct {
	state    atomic.Pointer[state]
	load     load
	reloadMu sync.Mutex // one Reload or Close at a time; requests never take it
}

// New compiles the configuration, or returns every fault in it.
func New(cfg Config) (*Guard, error) {
	s, err := compile(cfg)
	if err != nil {
		return nil, err
	}
	g := new(Guard)
	g.state.Store(s)
	return g, nil
}

// Reload replaces the configuration at once for all requests that come after it; requests under way end under the old one.
// After an error the old configuration stays in force.
func (g *Guard) Reload(cfg Config) error {
	s, err := compile(cfg)
	if err != nil {
		return err
	}
	g.reloadMu.Lock()
	defer g.reloadMu.Unlock()
	old := g.state.Swap(s)
	if old != nil {
		return old.close()
	}
	return nil
}

// Close makes the Guard refuse every further request and frees the ruleset that it loaded itself, after the last request
// that uses it.
func (g *Guard) Close() error {
	g.reloadMu.Lock()
	defer g.reloadMu.Unlock()
	if old := g.state.Swap(nil); old != nil {
		return old.close()
	}
	return nil
}

// Wrap returns a handler that passes the permitted requests on to next and answers the others itself. It panics if next is
// nil. next gets the body as it came, from memory, and the parsed message through [MessageFrom]; the response is not
// touched.
//
// Every request gets a random id, whatever the client sent: [Event] tells it, next finds it in the request's X-Request-Id, and a
// refusal carries it in the same field.
//
// The Guard MUST see the request before any handler that routes, cleans paths, decompresses or parses bodies, and SHOULD
// be outside of what recovers panics. A CORS middleware belongs outside of it.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	if next == nil {
		panic("waf: Wrap called with a nil handler")
	}
	return &guardedHandler{g, next}
}

// guardedHandler is what Wrap returns. Its frame lies below those of every open stream, so it is kept small.
type guardedHandler struct {
	guard *Guard
	next  http.Handler
}

// ServeHTTP implements http.Handler.
func (h *guardedHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	j := newJudgement(h.guard, w, r)
	defer j.end()
	if h.guard.admit(j) {
		h.next.ServeHTTP(j.w, j.r)
		j.finish()
	}
}

// admit judges the request, and answers it if it is refused. Else it puts before the server's writer what looks at the answer.
func (g *Guard) admit(j *judgement) bool {
	r := j.r
	if g.judge(j); j.denial != nil {
		g.deny(j.w, r, j)
		return false
	}
	if j.response = j.inspector(j.w); j.response != nil {
		j.w = j.response
	}
	return true
}

// Check decides without answering, for gateways that answer in their own way: pass is true if the request may go on. It
// changes *r: the body is read and replaced by a replay of the same bytes, the context carries what [MessageFrom] and
// [IdentityFrom] return, a trusted header that the peer may not set is removed. The caller must not let a refused request
// go on in any form. Check does not see the answer, nor the end of the request: it filters no lists, binds no session ids,
// counts a body only while it judges, and no streams; the caller bounds the time of reading.
func (g *Guard) Check(r *http.Request) (d Denial, pass bool) {
	j := newJudgement(g, nil, r)
	defer func() {
		if j.body != nil {
			j.body.buf.uncount()
		}
	}()
	g.judge(j)
	*r = *j.r
	if j.denial != nil {
		return *j.denial, false
	}
	return Denial{}, true
}

// judge takes a request through the steps, all of them under one state.
func (g *Guard) judge(j *judgement) {
	if g.hold(j) {
		defer j.letGo()
		j.run()
	}
}

// hold gives j the state in force and keeps its ruleset open until letGo. A closed Guard has none: then j is denied.
func (g *Guard) hold(j *judgement) bool {
	for {
		s := g.state.Load()
		if s == nil {
			j.denial = &Denial{Layer: LayerEndpoint, Code: "guard_closed", Status: http.StatusInternalServerError, MCP: true, Close: true, RequestID: j.id}
			return false
		}
		if j.s = s; s.rules == nil {
			return true
		}
		if s.rules.acquire() {
			j.rules = s.rules
			return true
		}
		if g.state.Load() == s {
			return true // nobody replaced the state: its ruleset is closed, which checkRules refuses
		}
	}
}

// compile builds the state for a configuration. Nothing of cfg is kept that the caller could change.
func compile(cfg Config) (*state, error) {
	s := &state{strictDiscovery: cfg.StrictDiscovery, limiter: cfg.Limiter, keepPoisoned: cfg.DangerouslyKeepPoisonedLists, onEvent: cfg.OnEvent, onDeny: cfg.OnDeny}
	var errs []error
	var more []error

	if s.mode, more = compileModes(cfg); len(more) > 0 {
		errs = append(errs, more...)
	}
	if s.maxBody = cfg.MaxBodyBytes; s.maxBody == 0 {
		s.maxBody = defaultBodyBytes
	}
	if s.maxBody < 1 || s.maxBody > maxBodyBytes {
		errs = append(errs, configErrorf("Config.MaxBodyBytes", "must be 1 to %d bytes, or 0 for %d", maxBodyBytes, defaultBodyBytes))
	}
	if more = s.compileChecks(&cfg); len(more) > 0 {
		errs = append(errs, more...)
		cfg.Message = mcpmsg.Config{} // its faults are not those of what takes its bounds over
	}
	endpoints := cfg.Endpoints
	if endpoints == nil {
		endpoints = WellKnownEndpoints()
	}
	if s.endpoints, more = compileEndpoints(endpoints, cfg.Message); len(more) > 0 {
		errs = append(errs, more...)
	}
	if s.unread, more = compileUnread(cfg.DangerouslyUnreadBodies, s.endpoints); len(more) > 0 {
		errs = append(errs, more...)
	}
	if s.identities, more = compileIdentities(cfg.Identities, cfg.Authenticate); len(more) > 0 {
		errs = append(errs, more...)
	}
	if s.proxies, more = compileProxies(cfg.TrustedProxies); len(more) > 0 {
		errs = append(errs, more...)
	}
	if s.challenge, more = compileChallenge(cfg.ResourceMetadata); len(more) > 0 {
		errs = append(errs, more...)
	}
	if s.logValues, more = compileLogValues(cfg.LogValues); len(more) > 0 {
		errs = append(errs, more...)
	}
	if s.sessions, more = compileSessions(cfg.SessionKeys); len(more) > 0 {
		errs = append(errs, more...)
	}
	if s.limits, more = compileLimits(cfg.Limits, min(s.maxBody, maxBodyBytes)); len(more) > 0 {
		errs = append(errs, more...)
	}
	if cfg.DangerouslyNoRules && cfg.Rules != nil {
		errs = append(errs, configErrorf("Config.DangerouslyNoRules", "contradicts Rules"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	switch {
	case cfg.Rules != nil:
		if s.rules = cfg.Rules; s.rules.body < s.maxBody {
			return nil, configErrorf("Config.Rules", "takes bodies up to %d bytes, MaxBodyBytes is %d", s.rules.body, s.maxBody)
		}
	case !cfg.DangerouslyNoRules:
		own, err := LoadRules(RulesConfig{MaxBodyBytes: s.maxBody})
		if err != nil {
			return nil, err
		}
		s.rules, s.ownRules = own, true
	}
	return s, nil
}
