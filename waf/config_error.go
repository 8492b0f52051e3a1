package waf

import (
	"fmt"
	"strconv"
)

const (
	maxEndpoints  = 1024
	maxPathBytes  = 1024
	maxIdentities = 10_000
	maxNameBytes  = 256 // of an identity

	defaultBodyBytes = 4 << 20
	maxBodyBytes     = 64 << 20
)

// ConfigError is one fault in a [Config]. [New] and [Guard.Reload] join all of them; find one with errors.As.
type ConfigError struct {
	Field   string // such as "Config.Endpoints[2].Path"
	Problem string // what is wrong, without the value
	cause   error
}

// Error returns the field and the problem.
func (e *ConfigError) Error() string { return "waf: " + e.Field + ": " + e.Problem }

// Unwrap returns the error of the component that refused the setting, or nil.
func (e *ConfigError) Unwrap() error { return e.cause }

func configErrorf(field, format string, args ...any) error {
	return &ConfigError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// configField returns the name of an element of a list.
func configField(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
