package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestCannotStart(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	cert, key, _ := certificate(t, "server")
	missing := t.TempDir() + "/missing"
	for _, tc := range []struct {
		name string
		args []string
		want string // in the one line
	}{
		{"unknown flag", []string{"-frobnicate"}, "-frobnicate"},
		{"argument", []string{"serve"}, `"serve"`},
		{"upstream without scheme", []string{"-upstream", "127.0.0.1:9000"}, "-upstream must look like"},
		{"upstream scheme", []string{"-upstream", "ftp://127.0.0.1"}, "-upstream must look like"},
		{"upstream not a URL", []string{"-upstream", "http://[::1"}, "-upstream must look like"},
		{"upstream with path", []string{"-upstream", "http://127.0.0.1:9000/mcp"}, "give http://127.0.0.1:9000"},
		{"upstream with password", []string{"-upstream", "http://u:secret@127.0.0.1"}, "password"},
		{"busy port", []string{"-listen", busy.Addr().String()}, "address already in use"},
		{"bad address", []string{"-listen", "nonsense"}, "cannot listen on nonsense"},
		{"no policy file", []string{"-policy", missing}, "no such file"},
		{"bad policy", []string{"-policy", write(t, "p.json", `{"mode": "enforce", "mode": "detect"}`)}, "p.json"},
		{"policy without an end", []string{"-policy", "/dev/zero"}, "-policy /dev/zero: the file is larger than 1024 KiB"},
		{"no rules file", []string{"-rules", missing}, "no such file"},
		{"bad rules", []string{"-rules", write(t, "r.conf", "SecRule ARGS")}, "r.conf"},
		{"key without certificate", []string{"-tls-key", key}, "-tls-cert and -tls-key"},
		{"certificate is none", []string{"-tls-cert", key, "-tls-key", key}, "-tls-cert: does not go with -tls-key: "},
		{"authority without certificate", []string{"-client-ca", cert}, "-client-ca needs"},
		{"authority is none", []string{"-tls-cert", cert, "-tls-key", key, "-client-ca", key}, "-client-ca: holds something that is not a certificate"},
		{"busy metrics port", []string{"-metrics", busy.Addr().String()}, "-metrics: cannot listen"},
		{"profiles without a listener", []string{"-pprof"}, "-pprof needs -metrics"},
		{"negative rate", []string{"-rate", "-1"}, "-rate must be 0 to 1000000"},
		{"explain without a policy", []string{"-explain", cert}, "-explain needs -policy"},
		{"explain a missing file", []string{"-policy", write(t, "p.json", `{}`), "-explain", missing}, "-explain: open"},
		{"explain by a bad policy", []string{"-policy", write(t, "p.json", `{"x": 1}`), "-explain", cert}, "p.json"},
		{"no file of session keys", []string{"-session-keys", missing}, "-session-keys: open"},
		{"session keys in another form", []string{"-session-keys", write(t, "keys", "# two\n\nsecret-secret!\n")}, "keys: line 3 is not Base64"},
		{"session key with stray bits", []string{"-session-keys", write(t, "keys", strings.Repeat("c2Vj", 10)+"c2V=\n")}, "keys: line 1 is not Base64"},
		{"short session key", []string{"-session-keys", write(t, "keys", "c2VjcmV0\n")}, "Config.SessionKeys[0]: must be at least 32 random bytes"},
		{"no session key", []string{"-session-keys", write(t, "keys", "\n# secret\n")}, "there is no key in it"},
		{"too many bytes of session keys", []string{"-session-keys", write(t, "keys", strings.Repeat("#", 70000))}, "larger than 64 KiB"},
		{"events in a missing directory", []string{"-events", missing + "/events"}, "-events"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			stdout, stderr := newOutput(), newOutput()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // a program that starts all the same must not run on
			defer cancel()
			code := run(ctx, append([]string{"-listen", "127.0.0.1:0"}, tc.args...), stdout, stderr)
			said, _ := stderr.state()
			if code != 2 || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "guardproxy: ") || !strings.Contains(said, tc.want) {
				t.Errorf("run(%q) = %d, said %q, want 2 and one line with %q", tc.args, code, said, tc.want)
			}
			if strings.Contains(said, "secret") {
				t.Errorf("run(%q) repeated the password: %q", tc.args, said)
			}
			if text, _ := stdout.state(); text != "" {
				t.Errorf("run(%q) wrote %q to standard output", tc.args, text)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	stdout, stderr := newOutput(), newOutput()
	if code := run(context.Background(), []string{"-h"}, stdout, stderr); code != 0 {
		t.Errorf("run(-h) = %d, want 0", code)
	}
	said, _ := stdout.state()
	for _, name := range []string{"listen", "upstream", "policy", "rules", "tls-cert", "tls-key", "client-ca", "detect", "events", "metrics", "pprof", "explain", "rate", "session-keys"} {
		if !strings.Contains(said, "  -"+name) {
			t.Errorf("the help text does not name -%s", name)
		}
	}
}

// curlArgs splits a printed curl command as a shell would.
var curlArgs = regexp.MustCompile(`'([^']*)'|([^\s']+)`)

func TestPrintedCommandsAnswerAsTheyClaim(t *testing.T) {
	p := launch(t)
	p.stdout.await(t, `# 400: [^\n]*\ncurl [^\n]*\n`)
	said, _ := p.stdout.state()
	commands := regexp.MustCompile(`(?m)^# (\d+): .*\n(curl -i .*)$`).FindAllStringSubmatch(said, -1)
	if len(commands) != 4 {
		t.Fatalf("%d commands are printed, want 4:\n%s", len(commands), said)
	}
	for _, c := range commands {
		want, _ := strconv.Atoi(c[1])
		resp := curl(t, c[2])
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != want || (want == 200) != strings.Contains(string(body), `"text":"5"`) {
			t.Errorf("%s\nanswers %d %s, want %d", c[2], resp.StatusCode, body, want)
		}
	}
}

// curl does what the command says; it knows the options that the program prints.
func curl(t *testing.T, command string) *http.Response {
	t.Helper()
	var words []string
	for _, m := range curlArgs.FindAllStringSubmatch(command, -1) {
		words = append(words, m[1]+m[2])
	}
	var url, data string
	header := http.Header{}
	for i := 1; i < len(words); i++ {
		switch words[i] {
		case "-i":
		case "-H":
			i++
			name, value, _ := strings.Cut(words[i], ": ")
			header.Add(name, value)
		case "-d":
			i++
			data = words[i]
		default:
			url = words[i]
		}
	}
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestStopEndsOpenStreams(t *testing.T) {
	backend := httptest.NewServer(demoServer())
	t.Cleanup(backend.Close)
	for name, args := range map[string][]string{"demo": nil, "proxy": {"-upstream", backend.URL}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := launch(t, args...)
			resp := p.call(t, http.DefaultClient, "/mcp", p.token(t), toolCall("slow_count", `{"to":60}`))
			events := bufio.NewScanner(resp.Body)
			for events.Scan() && !strings.Contains(events.Text(), "notifications/progress") {
			}
			if events.Err() != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("answer %d, %v, want a stream", resp.StatusCode, events.Err())
			}
			begun := time.Now()
			if code := p.stop(); code != 0 {
				t.Errorf("exit status %d, want 0", code)
			}
			if took := time.Since(begun); took > 20*time.Second { // the stream goes on for 30 s
				t.Errorf("the stop took %v", took)
			}
			for events.Scan() { // the stream is over: this ends
			}
		})
	}
}

