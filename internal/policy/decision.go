package policy

import "fmt"

// Reason says why a name is allowed or denied.
type Reason uint8

// The reasons. The zero Reason denies.
const (
	NoSet      Reason = iota // denied: there is no rule list at all
	Unreadable               // denied: no rule could judge the name as every server reads it
	NotAllowed               // denied: no rule that applies to the caller allows it
	Denied                   // denied by the pattern Deny[Index] of the rule Rule
	Unmet                    // denied by the conditions of the rule Rule: see Set.Unmet
	NoRules                  // allowed: the list is open
	AllowsAny                // allowed by the rule Rule, which has no Allow
	Allowed                  // allowed by the pattern Allow[Index] of the rule Rule
)

// Decision is what a Set says about one name, and because of which rule.
type Decision struct {
	Reason Reason
	Rule   int // index of the deciding rule, where a rule decides; otherwise 0
	Index  int // index of its deciding pattern, where a pattern decides; otherwise 0
}

// Allows reports whether the name may be used.
func (d Decision) Allows() bool { return d.Reason >= NoRules }

// Path returns the setting that decided, such as "[1].deny[0]" or "[1]", or "" if none did.
func (d Decision) Path() string {
	switch d.Reason {
	case Denied:
		return fmt.Sprintf("[%d].deny[%d]", d.Rule, d.Index)
	case Allowed:
		return fmt.Sprintf("[%d].allow[%d]", d.Rule, d.Index)
	case AllowsAny, Unmet:
		return fmt.Sprintf("[%d]", d.Rule)
	default:
		return ""
	}
}

// place is where a pattern stands in the rules.
type place struct{ rule, index int }

func (p place) decision(r Reason) Decision { return Decision{r, p.rule, p.index} }
