package validate

import (
	"math/bits"
	"strings"

	"github.com/sallyport/sallyport/internal/scan"
)

// query checks s[from:].
func (t *Target) query(s string, from int, refuse *codeSet) Violation {
	n := len(s) - from
	if n > t.maxQuery {
		v := tooLong(CodeURIQueryTooLong, "", t.maxQuery, n)
		v.Offset += from
		return v
	}
	if n >= t.maxPairs || n > t.maxPairName || n > t.maxPairValue || len(t.unique) > 0 {
		if v := t.pairs(s, from); !v.OK() {
			return v
		}
	}
	var utf utf8Walk
	var twice twiceDecoded
	part := pairPart{next: from}
	for i := from; i < len(s); {
		if len(s)-i >= 8 && utf.Done() {
			k := bits.TrailingZeros64(oddInQuery(scan.Load64(s[i:]))) >> 3 // 8 if the word is plain
			if i += k; k == 8 {
				continue
			}
		}
		c, at := s[i], i
		i++
		class := queryClasses[c]
		if !utf.Done() && class != uriHigh && class != uriPercent && utf.broken() && refuse.has(CodeURIUTF8Invalid) {
			return Violation{Code: CodeURIUTF8Invalid, Offset: at}
		}
		var found Code
		switch class {
		case uriPercent:
			d, ok := escaped(s, at)
			if !ok {
				found = CodeURIPercentInvalid
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
			if found = utf.next(c, refuse); found == CodeOK {
				found = CodeURINonASCII
			}
		case uriBad:
			found = CodeURIByteInvalid
		}
		if found != CodeOK && refuse.has(found) {
			return Violation{Code: found, Offset: at}
		}
	}
	if !utf.Done() && refuse.has(CodeURIUTF8Invalid) {
		return Violation{Code: CodeURIUTF8Invalid, Offset: len(s)}
	}
	return Violation{}
}

// oddInQuery flags the lanes that a walk must look at. The lowest flagged lane is a true one.
func oddInQuery(x uint64) uint64 { return oddInURI(x) | equals(x, ';') }

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
func (t *Target) pairs(s string, from int) Violation {
	var seen uint64
	n := 0
	for at := from; at < len(s); {
		if n++; n > t.maxPairs {
			v := tooMany(CodeURIPairTooMany, "", t.maxPairs, n)
			v.Offset = at
			return v
		}
		pair := s[at:]
		if end := strings.IndexByte(pair, '&'); end >= 0 {
			pair = pair[:end]
		}
		name, value := len(pair), 0
		if eq := strings.IndexByte(pair, '='); eq >= 0 {
			name, value = eq, len(pair)-eq-1
		}
		if name > t.maxPairName {
			v := tooLong(CodeURIPairNameTooLong, "", t.maxPairName, name)
			v.Offset += at
			return v
		}
		if value > t.maxPairValue {
			v := tooLong(CodeURIPairValueTooLong, "", t.maxPairValue, value)
			v.Offset += at + name + 1
			return v
		}
		for i, unique := range t.unique {
			if !equalsDecoded(pair[:name], unique) {
				continue
			}
			if seen&(1<<i) != 0 {
				return Violation{Code: CodeURIPairRepeated, Offset: at}
			}
			seen |= 1 << i
		}
		at += len(pair) + 1
	}
	return Violation{}
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
