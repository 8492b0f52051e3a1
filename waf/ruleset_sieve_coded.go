package waf

import (
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// A coded text is one of Base64 and nothing else, in either alphabet, such as a file that is uploaded as an argument. Most rules look for
// something that it can't have: a dot, a colon, a space. Those it needs not be shown, however long it is.

// sieveCodedBytes is where it is worth looking whether a leaf is coded.
const sieveCodedBytes = 256

// Of a coded leaf only a share counts for corazaMaxShortBytes, so that 4 MiB are at the bound, if no more than sieveCodedLinks may look at
// it. The embedded rules have 2 to 7 for names, keys, ids and files, and 9 for URLs, which hold no files. At worst a byte of a coded leaf
// costs 0.4 µs then, where one of others costs 1 µs.
const (
	sieveCodedShare = 64
	sieveCodedLinks = 8
)

var sieveCodedAlphabet = func() (coded sieveBytes) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=") {
		coded[c] = true
	}
	return coded
}()

// sieveIsCoded reports whether a string of a message is a coded text.
func sieveIsCoded(raw []byte) bool {
	if len(raw) < sieveCodedBytes || raw[0] != '"' {
		return false
	}
	for _, c := range raw[1 : len(raw)-1] {
		if !sieveCodedAlphabet[c] {
			return false
		}
	}
	return true
}

// sieveForeign reports whether every match of a pattern has a character that no coded text has after these transformations. Of those that
// are known here, all but one only take something away or change the case; urlDecodeUni makes a space of a plus sign.
func sieveForeign(tree *syntax.Regexp, transforms []string) bool {
	coded := sieveCodedAlphabet
	for _, t := range transforms {
		switch t {
		case "urldecodeuni":
			coded[' '] = true
		case "removenulls", "removewhitespace", "trim", "lowercase", "normalizepathwin", "normalisepathwin":
		default:
			return false
		}
	}
	return coded.foreign(tree)
}

// foreign reports whether every match of a pattern has a character that is not in the set.
func (b *sieveBytes) foreign(tree *syntax.Regexp) bool {
	switch tree.Op {
	case syntax.OpLiteral:
		for _, c := range tree.Rune {
			if b.foreignRune(c, tree.Flags&syntax.FoldCase != 0) {
				return true
			}
		}
	case syntax.OpCharClass: // with the relatives of its letters, if the pattern folds case
		for c := range rune(utf8.RuneSelf) {
			if b[c] && sieveClassHas(tree, c) {
				return false
			}
		}
		return true
	case syntax.OpCapture, syntax.OpPlus:
		return b.foreign(tree.Sub[0])
	case syntax.OpConcat:
		for _, sub := range tree.Sub {
			if b.foreign(sub) {
				return true
			}
		}
	case syntax.OpAlternate:
		for _, sub := range tree.Sub {
			if !b.foreign(sub) {
				return false
			}
		}
		return true
	}
	return false
}

func (b *sieveBytes) foreignRune(c rune, fold bool) bool {
	if c < utf8.RuneSelf && b[c] {
		return false
	}
	if fold {
		for other := unicode.SimpleFold(c); other != c; other = unicode.SimpleFold(other) {
			if other < utf8.RuneSelf && b[other] {
				return false
			}
		}
	}
	return true
}

func sieveClassHas(class *syntax.Regexp, c rune) bool {
	for i := 0; i < len(class.Rune); i += 2 {
		if class.Rune[i] <= c && c <= class.Rune[i+1] {
			return true
		}
	}
	return false
}
