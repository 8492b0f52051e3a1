package waf

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Ids of the rules that LoadRules itself adds, from the block of package rules.
const (
	rulesetIDJSON         = 9599990
	rulesetIDXML          = 9599991
	rulesetIDCanaryHeader = 9599992
	rulesetIDCanaryBody   = 9599993
	rulesetIDArguments    = 9599994
	rulesetIDEarly        = 9599995
	rulesetIDPhases       = 9599996
)

// rulesetCanaryVariable is set by the adapter for canary requests only; a request cannot set it.
const rulesetCanaryVariable = "sallyport_canary"

// rulesetCanaryRules end every ruleset. They fire for canary requests and prove that the end of the text was reached, that the
// engine refuses, reads JSON bodies, folds the case of selectors and takes \A and \z for the ends of a value: build tags of the
// final program can change each of these.
var rulesetCanaryRules = fmt.Sprintf(`SecRule TX:%[1]s "@streq header" "id:%[2]d,phase:1,deny,status:499,nolog,t:none,chain"
    SecRule REQUEST_HEADERS:X-Canary "@rx \Aa\z" "t:none"
SecRule TX:%[1]s "@streq body" "id:%[3]d,phase:2,deny,status:499,nolog,t:none,chain"
    SecRule ARGS:/json\.canary\.leaf\z/ "@rx \Aa\nb\z" "t:none"
`, rulesetCanaryVariable, rulesetIDCanaryHeader, rulesetIDCanaryBody)

// rulesetPhaseRules begin every ruleset. The second one refuses the canary for it if the first one has run in phase 1.
var rulesetPhaseRules = fmt.Sprintf(`SecRule TX:%[1]s "@streq phases" "id:%[2]d,phase:2,pass,nolog,t:none,chain"
    SecRule ARGS_GET:canary "@streq 1" "t:none,setvar:tx.sallyport_early=1"
SecRule TX:sallyport_early "@eq 1" "id:%[3]d,phase:1,deny,status:499,nolog,t:none"
`, rulesetCanaryVariable, rulesetIDEarly, rulesetIDPhases)

// A rulesetCanary is a request that a loaded ruleset must refuse, by the rule with this id if that rule is loaded.
type rulesetCanary struct {
	rule   int
	passes bool   // this rule must not refuse it
	why    string // what is wrong if it does not come out so; "" = nothing in particular
	method string
	target string
	header http.Header
	body   string
	marker string // tells the canary rules which of them is meant
}

// rulesetCanaries lists them. The long field is longer than any threshold that somebody may have set.
func rulesetCanaries() []rulesetCanary {
	return []rulesetCanary{
		{rule: rulesetIDCanaryHeader, method: "GET", target: "/", header: http.Header{"X-Canary": {"a"}}, marker: "header"},
		{
			rule: rulesetIDPhases, passes: true, method: "GET", target: "/?canary=1", marker: "phases",
			why: "rules run before their phase, as with the build tag coraza.rule.multiphase_evaluation",
		},
		{
			rule: rulesetIDCanaryBody, method: "POST", target: "/", marker: "body",
			why:    "a JSON body or the names in it are not read as they should, as with the build tag coraza.rule.case_sensitive_args_keys",
			header: http.Header{"Content-Type": {"application/json"}}, body: `{"Canary":{"Leaf":"a\nb"}}`,
		},
		{
			rule: 9599100, method: "POST", marker: "profile", target: "//x/%2e%2e/mcp%5Fmessage/?sessionId=5f1d2c3b-7a64-4e0e-9a53-0c2f6b8d91aa",
			header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer "}}, body: `{}`,
		},
		{rule: 9599200, method: "GET", target: "/", marker: "profile", header: http.Header{"X-Long": {strings.Repeat("a", 1<<20)}}},
		{
			rule: 9599220, method: "POST", marker: "profile", target: "/mcp", body: `{"jsonrpc":"2.0"`,
			header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer canary"}},
		},
	}
}

// rulesetProve sends the canaries through a new ruleset. A canary whose rule is not part of the set, or was removed or changed on
// purpose, or only adds to a score, is left out.
func rulesetProve(rs *Ruleset, units []rulesetUnit) error {
	var errs []error
	for _, c := range rulesetCanaries() {
		if !rulesetMustRefuse(units, c.rule) {
			continue
		}
		u, err := url.ParseRequestURI(c.target)
		if err != nil {
			return err
		}
		req := &http.Request{
			Method: c.method, URL: u, RequestURI: c.target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Host: "canary.invalid", Header: c.header,
		}
		v := rs.evaluate(ruleInput{Request: req, Body: []byte(c.body), ClientIP: netip.IPv6Loopback(), canary: c.marker})
		failed := !v.Denied
		if c.passes {
			failed = slices.Contains(v.RuleIDs, c.rule)
		}
		if v.Err != nil || failed {
			detail := c.why
			if detail == "" {
				detail = "a request that this rule refuses went through"
			}
			errs = append(errs, &RulesError{Rule: c.rule, Reason: RulesCanary, Detail: detail, Err: v.Err})
		}
	}
	return errors.Join(errs...)
}
