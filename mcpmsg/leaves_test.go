package mcpmsg_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

func TestLeaves(t *testing.T) {
	deep := strings.Repeat(`{"a":[`, 40) + `1` + strings.Repeat(`]}`, 40)
	for in, want := range map[string]string{
		``:    ``,
		`{}`:  `={}`,
		`"x"`: `="x"`,
		` { "a" : 1 , "b" : [ true , { } , [ ] , "x\"]" ] , "c" : { "d" : null } , "e" : "" } `: `/a=1;/b/0=true;/b/1={ };/b/2=[ ];/b/3="x\"]";/c/d=null;/e=""`,
		`{"a/b":{"\u007e":-1.5e3}}`: `/a~1b/~0=-1.5e3`,
		`[[1,2],[3]]`:               `/0/0=1;/0/1=2;/1/0=3`,
		deep:                        strings.Repeat("/a/0", 40) + "=1",
	} {
		var got []string
		leaves := mcpmsg.NewLeaves(mcpmsg.Raw(in))
		for leaves.Next() {
			path := string(leaves.AppendPath(nil))
			got = append(got, path+"="+string(leaves.Value()))
			if n := strings.Count(path, "/"); n != leaves.Depth() {
				t.Errorf("%s: depth %d at %s", in, leaves.Depth(), path)
			}
			if name := leaves.Name(); name != nil && !strings.Contains(in, string(name)) {
				t.Errorf("%s: name %s", in, name)
			}
		}
		if leaves.Next() || leaves.Value() != nil {
			t.Errorf("%s goes on after the end", in)
		}
		if got := strings.Join(got, ";"); got != want {
			t.Errorf("leaves of %s are\n%s\nwant\n%s", in, got, want)
		}
	}
	raw, buf := mcpmsg.Raw(`{"a":[1,{"b":"c"}],"d":{}}`), make([]byte, 0, 64)
	if n := allocs(20, func() {
		leaves := mcpmsg.NewLeaves(raw)
		for leaves.Next() {
			buf = leaves.AppendPath(buf[:0])
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestCorrelator(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	c, err := mcpmsg.NewCorrelator(2)
	if err != nil {
		t.Fatal(err)
	}
	send := func(in string) bool {
		m, bad := v.Check([]byte(in), client(0))
		if !bad.OK() {
			t.Fatal(bad.Err())
		}
		return c.Sent(&m)
	}
	if !send(`{"jsonrpc":"2.0","id":"\u0061","method":"tools/list"}`) || !send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`) ||
		send(`{"jsonrpc":"2.0","id":"a","method":"ping"}`) || send(`[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]`) ||
		!send(`{"jsonrpc":"2.0","id":1,"method":"ping"}`) || send(`{"jsonrpc":"2.0","id":3,"method":"ping"}`) {
		t.Error("Sent is wrong")
	}
	if m, ok := c.Method(mcpmsg.Raw(`"a"`)); m != mcpmsg.MethodToolsList || !ok {
		t.Errorf("Method = %v, %v", m, ok)
	}
	if _, ok := c.Method(mcpmsg.Raw(`"1"`)); ok {
		t.Error("a string is taken for a number")
	}
	if !c.Done(mcpmsg.Raw(`"a"`)) || c.Done(mcpmsg.Raw(`"a"`)) || c.Len() != 1 || !send(`{"jsonrpc":"2.0","id":"a","method":"ping"}`) {
		t.Error("Done is wrong")
	}
	for _, max := range []int{0, -1, 1<<20 + 1} {
		if _, err := mcpmsg.NewCorrelator(max); err == nil {
			t.Errorf("NewCorrelator(%d) is no error", max)
		}
	}
	for in, want := range map[string]string{
		`{"result":{"id":2},"id":"x"}`: `"x"`, ` {"id":1} `: `1`, `{"id":1,"id":1}`: ``, `{"id":1,"ID":1}`: ``, `{"id":1}x`: ``, `{"id":null}`: ``, `[{"id":1}]`: ``, ``: ``,
	} {
		if got := v.IDOf([]byte(in)); string(got) != want {
			t.Errorf("IDOf(%s) = %s, want %s", in, got, want)
		}
	}
}

// TestCorrelatorTasks: the answer to a request that asks for a task is judged by what its receiver has declared.
func TestCorrelatorTasks(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	const all = `{"tasks":{"requests":{"tools":{"call":{}},"sampling":{"createMessage":{}},"elicitation":{"create":{}}}}}`
	for _, r := range []struct {
		name, capabilities, request string
		ctx                         mcpmsg.Context
		want                        mcpmsg.Task
	}{
		{"tool", all, `"tools/call","params":{"name":"t","task":{}}`, client(mcpmsg.V20251125), mcpmsg.TaskExpected},
		{"tool, escaped", all, `"tools/call","params":{"name":"t","t\u0061sk":{"ttl":1}}`, client(0), mcpmsg.TaskExpected},
		{"tool without task", all, `"tools/call","params":{"name":"t","arguments":{"task":{}}}`, client(mcpmsg.V20251125), mcpmsg.TaskNone},
		{"tool of another receiver", `{"tasks":{"requests":{"sampling":{"createMessage":{}}}}}`, `"tools/call","params":{"name":"t","task":{}}`, client(mcpmsg.V20251125), mcpmsg.TaskPossible},
		{"nothing declared", ``, `"tools/call","params":{"name":"t","task":{}}`, client(mcpmsg.V20251125), mcpmsg.TaskPossible},
		{"tool of another revision", all, `"tools/call","params":{"name":"t","task":{}}`, client(mcpmsg.V20250618), mcpmsg.TaskNone},
		{"list", all, `"tools/list","params":{"task":{}}`, client(mcpmsg.V20251125), mcpmsg.TaskNone},
		{"list without params", all, `"tools/list"`, client(mcpmsg.V20251125), mcpmsg.TaskNone},
		{"sampling", all, `"sampling/createMessage","params":{"maxTokens":1,"messages":[],"task":{}}`, server(mcpmsg.V20251125, 0), mcpmsg.TaskExpected},
		{"form", all, `"elicitation/create","params":{"message":"m","task":{},"requestedSchema":{"type":"object","properties":{}}}`, server(mcpmsg.V20251125, 0), mcpmsg.TaskExpected},
		{"form without task", all, `"elicitation/create","params":{"message":"m","requestedSchema":{"type":"object","properties":{}}}`, server(mcpmsg.V20251125, 0), mcpmsg.TaskNone},
	} {
		c, err := mcpmsg.NewCorrelator(1)
		if err != nil {
			t.Fatal(err)
		}
		m, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":1,"method":`+r.request+`}`), r.ctx)
		if !bad.OK() || !c.Sent(&m) {
			t.Fatalf("%s: %v", r.name, bad.Err())
		}
		capabilities := mcpmsg.Raw(r.capabilities)
		c.Declare(capabilities)
		got, ok := c.Context(m.ID)
		want := mcpmsg.Context{Direction: mcpmsg.FromClient + mcpmsg.FromServer - r.ctx.Direction, ResultOf: m.Method, Task: r.want}
		if got != want || !ok {
			t.Errorf("%s: Context = %+v, %v, want %+v", r.name, got, ok, want)
		}
		if c.Declare(nil); r.want == mcpmsg.TaskExpected {
			if got, _ := c.Context(m.ID); got.Task != mcpmsg.TaskPossible {
				t.Errorf("%s: what was declared before still holds: %v", r.name, got.Task)
			}
		}
		if n := allocs(10, func() { m.AsksForTask(); c.Declare(capabilities); c.Context(m.ID) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", r.name, n)
		}
		if got, ok := c.Context(mcpmsg.Raw(`2`)); ok || got != (mcpmsg.Context{}) {
			t.Errorf("%s: another id has %+v", r.name, got)
		}
	}
	if _, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":1,"result":{}}`), mcpmsg.Context{Direction: mcpmsg.FromServer, Task: mcpmsg.TaskExpected + 1}); bad.Code != mcpmsg.CodeNotConfigured {
		t.Errorf("an unknown Task is %v", bad.Code)
	}
}

// TestCorrelatorModel plays random requests and answers against a map.
func TestCorrelatorModel(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	const most = 5
	c, err := mcpmsg.NewCorrelator(most)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{`1`, `"1"`, `"\u0031"`, `-1`, `"a"`, `"\u0061"`, `"b\""`, `"b\u0022"`, `0`, `""`, `"` + strings.Repeat("x", 254) + `"`, `2`, `3`, `4`}
	same := map[string]string{`"\u0031"`: `"1"`, `"\u0061"`: `"a"`, `"b\u0022"`: `"b\""`}
	key := func(id string) string { return cmp.Or(same[id], id) }
	model := map[string]mcpmsg.Method{}
	r := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		id := ids[r.IntN(len(ids))]
		if r.IntN(2) == 0 {
			method := []string{"ping", "tools/list"}[r.IntN(2)]
			m, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":`+id+`,"method":"`+method+`"}`), client(0))
			if !bad.OK() {
				t.Fatal(bad.Err())
			}
			_, taken := model[key(id)]
			if want := !taken && len(model) < most; c.Sent(&m) != want {
				t.Fatalf("Sent of %s is %v", id, !want)
			} else if want {
				model[key(id)] = m.Method
			}
		} else {
			_, want := model[key(id)]
			if c.Done(mcpmsg.Raw(id)) != want {
				t.Fatalf("Done of %s is %v", id, !want)
			}
			delete(model, key(id))
		}
		for _, id := range ids {
			got, ok := c.Method(mcpmsg.Raw(id))
			if want, has := model[key(id)]; got != want || ok != has {
				t.Fatalf("Method of %s is %v, want %v", id, got, want)
			}
		}
		if c.Len() != len(model) || c.Len() > most {
			t.Fatalf("Len is %d, want %d", c.Len(), len(model))
		}
	}
	if n := allocs(10, func() { c.Method(mcpmsg.Raw(`"b\u0022"`)); c.Done(mcpmsg.Raw(`1`)) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func ExampleLeaves() {
	leaves := mcpmsg.NewLeaves(mcpmsg.Raw(`{"path":"a.txt","options":{"depth":2,"tags":["x"]}}`))
	for leaves.Next() {
		fmt.Printf("%s %s\n", leaves.AppendPath(nil), leaves.Value())
	}
	// Output:
	// /path "a.txt"
	// /options/depth 2
	// /options/tags/0 "x"
}
