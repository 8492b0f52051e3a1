package oracle

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestToolSchemas compares CompileSchema with the engine, on schemas of all keywords that it knows and arguments near them.
func TestToolSchemas(t *testing.T) {
	g := &schemaWriter{rand.New(rand.NewPCG(uint64(setting(t, "ORACLE_SEED", 1)), 5))}
	compiled, accepted, refused := 0, 0, 0
	want := setting(t, "ORACLE_SCHEMAS", 3000)
	reasons := map[string]int{}
	for range want {
		text := g.root()
		s, err := mcpmsg.CompileSchema([]byte(text))
		if err != nil {
			reason := reasonOf(err.Error())
			if reasons[reason]++; reason == "" {
				t.Errorf("%v\n%s", err, text)
			}
			continue
		}
		compiled++
		engine := compileByEngine(t, text)
		v, err := mcpmsg.New(mcpmsg.Config{Tools: []mcpmsg.ToolRule{{Name: "t", InputSchema: s, CaseSensitiveArguments: true}}})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			arguments := g.object(3)
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader(arguments))
			if err != nil {
				t.Fatal(err)
			}
			why := engine.Validate(doc)
			msg := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":` + arguments + `}}`
			_, bad := v.Check([]byte(msg), mcpmsg.Context{Version: mcpmsg.V20251125, Direction: mcpmsg.FromClient})
			if bad.OK() != (why == nil) {
				t.Errorf("%s\nfor %s: %v at %q, by the engine %v", text, arguments, bad.Code, bad.Pointer([]byte(msg)), why)
			}
			if bad.OK() {
				accepted++
			} else {
				refused++
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d schemas, %d compiled (%v), %d arguments accepted, %d refused", want, compiled, reasons, accepted, refused)
	if compiled < want/2 || accepted < want || refused < want {
		t.Error("too few: the schemas do not decide anything")
	}
}

// reasonOf names why CompileSchema refuses schemas of this test, all of them by its documentation or because they make no sense.
func reasonOf(text string) string {
	for _, known := range []string{"refers to itself", "two equal alternatives", "alternatives side by side", "alternatives in one place",
		`keyword "exclusiveM`, `keyword "minimum"`, `keyword "maximum"`} {
		if strings.Contains(text, known) {
			return known
		}
	}
	return ""
}

func compileByEngine(t *testing.T, text string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(address, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(address)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return s
}

// schemaWriter writes random schemas and values, of so few names and values that they often meet.
type schemaWriter struct{ *rand.Rand }

func (g *schemaWriter) among(list ...string) string { return list[g.IntN(len(list))] }

func (g *schemaWriter) root() string {
	return fmt.Sprintf(`{"type":"object","properties":%s,"$defs":{"a":%s,"b":%s},"%s":%s,"additionalProperties":%s}`,
		g.properties(3), g.schema(2), g.schema(2), g.among("anyOf", "allOf", "oneOf"), g.schemas(2), g.schema(1))
}

func (g *schemaWriter) properties(depth int) string {
	var members []string
	for _, name := range []string{"a", "b", "c"} {
		if g.IntN(3) > 0 {
			members = append(members, `"`+name+`":`+g.schema(depth))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (g *schemaWriter) schema(depth int) string {
	switch n := g.IntN(20); {
	case n == 0:
		return "true"
	case n == 1 && depth > 0:
		return "false"
	case n < 4:
		return `{"$ref":"#/$defs/` + g.among("a", "b") + `"}`
	}
	seen := map[string]bool{}
	var members []string
	for range 1 + g.IntN(3) {
		k := g.keyword(depth)
		if name, _, _ := strings.Cut(k, ":"); !seen[name] {
			seen[name] = true
			members = append(members, k)
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (g *schemaWriter) schemas(depth int) string {
	var list []string
	for range 1 + g.IntN(3) {
		list = append(list, g.schema(depth))
	}
	return "[" + strings.Join(list, ",") + "]"
}

func (g *schemaWriter) keyword(depth int) string {
	small := fmt.Sprint(g.IntN(4))
	n := g.IntN(23)
	if depth <= 0 {
		n = g.IntN(16)
	}
	switch n {
	case 0, 1, 2:
		return `"type":"` + g.among("string", "integer", "number", "boolean", "null", "object", "array") + `"`
	case 3:
		return `"type":["` + g.among("string", "integer", "object") + `","` + g.among("number", "null", "array") + `"]`
	case 4:
		return `"const":` + g.scalar()
	case 5:
		return `"enum":[` + g.scalar() + "," + g.scalar() + `,"zz"]`
	case 6:
		return `"` + g.among("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") + `":` + g.among("0", "1", "1.5", "-1", "1e0", "2.0")
	case 7:
		return `"minLength":` + small
	case 8:
		return `"maxLength":` + small
	case 9:
		return `"pattern":` + g.among(`"^a"`, `"b$"`, `"^$"`, `"."`, `"^(a|é)+$"`, `"^\\w*$"`, `"[^a]"`)
	case 10:
		return `"minItems":` + small
	case 11:
		return `"maxItems":` + small
	case 12:
		return `"minProperties":` + small
	case 13:
		return `"maxProperties":` + small
	case 14, 15:
		return `"required":["` + g.among("a", "b", "c") + `"]`
	case 16:
		return `"properties":` + g.properties(depth-1)
	case 17:
		return `"items":` + g.schema(depth-1)
	case 18:
		return `"additionalProperties":` + g.among("false", "true", g.schema(depth-1), g.schema(depth-1))
	case 19:
		return `"anyOf":` + g.schemas(depth-1)
	case 20:
		return `"allOf":` + g.schemas(depth-1)
	case 21:
		return `"oneOf":` + g.schemas(depth-1)
	}
	return `"$ref":"#/$defs/` + g.among("a", "b") + `"`
}

func (g *schemaWriter) scalar() string {
	return g.among("null", "true", "false", "0", "1", "-1", "1.0", "1.5", "10e-1", "2", "-0", `""`, `"a"`, `"ab"`, `"\u0061"`, `"é"`, `"\ud83d\ude00b"`, `"b"`)
}

func (g *schemaWriter) value(depth int) string {
	switch n := g.IntN(10); {
	case n < 3 && depth > 0:
		return g.object(depth - 1)
	case n < 5 && depth > 0:
		var items []string
		for range g.IntN(4) {
			items = append(items, g.value(depth-1))
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	return g.scalar()
}

func (g *schemaWriter) object(depth int) string {
	var members []string
	for _, name := range []string{"b", "a", "d", "c"} {
		if g.IntN(2) == 0 {
			members = append(members, `"`+name+`":`+g.value(depth))
		}
	}
	g.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return "{" + strings.Join(members, ",") + "}"
}
