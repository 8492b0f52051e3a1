package waf

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// sieveCollections are the variables of which there may be several, and the fields they have.
var sieveCollections = map[string]struct {
	from  sieveSource
	names bool
}{
	"REQUEST_HEADERS":       {sieveHeader, false},
	"REQUEST_HEADERS_NAMES": {sieveHeader, true},
	"REQUEST_COOKIES":       {sieveCookie, false},
	"REQUEST_COOKIES_NAMES": {sieveCookie, true},
	"ARGS":                  {sieveQueryArg | sieveBody, false},
	"ARGS_NAMES":            {sieveQueryArg | sieveBody, true},
	"ARGS_GET":              {sieveQueryArg, false},
	"ARGS_GET_NAMES":        {sieveQueryArg, true},
	"ARGS_POST":             {sieveBody, false},
	"ARGS_POST_NAMES":       {sieveBody, true},
	"REQUEST_FILENAME":      {sievePath, true},
}

// sieveTargets is one variable of a rule, with its selector and exceptions.
type sieveTargets struct {
	variable string
	from     sieveSource
	selector sieveSelector
	except   []sieveSelector
}

// A sieveSelector chooses names, which it sees in lower case. The zero value chooses all.
type sieveSelector struct {
	source  string         // as written
	text    string         // the whole name
	suffix  string         // of a pattern that is no more than a text and the end
	within  string         // a text without which the pattern does not match
	pattern *regexp.Regexp // nil: the texts decide
}

func (s *sieveSelector) chooses(name string) bool {
	switch {
	case s.text != "":
		return s.text == name
	case s.suffix != "":
		return strings.HasSuffix(name, s.suffix)
	}
	return strings.Contains(name, s.within) && (s.pattern == nil || s.pattern.MatchString(name))
}

// equal reports whether both are the same variable, chosen in the same way.
func (t sieveTargets) equal(o sieveTargets) bool {
	same := func(a, b sieveSelector) bool { return a.source == b.source }
	return t.variable == o.variable && same(t.selector, o.selector) && slices.EqualFunc(t.except, o.except, same)
}

func (t *sieveTargets) have(from sieveSource, name string) bool {
	if t.from&from == 0 || !t.selector.chooses(name) {
		return false
	}
	for i := range t.except {
		if t.except[i].chooses(name) {
			return false
		}
	}
	return true
}

// sieveSelectorOf compiles the selector of a variable: a name, or a pattern between slashes. It is false for one that the sieve leaves alone.
func sieveSelectorOf(key string, lower bool) (s sieveSelector, blind, ok bool) {
	s.source = key
	if !strings.Contains(key, "/") {
		s.text = strings.ToLower(key)
		return s, !strings.ContainsAny(key, "0123456789"), true
	}
	text, opened := strings.CutPrefix(key, "/")
	text, closed := strings.CutSuffix(text, "/")
	if !opened || !closed { // the engine makes something of it
		return s, false, false
	}
	if lower {
		text = strings.ToLower(text)
	}
	re, err := regexp.Compile(text)
	tree, parseErr := syntax.Parse(text, syntax.Perl)
	if err != nil || parseErr != nil || text == "" {
		return s, false, false
	}
	blind = sieveDigitBlind(tree)
	s.pattern = re
	parts := []*syntax.Regexp{tree}
	if tree.Op == syntax.OpConcat {
		parts = tree.Sub
	}
	if first := parts[0]; first.Op == syntax.OpLiteral && first.Flags&syntax.FoldCase == 0 {
		s.within = string(first.Rune)
		switch {
		case len(parts) == 1:
			s.pattern = nil
		case len(parts) == 2 && parts[1].Op == syntax.OpEndText && parts[1].Flags&syntax.WasDollar == 0:
			s.suffix = s.within
		}
	}
	return s, blind, true
}
