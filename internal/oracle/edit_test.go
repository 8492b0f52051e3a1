package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sallyport/sallyport/mcpmsg"
)

// editor changes messages in the ways in which readers differ: spelling, order, repetition, case, white space.
type editor struct{ *rand.Rand }

func (e *editor) chance(percent int) bool { return e.IntN(100) < percent }

func (e *editor) among(list ...string) string { return list[e.IntN(len(list))] }

// edit makes one to three changes, and writes the message with or without white space.
func (e *editor) edit(t *tree) []byte {
	for range 1 + e.IntN(3) {
		var objects, scalars []*tree
		t.walk(func(v *tree) {
			switch {
			case v.kind == '{' && len(v.members) > 0:
				objects = append(objects, v)
			case v.kind == 0:
				scalars = append(scalars, v)
			}
		})
		if len(scalars) > 0 && (len(objects) == 0 || e.chance(30)) {
			e.editScalar(scalars[e.IntN(len(scalars))])
		} else if len(objects) > 0 {
			// The outer objects hold what all readers look for.
			i := e.IntN(len(objects))
			if e.chance(60) {
				i = min(e.IntN(2), len(objects)-1)
			}
			e.editObject(objects[i])
		}
	}
	var b bytes.Buffer
	spaces := e.chance(30)
	t.write(&b, func(b *bytes.Buffer) {
		switch {
		case spaces && e.chance(20):
			b.WriteString(e.among(" ", "\n", "\t", "\r", "  "))
		case spaces && e.IntN(2000) == 0:
			b.WriteString(e.among("\f", "\v", "\u00a0", "\ufeff", "/**/", "//\n", "\x00", ",", "\u2028"))
		}
	})
	text := b.Bytes()
	switch {
	case e.chance(2):
		text = append(text, e.among(" ", "\n", "\x00", "{}", "null", ",", "//", "]", "}", "\f", string(text))...)
	case e.chance(1):
		text = append([]byte(e.among("\ufeff", " ", "\x00", "\n")), text...)
	case e.chance(2):
		i := e.IntN(len(text))
		text[i] ^= 1 << e.IntN(8)
	case e.chance(1):
		text = text[:e.IntN(len(text))]
	}
	return text
}

// strange are names that mean something to some reader, or nothing to all.
var strange = []string{
	"__proto__", "constructor", "prototype", "toString", "", " ", ".", "#", "*", "@this", "params.name", "\x00", "a", "A", "-", "_",
	"jsonrpc", "id", "method", "params", "result", "error", "name", "arguments", "uri", "taskId", "_meta",
	"METHOD", "Name", "meta", "task_id", "_method", "me-thod", "method\x00x",
}

func (e *editor) editObject(t *tree) {
	i := e.IntN(len(t.members))
	m := &t.members[i]
	insert := func(name string, value *tree) {
		t.members = slices.Insert(t.members, e.IntN(len(t.members)+1), member{name, value})
	}
	value := m.value.clone
	if e.chance(50) {
		value = func() *tree { return mustParse(edges[e.IntN(len(edges))]) }
	}
	switch e.IntN(12) {
	case 0: // repeated, in the same or another spelling
		insert(m.name, value())
	case 1:
		insert(e.respell(m.name), value())
	case 2, 3:
		m.name = e.respell(m.name)
	case 4: // a twin beside it
		insert(e.twin(m.name), value())
	case 5: // a twin instead
		m.name = e.twin(m.name)
	case 6:
		e.Shuffle(len(t.members), func(i, j int) { t.members[i], t.members[j] = t.members[j], t.members[i] })
	case 7:
		m.value = value()
	case 8: // a strange member
		insert(quoted(strange[e.IntN(len(strange))]), value())
	case 9: // the whole object inside itself
		inner := t.clone()
		if len(inner.bytes()) < 2000 {
			insert(quoted(strange[e.IntN(len(strange))]), inner)
		}
	case 10:
		t.members = slices.Delete(t.members, i, i+1)
	case 11:
		e.crowd(t)
	}
}

