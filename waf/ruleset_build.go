package waf

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/experimental"
	"github.com/corazawaf/coraza/v3/types"
)

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
	rs.sieve = newSieve(units, rs.args)
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
