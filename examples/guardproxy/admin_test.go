package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/waf"
)

// operators returns the address of the listener for operators.
func (p *instance) operators(t *testing.T) string {
	t.Helper()
	return p.stdout.await(t, `(?m)^metrics on (http://\S+)/metrics$`)[1]
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestMetrics(t *testing.T) {
	file := write(t, "policy.json", policyText("delete_everything"))
	p := launch(t, "-policy", file, "-metrics", "127.0.0.1:0")
	for _, c := range []struct{ path, token, message string }{
		{"/mcp", "secret", toolCall("add", `{"a":1,"b":2}`)},
		{"/mcp", "secret", toolCall("add", `{"a":3,"b":4}`)},
		{"/mcp", "secret", toolCall("delete_everything", `{}`)},
		{"/mcp", "guess", toolCall("add", `{"a":1,"b":2}`)},
		{"/planted-path", "", "planted-body"},
	} {
		p.call(t, http.DefaultClient, c.path, c.token, c.message)
	}
	resp := p.call(t, http.DefaultClient, "/mcp", "secret", toolCall("slow_count", `{"to":60}`))
	if !bufio.NewScanner(resp.Body).Scan() {
		t.Fatal("no stream")
	}
	var text string
	for end := time.Now().Add(patience); !strings.Contains(text, "sallyport_bodies 1\n"); { // of answered calls, the last may be about to go
		if time.Now().After(end) {
			t.Fatal("the bodies of calls that were answered stay")
		}
		var status int
		if status, text = get(t, p.operators(t)+"/metrics"); status != http.StatusOK {
			t.Fatalf("status %d, want 200", status)
		}
	}
	for _, want := range []string{
		`sallyport_decisions_total{action="allow",code="none",endpoint="/mcp",layer="none"} 3`,
		`sallyport_decisions_total{action="deny",code="tool_not_allowed",endpoint="/mcp",layer="policy"} 1`,
		`sallyport_decisions_total{action="deny",code="identity_required",endpoint="/mcp",layer="identity"} 1`,
		`sallyport_decisions_total{action="allow",code="none",endpoint="none",layer="none"} 1`,
		`sallyport_step_seconds_count{step="total"} 6`,
		`sallyport_step_seconds_count{step="validate"} 6`,
		`sallyport_step_seconds_count{step="message"} 5`,
		`sallyport_step_seconds_count{step="rules"} 4`,
		`sallyport_streams 0`,
		`sallyport_reloads_total{result="ok"} 0`,
		`sallyport_reloads_total{result="failed"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("the metrics do not hold %s", want)
		}
	}
	if !regexp.MustCompile(`(?m)^go_build_info\{.*path="github.com/sallyport/sallyport/examples.*\} 1$`).MatchString(text) {
		t.Error("the metrics do not name the build")
	}
	for _, planted := range []string{"planted", "secret", "guess", "slow_count"} {
		if strings.Contains(text, planted) {
			t.Errorf("the metrics hold %q of a request", planted)
		}
	}
	if t.Failed() {
		t.Log(strings.Join(regexp.MustCompile(`(?m)^(sallyport|go_build).*$`).FindAllString(text, -1), "\n"))
	}
	if status, _ := get(t, p.operators(t)+"/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("profiles answer %d without -pprof, want 404", status)
	}
}

func TestMetricsCountReloads(t *testing.T) {
	p := &program{policy: &policySource{opts: options{policy: write(t, "policy.json", policyText("echo"))}}, log: &lineLog{w: io.Discard}, metrics: newMetrics()}
	var err error
	if p.guard, p.rules, err = p.policy.newGuard(); err != nil {
		t.Fatal(err)
	}
	defer p.close()
	p.reload()
	p.policy.opts.policy += ".missing"
	p.reload()
	p.reload()
	rec := httptest.NewRecorder()
	p.adminHandler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{`sallyport_reloads_total{result="ok"} 1`, `sallyport_reloads_total{result="failed"} 2`} {
		if !strings.Contains(rec.Body.String(), want+"\n") {
			t.Errorf("the metrics do not hold %s", want)
		}
	}
}

func TestMetricsOfFindings(t *testing.T) {
	m := newMetrics()
	m.observe(waf.Event{Action: waf.ActionDetect, Layer: waf.LayerPolicy, Code: "tool_not_allowed", Endpoint: "/mcp", Total: 1})
	m.observe(waf.Event{Action: waf.ActionDryDeny, Layer: waf.LayerPolicy, Code: "tool_not_allowed", Endpoint: "/mcp", Total: 1})
	m.observe(waf.Event{Action: waf.ActionAllow, Endpoint: "/mcp", Total: 1})
	m.observe(waf.Event{Action: waf.ActionDeny, Layer: waf.LayerResponse, Code: "response_encoded", Endpoint: "/mcp", Total: 1})
	rec := httptest.NewRecorder()
	(&program{metrics: m}).adminHandler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`sallyport_decisions_total{action="detect",code="tool_not_allowed",endpoint="/mcp",layer="policy"} 1`,
		`sallyport_decisions_total{action="deny",code="response_encoded",endpoint="/mcp",layer="response"} 1`,
		`sallyport_step_seconds_count{step="total"} 1`, // one request
	} {
		if !strings.Contains(rec.Body.String(), want+"\n") {
			t.Errorf("the metrics do not hold %s", want)
		}
	}
}

func TestProfiles(t *testing.T) {
	p := launch(t, "-metrics", "127.0.0.1:0", "-pprof")
	if status, text := get(t, p.operators(t)+"/debug/pprof/cmdline"); status != http.StatusOK || text == "" {
		t.Errorf("the command line answers %d %q, want 200 and text", status, text)
	}
	resp := p.call(t, http.DefaultClient, "/debug/pprof/", "", "")
	if resp.StatusCode == http.StatusOK {
		t.Error("clients reach the profiles")
	}
}

func TestReadiness(t *testing.T) {
	upstream := httptest.NewServer(demoServer())
	defer upstream.Close()
	p := launch(t, "-upstream", upstream.URL, "-metrics", "127.0.0.1:0")
	awaitServing(t, p.operators(t)+"/readyz")
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := get(t, p.operators(t)+path); status != 200 || body != "ok\n" {
			t.Errorf("%s answers %d %q, want 200 ok", path, status, body)
		}
	}
}

