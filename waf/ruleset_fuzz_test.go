package waf

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/rules"
)

// Whatever text stands in a rule file: LoadRules returns a ruleset or typed errors, and a rule written behind the text is loaded or the
// text is refused. Losing the rule in silence is the one outcome that must not happen.
func FuzzLoadRules(f *testing.F) {
	for _, s := range []string{
		"", "# comment", "SecRule ARGS \"@rx a\" \"id:1,phase:2,deny\"", "SecRule ARGS \"@rx a\" \\\n\"id:1,phase:2,deny,chain\"\nSecRule ARGS \"@rx b\"",
		"SecAction \"id:1,phase:1,pass\" \\", "SecDataset a `\nx\n`", "SecRule ARGS \"@rx `\" `", "SecMarker X", "SecRuleRemoveById 1000",
		"SecAction \"id:1,phase:1,pass,skipAfter:END\"", "SecDefaultAction \"phase:1,log,pass\"", "Include x*", "\\", "`", "\r\n\x00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rs, err := LoadRules(RulesConfig{Profiles: []rules.Profile{}, Inline: text + "\n" + rulesetGoodRule})
		if err != nil {
			var re *RulesError
			if !errors.As(err, &re) || re.Reason == "" {
				t.Fatalf("%q: not a *RulesError: %v", text, err)
			}
			return
		}
		defer rs.Close()
		if removed := strings.Contains(strings.ToLower(text), "secrule"); removed {
			return // text of its own may name or enclose the rule
		}
		if v := rs.evaluate(corazaInput("GET", "/secret-path", "")); !v.Denied && v.Err == nil {
			t.Errorf("%q: the rule behind it is lost", text)
		}
	})
}
