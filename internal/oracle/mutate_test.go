package oracle

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// edges are values that replace others, one of each kind and the spellings that readers differ about.
var edges = []string{
	"null", "true", "false", "0", "-0", "1", "-1", "1.0", "1.5", "1e2", "1E400", "-1e-400", "123456789012345678901234567890",
	`""`, `"x"`, `"1"`, `"2.0"`, `"object"`, `"\u0000"`, `"a\u200bb"`, `"line\nbreak"`, `"AAA"`, "{}", `{"type":"text"}`, "[]", "[null]", "[[]]",
}

// extras are members that are added where they are not expected.
var extras = [][2]string{
	{"x-extra", "1"}, {"a b", "1"}, {"", "{}"}, {"result", "{}"}, {"params", "{}"}, {"id", "1"}, {"inputResponses", "null"},
	{"text", `"x"`}, {"blob", "7"}, {"blob", `"AA=="`}, {"enum", `["a"]`}, {"oneOf", "1"}, {"roots", "[]"}, {"action", `"cancel"`}, {"role", `"user"`},
}

// mutation is one change of a message.
type mutation struct {
	name  string
	apply func()
}

// mutate makes one change somewhere in a message, and says which.
func (g *generator) mutate(root **tree) string {
	places := []**tree{root}
	for i := 0; i < len(places); i++ {
		v := *places[i]
		for j := range v.members {
			places = append(places, &v.members[j].value)
		}
		for j := range v.items {
			places = append(places, &v.items[j])
		}
	}
	all := g.mutations(places[g.IntN(len(places))])
	m := all[g.IntN(len(all))]
	m.apply()
	return m.name
}

// mutations lists the changes of one value, and of one of its members.
func (g *generator) mutations(at **tree) (all []mutation) {
	v := *at
	add := func(name string, apply func()) { all = append(all, mutation{name, apply}) }
	for _, text := range edges {
		add("replace by "+text, func() { *at = mustParse(text) })
	}
	add("wrap", func() { *at = &tree{kind: '[', items: []*tree{v}} })
	switch v.kind {
	case '{':
		for _, extra := range extras {
			if v.index(extra[0]) < 0 {
				add("extra "+extra[0], func() { v.add(extra[0], mustParse(extra[1])) })
			}
		}
		if len(v.members) > 0 {
			all = append(all, memberMutations(v, g.IntN(len(v.members)))...)
		}
	case '[':
		for i := range v.items {
			add("drop an element", func() { v.items = slices.Delete(v.items, i, i+1) })
		}
		for _, text := range []string{"null", "{}", "1", `"x"`} {
			add("one more element", func() { v.items = append(v.items, mustParse(text)) })
		}
	default:
		for _, text := range respelled(v.text) {
			add("respell", func() { *at = scalar(text) })
		}
	}
	return all
}

// memberMutations lists the changes of one member's name or presence.
func memberMutations(v *tree, i int) []mutation {
	all := []mutation{
		{"drop", func() { v.members = slices.Delete(v.members, i, i+1) }},
		{"repeat", func() { v.members = append(v.members, v.members[i]) }},
		{"repeat as null", func() { v.members = append(v.members, member{v.members[i].name, scalar("null")}) }},
		{"escape the name", func() { v.members[i].name = escaped(v.members[i].name) }},
	}
	for _, name := range twins(v.members[i].name) {
		all = append(all,
			mutation{"rename to a twin", func() { v.members[i].name = name }},
			mutation{"add a twin", func() { v.members = append(v.members, member{name, v.members[i].value}) }})
	}
	return all
}

// twins are names that lax readers take for the given one.
func twins(name string) []string {
	text := decoded(name)
	r, n := utf8.DecodeRuneInString(text)
	list := []string{strings.ToUpper(text), string(unicode.ToUpper(r)) + text[n:], strings.ToLower(text)}
	list = append(list, strings.Replace(text, "s", "\u017f", 1), strings.Replace(text, "k", "\u212a", 1), text+"\x00")
	var all []string
	for _, twin := range list {
		if twin != text {
			all = append(all, quoted(twin))
		}
	}
	return all
}

// respelled are other texts near a scalar.
func respelled(text string) []string {
	switch {
	case text[0] == '"':
		s := decoded(text)
		return []string{quoted(s + "x"), quoted(strings.ToUpper(s)), quoted(s + "\x00"), quoted(" " + s), escaped(text)}
	case text[0] == '-' || text[0]-'0' < 10:
		plain := !strings.ContainsAny(text, ".eE")
		all := []string{text + "0"}
		if plain {
			all = append(all, text+".0", text+"e0", text+"E+2", text+".5")
		}
		if text[0] != '-' {
			all = append(all, "-"+text)
		}
		return all
	}
	return nil
}

// escaped writes every ASCII character of a string as an escape.
func escaped(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range decoded(text) {
		if r < utf8.RuneSelf {
			b.WriteString(`\u00` + string("0123456789abcdef"[r>>4]) + string("0123456789aBcDeF"[r&15]))
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func decoded(text string) string {
	var s string
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		panic(err) // only trees of exact JSON are mutated
	}
	return s
}

func mustParse(text string) *tree {
	t, err := parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return t
}
