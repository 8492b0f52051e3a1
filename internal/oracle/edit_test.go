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
	switch e.IntN(11) {
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
	}
}

func (e *editor) editScalar(t *tree) {
	switch {
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
	want := setting(t, "ORACLE_EDITS", 100_000)
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
