package schema

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
)

// TestGuess: what a walker has read before changes nothing. One that has read many objects with the members of a schema in some
// order, whole and damaged, says of each the same as one that has read nothing.
func TestGuess(t *testing.T) {
	r := maker{rand.New(rand.NewSource(5))}
	var names, members []string
	for n := 1; n <= 40; n += 1 + n/20 {
		for _, first := range []string{"a", "b"} {
			name := first + strings.Repeat("n", n-1)
			names = append(names, name)
			members = append(members, fmt.Sprintf(`"%s":%s`, name, r.pick(`{}`, `{}`, `{}`, `{}`, `{"type":["string","integer","object"]}`, `{"type":"string"}`)))
		}
	}
	half := len(names) / 2
	doc, err := Decode([]byte(`{"properties":{` + strings.Join(members[:half], ",") + `},"additionalProperties":{"properties":{` +
		strings.Join(members[half:], ",") + `}}}`))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := NewCompiler(doc, testDialect).Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	root := Dump([]*Edge{compiled}).Link(false)[0]
	limits := testLimits
	limits.Members = 18
	object := func(inner string) string {
		var list []string
		from := r.Intn(len(names))
		for i := range r.Intn(20) {
			name := names[(from+i)%len(names)] // mostly in order
			if r.Intn(8) == 0 {
				name = names[r.Intn(len(names))]
			}
			list = append(list, fmt.Sprintf(`"%s"%s:%s`, name, r.pick("", "", "", " "), r.pick(`"s"`, "1", "{}", inner)))
		}
		return "{" + strings.Join(list, r.pick(",", ",", ", ")) + "}"
	}
	old := NewWalker(limits)
	accepted := 0
	for range 30_000 {
		text := []byte(object(object("[]")))
		if n := r.Intn(3); n > 0 {
			at := r.Intn(len(text))
			if n == 1 {
				text[at] = `"{}:,abn\`[r.Intn(9)]
			} else {
				text = text[:at]
			}
		}
		fresh := NewWalker(limits)
		old.at = resume{}
		a, b := old.Walk(text, 0, root, 0), fresh.Walk(text, 0, root, 0)
		if a != b || old.Fault != fresh.Fault || old.at != fresh.at {
			t.Fatalf("%s: %d %+v after other texts, but %d %+v", text, a, old.Fault, b, fresh.Fault)
		}
		if a >= 0 {
			accepted++
		}
	}
	t.Logf("%d accepted", accepted)
	if accepted < 1000 {
		t.Error("the maker has become one-sided")
	}
}
