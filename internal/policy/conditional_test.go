package policy

import "testing"

func TestUnmet(t *testing.T) {
	s := compile(t, []Rule{
		{Identity: Everyone},
		{Identity: Everyone, Allow: []string{"read_*"}, Conditional: true},
		{Identity: "ci", Allow: []string{"deploy", "read_file"}, Conditional: true},
		{Identity: "root", Conditional: true},
		{Identity: Everyone, Allow: []string{"free"}},
		{Identity: Everyone, Allow: []string{"Query*"}, Conditional: true},
	})
	for _, tc := range []struct {
		identity, name string
		want           []int // rules whose conditions are asked for
	}{
		{"", "free", nil},
		{"", "deploy", nil},
		{"", "query_all", []int{5}},
		{"", "read_file", []int{1}},
		{"", "READ_File", []int{1}},
		{"", " read_file. ", []int{1}},
		{"", "ｒead_file", []int{1}},
		{"", "xread_file", nil},
		{"ci", "deploy", []int{2}},
		{"ci", "Deploy", []int{2}},
		{"CI", "deploy", nil},
		{"ci", "read_file", []int{1, 2}},
		{"root", "anything", []int{3}},
		{"root", "read_x", []int{1, 3}},
	} {
		var asked []int
		if d, unmet := s.Unmet(tc.identity, []byte(tc.name), func(rule int) bool { asked = append(asked, rule); return true }); unmet {
			t.Errorf("Unmet(%q, %q) = %+v, though all conditions are met", tc.identity, tc.name, d)
		}
		if len(asked) != len(tc.want) {
			t.Errorf("Unmet(%q, %q) asks about the rules %v, want %v", tc.identity, tc.name, asked, tc.want)
			continue
		}
		for i, rule := range tc.want {
			if asked[i] != rule {
				t.Errorf("Unmet(%q, %q) asks about the rules %v, want %v", tc.identity, tc.name, asked, tc.want)
			}
			d, unmet := s.Unmet(tc.identity, []byte(tc.name), func(r int) bool { return r != rule })
			if want := (Decision{Reason: Unmet, Rule: rule}); !unmet || d != want || d.Allows() {
				t.Errorf("Unmet(%q, %q) with rule %d not met = %+v, %v, want %+v", tc.identity, tc.name, rule, d, unmet, want)
			}
		}
	}
	if _, unmet := (*Set)(nil).Unmet("", []byte("x"), func(int) bool { return true }); !unmet {
		t.Error("a nil Set has nothing that is not met")
	}
}

func TestHasPrefix(t *testing.T) {
	for _, tc := range []struct {
		value, prefix string
		want          bool
	}{
		{"/docs/a.md", "/docs/", true},
		{"/docs/", "/docs/", true},
		{"/docs/a..b/.hidden/...x/c", "/docs/", true},
		{"/docs/a b/ü/日本", "/docs/", true},
		{"/docs/100%25", "/docs/", false}, // undone twice it could be anything
		{"/docs/a%20b/%C3%BC", "/docs/", true},
		{"/docs/a//b", "/docs/", true},
		{"/docs/what? yes... no", "/docs/", true},
		{"https://api.example.com/v1?x=a.b", "https://api.example.com/", true},
		{"/doc", "/docs/", false},
		{"/DOCS/a", "/docs/", false},
		{"/ｄocs/a", "/docs/", false},
		{" /docs/a", "/docs/", false},
		{"/docs/../etc/passwd", "/docs/", false},
		{"/docs/..", "/docs/", false},
		{"/docs/./a", "/docs/", false},
		{`/docs/..\etc`, "/docs/", false},
		{`/docs/a\..\..\etc`, "/docs/", false},
		{"/docs/.. /etc", "/docs/", false},
		{"/docs/..;x/etc", "/docs/", false},
		{"/docs/..?", "/docs/", false},
		{"/docs/%2e%2e/etc", "/docs/", false},
		{"/docs/..%2fetc", "/docs/", false},
		{"/docs/..%5Cetc", "/docs/", false},
		{"/docs/%252e%252e/etc", "/docs/", false},
		{"/docs/%c0%ae%c0%ae/etc", "/docs/", false},
		{"/docs/%E0%80%AE/etc", "/docs/", false},
		{"/docs/%u002e/etc", "/docs/", false},
		{"/docs/a%", "/docs/", false},
		{"/docs/a%00.md", "/docs/", false},
		{"/docs/a\x00.md", "/docs/", false},
		{"/docs/a\n/etc", "/docs/", false},
		{"/docs/．．／etc", "/docs/", false},
		{"/docs/%EF%BC%8E%EF%BC%8E/etc", "/docs/", false},
		{"/docs/\u2025/etc", "/docs/", false},
		{"/docs/\u2024\u2024/etc", "/docs/", false},
		{"/docs/..\u2215etc", "/docs/", false},
		{"/docs/..¥etc", "/docs/", false},
		{"/docs/.\u200b./etc", "/docs/", false},
		{"/docs/.\u034f./etc", "/docs/", false},
		{"/docs/\ufe30/etc", "/docs/", false},
		{"/docs/\ufe19", "/docs/", false},
		{"/docs/\ufe19x/\ufe30.md", "/docs/", true},
		{"/docs/％2e％2e/etc", "/docs/", false},
		{"/docs/..﹪２Ｆetc", "/docs/", false},
		{"/docs/100％/50％ off ％", "/docs/", true},
		{"/docs/\xff", "/docs/", false},
	} {
		if got := HasPrefix([]byte(tc.value), []byte(tc.prefix)); got != tc.want {
			t.Errorf("HasPrefix(%q, %q) = %v, want %v", tc.value, tc.prefix, got, tc.want)
		}
	}
}
