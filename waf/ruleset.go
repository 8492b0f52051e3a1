package waf

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync/atomic"

	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/experimental"
	"github.com/corazawaf/coraza/v3/types"

	"github.com/sallyport/sallyport/rules"
	"github.com/sallyport/sallyport/waf/corazamcp"
)

// RulesConfig says which rules to load. The zero value loads the profile rules.Coraza. Sources are read in the order of the fields,
// except that the profile rules.CRSPlugin encloses the rules of the Core Rule Set.
type RulesConfig struct {
	_ [0]func() // keyed literals only; not comparable

	// Setup is SecLang text read before every rule: thresholds (setvar:tx.sallyport_…) and the settings of the Core Rule Set.
	Setup string

	// CRS is a file system with the OWASP Core Rule Set, laid out as coraza-coreruleset's FS ("@crs-setup.conf.example" and
	// "@owasp_crs") or as the project's own release ("crs-setup.conf.example" and "rules"). nil = none.
	CRS fs.FS

	// Profiles are the embedded rulesets. nil = rules.Coraza, or rules.CRSPlugin with CRS; empty but not nil = none. They hold the
	// same rules in different forms, so no two go together.
	Profiles []rules.Profile

	// FS and FSFiles are rule files in a file system, names or patterns. Each needs the other.
	FS      fs.FS
	FSFiles []string

	// Files are rule files of the operating system, paths or patterns. They may include others and name data files.
	Files []string

	// Inline is SecLang text read last.
	Inline string

	// MaxBodyBytes is the longest request body in bytes; a longer one is refused with 413. 0 = 4194304; 1..67108864.
	MaxBodyBytes int
}

// Bounds of RulesConfig.MaxBodyBytes.
const (
	rulesetDefaultBodyBytes = 4 << 20
	rulesetMostBodyBytes    = 64 << 20
)

// A Ruleset is a loaded, tested set of rules. It is immutable and safe for concurrent use; the zero value refuses every request.
type Ruleset struct {
	waf  coraza.WAF
	ids  []int
	body int          // the longest body that the engine takes
	args int          // the most values that ARGS gets from a message that Guard has parsed
	refs atomic.Int64 // one for the owner, one for each running evaluation; 0 = closed and freed
	done atomic.Bool  // Close was called
}

// LoadRules reads, merges and checks rules, and then proves with requests of its own that the result refuses what it must.
//
// Everything that the engine would pass over in silence is an error: an over-long line, a file that ends in a backslash, a pattern
// without files, a rule without id, an id used twice, a removal that removes nothing, a rule that can never run. So is every
// directive that would weaken the result: SecRuleEngine, body access and audit logging are LoadRules' own. All problems are joined;
// each is a [*RulesError]. After an error there is no Ruleset.
//
// Rules run in phases 1 and 2 only. They write nothing: no audit log, no debug log, no temporary file. All the same the engine wants a
// writable temporary directory to exist, unless the program is built with its tag no_fs_access.
func LoadRules(cfg RulesConfig) (*Ruleset, error) {
	corazamcp.Register()
	reader, err := rulesetRead(cfg)
	if err != nil {
		return nil, err
	}
	units, errs := rulesetUnits(reader.directives)
	if err := errors.Join(append(reader.errs, errs...)...); err != nil {
		return nil, err
	}
	rs, err := reader.build(units)
	if err != nil {
		return nil, err
	}
	if err := rulesetProve(rs, units); err != nil {
		return nil, errors.Join(err, rs.Close())
	}
	return rs, nil
}

// IDs returns the ids of the rules as loaded, in ascending order, those that a later directive removes included. The slice is the
// caller's.
func (rs *Ruleset) IDs() []int { return slices.Clone(rs.ids) }

// Close ends the use of the ruleset: no evaluation starts any more, and what the engine holds is freed when the last one that is
// running has ended. Close does not wait for it. Calling it again does nothing.
func (rs *Ruleset) Close() error {
	if rs.done.Swap(true) || rs.waf == nil {
		return nil
	}
	return rs.release()
}

