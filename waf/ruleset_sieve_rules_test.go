package waf

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/rules"
)

// A ruleWriter writes rules out of everything that SecLang has, so that many of them nearly mean something else to the sieve.
type ruleWriter struct {
	*rand.Rand
	id int
}

func (w *ruleWriter) pick(list ...string) string { return list[w.IntN(len(list))] }

// variables writes a list of variables: collections, selectors of each kind, exceptions in front of and behind what they except, counts.
func (w *ruleWriter) variables() string {
	key := func() string {
		return w.pick("a", "A", "json.params.arguments.a", "json.params.arguments.a", "json.params.name", "X-Url", "/a/", "/A/", `/\.a\z/`, `/\.a\z/`, "/arguments/",
			"/arguments/", `/\.[ab]\z/`, `/b\.[0-9]+\z/`, "/b.1/", `/params\.name/`, `/a\/b/`, "/1/")
	}
	var list []string
	for range 1 + w.IntN(3) {
		name := w.pick("ARGS", "ARGS", "ARGS", "ARGS_NAMES", "ARGS_NAMES", "ARGS_GET", "ARGS_GET_NAMES", "ARGS_POST", "ARGS_POST_NAMES", "REQUEST_HEADERS",
			"REQUEST_HEADERS_NAMES", "REQUEST_COOKIES", "REQUEST_COOKIES_NAMES")
		switch w.IntN(11) {
		case 0, 1:
			list = append(list, name)
		case 2, 3, 4, 5:
			list = append(list, name+":"+key())
		case 6:
			list = append(list, "&"+name+w.pick("", ":"+key()))
		case 7:
			list = append(list, name, "!"+name+":"+key())
		case 8:
			list = append(list, "!"+name+":"+key(), name, "!"+name+":"+key())
		default:
			list = append(list, w.pick("TX:one", "TX:two", "TX:one", "REQUEST_METHOD", "REQUEST_FILENAME", "REQUEST_URI_RAW", "TX:one", "TX:two", "TX:none", "&TX:one", "&TX:none", "REQBODY_ERROR",
				"MATCHED_VARS", "MATCHED_VAR", "REMOTE_ADDR", "ARGS_COMBINED_SIZE", "TX:/o/", "REQUEST_URI"))
		}
	}
	return strings.Join(list, "|")
}

func (w *ruleWriter) operator() string {
	negated := w.pick("", "", "", "!")
	return negated + w.pick(
		`@rx a`, `@rx \Aa`, `@rx (a)`, `@rx (?i)\Aab?\z`, `@rx b\z`, `@rx [0-9]`, `@rx 1`, `@rx \.\.`, `@rx (?:ab|cd)`, `@rx (?i)K`, `@rx ſ`, `@rx \s`, `@rx .`, `@rx \A\z`, `@rx ^a$`,
		`@rx \x00`, `@rx \xff`, `@rx [^a-z]`, `@rx (?i)\A\s*(?:k|s)`, `@rx a+b`, `@rx \A(?:/|\x5c)`, `@rx %`, `@rx \+`, `@rx a.*b`,
		`@streq a`, `@streq ab`, `@streq 1`, `@streq %{tx.two}`, `@streq GET`, `@eq 0`, `@eq 1`, `@eq %{tx.one}`, `@gt 1`, `@gt 5`, `@ge 2`, `@lt 2`, `@lt 1`, `@le 1`,
		`@gt %{tx.one}`, `@contains ab`, `@pm a b`, `@within abc`, `@beginsWith a`, `@unconditionalMatch`, `@validURI`, `@validHeaderName`, `@validHeaderValue`,
		`@validHost`, `@mcpMethod tools/call`, `a`)
}

func (w *ruleWriter) transformations() (list string) {
	for range w.IntN(4) {
		list += "," + w.pick("t:none", "t:lowercase", "t:lowercase", "t:trim", "t:removeNulls", "t:removeWhitespace", "t:urlDecodeUni", "t:length",
			"t:normalizePathWin", "t:normalisePathWin", "t:uppercase", "t:compressWhitespace", "t:length,multiMatch", "t:uppercase,multiMatch")
	}
	return list
}

