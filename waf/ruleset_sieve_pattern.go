package waf

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// A pattern with one of these escapes makes the engine use another matcher, for bytes that are no text.
var sieveByteEscape = regexp.MustCompile(`\\x(?:[89a-fA-F]|\{)`)

// sievePattern compiles the pattern of @rx as the engine does, and parses it. It is nil for a pattern with line anchors, whose meaning hangs
// on a build tag, and for one that matches bytes.
func sievePattern(text string) (*regexp.Regexp, *syntax.Regexp) {
	if !utf8.ValidString(text) || sieveByteEscape.MatchString(text) {
		return nil, nil
	}
	re, err := regexp.Compile("(?sm)" + text)
	if err != nil {
		return nil, nil
	}
	tree, err := syntax.Parse("(?sm)"+text, syntax.Perl)
	if err != nil || sieveHas(tree, syntax.OpBeginLine) || sieveHas(tree, syntax.OpEndLine) {
		return nil, nil
	}
	return re, tree.Simplify()
}

func sieveHas(tree *syntax.Regexp, op syntax.Op) bool {
	if tree.Op == op {
		return true
	}
	for _, sub := range tree.Sub {
		if sieveHas(sub, op) {
			return true
		}
	}
	return false
}

// sieveDigitBlind reports whether a pattern treats all decimal digits alike, so that a text matches if and only if it matches with any of
// its digits replaced by others: every literal is none, every class has all or none.
func sieveDigitBlind(tree *syntax.Regexp) bool {
	switch tree.Op {
	case syntax.OpLiteral:
		return !strings.ContainsAny(string(tree.Rune), "0123456789")
	case syntax.OpCharClass:
		n := 0
		for i := 0; i < len(tree.Rune); i += 2 {
			if from, to := max(tree.Rune[i], '0'), min(tree.Rune[i+1], '9'); from <= to {
				n += int(to-from) + 1
			}
		}
		return n == 0 || n == 10
	}
	for _, sub := range tree.Sub {
		if !sieveDigitBlind(sub) {
			return false
		}
	}
	return true
}

// sieveSelectorOf compiles the selector of a variable: a name, or a pattern between slashes. It is false for one that the sieve leaves alone.
func sieveSelectorOf(key string, lower bool) (s sieveSelector, blind, ok bool) {
	s.source = key
	text, isPattern := strings.CutPrefix(key, "/")
	if !isPattern {
		s.text = strings.ToLower(key)
		return s, !strings.ContainsAny(key, "0123456789"), true
	}
	text = strings.TrimSuffix(text, "/")
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
