package mcpmsg_test

import (
	"fmt"
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
