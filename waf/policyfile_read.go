package waf

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/policy"
)

// policyReader maps the nodes of one file to settings and collects the faults.
type policyReader struct {
	data   []byte
	faults []policyFault

	// places are the settings of the Config that the file can set, by the name that a ConfigError gives them.
	places map[string]policyPlace
}

// policyPlace is where the file sets something, or could have.
type policyPlace struct {
	path   string // such as "endpoints[0].path"
	offset int    // of the value; of the object around it if the member is absent
	faulty bool   // a fault of it or within it is reported already: what follows from that is not
}

// policyValue is a node and what it is for.
type policyValue struct {
	*policyNode
	path  string // such as "endpoints[0].path"; "" for the whole file
	field string // such as "Config.Endpoints[0].Path"
}

// policyField is a member that an object may have.
type policyField struct {
	name     string // in the file
	field    string // in the Config, relative to that of the object
	required bool
	read     func(policyValue)
}

// fault notes a fault of v and marks v, and what v is part of, as faulty.
func (r *policyReader) fault(v policyValue, message string) {
	r.add(v.offset, v.path, message)
	r.places[v.field] = policyPlace{v.path, v.offset, true}
	for field := outerField(v.field); field != rootField; field = outerField(field) {
		if place, ok := r.places[field]; ok {
			place.faulty = true
			r.places[field] = place
		}
	}
}

const rootField = "Config"

// outerField returns the name of the setting that field is part of, such as "Config.Endpoints" for "Config.Endpoints[0]".
func outerField(field string) string {
	return field[:max(strings.LastIndexAny(field, ".["), len(rootField))]
}

func (r *policyReader) add(offset int, path, message string) {
	if path != "" {
		message = path + ": " + message
	}
	r.faults = append(r.faults, policyFault{offset, message})
}

// err returns the faults in the order of the file, each as a *PolicyError.
func (r *policyReader) err() error {
	slices.SortStableFunc(r.faults, func(a, b policyFault) int { return cmp.Compare(a.offset, b.offset) })
	if len(r.faults) > maxPolicyFaults {
		r.faults = r.faults[:maxPolicyFaults]
		r.faults = append(r.faults, policyFault{r.faults[maxPolicyFaults-1].offset, "more faults follow: these come first"})
	}
	errs := make([]error, len(r.faults))
	for i, f := range r.faults {
		before := r.data[:f.offset]
		errs[i] = &PolicyError{
			Line:    bytes.Count(before, []byte{'\n'}) + 1,
			Column:  f.offset - bytes.LastIndexByte(before, '\n'),
			Message: f.message,
		}
	}
	return errors.Join(errs...)
}

// object reads the members of v.
func (r *policyReader) object(v policyValue, fields ...policyField) {
	if v.token != json.Delim('{') {
		r.fault(v, "must be an object")
		return
	}
	given := make(map[string]bool, len(v.members))
	for i := range v.members {
		m := &v.members[i]
		at := slices.IndexFunc(fields, func(f policyField) bool { return f.name == m.name })
		switch {
		case at < 0:
			r.add(m.offset, v.path, unknownMember(m.name, fields))
		case given[m.name]:
			r.add(m.offset, joinPath(v.path, m.name), "repeated member")
		default:
			member := policyValue{&m.value, joinPath(v.path, m.name), v.field + "." + fields[at].field}
			r.places[member.field] = policyPlace{member.path, member.offset, false}
			fields[at].read(member)
		}
		given[m.name] = true
	}
	for _, f := range fields {
		if given[f.name] {
			continue
		}
		absent := policyValue{v.policyNode, joinPath(v.path, f.name), v.field + "." + f.field}
		if _, set := r.places[absent.field]; f.required {
			r.fault(absent, "is required")
		} else if !set { // another member may have set it
			r.places[absent.field] = policyPlace{absent.path, absent.offset, false}
		}
	}
}

