package policy

// conditional is the part of a Rule with conditions that says whom and what they are for.
type conditional struct {
	rule     int
	identity string
	any      bool    // every name
	names    matcher // Allow, folded
}

func newConditional(rule int, r Rule) conditional {
	c := conditional{rule: rule, identity: r.Identity, any: r.Allow == nil}
	for k, pattern := range r.Allow {
		c.names.add(foldPattern(pattern), place{rule, k})
	}
	return c
}

// Unmet asks met about every rule with conditions that is for the caller and whose Allow holds the name. The first that is not
// met denies, whatever other rules allow. Unlike for allowing, names are compared as Deny is: a lenient server must not be
// reached past the conditions through another spelling.
func (s *Set) Unmet(identity string, name []byte, met func(rule int) bool) (d Decision, unmet bool) {
	if s == nil || len(s.conditional) == 0 {
		return Decision{}, s == nil
	}
	var buf [MaxNameBytes]byte
	folded := fold(buf[:0], name)
	for i := range s.conditional {
		c := &s.conditional[i]
		if c.identity != Everyone && c.identity != identity {
			continue
		}
		if _, holds := c.names.matchFolded(folded); (holds || c.any) && !met(c.rule) {
			return Decision{Reason: Unmet, Rule: c.rule}, true
		}
	}
	return Decision{}, false
}
