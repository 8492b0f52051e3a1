package waf

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A sieveGate is a cheap look at a value before its pattern is tried: a value without any of these does not match.
type sieveGate struct {
	on    bool
	head  sieveBytes // a match begins where the value does, with one of these
	any   sieveBytes // or has one of these
	pairs [64]uint64 // or two of these in a row, in lower case; may say yes of others
}

type sieveBytes [256]bool

// sieveGatePasses reports whether the value could match.
func sieveGatePasses[T ~string | ~[]byte](g *sieveGate, value T) bool {
	if len(value) == 0 {
		return false
	}
	last := value[0]
	if g.head[last] || g.any[last] {
		return true
	}
	last = sieveLower(last)
	for i := 1; i < len(value); i++ {
		c := value[i]
		if g.any[c] {
			return true
		}
		c = sieveLower(c)
		if at := sievePair(last, c); g.pairs[at>>6]&(1<<(at&63)) != 0 {
			return true
		}
		last = c
	}
	return false
}

func sieveLower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// sievePair is the place of a pair of bytes among 4096.
func sievePair(a, b byte) int { return (int(a)*61 + int(b)) & 4095 }

// sieveGateOf makes the gate of a pattern for values before these transformations. They only take bytes away, but for the decoding of
// percent signs and plus signs, and except that bytes which are no text may become the replacement character.
func sieveGateOf(tree *syntax.Regexp, transforms []string) (g sieveGate) {
	for tree.Op == syntax.OpCapture {
		tree = tree.Sub[0]
	}
	alternatives := []*syntax.Regexp{tree}
	if tree.Op == syntax.OpAlternate {
		alternatives = tree.Sub
	}
	for _, a := range alternatives {
		need, ok := sieveNeedOf(a)
		if !ok {
			return sieveGate{} // it may match the empty text, or anything
		}
		var first sieveBytes
		if sieveAtHead(a) && !first.starts(a) && (&sieveNeed{any: first}).cost() < 4*need.cost() {
			g.head.join(&first)
			continue
		}
		g.any.join(&need.any)
		for _, p := range need.pairs {
			at := sievePair(p[0], p[1])
			g.pairs[at>>6] |= 1 << (at & 63)
		}
	}
	g.on = true
	for _, t := range transforms {
		switch t {
		case "urldecodeuni":
			g.any['%'], g.any['+'] = true, true
		case "removenulls", "removewhitespace", "trim": // what is taken away brings others to the head, or together
			for _, c := range "\x00\t\n\v\f\r " {
				if g.head[c] = true; c == 0 || t == "removewhitespace" {
					g.any[c] = true
				}
			}
			g.any.text()
		default:
			return sieveGate{}
		}
	}
	return g
}

// A sieveNeed is something that a text must have to match: one of these bytes, or one of these pairs of bytes in lower case.
type sieveNeed struct {
	any   sieveBytes
	pairs [][2]byte
}

// sieveNeedOf returns the need of a pattern that is the least common in texts. ok is false if it needs nothing.
func sieveNeedOf(tree *syntax.Regexp) (best sieveNeed, ok bool) {
	consider := func(n sieveNeed, has bool) {
		if has && (!ok || n.cost() < best.cost()) {
			best, ok = n, true
		}
	}
	switch tree.Op {
	case syntax.OpLiteral:
		var n sieveNeed
		consider(sieveLiteralNeed(tree), true)
		n.any.runes(tree, 0)
		consider(n, true)
	case syntax.OpCharClass:
		var n sieveNeed
		consider(n, !n.any.starts(tree))
	case syntax.OpCapture, syntax.OpPlus:
		return sieveNeedOf(tree.Sub[0])
	case syntax.OpConcat:
		for _, sub := range tree.Sub {
			consider(sieveNeedOf(sub))
		}
	case syntax.OpAlternate:
		ok = true
		for _, sub := range tree.Sub {
			n, has := sieveNeedOf(sub)
			if !has {
				return sieveNeed{}, false
			}
			best.any.join(&n.any)
			best.pairs = append(best.pairs, n.pairs...)
		}
	}
	return best, ok
}

