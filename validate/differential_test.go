package validate_test

import (
	"math/rand/v2"
	"mime"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sallyport/sallyport/validate"
)

// TestTargetURL holds what passes against net/url: it parses, and its decoded path has no dot segment, control byte or
// backslash and is UTF-8.
func TestTargetURL(t *testing.T) {
	target := newTarget(t, validate.TargetConfig{})
	check := func(s string) {
		if !strings.HasPrefix(s, "/") || !target.Check("GET", s).OK() {
			return
		}
		u, err := url.ParseRequestURI(s)
		if err != nil {
			t.Errorf("%q passes, net/url: %v", s, err)
			return
		}
		for segment := range strings.SplitSeq(u.Path, "/") {
			if name, _, _ := strings.Cut(segment, ";"); name == "." || name == ".." {
				t.Errorf("%q passes, its path has the segment %q", s, segment)
			}
		}
		if strings.ContainsFunc(u.Path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) || !utf8.ValidString(u.Path) {
			t.Errorf("%q passes, its path is %q", s, u.Path)
		}
		if _, err := url.ParseQuery(u.RawQuery); err != nil && !strings.Contains(u.RawQuery, ";") { // RFC 3986 allows ";", net/url drops it
			t.Errorf("%q passes, net/url: %v", s, err)
		}
	}
	for _, row := range targetVectors(t) {
		check(row.Target)
	}
	r := rand.New(rand.NewPCG(7, 8))
	for range 50_000 {
		check(randomTarget(r))
	}
}

// TestContentTypeMIME compares with mime.ParseMediaType. The rows are where they disagree, and why.
func TestContentTypeMIME(t *testing.T) {
	stricter := map[string]string{
		"application":                             "RFC 9110, 8.3.1: a type has a subtype",
		"application/json; charset=utf-7":         "RFC 8259, 8.1: JSON is UTF-8",
		"application/json;charset=iso-8859-1":     "RFC 8259, 8.1",
		"application/problem+json;charset=utf-16": "RFC 8259, 8.1",
		"text/json;charset=\"\"":                  "RFC 8259, 8.1",
		"application/json;charset=\"utf\\-8\"":    "escaped letters have no honest use",
		"a/b;c = d":                               "RFC 9110, 5.6.6: no white space around =",
	}
	stricter["a/b;c=\"d\x00\""] = "RFC 9110, 5.6.4: no control bytes"
	stricter["a/b;c=1;C=1"] = "a parameter given twice is two meanings, even if both are equal"
	laxer := map[string]string{
		"application/json; ; charset=utf-8": "RFC 9110, 5.6.6: empty parameters are allowed",
	}
	for _, row := range fieldVectors(t) {
		if row.Check != "ContentType" {
			continue
		}
		_, _, err := mime.ParseMediaType(row.Value)
		ours := validate.ContentType(row.Value).OK()
		switch {
		case ours && err != nil && laxer[row.Value] == "":
			t.Errorf("ContentType(%q) passes, mime: %v", row.Value, err)
		case !ours && err == nil && stricter[row.Value] == "" && strings.Count(row.Value, ";") < 17: // our bound on parameters
			t.Errorf("ContentType(%q) = %v, mime takes it", row.Value, validate.ContentType(row.Value))
		}
	}
}
