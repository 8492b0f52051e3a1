package waf

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/reference"
	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/rules"
)

// sieveInputs are the requests of the rules' cases, of the corpora and captures, and each of these with its JSON escaped; for a caller
// that Guard knows and one that it does not.
func sieveInputs(t *testing.T, messages *mcpmsg.Validator) (inputs []ruleInput) {
	t.Helper()
	add := func(in ruleInput) {
		in.canary = ""
		in.MCP = in.MCP || corpusIsMCP(in.Request.URL.Path)
		for _, known := range []bool{true, false} {
			in.Authenticated, in.Message = known, nil
			if m, v := messages.Check(in.Body, mcpmsg.Context{Direction: mcpmsg.FromClient}); v.OK() && len(in.Body) > 0 {
				in.Message = &m
			}
			inputs = append(inputs, in)
		}
	}
	for _, c := range ruleCases(t) {
		add(c.input(t))
	}
	files, err := filepath.Glob(filepath.Join(reference.Path(t, "mcp", "captures"), "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	files = append(files, reference.Path(t, "corpus", "attacks.jsonl"), reference.Path(t, "corpus", "benign.jsonl"))
	for _, f := range files {
		captured := strings.Contains(f, "captures")
		for i, c := range corpusCases(t, f) {
			if captured && i%5 != 0 {
				continue // they are much alike
			}
			in, ok := c.input(t, true)
			if !ok {
				continue
			}
			add(in)
			if len(in.Body) > 0 && !captured {
				in.Body = []byte(escapeStrings(string(in.Body)))
				add(in)
			}
		}
	}
	return inputs
}

// sieveEveryKind has what people write and the embedded rules do not: every variable, transformation and operator that the sieve knows,
// and some that it does not.
const sieveEveryKind = `SecAction "id:10,phase:1,pass,nolog,setvar:tx.low=3,setvar:tx.high=20,setvar:tx.flag=0,setvar:tx.word=abc"
SecRule REQUEST_HEADERS:Accept "@streq text/event-stream" "id:11,phase:1,pass,nolog,setvar:tx.flag=1,skipAfter:SECTION"
SecRule REQUEST_HEADERS_NAMES "@streq X-Url" "id:12,phase:1,deny"
SecMarker SECTION
SecRule REQUEST_HEADERS_NAMES|!REQUEST_HEADERS_NAMES:/^n+$/ "@gt 30" "id:13,phase:1,deny,t:none,t:length"
SecRule REQUEST_HEADERS|!REQUEST_HEADERS:/^acc/|!REQUEST_HEADERS:Authorization "@rx (?i)secret\z" "id:14,phase:1,deny,t:none,t:lowercase"
SecRule REQUEST_COOKIES:TOKEN|REQUEST_COOKIES:/sess/ "@rx \A[a-z]+\.\." "id:15,phase:1,deny,t:none,t:trim,t:urlDecodeUni"
SecRule &REQUEST_COOKIES "@gt 1" "id:16,phase:1,deny"
SecRule REQUEST_METHOD "!@rx \A(?:GET|POST)\z" "id:17,phase:1,deny"
SecRule REQUEST_FILENAME "@rx (?i)/api/\w+" "id:18,phase:1,pass,log,msg:'reported',t:none,t:normalizePathWin"
SecRule REQUEST_FILENAME "@gt %{tx.high}" "id:19,phase:1,deny,t:none,t:length"
SecRule ARGS_GET:cmd|ARGS_GET_NAMES "@rx (?:ls|secret)" "id:20,phase:1,deny,chain"
SecRule TX:flag "@eq 1" "chain"
SecRule TX:absent|TX:word "!@streq abc"
SecRule &TX:flag "!@eq 1" "id:21,phase:1,deny"
SecRule ARGS_NAMES "@rx (?:[5-9]|v2|\bproto)" "id:30,phase:2,deny,chain"
SecRule ARGS:/arguments/ "@rx \S{3}" "t:none,t:removeNulls,t:removeWhitespace"
SecRule &ARGS:/list/ "@lt %{tx.low}" "id:31,phase:2,pass,nolog,setvar:tx.flag=2"
SecRule ARGS|!ARGS:json.method|!ARGS:json.jsonrpc|!ARGS:/name/ "@rx (?i)\A(?:k|s)|[^\x00-\x7f]\z|(?:etc|id)/?(?:passwd|\.\.)" "id:33,phase:2,deny,t:none,t:urlDecodeUni,t:trim"
SecRule ARGS_POST:json.params.arguments.n "!@ge -2" "id:34,phase:2,deny"
SecRule ARGS:/branch/ "@rx -" "id:37,phase:2,pass,nolog,setvar:tx.flag=+1"
SecRule TX:flag "@gt 2" "id:38,phase:2,deny"
SecRule TX:flag "@ge 1" "id:32,phase:2,pass,nolog,skipAfter:END"
SecRule ARGS:/\.id\z/ "@within a b" "id:35,phase:2,deny"
SecRule ARGS:/url/ "@rx ^http" "id:36,phase:2,deny"
SecMarker END
`

// sieveConfigs are rulesets that read in different ways.
func sieveConfigs() map[string]RulesConfig {
	configs := map[string]RulesConfig{
		"own rule": {Inline: `SecRule ARGS:/params\.arguments\./ "@rx (?i)secret" "id:1000,phase:2,deny,t:none,t:lowercase,msg:'m'"
SecRule REQUEST_HEADERS:User-Agent "@rx curl" "id:1001,phase:1,deny,t:none"`},
		"every kind": {Profiles: []rules.Profile{}, Inline: sieveEveryKind},
		"updated":    {Inline: "SecRuleUpdateTargetById 9599200 \"!REQUEST_HEADERS:X-Proxy-Context\"\nSecRuleUpdateTargetById 9599602 \"!ARGS:/url/\""},
		"removed":    {Inline: "SecRuleRemoveById 9599103 9599500-9599510\nSecRuleRemoveByTag sallyport/arg-ssrf"},
	}
	for _, p := range []rules.Profile{rules.Portable, rules.Coraza} {
		for level := 1; level <= 3; level++ {
			configs[fmt.Sprint(p, " ", level)] = RulesConfig{Profiles: []rules.Profile{p}, Setup: fmt.Sprintf(
				`SecAction "id:1,phase:1,pass,nolog,setvar:tx.sallyport_paranoia_level=%d,setvar:tx.sallyport_max_header_bytes=300"`, level)}
		}
	}
	return configs
}

// What the sieve lets pass, the engine lets pass without a word, and what it leaves out changes nothing.
func TestSieve(t *testing.T) {
	messages, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		t.Fatal(err)
	}
	inputs := sieveInputs(t, messages)
	for name, cfg := range sieveConfigs() {
		t.Run(name, func(t *testing.T) {
			rs := corazaLoad(t, cfg)
			if rs.sieve == nil {
				t.Fatal("no sieve")
			}
			n := 0
			for i := range inputs {
				if testing.Short() && i%9 != 0 {
					continue
				}
				if sievePasses(t, rs, &inputs[i]) {
					n++
				} else if i%4 == 0 {
					sieveChooses(t, rs, &inputs[i])
				}
			}
			t.Logf("%d of %d requests", n, len(inputs))
			if n == 0 {
				t.Error("the sieve knows nothing")
			}
		})
	}
}

// A gate never stops a value that its pattern matches, whatever the transformations take away.
func TestSieveGate(t *testing.T) {
	transforms := [][]string{nil, {"removenulls"}, {"removewhitespace"}, {"trim"}, {"urldecodeuni", "removenulls", "removewhitespace"}}
	values := []string{
		"", "a", "xa", " a", "\x00a", "%61", "+a", "ſ", "K", "k", "\xff", "\u00a0a", "http://x", "HTTP:", "9", "..", "a\nb", "\u2028a",
	}
	for _, pattern := range []string{
		`a`, `ab`, `x?aa`, `\Aa`, `(?i)k`, `(?i)\As`, `[^a]`, `\A(?:a|b)?c`, `(?:\A|x)a`, `.`, `\A.`, `\bx`, `a*b`, `[\x00-\x20]a`, `\A\s*a`, `(?i)\A(?:url:)?https?:`,
		`a+`, `(a|)b`, `\x{fffd}`, `9|\.\.`, `\A(?:x|\Ay)`, `[k-m]{2,3}`, `a\z`, `\z`,
	} {
		re, tree := sievePattern(pattern)
		if re == nil {
			continue
		}
		for _, names := range transforms {
			g := sieveGateOf(tree, names)
			for _, value := range values {
				for _, more := range values {
					whole, known := value+more, true
					after := whole
					for _, name := range names {
						if after, known = sieveTransforms[name](after); !known {
							break
						}
					}
					if known && g.on && re.MatchString(after) && !sieveGatePasses(&g, whole) {
						t.Errorf("%s after %v: the gate stops %q", pattern, names, whole)
					}
				}
			}
		}
	}
}

// Digits of names are not told apart, but those of an escape are.
func TestSieveEscapedName(t *testing.T) {
	rs := corazaLoad(t, RulesConfig{})
	for name, want := range map[string]bool{"%7aa1": true, "%7aa2": true, "%5f_proto__": false, "__pro%74o__": false, "__proto__": false} {
		in, ok := sieveRequest("/mcp", "", "", "echo", name+".x", "text", true)
		if !ok || !sieveParse(&in) {
			t.Fatal(name)
		}
		if got := sieveCompare(t, rs, &in); got != want {
			t.Errorf("%s: passes = %v, want %v", name, got, want)
		}
	}
}

func TestSieveDigitBlind(t *testing.T) {
	for pattern, want := range map[string]bool{
		`\.items\.[0-9]+\z`: true, `\d`: true, `\w+x`: true, `.`: true, `[^a]`: true, `\bx`: true, `(?i)abc`: true,
		`v1`: false, `[0-8]`: false, `[a-f1]`: false, `x(?:a|b[5-7])`: false,
	} {
		_, tree := sievePattern(pattern)
		if got := sieveDigitBlind(tree); got != want {
			t.Errorf("%s: %v, want %v", pattern, got, want)
		}
	}
}

// What a name is to the rules is found once for all items of an array, as long as no rule tells digits apart. One that does costs each long
// message fifteen times as much.
func TestRulesAreDigitBlind(t *testing.T) {
	for name, cfg := range map[string]RulesConfig{
		"portable":                              {Profiles: []rules.Profile{rules.Portable}},
		"coraza":                                {Profiles: []rules.Profile{rules.Coraza}},
		"a pattern for bytes, which is no text": {Inline: `SecRule ARGS_NAMES "@rx \xff" "id:1,phase:2,deny"`},
	} {
		if !corazaLoad(t, cfg).sieve.fields.blind {
			t.Errorf("%s: a rule tells one digit from another", name)
		}
	}
	if corazaLoad(t, RulesConfig{Inline: `SecRule ARGS_NAMES "@rx \xff1" "id:1,phase:2,deny"`}).sieve.fields.blind {
		t.Error("a pattern for bytes with a digit: no rule tells one digit from another")
	}
}
