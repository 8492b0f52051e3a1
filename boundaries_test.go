package sallyport_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/sallyport/sallyport"

// boundary says what the files of a package may import, its tests aside.
type boundary struct {
	ours    []string // packages of this module
	others  []string // modules that are not ours; the packages below them are meant too
	std     []string // nil: all of the standard library but netPackages and unsafe
	network bool     // netPackages are allowed
	tests   bool     // the package serves tests only
}

// netPackages decide about connections. What only judges bytes must not know them.
var netPackages = []string{"net", "net/http", "net/http/...", "net/rpc/...", "net/smtp", "crypto/tls", "expvar"}

// boundaries has every package with files that are not tests. A new one is entered here, which is a decision.
var boundaries = map[string]boundary{
	".":                  {std: []string{}},
	"validate":           {ours: []string{"internal/scan"}},
	"mcpmsg":             {ours: []string{"internal/scan", "internal/jsonscan", "internal/schema"}},
	"rules":              {std: []string{"embed", "io/fs", "strings", "strconv"}},
	"internal/scan":      {},
	"internal/jsonscan":  {ours: []string{"internal/scan"}},
	"internal/schema":    {ours: []string{"internal/jsonscan"}},
	"internal/schemagen": {ours: []string{"internal/schema"}},
	"internal/policy":    {},
	"internal/sse":       {},
	"internal/answer":    {ours: []string{"mcpmsg"}, network: true},
	"internal/reference": {tests: true},
	"waf/corazamcp":      {ours: []string{"mcpmsg", "validate"}, others: []string{"github.com/corazawaf/coraza/v3"}, network: true},
	"waf": {
		ours: []string{
			"mcpmsg", "validate", "rules", "waf/corazamcp", "internal/policy", "internal/answer", "internal/sse",
		},
		others:  []string{"github.com/corazawaf/coraza/v3", "golang.org/x/net"},
		network: true,
	},
}

// nested are the folders of other modules. Their packages see of ours what every user of the library sees.
var nested = map[string]bool{"examples": true, "internal/bench/guard": true, "internal/bench/rules": true, "internal/e2e": true, "internal/oracle": true}

var publicPackages = []string{"validate", "mcpmsg", "rules", "waf", "waf/corazamcp"}

// directRequirements are the modules that importers of this one get to see.
var directRequirements = []string{
	"github.com/corazawaf/coraza/v3", "golang.org/x/net", "github.com/google/go-cmp", "github.com/stretchr/testify",
}

type sourceFile struct {
	path   string // slash-separated, from the root of the module
	syntax *ast.File
}

// sourceFiles parses every Go file of the repository up to its imports, whatever its build constraints.
func sourceFiles(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() && name != "." && (base == "testdata" || base[0] == '.' || base[0] == '_') {
			return fs.SkipDir
		}
		if entry.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
		files = append(files, sourceFile{filepath.ToSlash(name), syntax})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("found %d Go files: the walk does not see the module", len(files))
	}
	return files
}

// TestImportBoundaries holds every package to its line of the table, and the table to the packages that there are.
func TestImportBoundaries(t *testing.T) {
	stale := maps.Clone(boundaries)
	for _, file := range sourceFiles(t) {
		delete(stale, path.Dir(file.path))
		for _, spec := range file.syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if reason := forbidden(file.path, imported); reason != "" {
				t.Errorf("%s imports %q: %s", file.path, imported, reason)
			}
		}
	}
	for pkg := range stale {
		t.Errorf("the table of boundaries has %q, which is no package", pkg)
	}
}

// forbidden says why the file must not have the import, or "".
func forbidden(file, imported string) string {
	pkg := path.Dir(file)
	ours, isOurs := strings.CutPrefix(imported, module+"/")
	for dir := range nested {
		if pkg != dir && !strings.HasPrefix(pkg, dir+"/") {
			continue
		}
		allowed := isOurs && (slices.Contains(publicPackages, ours) || ours == dir || strings.HasPrefix(ours, dir+"/"))
		if isOurs && !allowed && !strings.HasSuffix(file, "_test.go") {
			return "a nested module may use public packages and its own only"
		}
		return ""
	}
	if imported == "unsafe" {
		return "there is no unsafe code here"
	}
	if strings.HasSuffix(file, "_test.go") {
		return ""
	}
	b, known := boundaries[pkg]
	switch {
	case !known:
		return "the package is not in the table of boundaries"
	case b.tests:
		return ""
	case isOurs:
		if !slices.Contains(b.ours, ours) {
			return "the package may import of ours only " + strings.Join(b.ours, ", ")
		}
	case strings.Contains(strings.Split(imported, "/")[0], "."):
		if !slices.ContainsFunc(b.others, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") }) {
			return "the package may import of others only " + strings.Join(b.others, ", ")
		}
	case b.std != nil:
		if !slices.Contains(b.std, imported) {
			return "the package may import of the standard library only " + strings.Join(b.std, ", ")
		}
	case !b.network && isNetwork(imported):
		return "the package must not know the network"
	}
	return ""
}

