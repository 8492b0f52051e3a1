package waf

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// What the README of package rules offers for copying does what it says.
func TestReadmeExclusions(t *testing.T) {
	readme, err := os.ReadFile("../rules/README.md")
	if err != nil {
		t.Fatal(err)
	}
	call := func(tool, args string) ruleInput {
		in := corazaInput("POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+tool+`","arguments":`+args+`}}`,
			"Content-Type", "application/json", "Authorization", "Bearer t")
		in.MCP = true
		return in
	}
	local := `{"url":"http://192.168.1.9/"}`
	stdio := corazaInput("POST", "/admin/mcp/add", `{"transport":"stdio","command":"x","args":[]}`, "Content-Type", "application/json")
	token := corazaInput("GET", "/mcp?token=a", "")
	token.MCP = true
	for _, tc := range []struct {
		line   string // a line of the README, or the beginning of one
		first  bool   // before the rules
		passes ruleInput
		denies ruleInput
	}{
		{line: `SecRuleUpdateActionById 9599100-9599949 "pass"`, passes: call("fetch", local)},
		{line: `SecRuleRemoveById 9599103`, passes: token, denies: call("fetch", local)},
		{line: `SecRuleRemoveByTag "sallyport/arg-ssrf"`, passes: call("fetch", local), denies: token},
		{line: `SecRule REQUEST_FILENAME "@beginsWith /admin/mcp/"`, first: true, passes: stdio, denies: corazaInput(
			"POST", "/other/mcp/add", `{"transport":"stdio","command":"x"}`, "Content-Type", "application/json",
		)},
		{line: `SecRule ARGS:json.params.name|ARGS:params.name "@rx \Ahome_`, first: true, passes: call("home_get", local), denies: call("at_home_get", local)},
		{line: `SecRuleUpdateTargetById 9599200`, passes: corazaInput("GET", "/", "", "X-Proxy-Context", strings.Repeat("a", 3000)), denies: corazaInput(
			"GET", "/", "", "X-Other-Context", strings.Repeat("a", 3000),
		)},
		{line: `SecAction "id:1000,phase:1,pass,nolog,setvar:tx.sallyport_paranoia_level=2`, first: true,
			passes: corazaInput("GET", "/", "", "X-Other", strings.Repeat("a", 4096)), denies: corazaInput("GET", "/", "", "X-Other", strings.Repeat("a", 4097))},
	} {
		text := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(tc.line) + `.*$`).FindString(string(readme))
		if text == "" {
			t.Errorf("the README has no line %q", tc.line)
			continue
		}
		cfg := RulesConfig{Inline: text}
		if tc.first {
			cfg = RulesConfig{Setup: text}
		}
		rs := corazaLoad(t, cfg)
		if v := rs.evaluate(tc.passes); v.Denied || v.Err != nil {
			t.Errorf("%s: %+v, want no refusal", text, v)
		}
		if tc.denies.Request != nil {
			if v := rs.evaluate(tc.denies); !v.Denied {
				t.Errorf("%s: %+v, want a refusal of what is not excluded", text, v)
			}
		}
	}
	text := regexp.MustCompile(`SecRule HEADER_NAME.*`).FindString(string(readme))
	if _, err := LoadRules(RulesConfig{Inline: text}); err == nil {
		t.Errorf("%q loads", text)
	}
}
