package mcpmsg

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/jsonscan"
	"github.com/sallyport/sallyport/internal/schema"
)

// paramHeader is an argument that a header field repeats: Mcp-Param- and a name.
type paramHeader struct {
	field   string
	path    []string // member names from the arguments down
	integer bool
}

const headerParam = "Mcp-Param-"

// paramHeaders finds the x-mcp-header marks of an input schema. A mark where there may be none is an error.
//
// Source: MCP 2026-07-28, Tools, x-mcp-header: an RFC 9110 token, unique without regard to case, on a string, integer or
// boolean that is reachable from the root through properties alone. Stricter: unique without regard to the difference of hyphens
// and underscores too. Gateways in the manner of CGI do not keep it (RFC 3875, 4.1.18), so that two such fields are one behind them.
func paramHeaders(doc map[string]any) ([]paramHeader, error) {
	var found []paramHeader
	var visit func(v any, path []string, reachable bool) error
	visit = func(v any, path []string, reachable bool) error {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				if err := visit(e, path, false); err != nil {
					return err
				}
			}
		case map[string]any:
			if mark, ok := v["x-mcp-header"]; ok {
				name, _ := mark.(string)
				typ, _ := v["type"].(string)
				switch {
				case !reachable || len(path) == 0:
					return fmt.Errorf("mcpmsg: schema: x-mcp-header at %q is not reachable through properties alone", path)
				case !isFieldName(name):
					return fmt.Errorf("mcpmsg: schema: x-mcp-header at %q is not a token", path)
				case typ != "string" && typ != "integer" && typ != "boolean":
					return fmt.Errorf("mcpmsg: schema: x-mcp-header at %q is not on a string, integer or boolean", path)
				}
				if len(found) == maxHeaderMarks {
					return fmt.Errorf("mcpmsg: schema: more than %d x-mcp-header", maxHeaderMarks)
				}
				found = append(found, paramHeader{headerParam + name, slices.Clone(path), typ == "integer"})
			}
			for k, e := range v {
				var err error
				switch k {
				case "properties":
					members, _ := e.(map[string]any)
					for name, m := range members {
						if err = visit(m, append(path[:len(path):len(path)], name), reachable); err != nil {
							return err
						}
					}
				case "const", "enum", "default", "examples": // data
				default:
					err = visit(e, path, false)
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := visit(doc, nil, true); err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b paramHeader) int { return strings.Compare(a.field, b.field) })
	for i := range found {
		for _, other := range found[:i] {
			if isField(other.field, found[i].field) {
				return nil, fmt.Errorf("mcpmsg: schema: x-mcp-header %q is there twice, as %q", found[i].field, other.field)
			}
		}
	}
	return found, nil
}

// isFieldName reports whether s is a token of RFC 9110, 5.6.2.
func isFieldName(s string) bool {
	for _, c := range []byte(s) {
		if c-'0' >= 10 && c|0x20-'a' >= 26 && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// mirrorsParams judges the Mcp-Param fields of a tool whose schema is known.
func (v *Validator) mirrorsParams(m *Message, header map[string][]string, must bool) Violation {
	if m.Method != MethodToolsCall || v.tools == nil {
		return Violation{}
	}
	c := v.pool.Get().(*check)
	rule := v.tools[string(c.textOf(m.Name))]
	v.pool.Put(c)
	if rule == nil || rule.InputSchema == nil {
		return Violation{}
	}
	for i := range rule.InputSchema.headers {
		p := &rule.InputSchema.headers[i]
		var f field
		for key, values := range header {
			if isField(key, p.field) {
				f.add(values)
			}
		}
		if code := p.mirrors(f, argument(m.Arguments, p.path), must); code != CodeOK {
			return Violation{Code: code, Name: p.field}
		}
	}
	return Violation{}
}

// argument returns the value at a path of member names, nil if there is none. It reads at no more than once, up to the end of
// the value.
func argument(at Raw, path []string) Raw {
	if len(at) == 0 {
		return nil
	}
	i := 0
	for _, name := range path {
		if i = jsonscan.Member(at, i, name); i < 0 {
			return nil
		}
	}
	return at[i:jsonscan.Skip(at, i)]
}

// mirrors judges one field by the argument that it repeats.
func (p *paramHeader) mirrors(f field, value Raw, must bool) Code {
	switch value.Kind() {
	case RawString:
		return f.mirrors(value, must, true)
	case RawAbsent, RawNull:
		if f.lines > 0 {
			return CodeMirrorUnexpected
		}
		return CodeOK
	}
	switch {
	case f.lines > 1:
		return CodeMirrorRepeated
	case f.lines == 0 && must:
		return CodeMirrorMissing
	case f.lines == 0, f.value == string(value), p.integer && equalIntegers(f.value, value):
		return CodeOK
	}
	return CodeMirrorMismatch
}

// equalIntegers reports whether a field value is a number with the value of the argument, like 42.0 and 42.
func equalIntegers(s string, r Raw) bool {
	if s == "" || s[0] != '-' && s[0]-'0' >= 10 || len(s) > 64 || r.Kind() != RawNumber {
		return false
	}
	var buf [64]byte
	end, _ := jsonscan.Number(append(buf[:0], s...), 0)
	return end == len(s) && schema.CompareNumbers(s, r) == 0
}
