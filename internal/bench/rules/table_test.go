// Package rules_test measures the cost of the rules: a whole Guard with the rules it loads by default against transactions of Coraza that do
// less. Both sides of a row run in turn, and the fastest batch of each counts: on a shared machine anything longer measures the neighbours.
// Only numbers of one run may be compared.
//
//	cd internal/bench/rules
//	go test -run Table -v -table               # all rows, as a Markdown table
//	go test -run Table -v -table -only 323     # rows whose name contains the text
//
// It is a module of its own because of the Core Rule Set.
package rules_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/experimental"

	"github.com/sallyport/sallyport/rules"
	"github.com/sallyport/sallyport/waf"
)

var (
	table  = flag.Bool("table", false, "measure, and print the table")
	only   = flag.String("only", "", "measure only rows whose name contains this")
	budget = flag.Duration("time", 2*time.Second, "time per row")
)

// A request is what both sides get.
type request struct {
	name, method, target, body string
	header                     [][2]string
}

// A row compares a side with a baseline, for one request.
type row struct {
	request       request
	ours, against string
	must          float64 // of the baseline's time; 0 if there is no target
	stretch       float64
}

var (
	small  = request{"323 B tools/call", "POST", "/mcp", smallCall, postHeader()}
	large  = request{"64 KiB tools/call", "POST", "/mcp", largeCall(), postHeader()}
	stream = request{"GET, 20 fields", "GET", "/mcp?cursor=abc&limit=10", "", getHeader()}
)

var rowsOfTable = []row{
	{small, "Guard", "Coraza, no rules, JSON", 2.5, 1.5},
	{small, "Guard", "Coraza, 50 rules", 0.5, 0},
	{large, "Guard", "Coraza, no rules, JSON", 0.25, 0},
	{large, "Guard", "Core Rule Set, PL 1", 0.02, 0},
	{stream, "Guard", "Coraza, no rules, JSON", 2.5, 1.5},
	{small, "Guard without rules", "Coraza, no rules, JSON", 0, 0},
	{large, "Guard without rules", "Coraza, no rules, JSON", 0, 0},
	{stream, "Guard without rules", "Coraza, no rules, JSON", 0, 0},
	{small, "Guard, Core Rule Set and plug-in", "Core Rule Set, PL 1", 0, 0},
	{large, "Guard, Core Rule Set and plug-in", "Core Rule Set, PL 1", 0.1, 0},
	{stream, "Guard, Core Rule Set and plug-in", "Core Rule Set, PL 1", 0, 0},
}

// sides make the function that sends a request through one side; it reports whether the request passed.
var sides = map[string]func(*testing.T, request) func() bool{
	"Guard":                            func(t *testing.T, q request) func() bool { return guard(t, q, waf.Config{}) },
	"Guard without rules":              func(t *testing.T, q request) func() bool { return guard(t, q, waf.Config{DangerouslyNoRules: true}) },
	"Guard, Core Rule Set and plug-in": guardWithCRS,
	"Coraza, no rules, JSON":           func(t *testing.T, q request) func() bool { return engine(t, q, base) },
	"Coraza, 50 rules":                 func(t *testing.T, q request) func() bool { return engine(t, q, base+fiftyRules()) },
	"Core Rule Set, PL 1": func(t *testing.T, q request) func() bool {
		return engine(t, q, "Include @coraza.conf-recommended\nInclude @crs-setup.conf.example\nInclude @owasp_crs/*.conf\n"+
			"SecRuleEngine On\nSecAuditEngine Off\n")
	},
}

// base is the least that looks at JSON.
const base = `SecRuleEngine On
SecRequestBodyAccess On
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/json" "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
`

// fiftyRules are the kinds of rules that people write for an API.
func fiftyRules() string {
	var b strings.Builder
	for i := range 50 {
		variable := [...]string{
			`REQUEST_HEADERS "@rx (?i)bad%d[a-z]+"`, `REQUEST_URI "@contains /evil%d"`, `ARGS_POST:json.method "@streq evil%d"`,
			`ARGS_POST "@rx (?i)\bneedle%d\s*="`, `REQUEST_HEADERS:Mcp-Session-Id "!@rx ^[!-~]{1,2%02d}$"`,
		}[i%5]
		phase := [...]int{1, 1, 2, 2, 1}[i%5]
		fmt.Fprintf(&b, "SecRule "+variable+" \"id:%d,phase:%d,t:none,deny,nolog\"\n", i, 1000+i, phase)
	}
	return b.String()
}

// engine is one transaction with all phases.
func engine(t *testing.T, q request, directives string) func() bool {
	t.Helper()
	w, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(coreruleset.FS).WithDirectives(directives))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.(experimental.WAFCloser).Close() })
	body := []byte(q.body)
	return func() bool {
		tx := w.NewTransaction()
		defer func() { _ = tx.Close() }()
		tx.ProcessConnection("127.0.0.1", 12345, "", 0)
		tx.ProcessURI(q.target, q.method, "HTTP/1.1")
		for _, h := range q.header {
			tx.AddRequestHeader(h[0], h[1])
		}
		it := tx.ProcessRequestHeaders()
		if it == nil && len(body) > 0 {
			it, _, _ = tx.WriteRequestBody(body)
		}
		if it == nil {
			it, _ = tx.ProcessRequestBody()
		}
		tx.AddResponseHeader("Content-Type", "application/json")
		if it == nil {
			it = tx.ProcessResponseHeaders(http.StatusOK, "HTTP/1.1")
		}
		_, _ = tx.ProcessResponseBody()
		tx.ProcessLogging()
		return it == nil
	}
}

