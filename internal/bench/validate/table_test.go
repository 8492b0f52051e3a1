// Package validate_test measures the checks of package validate against what a Go program uses without them: httpguts and
// net/url. It runs both in turn, in batches of some microseconds, and compares the fastest batch of each: on a shared machine
// anything longer measures the neighbours. Only numbers of one run may be compared.
//
//	go test ./internal/bench/validate -run Table -v -table               # all rows, as a Markdown table
//	go test ./internal/bench/validate -run Table -v -table -only pairs   # rows whose name contains the text
package validate_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/sallyport/sallyport/validate"
)

// row is a line of the table: check and baseline do the same work, or the baseline at least as little.
type row struct {
	name, against   string
	baseline, check func() bool
	must, stretch   float64 // of the baseline's time; 0 if there is no target
}

var (
	sinkInt int

	table  = flag.Bool("table", false, "measure, and print the table")
	only   = flag.String("only", "", "measure only rows whose name contains this")
	budget = flag.Duration("time", 300*time.Millisecond, "time per row")
)

// TestTable prints the table if asked; otherwise it sees to it that every row does what its name says, without allocating.
func TestTable(t *testing.T) {
	if *table {
		fmt.Println("| work | against | baseline ns | ours ns | ratio | must | stretch | allocs |")
		fmt.Println("| --- | --- | --- | --- | --- | --- | --- | --- |")
	}
	for _, r := range rows() {
		if !strings.Contains(r.name, *only) {
			continue
		}
		if r.must != 0 && (!r.baseline() || !r.check()) {
			t.Errorf("%s: refused", r.name)
		}
		allocs := testing.AllocsPerRun(10, func() { r.check() })
		if allocs != 0 {
			t.Errorf("%s: %v allocs, want 0", r.name, allocs)
		}
		if !*table {
			continue
		}
		baseline, ours := race(r.baseline, r.check)
		target := "| - | - "
		if r.must != 0 {
			target = fmt.Sprintf("| %.2f | %.2f ", r.must, r.stretch)
		}
		fmt.Printf("| %s | %s | %.1f | %.1f | %.2f %s| %.0f |\n", r.name, r.against, baseline, ours, ours/baseline, target, allocs)
	}
}

// race returns the time per call of a and b in the fastest batch of each.
func race(a, b func() bool) (bestA, bestB float64) {
	const batch = 20 * time.Microsecond
	na, nb := calls(a, batch), calls(b, batch)
	bestA, bestB = 1e18, 1e18
	for end := time.Now().Add(*budget); time.Now().Before(end); {
		bestA = min(bestA, per(a, na))
		bestB = min(bestB, per(b, nb))
	}
	return bestA, bestB
}

// calls returns how many calls of f take about d.
func calls(f func() bool, d time.Duration) int {
	n := 1
	for n < 1<<20 && per(f, n)*float64(n) < float64(d) {
		n *= 2
	}
	return n
}

func per(f func() bool, n int) float64 {
	start := time.Now()
	for range n {
		f()
	}
	return float64(time.Since(start)) / float64(n)
}

func rows() []row {
	var table []row
	for _, t := range []struct {
		size          int
		must, stretch float64
	}{{8, 1 / 1.2, 1 / 1.3}, {32, 1 / 2.5, 1 / 3.0}, {128, 1 / 4.0, 1 / 5.0}, {1024, 1 / 3.0, 1 / 4.0}, {8192, 1 / 3.0, 1 / 4.0}} {
		s := text(t.size)
		table = append(table, row{fmt.Sprintf("value, %d bytes", t.size), "httpguts",
			func() bool { return httpguts.ValidHeaderFieldValue(s) },
			func() bool { return validate.IsFieldValue(s) }, t.must, t.stretch})
		table = append(table, row{fmt.Sprintf("value, %d bytes, with its Violation", t.size), "httpguts",
			func() bool { return httpguts.ValidHeaderFieldValue(s) },
			func() bool { return validate.FieldValue(s).OK() }, t.must, t.stretch})
	}
	table = append(table, fieldRows()...)
	table = append(table, targetRows()...)
	table = append(table, requestRows()...)
	return append(table, hostileRows()...)
}

