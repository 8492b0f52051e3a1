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
		for _, c := range corpusCases(t, f) {
			in, ok := c.input(t, true)
			if !ok {
				continue
			}
			add(in)
			if len(in.Body) > 0 && !strings.Contains(f, "captures") {
				in.Body = []byte(escapeStrings(string(in.Body)))
				add(in)
			}
		}
	}
	return inputs
}

// sieveConfigs are rulesets that read in different ways.
func sieveConfigs() map[string]RulesConfig {
	configs := map[string]RulesConfig{
		"own rule": {Inline: `SecRule ARGS:/params\.arguments\./ "@rx (?i)secret" "id:1000,phase:2,deny,t:none,t:lowercase,msg:'m'"
SecRule REQUEST_HEADERS:User-Agent "@rx curl" "id:1001,phase:1,deny,t:none"`},
		"removed": {Inline: "SecRuleRemoveById 9599103 9599500-9599510\nSecRuleRemoveByTag sallyport/arg-ssrf"},
	}
	for _, p := range []rules.Profile{rules.Portable, rules.Coraza} {
		for level := 1; level <= 3; level++ {
			configs[fmt.Sprint(p, " ", level)] = RulesConfig{Profiles: []rules.Profile{p}, Setup: fmt.Sprintf(
				`SecAction "id:1,phase:1,pass,nolog,setvar:tx.sallyport_paranoia_level=%d,setvar:tx.sallyport_max_header_bytes=300"`, level)}
		}
	}
	return configs
}

// What the sieve lets pass, the engine lets pass without a word.
func TestSieve(t *testing.T) {
	messages, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		t.Fatal(err)
	}
	inputs := sieveInputs(t, messages)
	for name, cfg := range sieveConfigs() {
		t.Run(name, func(t *testing.T) {
			rs := corazaLoad(t, cfg)
			s := rs.sieve
			if s == nil {
				t.Fatal("no sieve")
			}
			rs.sieve = nil
			n, silent := 0, 0
			for i := range inputs {
				in := &inputs[i]
				pass := s.passes(in)
				v := rs.evaluate(*in)
				quiet := !v.Denied && v.Err == nil && len(v.RuleIDs) == 0
				if quiet && (in.Message != nil || len(in.Body) == 0) {
					silent++
					if !pass && testing.Verbose() && silent%37 == 0 {
						t.Logf("unsure: %s %s %.200s", in.Request.Method, in.Request.RequestURI, in.Body)
					}
				}
				if !pass {
					continue
				}
				if n++; !quiet {
					t.Errorf("the sieve passes what the engine does not: %v %v: %s %s %q", v.RuleIDs, v.Err,
						in.Request.Method, in.Request.RequestURI, in.Body)
				}
			}
			t.Logf("%d of %d requests, %d quiet", n, len(inputs), silent)
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
		`a`, `\Aa`, `(?i)k`, `(?i)\As`, `[^a]`, `\A(?:a|b)?c`, `(?:\A|x)a`, `.`, `\A.`, `\bx`, `a*b`, `[\x00-\x20]a`, `\A\s*a`, `(?i)\A(?:url:)?https?:`,
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
