package policy

import "testing"

func TestDecide(t *testing.T) {
	rules := []Rule{
		{Identity: Everyone, Allow: []string{"search_*", "search_docs"}, Deny: []string{"nginx_*", "drop"}},
		{Identity: "ci", Allow: []string{"deploy", "deploy"}, Deny: []string{"*_secret", "search_docs"}},
		{Identity: "root"},
		{Identity: "root", Allow: []string{"deploy"}},
		{Identity: "ci", Allow: []string{"test"}, Deny: []string{"nginx_reload"}},
	}
	for _, tc := range []struct {
		identity, name string
		want           Decision
		path           string
	}{
		{"", "search_api", Decision{Allowed, 0, 0}, "[0].allow[0]"},
		{"", "search_docs", Decision{Allowed, 0, 1}, "[0].allow[1]"}, // the exact pattern
		{"ci", "search_docs", Decision{Denied, 1, 1}, "[1].deny[1]"},
		{"ci", "nginx_reload", Decision{Denied, 0, 0}, "[0].deny[0]"}, // everyone's rule first
		{"ci", "DROP", Decision{Denied, 0, 1}, "[0].deny[1]"},
		{"ci", "drop. ", Decision{Denied, 0, 1}, "[0].deny[1]"},
		{"ci", "deploy", Decision{Allowed, 1, 0}, "[1].allow[0]"}, // the first of two
		{"ci", "deploy_secret", Decision{Denied, 1, 0}, "[1].deny[0]"},
		{"ci", "test", Decision{Allowed, 4, 0}, "[4].allow[0]"},
		{"ci", "other", Decision{Reason: NotAllowed}, ""},
		{"", "deploy", Decision{Reason: NotAllowed}, ""},
		{"root", "other", Decision{AllowsAny, 2, 0}, "[2]"},
		{"root", "deploy", Decision{Allowed, 3, 0}, "[3].allow[0]"},
		{"root", "nginx_x", Decision{Denied, 0, 0}, "[0].deny[0]"},
		{"root", "a\x00", Decision{Reason: Unreadable}, ""},
	} {
		got := compile(t, rules).Decide(tc.identity, []byte(tc.name))
		if got != tc.want || got.Path() != tc.path {
			t.Errorf("Decide(%q, %q) = %+v at %q, want %+v at %q", tc.identity, tc.name, got, got.Path(), tc.want, tc.path)
		}
	}
	if got := compile(t, nil).Decide("", []byte("x")); got != (Decision{Reason: NoRules}) || !got.Allows() {
		t.Errorf("an open Set decides %+v, want NoRules", got)
	}
	for _, s := range []*Set{nil, new(Set)} {
		if got := s.Decide("", []byte("x")); got.Allows() {
			t.Errorf("%+v decides %+v, want a denial", s, got)
		}
	}
	if (Decision{}).Allows() {
		t.Error("the zero Decision allows")
	}
}