func fieldRows() []row {
	h := header20()
	fields := pairs(h)
	var many [64]http.Header // each with an order of its own, as requests have
	for i := range many {
		many[i] = header20()
	}
	turn := 0
	next := func() http.Header {
		turn++
		return many[turn%len(many)]
	}
	headers, request := need(validate.NewHeaders(validate.HeaderConfig{})), need(validate.NewRequest(validate.Default()))
	view := validate.RequestView{
		Method: "POST", Target: "/", Host: "mcp.example.com", Proto: "HTTP/1.1", Header: h, ContentLength: 412, Parsed: true,
	}
	return []row{
		{"20 fields, floor: range over the map", "httpguts", func() bool { return guts(h) }, func() bool { return touch(h) }, 0, 0},
		{"20 fields, floor: range, sum and length limits", "httpguts", func() bool { return guts(h) }, func() bool { return bounded(h) }, 0, 0},
		{"20 fields, floor: range, and each name found", "httpguts", func() bool { return guts(h) }, func() bool { return named(h) }, 0, 0},
		{"20 fields from http.Header", "httpguts", func() bool { return guts(h) }, func() bool { return headers.Check(h).OK() }, 0.5, 0.35},
		{"20 fields from http.Header, 64 of them in turn", "httpguts", func() bool { return guts(next()) }, func() bool { return headers.Check(next()).OK() }, 0, 0},
		{"20 fields from pairs", "httpguts", func() bool { return gutsFields(fields) }, func() bool { return headers.CheckFields(fields).OK() }, 0.45, 0.3},
		{"20 fields from http.Header, Parsed, with Host and target", "httpguts", func() bool { return guts(h) }, func() bool { return request.Check(view).OK() }, 0.25, 0.2},
	}
}

func targetRows() []row {
	// The long targets have more segments and bytes than the defaults allow.
	target := need(validate.NewTarget(validate.TargetConfig{MaxBytes: 16 << 10, MaxSegments: 1000}))
	var table []row
	for _, t := range targets {
		table = append(table, row{"target " + t.name, "url.ParseRequestURI",
			func() bool {
				u, err := url.ParseRequestURI(t.s)
				sinkInt += len(u.Path)
				return err == nil
			},
			func() bool { return target.Check("GET", t.s).OK() }, 0.5, 0.3})
	}
	return table
}

func requestRows() []row {
	h := header20()
	fields := append(pairs(h), validate.Field{Name: "Host", Value: "mcp.example.com"})
	target := targets[1].s
	request := need(validate.NewRequest(validate.Default()))
	view := validate.RequestView{Method: "POST", Target: target, Host: "mcp.example.com", Proto: "HTTP/1.1", Header: h, ContentLength: 412}
	parsed, raw := view, view
	parsed.Parsed = true
	raw.Header, raw.Fields, raw.Host = nil, fields, ""
	baseline := func() bool {
		ok := guts(h)
		u, err := url.ParseRequestURI(target)
		q, err2 := url.ParseQuery(u.RawQuery)
		return ok && err == nil && err2 == nil && len(q) < 255
	}
	const against = "httpguts + ParseRequestURI + ParseQuery"
	return []row{
		{"whole request", against, baseline, func() bool { return request.Check(view).OK() }, 0.45, 0.3},
		{"whole request, Parsed", against, baseline, func() bool { return request.Check(parsed).OK() }, 0.45, 0.3},
		{"whole request, from fields", against, baseline, func() bool { return request.Check(raw).OK() }, 0.45, 0.3},
	}
}

