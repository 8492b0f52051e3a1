package waf

import (
	"slices"
	"sync"
)

// A sieve evaluates rules on the parse that Guard has made of a request, so that most requests need no transaction of the engine.
//
// It lets a request pass if it can tell that the engine would let it pass and have nothing to say (ruleset_sieve_run.go), and of the
// message of any other request it chooses the values that the engine has to see (ruleset_sieve_leaves.go). It refuses nothing.
//
// It understands the directives SecRule, SecAction, SecMarker, SecRuleRemoveById, SecRuleRemoveByTag and SecRuleUpdateTargetById for one
// rule. Of these:
//
//	variables         collections of sieveCollections, whole, selected by name or pattern, excepted or counted; TX by name; sieveSingles
//	operators         @rx, @streq, @eq, @lt, @gt, @ge, those of package corazamcp that look at a value; negated; with one TX variable
//	transformations   sieveTransforms
//	actions           phases 1 and 2, chain, skipAfter, setvar with a constant, and those without effect on later rules
//
// Any other variable, operator, transformation or action makes it unsure where the answer hangs on it, and any other directive
// leaves the ruleset without a sieve. An error in this knowledge could hide a match: the tests compare sieve and engine on everything
// they have, and on rules made at random. It is immutable and safe for concurrent use.
type sieve struct {
	phases [2][]sieveRule
	fields sieveFields
	vars   []string // names of transaction variables, in lower case; a link knows them by index
	limit  int      // from so many arguments on the engine decides
	leaves *sieveLeafFilter
	runs   sync.Pool
}

// A sieveRule is one rule with its chain.
type sieveRule struct {
	links   []sieveLink
	reports bool // it refuses or has a message
	unknown bool // it has actions that the sieve does not know
	next    int  // rule of the phase to go on with after a match
}

// effects reports whether a match does something that the sieve does not follow.
func (rule *sieveRule) effects() bool {
	return slices.ContainsFunc(rule.links, func(l sieveLink) bool { return l.effects })
}

// A sieveLink is one SecRule of a chain, or a SecAction.
type sieveLink struct {
	unknown    bool // has a variable that the sieve does not know
	always     bool // a SecAction
	singles    []sieveSingle
	values     int   // bit of the fields whose values are looked at; -1 = none
	names      int   // bit of the fields whose names match; -1 = none
	named      int   // bit of the fields whose names are looked at, by an operator that hangs on the request; -1 = none
	counts     []int // bits of the fields that are counted
	transforms []sieveTransform
	op         sieveOperator
	gate       sieveGate
	foreign    bool // its pattern matches no coded text
	set        []sieveAssignment
	effects    bool // a match does something that the sieve does not follow
	captures   bool // it sets TX:0 to TX:9
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
