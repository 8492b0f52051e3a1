package waf

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
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

// A sieveGate is a cheap look at a value before its pattern is tried: a match starts with one of these bytes.
type sieveGate struct {
	on     bool
	atHead bool // a match starts at the first byte of the value
	bytes  [256]bool
}

// sieveGatePasses reports whether the value could match.
func sieveGatePasses[T ~string | ~[]byte](g *sieveGate, value T) bool {
	if g.atHead {
		return len(value) > 0 && g.bytes[value[0]]
	}
	for i := range len(value) {
		if g.bytes[value[i]] {
			return true
		}
	}
	return false
}

// sieveGateOf makes the gate of a pattern for values before these transformations. They only take bytes away, but for the decoding of
// percent signs and plus signs, and except that bytes which are no text may become the replacement character.
func sieveGateOf(tree *syntax.Regexp, transforms []string) (g sieveGate) {
	if g.first(tree) {
		return sieveGate{} // it matches the empty text
	}
	g.on, g.atHead = true, sieveAtHead(tree)
	for _, t := range transforms {
		switch t {
		case "urldecodeuni":
			g.bytes['%'], g.bytes['+'] = true, true
		case "removenulls", "removewhitespace", "trim":
			if g.atHead { // what is taken away at the head brings another byte there
				for _, c := range "\x00\t\n\v\f\r " {
					g.bytes[c] = true
				}
			}
			g.text()
		default:
			return sieveGate{}
		}
	}
	return g
}

// text adds every byte that is not ASCII.
func (g *sieveGate) text() {
	for c := utf8.RuneSelf; c < 256; c++ {
		g.bytes[c] = true
	}
}

// first adds the bytes that a match of the pattern can start with, and reports whether it matches the empty text.
func (g *sieveGate) first(tree *syntax.Regexp) (empty bool) {
	switch tree.Op {
	case syntax.OpLiteral:
		if len(tree.Rune) == 0 {
			return true
		}
		c := tree.Rune[0]
		g.runes(c, c)
		if tree.Flags&syntax.FoldCase != 0 {
			for other := unicode.SimpleFold(c); other != c; other = unicode.SimpleFold(other) {
				g.runes(other, other)
			}
		}
		return false
	case syntax.OpCharClass:
		for i := 0; i < len(tree.Rune); i += 2 {
			g.runes(tree.Rune[i], tree.Rune[i+1])
		}
		return false
	case syntax.OpCapture:
		return g.first(tree.Sub[0])
	case syntax.OpPlus:
		return g.first(tree.Sub[0])
	case syntax.OpStar, syntax.OpQuest:
		g.first(tree.Sub[0])
		return true
	case syntax.OpConcat:
		for _, sub := range tree.Sub {
			if !g.first(sub) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, sub := range tree.Sub {
			empty = g.first(sub) || empty
		}
		return empty
	case syntax.OpNoMatch:
		return false
	case syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpEmptyMatch:
		return true
	default: // any character; repetitions are gone after Simplify
		g.runes(0, utf8.MaxRune)
		return true
	}
}

func (g *sieveGate) runes(from, to rune) {
	for c := from; c <= to && c < utf8.RuneSelf; c++ {
		g.bytes[c] = true
	}
	if to >= utf8.RuneSelf {
		g.text()
	}
}

// sieveAtHead reports whether every match starts at the beginning of the text.
func sieveAtHead(tree *syntax.Regexp) bool {
	switch tree.Op {
	case syntax.OpBeginText:
		return true
	case syntax.OpCapture, syntax.OpConcat, syntax.OpPlus:
		return len(tree.Sub) > 0 && sieveAtHead(tree.Sub[0])
	case syntax.OpAlternate:
		for _, sub := range tree.Sub {
			if !sieveAtHead(sub) {
				return false
			}
		}
		return true
	}
	return false
}