// hostileRows compare inputs that an attacker picks with a plain one of the same size: the ratio is that of the time per
// byte, and must not grow.
func hostileRows() []row {
	wide := need(validate.NewHeaders(validate.HeaderConfig{
		MaxFields: 10_000, MaxBytes: 16 << 20, MaxValueBytes: 1 << 20, MaxCustomValueBytes: 1 << 20,
	}))
	normal := need(validate.NewHeaders(validate.HeaderConfig{}))
	target := need(validate.NewTarget(validate.TargetConfig{MaxBytes: 1 << 20, MaxSegments: 100_000, MaxSegmentBytes: 1 << 20}))
	repeat := func(n int, name, value string) (f []validate.Field) {
		for range n {
			f = append(f, validate.Field{Name: name, Value: value})
		}
		return f
	}
	plain := repeat(1000, "X-Plain-Field", "some plain value of a field")
	megabyte, spaces := repeat(1, "X-Value", text(1<<20)), repeat(1, "X-Value", strings.Repeat(" ", 1<<20))
	tabs, utf8 := repeat(1, "X-Value", strings.Repeat("\t", 1<<20)), repeat(1, "X-Value", strings.Repeat("\xc3\xa9", 1<<19))
	late := repeat(1, "X-Value", text(1<<20-1)+"\x00")
	path, percents := "/"+strings.Repeat("a", 8190), "/"+strings.Repeat("%25", 2730)
	dots, slashes := "/"+strings.Repeat("...", 2730), strings.Repeat("/", 8190)
	check := func(h *validate.Headers, f []validate.Field) func() bool {
		return func() bool { return h.CheckFields(f).OK() }
	}
	uri := func(s string) func() bool { return func() bool { return target.Check("GET", s).OK() } }
	gutsURI := func(s string) func() bool {
		return func() bool {
			u, err := url.ParseRequestURI(s)
			return err == nil && u != nil
		}
	}
	const same = "plain input, same size"
	return []row{
		{"1,000 times one name, all allowed", "httpguts", func() bool { return gutsFields(plain) }, check(wide, plain), 0, 0},
		{"1,000 times one name, refused by number", "httpguts", func() bool { return gutsFields(plain) }, check(normal, plain), 0, 0},
		{"10,000 empty fields, all allowed", "httpguts", func() bool { return gutsFields(repeatEmpty) }, check(wide, repeatEmpty), 0, 0},
		{"1 MiB of spaces", same, check(wide, megabyte), check(wide, spaces), 0, 0},
		{"1 MiB of tabs", "httpguts", func() bool { return gutsFields(tabs) }, check(wide, tabs), 0, 0},
		{"1 MiB of UTF-8", "httpguts", func() bool { return gutsFields(utf8) }, check(wide, utf8), 0, 0},
		{"1 MiB, refused at the last byte", same, check(wide, megabyte), check(wide, late), 0, 0},
		{"8 KiB of %25", "url.ParseRequestURI", gutsURI(percents), uri(percents), 0, 0},
		{"8 KiB of dots", "url.ParseRequestURI", gutsURI(dots), uri(dots), 0, 0},
		{"8 KiB of slashes", "url.ParseRequestURI", gutsURI(slashes), uri("/a" + slashes[2:]), 0, 0},
		{"8 KiB, refused at the last byte", same, uri(path), uri(path[:len(path)-1] + " "), 0, 0},
	}
}

var repeatEmpty = func() (f []validate.Field) {
	for range 10_000 {
		f = append(f, validate.Field{Name: "A"})
	}
	return f
}()

// text returns n bytes of what user agents send.
func text(n int) string {
	const src = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36; q=0.9, text/html "
	s := strings.Repeat(src, n/len(src)+1)[:n]
	if s[n-1] == ' ' {
		s = s[:n-1] + "x"
	}
	return s
}

