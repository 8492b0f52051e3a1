package waf

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/sallyport/sallyport/rules"
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
	readText("base", rulesetPhaseRules+rulesetBase)
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
// Engines store 1,000 members by default, which an ordinary chat history passes.
var rulesetBase = fmt.Sprintf(`SecRuleEngine On
SecAuditEngine Off
SecRxPreFilter On
SecRequestBodyAccess On
SecRequestBodyJsonDepthLimit 64
SecArgumentsLimit 5000
SecAction "id:%d,phase:1,pass,nolog,t:none,setvar:tx.sallyport_max_arguments=5000"
SecRule REQUEST_HEADERS:Content-Type "@rx (?i)\A\s*(?:application|text)/(?:[a-z0-9._-]+\+)?json(?:[\s;]|\z)" \
    "id:%d,phase:1,pass,nolog,t:none,ctl:requestBodyProcessor=JSON"
SecRule REQUEST_HEADERS:Content-Type "@rx (?i)\A\s*(?:application|text)/(?:[a-z0-9._-]+\+)?xml(?:[\s;]|\z)" \
    "id:%d,phase:1,pass,nolog,t:none,ctl:requestBodyProcessor=XML"
`, rulesetIDArguments, rulesetIDJSON, rulesetIDXML)
