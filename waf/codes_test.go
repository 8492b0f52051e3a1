package waf_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

// codeInSource matches the places at which the code of a refusal is written.
var codeInSource = regexp.MustCompile(`(?:Code: |Denial\(|refuse\(|report\(|Fault += |Code +=|codeExposed = |code = |Status = )"([a-z]+(?:_[a-z]+)+)"|` +
	`"((?:[a-z]+_)+not_allowed|rules_[a-z]+)"|return "([a-z]+(?:_[a-z]+)+)", http`)

// Codes are API: people's alerts stand on them. Those of the layers validate and message are listed by the packages that make them.
func TestCodesGolden(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "ruleset") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range codeInSource.FindAllStringSubmatch(string(text), -1) {
			codes = append(codes, m[1]+m[2]+m[3])
		}
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`[a-z_]+`).FindAllString(string(doc), -1)
	for _, code := range codes {
		if !slices.Contains(words, code) {
			t.Errorf("the documentation of the package does not list %s", code)
		}
	}
	waf.CheckGolden(t, "testdata/codes.golden", strings.Join(codes, "\n")+"\n") // a code that is there is never renamed
}
