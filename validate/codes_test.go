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
