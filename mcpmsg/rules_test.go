package mcpmsg_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

func compile(t testing.TB, text string) *mcpmsg.Schema {
	t.Helper()
	s, err := mcpmsg.CompileSchema([]byte(text))
	if err != nil {
		t.Fatalf("CompileSchema(%s): %v", text, err)
	}
	return s
}

// TestToolSchema checks single arguments against single schemas. Each keyword has a value that it admits and one that it does not.
func TestToolSchema(t *testing.T) {
	for _, r := range []struct {
		schema string
		value  string
		want   mcpmsg.Code
	}{
		{`{"type":"string"}`, `"x"`, 0},
		{`{"type":"string"}`, `1`, mcpmsg.CodeSchemaType},
		{`{"type":["string","null"]}`, `null`, 0},
		{`{"type":["string","null"]}`, `false`, mcpmsg.CodeSchemaType},
		{`{"type":"integer"}`, `1.0`, 0},
		{`{"type":"integer"}`, `-25e-1`, mcpmsg.CodeSchemaType},
		{`{"const":"a"}`, `"\u0061"`, 0},
		{`{"const":"a"}`, `"b"`, mcpmsg.CodeSchemaValue},
		{`{"enum":[1,"1",null,true]}`, `1.0`, 0},
		{`{"enum":[1,"1",null,true]}`, `null`, 0},
		{`{"enum":[1,"1",null,true]}`, `false`, mcpmsg.CodeSchemaValue},
		{`{"enum":[1,"1",null,true]}`, `2`, mcpmsg.CodeSchemaValue},
		{`{"minimum":-1.5}`, `-1.5`, 0},
		{`{"minimum":-1.5}`, `-1.51`, mcpmsg.CodeSchemaRange},
		{`{"maximum":1e2}`, `100.0`, 0},
		{`{"maximum":1e2}`, `100.00000000000000000001`, mcpmsg.CodeSchemaRange},
		{`{"exclusiveMinimum":0}`, `1e-99`, 0},
		{`{"exclusiveMinimum":0}`, `0`, mcpmsg.CodeSchemaRange},
		{`{"exclusiveMaximum":9}`, `9`, mcpmsg.CodeSchemaRange},
		{`{"minLength":2}`, `"日本"`, 0},
		{`{"minLength":2}`, `"\ud83d\ude00"`, mcpmsg.CodeSchemaLength},
		{`{"maxLength":1}`, `"\u65e5"`, 0},
		{`{"maxLength":0}`, `""`, 0},
		{`{"maxLength":1}`, `"ab"`, mcpmsg.CodeSchemaLength},
		{`{"pattern":"^[a-z]+$"}`, `"ab\u0063"`, 0},
		{`{"pattern":"^[a-z]+$"}`, `"aB"`, mcpmsg.CodeSchemaPattern},
		{`{"minItems":1}`, `[0]`, 0},
		{`{"minItems":1}`, `[]`, mcpmsg.CodeSchemaCount},
		{`{"maxItems":1}`, `[1,2]`, mcpmsg.CodeSchemaCount},
		{`{"maxProperties":1}`, `{"a":1}`, 0},
		{`{"maxProperties":1}`, `{"a":1,"b":2}`, mcpmsg.CodeSchemaCount},
		{`{"minProperties":1}`, `{}`, mcpmsg.CodeSchemaCount},
		{`{"items":{"type":"string"}}`, `["a","b"]`, 0},
		{`{"items":{"type":"string"}}`, `["a",1]`, mcpmsg.CodeSchemaType},
		{`{"properties":{"b":{"type":"string"}},"required":["b"]}`, `{"b":"","c":1}`, 0},
		{`{"properties":{"b":{"type":"string"}},"required":["b"]}`, `{"c":1}`, mcpmsg.CodeSchemaMissing},
		{`{"properties":{"b":{}}}`, `{"b":1,"B":2}`, mcpmsg.CodeMemberTwin},
		{`{"properties":{"b":{}}}`, `{"c":1,"C":2}`, 0},
		{`{"properties":{"größe":{}}}`, `{"größe":1,"GRÖSSE":2}`, 0},
		{`{"properties":{"größe":{}}}`, `{"größe":1,"GRÖßE":2}`, mcpmsg.CodeMemberTwin},
		{`{"properties":{"größe":{}}}`, `{"gr\u00d6\u00dfe":2}`, mcpmsg.CodeMemberTwin},
		{`{"properties":{"b":{}},"additionalProperties":false}`, `{"b":1}`, 0},
		{`{"properties":{"b":{}},"additionalProperties":false}`, `{"c":1}`, mcpmsg.CodeSchemaMember},
		{`{"additionalProperties":{"type":"string"}}`, `{"c":"","d":1}`, mcpmsg.CodeSchemaType},
		{`{"anyOf":[{"type":"string"},{"type":"integer","minimum":5}]}`, `5`, 0},
		{`{"anyOf":[{"type":"string"},{"type":"integer","minimum":5}]}`, `4`, mcpmsg.CodeSchemaRange},
		{`{"oneOf":[{"type":"integer"},{"type":"number","minimum":5}]}`, `4`, 0},
		{`{"oneOf":[{"type":"integer"},{"type":"number","minimum":5}]}`, `5.5`, 0},
		{`{"oneOf":[{"type":"integer"},{"type":"number","minimum":5}]}`, `5`, mcpmsg.CodeSchemaAlternative},
		{`{"allOf":[{"minimum":1},{"maximum":2}]}`, `2`, 0},
		{`{"allOf":[{"minimum":1},{"minimum":2}]}`, `1`, mcpmsg.CodeSchemaRange},
		{`{"type":"object","anyOf":[{"required":["a"]},{"required":["b"]}]}`, `{"b":1}`, 0},
		{`{"type":"object","anyOf":[{"required":["a"]},{"required":["b"]}]}`, `{"c":1}`, mcpmsg.CodeSchemaMissing},
		{`{"oneOf":[{"properties":{"k":{"const":"x"},"v":{"type":"string"}}},{"properties":{"k":{"const":"y"},"v":{"type":"integer"}}}]}`, `{"v":1,"k":"y"}`, 0},
		{`{"oneOf":[{"properties":{"k":{"const":"x"},"v":{"type":"string"}}},{"properties":{"k":{"const":"y"},"v":{"type":"integer"}}}]}`, `{"v":1,"k":"x"}`, mcpmsg.CodeSchemaValue},
		{`{"$ref":"#/properties/a/$defs/n"}`, `{"child":{"child":{}}}`, mcpmsg.CodeSchemaType},
		{`{"$schema":"http://json-schema.org/draft-07/schema","title":"x","description":"y"}`, `1`, 0},
		{`{"properties":{"$id":{"type":"string"}}}`, `{"$id":1}`, mcpmsg.CodeSchemaType},
		{`true`, `[{}]`, 0},
		{`false`, `1`, mcpmsg.CodeSchemaType},
		{`{"format":"uri","title":"x","default":[]}`, `"not a uri"`, 0},
	} {
		text := `{"type":"object","properties":{"a":` + r.schema + `},"required":["a"]}`
		if strings.Contains(r.schema, "$ref") {
			text = `{"type":"object","properties":{"a":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":"object","properties":{"child":{"$ref":"#/$defs/n"},"leaf":{"type":"string"}},"additionalProperties":false}}}`
			r.value = `{"child":{"child":{"leaf":7}}}`
		}
		v := newValidator(t, mcpmsg.Config{Tools: []mcpmsg.ToolRule{{Name: "t", InputSchema: compile(t, text), CaseSensitiveArguments: true}}})
		for _, in := range []string{
			call + `{"a":` + r.value + `}}}`,
			`{"params":{"arguments":{"a":` + r.value + `},"name":"\u0074"},"id":1,"method":"tools/call","jsonrpc":"2.0"}`,
		} {
			_, bad := v.Check([]byte(in), client(mcpmsg.V20250618))
			if bad.Code != r.want {
				t.Errorf("%s: Check(%s) = %v at %d, want %v", r.schema, in, bad.Code, bad.Offset, r.want)
			}
			if code, _ := bad.RPC(); !bad.OK() && bad.Code >= mcpmsg.CodeSchemaType && code != -32602 {
				t.Errorf("%s: %v is answered by %d", r.schema, bad.Code, code)
			}
			b := []byte(in)
			if n := allocs(10, func() { v.Check(b, client(mcpmsg.V20250618)) }); n != 0 {
				t.Errorf("%s: %v allocations for %s, want 0", r.schema, n, in)
			}
		}
	}
}

