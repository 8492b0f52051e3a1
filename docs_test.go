package sallyport_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	layoutPath   = regexp.MustCompile("`([\\w./-]+/|[\\w./-]+/[\\w.-]+\\.go|[\\w.-]+\\.(?:go|conf|md))`")
)

// TestDocumentLinks follows every link from a document to a file of the repository.
func TestDocumentLinks(t *testing.T) {
	links := 0
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		if entry.IsDir() || filepath.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(name)
		for _, match := range markdownLink.FindAllStringSubmatch(string(text), -1) {
			target, _, _ := strings.Cut(match[1], "#")
			if target == "" || strings.Contains(target, ":") {
				continue // a section of the same document, or a page elsewhere
			}
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, target)
			}
		}
		return err
	})
	if err != nil || links == 0 {
		t.Errorf("followed %d links: %v", links, err)
	}
}

// TestContributingLayout looks for every file and folder that CONTRIBUTING.md sends a newcomer to.
func TestContributingLayout(t *testing.T) {
	text, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	paths := layoutPath.FindAllStringSubmatch(string(text), -1)
	if len(paths) < 10 {
		t.Fatalf("found %d paths, want at least 10", len(paths))
	}
	for _, match := range paths {
		if name := match[1]; name != "_gen.go" {
			if _, err := os.Stat(name); err != nil {
				t.Errorf("CONTRIBUTING.md names %s, which is not there", name)
			}
		}
	}
}
