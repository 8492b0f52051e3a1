package oracle

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/mcpmsg"
)

// generator makes messages that are valid by the schema file of a revision.
type generator struct {
	*rand.Rand
	e *engine
}

func newGenerator(e *engine, seed, stream uint64) *generator {
	return &generator{rand.New(rand.NewPCG(seed, stream)), e}
}

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

// sorts are the messages a side may send: its methods, the results of the other side's methods, errors.
func (e *engine) sorts(from mcpmsg.Direction) []string {
	var list []string
	for name := range e.methods[from] {
		list = append(list, name)
	}
	if e.version == mcpmsg.V20260728 && from == mcpmsg.FromClient {
		return slices.Sorted(slices.Values(list))
	}
	for name, m := range e.methods[mcpmsg.FromClient+mcpmsg.FromServer-from] {
		if !m.Notification {
			list = append(list, "result of "+name)
		}
	}
	for code := range e.specialErrors() {
		list = append(list, "error "+code)
	}
	list = append(list, "result", "error")
	slices.Sort(list)
	return list
}

// revisionKey is the member of _meta that names the revision of a request.
const revisionKey = "io.modelcontextprotocol/protocolVersion"

// message makes a message of a sort, and says which method it is the result of.
func (g *generator) message(from mcpmsg.Direction, sort string) (t *tree, resultOf string) {
	name := sort
	if _, ok := g.e.methods[from][sort]; ok {
		name = from.String() + " " + sort
	}
	resultOf, _ = strings.CutPrefix(sort, "result of ")
	if resultOf == sort {
		resultOf = ""
	}
	t = g.value(g.e.ref("../sorts/"+name), 0)
	if r := t.get("result"); r != nil && r.get("resultType") != nil && g.chance(90) {
		r.set("resultType", scalar(pick(g, `"complete"`, `"complete"`, `"input_required"`)))
	}
	if g.chance(80) {
		t.walk(g.followProse)
	}
	t.walk(func(v *tree) {
		if v.get(revisionKey) != nil {
			v.set(revisionKey, scalar(quoted(g.e.version.String())))
		}
	})
	g.shuffle(t)
	return t, resultOf
}

// batch makes an array of messages, most of them of one sort and valid.
func (g *generator) batch(from mcpmsg.Direction) []byte {
	t := &tree{kind: '['}
	responses, mixed := g.chance(30), g.chance(20)
	for range g.IntN(5) {
		sort := pick(g, g.e.sorts(from)...)
		for i := 0; i < 20 && !mixed; i++ {
			if _, ok := g.e.methods[from][sort]; ok != responses {
				break
			}
			sort = pick(g, g.e.sorts(from)...)
		}
		one, _ := g.message(from, sort)
		if id := one.get("id"); id != nil && g.chance(80) {
			id.text = strconv.Itoa(len(t.items))
		}
		if g.chance(10) {
			g.mutate(&one)
		}
		t.items = append(t.items, one)
	}
	return t.bytes()
}

// followProse changes what a schema admits and the text of the protocol does not.
func (g *generator) followProse(v *tree) {
	each := func(list, member, uri string) {
		if items := v.get(list); items != nil {
			for _, item := range items.items {
				if item.get(member) != nil {
					item.set(member, scalar(uri))
				}
			}
		}
	}
	each("roots", "uri", `"file:///a/b"`)
	each("icons", "src", pick(g, `"https://example.org/x.png"`, `"data:image/png;base64,AAAA"`))
	if u := v.get("url"); u != nil && u.kind == 0 {
		v.set("url", scalar(`"https://example.org/"`))
	}
	if o := v.get("extensions"); o != nil {
		for i := range o.members {
			o.members[i].name = quoted("org.example/" + strconv.Itoa(i))
		}
	}
}

// shuffle changes the order of members: late methods and late tags must be judged like early ones.
func (g *generator) shuffle(t *tree) {
	if g.chance(50) {
		return
	}
	t.walk(func(v *tree) {
		g.Shuffle(len(v.members), func(i, j int) { v.members[i], v.members[j] = v.members[j], v.members[i] })
	})
}

// schema resolves a reference.
func (g *generator) schema(ref string) object {
	name := strings.TrimPrefix(ref, g.e.prefix)
	if sort, ok := strings.CutPrefix(name, "../sorts/"); ok {
		return g.e.sources[sort].(object)
	}
	return g.e.defs[name].(object)
}

