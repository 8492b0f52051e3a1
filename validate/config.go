package validate

import (
	"errors"
	"fmt"

	"github.com/sallyport/sallyport/internal/scan"
)

// RequestConfig configures [NewRequest]. The zero value is the default.
type RequestConfig struct {
	_ [0]func() // keyed literals only; not comparable

	Headers HeaderConfig
	Target  TargetConfig

	Methods           []string // allowed methods, exact; nil = every token of at most 32 bytes; at most 64
	MaxHostBytes      int      // bytes of Host with port; 0 = 261; 1..1024
	RefuseNumericHost bool     // refuse IP addresses as Host: a defence against DNS rebinding
	RefuseUnusualHost bool     // refuse names with other bytes than letters, digits and hyphens, labels over 63, an empty port
}

// HeaderConfig configures [NewHeaders]. The zero value is the default. Limits are the common floor of the servers that may
// stand behind: see the package comment.
type HeaderConfig struct {
	_ [0]func() // keyed literals only; not comparable

	MaxFields           int          // field lines per request; 0 = 100; 1..10000
	MaxBytes            int          // names, values and 32 per line; 0 = 32768; 1..16777216
	MaxNameBytes        int          // bytes per name that this package does not know; 0 = 128; 1..1024
	MaxValueBytes       int          // bytes per value of a standard field; 0 = 8192; 1..1048576
	MaxCustomValueBytes int          // bytes per value of any other field; 0 = 2048; 1..1048576
	MaxCredentialsBytes int          // bytes per value of Authorization and Proxy-Authorization; 0 = 16384; 1..1048576
	MaxCookieBytes      int          // bytes per line of Cookie; 0 = 16384; 1..1048576
	MaxCookies          int          // cookies per request; 0 = 100; 1..10000
	MaxForwardedHops    int          // members of X-Forwarded-For, and of Forwarded, per request; 0 = 32; 1..10000
	MaxRanges           int          // ranges in Range; 0 = 16; 1..1000
	MaxSessionIDBytes   int          // bytes of Mcp-Session-Id; 0 = 256; 1..65536
	MaxMCPNameBytes     int          // bytes of Mcp-Name and Mcp-Method; 0 = 1024; 1..65536
	MaxLastEventIDBytes int          // bytes of Last-Event-ID; 0 = 512; 1..65536
	RefuseNames         []string     // further names that may not be sent, in any case
	FieldLimits         []FieldLimit // bounds for the values of single fields, instead of the bound of their class
	RefuseUnderscores   bool         // refuse "_" in names
	RefuseObsText       bool         // refuse bytes above 0x7f in values
	RefuseOuterSpace    bool         // refuse white space around a value in HTTP/1 too; HTTP/2 always does
	RefuseOverrides     bool         // refuse X-Original-URL, X-HTTP-Method-Override and their kin
	StrictAccept        bool         // apply the grammar of Accept
	StrictAuthorization bool         // apply the exact grammar of Authorization
	StrictCookie        bool         // apply the grammar of Cookie
	StrictConnection    bool         // Connection may nominate fields of the connection only, no custom ones
	StrictForwarded     bool         // apply the grammar of X-Forwarded-For

	// DangerouslyAllowDuplicates lists singleton fields (RFC 9110, 5.3) that may repeat. Content-Length, Transfer-Encoding and
	// Host can't be among them.
	DangerouslyAllowDuplicates []string

	// DangerouslyIgnoreGrammar lists fields of which only bytes and sizes are checked. Content-Length, Transfer-Encoding and
	// Host can't be among them.
	DangerouslyIgnoreGrammar []string
}

// FieldLimit bounds the value of one field. It can't be a field of Mcp-Param, all of which MaxCustomValueBytes bounds, nor one that is refused
// for its underscore whatever its size, such as Content_Type.
type FieldLimit struct {
	Name     string // in any case
	MaxBytes int    // 1..1048576
}

// TargetConfig configures [NewTarget]. The zero value is the default.
type TargetConfig struct {
	_ [0]func() // keyed literals only; not comparable

	MaxBytes          int // bytes of the target; 0 = 8192; 1..1048576
	MaxSegments       int // path segments; 0 = 64; 1..100000
	MaxSegmentBytes   int // bytes per segment as sent; 0 = 512; 1..1048576
	MaxQueryBytes     int // bytes of the query; 0 = 8192; 1..1048576
	MaxPairs          int // pairs in the query; 0 = 255; 1..100000
	MaxPairNameBytes  int // bytes per name in the query as sent; 0 = 256; 1..1048576
	MaxPairValueBytes int // bytes per value in the query as sent; 0 = 4096; 1..1048576

	UniqueNames []string // query names, decoded, that may occur once; compared without case; at most 64

	RefuseAbsoluteForm      bool // http://host/path: wanted by proxies only
	RefuseRawDelimiters     bool // raw [ ] { } | ^ ` in path and query, and raw \ " < > in the query
	RefuseRawNonASCII       bool // raw bytes above 0x7f, even in UTF-8
	RefuseEncodedSlash      bool // %2f in the path; beside a dot segment it is always refused
	RefuseEncodedUnreserved bool // %41 for A: equal by RFC 3986, but not for whoever compares bytes
	RefuseEncodedControls   bool // every escaped control byte in the query; NUL always, CR and LF in names always
	RefuseDoubleEncoding    bool // every byte escaped twice, not only dangerous ones
	RefuseEmptySegments     bool // a//b; at the start of the path two slashes are always refused
	RefusePathParameters    bool // ";" in the path
	RefuseQuerySemicolons   bool // ";" in the query, where net/url drops the pair
	RefuseLookalikes        bool // U+2044, U+2215, U+2216, fullwidth . / \ and their kin

	DangerouslyAllowDotSegments bool // raw "." and "..", for services behind a router that redirects; above the root never
	DangerouslyAllowLatin1      bool // bytes above 0x7f that are no UTF-8
}

