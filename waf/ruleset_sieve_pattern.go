package waf

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// A pattern with one of these escapes makes the engine use another matcher, for bytes that are no text.
var sieveByteEscape = regexp.MustCompile(`\\x(?:[89a-fA-F]|\{)`)

// sievePattern compiles the pattern of @rx as the engine does, and parses it. re is nil for a pattern with line anchors, whose meaning
// hangs on a build tag, and for one that matches bytes; the tree of the latter has a character for each byte. tree is nil for a pattern
// about which nothing is known.
func sievePattern(text string) (re *regexp.Regexp, tree *syntax.Regexp) {
	tree, err := syntax.Parse("(?sm)"+text, syntax.Perl)
	if err != nil || !utf8.ValidString(text) || sieveHas(tree, syntax.OpBeginLine) || sieveHas(tree, syntax.OpEndLine) {
		return nil, nil
	}
	if tree = tree.Simplify(); sieveByteEscape.MatchString(text) {
		return nil, tree
	}
	if re, err = regexp.Compile("(?sm)" + text); err != nil {
		return nil, nil
	}
	return re, tree
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
