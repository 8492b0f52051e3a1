package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

// The policy in README.md is one that works, and the table names the flags that exist.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```json\n")
	policy, _, _ := strings.Cut(rest, "```")
	cfg, err := waf.ParsePolicy([]byte(policy))
	if err != nil || len(cfg.Endpoints) != 1 || len(cfg.Identities.Bearer) != 1 {
		t.Errorf("ParsePolicy: %+v, %v", cfg, err)
	}
	defined := regexp.MustCompile(`(?m)^  -([\w-]+)`).FindAllStringSubmatch(usage(), -1)
	for _, flag := range defined {
		if !strings.Contains(string(readme), "`-"+flag[1]+" ") && !strings.Contains(string(readme), "`-"+flag[1]+"`") {
			t.Errorf("README.md does not name -%s", flag[1])
		}
	}
	if len(defined) != 14 {
		t.Errorf("%d flags, want 14", len(defined))
	}
}
