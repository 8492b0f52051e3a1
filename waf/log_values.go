package waf

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/validate"
)

// LogValues names request values that events carry, redacted: see [Event]. The zero LogValues names none.
//
// A value is not shown but "[redacted]" if its name says what it is (authorization, cookie, token, secret, password, session, key and
// their kin) or in so far as it looks like a credential: a bearer or basic credential, a JSON Web Token, a key in PEM or with a
// vendor's prefix, a password in a URL or after "password=", a run of 32 and more letters and digits. What is left is quoted to ASCII and
// cut. Patterns do not know every secret: name no value that should not be read.
type LogValues struct {
	Headers   []string // field names in any case, such as "User-Agent"; at most 32
	Arguments []string // JSON Pointers into the arguments of a tools/call or prompts/get, such as "/path"; at most 32
	MaxBytes  int      // of one value in an event; 0 = 128; 1 to 1024
}

// LoggedValue is a request value that [LogValues] names.
type LoggedValue struct {
	Name  string // of the field, or the JSON Pointer of the argument
	Value string // redacted, in visible ASCII and spaces, cut
}

const (
	maxLoggedNames     = 32
	maxLoggedBytes     = 1024
	defaultLoggedBytes = 128
)

// logValues are compiled LogValues. They are immutable.
type logValues struct {
	headers   []string      // canonical
	arguments *argumentNode // nil if there are none
	maxBytes  int
}

// add puts the values of a request into an event.
func (l *logValues) add(e *Event, h http.Header, m *mcpmsg.Message) {
	for _, name := range l.headers {
		if values := h[name]; len(values) > 0 {
			e.Headers = append(e.Headers, LoggedValue{name, redact(name, strings.Join(values, ", "), l.maxBytes)})
		}
	}
	if l.arguments != nil && m != nil && m.Arguments != nil {
		e.Arguments = l.collect(nil, l.arguments, "", json.RawMessage(m.Arguments))
		slices.SortFunc(e.Arguments, func(a, b LoggedValue) int { return cmp.Compare(a.Name, b.Name) })
	}
}

// collect appends the values at the ends of the paths in n. An object or an array there is not shown.
func (l *logValues) collect(dst []LoggedValue, n *argumentNode, pointer string, text json.RawMessage) []LoggedValue {
	if n.members == nil {
		return append(dst, LoggedValue{pointer, redact(pointer, scalarText(text), l.maxBytes)})
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil {
		return dst
	}
	for name, member := range n.members {
		if value, ok := object[name]; ok {
			dst = l.collect(dst, member, pointer+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), value)
		}
	}
	return dst
}

// scalarText returns the decoded text of a string, another scalar as it is written, and for the rest what it is.
func scalarText(text json.RawMessage) string {
	switch text[0] {
	case '"':
		var value string
		_ = json.Unmarshal(text, &value) // it is part of a valid message
		return value
	case '{':
		return "[object]"
	case '[':
		return "[array]"
	}
	return string(text)
}

// compileLogValues returns nil if nothing is named, or every fault.
func compileLogValues(cfg LogValues) (*logValues, []error) {
	var errs []error
	l := &logValues{maxBytes: cmp.Or(cfg.MaxBytes, defaultLoggedBytes)}
	if l.maxBytes < 1 || l.maxBytes > maxLoggedBytes {
		errs = append(errs, configErrorf("Config.LogValues.MaxBytes", "must be 1 to %d, or 0 for %d", maxLoggedBytes, defaultLoggedBytes))
	}
	if len(cfg.Headers) > maxLoggedNames {
		errs = append(errs, configErrorf("Config.LogValues.Headers", "%d names, at most %d", len(cfg.Headers), maxLoggedNames))
	}
	if len(cfg.Arguments) > maxLoggedNames {
		errs = append(errs, configErrorf("Config.LogValues.Arguments", "%d pointers, at most %d", len(cfg.Arguments), maxLoggedNames))
	}
	for i, name := range cfg.Headers {
		if !validate.FieldName(name).OK() {
			errs = append(errs, configErrorf(configField("Config.LogValues.Headers", i), "is not a field name"))
		}
		l.headers = append(l.headers, http.CanonicalHeaderKey(name))
	}
	for i, pointer := range cfg.Arguments {
		path, problem := splitPointer(pointer)
		if problem == "" {
			if l.arguments == nil {
				l.arguments = new(argumentNode)
			}
			problem = l.arguments.add(path, ArgumentRule{})
		}
		if problem != "" {
			errs = append(errs, configErrorf(configField("Config.LogValues.Arguments", i), "%s", problem))
		}
	}
	if l.headers == nil && l.arguments == nil {
		return nil, errs
	}
	return l, errs
}
