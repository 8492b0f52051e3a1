package waf

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/waf/corazamcp"
)

// sieveIgnored are the directives that change nothing for requests that a sieve looks at.
var sieveIgnored = []string{
	"secruleengine", "secauditengine", "secrxprefilter", "secrequestbodyaccess", "secrequestbodyjsondepthlimit", "secargumentslimit",
}

// A sieveCompiler makes a sieve out of the units of a ruleset.
type sieveCompiler struct {
	s     *sieve
	units []sieveUnit
	set   map[string]bool // variables that some rule sets
}

// A sieveUnit is a rule or marker at its place in the set.
type sieveUnit struct {
	id     int
	tags   []string
	phase  int
	rule   sieveRule
	skip   string // marker to go on behind after a match
	marker string
}

// newSieve returns nil for a ruleset that it could not spare a transaction: one with directives that it does not know, or with rules that
// it would be unsure of for every request.
func newSieve(units []rulesetUnit, limit int) *sieve {
	c := sieveCompiler{s: &sieve{limit: limit}, set: map[string]bool{corazaVarAuthenticated: true, corazaVarMCP: true}}
	c.s.fields.seed, c.s.fields.blind = maphash.MakeSeed(), true
	c.set[rulesetCanaryVariable] = true // set for canaries only, which no sieve sees
	for i := range units {
		for _, d := range units[i].directives {
			for _, action := range sieveActions(&d) {
				if name, _, found := strings.Cut(action.value, "="); found && action.key == "setvar" {
					c.set[strings.ToLower(strings.TrimPrefix(strings.ToLower(name), "tx."))] = true
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
		return c.rule(u)
	default:
		return slices.Contains(sieveIgnored, d.name)
	}
	return true
}

func (c *sieveCompiler) rule(u *rulesetUnit) bool {
	unit := sieveUnit{id: u.id, tags: u.tags, phase: 2}
	for i := range u.directives {
		d := &u.directives[i]
		var l sieveLink
		for _, a := range sieveActions(d) {
			c.action(&unit, &l, a, i == 0)
		}
		if unit.phase == 0 {
			return false
		}
		l.values, l.names, l.named, l.op.variable = -1, -1, -1, -1
		if l.always = d.name == "secaction"; !l.always {
			c.link(&l, d)
		}
		unit.rule.links = append(unit.rule.links, l)
	}
	if unit.phase <= 2 { // other phases do not run
		c.units = append(c.units, unit)
	}
	return true
}

type sieveAction struct{ key, value string }

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
	return actions
}

// action adds what an action does.
func (c *sieveCompiler) action(unit *sieveUnit, l *sieveLink, a sieveAction, head bool) {
	switch a.key {
	case "id", "tag", "ver", "severity", "rev", "maturity", "accuracy", "log", "nolog", "auditlog", "noauditlog", "pass", "chain", "status":
	case "phase":
		switch a.value {
		case "1", "2":
			unit.phase = int(a.value[0] - '0')
		case "3", "4", "5":
			unit.phase = 3
		default:
			unit.phase = 0
		}
	case "msg", "deny":
		unit.rule.reports = true
	case "t":
		// link compiles them
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
		name, value, found := strings.Cut(a.value, "=")
		name, isTX := strings.CutPrefix(strings.ToLower(name), "tx.")
		if !found || !isTX || name == "" || value == "" || strings.ContainsAny(name+value, "%{}") || strings.ContainsAny(value[:1], "+-") {
			l.effects = true
			return
		}
		l.set = append(l.set, sieveAssignment{c.variable(name), value})
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
func (c *sieveCompiler) link(l *sieveLink, d *rulesetDirective) {
	words := rulesetWords(d.args)
	if len(words) < 2 || strings.Contains(words[1], `\"`) || len(words[1]) < 2 || words[1][0] != '"' {
		l.unknown = true
		return
	}
	var transforms []string
	for _, a := range sieveActions(d) {
		if a.key != "t" {
			continue
		}
		if name := strings.ToLower(a.value); name == "none" {
			transforms = nil
		} else {
			transforms = append(transforms, name)
		}
	}
	for _, name := range transforms {
		transform := sieveTransforms[name]
		l.transforms = append(l.transforms, transform)
		l.unknown = l.unknown || transform == nil
	}
	blind := c.operator(l, words[1][1:len(words[1])-1], transforms)
	c.targets(l, words[0], blind)
}

// operator compiles an operator and reports whether it treats all digits of a name alike.
func (c *sieveCompiler) operator(l *sieveLink, text string, transforms []string) (blind bool) {
	text, l.op.negated = strings.CutPrefix(text, "!")
	name, argument, _ := strings.Cut(text, " ")
	argument = strings.TrimSpace(argument)
	l.op.text = argument
	if reference, ok := strings.CutPrefix(strings.ToLower(argument), "%{tx."); ok && name != "@rx" {
		l.op.variable = c.known(l, strings.TrimSuffix(reference, "}"))
	}
	if l.op.variable < 0 && strings.Contains(argument, "%{") && name != "@rx" {
		l.unknown = true
	}
	switch name {
	case "@streq":
		l.op.kind = sieveEqual
	case "@eq":
		l.op.kind = sieveEQ
	case "@lt":
		l.op.kind = sieveLT
	case "@gt":
		l.op.kind, blind = sieveGT, slices.Equal(transforms, []string{"length"})
	case "@ge":
		l.op.kind = sieveGE
	case "@rx":
		re, tree := sievePattern(argument)
		if re == nil {
			l.unknown = true
			return false
		}
		l.op.kind, l.op.pattern, l.gate = sieveMatch, re, sieveGateOf(tree, transforms)
		blind = sieveDigitBlind(tree) && !slices.Contains(transforms, "length")
	default:
		l.op.kind, l.op.check = sieveCheck, corazamcp.Check(strings.TrimPrefix(name, "@"))
		if l.op.check == nil || argument != "" {
			l.unknown = true
		}
		blind = name == "@validHeaderName"
	}
	return blind
}

// known returns the index of a variable whose value the sieve always knows; for any other the link is unknown.
func (c *sieveCompiler) known(l *sieveLink, name string) int {
	name = strings.ToLower(name)
	if !c.set[name] || name == corazaVarIdentity || strings.HasPrefix(name, "mcp_") { // the body processor sets those
		l.unknown = true
		return -1
	}
	return c.variable(name)
}

// targets compiles the list of variables.
func (c *sieveCompiler) targets(l *sieveLink, list string, blind bool) {
	var values, names []sieveTargets
	var counts [][]sieveTargets
	for _, v := range sieveVariables(list) {
		variable, key, selected := strings.Cut(v, ":")
		count := strings.HasPrefix(variable, "&")
		except := strings.HasPrefix(variable, "!")
		variable = strings.ToUpper(strings.TrimLeft(variable, "&!"))
		if strings.ContainsAny(key, `'"`) || (selected && key == "") {
			l.unknown = true
			return
		}
		switch collection, ok := sieveCollections[variable]; {
		case variable == "TX" && selected && !except && key[0] != '/':
			kind := sieveTX
			if count {
				kind = sieveTXCount
			}
			l.singles = append(l.singles, sieveSingle{kind, c.known(l, key)})
		case ok:
			t := sieveTargets{variable: variable, from: collection.from}
			if selected {
				var keyBlind bool
				lower := collection.from == sieveHeader || collection.from == sieveCookie
				if t.selector, keyBlind, ok = sieveSelectorOf(key, lower); !ok {
					l.unknown = true
					return
				}
				c.s.fields.blind = c.s.fields.blind && keyBlind
			}
			switch {
			case except && selected:
				for _, group := range append(counts, values, names) {
					for i := range group {
						if group[i].variable == variable {
							group[i].except = append(group[i].except, t.selector)
						}
					}
				}
			case except, selected && collection.from == sievePath, count && collection.from == sievePath:
				l.unknown = true
			case count:
				counts = append(counts, []sieveTargets{t})
			case collection.names:
				names = append(names, t)
			default:
				values = append(values, t)
			}
		case !selected && !count && !except && sieveSingles[variable] != 0:
			l.singles = append(l.singles, sieveSingle{kind: sieveSingles[variable]})
		default:
			l.unknown = true
			return
		}
	}
	if l.unknown {
		return
	}
	if len(values) > 0 {
		l.values = c.bit(l, values, nil)
	}
	if len(names) > 0 {
		named := slices.ContainsFunc(names, func(t sieveTargets) bool { return t.from != sievePath })
		if c.s.fields.blind = c.s.fields.blind && (blind || !named); l.op.variable >= 0 {
			l.named = c.bit(l, names, nil)
		} else {
			l.names = c.bit(l, names, l)
		}
	}
	for _, t := range counts {
		l.counts = append(l.counts, c.bit(l, t, nil))
	}
}

var sieveSingles = map[string]sieveKind{
	"REQUEST_METHOD": sieveMethod, "REQUEST_URI_RAW": sieveTarget, "REQBODY_ERROR": sieveNoError,
}

// bit returns the bit of a test, a new one where none is the same.
func (c *sieveCompiler) bit(l *sieveLink, targets []sieveTargets, link *sieveLink) int {
	f := &c.s.fields
	if link == nil {
		same := func(t sieveFieldTest) bool {
			return t.link == nil && slices.EqualFunc(t.targets, targets, sieveTargets.equal)
		}
		if i := slices.IndexFunc(f.tests, same); i >= 0 {
			return i
		}
	}
	if len(f.tests) == sieveMaxBits {
		l.unknown = true
		return -1
	}
	if link != nil {
		copied := *link // the unit's slice of links moves
		link = &copied
	}
	f.tests = append(f.tests, sieveFieldTest{targets, link})
	return len(f.tests) - 1
}

// sieveVariables splits a list of variables at bars outside patterns.
func sieveVariables(list string) (variables []string) {
	start, inside := 0, false
	for i := 0; i < len(list); i++ {
		switch {
		case inside && list[i] == '\\':
			i++
		case list[i] == '/' && (inside || list[i-1] == ':'):
			inside = !inside
		case list[i] == '|' && !inside:
			variables = append(variables, list[start:i])
			start = i + 1
		}
	}
	return append(variables, list[start:])
}

// finish lays the rules out by phase.
func (c *sieveCompiler) finish() *sieve {
	for phase := range c.s.phases {
		rules := c.s.phases[phase]
		reach := 0 // rules before this one may be skipped
		at := map[int]int{}
		for i := range c.units {
			u := &c.units[i]
			if u.marker != "" || u.phase != phase+1 {
				continue
			}
			if u.rule.links[0].unknown && i >= reach {
				return nil
			}
			if u.skip != "" {
				end := slices.IndexFunc(c.units[i:], func(m sieveUnit) bool { return m.marker == u.skip })
				if end < 0 {
					u.rule.unknown = true
				} else {
					reach = max(reach, i+end)
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
	}
	return c.s
}