// header20 is a plausible request of 20 fields to an MCP endpoint through a browser and a reverse proxy.
func header20() http.Header {
	return http.Header{
		"Accept":               {"application/json, text/event-stream"},
		"Accept-Encoding":      {"gzip, deflate, br, zstd"},
		"Accept-Language":      {"en-GB,en;q=0.9,de;q=0.8"},
		"Authorization":        {"Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9." + strings.Repeat("eyJzdWIiOiIxMjM0NTY3ODkwIn0", 12) + ".c2ln" + strings.Repeat("QUJD", 84)},
		"Cache-Control":        {"no-cache"},
		"Connection":           {"keep-alive"},
		"Content-Length":       {"412"},
		"Content-Type":         {"application/json"},
		"Cookie":               {"sid=" + strings.Repeat("0123456789abcdef", 8) + "; theme=dark; _ga=GA1.2.1234567890.1700000000; lang=en"},
		"Mcp-Method":           {"tools/call"},
		"Mcp-Name":             {"get_weather"},
		"Mcp-Protocol-Version": {"2026-07-28"},
		"Mcp-Session-Id":       {"3f2b8c1e-7d4a-4e0f-9b57-1c2d3e4f5a6b"},
		"Origin":               {"https://app.example.com"},
		"Referer":              {"https://app.example.com/workspace/42/chat?tab=tools"},
		"Sec-Fetch-Mode":       {"cors"},
		"Traceparent":          {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		"User-Agent":           {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"},
		"X-Forwarded-For":      {"203.0.113.7, 10.1.2.3"},
		"X-Forwarded-Proto":    {"https"},
	}
}

var targets = []struct{ name, s string }{
	{"/mcp", "/mcp"},
	{"/mcp_message with session", "/mcp_message?sessionId=3f2b8c1e-7d4a-4e0f-9b57-1c2d3e4f5a6b"},
	{"REST path with 4 pairs", "/api/v1/users/12345/orders/67890?limit=20&offset=40&sort=-created&fields=id,name,total"},
	{"path and query with escapes", "/files/My%20Documents/r%C3%A9sum%C3%A9%20(final).pdf?name=J%C3%BCrgen%20M"},
	{"1 KiB path", "/" + strings.Repeat("segment-abc/", 84) + "end"},
	{"8 KiB path", "/" + strings.Repeat("segment-abc/", 680) + "end?q=" + strings.Repeat("k=v&", 8)},
}

func pairs(h http.Header) (fields []validate.Field) {
	for name, values := range h {
		for _, value := range values {
			fields = append(fields, validate.Field{Name: name, Value: value})
		}
	}
	return fields
}

func touch(h http.Header) bool {
	n := 0
	for name, values := range h {
		for _, value := range values {
			n += len(name) + len(value)
		}
	}
	sinkInt = n
	return true
}

// bounded is the least that a check of limits can do.
func bounded(h http.Header) bool {
	n := 0
	for name, values := range h {
		for _, value := range values {
			if n += len(name) + len(value) + 32; n > 32<<10 || len(value) > 8<<10 || len(name) > 128 {
				return false
			}
		}
	}
	return true
}

// named is the least that a check of known fields can do: it tells those that have a grammar from the others.
func named(h http.Header) bool {
	n := 0
	for name, values := range h {
		for _, value := range values {
			n += len(value)
		}
		switch name {
		case "Authorization", "Connection", "Content-Length", "Content-Type", "Cookie", "Expect", "Forwarded", "Host", "Mcp-Method",
			"Mcp-Name", "Mcp-Protocol-Version", "Mcp-Session-Id", "Origin", "Proxy-Authorization", "Range", "Te", "Trailer",
			"Transfer-Encoding", "Upgrade", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Real-Ip":
			n++
		}
	}
	sinkInt = n
	return true
}

func guts(h http.Header) bool {
	for name, values := range h {
		if !httpguts.ValidHeaderFieldName(name) {
			return false
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return false
			}
		}
	}
	return true
}

func gutsFields(fields []validate.Field) bool {
	for i := range fields {
		if !httpguts.ValidHeaderFieldName(fields[i].Name) || !httpguts.ValidHeaderFieldValue(fields[i].Value) {
			return false
		}
	}
	return true
}

func need[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
