package waf

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/rules"
)

// The rules against a small call, a call of 64 KiB with some 450 strings, and a stream request: passed by the sieve, left to the engine by the
// sieve, and with a body that Guard has not parsed.
func BenchmarkEvaluate(b *testing.B) {
	messages, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		b.Fatal(err)
	}
	small := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","arguments":{"path":"src/main.go","encoding":"utf-8"}}}`
	var items []string
	for i := range 150 {
		items = append(items, fmt.Sprintf(`{"path":"src/pkg%d/file.go","content":%q,"mode":"rw"}`, i, strings.Repeat("x := a + b // note\n", 20)))
	}
	large := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write_files","arguments":{"files":[` + strings.Join(items, ",") + `]}}}`
	for _, p := range []rules.Profile{rules.Portable, rules.Coraza} {
		rs, err := LoadRules(RulesConfig{Profiles: []rules.Profile{p}})
		if err != nil {
			b.Fatal(err)
		}
		for _, bm := range []struct{ name, method, body string }{{"small", "POST", small}, {"64k", "POST", large}, {"stream", "GET", ""}} {
			for _, path := range []string{"sieve", "suspicious", "unparsed"} {
				if bm.body == "" && path != "sieve" {
					continue
				}
				b.Run(fmt.Sprintf("%v/%s/%s", p, bm.name, path), func(b *testing.B) {
					target := "/mcp"
					if path == "suspicious" {
						target = "/mcp?a=%41" // which the sieve leaves to the engine
					}
					in := corazaInput(bm.method, target, bm.body, "Content-Type", "application/json", "Authorization", "Bearer t", "User-Agent", "c/1.0")
					in.MCP = true
					if path != "unparsed" && bm.body != "" {
						m, bad := messages.Check(in.Body, mcpmsg.Context{Direction: mcpmsg.FromClient})
						if !bad.OK() {
							b.Fatal(bad.Err())
						}
						in.Message = &m
					}
					b.ReportAllocs()
					for b.Loop() {
						if v := rs.evaluate(in); v.Denied || v.Err != nil {
							b.Fatal(v)
						}
					}
				})
			}
		}
		if err := rs.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
