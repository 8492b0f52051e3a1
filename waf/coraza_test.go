package waf

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/corazawaf/coraza/v3/experimental/plugins"
	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"
	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/rules"
)

func corazaLoad(t *testing.T, cfg RulesConfig) *Ruleset {
	t.Helper()
	rs, err := LoadRules(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rs.Close(); err != nil {
			t.Error(err)
		}
	})
	return rs
}

// corazaInline loads nothing but the text.
func corazaInline(t *testing.T, text string) *Ruleset {
	t.Helper()
	return corazaLoad(t, RulesConfig{Profiles: []rules.Profile{}, Inline: text})
}

func corazaInput(method, target, body string, header ...string) ruleInput {
	r := httptest.NewRequest(method, target, strings.NewReader("the adapter must not read this"))
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return ruleInput{Request: r, Body: []byte(body), ClientIP: netip.MustParseAddr("2001:db8::7"), ClientPort: 4711}
}

func TestEvaluateInterruptions(t *testing.T) {
	for _, tc := range []struct {
		action string
		want   ruleVerdict
	}{
		{"deny", ruleVerdict{Denied: true, Status: 403}},
		{"deny,status:404", ruleVerdict{Denied: true, Status: 404}},
		{"deny,status:200", ruleVerdict{Denied: true, Status: 403}},
		{"deny,status:999", ruleVerdict{Denied: true, Status: 403}},
		{"drop", ruleVerdict{Denied: true, Status: 403}},
		{"redirect:https://example.org/", ruleVerdict{Denied: true, Status: 403}},
		{"pass", ruleVerdict{}},
	} {
		for _, phase := range []string{"1", "2"} {
			rs := corazaInline(t, `SecRule REQUEST_URI "@contains hit" "id:1000,phase:`+phase+`,log,msg:'m',`+tc.action+`"`)
			want := tc.want
			want.RuleIDs = []int{1000}
			if diff := cmp.Diff(want, rs.evaluate(corazaInput("POST", "/hit", "x"))); diff != "" {
				t.Errorf("%s in phase %s: %s", tc.action, phase, diff)
			}
			if v := rs.evaluate(corazaInput("POST", "/miss", "x")); v.Denied || v.Err != nil {
				t.Errorf("%s in phase %s refuses everything: %+v", tc.action, phase, v)
			}
		}
	}
}

// What rules see of a request: one rule for each variable, which refuses if it does not see it.
func TestEvaluateVariables(t *testing.T) {
	in := corazaInput("POST", "//a/%2e%2e/b?x=%41&y=1", `{"k":"v"}`, "X-A", "1", "X-A", "2", "Content-Type", "application/json")
	in.Request.Host = "[2001:db8::1]:8443"
	in.Request.TransferEncoding = []string{"chunked"}
	local := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[2001:db8::2]:443"))
	in.Request = in.Request.WithContext(context.WithValue(context.Background(), http.LocalAddrContextKey, local))
	in.Authenticated, in.Identity, in.MCP = true, "agent", true
	for _, cond := range []string{
		`REMOTE_ADDR "!@streq 2001:db8::7"`, `REMOTE_ADDR "!@ipMatch 2001:db8::/32"`, `REMOTE_PORT "!@streq 4711"`,
		`SERVER_ADDR "!@streq 2001:db8::2"`, `SERVER_PORT "!@streq 443"`, `SERVER_NAME "!@streq 2001:db8::1"`,
		`REQUEST_URI_RAW "!@streq //a/%2e%2e/b?x=%41&y=1"`, `REQUEST_METHOD "!@streq POST"`, `REQUEST_PROTOCOL "!@streq HTTP/1.1"`,
		`&REQUEST_HEADERS:X-A "!@eq 2"`, `REQUEST_HEADERS:Host "!@streq [2001:db8::1]:8443"`, `&REQUEST_HEADERS:Host "!@eq 1"`,
		`REQUEST_HEADERS:Transfer-Encoding "!@streq chunked"`, `ARGS_GET:x "!@streq A"`, `&ARGS_GET "!@eq 2"`,
		`&ARGS:json.k "!@eq 1"`, `ARGS:json.k "!@streq v"`, `REQBODY_ERROR "!@eq 0"`,
		`TX:sallyport_authenticated "!@eq 1"`, `TX:sallyport_identity "!@streq agent"`, `TX:sallyport_guard_mcp "!@eq 1"`,
		`&TX:sallyport_authenticated "!@eq 1"`, `&TX:sallyport_identity "!@eq 1"`, `&TX:sallyport_guard_mcp "!@eq 1"`, `&REMOTE_ADDR "!@eq 1"`,
	} {
		rs := corazaInline(t, `SecRule `+cond+` "id:1000,phase:2,deny,log"`)
		if v := rs.evaluate(in); v.Denied || v.Err != nil {
			t.Errorf("SecRule %s: %+v", cond, v)
		}
	}
}

