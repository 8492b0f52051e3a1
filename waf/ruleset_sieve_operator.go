package waf

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// A sieveOperator is an operator with its argument.
type sieveOperator struct {
	kind     sieveOperatorKind
	negated  bool
	text     string // the argument
	variable int    // a transaction variable whose value is the argument; -1 = none
	pattern  *regexp.Regexp
	check    func(method, value string) bool
	byMethod bool // the check hangs on the method of the request
}

// needsRequest reports whether the answer hangs on more than the value.
func (o *sieveOperator) needsRequest() bool { return o.variable >= 0 || o.byMethod }

type sieveOperatorKind uint8

const (
	sieveEqual sieveOperatorKind = iota + 1 // @streq
	sieveEQ                                 // @eq, and so on
	sieveLT
	sieveGT
	sieveGE
	sieveMatch  // @rx
	sieveCheck  // an operator of package corazamcp
	sieveOpaque // an operator, or a transformation in front of it, that the sieve does not know
)

var sieveOperators = map[string]sieveOperatorKind{
	"@streq": sieveEqual, "@eq": sieveEQ, "@lt": sieveLT, "@gt": sieveGT, "@ge": sieveGE, "@rx": sieveMatch,
}

// apply applies the operator. r is nil where no request is at hand: for names, if the operator does not need one.
func (o *sieveOperator) apply(r *sieveRun, value string) sieveAnswer {
	if o.kind == sieveOpaque {
		return sieveUnsure
	}
	argument := o.text
	if o.variable >= 0 {
		if v := &r.vars[o.variable]; !v.set || v.unsure {
			return sieveUnsure
		}
		argument = r.vars[o.variable].text
	}
	var matches bool
	switch o.kind {
	case sieveEqual:
		matches = value == argument
	case sieveMatch:
		matches = o.pattern.MatchString(value)
	case sieveCheck:
		method := ""
		if r != nil {
			method = r.in.Request.Method
		}
		matches = o.check(method, value)
	default:
		v, _ := strconv.Atoi(value) // as the engine does: what is no number counts as 0
		a, _ := strconv.Atoi(argument)
		switch o.kind {
		case sieveEQ:
			matches = v == a
		case sieveLT:
			matches = v < a
		case sieveGT:
			matches = v > a
		case sieveGE:
			matches = v >= a
		}
	}
	return sieveIs(matches != o.negated)
}

// A sieveTransform does what the transformation of the same name does. ok is false if it does not know.
type sieveTransform func(value string) (result string, ok bool)

var sieveTransforms = map[string]sieveTransform{
	"lowercase":        func(s string) (string, bool) { return strings.ToLower(s), true },
	"length":           func(s string) (string, bool) { return strconv.Itoa(len(s)), true },
	"removenulls":      func(s string) (string, bool) { return strings.ReplaceAll(s, "\x00", ""), true },
	"removewhitespace": func(s string) (string, bool) { return strings.Map(sieveKeep, s), true },
	"trim":             func(s string) (string, bool) { return strings.Trim(s, " \t\n\r\f\v"), true },
	"normalizepathwin": sieveCleanPath,
	"normalisepathwin": sieveCleanPath,
	"urldecodeuni":     sieveDecode,
}

func sieveKeep(c rune) rune {
	if unicode.IsSpace(c) {
		return -1
	}
	return c
}

// sieveCleanPath knows paths that have nothing to normalise but slashes, and spaces where there are no dots.
func sieveCleanPath(s string) (string, bool) {
	if filepath.Separator != '/' || strings.ContainsAny(s, `\:`) || strings.Contains(s, "/.") || strings.Contains(s, "./") || strings.HasSuffix(s, ".") ||
		strings.Contains(s, ".") && (strings.Contains(s, " ") || s[0] == '.' && strings.Contains(s, "//")) {
		return s, false
	}
	if s != "" && strings.Trim(s, "/") == "" {
		return "//", true // the engine appends the last slash to the cleaned path
	}
	if !strings.Contains(s, "//") && !strings.Contains(s, " ") {
		return s, true
	}
	clean := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] != '/' || i == 0 || s[i-1] != '/' {
			clean = append(clean, s[i])
		}
	}
	return sieveTrimSegments(string(clean)), true
}

// sieveTrimSegments takes the spaces off the ends of the segments of a path, and leaves out those that are nothing else.
func sieveTrimSegments(path string) string {
	if !strings.Contains(path, " ") {
		return path
	}
	kept := make([]string, 0, strings.Count(path, "/")+1)
	for segment := range strings.SplitSeq(path, "/") {
		if trimmed := strings.TrimRight(segment, " "); trimmed != "" || segment == "" {
			kept = append(kept, trimmed)
		}
	}
	return strings.Join(kept, "/")
}

// sieveDecode undoes percent-encoding, and leaves the form with a u to the engine.
func sieveDecode(s string) (string, bool) {
	if !strings.ContainsAny(s, "%+") {
		return s, true
	}
	decoded := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+1 < len(s) && s[i+1]|0x20 == 'u':
			return "", false
		case c == '%' && i+2 < len(s):
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				c = byte(v)
				i += 2
			}
		}
		decoded = append(decoded, c)
	}
	return string(decoded), true
}
