package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/internal/reference"
	"github.com/sallyport/sallyport/internal/schema"
)

// TestExamples: every official example is valid by the definition that its folder names, with and without the overlay.
func TestExamples(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(reference.Path(t, "mcp", "schema"), revisions[4], "schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDocument(5, text)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(reference.Path(t, "mcp", "examples"), revisions[4], "*", "*.json"))
	if err != nil || len(files) < 129 {
		t.Fatalf("%d examples, want 129: %v", len(files), err)
	}
	w := schema.NewWalker(schema.Limits{Depth: 64, Members: 1000, Items: 1000, StringBytes: 1 << 20, NameBytes: 1000, NumberBytes: 100})
	for _, file := range files {
		def := filepath.Base(filepath.Dir(file))
		root, err := d.compiler.Compile(d.ref(def))
		if err != nil {
			t.Fatal(err)
		}
		example, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		table := schema.Dump([]*schema.Edge{root})
		for _, published := range []bool{true, false} {
			if w.Walk(example, 0, table.Link(published)[0], 0) < 0 {
				t.Errorf("%s/%s, published %v: %+v", def, filepath.Base(file), published, w.Fault)
			}
			if w.Walk([]byte("7"), 0, table.Link(published)[0], 0) >= 0 {
				t.Errorf("%s, published %v: 7 is valid", def, published)
			}
		}
	}
}