// acquire takes part in the use of the ruleset. It is false after Close, and for the zero value.
func (rs *Ruleset) acquire() bool {
	for {
		n := rs.refs.Load()
		if n <= 0 || rs.done.Load() {
			return false
		}
		if rs.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release gives back what acquire took; the last one frees the engine.
func (rs *Ruleset) release() error {
	if rs.refs.Add(-1) > 0 {
		return nil
	}
	if c, ok := rs.waf.(experimental.WAFCloser); ok {
		return c.Close()
	}
	return nil
}

// rulesetRead collects the directives of all sources.
func rulesetRead(cfg RulesConfig) (*rulesetReader, error) {
	text := &rulesetMount{prefix: rulesetMountText}
	own := rulesetMountOf(rulesetMountOwn, rules.FS())
	r := &rulesetReader{mounts: map[string]*rulesetMount{rulesetMountOwn: &own}}
	invalid := func(field, detail string) {
		r.errs = append(r.errs, &RulesError{Reason: RulesConfigInvalid, Detail: "RulesConfig." + field + ": " + detail})
	}
	if r.bodyBytes = cfg.MaxBodyBytes; r.bodyBytes == 0 {
		r.bodyBytes = rulesetDefaultBodyBytes
	}
	if r.bodyBytes < 1 || r.bodyBytes > rulesetMostBodyBytes {
		invalid("MaxBodyBytes", fmt.Sprintf("%d is not in 1..%d", cfg.MaxBodyBytes, rulesetMostBodyBytes))
	}
	profile := rulesetProfile(cfg, invalid)
	if cfg.CRS != nil {
		m := rulesetMountOf(rulesetMountCRS, cfg.CRS)
		r.mounts[rulesetMountCRS] = &m
	}
	if (cfg.FS != nil) != (len(cfg.FSFiles) > 0) {
		invalid("FSFiles", "FS and FSFiles need each other")
	} else if cfg.FS != nil {
		m := rulesetMountOf(rulesetMountFS, cfg.FS)
		r.mounts[rulesetMountFS] = &m
	}
	if len(cfg.Files) > 0 {
		m := rulesetMountOfOS()
		r.mounts[rulesetMountOS] = &m
	}
	if err := errors.Join(r.errs...); err != nil {
		return nil, err
	}

	readText := func(name, s string) { r.read(rulesetFile{mount: text, name: name, text: s}, nil, 0) }
	readText("base", rulesetBase)
	readText("setup", cfg.Setup)
	lines := rules.Directives(profile)
	if m := r.mounts[rulesetMountCRS]; m != nil {
		before, after := "", lines
		if profile == rules.CRSPlugin {
			end := strings.LastIndex(lines[:len(lines)-1], "\n") + 1 // the last file is the one for behind
			before, after = lines[:end], lines[end:]
		}
		r.readCRS(m, func() { readText("profile", before) })
		lines = after
	}
	readText("profile", lines)
	for _, name := range cfg.FSFiles {
		for _, f := range r.expand(r.mounts[rulesetMountFS], name, nil) {
			r.read(f, nil, 0)
		}
	}
	for _, name := range cfg.Files {
		abs, err := filepath.Abs(name)
		if err != nil {
			return nil, &RulesError{File: name, Reason: RulesUnreadable, Err: err}
		}
		for _, f := range r.expand(r.mounts[rulesetMountOS], rulesetOSName(abs), nil) {
			r.read(f, nil, 0)
		}
	}
	readText("inline", cfg.Inline)
	readText("canary", rulesetCanaryRules)
	return r, nil
}

// rulesetProfile is the profile to load, 0 for none.
func rulesetProfile(cfg RulesConfig, invalid func(field, detail string)) rules.Profile {
	switch {
	case cfg.Profiles == nil && cfg.CRS != nil:
		return rules.CRSPlugin
	case cfg.Profiles == nil:
		return rules.Coraza
	case len(cfg.Profiles) == 0:
		return 0
	case len(cfg.Profiles) > 1:
		invalid("Profiles", "no two profiles go together")
	case rules.Directives(cfg.Profiles[0]) == "":
		invalid("Profiles", fmt.Sprintf("%d is not a profile", cfg.Profiles[0]))
	case cfg.Profiles[0] == rules.CRSPlugin && cfg.CRS == nil:
		invalid("Profiles", "CRSPlugin needs RulesConfig.CRS")
	}
	return cfg.Profiles[0]
}

// readCRS adds the Core Rule Set: its example setup, what plug-ins put in front of the rules, and the rules.
func (r *rulesetReader) readCRS(m *rulesetMount, plugins func()) {
	setup, glob := "@crs-setup.conf.example", "@owasp_crs/*.conf"
	if _, err := m.read(setup); err != nil {
		setup, glob = "crs-setup.conf.example", "rules/*.conf"
	}
	r.read(rulesetFile{mount: m, name: setup}, nil, 0)
	plugins()
	for _, f := range r.expand(m, glob, nil) {
		r.read(f, nil, 0)
	}
}

// rulesetBase is read before everything else: what the engine needs, with limits that fit messages instead of documents.
var rulesetBase = fmt.Sprintf(`SecRuleEngine On
SecAuditEngine Off
SecRxPreFilter On
SecRequestBodyAccess On
SecRequestBodyJsonDepthLimit 64
SecArgumentsLimit 1000
SecRule REQUEST_HEADERS:Content-Type "@rx (?i)\A\s*(?:application|text)/(?:[a-z0-9._-]+\+)?json(?:[\s;]|\z)" \
    "id:%d,phase:1,pass,nolog,t:none,ctl:requestBodyProcessor=JSON"
SecRule REQUEST_HEADERS:Content-Type "@rx (?i)\A\s*(?:application|text)/(?:[a-z0-9._-]+\+)?xml(?:[\s;]|\z)" \
    "id:%d,phase:1,pass,nolog,t:none,ctl:requestBodyProcessor=XML"
`, rulesetIDJSON, rulesetIDXML)

// parts lays the directives out as files of the merged root, so that data files are found beside the file that names them.
func (r *rulesetReader) parts(units []rulesetUnit) (*rulesetRoot, []string) {
	root := &rulesetRoot{mounts: r.mounts, parts: map[string]string{}}
	var names []string
	var part strings.Builder
	dir := ""
	for i := range units {
		for _, d := range units[i].directives {
			if in := path.Join(d.file.mount.prefix, path.Dir(d.file.name)); len(names) == 0 || in != dir {
				part.Reset()
				dir = in
				names = append(names, fmt.Sprintf("%s/part %d", dir, len(names)))
			}
			part.WriteString(d.raw)
			root.parts[names[len(names)-1]] = part.String()
		}
	}
	return root, names
}

// compile gives the units to the engine and returns the ids that it then has.
func (r *rulesetReader) compile(units []rulesetUnit) (coraza.WAF, []int, error) {
	root, names := r.parts(units)
	var ids []int
	// The engine refuses a body of exactly its limit, so its limit is one more. All in memory: nothing of a request reaches a disk.
	cfg := coraza.NewWAFConfig().WithRootFS(root).WithRequestBodyLimit(r.bodyBytes + 1).WithRequestBodyInMemoryLimit(r.bodyBytes + 1)
	cfg = experimental.WAFConfigWithRuleObserver(cfg, func(rule types.RuleMetadata) {
		if rule.ID() != 0 {
			ids = append(ids, rule.ID())
		}
	})
	for _, name := range names {
		cfg = cfg.WithDirectivesFromFile(name)
	}
	w, err := coraza.NewWAF(cfg)
	return w, ids, err
}

// build compiles the whole set and compares what the engine has with what was written.
func (r *rulesetReader) build(units []rulesetUnit) (*Ruleset, error) {
	w, ids, err := r.compile(units)
	if err != nil {
		return nil, r.locate(units, err)
	}
	slices.Sort(ids)
	rs := &Ruleset{waf: w, ids: ids, body: r.bodyBytes, args: rulesetArgumentsLimit(units)}
	rs.refs.Store(1)
	var errs []error
	for i := range units {
		if u := &units[i]; u.id != 0 {
			if _, ok := slices.BinarySearch(ids, u.id); !ok {
				e := u.first().fail(RulesNotLoaded, "the engine accepted the text and does not have the rule")
				e.Rule = u.id
				errs = append(errs, e)
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(append(errs, rs.Close())...)
	}
	return rs, nil
}

// locate finds the directives behind an error of the engine, which names none: first each unit alone, and if every one loads
// alone, the shortest beginning of the set that does not.
func (r *rulesetReader) locate(units []rulesetUnit, whole error) error {
	compiles := func(us []rulesetUnit) error {
		w, _, err := r.compile(us)
		if c, ok := w.(experimental.WAFCloser); ok && err == nil {
			return c.Close()
		}
		return err
	}
	if err := compiles(nil); err != nil {
		return &RulesError{Reason: RulesEngine, Err: err}
	}
	blame := func(u *rulesetUnit, err error) *RulesError {
		e := u.first().fail(RulesDirectiveInvalid, "")
		e.Rule, e.Err = u.id, err
		return e
	}
	var errs []error
	for i := range units {
		if strings.HasPrefix(units[i].first().name, "secruleupdate") {
			continue // needs the rules before it
		}
		if err := compiles(units[i : i+1]); err != nil {
			errs = append(errs, blame(&units[i], err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	n := sort.Search(len(units), func(n int) bool { return compiles(units[:n+1]) != nil })
	if n == len(units) {
		return &RulesError{Reason: RulesEngine, Err: whole}
	}
	return blame(&units[n], whole)
}
