//go:build coraza.rule.multiphase_evaluation || coraza.rule.case_sensitive_args_keys

package waf

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/rules"
)

// Under build tags that change what rules mean, no ruleset loads, and the error names the tag.
func TestRefusedBuildTag(t *testing.T) {
	for _, cfg := range []RulesConfig{{}, {Profiles: []rules.Profile{rules.Portable}}, {Profiles: []rules.Profile{}, Inline: `SecAction "id:1,phase:1,pass"`}} {
		_, err := LoadRules(cfg)
		var re *RulesError
		if !errors.As(err, &re) || re.Reason != RulesCanary || !strings.Contains(re.Detail, "build tag coraza.rule.") {
			t.Errorf("%v: %v", cfg.Profiles, err)
		}
	}
}