// TestToolRules: what a rule says holds for its tool only.
func TestToolRules(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{Tools: []mcpmsg.ToolRule{
		{Name: "fold"},
		{Name: "exact", CaseSensitiveArguments: true},
		{Name: "needs", InputSchema: compile(t, `{"type":"object","required":["a"]}`)},
		{Name: `b\u0061ck`, InputSchema: compile(t, `{"type":"object","required":["a"]}`)},
	}})
	for _, r := range []struct {
		name, arguments string
		want            mcpmsg.Code
	}{
		{"fold", `{"path":1,"Path":2}`, mcpmsg.CodeDuplicateMember},
		{"fold", `{"x":{"path":1,"PATH":2}}`, mcpmsg.CodeDuplicateMember},
		{"fold", `{"s":1,"\u017f":2}`, mcpmsg.CodeDuplicateMember},
		{"fold", `{"path":1,"paths":2}`, 0},
		{"fold", `{"größe":1,"GRÖßE":2}`, mcpmsg.CodeDuplicateMember},
		{"exact", `{"path":1,"Path":2}`, 0},
		{"other", `{"path":1,"Path":2}`, 0},
		{"needs", `{"a":1}`, 0},
		{"needs", `{}`, mcpmsg.CodeSchemaMissing},
		{`n\u0065eds`, `{}`, mcpmsg.CodeSchemaMissing},
		{`b\u0061ck`, `{}`, 0}, // the tool "back"
		{`b\\u0061ck`, `{}`, mcpmsg.CodeSchemaMissing},
		{"needs", `{"a":1,"b":2,"B":3}`, mcpmsg.CodeDuplicateMember},
	} {
		in := `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"` + r.name + `","arguments":` + r.arguments + `}}`
		m, bad := v.Check([]byte(in), client(0))
		if bad.Code != r.want || string(m.ID) != "5" {
			t.Errorf("Check(%s) = %v with id %s, want %v", in, bad.Code, m.ID, r.want)
		}
	}
	if _, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"needs"}}`), client(0)); bad.Code != mcpmsg.CodeSchemaMissing {
		t.Errorf("no arguments where some are required: %v", bad.Code)
	}
}

func TestCompileSchemaErrors(t *testing.T) {
	bomb := `{"$ref":"#/$defs/d0","$defs":{`
	for i := range 60 {
		bomb += fmt.Sprintf(`"d%d":{"anyOf":[{"$ref":"#/$defs/d%d"},{"allOf":[{"$ref":"#/$defs/d%d"},{"minLength":%d}]}]},`, i, i+1, i+1, i)
	}
	bomb += `"d60":{"type":"string"}}}`
	members := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format+",", i)
		}
		return b.String()
	}
	marks := `{"properties":{`
	for i := range 33 {
		marks += fmt.Sprintf(`"p%d":{"type":"string","x-mcp-header":"P%d"},`, i, i)
	}
	for in, want := range map[string]string{
		bomb: "alternatives",
		`{"$defs":{"D":{"properties":{` + members(9000, `"p%d":{}`) + `"z":{}}}},"properties":{` +
			members(4000, `"x%d":{"allOf":[{"$ref":"#/$defs/D"},{"maxProperties":7%[1]d}]}`) + `"y":{}}}`: "too large",
		`{"properties":{` + members(4000, `"p%d":{"pattern":"[a-z]{1,300}x%[1]d"}`) + `"z":{}}}`:                       "too large",
		`{"properties":{` + members(6000, `"p%d":{"maxProperties":%[1]d}`) + `"z":{}}}`:                                "places",
		`{"properties":{` + members(65, `"beginnin%03dand ends"`+`:{}`) + `"z":{}}}`:                                   "alike",
		`{"enum":[` + members(256, `%d`) + `-1]}`:                                                                      `"enum"`,
		`{"anyOf":[` + members(64, `{"minLength":%d}`) + `{"minLength":99}]}`:                                          "alternatives",
		`{"required":[` + members(64, `"r%d"`) + `"z"]}`:                                                               "64 members",
		`{"pattern":"` + strings.Repeat("a", 4097) + `"}`:                                                              `"pattern"`,
		`{"pattern":"(x{1000}){5}"}`:                                                                                   `"pattern"`,
		`{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}`:                 "itself",
		`{"$ref":"#/$defs/c0","$defs":{` + members(3000, `"c%d":{"allOf":[{"$ref":"#/$defs/c%[1]d/x"}]}`) + `"z":{}}}`: "$ref",
		strings.Repeat(" ", 1<<20) + `{}`:                                                                              "bytes",
		marks + `"q":{}}}`:                                                                                             "more than 32",
		`{"type":"string","x-mcp-header":"A"}`:                                                                         "reachable",
		`{"not":{}}`:                                                                                                   `"not"`,
		`{"properties":{"a":{"uniqueItems":true}}}`:                                                                    `"uniqueItems"`,
		`{"patternProperties":{}}`:                                                                                     `"patternProperties"`,
		`{"if":{}}`:                                                                                                    `"if"`,
		`{"multipleOf":2}`:                                                                                             `"multipleOf"`,
		`{"enum":[{}]}`:                                                                                                `"enum"`,
		`{"pattern":"(?=x)"}`:                                                                                          `"pattern"`,
		`{"$ref":"https://example.com/s.json"}`:                                                                        "$ref",
		`{"$ref":"#/nowhere"}`:                                                                                         "$ref",
		`{"$ref":"#"}`:                                                                                                 "itself",
		`{"$schema":"http://json-schema.org/draft-04/schema#"}`:                                                        "$schema",
		`{"type":"objekt"}`:                                                                                            `"type"`,
		`{"minLength":-1}`:                                                                                             `"minLength"`,
		`{"type":"object","type":"string"}`:                                                                            "json_duplicate_member",
		`[]`:                                                                                                           "object",
		`{`:                                                                                                            "json_syntax",
		strings.Repeat(`{"items":`, 65) + "{}" + strings.Repeat("}", 65):                                               "json_depth",
		`{"properties":{"a":{"type":"number","x-mcp-header":"A"}}}`:                                                    "x-mcp-header",
		`{"properties":{"a":{"type":"string","x-mcp-header":"A b"}}}`:                                                  "token",
		`{"properties":{"a":{"items":{"type":"string","x-mcp-header":"A"}}}}`:                                          "reachable",
		`{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}`:             "twice",
		`{"properties":{"a":{"type":"string","x-mcp-header":"Api-Key"},"b":{"type":"string","x-mcp-header":"api_key"}}}`: "twice",
	} {
		if _, err := mcpmsg.CompileSchema([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CompileSchema(%.100s) = %v, want an error with %s", in, err, want)
		}
	}
}

// TestCompileSchemaBounds: what is as large as a bound says still compiles. TestCompileSchemaErrors has what is larger by one.
func TestCompileSchemaBounds(t *testing.T) {
	members := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ","+format, i)
		}
		return b.String()[1:]
	}
	for name, text := range map[string]string{
		"bytes":              strings.Repeat(" ", 1<<20-2) + `{}`,
		"depth":              strings.Repeat(`{"items":`, 63) + "{}" + strings.Repeat("}", 63),
		"alternatives":       `{"anyOf":[` + members(64, `{"minLength":%d}`) + `]}`,
		"required":           `{"required":[` + members(64, `"r%d"`) + `]}`,
		"alike":              `{"properties":{` + members(64, `"beginnin%03dand ends":{}`) + `}}`,
		"numbers":            `{"enum":[` + members(256, `%d`) + `]}`,
		"pattern":            `{"pattern":"` + strings.Repeat("a", 4093) + `{1}"}`,
		"header marks alike": `{"properties":{"a":{"type":"string","x-mcp-header":"Api-Key"},"b":{"type":"string","x-mcp-header":"Api_Kez"}}}`,
		"header marks":       `{"properties":{` + members(32, `"p%d":{"type":"string","x-mcp-header":"P%[1]d"}`) + `}}`,
		"references":         `{"allOf":[{"$ref":"#/$defs/c0"},{"minLength":1}],"$defs":{` + members(200, `"c%d":{"$ref":"#/$defs/d%[1]d"},"d%[1]d":{"maxLength":%[1]d}`) + `}}`,
	} {
		if _, err := mcpmsg.CompileSchema([]byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDialects: what the two drafts share, and the one thing that they do not.
func TestDialects(t *testing.T) {
	for _, text := range []string{
		`{"$id":"urn:a","$ref":"#/$defs/a","type":"object","$defs":{"a":{"minProperties":1}}}`,
		`{"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"#/$defs/a","type":"object","$defs":{"a":{"minProperties":1}}}`,
		`{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"#/definitions/a","title":"x","definitions":{"a":{"minProperties":1}}}`,
		`{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","allOf":[{"$ref":"#/definitions/a"}],"definitions":{"a":{"minProperties":1}}}`,
	} {
		v := newValidator(t, mcpmsg.Config{Tools: []mcpmsg.ToolRule{{Name: "t", InputSchema: compile(t, text)}}})
		for arguments, want := range map[string]bool{`{}`: false, `{"a":1}`: true} {
			if _, bad := v.Check([]byte(call+arguments+`}}`), client(0)); bad.OK() != want {
				t.Errorf("%s: %v of %s, want %v", text, bad.Code, arguments, want)
			}
		}
	}
}

func TestMethodRules(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{
		Methods: append(mcpmsg.TasksExtension(),
			mcpmsg.MethodRule{Method: "vendor/do", From: mcpmsg.FromClient, Params: compile(t, `{"type":"object","required":["x"]}`)},
			mcpmsg.MethodRule{Method: "vendor/note", Notification: true},
			mcpmsg.MethodRule{Method: "tools/list", Notification: true}),
		ResultTypes: []string{"task"},
	})
	for _, r := range []row{
		{"task", `{"jsonrpc":"2.0","id":1,"method":"tasks/update","params":{"taskId":"t1",` + meta26 + `}}`, client(mcpmsg.V20260728), 0},
		{"task, revision unknown", `{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"t1",` + meta26 + `}}`, client(0), 0},
		{"task without id", `{"jsonrpc":"2.0","id":1,"method":"tasks/update","params":{` + meta26 + `}}`, client(mcpmsg.V20260728), mcpmsg.CodeSchemaMissing},
		{"task without meta", `{"jsonrpc":"2.0","id":1,"method":"tasks/update","params":{"taskId":"t1"}}`, client(mcpmsg.V20260728), mcpmsg.CodeSchemaMissing},
		{"task in an old revision", `{"jsonrpc":"2.0","id":1,"method":"tasks/update","params":{"taskId":"t1"}}`, client(mcpmsg.V20251125), mcpmsg.CodeMethodUnknown},
		{"task notification", `{"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"t1"}}`, server(mcpmsg.V20260728, 0), 0},
		{"vendor", `{"jsonrpc":"2.0","id":1,"method":"vendor\/do","params":{"x":1}}`, client(mcpmsg.V20250618), 0},
		{"vendor, params first", `{"jsonrpc":"2.0","params":{"x":1},"id":1,"method":"vendor/do"}`, client(mcpmsg.V20250618), 0},
		{"vendor without x", `{"jsonrpc":"2.0","id":1,"method":"vendor/do","params":{}}`, client(mcpmsg.V20250618), mcpmsg.CodeSchemaMissing},
		{"vendor from the other side", `{"jsonrpc":"2.0","id":1,"method":"vendor/do","params":{"x":1}}`, server(mcpmsg.V20250618, 0), mcpmsg.CodeMethodUnknown},
		{"vendor as notification", `{"jsonrpc":"2.0","method":"vendor/do","params":{"x":1}}`, client(mcpmsg.V20250618), mcpmsg.CodeIDMissing},
		{"vendor with array params", `{"jsonrpc":"2.0","id":1,"method":"vendor/do","params":[]}`, client(mcpmsg.V20250618), mcpmsg.CodeSchemaType},
		{"note", `{"jsonrpc":"2.0","method":"vendor/note"}`, server(mcpmsg.V20250618, 0), 0},
		{"note as request", `{"jsonrpc":"2.0","id":1,"method":"vendor/note"}`, server(mcpmsg.V20250618, 0), mcpmsg.CodeIDForbidden},
		{"own method wins", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, client(mcpmsg.V20250618), 0},
		{"task result", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"task","taskId":"1"}}`, server(mcpmsg.V20260728, mcpmsg.MethodToolsCall), 0},
		{"other result type", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"tasks"}}`, server(mcpmsg.V20260728, mcpmsg.MethodToolsCall), mcpmsg.CodeSchemaValue},
	} {
		m, bad := v.Check([]byte(r.in), r.ctx)
		if bad.Code != r.want {
			t.Errorf("%s: Check(%s) = %v at %d, want %v", r.name, r.in, bad.Code, bad.Offset, r.want)
		}
		if strings.HasPrefix(r.name, "task") && bad.OK() && m.Kind == mcpmsg.Request && !m.Name.Is("t1") {
			t.Errorf("%s: Name is %s", r.name, m.Name)
		}
		in := []byte(r.in)
		if n := allocs(10, func() { v.Check(in, r.ctx) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", r.name, n)
		}
	}
	// A method of another revision that a rule admits is none of the protocol's, alone and in a batch.
	early := newValidator(t, mcpmsg.Config{Methods: []mcpmsg.MethodRule{{Method: "tasks/list"}}})
	const list = `{"jsonrpc":"2.0","id":1,"method":"tasks/list"}`
	for _, in := range []string{list, "[" + list + "]"} {
		m, bad := early.Check([]byte(in), client(mcpmsg.V20250326))
		for one := range m.Each() {
			if !bad.OK() || one.Method != 0 || !one.MethodText.Is("tasks/list") {
				t.Errorf("%s: %v %v", in, bad.Code, one.Method)
			}
		}
	}
	_, err := mcpmsg.New(mcpmsg.Config{
		Methods: []mcpmsg.MethodRule{{}, {Method: "a", From: 3}, {Method: "b"}, {Method: "b"}, {Method: "c", Params: new(mcpmsg.Schema)}},
		Tools:   []mcpmsg.ToolRule{{}, {Name: "a"}, {Name: "a"}, {Name: "b", InputSchema: new(mcpmsg.Schema)}}, ResultTypes: []string{"complete"},
	})
	for _, part := range []string{"Methods[0]", "Methods[1]", "Methods[3]", "Methods[4]", "Tools[0]", "Tools[2]", "Tools[3]", "ResultTypes[0]"} {
		if !strings.Contains(fmt.Sprint(err), part) {
			t.Errorf("the error does not name %s: %v", part, err)
		}
	}
}