// unknownMember describes a member without naming it: what stands there may be a misplaced secret.
func unknownMember(name string, fields []policyField) string {
	known := make([]string, len(fields))
	for i, f := range fields {
		if strings.EqualFold(name, f.name) {
			return fmt.Sprintf("unknown member: names are case-sensitive, %q is known here", f.name)
		}
		known[i] = f.name
	}
	return "unknown member: known here are " + strings.Join(known, ", ")
}

func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// list reads an array. An empty one gives an empty slice that is not nil, because that is another setting.
func list[T any](r *policyReader, v policyValue, read func(policyValue) T) []T {
	if v.token != json.Delim('[') {
		r.fault(v, "must be an array")
		return nil
	}
	out := make([]T, len(v.items))
	for i := range v.items {
		index := "[" + strconv.Itoa(i) + "]"
		item := policyValue{&v.items[i], v.path + index, v.field + index}
		r.places[item.field] = policyPlace{item.path, item.offset, false}
		out[i] = read(item)
	}
	return out
}

func (r *policyReader) text(v policyValue) string {
	text, ok := v.token.(string)
	if !ok {
		r.fault(v, "must be a string")
	}
	return text
}

// given reads a string that may be absent, but not empty: in the Config both would be the same.
func (r *policyReader) given(v policyValue) string {
	text := r.text(v)
	if v.token == "" {
		r.fault(v, "must not be empty")
	}
	return text
}

// scalar reads a string, a number or a boolean.
func (r *policyReader) scalar(v policyValue) any {
	switch v.token.(type) {
	case string, json.Number, bool:
		return v.token
	}
	r.fault(v, "must be a string, a number, true or false")
	return ""
}

func (r *policyReader) boolean(v policyValue) bool {
	b, ok := v.token.(bool)
	if !ok {
		r.fault(v, "must be true or false")
	}
	return b
}

// integer reads a whole number from 1 to limit, written without a fraction or an exponent.
func (r *policyReader) integer(v policyValue, limit int) int {
	number, _ := v.token.(json.Number)
	n, err := strconv.Atoi(number.String())
	if err != nil || n < 1 || n > limit {
		r.fault(v, fmt.Sprintf("must be a whole number from 1 to %d", limit))
		return 0
	}
	return n
}

// choice reads one of the texts that parse knows.
func choice[T any](r *policyReader, v policyValue, parse func(string) (T, bool), known ...string) T {
	text, _ := v.token.(string)
	value, ok := parse(text)
	if !ok {
		r.fault(v, "must be one of "+strings.Join(known, ", "))
	}
	return value
}

// locate notes the faults that [New] would find, at the places that set what is wrong.
func (r *policyReader) locate(err error) {
	switch e := err.(type) {
	case nil:
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			r.locate(err)
		}
	case *ConfigError:
		var rule *policy.Error
		if errors.As(e.cause, &rule) {
			r.locateRules(e.Field, e.cause)
			return
		}
		r.addField(e.Field, e.Problem)
	default:
		r.addField(rootField, err.Error())
	}
}

// locateRules does the same for the faults of an endpoint's tool rules.
func (r *policyReader) locateRules(field string, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			r.locateRules(field, err)
		}
		return
	}
	e, ok := err.(*policy.Error)
	if !ok {
		r.addField(field, err.Error())
		return
	}
	if e.Rule >= 0 {
		field = configField(field, e.Rule)
	}
	switch e.List {
	case "identity":
		field += ".Identity"
	case "allow":
		field = configField(field+".Allow", e.Index)
	case "deny":
		field = configField(field+".Deny", e.Index)
	}
	r.addField(field, e.Problem)
}

// addField notes a fault at the place that sets field, or at the nearest around it.
func (r *policyReader) addField(field, problem string) {
	place, ok := r.places[field]
	for !ok && field != rootField {
		field = outerField(field)
		place, ok = r.places[field]
	}
	if !place.faulty {
		r.add(place.offset, place.path, problem)
	}
}