// Default returns the zero RequestConfig: every check that honest traffic survives.
func Default() RequestConfig { return RequestConfig{} }

// Strict returns a configuration for services that know their clients: smaller limits, every optional check on.
func Strict() RequestConfig {
	return RequestConfig{
		RefuseUnusualHost: true,
		Headers: HeaderConfig{
			MaxFields: 64, MaxBytes: 16 << 10, MaxNameBytes: 64, MaxValueBytes: 4096, MaxCustomValueBytes: 1024,
			MaxCredentialsBytes: 8192, MaxCookieBytes: 8192, MaxCookies: 20, MaxForwardedHops: 8, MaxRanges: 5,
			MaxSessionIDBytes: 128, MaxMCPNameBytes: 256, MaxLastEventIDBytes: 256,
			RefuseUnderscores: true, RefuseObsText: true, RefuseOuterSpace: true, RefuseOverrides: true,
			StrictAccept: true, StrictAuthorization: true, StrictCookie: true, StrictConnection: true, StrictForwarded: true,
		},
		Target: TargetConfig{
			MaxBytes: 2048, MaxSegments: 32, MaxSegmentBytes: 255, MaxQueryBytes: 2048, MaxPairs: 64,
			MaxPairNameBytes: 100, MaxPairValueBytes: 1024,
			RefuseAbsoluteForm: true, RefuseRawDelimiters: true, RefuseRawNonASCII: true, RefuseEncodedSlash: true,
			RefuseEncodedUnreserved: true, RefuseEncodedControls: true, RefuseDoubleEncoding: true, RefuseEmptySegments: true,
			RefusePathParameters: true, RefuseQuerySemicolons: true, RefuseLookalikes: true,
		},
	}
}

// Lenient returns the default checks with the largest limits seen in the field.
func Lenient() RequestConfig {
	return RequestConfig{
		MaxHostBytes: 512,
		Headers: HeaderConfig{
			MaxFields: 256, MaxBytes: 128 << 10, MaxNameBytes: 256, MaxValueBytes: 32 << 10, MaxCustomValueBytes: 16 << 10,
			MaxCredentialsBytes: 32 << 10, MaxCookieBytes: 32 << 10, MaxCookies: 180, MaxForwardedHops: 64, MaxRanges: 64,
			MaxSessionIDBytes: 1024, MaxMCPNameBytes: 4096, MaxLastEventIDBytes: 1024,
		},
		Target: TargetConfig{
			MaxBytes: 16 << 10, MaxSegments: 256, MaxSegmentBytes: 2048, MaxQueryBytes: 16 << 10, MaxPairs: 1000,
			MaxPairNameBytes: 1024, MaxPairValueBytes: 8192,
		},
	}
}

// ConfigError says which field of a configuration is wrong. Constructors return all of them, joined.
type ConfigError struct {
	Field    string // such as "HeaderConfig.MaxFields"
	Value    string // what it holds
	Min, Max int    // the allowed range, if it is one of numbers
	Reason   string // what is wrong otherwise
}

// Error returns the field, what it holds and what it may hold.
func (e *ConfigError) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("validate: %s: %q %s", e.Field, e.Value, e.Reason)
	}
	return fmt.Sprintf("validate: %s: %s is not in %d..%d", e.Field, e.Value, e.Min, e.Max)
}

// configErrors collects what is wrong with a configuration.
type configErrors []error

// bound returns value, or the default for 0.
func (e *configErrors) bound(name string, value, def, low, high int) int {
	if value == 0 {
		return def
	}
	if value < low || value > high {
		*e = append(*e, &ConfigError{Field: name, Value: fmt.Sprint(value), Min: low, Max: high})
	}
	return value
}

// count checks the length of a list.
func (e *configErrors) count(name string, n, high int) bool {
	if n > high {
		*e = append(*e, &ConfigError{Field: name, Value: fmt.Sprint(n), Max: high})
		return false
	}
	return true
}

// name checks a field name.
func (e *configErrors) name(field, name string) bool {
	if len(name) == 0 || len(name) > maxFieldName || scan.FieldName(name) >= 0 {
		e.reason(field, name, "is no field name of at most 256 bytes")
		return false
	}
	return true
}

func (e *configErrors) reason(field, value, reason string) {
	*e = append(*e, &ConfigError{Field: field, Value: value, Reason: reason})
}

func (e configErrors) join() error { return errors.Join(e...) }