func isNetwork(imported string) bool {
	return slices.ContainsFunc(netPackages, func(p string) bool {
		folder, all := strings.CutSuffix(p, "...")
		return imported == p || all && strings.HasPrefix(imported, folder)
	})
}

// TestForbidden shows that the table bites.
func TestForbidden(t *testing.T) {
	for _, tc := range []struct {
		file, imported string
		want           bool
	}{
		{"validate/x.go", "strings", false},
		{"validate/x.go", "net/http", true},
		{"validate/x.go", "net/http/httptest", true},
		{"validate/x_test.go", "net/http/httptest", false},
		{"validate/x_test.go", "unsafe", true},
		{"validate/x.go", "net/netip", false},
		{"validate/x.go", "golang.org/x/net/http/httpguts", true},
		{"validate/x.go", module + "/internal/scan", false},
		{"validate/x.go", module + "/mcpmsg", true},
		{"mcpmsg/x.go", module + "/validate", true},
		{"mcpmsg/x.go", "unsafe", true},
		{"rules/x.go", "embed", false},
		{"rules/x.go", "os", true},
		{"rules/x.go", module + "/mcpmsg", true},
		{"waf/x.go", module + "/rules", false},
		{"waf/x.go", "net/http", false},
		{"waf/x.go", "github.com/corazawaf/coraza/v3/types", false},
		{"waf/x.go", "github.com/corazawaf/coraza/v33", true},
		{"waf/corazamcp/x.go", module + "/waf", true},
		{"internal/policy/x.go", "net/http", true},
		{"internal/policy/x.go", "github.com/corazawaf/coraza/v3", true},
		{"newcomer/x.go", "strings", true},
		{"examples/gateway/main.go", module + "/waf", false},
		{"examples/gateway/main.go", "net/http", false},
		{"examples/gateway/main.go", module + "/internal/scan", true},
		{"examples/gateway/main.go", module + "/examples/gateway/proxy", false},
		{"internal/e2e/x_test.go", module + "/internal/reference", false},
	} {
		if reason := forbidden(tc.file, tc.imported); (reason != "") != tc.want {
			t.Errorf("forbidden(%q, %q) = %q, want a reason: %v", tc.file, tc.imported, reason, tc.want)
		}
	}
}

// TestStandardLibraryOnly asks the go command for everything that validate and mcpmsg pull in, through whatever package.
func TestStandardLibraryOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.Standard}} {{.ImportPath}}", "./validate", "./mcpmsg", "./rules").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		standard, imported, _ := strings.Cut(strings.TrimSpace(line), " ")
		if standard != "true" && !strings.HasPrefix(imported, module+"/") {
			t.Errorf("a dependency is neither ours nor of the standard library: %s", imported)
		}
		if imported == "net/http" || imported == "net" {
			t.Errorf("a dependency pulls in %s", imported)
		}
	}
}

// TestRequirements holds go.mod to what importers were promised.
func TestRequirements(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Go      string
		Require []struct {
			Path     string
			Indirect bool
		}
		Replace, Exclude, Tool []any
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	if mod.Go != "1.25.0" {
		t.Errorf("go.mod asks for Go %s, want 1.25.0", mod.Go)
	}
	if len(mod.Replace)+len(mod.Exclude)+len(mod.Tool) > 0 {
		t.Error("go.mod has replace, exclude or tool lines, which importers do not follow")
	}
	for _, r := range mod.Require {
		if !r.Indirect && !slices.Contains(directRequirements, r.Path) {
			t.Errorf("go.mod requires %s directly", r.Path)
		}
	}
}

// TestGeneratedFiles holds that the names of generated files and their headers agree.
func TestGeneratedFiles(t *testing.T) {
	for _, file := range sourceFiles(t) {
		if named, marked := strings.HasSuffix(file.path, "_gen.go"), ast.IsGenerated(file.syntax); named != marked {
			t.Errorf("%s: named as generated: %v, has the header \"Code generated … DO NOT EDIT.\": %v", file.path, named, marked)
		}
	}
}

// TestNoAssembly looks for what the Go tools would link without anybody having read it as Go.
func TestNoAssembly(t *testing.T) {
	for _, file := range sourceFiles(t) {
		text, err := os.ReadFile(file.path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\n//go:"+"linkname ") {
			t.Errorf("%s uses linkname", file.path)
		}
		if stray, _ := filepath.Glob(filepath.Join(path.Dir(file.path), "*.s")); len(stray) > 0 {
			t.Errorf("assembly: %q", stray)
		}
	}
}