func TestWithoutPolicyAListenerOffLoopbackRefuses(t *testing.T) {
	p := launch(t, "-listen", "0.0.0.0:0")
	p.stderr.await(t, "every MCP request is refused until a policy says who may call")
	if said, _ := p.stdout.state(); strings.Contains(said, "token") {
		t.Errorf("a token was made for a listener off loopback:\n%s", said)
	}
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(p.url, "http://"))
	p.url = "http://127.0.0.1:" + port
	if resp := p.call(t, http.DefaultClient, "/mcp", "guess", toolCall("add", `{"a":1,"b":2}`)); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d, want 401", resp.StatusCode)
	}
}

// nobody is an address that refuses connections. Unlike one that was in use, it is not given to another server.
const nobody = "http://127.0.0.1:1"

func TestUpstreamDownKeepsTheID(t *testing.T) {
	p := launch(t, "-upstream", nobody)
	resp := p.call(t, http.DefaultClient, "/mcp", p.token(t), toolCall("add", `{"a":1,"b":2}`))
	body, _ := io.ReadAll(resp.Body)
	want := `{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"upstream unavailable"}}`
	if resp.StatusCode != http.StatusBadGateway || string(body) != want {
		t.Errorf("answer %d %s, want 502 %s", resp.StatusCode, body, want)
	}
	p.stderr.await(t, "guardproxy: upstream: connection refused\n")
}

func TestForeignHostIsRefusedOnLoopback(t *testing.T) {
	p := launch(t)
	for host, want := range map[string]int{"rebound.example.com": 403, "localhost": 200, strings.TrimPrefix(p.url, "http://"): 200} {
		req, err := http.NewRequest(http.MethodPost, p.url+"/mcp", strings.NewReader(toolCall("add", `{"a":1,"b":2}`)))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		req.Header.Set("Authorization", "Bearer "+p.token(t))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("Host %q: status %d, want %d", host, resp.StatusCode, want)
		}
	}
}

// The Core Rule Set judges what is no MCP, and leaves honest calls alone.
func TestCoreRuleSet(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	t.Cleanup(backend.Close)
	for _, tc := range []struct {
		args       []string
		page, call int
	}{
		{[]string{"-upstream", backend.URL}, 202, 202},
		{[]string{"-upstream", backend.URL, "-crs"}, 403, 202},
	} {
		p := launch(t, tc.args...)
		resp, err := http.Get(p.url + "/search?q=%3Cscript%3Ealert(1)%3C/script%3E")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != tc.page {
			t.Errorf("%q: a script in a query is answered %d, want %d", tc.args, resp.StatusCode, tc.page)
		}
		text := toolCall("write_page", `{"text":"<script>alert(1)</script> SELECT a FROM b WHERE 1=1; ls && cat /etc/hosts"}`)
		if resp := p.call(t, http.DefaultClient, "/mcp", p.token(t), text); resp.StatusCode != tc.call {
			t.Errorf("%q: a call that carries the same as text is answered %d, want %d", tc.args, resp.StatusCode, tc.call)
		}
	}
}