func TestEvaluateIPv4(t *testing.T) {
	rs := corazaInline(t, `SecRule REMOTE_ADDR "!@streq 192.0.2.1" "id:1000,phase:1,deny"`)
	in := corazaInput("GET", "/", "")
	in.ClientIP = netip.MustParseAddr("::ffff:192.0.2.1")
	if v := rs.evaluate(in); v.Denied || v.Err != nil {
		t.Errorf("an IPv4-mapped address is not shown as IPv4: %+v", v)
	}
}

// A client that sends fields or parameters named like our variables is no better off.
func TestEvaluateMarkerCannotBeForged(t *testing.T) {
	rs := corazaLoad(t, RulesConfig{})
	in := corazaInput("POST", "/mcp_message?sallyport_authenticated=1&tx.sallyport_credential=1",
		`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"sallyport_authenticated":1,"tx":{"sallyport_credential":1}}}`,
		"Content-Type", "application/json", "Sallyport-Authenticated", "1", "Sallyport_authenticated", "1", "Cookie", "sallyport_authenticated=1",
		"X-Forwarded-For", "127.0.0.1")
	in.MCP = true
	if v := rs.evaluate(in); !v.Denied || v.Status != 403 || v.RuleIDs[len(v.RuleIDs)-1] != 9599100 {
		t.Errorf("forged marker: %+v, want a refusal by 9599100", v)
	}
	in.Authenticated = true
	if v := rs.evaluate(in); v.Denied || v.Err != nil {
		t.Errorf("caller authenticated by Guard: %+v, want no refusal", v)
	}
}

// With Guard's parse the body is not parsed again, and rules see the same under the same names.
func TestEvaluateMessage(t *testing.T) {
	messages, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		t.Fatal(err)
	}
	check := func(body string) ruleInput {
		in := corazaInput("POST", "/mcp", "", "Content-Type", "application/json", "Authorization", "Bearer t")
		m, bad := messages.Check([]byte(body), mcpmsg.Context{Direction: mcpmsg.FromClient})
		if !bad.OK() {
			t.Fatal(bad.Err())
		}
		in.Body, in.Message, in.MCP = []byte(body), &m, true
		return in
	}
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","arguments":{"path":"%s"}}}`
	for _, p := range []rules.Profile{rules.Portable, rules.Coraza} {
		rs := corazaLoad(t, RulesConfig{Profiles: []rules.Profile{p}, Inline: `SecRule TX:mcp_method "!@streq tools/call" "id:1000,phase:2,deny"`})
		if v := rs.evaluate(check(fmt.Sprintf(call, "a/b"))); v.Denied || v.Err != nil {
			t.Errorf("%v: honest call: %+v", p, v)
		}
		if v := rs.evaluate(check(fmt.Sprintf(call, "../../a"))); !v.Denied || v.Status != 403 {
			t.Errorf("%v: traversal: %+v", p, v)
		}
		many := `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":["` + strings.Repeat(`x","`, 5200) + `x"]}}`
		if v := rs.evaluate(check(many)); !v.Denied || v.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("%v: too many members: %+v", p, v)
		}
	}
}

func TestEvaluateBodyLimit(t *testing.T) {
	rs := corazaLoad(t, RulesConfig{MaxBodyBytes: 100})
	for n, denied := range map[int]bool{100: false, 101: true} {
		v := rs.evaluate(corazaInput("POST", "/upload", strings.Repeat("a", n)))
		if v.Denied != denied || v.Err != nil || (denied && v.Status != http.StatusRequestEntityTooLarge) {
			t.Errorf("%d bytes: %+v, want Denied=%v", n, v, denied)
		}
	}
}

// The length of a field that no standard describes, to the byte, and the fields that are allowed more.
func TestEvaluateHeaderLength(t *testing.T) {
	rs := corazaLoad(t, RulesConfig{})
	for _, tc := range []struct {
		name string
		n    int
		want int
	}{
		{"X-Custom", 2048, 0}, {"X-Custom", 2049, 431}, {"X-Custom", 9000, 431}, {"Cookie", 4000, 0}, {"Authorization", 16384, 0},
		{"Authorization", 16385, 431}, {"User-Agent", 8192, 0}, {"User-Agent", 8193, 431}, {strings.Repeat("A", 128), 1, 0}, {strings.Repeat("A", 129), 1, 431},
	} {
		v := rs.evaluate(corazaInput("GET", "/", "", tc.name, strings.Repeat("v", tc.n)))
		if v.Status != tc.want || v.Err != nil {
			t.Errorf("%.20s of %d bytes: %+v, want status %d", tc.name, tc.n, v, tc.want)
		}
	}
}

