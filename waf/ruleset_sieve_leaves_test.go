package waf

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/rules"
)

// Rules for which a leaf counts that seems to be of no use, one for each trap of the language. Rule 9 refuses the request, but only if the
// engine sees that leaf.
var sieveLeafTraps = map[string]string{
	"one of many": `SecRule ARGS:/arguments/ "@streq last" "id:9,phase:2,deny"`,
	"a chain that fails has changed a variable": `SecRule ARGS:/a\z/ "@streq x" "id:1,phase:2,pass,nolog,setvar:tx.n=+1,chain"
    SecRule ARGS:/none/ "@streq x"
SecRule TX:n "@eq 2" "id:2,phase:2,pass,nolog,skipAfter:END"
SecRule ARGS:/d\z/ "@streq last" "id:9,phase:2,deny"`,
	"a count that is too high for a negated comparison": `SecRule &ARGS:/arguments/ "!@gt 3" "id:1,phase:2,deny"
SecRule ARGS:/d\z/ "@streq last" "id:9,phase:2,deny"`,
	"a count that is just enough":       `SecRule &ARGS:/arguments/ "@ge 4" "id:9,phase:2,deny"`,
	"a count that a variable bounds":    `SecRule &ARGS:/arguments/ "@gt %{tx.n}" "id:9,phase:2,deny"`,
	"a count of what is left":           `SecRule &ARGS:/arguments/|!ARGS:/b\z/ "@lt 4" "id:9,phase:2,deny"`,
	"a count of names":                  `SecRule &ARGS_NAMES:/arguments/ "@eq 4" "id:9,phase:2,deny"`,
	"a count that is looked at as text": `SecRule &ARGS:/arguments/ "@rx \A4\z" "id:9,phase:2,deny"`,
	"a count behind a transformation":   `SecRule &ARGS:/arguments/ "@eq 1" "id:9,phase:2,deny,t:length"`,
	"a rule that may have been skipped": `SecRule ARGS:/a\z/ "@pm x" "id:1,phase:2,pass,nolog,skipAfter:M1"
SecAction "id:2,phase:2,pass,nolog,setvar:tx.n=4"
SecMarker M1
SecRule TX:n "@eq 4" "id:3,phase:2,pass,nolog,skipAfter:END"
SecRule ARGS:/d\z/ "@streq last" "id:9,phase:2,deny"`,
	"a rule that may have matched": `SecRule ARGS:/a\z/ "@pm nothing" "id:1,phase:2,pass,nolog,setvar:tx.n=4"
SecRule TX:n "@eq 4" "id:3,phase:2,pass,nolog,skipAfter:END"
SecRule ARGS:/d\z/ "@streq last" "id:9,phase:2,deny"`,
	"a target taken away": `SecRule ARGS:/a\z/ "@streq x" "id:1,phase:2,pass,nolog,ctl:ruleRemoveTargetById=9;ARGS:json.params.arguments.a"
SecRule &ARGS:/arguments/ "@gt 2" "id:9,phase:2,deny"`,
	"a rule taken away in phase 1": `SecAction "id:1,phase:1,pass,nolog,ctl:ruleRemoveById=2"
SecAction "id:2,phase:2,pass,nolog,skipAfter:END"
SecRule ARGS:/d\z/ "@streq last" "id:9,phase:2,deny"`,
	"a rule taken away": `SecRule ARGS:/a\z/ "@streq x" "id:1,phase:2,pass,nolog,ctl:ruleRemoveById=2"
SecAction "id:2,phase:2,pass,nolog,skipAfter:END"
SecRule ARGS:/d\z/ "@streq last" "id:9,phase:2,deny"`,
	"all that has matched": `SecRule ARGS:/arguments/ "@rx ." "id:9,phase:2,deny,chain"
    SecRule MATCHED_VARS "@streq last"`,
	"how many have matched": `SecRule ARGS:/arguments/ "@rx ." "id:1,phase:2,pass,nolog,setvar:tx.n=+1"
SecRule TX:n "@eq 6" "id:9,phase:2,deny"`,
	"a macro in a message is no use of it": `SecRule ARGS:/arguments/ "@streq last" "id:9,phase:2,deny,msg:'%{ARGS.a}'"`,
	"a macro in a comparison":              `SecRule ARGS:/d\z/ "@streq %{ARGS.json.params.arguments.c}st" "id:9,phase:2,deny"`,
	"a size":                               `SecRule ARGS_COMBINED_SIZE "@gt 100" "id:9,phase:2,deny"`,
	"the value before a transformation":    `SecRule ARGS:/d\z/ "@streq last" "id:9,phase:2,deny,t:uppercase,multiMatch"`,
	"a phase in a chain": `SecRule ARGS:/d\z/ "@streq last" "id:9,phase:2,deny,chain"
    SecRule REQUEST_METHOD "@streq POST" "phase:1"`,
	"what a negated pattern captures": `SecRule ARGS:/d\z/ "!@rx (last)" "id:1,phase:2,pass,nolog,capture"
SecRule TX:1 "@streq last" "id:9,phase:2,deny"`,
	"name or value":     `SecRule ARGS_NAMES:/d\z/|ARGS:/d\z/ "@within %{tx.n} last" "id:9,phase:2,deny"`,
	"a name in its own": `SecRule ARGS_NAMES "@rx arguments\.d\z" "id:9,phase:2,deny"`,
	"bytes":             `SecRule ARGS "@rx \xc3\xa9|la\x73t" "id:9,phase:2,deny"`,
}

