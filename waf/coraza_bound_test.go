package waf

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

func TestCorazaTooLong(t *testing.T) {
	messages, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		t.Fatal(err)
	}
	list := func(n, size int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("p.", size/2-1)+`",`, n), ",") + "]"
	}
	sieved := corazaInline(t, `SecRule ARGS:none "@streq a" "id:1000,phase:2,deny"`)
	engine := &Ruleset{waf: sieved.waf, args: sieved.args}
	text := func(size int) string { return `"` + strings.Repeat("a", size-3) + `."` }
	for _, tc := range []struct {
		name, member, value string
		want                bool
	}{
		{"path at the bound", "path", text(corazaMaxShortBytes - 5), false}, // the name of the tool takes four bytes, the id one
		{"path over the bound", "path", text(corazaMaxShortBytes - 4), true},
		{"many paths over it", "paths", list(900, 300), true},
		{"many paths below it", "paths", list(600, 100), false},
		{"in another case, nested", "targetURL", `{"fileNames":` + list(900, 300) + `}`, true},
		{"destination over it", "destination", text(corazaMaxShortBytes), true},
		{"directory to work in, over it", "CWD", text(corazaMaxShortBytes), true},
		{"targets over it", "targets", list(900, 300), true},
		{"a text whose name ends so", "sitemap_target", text(1 << 20), false},
		{"a source", "source", text(1 << 20), false},
		{"a text", "text", text(1 << 20), false},
		{"a program", "content", text(1 << 20), false},
		{"a statement", "sql", text(1 << 20), false},
		{"many items", "messages", list(900, 300), false},
	} {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wf","arguments":{%q:%s}}}`, tc.member, tc.value)
		m, v := messages.Check([]byte(body), mcpmsg.Context{Direction: mcpmsg.FromClient})
		if !v.OK() {
			t.Fatalf("%s: %v", tc.name, v.Err())
		}
		if got := corazaTooLong(&m); got != tc.want {
			t.Errorf("%s: corazaTooLong = %v, want %v", tc.name, got, tc.want)
		}
		in := corazaInput("POST", "/mcp", body)
		in.Message = &m
		for _, rs := range []*Ruleset{sieved, engine} {
			if v := rs.evaluate(in); v.Denied != tc.want || v.Err != nil || (tc.want && v.Status != http.StatusRequestEntityTooLarge) {
				t.Errorf("%s: sieve %v: %+v, want a refusal: %v", tc.name, rs.sieve != nil, v, tc.want)
			}
		}
	}
	if corazaTooLong(nil) {
		t.Error("no message is too long")
	}
}
