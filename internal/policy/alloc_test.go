//go:build !race

package policy

import "testing"

func TestAllowsAllocs(t *testing.T) {
	for _, tc := range decisions {
		s, name := compile(t, tc.rules), []byte(tc.tool)
		if n := testing.AllocsPerRun(10, func() { s.Allows(tc.identity, name) }); n != 0 {
			t.Errorf("%s: Allows: %v allocs, want 0", tc.name, n)
		}
	}
}

func TestAllowsURIAllocs(t *testing.T) {
	s, err := CompileURIs(everyone([]string{"file:///docs/*"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{"file:///docs/%E6%97%A5", "file:///docs/%c0%ae", "file:///docs/../x"} {
		if n := testing.AllocsPerRun(10, func() { s.Allows("", []byte(uri)) }); n != 0 {
			t.Errorf("Allows(%q): %v allocs, want 0", uri, n)
		}
	}
}

func TestUnmetAllocs(t *testing.T) {
	s := compile(t, []Rule{{Identity: Everyone, Allow: []string{"read_*"}, Conditional: true}})
	for _, met := range []bool{true, false} {
		if n := testing.AllocsPerRun(10, func() { s.Unmet("ci", []byte("READ_file"), func(int) bool { return met }) }); n != 0 {
			t.Errorf("Unmet, met %v: %v allocs, want 0", met, n)
		}
	}
	for value, prefix := range map[string]string{
		"/docs/a%20b": "/docs/", "/docs/../b": "/docs/", "/x": "/docs/", "https://h/a?b=%2F": "https://h/", "https://h/a?b=%00": "https://h/",
	} {
		if n := testing.AllocsPerRun(10, func() { HasPrefix([]byte(value), []byte(prefix)) }); n != 0 {
			t.Errorf("HasPrefix(%q): %v allocs, want 0", value, n)
		}
	}
}
