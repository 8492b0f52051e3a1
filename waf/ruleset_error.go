package waf

import (
	"fmt"
	"strconv"
	"strings"
)

// RulesReason says why a ruleset was refused. The set is closed and the texts are API.
type RulesReason string

// Reasons for which [LoadRules] refuses a ruleset. Most of them are mistakes that the engine itself passes over in silence.
const (
	RulesConfigInvalid    RulesReason = "config_invalid"     // a field of RulesConfig is out of range or contradicts another
	RulesUnreadable       RulesReason = "file_unreadable"    // a file or a folder cannot be read
	RulesFileTooBig       RulesReason = "file_too_big"       // a file is longer than 8 MiB
	RulesTooManyFiles     RulesReason = "too_many_files"     // more than 1000 files, or includes nested deeper than 20
	RulesIncludeUnknown   RulesReason = "include_unknown"    // an Include names a file that does not exist
	RulesGlobEmpty        RulesReason = "glob_empty"         // a pattern matches no file
	RulesLineTooLong      RulesReason = "line_too_long"      // a line of 64 KiB or more: the engine would drop it and all that follows
	RulesLineOpen         RulesReason = "line_open"          // a file ends inside a continued line: the engine would drop it
	RulesLineSwallowed    RulesReason = "line_swallowed"     // a continued line runs into the next directive
	RulesBacktick         RulesReason = "backtick"           // a line outside SecDataset ends in a backtick: the engine would read on
	RulesDirectiveRefused RulesReason = "directive_refused"  // a directive that hides errors, logs request values or belongs to LoadRules
	RulesDirectiveInvalid RulesReason = "directive_invalid"  // the engine refuses the directive
	RulesIDMissing        RulesReason = "id_missing"         // a rule without an id
	RulesIDDuplicate      RulesReason = "id_duplicate"       // an id that another rule has
	RulesIDUnknown        RulesReason = "id_unknown"         // a directive removes or changes rules none of which was loaded before it
	RulesChainOpen        RulesReason = "chain_open"         // a chain is not continued by a rule
	RulesPhaseUnused      RulesReason = "phase_unused"       // a rule of phase 3, 4 or 5: Guard runs the request phases only
	RulesNotLoaded        RulesReason = "rule_not_loaded"    // the engine accepted the file and yet does not have the rule
	RulesCanary           RulesReason = "canary"             // the loaded ruleset does not refuse what it must
	RulesEngine           RulesReason = "engine_unavailable" // the engine cannot be built at all
)

// RulesError is one reason why [LoadRules] refused a ruleset. LoadRules joins all that it finds: get them with errors.As, or one by
// one with the Unwrap() []error of the joined error.
type RulesError struct {
	File   string // path as found, "inline", "setup", or "" where no file is concerned
	Line   int    // 1-based line at which the directive starts; 0 where no line is concerned
	Rule   int    // id of the rule; 0 where no rule is concerned
	Reason RulesReason
	Detail string // more in words; may quote the file, never a request
	Err    error  // cause; nil where there is none
}

// Error implements error: "waf: rules/local.conf:12: id_duplicate: rule 1000: first used at rules/a.conf:3".
func (e *RulesError) Error() string {
	var b strings.Builder
	b.WriteString("waf: ")
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			b.WriteString(":" + strconv.Itoa(e.Line))
		}
		b.WriteString(": ")
	}
	b.WriteString(string(e.Reason))
	if e.Rule != 0 {
		fmt.Fprintf(&b, ": rule %d", e.Rule)
	}
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause, or nil.
func (e *RulesError) Unwrap() error { return e.Err }
