package validate_test

import (
	"strings"
	"testing"

	"golang.org/x/net/http/httpguts"

	"github.com/sallyport/sallyport/validate"
)

// secret is planted into inputs; no message may repeat it.
const secret = "s3cr3t-v4lue"

// FuzzFields checks values by every grammar: same answer for string and bytes, offset inside, nothing passes that httpguts
// refuses, nothing of the value in a message.
func FuzzFields(f *testing.F) {
	for _, row := range fieldVectors(f) {
		f.Add(row.Value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for name, c := range checks {
			v := c.text(value)
			if b := c.bytes([]byte(value)); b != v {
				t.Fatalf("%s(%q): %v for a string, %v for bytes", name, value, v, b)
			}
			if v.Offset < 0 || v.Offset > len(value) {
				t.Fatalf("%s(%q): offset %d", name, value, v.Offset)
			}
			if v.OK() && !httpguts.ValidHeaderFieldValue(value) && name != "LastEventID" {
				t.Fatalf("%s(%q) passes", name, value)
			}
			if w := c.text(value + secret); !w.OK() && strings.Contains(w.Err().Error(), secret) {
				t.Fatalf("%s: %v", name, w.Err())
			}
		}
		if got, want := validate.FieldName(value).OK(), httpguts.ValidHeaderFieldName(value); got != want {
			t.Fatalf("FieldName(%q) = %v", value, got)
		}
		if got, want := validate.FieldValue(value).OK(), httpguts.ValidHeaderFieldValue(value); got != want {
			t.Fatalf("FieldValue(%q) = %v", value, got)
		}
		if got, want := validate.Host(value).OK(), hostOracle(value); got != want {
			t.Fatalf("Host(%q) = %v", value, got)
		}
	})
}

// FuzzTarget compares with the slow oracle and the presets with each other.
func FuzzTarget(f *testing.F) {
	for _, row := range targetVectors(f) {
		f.Add(row.Target)
	}
	normal, strict := newTarget(f, openTarget), newTarget(f, openStrictTarget())
	presets := []*validate.Target{
		newTarget(f, validate.Strict().Target), newTarget(f, validate.Default().Target), newTarget(f, validate.Lenient().Target),
	}
	f.Fuzz(func(t *testing.T, target string) {
		if strings.HasPrefix(target, "/") && len(target) < 1<<20 {
			compareTarget(t, normal, strict, target)
		}
		passed := false
		for _, preset := range presets { // from the tightest
			for _, method := range []string{"GET", "OPTIONS", "CONNECT"} {
				v := preset.Check(method, target)
				if v.Offset < 0 || v.Offset > len(target) {
					t.Fatalf("Check(%q, %q) = %v: offset outside", method, target, v)
				}
				if method == "GET" {
					if passed && !v.OK() {
						t.Fatalf("%q passes a tighter preset, but %v", target, v)
					}
					passed = v.OK()
				}
				if w := preset.Check(method, target+secret); !w.OK() && strings.Contains(w.Err().Error(), secret) {
					t.Fatalf("%q: %v", target, w.Err())
				}
			}
		}
	})
}

// FuzzRequest builds requests from text: lines "name: value" after a request line. A tighter preset never accepts more, the
// map never refuses what the list of fields accepts, and no value shows in a message.
func FuzzRequest(f *testing.F) {
	f.Add("POST /mcp HTTP/1.1\nHost: a\nContent-Length: 3\nX-A: b")
	f.Add("GET / HTTP/2\nhost: a\nx_a: b\nmcp-param-a: c\nMcp-Param-A: c")
	f.Add("GET http://a/ HTTP/1.0\nTransfer-Encoding: chunked\nCookie: a=b; c\nConnection: close, x")
	presets := []*validate.Request{newRequest(f, validate.Strict()), newRequest(f, validate.Default()), newRequest(f, validate.Lenient())}
	f.Fuzz(func(t *testing.T, s string) {
		lines := strings.Split(s, "\n")
		start := strings.SplitN(lines[0], " ", 3)
		if len(start) != 3 {
			return
		}
		view := validate.RequestView{Method: start[0], Target: start[1], Proto: start[2], Fields: []validate.Field{}}
		for _, line := range lines[1:] {
			name, value, _ := strings.Cut(line, ":")
			view.Fields = append(view.Fields, validate.Field{Name: name, Value: value})
		}
		passed := false
		for _, preset := range presets {
			v := preset.Check(view)
			if passed && !v.OK() {
				t.Fatalf("%q passes a tighter preset, but %v", s, v)
			}
			passed = v.OK()
			any := false
			for w := range preset.All(view) {
				any = true
				if w.OK() {
					t.Fatalf("%q: All yields a zero violation", s)
				}
			}
			if any == v.OK() {
				t.Fatalf("%q: Check = %v, All yields %v", s, v, any)
			}
			if err := v.Err(); err != nil && !strings.Contains(v.Name, secret) && strings.Contains(err.Error(), secret) {
				t.Fatalf("%q: %v", s, err)
			}
			if m := asMap(view); v.OK() && start[2] != "HTTP/2" && !preset.Check(m).OK() {
				t.Fatalf("%q: passes as fields, but %v as a map", s, preset.Check(m))
			}
		}
	})
}