// TestMirrorParamsOfLongNames: a name of any length, in any spelling, finds its rule without allocation.
func TestMirrorParamsOfLongNames(t *testing.T) {
	long := strings.Repeat("n", 400)
	v := newValidator(t, mcpmsg.Config{MaxTargetBytes: 4096, Tools: []mcpmsg.ToolRule{
		{Name: long, InputSchema: compile(t, `{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"}}}`)}}})
	for _, name := range []string{long, strings.Repeat(`\u006e`, 400)} {
		m, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+name+`","arguments":{"a":"x"},`+meta26+`}}`), client(0))
		if !bad.OK() {
			t.Fatal(bad.Err())
		}
		h := map[string][]string{"MCP-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {long}, "Mcp-Param-A": {"y"}}
		if bad := v.CheckMirror(&m, h); bad.Code != mcpmsg.CodeMirrorMismatch || bad.Name != "Mcp-Param-A" {
			t.Errorf("%v in %q", bad.Code, bad.Name)
		}
		if n := allocs(20, func() { v.CheckMirror(&m, h) }); n != 0 {
			t.Errorf("%v allocations, want 0", n)
		}
	}
}

// TestMirrorOfNoMessage: a Message that Check did not make is refused or passes, without a panic.
func TestMirrorOfNoMessage(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{Tools: []mcpmsg.ToolRule{{Name: "t", InputSchema: compile(t, `{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}`)}}})
	for _, raw := range []mcpmsg.Raw{nil, mcpmsg.Raw("1"), mcpmsg.Raw(`"`), mcpmsg.Raw(`""`), mcpmsg.Raw(`"t"`), mcpmsg.Raw("{")} {
		for method := range mcpmsg.MethodToolsCall + 20 {
			m := mcpmsg.Message{Kind: mcpmsg.Request, Version: mcpmsg.V20251125, Method: method, MethodText: raw, Name: raw, URI: raw, ID: raw}
			v.CheckMirror(&m, map[string][]string{"Mcp-Method": {"tools/call"}, "Mcp-Name": {"t"}, "Mcp-Param-A": {"x"}})
			v.CheckMirror(&m, nil)
		}
		if raw.Is("x") {
			t.Errorf("%s is x", raw)
		}
	}
}