func TestSieveLeafTraps(t *testing.T) {
	filtered := 0
	for name, text := range sieveLeafTraps {
		rs := corazaInline(t, `SecAction "id:100,phase:1,pass,nolog,setvar:tx.n=2"`+"\n"+text+"\nSecMarker END")
		if rs.sieve == nil {
			t.Fatalf("%s: no sieve", name)
		}
		if rs.sieve.leaves != nil {
			filtered++
		}
		for _, target := range []string{"/mcp", "/mcp?%61"} {
			in := corazaInput("POST", target, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":"x","b":"y","c":"la","d":"last"}}}`)
			if !sieveParse(&in) {
				t.Fatal("the message is refused")
			}
			if sieveCompare(t, rs, &in) {
				t.Errorf("%s: passes", name)
			}
			if v := rs.evaluate(in); !slices.Equal(v.RuleIDs, []int{9}) {
				t.Errorf("%s, %s: %+v, want a refusal by rule 9", name, target, v)
			}
		}
	}
	if filtered < len(sieveLeafTraps)*3/4 {
		t.Errorf("leaves are chosen for %d of %d rulesets only", filtered, len(sieveLeafTraps))
	}
}

// Of a long message that nothing is wrong with, the engine sees a few leaves.
func TestSieveLeavesAreFew(t *testing.T) {
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write_files","arguments":{"files":[` +
		strings.TrimSuffix(strings.Repeat(`{"path":"src/pkg9/file.go","content":"a := b\n","mode":"rw"},`, 300), ",") + `]}}}`
	for _, p := range []rules.Profile{rules.Portable, rules.Coraza} {
		rs := corazaLoad(t, RulesConfig{Profiles: []rules.Profile{p}})
		in := corazaInput("POST", "/mcp?a=%41", body, "Content-Type", "application/json", "Authorization", "Bearer t")
		m, bad := sieveMessages.Check(in.Body, mcpmsg.Context{Direction: mcpmsg.FromClient})
		if !bad.OK() {
			t.Fatal(bad.Err())
		}
		in.Message, in.MCP = &m, true
		n := 0
		tx := rs.waf.NewTransaction()
		r := rs.sieve.start(&in)
		if v := rs.run(tx, &in, r); v.Denied || v.Err != nil || r.keep == nil {
			t.Fatalf("%v: %+v", p, v)
		}
		for _, keep := range r.keep {
			if keep {
				n++
			}
		}
		if t.Logf("%v: %d of %d", p, n, len(r.keep)); n > 40 {
			t.Errorf("%v: %d of %d leaves reach the engine", p, n, len(r.keep))
		}
		r.end()
		if err := tx.Close(); err != nil {
			t.Error(err)
		}
	}
}
