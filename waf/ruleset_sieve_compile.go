package waf

import (
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/waf/corazamcp"
)

// sieveIgnored are the directives that change nothing for requests that a sieve looks at.
var sieveIgnored = []string{
	"secruleengine", "secauditengine", "secrxprefilter", "secrequestbodyaccess", "secrequestbodyjsondepthlimit", "secargumentslimit",
}

// A sieveCompiler makes a sieve out of the units of a ruleset.
type sieveCompiler struct {
	s      *sieve
	units  []sieveUnit
	set    map[string]bool // variables that some rule or Guard sets
	leaves sieveLeafCompiler
}

// A sieveUnit is a rule or marker at its place in the set.
type sieveUnit struct {
	source *rulesetUnit
	id     int
	tags   []string
	phase  int // 3 = one that does not run
	rule   sieveRule
	skip   string // marker to go on behind after a match
	marker string
}

// newSieve returns nil for a ruleset with a directive that it does not know.
func newSieve(units []rulesetUnit, limit int) *sieve {
	c := sieveCompiler{s: &sieve{limit: limit}, set: map[string]bool{
		corazaVarAuthenticated: true,
		corazaVarMCP:           true,
		rulesetCanaryVariable:  true, // for canaries only, which no sieve sees
	}}
	c.s.fields.seed, c.s.fields.blind = maphash.MakeSeed(), true
	for i := range units {
		for _, d := range units[i].directives {
			for _, a := range sieveActions(&d) {
				if name, _, _ := a.assignment(); name != "" {
					c.set[name] = true
				}
			}
		}
	}
	for i := range units {
		if !c.unit(&units[i]) {
			return nil
		}
	}
	return c.finish()
}

// unit adds a unit. It is false for one that changes others in a way that the sieve does not follow.
func (c *sieveCompiler) unit(u *rulesetUnit) bool {
	d := u.first()
	switch {
	case d.name == "secmarker":
		c.units = append(c.units, sieveUnit{marker: strings.Trim(d.args, `"`)})
	case d.name == "secruleremovebyid":
		ranges := rulesetIDRanges(d)
		c.units = slices.DeleteFunc(c.units, func(s sieveUnit) bool {
			return s.id != 0 && slices.ContainsFunc(ranges, func(r rulesetRange) bool { return r.has(s.id) })
		})
	case d.name == "secruleremovebytag":
		tag := strings.Trim(d.args, `"`)
		c.units = slices.DeleteFunc(c.units, func(s sieveUnit) bool { return slices.Contains(s.tags, tag) })
	case d.name == "secrule" || d.name == "secaction":
		unit, ok := c.rule(u)
		c.units = append(c.units, unit)
		return ok
	case d.name == "secruleupdatetargetbyid":
		return c.update(d)
	default:
		return slices.Contains(sieveIgnored, d.name)
	}
	return true
}

// update adds variables or exceptions to the first link of one rule. It is false for several rules.
func (c *sieveCompiler) update(d *rulesetDirective) (ok bool) {
	fields := strings.Fields(d.args)
	if len(fields) != 2 {
		return false
	}
	i := slices.IndexFunc(c.units, func(u sieveUnit) bool { return u.id != 0 && strconv.Itoa(u.id) == fields[0] })
	if i < 0 || c.units[i].source.first().name != "secrule" {
		return false
	}
	source := *c.units[i].source
	source.directives = slices.Clone(source.directives)
	variables, rest, _ := strings.Cut(source.first().args, " ")
	source.first().args = variables + "|" + strings.Trim(fields[1], `"`) + " " + rest
	c.units[i], ok = c.rule(&source)
	return ok
}

// rule compiles a rule with its chain. ok is false for one whose phase is not known.
func (c *sieveCompiler) rule(u *rulesetUnit) (unit sieveUnit, ok bool) {
	unit = sieveUnit{source: u, id: u.id, tags: u.tags, phase: 2}
	for i := range u.directives {
		d := &u.directives[i]
		actions := sieveActions(d)
		l := sieveLink{values: -1, names: -1, named: -1, always: d.name == "secaction", op: sieveOperator{variable: -1}}
		for _, a := range actions {
			c.action(&unit, &l, a, i == 0)
		}
		c.leaves.look(d, actions)
		if unit.phase == 0 {
			return unit, false
		}
		if !l.always {
			c.link(&l, d, actions)
		}
		unit.rule.links = append(unit.rule.links, l)
	}
	return unit, true
}

