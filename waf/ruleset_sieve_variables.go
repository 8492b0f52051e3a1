package waf

import (
	"slices"
	"strings"
)

var sieveSingles = map[string]sieveKind{
	"REQUEST_METHOD": sieveMethod, "REQUEST_URI_RAW": sieveTarget, "REQBODY_ERROR": sieveNoError,
}

// A sieveVariableList is the list of variables of a SecRule, by what is looked at.
type sieveVariableList struct {
	values, names []sieveTargets
	counts        [][]sieveTargets
}

// except takes what the selector chooses out of the variables in front of it that have that name.
func (v *sieveVariableList) except(variable string, s sieveSelector) {
	for _, group := range append(v.counts, v.values, v.names) {
		for i := range group {
			if group[i].variable == variable {
				group[i].except = append(group[i].except, s)
			}
		}
	}
}

// variables compiles the list of variables. blind says that the operator treats all digits of a name alike.
func (c *sieveCompiler) variables(l *sieveLink, text string, blind bool) {
	var list sieveVariableList
	for _, v := range sieveSplitVariables(text) {
		if !c.target(l, &list, v) {
			l.unknown = true
		}
	}
	if len(list.values) > 0 {
		l.values = c.bit(l, list.values, nil)
	}
	if len(list.names) > 0 {
		named := slices.ContainsFunc(list.names, func(t sieveTargets) bool { return t.from != sievePath })
		if c.s.fields.blind = c.s.fields.blind && (blind || !named); l.op.needsRequest() {
			l.named = c.bit(l, list.names, nil)
		} else {
			l.names = c.bit(l, list.names, l)
		}
	}
	for _, t := range list.counts {
		l.counts = append(l.counts, c.bit(l, t, nil))
	}
}

// target compiles one variable of the list. It is false for one that the sieve does not know.
func (c *sieveCompiler) target(l *sieveLink, list *sieveVariableList, text string) bool {
	name, count := strings.CutPrefix(text, "&")
	name, except := strings.CutPrefix(name, "!")
	variable, key, selected := strings.Cut(name, ":")
	variable = strings.ToUpper(variable)
	if strings.ContainsAny(variable, "&!") || (count && except) || strings.ContainsAny(key, `'"`) || (selected && key == "") {
		c.leaves.off() // the engine makes something of it
		return false
	}
	collection, ok := sieveCollections[variable]
	switch {
	case ok:
	case variable == "TX" && selected && !except && !strings.Contains(key, "/"):
		kind := sieveTX
		if count {
			kind = sieveTXCount
		}
		l.singles = append(l.singles, sieveSingle{kind, c.known(l, key)})
		return true
	case !selected && !count && !except && sieveSingles[variable] != 0:
		l.singles = append(l.singles, sieveSingle{kind: sieveSingles[variable]})
		return true
	default:
		if strings.Contains(variable, "ARGS") {
			c.leaves.off()
		}
		return false
	}
	t := sieveTargets{variable: variable, from: collection.from}
	if selected {
		var blind bool
		lower := collection.from == sieveHeader || collection.from == sieveCookie
		if t.selector, blind, ok = sieveSelectorOf(key, lower); !ok {
			c.leaves.off()
			return false
		}
		c.s.fields.blind = c.s.fields.blind && blind
	}
	switch {
	case except && selected:
		list.except(variable, t.selector)
	case except:
		c.leaves.off() // all of them
		return false
	case collection.from == sievePath && (selected || count):
		return false
	case count:
		list.counts = append(list.counts, []sieveTargets{t})
	case collection.names:
		list.names = append(list.names, t)
	default:
		list.values = append(list.values, t)
	}
	return true
}

// bit returns the bit of a test, a new one where none is the same. link is set if the bit tells whether names match its operator.
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
		c.leaves.off()
		return -1
	}
	if link != nil {
		copied := *link // the unit's slice of links moves
		link = &copied
	}
	f.tests = append(f.tests, sieveFieldTest{targets, link})
	return len(f.tests) - 1
}

// sieveSplitVariables splits a list of variables at bars outside patterns.
func sieveSplitVariables(list string) (variables []string) {
	start, inside := 0, false
	for i := 0; i < len(list); i++ {
		switch {
		case inside && list[i] == '\\':
			i++
		case list[i] == '/' && (inside || (i > 0 && list[i-1] == ':')):
			inside = !inside
		case list[i] == '|' && !inside:
			variables = append(variables, list[start:i])
			start = i + 1
		}
	}
	return append(variables, list[start:])
}
