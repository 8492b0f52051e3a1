// Package policy decides whether a caller may use what has a name: a method, a tool, a prompt, a resource. It knows names and
// patterns only: no HTTP, no JSON, no request.
//
// A decision costs at most one pass over the name per pattern, allocates nothing and is bounded whatever the name holds:
// names over [MaxNameBytes] are refused before they are compared, and patterns are cut into literals when they are
// compiled, so that there is nothing to backtrack over.
package policy

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a rule list and of the names it judges.
const (
	MaxRules        = 1024
	MaxPatterns     = 4096 // Allow and Deny of all rules together
	MaxPatternBytes = 256
	MaxNameBytes    = 1024 // MCP recommends 128; a longer name is denied whenever there are rules
)

// Everyone as the identity of a rule makes it apply to every caller, known or anonymous.
const Everyone = "*"

// Rule allows and denies names for one identity, or for [Everyone]. In patterns "*" stands for any run of bytes, also none;
// every other byte stands for itself.
type Rule struct {
	Identity string

	// Allow is compared byte for byte. Nil means every name; empty and not nil means none.
	Allow []string

	// Deny is compared after folding both sides (see fold), with and without the spaces and dots around the name.
	Deny []string

	// Conditional says that whoever uses what Allow holds has to meet conditions, which only the caller of Set.Unmet knows.
	Conditional bool
}

// Set is a compiled rule list. It is immutable and safe for concurrent use. A nil Set and the zero Set deny everything.
type Set struct {
	open       bool // no rules: every name is allowed
	uris       bool // the names are URIs
	everyone   group
	identities map[string]*group

	conditional []conditional
}

// group holds the rules of one identity.
type group struct {
	allowsAny bool  // a rule has no Allow
	any       place // the first of those
	allow     matcher
	deny      matcher
}

// Compile checks and compiles rules. Nil means that everything is allowed; empty and not nil means that nothing is. All
// faults are reported at once, each as an *[Error].
func Compile(rules []Rule) (*Set, error) {
	if err := check(rules); err != nil {
		return nil, err
	}
	s := &Set{open: rules == nil, identities: make(map[string]*group)}
	for i, rule := range rules {
		g := &s.everyone
		if rule.Identity != Everyone {
			g = s.identities[rule.Identity]
			if g == nil {
				g = new(group)
				s.identities[rule.Identity] = g
			}
		}
		if rule.Allow == nil && !g.allowsAny {
			g.allowsAny, g.any = true, place{rule: i}
		}
		for k, pattern := range rule.Allow {
			g.allow.add(pattern, place{i, k})
		}
		for k, pattern := range rule.Deny {
			g.deny.add(foldPattern(pattern), place{i, k})
		}
		if rule.Conditional {
			s.conditional = append(s.conditional, newConditional(i, rule))
		}
	}
	return s, nil
}

// CompileURIs is Compile for rules whose names are URIs. Such a Set denies, whenever there are rules, a URI that servers could
// resolve to another one than the rules saw: see plainURI.
func CompileURIs(rules []Rule) (*Set, error) {
	s, err := Compile(rules)
	if err == nil {
		s.uris = true
	}
	return s, err
}

// Open reports whether there are no rules, so that every caller may use every name.
func (s *Set) Open() bool { return s != nil && s.open }

// Allows reports whether the caller may use what has that decoded name; identity is "" for an anonymous caller. A
// pattern in Deny of any rule that applies to the caller wins over every Allow, and what no Allow holds is denied.
//
// Whenever there are rules, a name is denied that no rule could judge in the way every server reads it: an empty one, one
// over [MaxNameBytes], one that is not valid UTF-8, and one with a control character (a server written in C sees it end at
// a NUL). Allows does not allocate.
func (s *Set) Allows(identity string, name []byte) bool { return s.Decide(identity, name).Allows() }