// crowd adds so many members that they are no longer compared one by one, and repeats one of them at times. Their names
// are alike at both ends, or short.
func (e *editor) crowd(t *tree) {
	pattern := e.among("n%d", "aaaaaaaa%dbbbbbbbb", "%daaaaaaaabbbbbbbbcccccccc", "aaaaaaaaaaaaaaaaaaaaaaa%d", "é%d", "A%da")
	name := func() string { return quoted(fmt.Sprintf(pattern, e.IntN(1000))) }
	used := map[string]bool{}
	for range 10 + e.IntN(60) {
		if n := name(); !used[n] {
			used[n] = true
			if e.chance(10) {
				n = e.respell(n)
			}
			t.members = slices.Insert(t.members, e.IntN(len(t.members)+1), member{n, scalar("0")})
		}
	}
	if e.chance(50) {
		n := t.members[e.IntN(len(t.members))].name
		if e.chance(50) {
			n = e.respell(n)
		}
		t.members = slices.Insert(t.members, e.IntN(len(t.members)+1), member{n, scalar("1")})
	}
}

func (e *editor) editScalar(t *tree) {
	switch {
	case e.chance(10): // a long string with something in the middle
		n := e.IntN(70)
		t.text = `"` + strings.Repeat("x", e.IntN(n+1)) + e.among(`\n`, `\"`, `\\`, `\u00e9`, `\ud83d\ude00`, "é", "日本", "😀", "\x1f", "\x7f", "\xc3", "\xe2\x82",
			"\xf0\x9f\x98", "\xed\xa0\x80", `\u12`, `\x`, `"`, `\ud83d`, "\u0085", "\xf8") + strings.Repeat("x", n) + `"`
	case t.text[0] == '"' && e.chance(80):
		if t.text = e.respell(t.text); e.chance(20) {
			t.text = e.twin(t.text)
		}
	case e.chance(50):
		t.text = e.among("0", "-0", "1.0", "1e2", "1E400", "-1.5e-3", "9007199254740993", "123456789012345678901234567890",
			"01", "1.", ".5", "+1", "NaN", "0x1", "tru", "nul")
	default:
		t.text = edges[e.IntN(len(edges))]
		*t = *mustParse(t.text)
	}
}

// respell writes the same string in another way.
func (e *editor) respell(text string) string {
	s, ok := unquote(text)
	if !ok {
		return text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case e.chance(30):
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, e.among(`\u%04x`, `\u%04X`), unit)
			}
		case r == '/' && e.chance(50):
			b.WriteString(`\/`)
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// twin writes a string that some readers take for the same.
func (e *editor) twin(text string) string {
	s, ok := unquote(text)
	if !ok {
		return text
	}
	runes := []rune(s)
	at := 0
	if len(runes) > 0 {
		at = e.IntN(len(runes))
	}
	put := func(r ...rune) { runes = slices.Insert(runes, at, r...) }
	swap := func(from, to string) { runes = []rune(strings.Replace(string(runes), from, to, 1)) }
	switch e.IntN(14) {
	case 0:
		runes = []rune(strings.ToUpper(s))
	case 1:
		runes = []rune(strings.ToLower(s))
	case 2:
		if len(runes) > 0 {
			runes[0] = unicode.ToUpper(runes[0])
		}
	case 3:
		if len(runes) > 0 && unicode.IsLetter(runes[at]) {
			runes[at] ^= 0x20
		}
	case 4:
		swap("s", "\u017f")
	case 5:
		swap("k", "\u212a")
	case 6:
		swap("i", e.among("\u0131", "\u0130", "I"))
	case 7:
		if len(runes) > 0 && runes[at] > 0x20 && runes[at] < 0x7f {
			runes[at] += 0xfee0
		}
	case 8:
		runes = append(runes, 0)
	case 9:
		put([]rune{0x200b, 0x200d, 0xfeff, 0xad, 0x2060, 0x7f, 0x85, 1, 0x202e, 0xe0061, 0x3164, 0xfe0f}[e.IntN(12)])
	case 10:
		put([]rune{'_', '-', ' ', '.'}[e.IntN(4)])
	case 11:
		put(0x301)
	case 12:
		runes = append(runes, []rune(e.among(" ", "\x00x", "\n", "s", "😀"))...)
	case 13: // not a string of Unicode at all
		return e.among(`"\ud800`, `"\udc00`, "\"\xc1\xa1", "\"\xed\xa0\x80", "\"\xff") + quoted(s)[1:]
	}
	return e.respell(quoted(string(runes)))
}

func unquote(text string) (string, bool) {
	var s string
	err := json.Unmarshal([]byte(text), &s)
	return s, err == nil && utf8.ValidString(text)
}