type sieveAction struct{ key, value string }

// sieveActions returns the actions of a rule. Escapes, which the engine reads in a way of its own, become an action that nobody knows.
func sieveActions(d *rulesetDirective) (actions []sieveAction) {
	text := d.args
	if d.name == "secrule" {
		words := rulesetWords(d.args)
		if len(words) < 3 {
			return nil
		}
		text = words[len(words)-1]
	} else if d.name != "secaction" {
		return nil
	}
	for _, action := range rulesetSplitActions(strings.Trim(text, `"`)) {
		key, value, _ := strings.Cut(action, ":")
		actions = append(actions, sieveAction{strings.ToLower(strings.TrimSpace(key)), strings.Trim(strings.TrimSpace(value), "'")})
	}
	if strings.Contains(text, `\`) {
		actions = append(actions, sieveAction{key: `\`})
	}
	return actions
}

// assignment reads a setvar. constant says that the value is the text that the variable gets; name is empty for any other action.
func (a sieveAction) assignment() (name, value string, constant bool) {
	name, value, found := strings.Cut(strings.TrimPrefix(a.value, "!"), "=")
	name, isTX := strings.CutPrefix(strings.ToLower(name), "tx.")
	if a.key != "setvar" || !isTX {
		return "", "", false
	}
	constant = found && a.value[0] != '!' && value != "" && !strings.ContainsAny(name+value, "%{}") && !strings.ContainsAny(value[:1], "+-")
	return name, value, constant
}

// action adds what an action does.
func (c *sieveCompiler) action(unit *sieveUnit, l *sieveLink, a sieveAction, head bool) {
	switch a.key {
	case "id", "tag", "ver", "severity", "rev", "maturity", "accuracy", "log", "nolog", "auditlog", "noauditlog", "pass", "chain", "status":
	case "phase":
		switch {
		case !head: // the rule has the phase of its head
		case a.value == "1" || a.value == "2":
			unit.phase = int(a.value[0] - '0')
		case a.value == "3" || a.value == "4" || a.value == "5":
			unit.phase = 3
		default:
			unit.phase = 0
		}
	case "msg", "deny":
		unit.rule.reports = true
	case "t", "multimatch":
		// link compiles them
	case `\`:
		l.unknown = true
	case "skipafter":
		if unit.skip = a.value; !head {
			unit.rule.unknown = true
		}
	case "ctl":
		// there is no body for the engine to process
		if key, _, _ := strings.Cut(a.value, "="); !strings.EqualFold(key, "requestBodyProcessor") {
			l.effects = true
		}
	case "setvar":
		name, value, constant := a.assignment()
		if !constant {
			l.effects = true
			return
		}
		l.set = append(l.set, sieveAssignment{c.variable(name), value})
	case "capture":
		l.effects, l.captures = true, true
	default:
		l.effects = true
	}
}

// variable returns the index of a transaction variable.
func (c *sieveCompiler) variable(name string) int {
	if i := slices.Index(c.s.vars, name); i >= 0 {
		return i
	}
	c.s.vars = append(c.s.vars, name)
	return len(c.s.vars) - 1
}

// link compiles variables, operator and transformations of a SecRule.
func (c *sieveCompiler) link(l *sieveLink, d *rulesetDirective, actions []sieveAction) {
	words := rulesetWords(d.args)
	if len(words) < 2 || len(words) > 3 || len(words[1]) < 2 || words[1][0] != '"' || strings.Contains(words[1], `\"`) {
		l.unknown = true
		c.leaves.off()
		return
	}
	var transforms []string
	for _, a := range actions {
		switch name := strings.ToLower(a.value); {
		case a.key == "multimatch":
			l.op.kind = sieveOpaque // the operator sees the value after each transformation
		case a.key != "t":
		case name == "none":
			transforms = nil
		default:
			transforms = append(transforms, name)
		}
	}
	for _, name := range transforms {
		transform := sieveTransforms[name]
		if l.transforms = append(l.transforms, transform); transform == nil {
			l.op.kind = sieveOpaque
		}
	}
	if l.op.kind == sieveOpaque {
		l.transforms = nil
	}
	blind := c.operator(l, words[1][1:len(words[1])-1], transforms)
	c.variables(l, words[0], blind)
}

