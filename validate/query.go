package validate

import (
	"math/bits"
	"strings"

	"github.com/sallyport/sallyport/internal/scan"
)

// query checks s[from:]. It passes over eight plain bytes at a time.
func (t *Target) query(s string, from int, refuse *codeSet) problem {
	n := len(s) - from
	if n > t.maxQuery {
		return problem{CodeURIQueryTooLong, from + t.maxQuery}
	}
	if n >= t.maxPairs || n > t.maxPairName || n > t.maxPairValue || len(t.unique) > 0 {
		if p := t.pairs(s, from); p.code != CodeOK {
			return p
		}
	}
	var utf utf8Walk
	var twice twiceDecoded
	part := pairPart{next: from}
	for i := from; i < len(s); {
		if n >= 8 && utf.Done() && s[i] != '%' {
			if i = skipQuery(s, i, from); i == len(s) {
				break
			}
		}
		c, at := s[i], i
		i++
		class := queryClasses[c]
		if !utf.Done() && class != uriHigh && class != uriPercent && utf.broken() && refuse.has(CodeURIUTF8Invalid) {
			return problem{CodeURIUTF8Invalid, at}
		}
		var found Code
		switch class {
		case uriPlain:
			continue
		case uriPercent:
			d, ok := escaped(s, at)
			if !ok {
				found = CodeURIPercentInvalid
				if !utf.Done() && utf.broken() && refuse.has(CodeURIUTF8Invalid) {
					found = CodeURIUTF8Invalid
				}
				break
			}
			i += 2
			switch {
			case d >= 0x80:
				found = utf.next(d, refuse)
			case !utf.Done() && utf.broken() && refuse.has(CodeURIUTF8Invalid):
				found = CodeURIUTF8Invalid
			case d == '%':
				found = twice.judge(s, at, !t.doubleInQuery)
			case d == 0:
				found = CodeURINULEncoded
			case d < ' ' || d == 0x7f:
				if t.controls || (d == '\r' || d == '\n') && part.isName(s, at) {
					found = CodeURIControlEncoded
				}
			case scan.Is(d, scan.Unreserved):
				found = CodeURIUnreservedEncoded
			}
		case uriSemicolon:
			found = CodeURISemicolon
		case uriHash:
			found = CodeURIFragment
		case uriDelimiter:
			found = CodeURIDelimiterRaw
		case uriHigh:
			found = utf.raw(c, refuse)
		default:
			found = CodeURIByteInvalid
		}
		if found != CodeOK && refuse.has(found) {
			return problem{found, at}
		}
	}
	if !utf.Done() && refuse.has(CodeURIUTF8Invalid) {
		return problem{CodeURIUTF8Invalid, len(s)}
	}
	return problem{}
}

// skipQuery returns the index of the first byte of s at or after i that a walk must look at, or an earlier one. The query
// starts at s[from].
func skipQuery(s string, i, from int) int {
	for len(s)-i >= 8 {
		x := scan.Load64(s[i : i+8])
		if m := odd(x); m != 0 {
			if m &^= equals(x, '=') | equals(x, '_'); m != 0 {
				return i + bits.TrailingZeros64(m)>>3
			}
		}
		i += 8
	}
	if len(s)-from >= 8 {
		x := scan.Load64(s[len(s)-8:])
		if odd(x)&^(equals(x, '=')|equals(x, '_')) == 0 {
			return len(s)
		}
	}
	return i
}

// pairPart finds out whether a byte lies in the name or the value of a pair, reading the query once in all.
type pairPart struct {
	next  int // first byte not read
	value bool
}

// isName reports whether s[i] lies in a name. Later calls need a larger i.
func (p *pairPart) isName(s string, i int) bool {
	for ; p.next < i; p.next++ {
		switch s[p.next] {
		case '&':
			p.value = false
		case '=':
			p.value = true
		}
	}
	return !p.value
}

// pairs checks number, sizes and repetition of the pairs of s[from:].
func (t *Target) pairs(s string, from int) problem {
	var seen uint64
	n := 0
	for at := from; at < len(s); {
		if n++; n > t.maxPairs {
			return problem{CodeURIPairTooMany, at}
		}
		pair := s[at:]
		if end := strings.IndexByte(pair, '&'); end >= 0 {
			pair = pair[:end]
		}
		name, value := len(pair), 0
		if eq := strings.IndexByte(pair, '='); eq >= 0 {
			name, value = eq, len(pair)-eq-1
		}
		switch {
		case name > t.maxPairName:
			return problem{CodeURIPairNameTooLong, at + t.maxPairName}
		case value > t.maxPairValue:
			return problem{CodeURIPairValueTooLong, at + name + 1 + t.maxPairValue}
		}
		for i, unique := range t.unique {
			if !equalsDecoded(pair[:name], unique) {
				continue
			}
			if seen&(1<<i) != 0 {
				return problem{CodeURIPairRepeated, at}
			}
			seen |= 1 << i
		}
		at += len(pair) + 1
	}
	return problem{}
}

// explain makes the violation of a problem in target. The walks return the shorter form because most targets have none.
func (t *Target) explain(target string, p problem) Violation {
	v := p.in("")
	switch p.code {
	case CodeURITooLong:
		v.Limit, v.Got = t.maxBytes, len(target)
	case CodeURISegmentTooMany:
		v.Limit, v.Got = t.maxSegments, t.maxSegments+1
	case CodeURISegmentTooLong:
		v.Limit, v.Got = t.maxSegment, t.maxSegment+runLength(target[v.Offset:], "/?")
	case CodeURIQueryTooLong:
		v.Limit, v.Got = t.maxQuery, t.maxQuery+len(target)-v.Offset
	case CodeURIPairTooMany:
		v.Limit, v.Got = t.maxPairs, t.maxPairs+1
	case CodeURIPairNameTooLong:
		v.Limit, v.Got = t.maxPairName, t.maxPairName+runLength(target[v.Offset:], "=&")
	case CodeURIPairValueTooLong:
		v.Limit, v.Got = t.maxPairValue, t.maxPairValue+runLength(target[v.Offset:], "&")
	}
	return v
}

// runLength returns the number of bytes before the first of stops.
func runLength(s, stops string) int {
	if i := strings.IndexAny(s, stops); i >= 0 {
		return i
	}
	return len(s)
}

// equalsDecoded reports whether an encoded query name decodes to want, but for the case of ASCII letters.
func equalsDecoded(name, want string) bool {
	i := 0
	for k := range len(want) {
		c, next, ok := decoded(name, i)
		if !ok {
			return false
		}
		if c == '+' && name[i] == '+' {
			c = ' '
		}
		if scan.Lower(c) != scan.Lower(want[k]) {
			return false
		}
		i = next
	}
	return i == len(name)
}
