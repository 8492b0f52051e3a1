package policy

import "testing"

func TestCompileURIs(t *testing.T) {
	s, err := CompileURIs([]Rule{{Identity: Everyone, Allow: []string{"file:///docs/*", "https://h.example/*", "mem:*"}, Deny: []string{"*secret*"}}})
	if err != nil {
		t.Fatal(err)
	}
	for uri, want := range map[string]bool{
		"file:///docs/a.md":                true,
		"file:///docs/a..b/.hidden/c...":   true,
		"file:///docs/%E6%97%A5%20x":       true,
		"file:///docs/":                    true,
		"https://h.example/a?x=..%2f..":    false, // an escape that a server may undo before it looks for "?"
		"https://h.example/a?x=/../":       true,
		"https://h.example/a#/../":         true,
		"mem:notes":                        true,
		"file:///docs/Secret":              false,
		"file:///etc/passwd":               false,
		"file:///docs/../etc/passwd":       false,
		"file:///docs/./a":                 false,
		"file:///docs/..":                  false,
		"file:///docs/..;x/etc":            false,
		"file:///docs//etc":                false,
		"file:///docs/%2e%2e/etc":          false,
		"file:///docs/%2E./etc":            false,
		"file:///docs/..%2fetc":            false,
		"file:///docs/..%5cetc":            false,
		"file:///docs/%252e%252e/etc":      false,
		"file:///docs/%c0%ae%c0%ae/etc":    false, // overlong
		"file:///docs/%EF%BC%8E./etc":      false, // full-width
		"file:///docs/\u2025/etc":          false, // two dot leader
		"file:///docs/%00":                 false,
		"file:///docs/a\u2025b":            true,
		"file:///docs/a%":                  false,
		"file:///docs/a%zz":                false,
		`file:///docs/..\etc`:              false,
		"https://h.example/@evil.example/": true,
		"https://evil@h.example/a":         false,
		"FILE:///docs/a.md":                false,
		"mem:../notes":                     false,
		"no-scheme":                        false,
		"":                                 false,
	} {
		if got := s.Allows("", []byte(uri)); got != want {
			t.Errorf("Allows(%q) = %v, want %v", uri, got, want)
		}
	}
	open, err := CompileURIs(nil)
	if err != nil || !open.Open() || !open.Allows("", []byte("file:///a/../b")) {
		t.Errorf("without rules: open %v, error %v, want every URI allowed", open.Open(), err)
	}
	if s.Open() || (*Set)(nil).Open() {
		t.Error("a Set with rules, or none, is open")
	}
}
