package rules

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// What does not mean the same in Coraza 3.8, libModSecurity 3.0.9 and ModSecurity 2.9.7, or does not load in one of them. Seen in
// the engines themselves; testdata/modsec/run.sh shows it again.
var unportable = []struct {
	why     string
	pattern *regexp.Regexp
}{
	{"^ and $ are the ends of any line in two of the three; write \\A and \\z", regexp.MustCompile(`(?:^|[^\\])(?:\\\\)*[$^]`)},
	{"two engines know look-around and one does not", regexp.MustCompile(`\(\?(?:[=!]|<[=!])`)},
	{"possessive quantifiers and atomic groups", regexp.MustCompile(`[*+?}]\+|\(\?>`)},
	{"Apache halves a doubled backslash; write \\x5c", regexp.MustCompile(`\\\\`)},
	{"RE2 repeats at most 1000 times", regexp.MustCompile(`\{\d{4,}|,\d{4,}\}`)},
}

var (
	unportableOperator = regexp.MustCompile(`@(?:rxGlobal|pmFromDataset|validateSchema|validateNid|restpath|ipMatchFromDataset)\b`)
	unportableVariable = regexp.MustCompile(
		`ARGS_POST|REQUEST_BODY|ARGUMENTS_LIMIT_REACHED|URI_PARSE_ERROR|RESPONSE_ARGS|(?:^|\|)(?:IP|SESSION|GLOBAL|USER):`)
	engineDirective = regexp.MustCompile(
		`^\s*(?:Sec(?:Default|RuleEngine|Request|Response|Audit|Debug|Rx|Arguments|Pcre|Collection|Tmp|Data)|Include|<)`)
)

// characterClass is taken out of a pattern before it is looked at: anchors and quantifiers are ordinary characters there.
var characterClass = regexp.MustCompile(`\[(?:\\[^\\]|[^\]\\])+\]`)

func TestPortableRules(t *testing.T) {
	seen := map[int]bool{}
	for _, r := range listRules(t, Coraza) { // which has all of Portable
		fail := func(format string, args ...any) {
			t.Helper()
			t.Errorf("%s:%d: rule %s: "+format, append([]any{r.file, r.line, r.action("id")}, args...)...)
		}
		id, err := strconv.Atoi(r.action("id"))
		if err != nil || id < 9599000 || id > 9599989 || seen[id] {
			fail("id out of our block, of the part that the Go loader keeps, or used twice")
		}
		seen[id] = true
		for _, needed := range []string{"phase", "severity", "ver"} {
			if r.action(needed) == "" {
				fail("no %s", needed)
			}
		}
		if len(r.tags("sallyport")) == 0 || len(r.tags("sallyport/")) == 0 {
			fail("no tag of ours")
		}
		if r.has("deny") {
			complete := r.action("status") != "" && r.action("msg") != "" && r.has("log") && len(r.tags("paranoia-level/")) == 1
			if !complete || r.falsePositives() == "" {
				fail("a refusal needs status, msg, log, one paranoia level and a comment that begins with False positives:")
			}
		} else if !r.has("pass") || !r.has("nolog") {
			fail("a rule that does not refuse says pass,nolog")
		}
		if r.action("logdata") != "" || regexp.MustCompile(`%\{(?:REQUEST|ARGS|TX\.\d)`).MatchString(r.all) {
			fail("request values do not go to logs")
		}
		counts := strings.Contains(r.all, "t:length") || strings.HasPrefix(r.variables[0], "&")
		if strings.Contains(r.action("msg"), "%{MATCHED_VAR}") && !counts {
			fail("MATCHED_VAR is a request value here")
		}
		for i, op := range r.operators {
			for _, u := range unportable {
				if strings.Contains(op, "@rx ") && u.pattern.MatchString(characterClass.ReplaceAllString(op, "x")) {
					fail("%s: %.80q", u.why, op)
				}
			}
			portable := strings.Contains(r.file, "/portable/")
			if portable && unportableOperator.MatchString(op) {
				fail("not every engine has the operator of %.80q", op)
			}
			if i > 0 && strings.Contains(r.variables[i], "MATCHED_VAR") {
				fail("a chain over a collection keeps the last match only, or the matches of other rules")
			}
		}
		for _, vars := range r.variables {
			if unportableVariable.MatchString(vars) {
				fail("not every engine fills %s", vars)
			}
			for selector := range strings.SplitSeq(vars, "/|") {
				if _, rx, ok := strings.Cut(selector, ":/"); ok && strings.Contains(rx, "|") && !strings.HasSuffix(selector, "|") {
					if inner, _, _ := strings.Cut(rx, "/"); strings.Contains(inner, "|") {
						fail("libModSecurity takes | inside a selector for the end of it: %s", selector)
					}
				}
			}
		}
	}
	for line := range strings.Lines(Directives(Portable)) {
		name := strings.TrimSpace(strings.TrimPrefix(line, "Include "))
		data, err := embedded.ReadFile(strings.TrimPrefix(name, root+"/"))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for text := range strings.Lines(string(data)) {
			if n++; len(text) > 16<<10 {
				t.Errorf("%s:%d: %d bytes: Apache reads 16 KiB of a line", name, n, len(text))
			}
			if engineDirective.MatchString(text) {
				t.Errorf("%s:%d: engine directives belong to the operator: %.40q", name, n, text)
			}
		}
	}
}

// The linter finds what it is there for.
func TestUnportablePatterns(t *testing.T) {
	for _, bad := range []string{`@rx ^a`, `@rx a$`, `@rx (?:a|^b)`, `@rx (?!a)b`, `@rx a++`, `@rx (?>a)`, `@rx [/\\]`, `@rx a{1,2048}`} {
		found := false
		for _, u := range unportable {
			found = found || u.pattern.MatchString(characterClass.ReplaceAllString(bad, "x"))
		}
		if !found {
			t.Errorf("%q is not found", bad)
		}
	}
	for _, good := range []string{`@rx \Aa\z`, `@rx [^a]`, `@rx \$\(|\$\{?IFS`, `@rx \A[^$\r\n]`, `@rx a+b`, `@rx [/\x5c]`, `@rx [a-zA-Z$/(]`} {
		for _, u := range unportable {
			if u.pattern.MatchString(characterClass.ReplaceAllString(good, "x")) {
				t.Errorf("%q: %s", good, u.why)
			}
		}
	}
}
