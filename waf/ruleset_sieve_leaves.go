package waf

import (
	"slices"
	"strconv"
	"strings"

	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"
)

// A sieveLeafFilter says how to choose the leaves of a message that the engine has to see, for rulesets where that can be known.
//
// A leaf that satisfies no condition of any rule is in no match, so no rule ends otherwise without it. Of those that satisfy one, the first
// is enough if the rule does the same for one match and for many. Of what a rule counts, as many stay as the comparison needs. The
// conditions are tried as the engine does, rule by rule, with what it knows after phase 1; where the sieve can't tell whether a rule
// matches, the rules behind it are tried as if it had and as if it had not.
type sieveLeafFilter struct {
	one      bool // rules do not ask which values others have matched
	removals bool // rules switch others off
}

// choose returns, for each leaf of the message, whether the engine has to see it; nil if that can't be told. vars are the engine's
// variables after phase 1.
func (r *sieveRun) choose(vars plugintypes.TransactionVariables) []bool {
	if r.s.leaves == nil || r.in.Message == nil || !r.resume(vars) || !r.message() {
		return nil
	}
	r.keep = append(r.keep[:0], make([]bool, len(r.list)-r.body)...)
	rules := r.s.phases[1]
	doubtful := 0 // the engine may skip the rules before this one
	if r.s.leaves.removals {
		doubtful = len(rules)
	}
	for i := 0; i < len(rules); {
		rule := &rules[i]
		answer, lost := r.chooseFor(rule, i < doubtful)
		i++
		switch {
		case lost || (answer != sieveNo && rule.unknown):
			doubtful = len(rules)
			for v := range r.vars {
				r.vars[v].unsure = true
			}
		case answer == sieveYes:
			i = max(i, rule.next)
		case answer == sieveUnsure:
			doubtful = max(doubtful, rule.next)
		}
	}
	return r.keep
}

// chooseFor tries a rule and keeps what it needs. doubtful says that the engine may skip the rule; lost, that it may do something that the
// sieve does not follow.
func (r *sieveRun) chooseFor(rule *sieveRule, doubtful bool) (answer sieveAnswer, lost bool) {
	one := r.s.leaves.one && !rule.effects()
	answer = sieveYes
	if doubtful {
		answer = sieveUnsure
	}
	for i := range rule.links {
		l := &rule.links[i]
		switch r.observe(l, one) {
		case sieveNo:
			return sieveNo, lost
		case sieveUnsure:
			answer = sieveUnsure
		}
		lost = lost || l.effects
		for _, set := range l.set {
			r.vars[set.index] = sieveVariable{set: true, text: set.value, unsure: answer == sieveUnsure}
		}
	}
	return answer, lost
}

// observe tries a condition and keeps the leaves that satisfy it: one that does for certain if that is enough.
func (r *sieveRun) observe(l *sieveLink, one bool) (answer sieveAnswer) {
	switch {
	case l.always:
		return sieveYes
	case l.unknown:
		answer = sieveUnsure
	}
	for _, v := range l.singles {
		switch {
		case v.index < 0: // not known, and so the link
		case v.kind <= sieveTXCount && r.vars[v.index].unsure:
			answer = max(answer, sieveUnsure)
		default:
			if text, ok := r.single(v); ok {
				answer = sieveEither(answer, r.holds(l, text))
			}
		}
	}
	for _, bit := range l.counts {
		if bit >= 0 {
			answer = sieveEither(answer, r.observeCount(l, bit))
		}
	}
	for i := range r.list {
		if one && answer == sieveYes {
			break
		}
		a := r.matters(l, &r.list[i])
		if a != sieveNo && i >= r.body {
			r.keep[i-r.body] = true
		}
		answer = sieveEither(answer, a)
	}
	return answer
}

// sieveEither is yes if one of the answers is, and unsure if one of them is and none is yes.
func sieveEither(a, b sieveAnswer) sieveAnswer {
	if a == sieveYes || b == sieveYes {
		return sieveYes
	}
	return max(a, b)
}

// matters reports whether the name or the value of the field satisfies the condition.
func (r *sieveRun) matters(l *sieveLink, f *sieveField) (answer sieveAnswer) {
	bits := &f.shape.bits
	if l.names >= 0 {
		switch {
		case bits.has(l.names):
			return sieveYes
		case f.shape.doubt.has(l.names):
			answer = sieveUnsure
		}
	}
	if l.named >= 0 && bits.has(l.named) {
		answer = sieveEither(answer, r.holds(l, f.shape.key[1:]))
	}
	if l.values >= 0 && bits.has(l.values) && answer != sieveYes {
		answer = sieveEither(answer, r.value(l, f))
	}
	if l.captures && l.op.negated && answer == sieveNo { // it captures from what does not match
		answer = sieveUnsure
	}
	return answer
}

