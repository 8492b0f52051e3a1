package waf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A rulesetUnit is what can stand alone: one directive, or a chain of rules.
type rulesetUnit struct {
	directives []rulesetDirective
	id         int // 0: not a rule
	denies     bool
	tags       []string
}

func (u *rulesetUnit) first() *rulesetDirective { return &u.directives[0] }

// rulesetRefused lists the directives that no source may use, each with the reason.
var rulesetRefused = map[string]string{
	"secignorerulecompilationerrors": "it hides rules that do not load",
	"secrulescript":                  "the engine accepts and ignores it",
	"secremoterules":                 "rules come from files that can be reviewed",
	"secauditlog":                    "an audit log would hold request values",
	"secauditlog2":                   "an audit log would hold request values",
	"secauditlogdir":                 "an audit log would hold request values",
	"secauditlogstoragedir":          "an audit log would hold request values",
	"secauditlogtype":                "an audit log would hold request values",
	"secauditlogformat":              "an audit log would hold request values",
	"secauditlogparts":               "an audit log would hold request values",
	"secauditlogrelevantstatus":      "an audit log would hold request values",
	"secdebuglog":                    "a debug log would hold request values",
	"secdebugloglevel":               "a debug log would hold request values",
	"secresponsebodyaccess":          "responses are not inspected by rules",
	"secrequestbodylimit":            "RulesConfig.MaxBodyBytes decides",
	"secrequestbodyinmemorylimit":    "RulesConfig.MaxBodyBytes decides",
	"secrequestbodynofileslimit":     "RulesConfig.MaxBodyBytes decides",
	"secrequestbodylimitaction":      "a body that is too long is always refused",
	"secuploadkeepfiles":             "nothing of a request is kept",
	"secuploaddir":                   "nothing of a request is kept",
	"sectmpdir":                      "nothing of a request is written to disk",
}

// rulesetPinned lists directives of which only one value is possible.
var rulesetPinned = map[string]string{
	"secruleengine":        "on", // detection without refusal is Guard's mode, not the engine's
	"secauditengine":       "off",
	"secrequestbodyaccess": "on",
}

// rulesetUnits groups the directives and checks what the engine does not: ids, chains, refused directives, removed ids.
func rulesetUnits(ds []rulesetDirective) (units []rulesetUnit, errs []error) {
	seen := map[int]*rulesetDirective{}
	for i := 0; i < len(ds); {
		d := &ds[i]
		i++
		u := rulesetUnit{directives: []rulesetDirective{*d}}
		if why, ok := rulesetRefused[d.name]; ok {
			errs = append(errs, d.fail(RulesDirectiveRefused, d.name+": "+why))
		}
		if want, ok := rulesetPinned[d.name]; ok && !strings.EqualFold(strings.Trim(d.args, `"`), want) {
			errs = append(errs, d.fail(RulesDirectiveRefused, d.name+" can only be "+want))
		}
		switch d.name {
		case "secrule", "secaction":
			a := rulesetParseActions(d)
			u.id, u.denies, u.tags = a.id, a.denies, a.tags
			errs = append(errs, rulesetCheckRule(d, a, seen)...)
			for a.chain {
				if i == len(ds) || ds[i].file != d.file || (ds[i].name != "secrule" && ds[i].name != "secaction") {
					e := d.fail(RulesChainOpen, "the next directive of the file is not a rule")
					e.Rule = u.id
					errs = append(errs, e)
					break
				}
				a = rulesetParseActions(&ds[i])
				u.directives = append(u.directives, ds[i])
				i++
			}
		case "secruleremovebyid", "secruleupdatetargetbyid", "secruleupdateactionbyid":
			errs = append(errs, rulesetCheckRemoval(d, seen)...)
		}
		units = append(units, u)
	}
	return units, errs
}

func rulesetCheckRule(d *rulesetDirective, a rulesetActions, seen map[int]*rulesetDirective) (errs []error) {
	switch first := seen[a.id]; {
	case a.id <= 0:
		errs = append(errs, d.fail(RulesIDMissing, "only the rules inside a chain have none"))
	case first != nil:
		e := d.fail(RulesIDDuplicate, fmt.Sprintf("first used at %s:%d", first.file.display(), first.line))
		e.Rule = a.id
		errs = append(errs, e)
	default:
		seen[a.id] = d
	}
	switch a.phase {
	case "3", "4", "5", "response", "logging":
		// The Core Rule Set is taken as it is, and ours is for engines that look at answers as well.
		if in := d.file.mount.prefix; in != rulesetMountCRS && in != rulesetMountOwn {
			e := d.fail(RulesPhaseUnused, "phase:"+a.phase)
			e.Rule = a.id
			errs = append(errs, e)
		}
	}
	return errs
}

