package waf

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/policy"
	"github.com/sallyport/sallyport/mcpmsg"
)

// Bounds of the conditions of one rule.
const (
	maxArgumentRules       = 64
	maxArgumentValues      = 256 // of OneOf or Prefixes
	maxArgumentTextBytes   = 1024
	maxArgumentDepth       = 8
	maxArgumentNumberBytes = 100
)

// ArgumentRule is a condition on one argument of a tool: its value must be one of OneOf, or start with one of Prefixes. Exactly one
// of the two is set.
type ArgumentRule struct {
	// Path is the JSON Pointer (RFC 6901) of the argument within the arguments of the call, such as "/env" or "/filter/owner". It
	// leads through objects only, at most 8 of them; elements of arrays are for AccessRule.ArgumentSchema. A name that lenient
	// readers take for one of the path, such as "Env", is refused.
	Path string

	// OneOf are the values that are allowed: strings, booleans, and numbers as json.Number or of a Go type. Strings are compared
	// decoded and byte for byte, numbers by their exact value (1, 1.0 and 1e0 are one); "1" is not 1, and null is nothing.
	OneOf []any

	// Prefixes are the beginnings of the texts that are allowed, compared byte for byte, such as "/docs/" or
	// "https://api.example.com/". They are for paths, URLs and names: a text that leads elsewhere is refused whatever it starts
	// with, by dot segments or their look-alikes; so is one with an escape of a dot, a slash, a backslash or a percent sign, with a
	// "%" that begins no escape, or with control characters, which a line feed is. Only in the query of an http or https URL of which
	// the prefix ends before it, control characters alone are refused: all the rest of it leads nowhere. A prefix that begins a URL
	// must hold the slash after the host.
	Prefixes []string

	// Optional lets a call pass that does not have the argument. Without it such a call is refused.
	Optional bool
}

// argumentRules are the compiled conditions of one AccessRule. They are immutable.
type argumentRules struct {
	form     *mcpmsg.Validator // of everything that Arguments say but the prefixes; nil if there are none
	prefixes *argumentNode     // nil if there are none
	schema   *mcpmsg.Validator // of ArgumentSchema; nil if there is none
}

// unmet returns which of the conditions the arguments of a call do not meet, in the words of a policy file, or "".
func (a *argumentRules) unmet(call argumentCall) string {
	switch {
	case a.form != nil && (!accepts(a.form, call) || a.prefixes != nil && !a.prefixes.holds(call.arguments())):
		return "arguments"
	case a.schema != nil && !accepts(a.schema, call):
		return "argument_schema"
	}
	return ""
}

// argumentCall is a call that holds nothing but the arguments of another, under a name that the rule of argumentValidator knows. A
// Validator judges whole messages only. It is no longer than the other, if that has arguments: there is no shorter call.
type argumentCall []byte

func newArgumentCall(arguments mcpmsg.Raw) argumentCall {
	if arguments == nil {
		arguments = mcpmsg.Raw("{}")
	}
	call := make(argumentCall, 0, len(argumentsBefore)+len(arguments)+len(argumentsAfter))
	return append(append(append(call, argumentsBefore...), arguments...), argumentsAfter...)
}

func (c argumentCall) arguments() []byte { return c[len(argumentsBefore) : len(c)-len(argumentsAfter)] }

const (
	argumentsBefore = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":`
	argumentsAfter  = `}}`
)

func accepts(v *mcpmsg.Validator, message []byte) bool {
	_, bad := v.Check(message, mcpmsg.Context{Version: mcpmsg.V20251125, Direction: mcpmsg.FromClient})
	return bad.OK()
}

// argumentNode is a place in the arguments that the path of an ArgumentRule leads to or through.
type argumentNode struct {
	members  map[string]*argumentNode // nil at the end of a path
	required []string
	oneOf    []any
	prefixes []string
}

