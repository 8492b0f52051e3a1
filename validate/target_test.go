package validate_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/validate"
)

// readVectors reads a file of JSON lines; strings in it hold one character U+0000 to U+00FF for each byte.
func readVectors[T any](t testing.TB, file string) []T {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []T
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		var row T
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&row); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		rows = append(rows, row)
	}
	return rows
}

type targetVector struct {
	Name, Method, Target, Default, Strict string
}

func newTarget(t testing.TB, cfg validate.TargetConfig) *validate.Target {
	t.Helper()
	target, err := validate.NewTarget(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func targetVectors(t testing.TB) []targetVector {
	rows := readVectors[targetVector](t, "testdata/targets.jsonl")
	for i := range rows {
		rows[i].Target = latin1(rows[i].Target)
		if rows[i].Method == "" {
			rows[i].Method = "GET"
		}
	}
	return rows
}

func TestTargetVectors(t *testing.T) {
	normal, strict := newTarget(t, validate.TargetConfig{}), newTarget(t, validate.Strict().Target)
	for _, row := range targetVectors(t) {
		if got := normal.Check(row.Method, row.Target).Code.String(); got != row.Default {
			t.Errorf("%s: default Check(%q, %q) = %s, want %s", row.Name, row.Method, row.Target, got, row.Default)
		}
		if got := strict.Check(row.Method, row.Target).Code.String(); got != row.Strict {
			t.Errorf("%s: strict Check(%q, %q) = %s, want %s", row.Name, row.Method, row.Target, got, row.Strict)
		}
	}
}

// TestTargetAlignment moves every path vector through all positions of a word: the skip over plain bytes must not change
// what is found, nor where.
func TestTargetAlignment(t *testing.T) {
	target := newTarget(t, validate.TargetConfig{})
	for _, row := range targetVectors(t) {
		if row.Target == "" || row.Target[0] != '/' || strings.HasPrefix(row.Target, "//") {
			continue
		}
		want := target.Check("GET", row.Target)
		for n := 1; n < 24; n++ {
			prefix := "/" + strings.Repeat("a", n)
			got := target.Check("GET", prefix+row.Target)
			if got.Code != want.Code || !got.OK() && got.Offset != want.Offset+len(prefix) {
				t.Errorf("%s: %d bytes on: %v, want %v at %d", row.Name, n+1, got, want, want.Offset+len(prefix))
			}
		}
	}
}
