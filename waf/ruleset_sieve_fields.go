package waf

import (
	"bytes"
	"hash/maphash"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/waf/corazamcp"
)

// A sieveSource is the part of a request that a field comes from. The values are bits.
type sieveSource uint8

const (
	sieveHeader sieveSource = 1 << iota
	sieveCookie
	sieveQueryArg
	sieveBody
	sievePath // the path, a field whose name it is
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

// A sieveField is a header field, a cookie or an argument.
type sieveField struct {
	shape *sieveShape
	raw   mcpmsg.Raw // of a leaf of the message
	text  string     // the value, of a leaf once it was asked for
}

// value returns the value as the engine has it.
func (f *sieveField) value() string {
	if f.raw != nil {
		f.text, f.raw = corazamcp.LeafText(f.raw), nil
	}
	return f.text
}

// passesGate reports whether the value could match the pattern behind the gate.
func (f *sieveField) passesGate(g *sieveGate) bool {
	if f.raw == nil {
		return sieveGatePasses(g, f.text)
	}
	if f.raw[0] != '"' {
		return sieveGatePasses(g, f.value())
	}
	return sieveGatePasses(g, f.raw[1:len(f.raw)-1]) // a value with escapes passes
}

// sieveBits is a set of at most sieveMaxBits bits.
type sieveBits [4]uint64

const sieveMaxBits = 64 * len(sieveBits{})

func (b *sieveBits) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }
func (b *sieveBits) put(i int)      { b[i>>6] |= 1 << (i & 63) }

func (b *sieveBits) join(o *sieveBits) {
	for i := range b {
		b[i] |= o[i]
	}
}

// A sieveShape is what the rules say about a field by its source and name alone.
type sieveShape struct {
	key   string    // source and name
	bits  sieveBits // targets that the field is one of, and links whose operator matches its name
	doubt sieveBits // links for which that is not known
}

// sieveFields finds shapes. Names come back from request to request, and from item to item of an array, so they are kept; a slot holds
// one shape, and a name that takes it costs the other one its place and nobody memory.
type sieveFields struct {
	tests  []sieveFieldTest
	blind  bool // no test tells one digit from another
	seed   maphash.Seed
	shapes [sieveShapeSlots]atomic.Pointer[sieveShape]
}

const (
	sieveShapeSlots    = 2048
	sieveMaxShapeBytes = 256 // a longer name is not kept
)

// A sieveFieldTest decides about one bit.
type sieveFieldTest struct {
	targets []sieveTargets
	link    *sieveLink // set if the bit tells whether the names match its operator
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

// shape returns the shape of a field. key is its source and name; it is changed. likely is the shape that it will have, if that can be
// guessed.
func (f *sieveFields) shape(key []byte, likely *sieveShape) *sieveShape {
	if f.blind && sieveSource(key[0]) != sievePath && bytes.IndexByte(key, '%') < 0 { // behind a percent sign digits are no digits
		for i, c := range key {
			if '0' <= c && c <= '9' {
				key[i] = '0'
			}
		}
	}
	if likely != nil && likely.key == string(key) {
		return likely
	}
	slot := &f.shapes[maphash.Bytes(f.seed, key)%sieveShapeSlots]
	if s := slot.Load(); s != nil && s.key == string(key) {
		return s
	}
	s := f.judge(string(key))
	if len(key) <= sieveMaxShapeBytes {
		slot.Store(s)
	}
	return s
}

// judge runs the tests on a name.
func (f *sieveFields) judge(key string) *sieveShape {
	s := &sieveShape{key: key}
	from, name := sieveSource(key[0]), key[1:]
	lower := strings.ToLower(name)
	for bit := range f.tests {
		test := &f.tests[bit]
		for i := range test.targets {
			if !test.targets[i].have(from, lower) {
				continue
			}
			answer := sieveYes
			if test.link != nil {
				answer = (*sieveRun)(nil).holds(test.link, name)
			}
			switch answer {
			case sieveYes:
				s.bits.put(bit)
			case sieveUnsure:
				s.doubt.put(bit)
			}
			break // the name is the same for every variable that has it
		}
	}
	return s
}

// sieveSplitTarget splits a request target whose bytes mean themselves. ok is false for any other.
func sieveSplitTarget(target string) (path, query string, ok bool) {
	end := -1
	for i := 0; i < len(target); i++ {
		switch c := target[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '?' && end < 0:
			end = i
		case strings.IndexByte("/._~!$&'()*,;=:@-", c) < 0:
			return "", "", false
		}
	}
	if target == "" || target[0] != '/' || strings.HasPrefix(target, "//") {
		return "", "", false
	}
	if end < 0 {
		return target, "", true
	}
	return target[:end], target[end+1:], true
}

// sieveQuery reads a query that has no escapes.
func sieveQuery(query string, add func(from sieveSource, name, value string)) {
	for query != "" {
		var pair string
		if pair, query, _ = strings.Cut(query, "&"); pair != "" {
			name, value, _ := strings.Cut(pair, "=")
			add(sieveQueryArg, name, value)
		}
	}
}

// sieveCookies reads a Cookie field.
func sieveCookies(field string, add func(from sieveSource, name, value string)) {
	trim := func(s string) string {
		return strings.TrimFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f })
	}
	for field != "" {
		var part string
		part, field, _ = strings.Cut(field, ";")
		name, value, _ := strings.Cut(trim(part), "=")
		if name, value = trim(name), trim(value); name != "" || value != "" {
			add(sieveCookie, name, value)
		}
	}
}