func (w *ruleWriter) effects() (list string) {
	for range w.IntN(3) {
		list += "," + w.pick("setvar:tx.one=1", "setvar:tx.one=3", "setvar:tx.two=ab", "setvar:tx.one=+1", "setvar:!tx.one", "setvar:tx.two=%{MATCHED_VAR}", "capture",
			"setvar:tx.two=%{tx.one}", "log", "auditlog", "severity:'INFO'", "setvar:TX.One=2", `setvar:'tx.two=a'`)
	}
	return list
}

// rule writes a rule with its chain.
func (w *ruleWriter) rule() string {
	w.id++
	phase := w.pick("1", "2", "2")
	action := w.pick("pass,msg:'said'", "pass,msg:'a, t:none'", "pass,log,msg:'%{MATCHED_VAR}'")
	switch w.IntN(6) {
	case 0:
		action = w.pick("deny", "pass", "block", "drop", "allow", "allow:phase")
	case 1, 2:
		action = "pass," + w.pick("skipAfter:M1", "skipAfter:M2", "setvar:tx.one=4", "setvar:tx.one=+1", "setvar:tx.two=ab")
	case 3:
		action = "pass," + w.pick("skip:1", "ctl:ruleRemoveById=3", "ctl:ruleRemoveTargetById=4;ARGS:a", "ctl:ruleRemoveTargetById=5;ARGS:/arguments/",
			"ctl:ruleRemoveTargetByTag=t;ARGS:/a/", "ctl:ruleRemoveTargetByTag=t;ARGS")
	}
	if w.IntN(12) == 0 {
		return fmt.Sprintf("SecAction \"id:%d,phase:%s,%s,nolog%s\"", w.id, phase, w.pick("pass", "pass", "pass,skipAfter:M1"), w.effects())
	}
	links := w.pick("", "", "", "c", "cc")
	end := func(left string) string {
		if left == "" {
			return ""
		}
		return ",chain"
	}
	text := fmt.Sprintf("SecRule %s \"%s\" \"id:%d,phase:%s,%s,nolog,tag:'t'%s%s%s\"", w.variables(), w.operator(), w.id, phase, action, w.transformations(), w.effects(),
		end(links))
	for links != "" {
		links = links[1:]
		actions := strings.TrimPrefix(w.transformations()+w.effects()+w.pick("", "", "", ",phase:1")+end(links), ",")
		text += fmt.Sprintf("\n  SecRule %s \"%s\"", w.variables(), w.operator())
		if actions != "" {
			text += ` "` + actions + `"`
		}
	}
	return text
}

// ruleset writes a few rules, with markers and what changes rules between them.
func (w *ruleWriter) ruleset() string {
	w.id = 0
	text := "SecAction \"id:100,phase:1,pass,nolog,setvar:tx.one=2,setvar:tx.two=a\"\n"
	for range 2 + w.IntN(6) {
		text += w.rule() + "\n"
		switch w.IntN(8) {
		case 0:
			text += "SecMarker " + w.pick("M1", "M2", `"M1"`) + "\n"
		case 1:
			text += w.pick(fmt.Sprintf("SecRuleRemoveById %d", w.id), "SecRuleRemoveByTag u", fmt.Sprintf("SecRuleUpdateTargetById %d \"!ARGS:/a/\"", w.id),
				fmt.Sprintf("SecRuleUpdateTargetById %d \"ARGS:b\"", w.id), fmt.Sprintf("SecRuleUpdateActionById %d \"pass\"", w.id)) + "\n"
		}
	}
	return text + ruleProbes + w.pick("", "", `SecRule TX:1 "@rx ." "id:206,phase:2,pass,msg:'captured'"`)
}

// ruleProbes end every ruleset and tell what the rules in front of them have done.
const ruleProbes = `SecMarker M1
SecRule TX:one "@eq 1" "id:201,phase:2,pass,msg:'1'"
SecRule TX:one "@eq 3" "id:203,phase:2,pass,msg:'3'"
SecRule TX:one "@gt 3" "id:204,phase:2,pass,msg:'4'"
SecRule TX:two "@streq ab" "id:205,phase:2,pass,msg:'ab'"
`