func TestHiddenText(t *testing.T) {
	v, lax := newValidator(t, mcpmsg.Config{}), newValidator(t, mcpmsg.Config{DangerouslyAllowHiddenText: true})
	for text, want := range map[string]mcpmsg.Code{
		"Adds two numbers.":             0,
		"البحث \u2066API\u2069 \u200fx": 0,
		"🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f 👩\u200d💻 ❤\ufe0f 葛\U000e0100": 0,
		`\ud83c\udff4\udb40\udc67\udb40\udc7f`: 0,
		"a\U000e0061b":                         mcpmsg.CodeHiddenText,
		`a\udb40\udc61b`:                       mcpmsg.CodeHiddenText,
		"🏴\U000e0067 ":                         mcpmsg.CodeHiddenText,
		"🏴\U000e0067":                          mcpmsg.CodeHiddenText,
		"😀\ufe01\U000e0101\U000e0102":          mcpmsg.CodeHiddenText,
		"a\u200b\u200c\u200d\u2060b":           mcpmsg.CodeHiddenText,
		`a\u200b\u200b\u200bb`:                 0,
		`a\u001b[8mb`:                          mcpmsg.CodeHiddenText,
		"a\u009bb":                             mcpmsg.CodeHiddenText,
		"a\u202eb":                             mcpmsg.CodeHiddenText,
	} {
		in := []byte(`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"t","inputSchema":{"type":"object","x":{"description":"` + text + `"}}}]}}`)
		if _, bad := v.Check(in, server(mcpmsg.V20250618, mcpmsg.MethodToolsList)); bad.Code != want {
			t.Errorf("%q: %v, want %v", text, bad.Code, want)
		}
		quoted := []byte(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"` + text + `"}]}}`)
		_, bad := v.Check(quoted, server(mcpmsg.V20250618, mcpmsg.MethodToolsCall))
		if tags := strings.Contains(text, "\U000e0061") || strings.Contains(text, "udc61") || strings.Contains(text, "\U000e0067 ") || strings.HasSuffix(text, "\U000e0067"); tags == bad.OK() {
			t.Errorf("%q in the result of a tool: %v", text, bad.Code)
		}
		if _, bad := lax.Check(in, server(mcpmsg.V20250618, mcpmsg.MethodToolsList)); !bad.OK() {
			t.Errorf("%q is refused though allowed: %v", text, bad.Err())
		}
		if _, bad := v.Check(in, server(mcpmsg.V20250618, 0)); !bad.OK() {
			t.Errorf("%q is refused in a result of an unknown method: %v", text, bad.Err())
		}
	}
}

func TestHeaderMarks(t *testing.T) {
	marks := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"p%d":{"type":"string","x-mcp-header":"P%d"}`, i, i)
		}
		return b.String()[1:]
	}
	v := newValidator(t, mcpmsg.Config{})
	const good = `"a":{"type":"string","x-mcp-header":"Region"}`
	for properties, want := range map[string]mcpmsg.Code{
		good: 0,
		good + `,"b":{"type":"object","properties":{"c":{"type":"integer","x-mcp-header":"Page"}}}`: 0,
		good + `,"x-mcp-header":true`:                                                             0,
		good + `,"b":{"default":{"x-mcp-header":"d e"}}`:                                          0,
		good + `,"b":{"type":"string","x-mcp-header":"REGION"}`:                                   mcpmsg.CodeHeaderMark,
		`"a":{"type":"number","x-mcp-header":"A"}`:                                                mcpmsg.CodeHeaderMark,
		`"a":{"x-mcp-header":"A"}`:                                                                mcpmsg.CodeHeaderMark,
		`"a":{"type":"string","x-mcp-header":""}`:                                                 mcpmsg.CodeHeaderMark,
		`"a":{"type":"string","x-mcp-header":"A:"}`:                                               mcpmsg.CodeHeaderMark,
		`"a":{"type":"string","x-mcp-header":7}`:                                                  mcpmsg.CodeHeaderMark,
		`"a":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}`:                       mcpmsg.CodeHeaderMark,
		`"a":{"anyOf":[{"type":"string","\u0078-mcp-header":"A"}]}`:                               mcpmsg.CodeHeaderMark,
		`"a":{"type":"object","items":{"properties":{"b":{"type":"string","x-mcp-header":"A"}}}}`: mcpmsg.CodeHeaderMark,
		`},"x-mcp-header":"A","x":{`:                                                              mcpmsg.CodeHeaderMark,
		`},"\u0078-mcp-header":"A","x":{`:                                                         mcpmsg.CodeHeaderMark,
		`"a":{"x-mcp-header":"A","type":"string"}`:                                                0,
		`"a":{"x-mcp-header":"A","type":["string"]}`:                                              mcpmsg.CodeHeaderMark,
		`"a":{"x-mcp-header":"A","properties":{"type":"string"}}`:                                 mcpmsg.CodeHeaderMark,
		`"a":{"type":{"type":"string"},"x-mcp-header":"A"}`:                                       mcpmsg.CodeHeaderMark,
		marks(32): 0,
		marks(33): mcpmsg.CodeHeaderMark,
	} {
		in := []byte(`{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","ttlMs":0,"cacheScope":"public","tools":[{"name":"s","inputSchema":{"type":"object"}},{"name":"t","inputSchema":{"type":"object","properties":{` + properties + `}}}]}}`)
		_, bad := v.Check(in, server(mcpmsg.V20260728, mcpmsg.MethodToolsList))
		if bad.Code != want || !bad.OK() && bad.Pointer(in) != "/result/tools/1" {
			t.Errorf("%s: %v at %q, want %v", properties, bad.Code, bad.Pointer(in), want)
		}
		if n := allocs(10, func() { v.Check(in, server(mcpmsg.V20260728, mcpmsg.MethodToolsList)) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", properties, n)
		}
	}
}

