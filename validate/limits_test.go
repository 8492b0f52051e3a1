package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/validate"
)

// limits are those of a preset, as HTTP servers in the field have them.
type limits struct {
	fields, name, value, custom, credentials, cookie, sum, target, segments, segment, query, pairs, pairName, pairValue int
	host, cookies, hops, ranges, session, mcpName, eventID                                                              int
}

var presetLimits = map[string]struct {
	cfg validate.RequestConfig
	limits
}{
	"default": {validate.Default(), limits{
		100, 128, 8192, 2048, 16384, 16384, 32 << 10, 8192, 64, 512, 8192, 255, 256, 4096, 261, 100, 32, 16, 256, 1024, 512,
	}},
	"strict": {validate.Strict(), limits{
		64, 64, 4096, 1024, 8192, 8192, 16 << 10, 2048, 32, 255, 2048, 64, 100, 1024, 261, 20, 8, 5, 128, 256, 256,
	}},
	"lenient": {validate.Lenient(), limits{
		256, 256, 32 << 10, 16 << 10, 32 << 10, 32 << 10, 128 << 10, 16384, 256, 2048, 16384, 1000, 1024, 8192, 512, 180, 64, 64, 1024, 4096, 1024,
	}},
}

// TestLimits checks every limit of every preset at the bound and one above it.
func TestLimits(t *testing.T) {
	for preset, p := range presetLimits {
		r := newRequest(t, p.cfg)
		target := newTarget(t, p.cfg.Target)
		a := func(n int) string { return strings.Repeat("a", n) }
		list := func(n int, s, sep string) string { return strings.Repeat(s+sep, n-1) + s }
		fieldOf := func(name string) func(string) validate.Violation {
			return func(value string) validate.Violation {
				return r.Check(validate.RequestView{Method: "GET", Target: "/", Fields: fields("Host", "a", name, value)})
			}
		}
		uri := func(s string) validate.Violation { return target.Check("GET", s) }
		segments := func(n int) string { return strings.Repeat("/a", n) }
		long := func(n int) string { // a target of n bytes whose parts keep all other limits
			const part = 90
			s := "/?"
			for n-len(s) > part {
				s += "a=" + a(part-3) + "&"
			}
			return s + a(n-len(s))
		}
		for _, c := range []struct {
			name  string
			check func(string) validate.Violation
			text  func(int) string
			limit int
			want  validate.Code
		}{
			{"name", func(s string) validate.Violation {
				return r.Check(validate.RequestView{Method: "GET", Target: "/", Fields: fields("Host", "a", s, "b")})
			}, a, p.name, validate.CodeHeaderNameTooLong},
			{"value", fieldOf("User-Agent"), a, p.value, validate.CodeHeaderValueTooLong},
			{"custom value", fieldOf("X-Custom"), a, p.custom, validate.CodeHeaderValueTooLong},
			{"parameter value", fieldOf("Mcp-Param-A"), a, p.custom, validate.CodeHeaderValueTooLong},
			{"credentials", fieldOf("Authorization"), a, p.credentials, validate.CodeHeaderValueTooLong},
			{"cookie", fieldOf("Cookie"), func(n int) string { return "a=" + a(n-2) }, p.cookie, validate.CodeHeaderValueTooLong},
			{"session id", fieldOf("Mcp-Session-Id"), a, p.session, validate.CodeHeaderValueTooLong},
			{"mcp name", fieldOf("Mcp-Name"), a, p.mcpName, validate.CodeHeaderValueTooLong},
			{"event id", fieldOf("Last-Event-Id"), a, p.eventID, validate.CodeHeaderValueTooLong},
			{"cookies", fieldOf("Cookie"), func(n int) string { return list(n, "a=b", "; ") }, p.cookies, validate.CodeCookieTooMany},
			{"hops", fieldOf("X-Forwarded-For"), func(n int) string { return list(n, "10.0.0.1", ", ") }, p.hops, validate.CodeForwardedTooMany},
			{"elements", fieldOf("Forwarded"), func(n int) string { return list(n, "for=_a", ",") }, p.hops, validate.CodeForwardedTooMany},
			{"ranges", fieldOf("Range"), func(n int) string { return "bytes=" + list(n, "1-2", ",") }, p.ranges, validate.CodeRangeTooMany},
			{"host", func(s string) validate.Violation {
				return r.Check(validate.RequestView{Method: "GET", Target: "/", Host: s})
			}, func(n int) string { return strings.Repeat("a.", n/2) + a(n%2) }, p.host, validate.CodeHostTooLong},
			{"segments", uri, segments, p.segments, validate.CodeURISegmentTooMany},
			{"segment", uri, func(n int) string { return "/" + a(n) }, p.segment, validate.CodeURISegmentTooLong},
			{"last segment", uri, func(n int) string { return "/b/" + a(n) + "?" }, p.segment, validate.CodeURISegmentTooLong},
			{"middle segment", uri, func(n int) string { return "/b/" + a(n) + "/c" }, p.segment, validate.CodeURISegmentTooLong},
			{"pairs", uri, func(n int) string { return "/?" + list(n, "a=b", "&") }, p.pairs, validate.CodeURIPairTooMany},
			{"empty pairs", uri, func(n int) string { return "/?" + strings.Repeat("&", n) }, p.pairs, validate.CodeURIPairTooMany},
			{"pair name", uri, func(n int) string { return "/?b=c&" + a(n) + "=d&e" }, p.pairName, validate.CodeURIPairNameTooLong},
			{"bare pair name", uri, func(n int) string { return "/?" + a(n) }, p.pairName, validate.CodeURIPairNameTooLong},
			{"pair value", uri, func(n int) string { return "/?b=" + a(n) + "&c" }, p.pairValue, validate.CodeURIPairValueTooLong},
			{"target", uri, long, p.target, validate.CodeURITooLong},
		} {
			if v := c.check(c.text(c.limit)); !v.OK() {
				t.Errorf("%s %s: %v at the limit %d", preset, c.name, v.Err(), c.limit)
			}
			v := c.check(c.text(c.limit + 1))
			if v.Code != c.want {
				t.Errorf("%s %s: %v above the limit %d, want %v", preset, c.name, v.Err(), c.limit, c.want)
			}
			if v.Code != validate.CodeRangeTooMany && (v.Limit != c.limit || v.Got != c.limit+1) {
				t.Errorf("%s %s: limit %d, got %d; want %d, %d", preset, c.name, v.Limit, v.Got, c.limit, c.limit+1)
			}
		}
		query := "a=" + a(p.pairValue)
		for len(query) < p.query {
			query += "&a=" + a(p.pairName)
		}
		if v := target.Query(query[:p.query]); !v.OK() {
			t.Errorf("%s: query at the limit: %v", preset, v.Err())
		}
		if v := target.Query(query[:p.query] + "a"); v.Code != validate.CodeURIQueryTooLong || v.Got != p.query+1 {
			t.Errorf("%s: query above the limit: %v", preset, v.Err())
		}
		sizes(t, preset, r, p.limits)
	}
}

