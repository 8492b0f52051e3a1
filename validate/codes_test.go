package validate_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/validate"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestCodesGolden fails when a code moves: ids and numbers are API.
func TestCodesGolden(t *testing.T) {
	var b strings.Builder
	for c := validate.CodeOK; c.String() != "unknown"; c++ {
		fmt.Fprintf(&b, "%d %s %d\n", c, c, c.Status())
	}
	const file = "testdata/codes.golden"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("codes differ from %s: codes are only ever added; then run with -update", file)
	}
}

// TestCodesDocumented wants a row for every code in the table of the package comment, and none for anything else.
func TestCodesDocumented(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for line := range strings.Lines(string(doc)) {
		if row, ok := strings.CutPrefix(line, "//\t"); ok {
			documented[strings.Fields(row)[0]] = true
		}
	}
	for c := validate.CodeOK + 1; c.String() != "unknown"; c++ {
		if !documented[c.String()] {
			t.Errorf("no row for %v", c)
		}
		delete(documented, c.String())
	}
	if delete(documented, "code"); len(documented) > 0 {
		t.Errorf("rows for no code: %v", documented)
	}
}
