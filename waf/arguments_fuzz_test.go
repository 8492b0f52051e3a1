package waf

import (
	"bytes"
	"encoding/json"
	"math/big"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

// fuzzedConditions are of all kinds, and at all depths.
var fuzzedConditions = []ArgumentRule{
	{Path: "/env", OneOf: []any{"staging", json.Number("1.50"), true}},
	{Path: "/path", Prefixes: []string{"/docs/", "/p"}},
	{Path: "/tool/name", OneOf: []any{"search"}, Optional: true},
	{Path: "/tool/a~1b/~0", Prefixes: []string{"x"}, Optional: true},
}

// met judges a decoded object by the conditions alone, with encoding/json, math/big and package path. Doubtful says that it has a
// member that some reader could take for another one: then the real check may refuse what met allows.
func met(arguments map[string]any) (ok, doubtful bool) {
	ok = true
	for _, rule := range fuzzedConditions {
		var value any = arguments
		present := true
		for _, name := range strings.Split(rule.Path[1:], "/") {
			name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
			object, isObject := value.(map[string]any)
			if !isObject {
				ok = false
				break
			}
			for other := range object {
				if other != name && strings.EqualFold(other, name) {
					ok = false
				}
				if strings.ContainsFunc(other, func(r rune) bool { return r >= 0x80 || r < ' ' || r == '_' || r == '-' || r == ' ' }) {
					doubtful = true
				}
			}
			if value, present = object[name]; !present {
				break
			}
		}
		switch {
		case !present:
			ok = ok && rule.Optional
		case rule.OneOf != nil:
			ok = ok && slices.ContainsFunc(rule.OneOf, func(want any) bool { return sameScalar(want, value) })
		default:
			text, isText := value.(string)
			clean := path.Clean(text)
			ok = ok && isText && slices.ContainsFunc(rule.Prefixes, func(p string) bool { return strings.HasPrefix(text, p) && strings.HasPrefix(clean+"/", p) })
			doubtful = doubtful || text != clean || strings.ContainsAny(text, "%\\.;?#") || strings.ContainsFunc(text, func(r rune) bool { return r >= 0x7f || r < ' ' })
		}
	}
	return ok, doubtful
}

func sameScalar(want, value any) bool {
	a, isNumber := want.(json.Number)
	b, valueIsNumber := value.(json.Number)
	if !isNumber || !valueIsNumber {
		return !isNumber && !valueIsNumber && want == value
	}
	x, _ := new(big.Rat).SetString(a.String())
	y, readable := new(big.Rat).SetString(b.String())
	return readable && x.Cmp(y) == 0
}

// FuzzArguments compares the conditions with an independent reading of the same arguments.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{
		`{"env":"staging","path":"/docs/a"}`, `{"env":1.5,"path":"/pub","tool":{"name":"search","a/b":{"~":"xy"}}}`, `{"env":15e-1,"path":"/p"}`,
		`{"env":true,"path":"/docs/../x"}`, `{"env":true,"path":"/p/..","Path":1}`, `{"env":"st\u0061ging","path":"\/docs/","tool":{"NAME":"x"}}`,
		`{"env":null,"path":[]}`, `{"env":"staging","path":"/docs/a","tool":[]}`, `{}`, `{"env":"true","path":"/docs/%2e%2e/"}`,
	} {
		f.Add([]byte(seed))
	}
	rules, errs := compileArguments("Rule", AccessRule{Identity: "*", Arguments: fuzzedConditions}, mcpmsg.Config{})
	messages, err := mcpmsg.New(mcpmsg.Config{})
	if len(errs) > 0 || err != nil {
		f.Fatal(errs, err)
	}
	f.Fuzz(func(t *testing.T, arguments []byte) {
		body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":` + string(arguments) + `}}`
		m, bad := messages.Check([]byte(body), mcpmsg.Context{Version: mcpmsg.V20250618, Direction: mcpmsg.FromClient})
		if !bad.OK() || m.Arguments == nil || len(arguments) > 4096 {
			return
		}
		var object map[string]any
		dec := json.NewDecoder(bytes.NewReader(m.Arguments))
		dec.UseNumber()
		if err := dec.Decode(&object); err != nil {
			t.Fatalf("encoding/json does not read %s: %v", m.Arguments, err)
		}
		got := rules.unmet(newArgumentCall(m.Arguments)) == ""
		want, doubtful := met(object)
		if got && !want || want && !got && !doubtful {
			t.Errorf("%s: met %v, by the oracle %v", m.Arguments, got, want)
		}
	})
}
