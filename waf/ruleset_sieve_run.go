package waf

import (
	"strconv"
)

// A sieveRun is the state of one request.
type sieveRun struct {
	s      *sieve
	in     *ruleInput
	target string
	vars   []sieveVariable
	list   []sieveField
	body   int       // the fields of the list from here on are leaves of the message
	seen   sieveBits // fields of the list
	doubt  sieveBits // links whose answer for some field is not known
	key    []byte
	keep   []bool // what leaves has chosen
}

type sieveVariable struct {
	set    bool
	text   string
	unsure bool // the engine may have another value, or none
}

// start begins a run; end has to follow.
func (s *sieve) start(in *ruleInput) *sieveRun {
	r, _ := s.runs.Get().(*sieveRun)
	if r == nil {
		r = &sieveRun{vars: make([]sieveVariable, len(s.vars))}
	}
	r.s, r.in = s, in
	return r
}

// end ends the run. No value of the request outlives it; names may, here and in the shapes.
func (r *sieveRun) end() {
	clear(r.vars)
	clear(r.list)
	s := r.s
	*r = sieveRun{vars: r.vars, list: r.list[:0], key: r.key[:0], keep: r.keep[:0]}
	s.runs.Put(r)
}

// passes reports whether the engine would let the request pass without a word.
func (r *sieveRun) passes() bool {
	if r.in.canary != "" || (r.in.Message == nil && len(r.in.Body) > 0) {
		return false
	}
	return r.head() && r.phase(r.s.phases[0]) && r.message() && r.phase(r.s.phases[1])
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
			r.vars[set.index] = sieveVariable{set: true, text: set.value}
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
		if f := &r.list[i]; f.shape.bits.has(l.values) {
			if a := r.value(l, f); a != sieveNo {
				return a
			}
		}
	}
	return sieveNo
}

// value applies the link to the value of a field.
func (r *sieveRun) value(l *sieveLink, f *sieveField) sieveAnswer {
	if f.coded && l.foreign || l.gate.on && !f.passesGate(&l.gate) {
		return sieveIs(l.op.negated)
	}
	return r.holds(l, f.value())
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