// closing is a listener that tells when it is about to be closed.
type closing struct {
	net.Listener
	tell func()
}

func (c closing) Close() error {
	c.tell()
	return c.Listener.Close()
}

// From the moment at which a stop takes no more connections, the program is not ready, but healthy.
func TestReadinessWhileItStops(t *testing.T) {
	opts, err := parseOptions([]string{"-listen", "127.0.0.1:0", "-metrics", "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := start(opts, io.Discard, &lineLog{w: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	said := map[string]string{}
	ask := func(when string) {
		for _, path := range []string{"/healthz", "/readyz"} {
			rec := httptest.NewRecorder()
			p.adminHandler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
			said[when+" "+path] = fmt.Sprint(rec.Code, " ", rec.Body)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	p.listener = closing{p.listener, sync.OnceFunc(func() { ask("stopping") })}
	ask("starting")
	served := make(chan error, 1)
	go func() { served <- p.serve(ctx) }()
	get(t, "http://"+p.listener.Addr().String()) // answered, so it serves
	ask("serving")
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	want := map[string]string{
		"starting /healthz": "200 ok\n", "starting /readyz": "503 not serving\n",
		"serving /healthz": "200 ok\n", "serving /readyz": "200 ok\n",
		"stopping /healthz": "200 ok\n", "stopping /readyz": "503 not serving\n",
	}
	if !maps.Equal(said, want) {
		t.Errorf("the program says %q, want %q", said, want)
	}
}

// awaitServing waits for the listener, which opens after that for operators.
func awaitServing(t *testing.T, readyz string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, text := get(t, readyz); text != "not serving\n" {
			return
		}
	}
	t.Fatal("the program does not begin to serve")
}

func TestNotReadyWithoutUpstream(t *testing.T) {
	p := launch(t, "-upstream", nobody, "-metrics", "127.0.0.1:0")
	awaitServing(t, p.operators(t)+"/readyz")
	if status, text := get(t, p.operators(t)+"/readyz"); status != 503 || text != "the upstream takes no connections\n" {
		t.Errorf("/readyz answers %d %q, want 503 and the reason", status, text)
	}
	if status, _ := get(t, p.operators(t)+"/healthz"); status != 200 {
		t.Errorf("/healthz answers %d, want 200", status)
	}
}

func TestDialAddress(t *testing.T) {
	for url, want := range map[string]string{
		"http://127.0.0.1:9000": "127.0.0.1:9000", "http://mcp.example.com": "mcp.example.com:80",
		"https://mcp.example.com": "mcp.example.com:443", "https://[::1]": "[::1]:443",
	} {
		u, err := parseUpstream(url)
		if err != nil {
			t.Fatal(err)
		}
		if got := dialAddress(u); got != want {
			t.Errorf("dialAddress(%q) = %q, want %q", url, got, want)
		}
	}
}