func TestReservedMeta(t *testing.T) {
	strict, lax := newValidator(t, mcpmsg.Config{RefuseReservedMeta: true}), newValidator(t, mcpmsg.Config{})
	for _, r := range []struct {
		key          string
		in06, in1126 bool // reserved
	}{
		{"com.example/x", false, false}, {"mcp.dev/x", true, false}, {"tools.mcp.com/x", true, true}, {"com.mcp.tools/x", true, true},
		{"io.modelcontextprotocol/x", false, true}, {"com.example.mcp/x", false, false}, {"modelcontextprotocol.io/x", true, false},
		{"mcp/x", false, false}, {"x", false, false}, {"io.modelcontextprotocol/related-task", false, false},
		{"io.modelcontextprotocol/related-tasks", false, true},
	} {
		for _, version := range []mcpmsg.Version{mcpmsg.V20250326, mcpmsg.V20250618, mcpmsg.V20251125} {
			in := []byte(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"` + r.key + `":1}}}`)
			reserved := version == mcpmsg.V20250618 && r.in06 || version > mcpmsg.V20250618 && r.in1126
			if _, bad := strict.Check(in, client(version)); (bad.Code == mcpmsg.CodeSchemaName) != reserved {
				t.Errorf("%s in %v: %v, reserved: %v", r.key, version, bad.Code, reserved)
			}
			if _, bad := lax.Check(in, client(version)); !bad.OK() {
				t.Errorf("%s in %v: %v without the option", r.key, version, bad.Err())
			}
			if n := allocs(10, func() { strict.Check(in, client(version)) }); n != 0 {
				t.Errorf("%s: %v allocations, want 0", r.key, n)
			}
		}
	}
}

// TestBase64: every character of content of up to 64 KiB counts, of longer one those at its ends, or all on request.
func TestBase64(t *testing.T) {
	usual, whole := newValidator(t, mcpmsg.Config{}), newValidator(t, mcpmsg.Config{WholeBase64: true})
	ctx := server(mcpmsg.V20250618, mcpmsg.MethodToolsCall)
	for _, r := range []struct {
		size, at    int // of the wrong character, -1 for none
		usual, more bool
	}{
		{0, -1, true, true}, {4, -1, true, true}, {64 << 10, -1, true, true}, {64<<10 + 4, -1, true, true}, {1 << 20, -1, true, true},
		{4, 0, false, false}, {64, 40, false, false}, {64 << 10, 32 << 10, false, false}, {64 << 10, 64<<10 - 1, false, false},
		{64<<10 + 4, 4<<10 - 1, false, false}, {64<<10 + 4, 4 << 10, true, false}, {1 << 20, 1 << 19, true, false},
		{1 << 20, 1<<20 - 4<<10 - 1, true, false}, {1 << 20, 1<<20 - 4<<10, false, false}, {1 << 20, 1<<20 - 1, false, false},
		{5, -1, false, false}, {64<<10 + 5, -1, false, false}, {1<<20 + 2, -1, false, false},
	} {
		for _, c := range []byte("-_ %\x7f=") {
			text := []byte(strings.Repeat("Ab+/", r.size/4+1)[:r.size])
			if r.at >= 0 {
				text[r.at] = c
			}
			if c == '=' && r.at == r.size-1 {
				continue // padding
			}
			in := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"audio","mimeType":"audio/wav","data":"%s"}]}}`, text)
			_, bad := usual.Check(in, ctx)
			_, more := whole.Check(in, ctx)
			if bad.OK() != r.usual || more.OK() != r.more || !more.OK() && more.Code != mcpmsg.CodeSchemaForm {
				t.Errorf("%d bytes with %q at %d: %v, in whole %v", r.size, c, r.at, bad.Code, more.Code)
			}
		}
	}
	in := []byte(`{"jsonrpc":"2.0","id":1,"result":{"contents":[{"uri":"a:b","blob":"` + strings.Repeat("AAA\\/", 20_000) + `"}]}}`)
	if _, bad := usual.Check(in, server(mcpmsg.V20250618, mcpmsg.MethodResourcesRead)); !bad.OK() {
		t.Errorf("escaped slashes: %v", bad.Err())
	}
	if n := allocs(5, func() { whole.Check(in, ctx) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// TestLargeSchemas: what is within the bounds of a schema works, and costs no more than its messages are worth.
func TestLargeSchemas(t *testing.T) {
	var properties, enum, alike strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&properties, `"p%d":{"type":"integer"},`, i)
		fmt.Fprintf(&enum, `"v%d",`, i)
	}
	for i := range 64 {
		fmt.Fprintf(&alike, `"beginnin%03dand ends":{"type":"integer"},`, i)
	}
	s := compile(t, `{"type":"object","properties":{"e":{"items":{"enum":[`+enum.String()+`1,true]}},"o":{"properties":{`+properties.String()+
		`"z":{}}},"a":{"properties":{`+alike.String()+`"z":{}}},"s":{"pattern":"^a*$"},"l":{"items":{"oneOf":[{"pattern":"[a-z]{1,300}!"},{"type":"string"}]}}}}`)
	v := newValidator(t, mcpmsg.Config{Tools: []mcpmsg.ToolRule{{Name: "t", InputSchema: s, CaseSensitiveArguments: true}}, MaxMembers: 5000})
	for _, r := range []struct {
		arguments string
		want      mcpmsg.Code
	}{
		{`{"e":["v0","v2999","\u00761",1.0,true]}`, 0},
		{`{"e":["v0","v3000"]}`, mcpmsg.CodeSchemaValue},
		{`{"e":["true"]}`, mcpmsg.CodeSchemaValue},
		{`{"e":[2]}`, mcpmsg.CodeSchemaValue},
		{`{"o":{"p0":1,"p2999":2,"q":"x","p3000":"x"}}`, 0},
		{`{"o":{"p1717":"x"}}`, mcpmsg.CodeSchemaType},
		{`{"o":{"P2999":1}}`, mcpmsg.CodeMemberTwin},
		{`{"o":{"p-29_99":1}}`, mcpmsg.CodeMemberTwin},
		{`{"o":{"p7":1,"\u00707":1}}`, mcpmsg.CodeDuplicateMember},
		{`{"a":{"beginnin063and ends":1,"beginnin000and ends":2,"beginnin999and ends":"x"}}`, 0},
		{`{"a":{"beginnin031and ends":"x"}}`, mcpmsg.CodeSchemaType},
		{`{"s":"` + strings.Repeat("a", 1<<19) + `"}`, 0},
		{`{"s":"` + strings.Repeat("a", 1<<19) + `b"}`, mcpmsg.CodeSchemaPattern},
		{`{"l":["a"]}`, 0},
		{`{"l":["a!"]}`, mcpmsg.CodeSchemaAlternative},
		{`{"l":["` + strings.Repeat("a", 3_000) + `"]}`, 0},
		{`{"l":["a","` + strings.Repeat("a", 200_000) + `!"]}`, mcpmsg.CodeSchemaPattern}, // not taken for the other alternative
		{`{"l":[` + strings.Repeat(`"`+strings.Repeat("a", 60_000)+`",`, 3) + `"a"]}`, mcpmsg.CodeSchemaPattern},
	} {
		in := []byte(call + r.arguments + "}}")
		_, bad := v.Check(in, client(0))
		if bad.Code != r.want {
			t.Errorf("%.80s: %v at %d, want %v", r.arguments, bad.Err(), bad.Offset, r.want)
		}
		if n := allocs(1, func() { v.Check(in, client(0)) }); n != 0 {
			t.Errorf("%.80s: %v allocations, want 0", r.arguments, n)
		}
	}
}
