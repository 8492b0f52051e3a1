package waf

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport/sallyport/rules"
)

// rulesetFakeCRS has the layout and the order of events of the Core Rule Set: setup, reset of the scores in phase 1, a rule that adds,
// and the decision at the end. prefix is "@" for the layout of coraza-coreruleset.
func rulesetFakeCRS(setup, folder string) fstest.MapFS {
	return fstest.MapFS{
		setup: {Data: []byte(`SecDefaultAction "phase:1,log,auditlog,pass"
SecDefaultAction "phase:2,log,auditlog,pass"
SecAction "id:900990,phase:1,pass,nolog,setvar:tx.crs_setup_version=400"
`)},
		folder + "/REQUEST-901.conf": {Data: []byte(`SecAction "id:901001,phase:1,pass,nolog,setvar:tx.inbound_anomaly_score_pl1=0,setvar:tx.critical_anomaly_score=5"
SecRule REQUEST_METHOD "@streq DELETE" "id:911100,phase:1,block,log,msg:'method',tag:'OWASP_CRS',setvar:tx.inbound_anomaly_score_pl1=+5"
`)},
		folder + "/REQUEST-942.conf": {Data: []byte(`SecRule ARGS|ARGS_NAMES "@pmFromFile words.data" "id:942100,phase:2,block,log,msg:'sql',tag:'OWASP_CRS',setvar:tx.inbound_anomaly_score_pl1=+5"
SecRule ARGS_NAMES "@rx (?i)\Asession_?id\z" "id:943120,phase:2,block,log,msg:'fixation',tag:'OWASP_CRS',setvar:tx.inbound_anomaly_score_pl1=+5"
`)},
		folder + "/REQUEST-949.conf": {Data: []byte(`SecRule TX:inbound_anomaly_score_pl1 "@ge 5" "id:949110,phase:2,deny,log,msg:'score'"
SecRule RESPONSE_STATUS "@eq 500" "id:959100,phase:4,deny,log,msg:'response phases of this set are accepted'"
`)},
		folder + "/words.data": {Data: []byte("union select\n")},
	}
}

func TestCRSPlugin(t *testing.T) {
	for _, crs := range []fstest.MapFS{rulesetFakeCRS("@crs-setup.conf.example", "@owasp_crs"), rulesetFakeCRS("crs-setup.conf.example", "rules")} {
		rs := corazaLoad(t, RulesConfig{CRS: crs})
		if !slices.Contains(rs.IDs(), 949110) || !slices.Contains(rs.IDs(), 9599100) {
			t.Fatalf("IDs = %v, want the plug-in by default", rs.IDs())
		}
		call := func(args string) ruleInput {
			in := corazaInput("POST", "/messages?sessionId=5f1d2c3b-7a64", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":`+args+`}}`,
				"Content-Type", "application/json", "Authorization", "Bearer t")
			in.MCP = true
			return in
		}
		end := corazaInput("DELETE", "/mcp", "", "Authorization", "Bearer t")
		end.MCP = true
		for _, tc := range []struct {
			name   string
			in     ruleInput
			denied int // the rule that refuses
		}{
			{"SQL in an argument", call(`{"sql":"1 union select 2"}`), 0},
			{"SQL elsewhere", corazaInput("GET", "/search?q=1+union+select+2", ""), 949110},
			{"end of a session", end, 0},
			{"DELETE elsewhere", corazaInput("DELETE", "/items", ""), 949110},
			{"one of our rules, by its score", call(`{"path":"../../a"}`), 949110},
			{"our rules of phase 1, by their score", corazaInput("GET", "/api/backup", ""), 949110},
			{"padding", corazaInput("POST", "/x", `{"a":["`+strings.Repeat(`x","`, 5200)+`"]}`, "Content-Type", "application/json"), 9599860},
			{"a body that cannot be parsed", func() ruleInput { in := call(`{`); return in }(), 9599220},
		} {
			v := rs.evaluate(tc.in)
			if v.Err != nil || v.Denied != (tc.denied != 0) || (v.Denied && v.RuleIDs[len(v.RuleIDs)-1] != tc.denied) {
				t.Errorf("%s: %+v, want a refusal by %d", tc.name, v, tc.denied)
			}
		}
	}
	_, err := LoadRules(RulesConfig{CRS: fstest.MapFS{}})
	var re *RulesError
	if !errors.As(err, &re) || re.Reason != RulesUnreadable {
		t.Errorf("an empty CRS: %v", err)
	}
	rs := corazaLoad(t, RulesConfig{CRS: rulesetFakeCRS("crs-setup.conf.example", "rules"), Profiles: []rules.Profile{}})
	if slices.Contains(rs.IDs(), 9599100) {
		t.Error("an empty list of profiles loads one")
	}
}
