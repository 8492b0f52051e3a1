package waf

import (
	"strconv"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/waf/corazamcp"
)

// A sieve lets a request pass without a transaction if it can tell that the engine would let it pass and have nothing to say.
//
// It knows a part of SecLang and evaluates that part as the engine does: the rules in their order, chains, skips and transaction variables
// included. Whatever it does not know makes it unsure, and so does every rule with a message or a refusal that matches; then the request
// goes to the engine, which alone refuses. An error in the knowledge can therefore cost time, or hide a match: the tests compare the two on
// everything they have. It is immutable and safe for concurrent use.
type sieve struct {
	phases [2][]sieveRule
	fields sieveFields
	vars   []string // names of transaction variables, in lower case; a link knows them by index
	limit  int      // from so many arguments on the engine decides
	runs   sync.Pool
}

// A sieveRule is one rule with its chain.
type sieveRule struct {
	links   []sieveLink
	reports bool // it refuses or has a message
	unknown bool // it has actions that the sieve does not know
	next    int  // rule of the phase to go on with after a match
}

// A sieveLink is one SecRule of a chain, or a SecAction.
type sieveLink struct {
	unknown    bool // has a variable, a transformation or an operator that the sieve does not know
	always     bool // a SecAction
	singles    []sieveSingle
	values     int   // bit of the fields whose values are looked at; -1 = none
	names      int   // bit of the fields whose names match; -1 = none
	named      int   // bit of the fields whose names are looked at, by an operator that hangs on the request; -1 = none
	counts     []int // bits of the fields that are counted
	transforms []sieveTransform
	op         sieveOperator
	gate       sieveGate
	set        []sieveAssignment
	effects    bool // a match does something that the sieve does not follow
}

// A sieveSingle is a variable with at most one value.
type sieveSingle struct {
	kind  sieveKind
	index int // of a transaction variable
}

type sieveKind uint8

const (
	sieveTX      sieveKind = iota + 1
	sieveTXCount           // 1 if the variable is set, 0 if not
	sieveMethod            // REQUEST_METHOD
	sieveTarget            // REQUEST_URI_RAW
	sieveNoError           // REQBODY_ERROR of a message that was read
)

type sieveAssignment struct {
	index int
	value string
}

// sieveAnswer is what the sieve knows about a condition.
type sieveAnswer uint8

const (
	sieveNo sieveAnswer = iota
	sieveYes
	sieveUnsure
)

func sieveIs(matches bool) sieveAnswer {
	if matches {
		return sieveYes
	}
	return sieveNo
}

// A sieveRun is the state of one request.
type sieveRun struct {
	s      *sieve
	in     *ruleInput
	target string
	vars   []sieveVariable
	list   []sieveField
	seen   sieveBits // fields of the list
	doubt  sieveBits // links whose answer for some field is not known
	key    []byte
}

type sieveVariable struct {
	set  bool
	text string
}

// passes reports whether the engine would let the request pass without a word.
func (s *sieve) passes(in *ruleInput) bool {
	if in.canary != "" || (in.Message == nil && len(in.Body) > 0) {
		return false
	}
	r, _ := s.runs.Get().(*sieveRun)
	if r == nil {
		r = &sieveRun{vars: make([]sieveVariable, len(s.vars))}
	}
	r.s, r.in = s, in
	passes := r.head() && r.phase(s.phases[0]) && r.message() && r.phase(s.phases[1])
	clear(r.vars)
	clear(r.list) // nothing of the request outlives it
	*r = sieveRun{vars: r.vars, list: r.list[:0], key: r.key[:0]}
	s.runs.Put(r)
	return passes
}

// head takes in what is known before the body. It is false for a request that only the engine can read.
func (r *sieveRun) head() bool {
	in := r.in
	for i, name := range r.s.vars {
		switch name {
		case corazaVarAuthenticated:
			r.vars[i] = sieveVariable{true, corazaFlag(in.Authenticated)}
		case corazaVarMCP:
			r.vars[i] = sieveVariable{true, corazaFlag(in.MCP)}
		}
	}
	r.target = corazaTarget(in.Request)
	path, query, ok := sieveSplitTarget(r.target)
	if !ok {
		return false
	}
	r.add(sievePath, path, "")
	sieveQuery(query, r.add)
	corazaHeaders(in.Request, func(name, value string) {
		r.add(sieveHeader, name, value)
		if strings.EqualFold(name, "Cookie") {
			sieveCookies(value, r.add)
		}
	})
	return len(r.list) < r.s.limit
}