// reusedWriter is a ResponseWriter that costs nothing.
type reusedWriter struct{ header http.Header }

func (w *reusedWriter) Header() http.Header         { return w.header }
func (w *reusedWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *reusedWriter) WriteHeader(int)             {}

// guard is everything that a Guard does, around a handler that reads the body.
func guard(t *testing.T, q request, cfg waf.Config) func() bool {
	t.Helper()
	cfg.Endpoints = []waf.Endpoint{{Path: "/mcp", Anonymous: true, AllowHosts: []string{"mcp.example.com"}}}
	g, err := waf.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	passed := false
	h := g.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		passed = true
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	template := httptest.NewRequest(q.method, q.target, http.NoBody)
	for _, f := range q.header {
		if f[0] != "Content-Length" && f[0] != "Host" {
			template.Header.Set(f[0], f[1])
		}
	}
	template.Host, template.ContentLength = "mcp.example.com", int64(len(q.body))
	w := &reusedWriter{http.Header{}}
	return func() bool {
		r := *template
		if q.body != "" {
			r.Body = io.NopCloser(strings.NewReader(q.body))
		}
		clear(w.header)
		passed = false
		h.ServeHTTP(w, &r)
		return passed
	}
}

func guardWithCRS(t *testing.T, q request) func() bool {
	t.Helper()
	rs, err := waf.LoadRules(waf.RulesConfig{CRS: coreruleset.FS, Profiles: []rules.Profile{rules.CRSPlugin}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rs.Close() })
	return guard(t, q, waf.Config{Rules: rs})
}

// TestTable prints the table if asked; otherwise it sees to it that every row does its work.
func TestTable(t *testing.T) {
	if *table {
		fmt.Println("| request | ours | against | baseline µs | ours µs | ratio | must | stretch |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
	}
	for _, r := range rowsOfTable {
		if !strings.Contains(r.request.name+r.ours+r.against, *only) {
			continue
		}
		ours, against := sides[r.ours](t, r.request), sides[r.against](t, r.request)
		if !ours() {
			t.Fatalf("%s: %s refuses it", r.request.name, r.ours)
		}
		against()
		if !*table {
			continue
		}
		a, b := compare(ours, against)
		fmt.Printf("| %s | %s | %s | %.1f | %.1f | %.3f | %s | %s |\n", r.request.name, r.ours, r.against, b/1e3, a/1e3, a/b, target(r.must), target(r.stretch))
	}
}

func target(ratio float64) string {
	if ratio == 0 {
		return "-"
	}
	return fmt.Sprint(ratio)
}

// compare returns the nanoseconds of the fastest batch of each side.
func compare(a, b func() bool) (bestA, bestB float64) {
	na, nb := calls(a), calls(b)
	bestA, bestB = 1e18, 1e18
	for end := time.Now().Add(*budget); time.Now().Before(end); {
		bestA, bestB = min(bestA, per(a, na)), min(bestB, per(b, nb))
	}
	return bestA, bestB
}

// calls returns how many calls of f take about 200 µs.
func calls(f func() bool) int {
	n := 1
	for n < 1<<12 && per(f, n)*float64(n) < 200e3 {
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

const smallCall = `{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"name":"search_documents","arguments":` +
	`{"query":"quarterly report 2026","limit":10,"filters":{"lang":"en","kind":["pdf","docx"]},"cursor":"eyJvZmZzZXQiOjEwfQ"},` +
	`"_meta":{"progressToken":"tok-1","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}}`

func largeCall() string {
	var b strings.Builder
	b.WriteString(`{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"name":"index_documents","arguments":{"docs":[`)
	for i := 0; b.Len() < 64<<10-60; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"doc-%d","title":"Report number %d","text":"%s"}`, i, i, strings.Repeat("the quick brown fox jumps over the lazy dog ", 8))
	}
	b.WriteString(`]}}}`)
	return b.String()
}

func postHeader() [][2]string {
	return [][2]string{
		{"Host", "mcp.example.com"}, {"User-Agent", "probe/1.0"}, {"Accept", "application/json, text/event-stream"},
		{"Content-Type", "application/json"}, {"Mcp-Session-Id", "0af7651916cd43dd8448eb211c80319c"}, {"Mcp-Protocol-Version", "2025-11-25"},
		{"Authorization", "Bearer abcdefghijklmnopqrstuvwxyz0123456789"},
	}
}

func getHeader() [][2]string {
	h := [][2]string{{"Host", "mcp.example.com"}, {"User-Agent", "probe/1.0"}, {"Accept", "text/event-stream"}}
	for i := len(h); i < 20; i++ {
		h = append(h, [2]string{fmt.Sprintf("X-Custom-%d", i), fmt.Sprintf("value-%d-abcdefghij", i)})
	}
	return h
}