// sizes checks the limits on number and sum.
func sizes(t *testing.T, preset string, r *validate.Request, p limits) {
	t.Helper()
	header := map[string][]string{"Host": {"a"}}
	for i := range p.fields - 1 {
		header[fmt.Sprintf("X-%d", i)] = []string{""}
	}
	header["X"] = nil // a name without a line
	view := validate.RequestView{Method: "GET", Target: "/", Header: header}
	if v := r.Check(view); !v.OK() {
		t.Errorf("%s: %d fields: %v", preset, p.fields, v.Err())
	}
	header["Y"] = []string{""}
	if v := r.Check(view); v.Code != validate.CodeHeaderTooMany || v.Limit != p.fields {
		t.Errorf("%s: %d fields: %v", preset, p.fields+1, v.Err())
	}
	for _, name := range []string{"A", "Link"} { // not known and known
		list := fields("Host", "a")
		sum, line := 5+32, len(name)+32
		for sum+line+p.custom < p.sum {
			list = append(list, validate.Field{Name: name, Value: strings.Repeat("b", p.custom)})
			sum += line + p.custom
		}
		if rest := p.sum - sum - line; rest >= 0 {
			list = append(list, validate.Field{Name: name, Value: strings.Repeat("b", rest)})
		}
		view = validate.RequestView{Method: "GET", Target: "/", Fields: list}
		if v := r.Check(view); !v.OK() {
			t.Errorf("%s: sum of %s at the limit: %v", preset, name, v.Err())
		}
		list[1].Value = list[1].Value[1:]
		list[1].Name += "BB"
		if v := r.Check(view); v.Code != validate.CodeHeaderTooLarge || v.Got != p.sum+1 {
			t.Errorf("%s: sum of %s above the limit: %v", preset, name, v.Err())
		}
	}
}

func TestMCPParamLimit(t *testing.T) {
	r := newRequest(t, validate.Default())
	list := fields("Host", "a")
	for i := range 64 {
		list = append(list, validate.Field{Name: fmt.Sprintf("Mcp-Param-%d", i)})
	}
	view := validate.RequestView{Method: "GET", Target: "/", Fields: list}
	if v := r.Check(view); !v.OK() {
		t.Errorf("64 parameters: %v", v.Err())
	}
	view.Fields = append(list, validate.Field{Name: "Mcp-Param-X"})
	if v := r.Check(view); v.Code != validate.CodeMCPParamTooMany {
		t.Errorf("65 parameters: %v", v.Err())
	}
}