// sieveLiteralNeed is the least common pair of a literal. Where a letter has relatives outside ASCII, these will do too.
func sieveLiteralNeed(tree *syntax.Regexp) (n sieveNeed) {
	runes := tree.Rune
	if len(runes) < 2 || slices.ContainsFunc(runes, func(c rune) bool { return c >= utf8.RuneSelf }) {
		n.any.runes(tree, 0)
		return n
	}
	var at int
	cost := 1e9
	for i := range len(runes) - 1 {
		a, b := sieveLower(byte(runes[i])), sieveLower(byte(runes[i+1]))
		if c := sieveCommon[a] * sieveCommon[b]; c < cost {
			at, cost, n.pairs = i, c, [][2]byte{{a, b}}
		}
	}
	for _, i := range []int{at, at + 1} {
		var one sieveBytes
		one.runes(tree, i)
		for c := utf8.RuneSelf; c < len(one); c++ {
			n.any[c] = n.any[c] || one[c]
		}
	}
	return n
}

// cost is how often a text has it, roughly.
func (n *sieveNeed) cost() (sum float64) {
	for c, has := range n.any {
		if has {
			sum += sieveCommon[c]
		}
	}
	for _, p := range n.pairs {
		sum += sieveCommon[p[0]] * sieveCommon[p[1]] / 4
	}
	return sum
}

// sieveCommon is how common bytes are in the arguments of tools.
var sieveCommon = func() (common [256]float64) {
	for c := range common {
		switch {
		case c >= utf8.RuneSelf:
			common[c] = 0.001
		case 'a' <= c && c <= 'z':
			common[c] = float64(26-strings.IndexByte("etaoinshrdlcumwfgypbvkjxqz", byte(c))) / 20
		case '0' <= c && c <= '9', c == ' ':
			common[c] = 0.6
		case 'A' <= c && c <= 'Z', c == '.', c == '/', c == '-', c == '_':
			common[c] = 0.3
		default:
			common[c] = 0.05
		}
	}
	return common
}()

func (b *sieveBytes) join(o *sieveBytes) {
	for c := range b {
		b[c] = b[c] || o[c]
	}
}

// text adds every byte that is not ASCII.
func (b *sieveBytes) text() {
	for c := utf8.RuneSelf; c < len(b); c++ {
		b[c] = true
	}
}

// runes adds the first bytes of a character of a literal, and of its relatives if the pattern folds case.
func (b *sieveBytes) runes(literal *syntax.Regexp, i int) {
	c := literal.Rune[i]
	b.span(c, c)
	if literal.Flags&syntax.FoldCase != 0 {
		for other := unicode.SimpleFold(c); other != c; other = unicode.SimpleFold(other) {
			b.span(other, other)
		}
	}
}

func (b *sieveBytes) span(from, to rune) {
	for c := from; c <= to && c < utf8.RuneSelf; c++ {
		b[c] = true
	}
	if to >= utf8.RuneSelf {
		b.text()
	}
}

// starts adds the bytes that a match of the pattern can start with, and reports whether it may match the empty text.
func (b *sieveBytes) starts(tree *syntax.Regexp) (empty bool) {
	switch tree.Op {
	case syntax.OpLiteral:
		b.runes(tree, 0)
		return false
	case syntax.OpCharClass:
		for i := 0; i < len(tree.Rune); i += 2 {
			b.span(tree.Rune[i], tree.Rune[i+1])
		}
		return false
	case syntax.OpCapture, syntax.OpPlus:
		return b.starts(tree.Sub[0])
	case syntax.OpStar, syntax.OpQuest:
		b.starts(tree.Sub[0])
		return true
	case syntax.OpConcat:
		for _, sub := range tree.Sub {
			if !b.starts(sub) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, sub := range tree.Sub {
			empty = b.starts(sub) || empty
		}
		return empty
	case syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpEmptyMatch:
		return true
	default: // any character; repetitions are gone after Simplify
		b.span(0, utf8.MaxRune)
		return true
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
