package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

// The policies in README.md are ones that work, and the table names the flags that exist.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	policies := strings.Split(string(readme), "```json\n")[1:]
	if len(policies) < 2 {
		t.Errorf("%d policies, want at least 2", len(policies))
	}
	for i, rest := range policies {
		policy, _, _ := strings.Cut(rest, "```")
		if cfg, err := waf.ParsePolicy([]byte(policy)); err != nil || len(cfg.Endpoints) != 1 {
			t.Errorf("policy %d: %d endpoints, %v", i+1, len(cfg.Endpoints), err)
		}
	}
	defined := regexp.MustCompile(`(?m)^  -([\w-]+)`).FindAllStringSubmatch(usage(), -1)
	for _, flag := range defined {
		if !strings.Contains(string(readme), "`-"+flag[1]+" ") && !strings.Contains(string(readme), "`-"+flag[1]+"`") {
			t.Errorf("README.md does not name -%s", flag[1])
		}
	}
	if len(defined) != 15 {
		t.Errorf("%d flags, want 15", len(defined))
	}
}
