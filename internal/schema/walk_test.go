package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var testDialect = Dialect{Keywords: []string{
	"type", "const", "enum", "properties", "required", "items", "additionalProperties", "anyOf", "allOf", "oneOf", "$ref",
	"minimum", "maximum", "exclusiveMinimum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
}, Notes: []string{"$defs"}}

var testLimits = Limits{Depth: 32, Members: 100, Items: 100, StringBytes: 1000, NameBytes: 100, NumberBytes: 50}

// naive judges a decoded value the obvious way. It is the oracle for [Walker.Walk].
func naive(doc map[string]any, s, v any) bool {
	if b, ok := s.(bool); ok {
		return b
	}
	m := s.(map[string]any)
	if ref, ok := m["$ref"].(string); ok && !naive(doc, doc["$defs"].(map[string]any)[ref[len("#/$defs/"):]], v) {
		return false
	}
	count := func(k string) int {
		at := 0
		for _, sub := range toList(m[k]) {
			if naive(doc, sub, v) {
				at++
			}
		}
		return at
	}
	if l := toList(m["allOf"]); count("allOf") != len(l) || m["anyOf"] != nil && count("anyOf") == 0 || m["oneOf"] != nil && count("oneOf") != 1 {
		return false
	}
	if t := m["type"]; t != nil && !hasType(t, v) {
		return false
	}
	if e := m["enum"]; e != nil && !slices.ContainsFunc(toList(e), func(c any) bool { return sameValue(c, v) }) {
		return false
	}
	if c, ok := m["const"]; ok && !sameValue(c, v) {
		return false
	}
	within := func(n int, least, most string) bool {
		return (m[least] == nil || n >= number(m[least])) && (m[most] == nil || n <= number(m[most]))
	}
	switch v := v.(type) {
	case json.Number:
		x := rat(v)
		return (m["minimum"] == nil || x.Cmp(rat(m["minimum"])) >= 0) && (m["maximum"] == nil || x.Cmp(rat(m["maximum"])) <= 0) &&
			(m["exclusiveMinimum"] == nil || x.Cmp(rat(m["exclusiveMinimum"])) > 0)
	case string:
		return within(utf8.RuneCountInString(v), "minLength", "maxLength")
	case []any:
		for _, e := range v {
			if m["items"] != nil && !naive(doc, m["items"], e) {
				return false
			}
		}
		return within(len(v), "minItems", "maxItems")
	case map[string]any:
		for _, r := range toList(m["required"]) {
			if _, ok := v[r.(string)]; !ok {
				return false
			}
		}
		for k, e := range v {
			p, known := toMap(m["properties"])[k]
			if !known {
				p = m["additionalProperties"]
			}
			if p != nil && !naive(doc, p, e) {
				return false
			}
		}
		return within(len(v), "minProperties", "maxProperties")
	}
	return true
}

func rat(v any) *big.Rat {
	r, _ := new(big.Rat).SetString(v.(json.Number).String())
	return r
}

func number(v any) int {
	n, _ := v.(json.Number).Int64()
	return int(n)
}

func sameValue(a, b any) bool {
	x, ok := a.(json.Number)
	y, also := b.(json.Number)
	if ok && also {
		return rat(x).Cmp(rat(y)) == 0
	}
	return ok == also && a == b
}

func hasType(t, v any) bool {
	if l, ok := t.([]any); ok {
		return slices.ContainsFunc(l, func(t any) bool { return hasType(t, v) })
	}
	switch v := v.(type) {
	case string:
		return t == "string"
	case bool:
		return t == "boolean"
	case nil:
		return t == "null"
	case json.Number:
		return t == "number" || t == "integer" && rat(v).IsInt()
	case []any:
		return t == "array"
	}
	return t == "object"
}

// maker makes random schemas and values from few names and values, so that they often meet.
type maker struct{ *rand.Rand }

func (r maker) pick(list ...string) string { return list[r.Intn(len(list))] }

func (r maker) scalar() string {
	return r.pick(`null`, `true`, `false`, `0`, `1`, `1.0`, `2.5`, `-3`, `"a"`, `"bb"`, `"\u0061"`, `""`, `10e-1`)
}