// holds reports whether the texts in an object whose form is right start as they should.
func (n *argumentNode) holds(text []byte) bool {
	if n.members == nil {
		var value string
		return n.prefixes == nil || json.Unmarshal(text, &value) == nil &&
			slices.ContainsFunc(n.prefixes, func(p string) bool { return policy.HasPrefix([]byte(value), []byte(p)) })
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil {
		return false
	}
	for name, member := range n.members {
		if value, ok := object[name]; ok && !member.holds(value) {
			return false
		}
	}
	return true
}

// schema returns the JSON Schema of the form of the arguments: objects, required members, kinds and values.
func (n *argumentNode) schema() map[string]any {
	switch {
	case n.oneOf != nil:
		return map[string]any{"enum": n.oneOf}
	case n.prefixes != nil:
		return map[string]any{"type": "string"}
	}
	properties := make(map[string]any, len(n.members))
	for name, member := range n.members {
		properties[name] = member.schema()
	}
	return map[string]any{"type": "object", "properties": properties, "required": append([]string{}, n.required...)}
}

// add enters a condition at the end of a path, or says why that can't be.
func (n *argumentNode) add(path []string, rule ArgumentRule) (problem string) {
	name := path[0]
	if n.members == nil {
		n.members = make(map[string]*argumentNode)
	}
	member, known := n.members[name]
	switch last := len(path) == 1; {
	case known && (last || member.members == nil):
		return "this argument, or a part of it, is named already"
	case !known:
		member = new(argumentNode)
		n.members[name] = member
	}
	if !rule.Optional && !slices.Contains(n.required, name) {
		n.required = append(n.required, name)
	}
	if len(path) > 1 {
		return member.add(path[1:], rule)
	}
	member.oneOf, member.prefixes = slices.Clone(rule.OneOf), slices.Clone(rule.Prefixes)
	return ""
}

// compileArguments compiles the conditions of one rule, under the bounds of messages, or returns every fault in them. Without
// conditions it returns nil.
func compileArguments(field string, rule AccessRule, messages mcpmsg.Config) (*argumentRules, []error) {
	if len(rule.Arguments) == 0 && rule.ArgumentSchema == nil {
		return nil, nil
	}
	var errs []error
	if rule.Allow != nil && len(rule.Allow) == 0 {
		errs = append(errs, configErrorf(field+".Allow", "must not be empty beside conditions: they are for the tools that it holds"))
	}
	if len(rule.Arguments) > maxArgumentRules {
		return nil, append(errs, configErrorf(field+".Arguments", "%d conditions, at most %d", len(rule.Arguments), maxArgumentRules))
	}
	a, conditions := new(argumentRules), new(argumentNode)
	for i, r := range rule.Arguments {
		path, more := compileArgument(configField(field+".Arguments", i), r)
		if errs = append(errs, more...); len(more) > 0 {
			continue
		}
		if problem := conditions.add(path, r); problem != "" {
			errs = append(errs, configErrorf(configField(field+".Arguments", i)+".Path", "%s", problem))
		}
		if r.Prefixes != nil {
			a.prefixes = conditions
		}
	}
	if len(errs) > 0 {
		return nil, errs
	}
	var err error
	if len(rule.Arguments) > 0 {
		if a.form, err = conditions.validator(messages); err != nil {
			errs = append(errs, &ConfigError{Field: field + ".Arguments", Problem: err.Error(), cause: err})
		}
	}
	switch {
	case rule.ArgumentSchema == nil:
	case reflect.ValueOf(*rule.ArgumentSchema).IsZero():
		errs = append(errs, configErrorf(field+".ArgumentSchema", "must be one that mcpmsg.CompileSchema returned"))
	default:
		if a.schema, err = argumentValidator(rule.ArgumentSchema, messages); err != nil {
			errs = append(errs, &ConfigError{Field: field + ".ArgumentSchema", Problem: err.Error(), cause: err})
		}
	}
	return a, errs
}

func (n *argumentNode) validator(messages mcpmsg.Config) (*mcpmsg.Validator, error) {
	text, err := json.Marshal(n.schema())
	if err != nil {
		return nil, err
	}
	schema, err := mcpmsg.CompileSchema(text)
	if err != nil {
		return nil, err
	}
	return argumentValidator(schema, messages)
}

// argumentValidator returns a Validator for an argumentCall. It keeps the bounds under which the arguments were
// accepted already.
func argumentValidator(schema *mcpmsg.Schema, messages mcpmsg.Config) (*mcpmsg.Validator, error) {
	messages.Tools = []mcpmsg.ToolRule{{Name: "t", InputSchema: schema, CaseSensitiveArguments: true}}
	return mcpmsg.New(messages)
}

// compileArgument returns the names on the path of a condition, or every fault in it.
func compileArgument(field string, rule ArgumentRule) (path []string, errs []error) {
	path, problem := splitPointer(rule.Path)
	if problem != "" {
		errs = append(errs, configErrorf(field+".Path", "%s", problem))
	}
	switch {
	case (rule.OneOf == nil) == (rule.Prefixes == nil):
		errs = append(errs, configErrorf(field, "must have either OneOf or Prefixes"))
	case rule.OneOf != nil && len(rule.OneOf) == 0:
		errs = append(errs, configErrorf(field+".OneOf", "must not be empty: no value would be allowed"))
	case rule.Prefixes != nil && len(rule.Prefixes) == 0:
		errs = append(errs, configErrorf(field+".Prefixes", "must not be empty: no value would be allowed"))
	case len(rule.OneOf) > maxArgumentValues:
		errs = append(errs, configErrorf(field+".OneOf", "%d values, at most %d", len(rule.OneOf), maxArgumentValues))
	case len(rule.Prefixes) > maxArgumentValues:
		errs = append(errs, configErrorf(field+".Prefixes", "%d prefixes, at most %d", len(rule.Prefixes), maxArgumentValues))
	}
	for i, value := range rule.OneOf {
		if problem := valueProblem(value); problem != "" {
			errs = append(errs, configErrorf(configField(field+".OneOf", i), "%s", problem))
		}
	}
	for i, prefix := range rule.Prefixes {
		if problem := prefixProblem(prefix); problem != "" {
			errs = append(errs, configErrorf(configField(field+".Prefixes", i), "%s", problem))
		}
	}
	return path, errs
}

// splitPointer returns the names that a JSON Pointer goes through, or says what is wrong with it.
//
// Source: RFC 6901, 3 and 4.
func splitPointer(pointer string) (names []string, problem string) {
	switch {
	case !strings.HasPrefix(pointer, "/"):
		return nil, `must be a JSON Pointer to one argument, such as "/env"`
	case len(pointer) > maxArgumentTextBytes || strings.Count(pointer, "/") > maxArgumentDepth:
		return nil, "must not be longer than 1024 bytes and 8 names"
	case !utf8.ValidString(pointer) || strings.ContainsRune(pointer, utf8.RuneError):
		return nil, "is not valid UTF-8"
	}
	names = strings.Split(pointer[1:], "/")
	for i, name := range names {
		if rest := strings.NewReplacer("~0", "", "~1", "").Replace(name); strings.Contains(rest, "~") {
			return nil, `must write "~" as "~0" and "/" within a name as "~1"`
		}
		names[i] = strings.NewReplacer("~0", "~", "~1", "/").Replace(name)
	}
	return names, ""
}

// valueProblem says what is wrong with an element of OneOf, or "".
func valueProblem(value any) string {
	switch v := value.(type) {
	case json.Number:
		if !json.Valid([]byte(v)) || v == "" || v[0] != '-' && (v[0] < '0' || v[0] > '9') {
			return "is not a JSON number"
		}
		if f, err := v.Float64(); err != nil || math.IsInf(f, 0) || len(v) > maxArgumentNumberBytes {
			return "is a number that readers take for different ones: too long, or too large"
		}
		return ""
	case string:
		return textProblem(v)
	}
	switch v := reflect.ValueOf(value); {
	case v.Kind() == reflect.Bool, v.CanInt(), v.CanUint():
		return ""
	case v.CanFloat() && !math.IsInf(v.Float(), 0) && !math.IsNaN(v.Float()):
		return ""
	}
	return "must be a string, a number or a boolean"
}

func prefixProblem(prefix string) string {
	if prefix == "" {
		return "must not be empty: every text starts so"
	}
	if problem := textProblem(prefix); problem != "" {
		return problem
	}
	_, host, isURL := strings.Cut(prefix, "://")
	if !isURL {
		host, isURL = strings.CutPrefix(prefix, "//")
	}
	if isURL && !strings.Contains(host, "/") {
		return `must go on to the slash after the host: "https://a.example" is also how "https://a.example.evil.example" starts`
	}
	if !policy.HasPrefix([]byte(prefix+"x"), []byte(prefix)) {
		return "leads elsewhere itself: dot segments, their escapes and look-alikes, and control characters are refused"
	}
	return ""
}

func textProblem(text string) string {
	switch {
	case len(text) > maxArgumentTextBytes:
		return "must not be longer than 1024 bytes"
	case !utf8.ValidString(text):
		return "is not valid UTF-8"
	}
	return ""
}
