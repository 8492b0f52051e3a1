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

// A query of a URL leads nowhere; what stands before it is judged as without one.
func TestHasPrefixOfQuery(t *testing.T) {
	const api = "https://api.example.com/"
	for _, tc := range []struct {
		value, prefix string
		want          bool
	}{
		{api + "v1?x=a.b", api, true},
		{api + "?x=a.b", api, true},
		{api + "v1?next=%2Fdocs%2Fa", api, true},
		{api + "v1?file=a%2Emd&share=%5C%5Chost", api, true},
		{api + "v1?rate=100%25", api, true},
		{api + "v1?rate=100%", api, true},
		{api + "v1?back=https%3A%2F%2Fa.example%2F%3Fq%3Da%2520b", api, true},
		{api + "v1?next=/../a", api, true},
		{api + "v1/?q=what?&r=..#top", api, true},
		{"HTTP://h/v1?a=%2F", "HTTP://h/", true},
		{api + "v1?x=a%20b", api + "v1?x=", true},

		{api + "../admin?x=1", api, false},
		{api + "..?x=1", api, false},
		{api + "%2e%2e/admin?x=1", api, false},
		{api + "..%2Fadmin?x=1", api, false},
		{api + "..%5Cadmin?x=1", api, false},
		{api + "%252e%252e/admin?x=1", api, false},
		{api + "a%?x=1", api, false},
		{api + "a%3F/../admin", api, false}, // an escaped mark begins no query
		{api + "a%3Fx=%2e%2e/admin", api, false},
		{api + "a？/../admin", api, false}, // nor does a look-alike
		{api + "a#/../admin", api, false}, // a fragment may be sent by who knows none
		{api + "a#%2e%2e/x?y", api, false},
		{api + "a;/../admin?x", api, false},
		{api + "a\n?x", api, false},
		{api + "a?x=\n", api, false},
		{api + "a?x=1%20HTTP/1.1%0d%0aHost:%20h", api, false},
		{api + "a?x=%00", api, false},
		{api + "a?x=%7F", api, false},
		{api + "a?x=\xff", api, false},
		{"https://api.example.com.evil.example/?x", api, false},
		{"https://api.example.com?/../x", api, false},

		// The prefix constrains the query itself.
		{api + "get?file=docs/a.md", api + "get?file=docs/", true},
		{api + "get?file=docs/../../etc", api + "get?file=docs/", false},
		{api + "get?file=docs/%2e%2e/etc", api + "get?file=docs/", false},
		{api + "get?file=docs%2F..%2Fetc", api + "get?file=docs", false},

		// There is no query in a path, nor in what programs make a path of.
		{"/docs/a?/../../etc", "/docs/", false},
		{"/docs/a?x=%2e%2e/%2e%2e/etc", "/docs/", false},
		{"file:///docs/a?/../../etc", "file:///docs/", false},
		{"file:///docs/a?%2e%2e/%2e%2e/etc", "file:///docs/", false},
		{"//api.example.com/a?/../x", "//api.example.com/", false},
		{"httpx://h/a?/../x", "httpx://h/", false},
		{"https:/h/a?/../x", "https:/h/", false},
		{"https://h/a?/../x", "https:", false}, // no host
		{"x https://h/a?/../x", "x https://h/", false},
	} {
		if got := HasPrefix([]byte(tc.value), []byte(tc.prefix)); got != tc.want {
			t.Errorf("HasPrefix(%q, %q) = %v, want %v", tc.value, tc.prefix, got, tc.want)
		}
	}
}
