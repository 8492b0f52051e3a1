package waf

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

// sieveRuleset is loaded once per configuration; the engine and the sieve of it are asked apart.
func sieveRulesets(tb testing.TB) (all []*Ruleset) {
	tb.Helper()
	configs := sieveConfigs()
	for _, name := range []string{"coraza 1", "coraza 3", "own rule", "every kind"} {
		rs, err := LoadRules(configs[name])
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = rs.Close() })
		if rs.sieve == nil {
			tb.Fatalf("%s: no sieve", name)
		}
		all = append(all, rs)
	}
	return all
}

// sieveCompare compares sieve and engine in both ways, and reports whether the sieve passes the request.
func sieveCompare(tb testing.TB, rs *Ruleset, in *ruleInput) bool {
	tb.Helper()
	passes := sievePasses(tb, rs, in)
	if !passes {
		sieveChooses(tb, rs, in)
	}
	return passes
}

// sievePasses reports whether the sieve passes the request, and fails if the engine has something to say about one that it passes.
func sievePasses(tb testing.TB, rs *Ruleset, in *ruleInput) bool {
	tb.Helper()
	r := rs.sieve.start(in)
	defer r.end()
	if !r.passes() {
		return false
	}
	engine := Ruleset{waf: rs.waf, args: rs.args}
	if v := engine.evaluate(*in); v.Denied || v.Err != nil || len(v.RuleIDs) > 0 {
		tb.Errorf("the sieve passes what the engine does not: %v %v\n%s %s\n%q\n%s", v.RuleIDs, v.Err, in.Request.Method, in.Request.RequestURI,
			in.Request.Header, in.Body)
	}
	return true
}

// sieveChooses fails if the engine says anything else about the leaves that the sieve has chosen than about all of them.
func sieveChooses(tb testing.TB, rs *Ruleset, in *ruleInput) {
	tb.Helper()
	engine := Ruleset{waf: rs.waf, args: rs.args}
	got, want := fmt.Sprint(rs.evaluate(*in)), ""
	for range 20 { // the engine's collections have no order, and what matches last may decide
		if want = fmt.Sprint(engine.evaluate(*in)); got == want {
			return
		}
	}
	tb.Errorf("the engine needs other leaves than the sieve has chosen: %s, want %s\n%s %s\n%q\n%s", got, want, in.Request.Method, in.Request.RequestURI,
		in.Request.Header, in.Body)
}

func sieveRequest(target, header, value, name, argument, text string, post bool) (in ruleInput, ok bool) {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return in, false
	}
	r := &http.Request{
		Method: "GET", URL: u, RequestURI: target, Proto: "HTTP/1.1", Host: "mcp.example.com",
		Header: http.Header{"Accept": {"text/event-stream"}, "Authorization": {"Bearer t"}},
	}
	if header != "" {
		r.Header.Add(header, value)
	}
	in = ruleInput{Request: r, ClientIP: netip.MustParseAddr("192.0.2.7"), MCP: true, Authenticated: len(text)%4 != 0}
	if !post {
		return in, true
	}
	r.Method = "POST"
	r.Header.Set("Content-Type", "application/json")
	in.Body = fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%s,"arguments":{%s:%s,"list":[%s,1,null],"n":-1.5e3}}}`,
		sieveQuote(name), sieveQuote(argument), sieveQuote(text), sieveQuote(text))
	return in, true
}

func sieveQuote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

var sieveMessages = func() *mcpmsg.Validator {
	v, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		panic(err)
	}
	return v
}()

func sieveParse(in *ruleInput) bool {
	if len(in.Body) == 0 {
		return true
	}
	m, v := sieveMessages.Check(in.Body, mcpmsg.Context{Direction: mcpmsg.FromClient})
	in.Message = &m
	return v.OK()
}

// FuzzSieve looks for requests that the sieve passes and the engine does not.
func FuzzSieve(f *testing.F) {
	all := sieveRulesets(f)
	for _, s := range []string{"../etc/passwd", "http://127.0.0.1/", "a;id", "-x", "file:///etc/passwd", "ſtdio", "\x00a", "%2e%2e/"} {
		f.Add("/mcp?a=b&c", "X-Url", s, "fetch_url", "url", s, true)
		f.Add("/api/mcp/tools", "Cookie", "token="+s, "kubectl", "path", s, false)
	}
	f.Fuzz(func(t *testing.T, target, header, value, name, argument, text string, post bool) {
		in, ok := sieveRequest(target, header, value, name, argument, text, post)
		if !ok || !sieveParse(&in) {
			return
		}
		for _, rs := range all {
			sieveCompare(t, rs, &in)
		}
	})
}

// The same with requests put together from what rules look for, so that many of them nearly match.
func TestSieveRandom(t *testing.T) {
	all := sieveRulesets(t)
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	piece := func() string {
		return pick("", "a", "Z", "9", ".", "..", "/", `\`, ":", "//", "%2e", "%2F", "%u002e", "+", "%", " ", "\t", "\n", "\r", "\x00", "'", `"`, ";", "&&", "|", "`", "$(",
			"{", "-", "--", "@", "#", "?", "http:", "HTTPS://", "file:", "url:", "gopher:", "127.0.0.1", "0x7f", "127.1", "169.254.169.254", "localhost", "[::1]", "metadata",
			"etc", "passwd", "proc", ".ssh", "id", "curl", "sh -c", "drop table", "load_module", "ſ", "K", "é", "９", "\u200b", "\xff", "secret", "SECRET", "stdio", "__proto__", "v2")
	}
	value := func() (s string) {
		for range 1 + random.IntN(4) {
			s += piece()
		}
		return s
	}
	passed, rounds := 0, 3000
	if testing.Short() {
		rounds = 800
	}
	for round := range rounds {
		target := pick("/mcp", "/mcp", "/mcp_message", "/api/backup", "/", "/x/../mcp", "/wp-json/mcp/v1", "/fetch-url", "//mcp", "/a/./b", "/bridge/", "/authorize")
		for range random.IntN(3) {
			target += pick("?", "&", "&a=1", "?sessionId=abcdefgh1", "&node_secret=x", "&Token=1", "?redirect_uri=", "?cmd=ls", "%41", "=", ";", "?type=stdio&command=x")
		}
		header := pick("", "X-Url", "Origin", "Cookie", "Mcp-Session-Id", "User-Agent", "X-Api-Key", "Content-Encoding", "Accept", strings.Repeat("N", 129), "Content-Type")
		field := value()
		if random.IntN(20) == 0 {
			field = strings.Repeat("v", 295+random.IntN(10))
		}
		name := pick("echo", "fetch", "nginx_config_add", "kubectl_get", "query", "browser_open", "shell_exec", value())
		argument := pick("path", "url", "uri", "content", "query", "Path", "file_name", "branch", "id", "table", "config", "name", "ſource", "0", "a.url", value())
		in, ok := sieveRequest(target, header, field, name, argument, value(), random.IntN(4) > 0)
		if !ok || !sieveParse(&in) {
			continue
		}
		for _, rs := range all {
			if sievePasses(t, rs, &in) {
				passed++
			} else if round%3 == 0 {
				sieveChooses(t, rs, &in)
			}
		}
	}
	t.Logf("the sieve passes %d", passed)
	if passed < rounds/4 {
		t.Error("too few to mean anything")
	}
}