// value makes a value that s admits.
func (g *generator) value(s object, depth int) *tree {
	if ref, ok := s["$ref"].(string); ok {
		return g.value(g.schema(ref), depth)
	}
	var t *tree
	if s["type"] != nil || s["properties"] != nil || s["const"] != nil || s["enum"] != nil {
		t = g.typed(s, depth)
	}
	if parts, ok := s["allOf"].([]any); ok {
		for _, part := range parts {
			t = merge(t, g.value(part.(object), depth))
		}
	}
	if parts, ok := s["anyOf"].([]any); ok {
		part := pick(g, parts...)
		if depth > 8 {
			part = parts[len(parts)-1]
		}
		t = merge(t, g.value(part.(object), depth))
	}
	if t == nil {
		return g.free(depth)
	}
	return t
}

// merge joins objects, the members of the later one first, as its schema is the narrower one.
func merge(a, b *tree) *tree {
	if a == nil || a.kind != '{' || b.kind != '{' {
		return b
	}
	for _, m := range b.members {
		var name string
		if json.Unmarshal([]byte(m.name), &name) == nil {
			if old := a.get(name); old != nil && old.kind == '{' && m.value.kind == '{' {
				m.value = merge(old, m.value)
			}
			a.set(name, m.value)
		}
	}
	return a
}

func (g *generator) typed(s object, depth int) *tree {
	if c, ok := s["const"]; ok {
		return scalar(constant(c))
	}
	if list, ok := s["enum"].([]any); ok {
		return scalar(constant(pick(g, list...)))
	}
	kind, _ := s["type"].(string)
	if list, ok := s["type"].([]any); ok {
		kind = pick(g, list...).(string)
	}
	switch kind {
	case "", "object":
		return g.object(s, depth)
	case "array":
		return g.array(s, depth)
	case "string":
		return scalar(g.string(s))
	case "integer", "number":
		return scalar(g.number(s, kind == "number"))
	case "boolean":
		return scalar(pick(g, "true", "false"))
	}
	return scalar(kind) // "null"
}

func constant(v any) string {
	if s, ok := v.(string); ok {
		return quoted(s)
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // decoded JSON can always be encoded
	}
	return string(b)
}

func (g *generator) object(s object, depth int) *tree {
	t := &tree{kind: '{'}
	members, _ := s["properties"].(object)
	required, _ := s["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if slices.Contains(required, any(name)) || g.chance(max(5, 50-8*depth)) {
			t.add(name, g.value(members[name].(object), depth+1))
		}
	}
	for _, name := range required {
		if t.get(name.(string)) == nil {
			t.add(name.(string), g.free(depth+1))
		}
	}
	others, _ := s["additionalProperties"].(object)
	if len(others) == 0 && (len(members) == 0 || g.chance(10)) {
		others = object{}
	}
	if others != nil && depth < 12 {
		for i := range g.IntN(3) {
			t.add("k"+strconv.Itoa(i), g.value(others, depth+1))
		}
	}
	return t
}

func (g *generator) array(s object, depth int) *tree {
	t := &tree{kind: '['}
	items, _ := s["items"].(object)
	for range g.IntN(3) {
		t.items = append(t.items, g.value(items, depth+1))
	}
	return t
}

// free makes any value.
func (g *generator) free(depth int) *tree {
	switch n := g.IntN(8); {
	case n < 2 && depth < 8:
		return g.object(object{}, depth+4)
	case n < 3 && depth < 8:
		return g.array(object{}, depth+4)
	}
	return scalar(pick(g, `"text"`, `""`, "0", "1.5", "-1e3", "true", "null", `"\u00e9\n"`, `"日本"`))
}

func (g *generator) string(s object) string {
	switch s["format"] {
	case "uri":
		return pick(g, `"file:///a/b"`, `"https://example.org/x?y=z#f"`, `"urn:a:b"`, `"not a uri"`)
	case "uri-template":
		return pick(g, `"file:///{path}"`, `"https://example.org/{?q*}"`, `"{"`)
	case "byte":
		return pick(g, `""`, `"AAA="`, `"aGVsbG8="`, `"////"`)
	}
	return pick(g, `"a"`, `"search_docs"`, `"2025-06-18"`, `"\u0061b"`, `"日本"`, `"a b"`, `"complete"`)
}

func (g *generator) number(s object, fraction bool) string {
	low, high := s["minimum"], s["maximum"]
	switch {
	case high != nil:
		return pick(g, "0", "1")
	case low != nil:
		return pick(g, "0", "1", "300000")
	case fraction && g.chance(50):
		return pick(g, "0.5", "-1.25e2", "1E-3", "3.0")
	}
	return pick(g, "0", "1", "-7", "42", "9007199254740991", "-9007199254740991")
}