func (r maker) schema(depth int) string {
	if r.Intn(12) == 0 {
		return r.pick("true", "false")
	}
	var parts []string
	add := func(odds int, text func() string) {
		if r.Intn(odds) == 0 {
			parts = append(parts, text())
		}
	}
	list := func(k string) string {
		var subs []string
		for range 1 + r.Intn(3) {
			subs = append(subs, r.schema(depth-1))
		}
		return `"` + k + `":[` + strings.Join(subs, ",") + `]`
	}
	add(3, func() string {
		return `"type":"` + r.pick("string", "number", "integer", "object", "object", "array", "boolean", "null") + `"`
	})
	add(8, func() string { return `"enum":[` + r.scalar() + "," + r.scalar() + `]` })
	add(10, func() string { return `"const":` + r.scalar() })
	add(8, func() string { return `"minimum":` + r.pick("0", "1", "2.5") })
	add(8, func() string { return `"maximum":` + r.pick("0", "1", "2.5") })
	add(12, func() string { return `"exclusiveMinimum":1` })
	if strings.Contains(strings.Join(parts, ""), "exclusive") && strings.Contains(strings.Join(parts, ""), `"minimum"`) {
		parts = parts[:len(parts)-1]
	}
	add(8, func() string { return `"minLength":1` })
	add(8, func() string { return `"maxLength":1` })
	add(8, func() string { return `"maxItems":1` })
	add(8, func() string { return `"minProperties":1` })
	add(10, func() string { return `"maxProperties":1` })
	add(4, func() string { return `"required":["` + r.pick("a", "b", "c") + `"]` })
	if depth > 0 {
		add(2, func() string {
			return `"properties":{"a":` + r.schema(depth-1) + `,"` + r.pick("b", "c") + `":` + r.schema(depth-1) + `}`
		})
		add(4, func() string { return `"additionalProperties":` + r.schema(depth-1) })
		add(4, func() string { return `"items":` + r.schema(depth-1) })
		add(5, func() string { return list("anyOf") })
		add(5, func() string { return list("oneOf") })
		add(6, func() string { return list("allOf") })
		add(6, func() string { return `"$ref":"#/$defs/` + r.pick("x", "y") + `"` })
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (r maker) value(depth int) string {
	switch k := r.Intn(6); {
	case depth == 0 || k < 2:
		return r.scalar()
	case k < 3:
		var items []string
		for range r.Intn(3) {
			items = append(items, r.value(depth-1))
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	var members []string
	for _, name := range []string{"a", "b", "c", "d"} {
		if r.Intn(2) == 0 {
			members = append(members, `"`+name+`":`+r.value(depth-1))
		}
	}
	r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return "{" + strings.Join(members, r.pick(",", " , ")) + "}"
}

// TestWalkRandom compares the walk with the naive judge, before and after the graph went through rows.
func TestWalkRandom(t *testing.T) {
	r := maker{rand.New(rand.NewSource(1))}
	w := NewWalker(testLimits)
	accepted, refused, compiled := 0, 0, 0
	for range 1500 {
		text := fmt.Sprintf(`{"allOf":[%s],"$defs":{"x":%s,"y":{"properties":{"a":{"$ref":"#/$defs/y"},"b":%s}}}}`, r.schema(3), r.schema(1), r.schema(0))
		if strings.Contains(text, `"$defs":{"x":{"$ref"`) || strings.Contains(text, `"x":`) && strings.Contains(text[strings.Index(text, `"$defs":{"x":`):], `"#/$defs/x"`) {
			continue // may refer to itself
		}
		doc, err := Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		root, err := NewCompiler(doc, testDialect).Compile(doc)
		if err != nil {
			continue // too many alternatives, or equal ones in a oneOf
		}
		compiled++
		again := Dump([]*Edge{root}).Link(true)[0]
		for range 20 {
			value := r.value(3)
			dec := json.NewDecoder(bytes.NewReader([]byte(value)))
			dec.UseNumber()
			var v any
			if err := dec.Decode(&v); err != nil {
				t.Fatal(err)
			}
			want := naive(doc, doc, v)
			if want {
				accepted++
			} else {
				refused++
			}
			for _, e := range []*Edge{root, again} {
				if got := w.Walk([]byte(value), 0, e, 0) == len(value); got != want {
					t.Fatalf("schema %s\nvalue %s\nis valid: %v, want %v (%+v)", text, value, got, want, w.Fault)
				}
			}
		}
	}
	t.Logf("%d schemas, %d values accepted, %d refused", compiled, accepted, refused)
	if compiled < 500 || accepted < 1000 || refused < 1000 {
		t.Error("the makers have become one-sided")
	}
}
