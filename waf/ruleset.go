package waf

import (
	"errors"
	"slices"
	"sync/atomic"

	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/experimental"

	"github.com/sallyport/sallyport/waf/corazamcp"
)

// A Ruleset is a loaded, tested set of rules. It is immutable and safe for concurrent use; the zero value refuses every request.
type Ruleset struct {
	waf   coraza.WAF
	ids   []int
	body  int          // the longest body that the engine takes
	args  int          // the most values that ARGS gets from a message that Guard has parsed
	sieve *sieve       // lets requests pass that no rule has anything to say about; nil if it would know of none
	refs  atomic.Int64 // one for the owner, one for each running evaluation; 0 = closed and freed
	done  atomic.Bool  // Close was called
}

// LoadRules reads, merges and checks rules, and then proves with requests of its own that the result refuses what it must.
//
// Everything that the engine would pass over in silence is an error: an over-long line, a file that ends in a backslash, a pattern
// without files, a rule without id, an id used twice, a removal that removes nothing, a rule that can never run. So is every
// directive that would weaken the result: SecRuleEngine, body access and audit logging are LoadRules' own. All problems are joined;
// each is a [*RulesError]. After an error there is no Ruleset. A program that is built with coraza.rule.multiphase_evaluation or
// coraza.rule.case_sensitive_args_keys, build tags under which rules mean something else, gets such an error as well (RulesCanary).
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