func TestEvaluateMatchedIDsAreBounded(t *testing.T) {
	var text strings.Builder
	for i := range 40 {
		text.WriteString(`SecAction "id:` + string(rune('1'+i/10)) + string(rune('0'+i%10)) + `00,phase:1,pass,log,msg:'m'"` + "\n")
	}
	text.WriteString(`SecRule REQUEST_URI "@contains hit" "id:9000,phase:1,deny"`)
	v := corazaInline(t, text.String()).evaluate(corazaInput("GET", "/hit", ""))
	if len(v.RuleIDs) != corazaMaxRuleIDs || v.RuleIDs[corazaMaxRuleIDs-1] != 9000 {
		t.Errorf("RuleIDs = %v, want %d with 9000 last", v.RuleIDs, corazaMaxRuleIDs)
	}
}

// Plug-ins of other people may panic; the request is refused and the next one is judged as ever.
func TestEvaluatePanic(t *testing.T) {
	corazaRegisterPanic()
	rs := corazaInline(t, `SecRule REQUEST_HEADERS:X-Panic "@sallyportTestPanic x" "id:1000,phase:1,deny"`)
	v := rs.evaluate(corazaInput("GET", "/", "", "X-Panic", "secret-value"))
	if v.Err == nil || v.Denied || strings.Contains(v.Err.Error(), "secret-value") {
		t.Errorf("panic: %+v, want an error without the value", v)
	}
	if v := rs.evaluate(corazaInput("GET", "/", "")); v.Err != nil || v.Denied {
		t.Errorf("after a panic: %+v", v)
	}
}

var corazaRegisterPanic = sync.OnceFunc(func() {
	plugins.RegisterOperator("sallyportTestPanic", func(plugintypes.OperatorOptions) (plugintypes.Operator, error) {
		return corazaPanics{}, nil
	})
})

type corazaPanics struct{}

func (corazaPanics) Evaluate(_ plugintypes.TransactionState, value string) bool { panic(value) }

func TestZeroRulesetRefuses(t *testing.T) {
	var rs Ruleset
	if rs.acquire() {
		t.Error("acquire of the zero Ruleset = true")
	}
	if v := rs.evaluate(corazaInput("GET", "/", "")); v.Err == nil {
		t.Errorf("evaluate of the zero Ruleset = %+v, want an error", v)
	}
	if err := rs.Close(); err != nil {
		t.Error(err)
	}
}

// Close while evaluations run: they end normally, none starts afterwards, and the last one frees the engine.
func TestRulesetCloseDuringUse(t *testing.T) {
	rs, err := LoadRules(RulesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	started := make(chan struct{}, 4)
	for range 4 {
		wg.Go(func() {
			for rs.acquire() {
				if v := rs.evaluate(corazaInput("POST", "/mcp_message", "{}", "Content-Type", "application/json")); !v.Denied {
					t.Errorf("during Close: %+v", v)
				}
				if err := rs.release(); err != nil {
					t.Error(err)
				}
				select {
				case started <- struct{}{}:
				default:
				}
			}
		})
	}
	<-started
	if err := rs.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if n := rs.refs.Load(); n != 0 {
		t.Errorf("%d references are left", n)
	}
	if err := rs.Close(); err != nil {
		t.Error(err)
	}
	if !slices.IsSorted(rs.IDs()) {
		t.Error("IDs after Close are not usable")
	}
}

// A request that was never on a wire, as a program may hand one to Check.
func TestEvaluateMadeRequest(t *testing.T) {
	rs := corazaInline(t, `SecRule REQUEST_URI_RAW "!@streq /a?b=c" "id:1000,phase:1,deny"
SecRule SERVER_NAME "!@streq 2001:db8::1" "id:1001,phase:1,deny"`)
	r, err := http.NewRequest(http.MethodGet, "http://[2001:db8::1]/a?b=c", nil)
	if err != nil {
		t.Fatal(err)
	}
	if v := rs.evaluate(ruleInput{Request: r}); v.Denied || v.Err != nil {
		t.Errorf("%+v, want no refusal", v)
	}
}