// operator compiles an operator and reports whether it treats all digits of a name alike.
func (c *sieveCompiler) operator(l *sieveLink, text string, transforms []string) (blind bool) {
	text, l.op.negated = strings.CutPrefix(text, "!")
	name, argument := "@rx", text // if no other is named
	if strings.HasPrefix(text, "@") {
		name, argument, _ = strings.Cut(text, " ")
	}
	l.op.text = strings.TrimSpace(argument)
	if !sieveLooksAtValue(name) {
		c.leaves.off()
	}
	if l.op.kind == sieveOpaque {
		return false
	}
	if l.op.kind = sieveOperators[name]; l.op.kind == sieveMatch {
		re, tree := sievePattern(l.op.text)
		if tree != nil {
			l.gate, l.foreign = sieveGateOf(tree, transforms), sieveForeign(tree, transforms)
		}
		if l.op.pattern = re; re == nil {
			l.op.kind = sieveOpaque
		}
		return tree != nil && sieveDigitBlind(tree) && !slices.Contains(transforms, "length")
	}
	if strings.Contains(l.op.text, "%{") {
		reference, isTX := strings.CutPrefix(strings.ToLower(l.op.text), "%{tx.")
		reference, whole := strings.CutSuffix(reference, "}")
		if !isTX || !whole || strings.Contains(reference, "}") {
			l.op.kind = sieveOpaque
			return false
		}
		l.op.variable = c.known(l, reference)
	}
	switch {
	case l.op.kind == sieveGT:
		return slices.Equal(transforms, []string{"length"})
	case l.op.kind == 0:
		l.op.kind, l.op.check, l.op.byMethod = sieveCheck, corazamcp.Check(strings.TrimPrefix(name, "@")), name == "@validURI"
		if l.op.check == nil || l.op.text != "" {
			l.op.kind = sieveOpaque
		}
		return name == "@validHeaderName"
	}
	return false
}

// known returns the index of a variable whose value the sieve always knows; for any other the link is unknown.
func (c *sieveCompiler) known(l *sieveLink, name string) int {
	name = strings.ToLower(name)
	// The engine sets TX:0 to TX:9 when it captures, the body processor those of ours.
	captured := len(name) == 1 && '0' <= name[0] && name[0] <= '9'
	if !c.set[name] || name == corazaVarIdentity || strings.HasPrefix(name, "mcp_") || captured {
		l.unknown = true
		return -1
	}
	return c.variable(name)
}

// finish lays the rules out by phase.
func (c *sieveCompiler) finish() *sieve {
	for phase := range c.s.phases {
		rules := c.s.phases[phase]
		at := map[int]int{}
		for i := range c.units {
			u := &c.units[i]
			if u.marker != "" || u.phase != phase+1 {
				continue
			}
			if u.skip != "" {
				end := slices.IndexFunc(c.units[i:], func(m sieveUnit) bool { return m.marker == u.skip })
				if end < 0 {
					u.rule.unknown = true
				} else {
					at[len(rules)] = i + end
				}
			}
			rules = append(rules, u.rule)
		}
		for rule, marker := range at {
			for _, u := range c.units[:marker] {
				if u.marker == "" && u.phase == phase+1 {
					rules[rule].next++
				}
			}
		}
		c.s.phases[phase] = rules
		for i := range rules {
			for _, l := range rules[i].links {
				if l.values >= 0 && !l.foreign {
					c.s.fields.native[l.values]++
				}
			}
		}
	}
	c.s.leaves = c.leaves.finish()
	return c.s
}