// request writes a request that such rules have something to say about.
func (w *ruleWriter) request() (in ruleInput) {
	value := func() (s string) {
		for range w.IntN(3) {
			s += w.pick("a", "A", "b", "ab", "cd", "1", "9", "..", " ", "\t", "%61", "+", "%", "K", "ſ", "\x00", "\xc3\xa9", "/", `\`, "k", "GET", "\n")
		}
		return s
	}
	target := w.pick("/", "/a", "/ab/b", "/mcp", "/a/../b", "/A.b") + w.pick("", "", "?a=ab", "?a=1&b=..", "?A=a&a=b", "?b", "?a=%61", "?x=1&x=2&x=3", "?a%2fb=a")
	u, err := url.ParseRequestURI(target)
	if err != nil {
		panic(err)
	}
	r := &http.Request{Method: w.pick("GET", "POST", "OPTIONS", "CONNECT"), URL: u, RequestURI: target, Proto: "HTTP/1.1", Host: "a", Header: http.Header{}}
	for range w.IntN(3) {
		r.Header.Add(w.pick("X-Url", "A", "B", "Cookie", "Cookie", "X-A"), w.pick("a=b", "a=ab; b=1", value()))
	}
	in = ruleInput{Request: r, ClientIP: netip.MustParseAddr("192.0.2.7"), MCP: true, Authenticated: w.IntN(2) > 0}
	if r.Method != "POST" {
		return in
	}
	var members []string
	for range w.IntN(4) {
		name := w.pick("a", "A", "b", "ab", "b1", "c", "a/b", "K")
		member := fmt.Sprintf("%s:%s", sieveQuote(name), w.pick(sieveQuote(value()), sieveQuote(value()), "1", "null", "true",
			"["+sieveQuote(value())+",2,"+sieveQuote(value())+"]", `{"a":`+sieveQuote(value())+`,"b":0.5}`))
		if !strings.Contains(strings.Join(members, ""), sieveQuote(name)+":") {
			members = append(members, member)
		}
	}
	in.Body = fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%s,"arguments":{%s}}}`, sieveQuote(w.pick("a", "ab", "echo", "b1")),
		strings.Join(members, ","))
	return in
}

// compareRuleset compares sieve and engine on rules and requests made at random. loaded is false for rules that the engine does not take, or
// that keep the canaries from working.
func (w *ruleWriter) compareRuleset(tb testing.TB, requests int) (loaded bool, passed int) {
	tb.Helper()
	text := w.ruleset()
	rs, err := LoadRules(RulesConfig{Profiles: []rules.Profile{}, Inline: text})
	if err != nil {
		return false, 0
	}
	defer func() { _ = rs.Close() }()
	if rs.sieve == nil {
		return false, 0
	}
	for range requests {
		in := w.request()
		if !sieveParse(&in) {
			tb.Fatalf("mcpmsg refuses %s", in.Body)
		}
		if sieveCompare(tb, rs, &in) {
			passed++
		}
	}
	if tb.Failed() {
		tb.Fatalf("with these rules:\n%s", text)
	}
	return true, passed
}

// Whatever the rules are: what the sieve lets pass, the engine lets pass without a word, and what it leaves out changes nothing.
func TestSieveRandomRules(t *testing.T) {
	const requests = 15
	rounds := 300
	if testing.Short() {
		rounds = 80
	}
	w := &ruleWriter{Rand: rand.New(rand.NewPCG(3, 4))}
	rulesets, passed := 0, 0
	for range rounds {
		if loaded, n := w.compareRuleset(t, requests); loaded {
			rulesets++
			passed += n
		}
	}
	t.Logf("%d of %d rulesets have a sieve, which passes %d of %d requests", rulesets, rounds, passed, rulesets*requests)
	if rulesets < rounds/4 || passed < rulesets*requests/200 {
		t.Error("too few to mean anything")
	}
}

// FuzzSieveRules looks for rules of which the sieve and the engine think differently.
func FuzzSieveRules(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		(&ruleWriter{Rand: rand.New(rand.NewPCG(a, b))}).compareRuleset(t, 10)
	})
}
