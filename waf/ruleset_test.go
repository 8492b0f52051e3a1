package waf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/rules"
)

const rulesetGoodRule = `SecRule REQUEST_URI "@contains secret-path" "id:1000,phase:1,deny,status:404,log,msg:'hidden'"` + "\n"

// rulesetProblems reduces a joined error to "file:line reason rule".
func rulesetProblems(t *testing.T, err error) (got []string) {
	t.Helper()
	var walk func(error)
	walk = func(err error) {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				walk(e)
			}
			return
		}
		var re *RulesError
		if !errors.As(err, &re) {
			t.Fatalf("not a *RulesError: %v", err)
		}
		got = append(got, strings.TrimSpace(strings.SplitN(re.Error(), ": ", 3)[1])+" "+string(re.Reason))
	}
	if err != nil {
		walk(err)
	}
	return got
}

func TestLoadRulesDefault(t *testing.T) {
	rs, err := LoadRules(RulesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if ids := rs.IDs(); !slices.Contains(ids, 9599100) || !slices.IsSorted(ids) {
		t.Errorf("IDs() = %v, want the portable set in order", ids)
	}
	rs.IDs()[0] = -1
	if rs.IDs()[0] == -1 {
		t.Error("IDs() hands out the ruleset's own slice")
	}
	if err := rs.Close(); err != nil {
		t.Error(err)
	}
	if rs.acquire() {
		t.Error("acquire() after Close = true")
	}
}

func TestLoadRulesRefusals(t *testing.T) {
	for _, tc := range []struct {
		name   string
		inline string
		files  fstest.MapFS // with "main.conf" loaded if there
		want   []string
	}{
		{name: "good", inline: rulesetGoodRule},
		{
			name:   "over-long line",
			inline: rulesetGoodRule + "# x\nSecRule ARGS \"@rx " + strings.Repeat("a", 64<<10) + "\" \"id:1001,phase:2,deny\"\n",
			want:   []string{"inline:3 line_too_long"},
		},
		{name: "longest line", inline: "#" + strings.Repeat("a", rulesetMaxLineBytes-2) + "\n" + rulesetGoodRule},
		{name: "backslash at the end", inline: rulesetGoodRule + "SecRule ARGS \"@rx a\" \\\n  \"id:1001,phase:2,deny\" \\", want: []string{"inline:2 line_open"}},
		{
			name:   "swallowed rule",
			inline: "SecRule ARGS \"@rx a\" \"id:1001,phase:2,deny\" \\\n\n" + rulesetGoodRule,
			want:   []string{"inline:3 line_swallowed"},
		},
		{name: "backtick", inline: "SecRule ARGS \"@rx a\" \"id:1001,phase:2,deny\" `\n" + rulesetGoodRule + "`\n", want: []string{
			"inline:1 backtick", "inline:3 backtick", "inline:1 id_missing",
		}},
		{name: "dataset", inline: "SecDataset names `\na\nb\n`\nSecRule ARGS \"@pmFromDataset names\" \"id:1001,phase:2,deny\"\n"},
		{name: "no id", inline: "\nSecRule ARGS \"@rx a\" \"phase:2,deny\"\nSecRule ARGS \"@rx a\"\n", want: []string{
			"inline:2 id_missing", "inline:3 id_missing",
		}},
		{name: "duplicate id", inline: rulesetGoodRule + rulesetGoodRule, want: []string{"inline:2 id_duplicate"}},
		{name: "our id", inline: "SecAction \"id:9599100,phase:1,pass\"", want: []string{"inline:1 id_duplicate"}},
		{name: "hidden errors", inline: "SecIgnoreRuleCompilationErrors On\n" + rulesetGoodRule, want: []string{"inline:1 directive_refused"}},
		{name: "script", inline: "SecRuleScript x.lua \"id:1001,phase:2,deny\"", want: []string{"inline:1 directive_refused"}},
		{name: "engine off", inline: "SecRuleEngine Off", want: []string{"inline:1 directive_refused"}},
		{name: "engine on", inline: "SecRuleEngine \"On\""},
		{name: "audit log", inline: "SecAuditEngine On\nSecAuditLog /dev/stdout\nSecDebugLogLevel 9", want: []string{
			"inline:1 directive_refused", "inline:2 directive_refused", "inline:3 directive_refused",
		}},
		{name: "body off", inline: "SecRequestBodyAccess Off", want: []string{"inline:1 directive_refused"}},
		{name: "unknown directive", inline: "SecRuleEngin On", want: []string{"inline:1 directive_invalid"}},
		{
			name:   "all errors of the engine",
			inline: "SecRule HEADER_NAME \"@rx a\" \"id:1001,phase:1,deny\"\nSecRule ARGS \"@rx (\" \"id:1002,phase:2,deny\"\n" + rulesetGoodRule,
			want:   []string{"inline:1 directive_invalid", "inline:2 directive_invalid"},
		},
		{
			name:   "only together",
			inline: "SecDefaultAction \"phase:1,log,pass\"\nSecDefaultAction \"phase:1,log,deny\"\n" + rulesetGoodRule,
			want:   []string{"inline:3 directive_invalid"},
		},
		{name: "open chain", inline: "SecRule ARGS \"@rx a\" \"id:1001,phase:2,deny,chain\"\nSecMarker X\n", want: []string{"inline:1 chain_open"}},
		{name: "chain to the end", inline: "SecRule ARGS \"@rx a\" \"id:1001,phase:2,deny,chain\"\n", want: []string{
			"inline:1 chain_open",
		}},
		{name: "response phase", inline: "SecRule RESPONSE_STATUS \"@eq 500\" \"id:1001,phase:3,deny\"", want: []string{"inline:1 phase_unused"}},
		{name: "removal of nothing", inline: "SecRuleRemoveById 123456", want: []string{"inline:1 id_unknown"}},
		{name: "removal", inline: rulesetGoodRule + "SecRuleRemoveById 1000 9599200"},
		{name: "removal by tag", inline: "SecRuleRemoveByTag sallyport"},
		{name: "inline include", inline: "Include rules.conf", want: []string{"inline:1 include_unknown"}},
		{name: "absolute include", inline: "Include /etc/rules.conf", want: []string{"inline:1 include_unknown"}},
		{name: "missing file", files: fstest.MapFS{"other.conf": {}}, want: []string{"main.conf file_unreadable"}},
		{
			name: "includes",
			files: fstest.MapFS{
				"main.conf":  {Data: []byte("Include sub/*.conf\nInclude \"one.conf\"\n")},
				"one.conf":   {Data: []byte(rulesetGoodRule)},
				"sub/a.conf": {Data: []byte("Include ../two.conf\nSecRule ARGS \"@pmFromFile words.data\" \"id:1003,phase:2,deny\"\n")},
				"sub/b.conf": {Data: []byte("SecRule ARGS \"@rx b\" \"id:1001,phase:2,deny\"\n")},
				"two.conf":   {Data: []byte("SecRule ARGS \"@rx c\" \"id:1002,phase:2,deny\"\n")}, "sub/words.data": {Data: []byte("x\n")},
			},
		},
		{name: "empty glob", files: fstest.MapFS{"main.conf": {Data: []byte("\nInclude none/*.conf\n")}}, want: []string{"main.conf:2 glob_empty"}},
		{name: "unknown include", files: fstest.MapFS{"main.conf": {Data: []byte("Include none.conf\n")}}, want: []string{"main.conf:1 include_unknown"}},
		{name: "escape", files: fstest.MapFS{"main.conf": {Data: []byte("Include ../../etc/x.conf\n")}}, want: []string{"main.conf:1 include_unknown"}},
		{name: "missing data", files: fstest.MapFS{"main.conf": {Data: []byte("SecRule ARGS \"@pmFromFile none.data\" \"id:1003,phase:2,deny\"\n")}}, want: []string{
			"main.conf:1 directive_invalid",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := RulesConfig{Inline: tc.inline}
			if tc.files != nil {
				cfg.FS, cfg.FSFiles = tc.files, []string{"main.conf"}
			}
			rs, err := LoadRules(cfg)
			if diff := cmp.Diff(tc.want, rulesetProblems(t, err)); diff != "" {
				t.Errorf("LoadRules: %v\n%s", err, diff)
			}
			if (rs == nil) != (err != nil) {
				t.Errorf("ruleset %v with error %v", rs, err)
			}
			if rs != nil {
				if err := rs.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestLoadRulesIncludesItself(t *testing.T) {
	files := fstest.MapFS{"main.conf": {Data: []byte("Include main.conf\nInclude main.conf\n")}}
	_, err := LoadRules(RulesConfig{FS: files, FSFiles: []string{"main.conf"}})
	if got := rulesetProblems(t, err); len(got) == 0 || len(got) > rulesetMaxFiles || !strings.HasSuffix(got[0], string(RulesTooManyFiles)) {
		t.Errorf("LoadRules = %.300q, want too_many_files, bounded", got)
	}
}

func TestLoadRulesConfig(t *testing.T) {
	for name, cfg := range map[string]RulesConfig{
		"FS without files": {FS: rules.FS()},
		"files without FS": {FSFiles: []string{"a.conf"}},
		"negative body":    {MaxBodyBytes: -1},
		"huge body":        {MaxBodyBytes: rulesetMostBodyBytes + 1},
		"unknown profile":  {Profiles: []rules.Profile{99}},
		"plug-in alone":    {Profiles: []rules.Profile{rules.CRSPlugin}},
		"two profiles":     {Profiles: []rules.Profile{rules.Portable, rules.Coraza}},
	} {
		_, err := LoadRules(cfg)
		var re *RulesError
		if !errors.As(err, &re) || re.Reason != RulesConfigInvalid {
			t.Errorf("%s: %v, want config_invalid", name, err)
		}
	}
}

func TestLoadRulesOSFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	write("sub/words.data", "evil\n")
	abs := write("abs.conf", "SecRule ARGS \"@rx z\" \"id:1003,phase:2,deny\"\n")
	write("sub/a.conf", "SecRule ARGS \"@pmFromFile words.data\" \"id:1001,phase:2,deny\"\nInclude "+abs+"\n")
	main := write("main.conf", rulesetGoodRule+"Include sub/*.conf\nInclude @sallyport/portable/sallyport-00-setup.conf\n")
	rs, err := LoadRules(RulesConfig{Files: []string{main}, Profiles: []rules.Profile{}})
	if err != nil {
		t.Fatal(err)
	}
	defer rs.Close()
	for _, id := range []int{1000, 1001, 1003, 9599001} {
		if !slices.Contains(rs.IDs(), id) {
			t.Errorf("rule %d is not loaded: %v", id, rs.IDs())
		}
	}
	bad := write("bad.conf", "SecRule")
	_, err = LoadRules(RulesConfig{Files: []string{bad}})
	if got := rulesetProblems(t, err); len(got) != 1 || got[0] != bad+":1 id_missing" {
		t.Errorf("LoadRules = %v, want the path and line", got)
	}
}

// A rule that lets everything pass is found by the canaries, wherever it stands.
func TestLoadRulesCanary(t *testing.T) {
	all := `SecAction "id:1000,phase:1,allow,nolog"`
	for name, cfg := range map[string]RulesConfig{"in front": {Setup: all}, "behind": {Inline: all}} {
		_, err := LoadRules(cfg)
		var re *RulesError
		if !errors.As(err, &re) || re.Reason != RulesCanary {
			t.Errorf("%s: %v, want canary", name, err)
		}
	}
}

func TestRulesFSIsReadOnly(t *testing.T) {
	name := "@sallyport/portable/sallyport-00-setup.conf"
	first, err := fs.ReadFile(rules.FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	clear(first)
	second, err := fs.ReadFile(rules.FS(), "any/where/"+name)
	if err != nil || !strings.Contains(string(second), "sallyport") {
		t.Errorf("a caller changed the embedded rules: %v", err)
	}
}

func TestRulesErrorUnwraps(t *testing.T) {
	_, err := LoadRules(RulesConfig{FS: fstest.MapFS{}, FSFiles: []string{"none.conf"}})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not lead to its cause", err)
	}
	if want := "waf: none.conf: file_unreadable: open none.conf: file does not exist"; err == nil || err.Error() != want {
		t.Errorf("message %q, want %q", err, want)
	}
}

// The merged root serves what LoadRules has checked and data files; it lists nothing, so no pattern loads a file unseen.
func TestRulesetRoot(t *testing.T) {
	m := rulesetMountOf(rulesetMountFS, fstest.MapFS{"a/words.data": {Data: []byte("x")}})
	root := &rulesetRoot{mounts: map[string]*rulesetMount{m.prefix: &m}, parts: map[string]string{"fs/a/part 0": "SecMarker X\n"}}
	for name, want := range map[string]string{"fs/a/part 0": "SecMarker X\n", "fs/a/words.data": "x"} {
		if got, err := fs.ReadFile(root, name); err != nil || string(got) != want {
			t.Errorf("ReadFile(%q) = %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"fs/none", "a/words.data", "/etc/hostname", "os/etc/hostname"} {
		if _, err := fs.ReadFile(root, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ReadFile(%q): %v, want not to exist", name, err)
		}
	}
	if found, err := fs.Glob(root, "fs/*/*"); len(found) != 0 {
		t.Errorf("Glob = %v, %v", found, err)
	}
	if _, err := root.Open("fs/a/words.data"); err == nil {
		t.Error("Open succeeded")
	}
}
