package waf

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/reference"
	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/rules"
)

// A corpusCase is one line of the reference corpora.
type corpusCase struct {
	ID       string
	Class    string
	Expect   string
	Layer    string
	Why      string
	Delivery string
	Response json.RawMessage
	Request  struct {
		Method, Path, Proto, Body string
		BodyB64                   string `json:"body_b64"`
		Headers                   [][2]string
	}
	Context struct{ Authenticated bool }
}

func corpusCases(t *testing.T, path string) (cases []corpusCase) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var c corpusCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

// input builds what Guard would hand to the rules. ok is false for a request that net/http never delivers to a handler.
func (c *corpusCase) input(t *testing.T, guarded bool) (in ruleInput, ok bool) {
	t.Helper()
	body := []byte(c.Request.Body)
	if c.Request.BodyB64 != "" {
		var err error
		if body, err = base64.StdEncoding.DecodeString(c.Request.BodyB64); err != nil {
			t.Fatal(err)
		}
	}
	latin1 := func(s string) string {
		b := make([]byte, 0, len(s))
		for _, r := range s {
			b = append(b, byte(r))
		}
		return string(b)
	}
	target := latin1(c.Request.Path)
	u, err := url.ParseRequestURI(target)
	if err != nil || c.Delivery != "" {
		return in, false
	}
	r := &http.Request{Method: c.Request.Method, URL: u, RequestURI: target, Proto: "HTTP/1.1", Header: http.Header{}}
	for _, h := range c.Request.Headers {
		if strings.EqualFold(h[0], "Host") {
			r.Host = latin1(h[1])
			continue
		}
		name := http.CanonicalHeaderKey(latin1(h[0]))
		r.Header[name] = append(r.Header[name], strings.Trim(latin1(h[1]), " \t"))
	}
	in = ruleInput{Request: r, Body: body, ClientIP: netip.MustParseAddr("192.0.2.7"), ClientPort: 40000}
	if guarded {
		in.Authenticated, in.MCP = c.Context.Authenticated, corpusIsMCP(u.Path)
	} else {
		in.canary = "none"
	}
	return in, true
}

// corpusIsMCP is the list of endpoints in the corpus's README.
func corpusIsMCP(path string) bool {
	switch path {
	case "/mcp", "/mcp_message", "/message", "/messages", "/messages/", "/sse":
		return true
	}
	return strings.HasPrefix(path, "/mcp/") || (strings.HasSuffix(path, "/mcp") && !strings.Contains(path, "/.well-known/"))
}

// Every attack that the corpus assigns to the rules and that is a request is refused, and no passing case is; with Guard's knowledge
// and, as in a plain WAF, without it.
func TestCorpus(t *testing.T) {
	messages, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"guarded coraza", "guarded parsed coraza", "plain coraza", "guarded portable", "plain portable"} {
		guarded := strings.HasPrefix(mode, "guarded")
		profile := rules.Coraza
		if strings.HasSuffix(mode, "portable") {
			profile = rules.Portable
		}
		t.Run(mode, func(t *testing.T) {
			rs := corazaLoad(t, RulesConfig{Profiles: []rules.Profile{profile}})
			evaluate := func(in ruleInput) ruleVerdict {
				m, bad := messages.Check(in.Body, mcpmsg.Context{Direction: mcpmsg.FromClient})
				if in.MCP && bad.OK() && strings.Contains(mode, "parsed") {
					in.Message = &m
				}
				return rs.evaluate(in)
			}
			caught := map[string]int{}
			for _, c := range corpusCases(t, reference.Path(t, "corpus", "attacks.jsonl")) {
				in, ok := c.input(t, guarded)
				if !ok {
					continue
				}
				v := evaluate(in)
				if v.Err != nil {
					t.Errorf("%s: %v", c.ID, v.Err)
				}
				caught[c.Layer+" total"]++
				if v.Denied {
					caught[c.Layer+" refused"]++
				} else if c.Layer == "rules" && c.Response == nil {
					t.Errorf("%s passed: %s", c.ID, c.Why)
				}
			}
			for _, c := range corpusCases(t, reference.Path(t, "corpus", "benign.jsonl")) {
				in, ok := c.input(t, guarded)
				if !ok {
					continue
				}
				caught["benign total"]++
				if v := evaluate(in); v.Denied || v.Err != nil {
					caught["benign refused"]++
					t.Errorf("%s refused by %v with %d (%v): %s", c.ID, v.RuleIDs, v.Status, v.Err, c.Why)
				}
			}
			t.Log(caught)
		})
	}
}

// What nine real clients have sent passes, parsed by Guard or by the engine.
func TestCaptures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(reference.Path(t, "mcp", "captures"), "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	for _, p := range []rules.Profile{rules.Portable, rules.Coraza} {
		rs := corazaLoad(t, RulesConfig{Profiles: []rules.Profile{p}})
		n := 0
		for _, f := range files {
			for _, c := range corpusCases(t, f) {
				c.Context.Authenticated = true
				in, ok := c.input(t, true)
				if !ok || c.Expect != "pass" { // the rest are a conformance suite's bad requests
					continue
				}
				if n++; p == rules.Portable && n%5 != 0 {
					continue // the same rules; a sample shows that the engine's own parse does not matter
				}
				if v := rs.evaluate(in); v.Denied || v.Err != nil {
					t.Errorf("%v: %s: %s %s refused by %v with %d (%v)", p, c.ID, c.Request.Method, c.Request.Path, v.RuleIDs, v.Status, v.Err)
				}
			}
		}
		t.Logf("%v: %d requests", p, n)
	}
}
