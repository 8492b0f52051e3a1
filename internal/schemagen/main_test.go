package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/reference"
)

// TestGenerated: the tables in the repository are what the program makes of the official files.
func TestGenerated(t *testing.T) {
	out := t.TempDir()
	if err := run(reference.Path(t, "mcp", "schema"), out); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"methods_gen.go", "tables_gen.go"} {
		want, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", "..", "mcpmsg", name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("mcpmsg/%s is not what schemagen writes: run go generate ./mcpmsg", name)
		}
	}
}

// TestUnknownKeyword: a keyword that the program does not know ends it, and is named.
func TestUnknownKeyword(t *testing.T) {
	var texts [][]byte
	for _, rev := range revisions {
		text, err := os.ReadFile(filepath.Join(reference.Path(t, "mcp", "schema"), rev, "schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if _, err := build(texts); err != nil {
		t.Fatal(err)
	}
	for _, keyword := range []string{`"pattern": "^x"`, `"not": {}`, `"uniqueItems": true`, `"oneOf": [{}]`} {
		changed := append([][]byte{}, texts...)
		changed[3] = []byte(strings.Replace(string(texts[3]), `"cursor": {`, `"cursor": {`+keyword+`,`, 1))
		name, _, _ := strings.Cut(keyword, ":")
		if _, err := build(changed); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s gives %v, want an error that names it", keyword, err)
		}
	}
}