// observeCount tries the comparison of a number of fields and keeps as many leaves as it needs to come out the same.
func (r *sieveRun) observeCount(l *sieveLink, bit int) sieveAnswer {
	all, kept := r.count(bit), 0
	others := 0
	for i := range r.list {
		switch has := r.list[i].shape.bits.has(bit); {
		case has && i < r.body:
			others++
		case has && r.keep[i-r.body]:
			kept++
		}
	}
	answer := r.holds(l, strconv.Itoa(all))
	need := all - others
	if n, ok := r.number(l); ok && r.comparesCount(l, bit) {
		need = min(need, n+1-others) // more than the number it is compared with
		if answer == sieveNo && (l.op.kind == sieveGT || l.op.kind == sieveGE) && !l.op.negated {
			need = 0 // fewer would not be enough, either
		}
	}
	for i := r.body; kept < need; i++ {
		if r.list[i].shape.bits.has(bit) && !r.keep[i-r.body] {
			r.keep[i-r.body] = true
			kept++
		}
	}
	return answer
}

// number returns what a count is compared with.
func (r *sieveRun) number(l *sieveLink) (n int, ok bool) {
	text := l.op.text
	if v := l.op.variable; v >= 0 {
		if text = r.vars[v].text; !r.vars[v].set || r.vars[v].unsure {
			return 0, false
		}
	}
	n, _ = strconv.Atoi(text) // as the operators do
	return n, 0 <= n && n < 1<<20
}

// comparesCount reports whether the link compares the number itself. Of names, the engine counts each once.
func (r *sieveRun) comparesCount(l *sieveLink, bit int) bool {
	return len(l.transforms) == 0 && sieveEQ <= l.op.kind && l.op.kind <= sieveGE &&
		!slices.ContainsFunc(r.s.fields.tests[bit].targets, func(t sieveTargets) bool { return sieveCollections[t.variable].names })
}

// A sieveLeafCompiler makes a sieveLeafFilter. It gives up for rules that may see a leaf in a way that the filter does not follow.
type sieveLeafCompiler struct {
	disabled bool
	matched  bool // a rule asks which values another one has matched
	removals bool
}

func (c *sieveLeafCompiler) off() { c.disabled = true }

func (c *sieveLeafCompiler) finish() *sieveLeafFilter {
	if c.disabled {
		return nil
	}
	return &sieveLeafFilter{one: !c.matched, removals: c.removals}
}

// look takes in what a SecRule or SecAction says of matches and values of others, in variables and macros. Messages go nowhere.
func (c *sieveLeafCompiler) look(d *rulesetDirective, actions []sieveAction) {
	text := d.args
	for _, a := range actions {
		if c.action(a); a.key == "msg" || a.key == "logdata" {
			text = strings.ReplaceAll(text, a.value, "")
		}
	}
	text = strings.ToLower(text)
	c.disabled = c.disabled || strings.Contains(text, "%{args")
	c.matched = c.matched || strings.Contains(text, "matched_") || strings.Contains(text, "%{rule.")
}

// sieveKnownActions are the actions that do not look at arguments. Others come from plug-ins.
var sieveKnownActions = []string{
	"accuracy", "allow", "auditlog", "block", "capture", "chain", "deny", "drop", "expirevar", "id", "initcol", "log", "logdata", "maturity",
	"msg", "multimatch", "noauditlog", "nolog", "pass", "phase", "redirect", "rev", "setenv", "setvar", "severity", "skip",
	"skipafter", "status", "t", "tag", "ver",
}

// action takes in an action of a rule.
func (c *sieveLeafCompiler) action(a sieveAction) {
	switch key, _, _ := strings.Cut(strings.ToLower(a.value), "="); {
	case slices.Contains(sieveKnownActions, a.key):
	case a.key == "ctl" && key == "requestbodyprocessor":
	case a.key == "ctl" && (key == "ruleremovebyid" || key == "ruleremovebytag" || key == "ruleremovebymsg"):
		c.removals = true
	default:
		c.off() // targets that are taken from a rule for one request may be what was kept for its count
	}
}

// sieveLooksAtValue reports whether an operator is known to look at nothing but its value. Others come from plug-ins.
func sieveLooksAtValue(name string) bool {
	switch strings.ToLower(name) {
	case "@rx", "@pm", "@contains", "@beginswith", "@endswith", "@within", "@streq", "@strmatch", "@eq", "@ge", "@gt", "@le", "@lt",
		"@detectsqli", "@detectxss", "@ipmatch", "@validatebyterange", "@validateurlencoding", "@validateutf8encoding", "@unconditionalmatch",
		"@nomatch", "@mcpvalid", "@mcpmethod",
		"@validheadername", "@validheadervalue", "@validhost", "@validorigin", "@validsessionid", "@validcontenttype", "@validuri":
		return true
	}
	return false
}