// Decide is Allows with the reason. Of several patterns that match it names one that decides alone: a Deny before an Allow, a
// rule for everyone before one of the caller, a pattern without "*" before the others, then the first.
func (s *Set) Decide(identity string, name []byte) Decision {
	if s == nil {
		return Decision{}
	}
	if s.open {
		return Decision{Reason: NoRules}
	}
	if len(name) == 0 || len(name) > MaxNameBytes || !utf8.Valid(name) || bytes.ContainsFunc(name, unicode.IsControl) {
		return Decision{Reason: Unreadable}
	}
	if s.uris && !plainURI(name) {
		return Decision{Reason: Unreadable}
	}
	groups := [...]*group{&s.everyone, s.identities[identity]} // the latter nil for a caller without rules of its own
	var buf [MaxNameBytes]byte
	folded := fold(buf[:0], name)
	for _, g := range groups {
		if at, ok := g.denies(folded); ok {
			return at.decision(Denied)
		}
	}
	for _, g := range groups {
		if d := g.allows(name); d.Allows() {
			return d
		}
	}
	return Decision{Reason: NotAllowed}
}

func (g *group) denies(folded []byte) (at place, ok bool) {
	if g == nil {
		return place{}, false
	}
	return g.deny.matchFolded(folded)
}

func (g *group) allows(name []byte) Decision {
	if g == nil {
		return Decision{}
	}
	if at, ok := g.allow.match(name); ok {
		return at.decision(Allowed)
	}
	if g.allowsAny {
		return g.any.decision(AllowsAny)
	}
	return Decision{}
}

// fold appends name to dst in the spelling in which Deny is compared. It undoes what lenient servers forgive, one character
// at a time:
//
//   - case, by Unicode simple folding, so that the long s (U+017F) is s and the Kelvin sign (U+212A) is k;
//   - the dotted capital I (U+0130) and the dotless i (U+0131), which become i in one direction of case mapping;
//   - the full-width forms U+FF01 to U+FF5E, which are ASCII under Unicode compatibility normalisation;
//   - every Unicode white space, which becomes a space.
//
// It does not undo what changes the number of characters: ligatures, combining marks, ignorable characters. Who fears those
// must list what is allowed instead of what is not. The result is never longer than name, because each character becomes one
// with the same or a smaller number.
func fold(dst, name []byte) []byte {
	for len(name) > 0 {
		r, size := utf8.DecodeRune(name)
		name = name[size:]
		dst = utf8.AppendRune(dst, foldRune(r))
	}
	return dst
}

func foldRune(r rune) rune {
	switch {
	case r >= 0xFF01 && r <= 0xFF5E:
		r -= 0xFF01 - '!'
	case r == 0x130 || r == 0x131:
		return 'i'
	case r >= utf8.RuneSelf && unicode.IsSpace(r):
		return ' '
	case r >= utf8.RuneSelf:
		next := unicode.SimpleFold(r)
		for next > r { // an orbit of equal letters is walked upwards; its smallest, met at the turn, stands for all
			r, next = next, unicode.SimpleFold(next)
		}
		r = next
	}
	if 'A' <= r && r <= 'Z' {
		r += 'a' - 'A'
	}
	return r
}

// trim cuts the leading spaces and the trailing spaces and dots of a folded name.
func trim(folded []byte) []byte {
	return bytes.TrimRight(bytes.TrimLeft(folded, " "), " .")
}

// foldPattern folds a pattern like a name, so that both meet. The ends are trimmed as well, unless that would bare a "*" and
// widen the pattern ("*." must not become "*") or leave nothing.
func foldPattern(pattern string) string {
	folded := string(fold(nil, []byte(pattern)))
	trimmed := string(trim([]byte(folded)))
	if trimmed == "" ||
		strings.HasPrefix(trimmed, "*") != strings.HasPrefix(folded, "*") ||
		strings.HasSuffix(trimmed, "*") != strings.HasSuffix(folded, "*") {
		return folded
	}
	return trimmed
}