// message takes in the leaves of the message.
func (r *sieveRun) message() bool {
	if r.in.Message == nil {
		return true
	}
	room := r.s.limit - len(r.list)
	period := 1 // so many fields ago the field was the same member of the item before
	return corazamcp.EachLeaf(r.in.Message, room, func(name []byte, value mcpmsg.Raw) {
		r.key = append(append(r.key[:0], byte(sieveBody)), name...)
		end := len(r.list) // not 0: the path is in it
		likely := r.list[end-min(period, end)].shape
		shape := r.s.fields.shape(r.key, likely)
		for back := 1; shape != likely && back <= min(end, 8); back++ {
			if r.list[end-back].shape == shape {
				period = back
				break
			}
		}
		r.append(sieveField{shape: shape, raw: value})
	}) == nil
}

func (r *sieveRun) add(from sieveSource, name, value string) {
	r.key = append(append(r.key[:0], byte(from)), name...)
	r.append(sieveField{shape: r.s.fields.shape(r.key, nil), text: value})
}

func (r *sieveRun) append(f sieveField) {
	r.seen.join(&f.shape.bits)
	r.doubt.join(&f.shape.doubt)
	r.list = append(r.list, f)
}

// phase reports whether no rule of the phase has anything to say.
func (r *sieveRun) phase(rules []sieveRule) bool {
	for i := 0; i < len(rules); {
		rule := &rules[i]
		i++
		switch r.rule(rule) {
		case sieveUnsure:
			return false
		case sieveYes:
			if rule.reports || rule.unknown {
				return false
			}
			i = max(i, rule.next)
		}
	}
	return true
}

func (r *sieveRun) rule(rule *sieveRule) sieveAnswer {
	for i := range rule.links {
		l := &rule.links[i]
		if a := r.link(l); a != sieveYes {
			return a
		}
		if l.effects {
			return sieveUnsure
		}
		for _, set := range l.set { // the engine does this for every link that matches, even if the chain does not
			r.vars[set.index] = sieveVariable{true, set.value}
		}
	}
	return sieveYes
}

func (r *sieveRun) link(l *sieveLink) sieveAnswer {
	switch {
	case l.unknown:
		return sieveUnsure
	case l.always:
		return sieveYes
	}
	for _, v := range l.singles {
		text, ok := r.single(v)
		if !ok {
			continue
		}
		if a := r.holds(l, text); a != sieveNo {
			return a
		}
	}
	for _, bit := range l.counts {
		if a := r.holds(l, strconv.Itoa(r.count(bit))); a != sieveNo {
			return a
		}
	}
	if l.names >= 0 {
		switch {
		case r.doubt.has(l.names):
			return sieveUnsure
		case r.seen.has(l.names):
			return sieveYes
		}
	}
	if l.named >= 0 {
		for i := range r.list {
			if s := r.list[i].shape; s.bits.has(l.named) {
				if a := r.holds(l, s.key[1:]); a != sieveNo {
					return a
				}
			}
		}
	}
	if l.values < 0 || !r.seen.has(l.values) {
		return sieveNo
	}
	for i := range r.list {
		f := &r.list[i]
		if !f.shape.bits.has(l.values) {
			continue
		}
		if l.gate.on && !f.passesGate(&l.gate) {
			if l.op.negated {
				return sieveYes
			}
			continue
		}
		if a := r.holds(l, f.value()); a != sieveNo {
			return a
		}
	}
	return sieveNo
}

func (r *sieveRun) count(bit int) (n int) {
	if !r.seen.has(bit) {
		return 0
	}
	for i := range r.list {
		if r.list[i].shape.bits.has(bit) {
			n++
		}
	}
	return n
}

// single returns the value of a variable; ok is false if it has none.
func (r *sieveRun) single(v sieveSingle) (text string, ok bool) {
	switch v.kind {
	case sieveTX:
		return r.vars[v.index].text, r.vars[v.index].set
	case sieveTXCount:
		return corazaFlag(r.vars[v.index].set), true
	case sieveMethod:
		return r.in.Request.Method, true
	case sieveTarget:
		return r.target, true
	default: // sieveNoError
		return "0", true
	}
}

// holds applies the transformations and the operator to a value.
func (r *sieveRun) holds(l *sieveLink, value string) sieveAnswer {
	for _, transform := range l.transforms {
		var ok bool
		if value, ok = transform(value); !ok {
			return sieveUnsure
		}
	}
	return l.op.apply(r, value)
}