// TestEditedMessages edits messages that are accepted, and compares what all readers see in those that still are.
func TestEditedMessages(t *testing.T) {
	want := setting(t, "ORACLE_EDITS", 60_000)
	seed := uint64(setting(t, "ORACLE_SEED", 1))
	p := newProver(t)
	bases := acceptedTrees(t, p.v)
	e := &editor{rand.New(rand.NewPCG(seed, 2))}
	for p.checked < want && !t.Failed() {
		base := bases[e.IntN(len(bases))]
		ctx := base.ctx
		if e.chance(20) {
			ctx.Version = mcpmsg.Version(e.IntN(6))
		}
		p.prove(t, e.edit(base.tree.clone()), ctx)
	}
	p.log(t)
	if p.told[mcpmsg.CodeOK] < p.checked/10 || p.told[mcpmsg.CodeMemberTwin] == 0 || p.told[mcpmsg.CodeDuplicateMember] == 0 {
		t.Errorf("the edits do not reach what they are for: %v", p.told)
	}
}

// TestSpellings writes accepted messages anew: other escapes, another order, other white space. mcpmsg must go on to accept
// them and say the same about them.
func TestSpellings(t *testing.T) {
	v := newValidator(t, mcpmsg.Prose)
	e := &editor{rand.New(rand.NewPCG(uint64(setting(t, "ORACLE_SEED", 1)), 3))}
	tooLong := []mcpmsg.Code{mcpmsg.CodeNameTooLong, mcpmsg.CodeMethodTooLong, mcpmsg.CodeIDTooLong, mcpmsg.CodeStringTooLong}
	accepted := 0
	for _, base := range acceptedTrees(t, v) {
		if base.tree.kind != '{' {
			continue
		}
		m, _ := v.Check(base.tree.bytes(), base.ctx)
		want, err := ownSight(newMemory(), &m, asText)
		if err != nil {
			t.Fatal(err)
		}
		for range setting(t, "ORACLE_SPELLINGS", 10) {
			text := e.rewrite(base.tree.clone())
			m, bad := v.Check(text, base.ctx)
			switch got, err := ownSight(newMemory(), &m, asText); {
			case slices.Contains(tooLong, bad.Code):
			case !bad.OK():
				t.Errorf("%v at %q of a message that was accepted in another spelling\n%.900q", bad.Code, bad.Pointer(text), text)
			case err == nil && got == want:
				accepted++
			default:
				t.Errorf("the message means something else in another spelling: %s (%v)\n%.900q", got.difference(&want), err, text)
			}
		}
	}
	if t.Logf("%d messages in other spellings", accepted); accepted < 200 {
		t.Error("too few: the samples are not read")
	}
}

// rewrite writes the same message in another way.
func (e *editor) rewrite(t *tree) []byte {
	t.walk(func(v *tree) {
		e.Shuffle(len(v.members), func(i, j int) { v.members[i], v.members[j] = v.members[j], v.members[i] })
		for i := range v.members {
			if e.chance(30) {
				v.members[i].name = e.respell(v.members[i].name)
			}
		}
		if v.kind == 0 && v.text[0] == '"' && e.chance(30) {
			v.text = e.respell(v.text)
		}
	})
	var b bytes.Buffer
	t.write(&b, func(b *bytes.Buffer) {
		if e.chance(20) {
			b.WriteString(e.among(" ", "\n", "\t", "\r", "        ", "\r\n"))
		}
	})
	return b.Bytes()
}

type base struct {
	tree *tree
	ctx  mcpmsg.Context
}

// acceptedTrees are the samples that are accepted, of moderate size, and one generated message of every sort.
func acceptedTrees(t *testing.T, v *mcpmsg.Validator) []base {
	t.Helper()
	var all []base
	seen := map[string]bool{}
	add := func(text []byte, ctx mcpmsg.Context) {
		m, bad := v.Check(text, ctx)
		if !bad.OK() || len(text) > 3000 || seen[string(text)] {
			return
		}
		seen[string(text)] = true
		tree, err := parse(text)
		if err != nil {
			t.Fatalf("an accepted message can't be read: %v\n%.600q", err, text)
		}
		ctx.Version = m.Version
		all = append(all, base{tree, ctx})
	}
	for _, s := range samples(t) {
		add(s.text, s.ctx)
	}
	if !hasReference(t) {
		return all
	}
	for version, engine := range newEngines(t) {
		g := newGenerator(engine, 1, uint64(version))
		for _, from := range []mcpmsg.Direction{mcpmsg.FromClient, mcpmsg.FromServer} {
			for _, sort := range engine.sorts(from) {
				message, _ := g.message(from, sort)
				add(message.bytes(), mcpmsg.Context{Version: version, Direction: from})
			}
		}
	}
	return all
}
