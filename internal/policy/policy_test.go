package policy

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func compile(t testing.TB, rules []Rule) *Set {
	t.Helper()
	s, err := Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func everyone(allow, deny []string) []Rule {
	return []Rule{{Identity: Everyone, Allow: allow, Deny: deny}}
}

var (
	denyExec   = everyone(nil, []string{"exec"})
	denyNginx  = everyone(nil, []string{"nginx_config_*"})
	allowDocs  = everyone([]string{"search_docs"}, nil)
	allowKB    = everyone([]string{"kb_*"}, nil)
	allowNames = []Rule{
		{Identity: Everyone, Allow: []string{"search_docs"}},
		{Identity: "ci", Allow: []string{"deploy"}, Deny: []string{"search_docs_private"}},
		{Identity: "root"},
		{Identity: "ci", Allow: []string{"test"}},
	}
)

var decisions = []struct {
	name     string
	rules    []Rule
	identity string
	tool     string
	want     bool
}{
	{"no rules", nil, "", "anything", true},
	{"no rules, odd name", nil, "", "\xff", true},
	{"empty rules", []Rule{}, "ci", "anything", false},
	{"empty allow", everyone([]string{}, nil), "ci", "anything", false},
	{"nil allow", everyone(nil, nil), "", "anything", true},

	{"allow exact", allowDocs, "", "search_docs", true},
	{"allow is case-sensitive", allowDocs, "", "Search_docs", false},
	{"allow is exact at the end", allowDocs, "", "search_docs ", false},
	{"allow folds nothing", allowDocs, "", "ſearch_docs", false},
	{"allow is no prefix", allowDocs, "", "search_docs2", false},
	{"allow is no suffix", allowDocs, "", "xsearch_docs", false},
	{"allow glob", allowKB, "", "kb_read", true},
	{"allow glob, empty run", allowKB, "", "kb_", true},
	{"allow glob, too short", allowKB, "", "kb", false},
	{"allow glob is case-sensitive", allowKB, "", "KB_read", false},
	{"regexp bytes are literal", everyone([]string{"a.c"}, nil), "", "abc", false},
	{"question mark is literal", everyone([]string{"a?c"}, nil), "", "abc", false},
	{"bracket is literal", everyone([]string{"[ab]"}, nil), "", "a", false},
	{"backslash is literal", everyone([]string{`a\*`}, nil), "", `a\b`, true},
	{"star spans slashes and newlines", everyone([]string{"a*z"}, nil), "", "a/b.c/z", true},
	{"prefix and suffix must not overlap", everyone([]string{"ab*ba"}, nil), "", "aba", false},
	{"prefix and suffix touch", everyone([]string{"ab*ba"}, nil), "", "abba", true},
	{"middle in order", everyone([]string{"*a*b*"}, nil), "", "xaxbx", true},
	{"middle out of order", everyone([]string{"*a*b*"}, nil), "", "xbxax", false},
	{"middle must not overlap the suffix", everyone([]string{"*ab*b"}, nil), "", "ab", false},
	{"middle needs its own bytes", everyone([]string{"*aa*aa*"}, nil), "", "aaa", false},
	{"double star", everyone([]string{"a**b"}, nil), "", "ab", true},
	{"only star", everyone([]string{"*"}, nil), "", "x", true},

	{"deny exact", denyExec, "", "exec", false},
	{"benign twin: longer", denyExec, "", "execute", true},
	{"benign twin: shorter", denyExec, "", "exe", true},
	{"benign twin: inner space", denyExec, "", "ex ec", true},
	{"benign twin: inner dot", denyExec, "", "ex.ec", true},
	{"benign twin: other script", denyExec, "", "検索", true},
	{"benign twin: accented", denyExec, "", "éxec", true},
	{"deny upper case", denyExec, "", "EXEC", false},
	{"deny mixed case", denyExec, "", "eXeC", false},
	{"deny trailing space", denyExec, "", "exec ", false},
	{"deny trailing dots", denyExec, "", "exec...", false},
	{"deny trailing mix", denyExec, "", "Exec . .", false},
	{"deny leading space", denyExec, "", "  exec", false},
	{"deny trailing NUL", denyExec, "", "exec\x00", false},
	{"deny NUL and more", denyExec, "", "exec\x00.png", false},
	{"deny newline", denyExec, "", "exec\n", false},
	{"deny C1 control", denyExec, "", "exec\u0085", false},
	{"deny no-break space", denyExec, "", "exec\u00a0", false},
	{"deny ideographic space", denyExec, "", "\u3000exec\u3000", false},
	{"deny full-width", denyExec, "", "ｅｘｅｃ", false},
	{"deny full-width capital", denyExec, "", "ＥXEC", false},
	{"deny full-width dot", denyExec, "", "exec．", false},
	{"deny full-width pattern", everyone(nil, []string{"ｅｘｅｃ"}), "", "exec", false},
	{"deny long s", everyone(nil, []string{"shell"}), "", "\u017fhell", false},
	{"deny Kelvin sign", everyone(nil, []string{"kill"}), "", "\u212aill", false},
	{"deny dotted I", everyone(nil, []string{"kill"}), "", "K\u0130LL", false},
	{"deny dotless i", everyone(nil, []string{"kill"}), "", "k\u0131ll", false},
	{"deny capital accent", everyone(nil, []string{"café"}), "", "CAFÉ", false},
	{"deny final sigma", everyone(nil, []string{"Σ"}), "", "ς", false},
	{"benign twin: unrelated accent", everyone(nil, []string{"café"}), "", "cafè", true},

	{"deny glob", denyNginx, "", "nginx_config_write", false},
	{"deny glob, case", denyNginx, "", "NGINX_Config_write", false},
	{"deny glob, low line full-width", denyNginx, "", "nginx＿config_write", false},
	{"deny glob, leading space", denyNginx, "", " nginx_config_write", false},
	{"deny glob, empty run", denyNginx, "", "nginx_config_", false},
	{"benign twin: not the prefix", denyNginx, "", "nginx_status", true},
	{"deny suffix glob, trailing dot", everyone(nil, []string{"*_delete"}), "", "user_delete.", false},
	{"deny dotted glob, name ends at the dot", everyone(nil, []string{"exec.*"}), "", "exec.", false},
	{"deny pattern with trailing dot", everyone(nil, []string{"exec."}), "", "exec..", false},
	{"deny only dots keeps its meaning", everyone(nil, []string{"*."}), "", "exec", true},
	{"deny only dots", everyone(nil, []string{"*."}), "", "exec.", false},
	{"deny all", everyone(nil, []string{"*"}), "", "x", false},
	{"deny wins over allow", everyone([]string{"kb_*"}, []string{"kb_drop"}), "", "kb_drop", false},
	{"deny of everyone wins over own allow", []Rule{{Identity: "*", Deny: []string{"x"}}, {Identity: "ci", Allow: []string{"x"}}}, "ci", "x", false},
	{"own deny wins over allow of everyone", []Rule{{Identity: "*"}, {Identity: "ci", Allow: []string{}, Deny: []string{"x"}}}, "ci", "x", false},
	{"deny of another identity", []Rule{{Identity: "*"}, {Identity: "ci", Deny: []string{"x"}}}, "cd", "x", true},

	{"empty name", everyone(nil, nil), "", "", false},
	{"not UTF-8", everyone(nil, nil), "", "a\xff", false},
	{"overlong UTF-8", everyone(nil, nil), "", "a\xc0\xaf", false},
	{"surrogate", everyone(nil, nil), "", "a\xed\xa0\x80", false},
	{"longest name", everyone(nil, nil), "", strings.Repeat("a", MaxNameBytes), true},
	{"name too long", everyone(nil, nil), "", strings.Repeat("a", MaxNameBytes+1), false},
	{"longest name that folds", everyone(nil, []string{"x"}), "", strings.Repeat("Ω", MaxNameBytes/2), true},

	{"everyone's rule for an anonymous caller", allowNames, "", "search_docs", true},
	{"own rule, not for an anonymous caller", allowNames, "", "deploy", false},
	{"everyone's rule for a known caller", allowNames, "ci", "search_docs", true},
	{"own rule", allowNames, "ci", "deploy", true},
	{"own second rule", allowNames, "ci", "test", true},
	{"own deny", allowNames, "ci", "search_docs_private", false},
	{"rule of another", allowNames, "cd", "deploy", false},
	{"identity is case-sensitive", allowNames, "CI", "deploy", false},
	{"everything for one", allowNames, "root", "deploy", true},
	{"a caller called *", allowNames, "*", "deploy", false},
}

func TestAllows(t *testing.T) {
	for _, tc := range decisions {
		if got := compile(t, tc.rules).Allows(tc.identity, []byte(tc.tool)); got != tc.want {
			t.Errorf("%s: Allows(%q, %.40q) = %v, want %v", tc.name, tc.identity, tc.tool, got, tc.want)
		}
	}
}

func TestAllowsZeroDenies(t *testing.T) {
	for _, s := range []*Set{nil, new(Set)} {
		if s.Allows("ci", []byte("x")) {
			t.Errorf("Allows on %+v = true, want false", s)
		}
	}
}

// TestCompileCopies changes the rules after compiling them.
func TestCompileCopies(t *testing.T) {
	rules := everyone([]string{"a", "b*"}, nil)
	s := compile(t, rules)
	rules[0].Allow[0], rules[0].Allow[1] = "x", "x*"
	for _, name := range []string{"a", "bb"} {
		if !s.Allows("", []byte(name)) {
			t.Errorf("Allows(%q) = false after the caller changed its rules", name)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	long := strings.Repeat("a", MaxPatternBytes)
	for _, tc := range []struct {
		name  string
		rules []Rule
		want  []string
	}{
		{"most rules", slices.Repeat(everyone(nil, nil), MaxRules), nil},
		{"too many rules", slices.Repeat(everyone(nil, nil), MaxRules+1), []string{"policy: 1025 rules, limit 1024"}},
		{"most patterns", everyone(slices.Repeat([]string{"a"}, MaxPatterns-1), []string{"b"}), nil},
		{"too many patterns", everyone(slices.Repeat([]string{"a"}, MaxPatterns), []string{"b"}), []string{"policy: 4097 patterns, limit 4096"}},
		{"longest pattern", everyone([]string{long}, []string{long}), nil},
		{"all faults at once", []Rule{{Allow: []string{"a", ""}, Deny: []string{long + "a", "\xffsecret", "exec\x00"}}}, []string{
			"policy: rule 0: identity must not be empty",
			"policy: rule 0: allow[1] must not be empty",
			"policy: rule 0: deny[0] has 257 bytes, limit 256",
			"policy: rule 0: deny[1] is not valid UTF-8",
			"policy: rule 0: deny[2] holds a control character, which no allowed name does",
		}},
	} {
		s, err := Compile(tc.rules)
		if len(tc.want) == 0 {
			if err != nil || s == nil {
				t.Errorf("%s: Compile: %v", tc.name, err)
			}
			continue
		}
		if s != nil || err == nil || err.Error() != strings.Join(tc.want, "\n") {
			t.Errorf("%s: Compile = %v, %q, want nil, %q", tc.name, s, err, tc.want)
		}
		var typed *Error
		if !errors.As(err, &typed) {
			t.Errorf("%s: errors.As found no *Error in %T", tc.name, err)
		}
	}
}

// TestFoldNeverGrows holds fold to the buffer of Allows, and to one result for all letters that Unicode calls equal.
func TestFoldNeverGrows(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		folded := foldRune(r)
		if utf8.RuneLen(folded) > utf8.RuneLen(r) {
			t.Errorf("foldRune(%U) = %U, which is longer", r, folded)
		}
		if twin := foldRune(unicode.SimpleFold(r)); twin != folded {
			t.Errorf("foldRune(%U) = %U, but its fold %U gives %U", r, folded, unicode.SimpleFold(r), twin)
		}
		if again := foldRune(folded); again != folded {
			t.Errorf("foldRune(%U) = %U, then %U", r, folded, again)
		}
	}
}

// oracle decides by regular expressions and by folding with the strings package.
func oracle(allow, deny []string, name string) bool {
	if name == "" || len(name) > MaxNameBytes || !utf8.ValidString(name) || strings.IndexFunc(name, unicode.IsControl) >= 0 {
		return false
	}
	matches := func(pattern, name string) bool {
		return regexp.MustCompile(`(?s)^` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`) + `$`).MatchString(name)
	}
	narrow := func(s string) string {
		return strings.Map(func(r rune) rune {
			switch {
			case '！' <= r && r <= '～':
				return r - '！' + '!'
			case r == 'İ' || r == 'ı':
				return 'i'
			case unicode.IsSpace(r):
				return ' '
			}
			return r
		}, s)
	}
	// Fold writes the smallest of equal letters; the oracle writes the largest.
	largest := func(s string) string {
		return strings.Map(func(r rune) rune {
			top := r
			for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
				top = max(top, next)
			}
			return top
		}, narrow(s))
	}
	for _, pattern := range deny {
		whole := largest(name)
		trimmed := strings.TrimRight(strings.TrimLeft(whole, " "), " .")
		bare := strings.TrimRight(strings.TrimLeft(largest(pattern), " "), " .")
		if bare == "" || (bare[0] == '*') != (largest(pattern)[0] == '*') || strings.HasSuffix(bare, "*") != strings.HasSuffix(largest(pattern), "*") {
			bare = largest(pattern)
		}
		if matches(bare, whole) || matches(bare, trimmed) {
			return false
		}
	}
	return allow == nil || slices.ContainsFunc(allow, func(pattern string) bool { return matches(pattern, name) })
}

func FuzzAllows(f *testing.F) {
	for _, tc := range decisions {
		if len(tc.rules) == 1 {
			f.Add(strings.Join(tc.rules[0].Allow, "\n"), strings.Join(tc.rules[0].Deny, "\n"), "zzz", []byte(tc.tool))
		}
	}
	f.Add("*a*aa*ab", "*b*", "a*", []byte("aaaaaaaaab"))
	lines := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(s, "\n")
	}
	f.Fuzz(func(t *testing.T, allow, deny, more string, name []byte) {
		rules := everyone(lines(allow), lines(deny))
		s, err := Compile(rules)
		if err != nil {
			return
		}
		got := s.Allows("", name)
		if want := oracle(rules[0].Allow, rules[0].Deny, string(name)); got != want {
			t.Errorf("Allows(%q) with allow %q, deny %q = %v, oracle %v", name, rules[0].Allow, rules[0].Deny, got, want)
		}
		stricter, err := Compile(append(rules, Rule{Identity: Everyone, Allow: []string{}, Deny: []string{more}}))
		if err != nil {
			return
		}
		if !got && stricter.Allows("", name) {
			t.Errorf("Allows(%q) became true by denying %q", name, more)
		}
		if !strings.Contains(more, "*") && bytes.Equal(name, []byte(more)) && stricter.Allows("", name) {
			t.Errorf("Allows(%q) = true though exactly that is denied", name)
		}
	})
}

// BenchmarkAllows shows that a hostile pattern and name cost no more per byte than a friendly one: the greedy matcher that
// goes back to the last star needs pattern times name steps here.
func BenchmarkAllows(b *testing.B) {
	runs := strings.Repeat("a", MaxNameBytes)
	for _, bc := range []struct {
		name    string
		pattern string
		tool    string
	}{
		{"exact", "search_docs", "search_docs"},
		{"prefix", "search_*", "search_docs"},
		{"hostile/one long literal", "*" + runs[:MaxPatternBytes-3] + "b*", runs},
		{"hostile/many stars", strings.Repeat("*a", MaxPatternBytes/2-1) + "*b", runs},
	} {
		s := compile(b, everyone([]string{bc.pattern}, []string{bc.pattern}))
		name := []byte(bc.tool)
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(name)))
			for b.Loop() {
				s.Allows("", name)
			}
		})
	}
	b.Run("hostile/full rule list", func(b *testing.B) {
		s := compile(b, everyone(slices.Repeat([]string{"*" + runs[:MaxPatternBytes-3] + "b*"}, MaxPatterns), nil))
		name := []byte(runs)
		b.ReportAllocs()
		for b.Loop() {
			s.Allows("", name)
		}
	})
}
