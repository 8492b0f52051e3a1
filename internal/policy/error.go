package policy

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error is one fault of a rule list. It says where, never what was there.
type Error struct {
	Rule    int    // index of the rule; -1 if the fault is of the whole list
	List    string // "identity", "allow" or "deny"; "" if the fault is of the whole list
	Index   int    // index in Allow or Deny; 0 otherwise
	Problem string // such as "must not be empty"
}

// Error returns the place and the problem.
func (e *Error) Error() string {
	switch e.List {
	case "":
		return "policy: " + e.Problem
	case "identity":
		return fmt.Sprintf("policy: rule %d: identity %s", e.Rule, e.Problem)
	default:
		return fmt.Sprintf("policy: rule %d: %s[%d] %s", e.Rule, e.List, e.Index, e.Problem)
	}
}

// check reports every fault of rules.
func check(rules []Rule) error {
	if len(rules) > MaxRules {
		return &Error{Rule: -1, Problem: fmt.Sprintf("%d rules, limit %d", len(rules), MaxRules)}
	}
	patterns := 0
	for _, rule := range rules {
		patterns += len(rule.Allow) + len(rule.Deny)
	}
	if patterns > MaxPatterns {
		return &Error{Rule: -1, Problem: fmt.Sprintf("%d patterns, limit %d", patterns, MaxPatterns)}
	}
	var errs []error
	for i, rule := range rules {
		if rule.Identity == "" {
			errs = append(errs, &Error{Rule: i, List: "identity", Problem: "must not be empty"})
		}
		errs = checkPatterns(errs, i, "allow", rule.Allow)
		errs = checkPatterns(errs, i, "deny", rule.Deny)
	}
	return errors.Join(errs...)
}

func checkPatterns(errs []error, rule int, list string, patterns []string) []error {
	for i, pattern := range patterns {
		problem := ""
		switch {
		case pattern == "":
			problem = "must not be empty"
		case len(pattern) > MaxPatternBytes:
			problem = fmt.Sprintf("has %d bytes, limit %d", len(pattern), MaxPatternBytes)
		case !utf8.ValidString(pattern):
			problem = "is not valid UTF-8"
		case strings.ContainsFunc(pattern, unicode.IsControl):
			problem = "holds a control character, which no allowed name does"
		default:
			continue
		}
		errs = append(errs, &Error{Rule: rule, List: list, Index: i, Problem: problem})
	}
	return errs
}