// rulesetCheckRemoval refuses a directive that means rules of which none was loaded before it: a misspelt id would go unnoticed.
func rulesetCheckRemoval(d *rulesetDirective, seen map[int]*rulesetDirective) (errs []error) {
	for _, r := range rulesetIDRanges(d) {
		known := false
		for id := range seen {
			known = known || r.has(id)
		}
		if !known {
			errs = append(errs, d.fail(RulesIDUnknown, fmt.Sprintf("no rule of %d-%d was loaded before", r.from, r.to)))
		}
	}
	return errs
}

type rulesetRange struct{ from, to int }

func (r rulesetRange) has(id int) bool { return r.from <= id && id <= r.to }

// rulesetIDRanges returns the ids that a SecRule…ById directive names.
func rulesetIDRanges(d *rulesetDirective) (ranges []rulesetRange) {
	fields := strings.Fields(d.args)
	if d.name != "secruleremovebyid" {
		fields = fields[:min(1, len(fields))] // the rest are targets or actions
	}
	for _, f := range fields {
		from, to, found := strings.Cut(strings.Trim(f, `"`), "-")
		if !found {
			to = from
		}
		a, errA := strconv.Atoi(from)
		b, errB := strconv.Atoi(to)
		if errA == nil && errB == nil {
			ranges = append(ranges, rulesetRange{a, b})
		}
	}
	return ranges
}

// rulesetMustRefuse tells whether the set has the rule, it refuses by itself, and no directive removes or changes it.
func rulesetMustRefuse(units []rulesetUnit, id int) bool {
	at := slices.IndexFunc(units, func(u rulesetUnit) bool { return u.id == id })
	if at < 0 || !units[at].denies {
		return false
	}
	tags := units[at].tags
	for i := at + 1; i < len(units); i++ { // such directives reach back only
		d := units[i].first()
		switch d.name {
		case "secruleremovebyid", "secruleupdatetargetbyid", "secruleupdateactionbyid":
			if slices.ContainsFunc(rulesetIDRanges(d), func(r rulesetRange) bool { return r.has(id) }) {
				return false
			}
		case "secruleremovebytag", "secruleupdatetargetbytag":
			tag, _, _ := strings.Cut(d.args, " ")
			if slices.ContainsFunc(tags, func(t string) bool { return strings.Contains(t, strings.Trim(tag, `"`)) }) {
				return false
			}
		case "secruleremovebymsg", "secruleupdatetargetbymsg":
			return false // messages are not compared here: take it as meant
		}
	}
	return true
}

// rulesetArgumentsLimit is the value of the last SecArgumentsLimit.
func rulesetArgumentsLimit(units []rulesetUnit) (limit int) {
	for i := range units {
		if d := units[i].first(); d.name == "secargumentslimit" {
			limit, _ = strconv.Atoi(strings.Trim(d.args, `"`)) // the engine has accepted it
		}
	}
	return limit
}

// rulesetActions is what LoadRules needs to know of a rule's actions.
type rulesetActions struct {
	id     int
	phase  string
	chain  bool
	denies bool
	tags   []string
}

func rulesetParseActions(d *rulesetDirective) (a rulesetActions) {
	text := d.args
	if d.name == "secrule" {
		words := rulesetWords(d.args)
		if len(words) < 3 {
			return a
		}
		text = words[len(words)-1]
	}
	for _, action := range rulesetSplitActions(strings.Trim(text, `"`)) {
		key, value, _ := strings.Cut(action, ":")
		value = strings.Trim(strings.TrimSpace(value), "'")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "id":
			a.id, _ = strconv.Atoi(value)
		case "phase":
			a.phase = strings.ToLower(value)
		case "chain":
			a.chain = true
		case "deny":
			a.denies = true
		case "tag":
			a.tags = append(a.tags, value)
		}
	}
	return a
}

// rulesetWords splits the arguments of SecRule at spaces outside double quotes.
func rulesetWords(s string) (words []string) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		end := strings.IndexByte(s, ' ')
		if s[0] == '"' {
			end = 1
			for end < len(s) && (s[end] != '"' || s[end-1] == '\\') {
				end++
			}
			end++
		}
		if end < 0 || end > len(s) {
			end = len(s)
		}
		words = append(words, s[:end])
		s = s[end:]
	}
	return words
}

// rulesetSplitActions splits an action list at commas outside single quotes.
func rulesetSplitActions(s string) (actions []string) {
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '\'':
			quoted = !quoted
		case ',':
			if !quoted {
				actions = append(actions, s[start:i])
				start = i + 1
			}
		}
	}
	return append(actions, s[start:])
}
