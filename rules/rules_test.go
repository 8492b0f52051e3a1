package rules

import (
	"io/fs"
	"strings"
	"testing"
)

func TestFS(t *testing.T) {
	const name = root + "/portable/sallyport-00-setup.conf"
	first, err := fs.ReadFile(FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	clear(first)
	for _, alias := range []string{name, "conf.d/" + name, "a/" + root + "x/" + name} {
		data, err := fs.ReadFile(FS(), alias)
		if err != nil || !strings.Contains(string(data), "sallyport_paranoia_level") {
			t.Errorf("ReadFile(%q): %v, or a caller changed it", alias, err)
		}
	}
	for _, bad := range []string{"", ".", "portable/sallyport-00-setup.conf", "/" + name, root + "/../rules.go", "x" + name, root + "/none.conf"} {
		if _, err := FS().Open(bad); err == nil {
			t.Errorf("Open(%q) succeeded", bad)
		}
	}
	if found, err := fs.Glob(FS(), root+"/portable/*.conf"); err != nil || len(found) == 0 {
		t.Errorf("Glob = %v, %v", found, err)
	}
	entries, err := fs.ReadDir(FS(), root)
	if err != nil || len(entries) == 0 {
		t.Errorf("ReadDir(%q) = %v, %v", root, entries, err)
	}
}

func TestDirectives(t *testing.T) {
	if got := Directives(0) + Directives(200); got != "" {
		t.Errorf("directives of unknown profiles: %q", got)
	}
	for _, p := range []Profile{Portable, Coraza, CRSPlugin} {
		lines := strings.Split(strings.TrimSuffix(Directives(p), "\n"), "\n")
		files, err := fs.Glob(FS(), root+"/"+p.String()+"/*")
		own := strings.Count(Directives(p), "/"+p.String()+"/")
		if err != nil || len(files) != own {
			t.Errorf("%v: %d lines for %d files, %v", p, own, len(files), err)
		}
		for _, line := range lines {
			name, ok := strings.CutPrefix(line, "Include ")
			if _, err := fs.ReadFile(FS(), name); !ok || err != nil {
				t.Errorf("%v: line %q: %v", p, line, err)
			}
		}
		if !strings.Contains(lines[0], "setup") && !strings.Contains(lines[0], "config") {
			t.Errorf("%v: the thresholds are not first: %q", p, lines[0])
		}
	}
}
