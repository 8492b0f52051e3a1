package mcpmsg_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestCodes: numbers and text ids of codes never change, nor what answers them.
func TestCodes(t *testing.T) {
	var b strings.Builder
	for c := mcpmsg.Code(0); c.String() != "unknown"; c++ {
		code, text := mcpmsg.Violation{Code: c}.RPC()
		fmt.Fprintf(&b, "%d %s %d %s\n", c, c, code, text)
	}
	const path = "testdata/codes.golden"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("codes are\n%s\nwant\n%s", b.String(), want)
	}
}
