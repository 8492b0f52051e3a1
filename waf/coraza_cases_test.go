package waf

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/rules"
)

// A ruleCase is one line of ../rules/testdata/cases: YAML whose items are JSON, so that a test in any language can read it.
type ruleCase struct {
	profile rules.Profile // by the file: coraza.yaml, or one of the portable ones

	Rule    int                        `json:"rule"`
	Case    string                     `json:"case"` // positive, evasion or negative
	Level   int                        `json:"level"`
	Min     int                        `json:"min_version"`
	Request string                     `json:"request"` // method and target
	Headers map[string]json.RawMessage `json:"headers"` // a text, a list of texts, {"fill", "times"}, or null to leave it out
	Names   *ruleFill                  `json:"names"`   // a field with a name like this
	Fields  int                        `json:"fields"`  // so many further fields
	Body    json.RawMessage            `json:"body"`
	Text    string                     `json:"text"` // body that need not be JSON
	Members int                        `json:"members"`
	Call    json.RawMessage            `json:"call"`   // params of a tools/call
	Answer  string                     `json:"answer"` // what the server gives back, for rules of phase 4
}

type ruleFill struct {
	Fill  string `json:"fill"`
	Times int    `json:"times"`
}

func (c *ruleCase) input(t *testing.T) ruleInput {
	t.Helper()
	if c.Call != nil {
		c.Request = "POST /mcp"
		c.Headers = map[string]json.RawMessage{"Authorization": []byte(`"Bearer t"`)}
		c.Body = fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":%s}`, c.Call)
	}
	body := c.Body
	if c.Text != "" {
		body = []byte(c.Text)
	}
	if c.Members > 0 {
		body = []byte(`{"jsonrpc":"2.0"` + strings.Repeat(`,"m":1`, c.Members-1) + "}")
	}
	method, target, _ := strings.Cut(c.Request, " ")
	r := httptest.NewRequest(method, target, http.NoBody)
	local := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:80")) // as in ../rules/testdata/modsec
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local))
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range c.Headers {
		values := ruleHeaderValues(t, value)
		if name == "Host" {
			r.Host = values[0]
			continue
		}
		name = http.CanonicalHeaderKey(name)
		if delete(r.Header, name); len(values) > 0 {
			r.Header[name] = values // the adapter gets what a server may let through, so no checks here
		}
	}
	if c.Names != nil {
		r.Header.Set(strings.Repeat(c.Names.Fill, c.Names.Times), "v")
	}
	for i := range c.Fields {
		r.Header.Set(fmt.Sprintf("X-Field-%d", i), "v")
	}
	return ruleInput{Request: r, Body: body, ClientIP: netip.MustParseAddr("192.0.2.7"), canary: "none"}
}

func ruleHeaderValues(t *testing.T, raw json.RawMessage) []string {
	t.Helper()
	var one string
	var list []string
	var fill ruleFill
	switch {
	case string(raw) == "null":
		return nil
	case json.Unmarshal(raw, &one) == nil:
		return []string{one}
	case json.Unmarshal(raw, &list) == nil:
		return list
	case json.Unmarshal(raw, &fill) == nil:
		return []string{strings.Repeat(fill.Fill, fill.Times)}
	}
	t.Fatalf("header value %s", raw)
	return nil
}

func ruleCases(t *testing.T) (cases []ruleCase) {
	t.Helper()
	files, err := filepath.Glob("../rules/testdata/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line := range bytes.Lines(data) {
			n++
			item, ok := bytes.CutPrefix(line, []byte("- "))
			if !ok {
				if line[0] != '#' {
					t.Fatalf("%s:%d: neither a case nor a comment", f, n)
				}
				continue
			}
			dec := json.NewDecoder(bytes.NewReader(item))
			dec.DisallowUnknownFields()
			var c ruleCase
			if err := dec.Decode(&c); err != nil {
				t.Fatalf("%s:%d: %v", f, n, err)
			}
			c.profile = rules.Portable
			if filepath.Base(f) == "coraza.yaml" {
				c.profile = rules.Coraza
			}
			cases = append(cases, c)
		}
	}
	return cases
}

// ruleDenying lists the rules of a profile that refuse.
func ruleDenying(t *testing.T, p rules.Profile) []int {
	t.Helper()
	var deny []int
	for line := range strings.Lines(rules.Directives(p)) {
		data, err := fs.ReadFile(rules.FS(), strings.TrimSpace(strings.TrimPrefix(line, "Include ")))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`id:(\d+),phase:\d,deny`).FindAllSubmatch(data, -1) {
			id, err := strconv.Atoi(string(m[1]))
			if err != nil {
				t.Fatal(err)
			}
			deny = append(deny, id)
		}
	}
	return deny
}

// Every refusing rule matches its positive and evasion cases, keeps quiet about its negative ones, and has all three kinds. An earlier
// rule may refuse a case first, so here they all pass and only tell that they match.
func TestRuleCases(t *testing.T) {
	seen := map[string]bool{}
	sets := map[string]*Ruleset{}
	for _, c := range ruleCases(t) {
		if seen[fmt.Sprint(c.Rule, c.Case)] = true; c.Answer != "" {
			continue // TestAnswerRules
		}
		level := max(c.Level, 1)
		key := fmt.Sprint(c.profile, level, c.Min)
		if sets[key] == nil {
			cfg := RulesConfig{Profiles: []rules.Profile{c.profile}, Inline: "SecRuleUpdateActionById 9599100-9599949 pass"}
			cfg.Setup = fmt.Sprintf(`SecAction "id:1,phase:1,pass,nolog,setvar:tx.sallyport_paranoia_level=%d,setvar:tx.sallyport_min_version=%d"`, level, c.Min)
			sets[key] = corazaLoad(t, cfg)
		}
		v := sets[key].evaluate(c.input(t))
		if v.Err != nil {
			t.Errorf("%d %s %s%s: %v", c.Rule, c.Case, c.Request, c.Call, v.Err)
		}
		want := c.Case != "negative"
		if got := slices.Contains(v.RuleIDs, c.Rule); got != want || v.Denied {
			t.Errorf("%d %s: %s %s%s: matched by %v, want %v", c.Rule, c.Case, c.Request, c.Body, c.Text, v.RuleIDs, want)
		}
	}
	for _, id := range ruleDenying(t, rules.Coraza) {
		for _, kind := range []string{"positive", "evasion", "negative"} {
			if !seen[fmt.Sprint(id, kind)] {
				t.Errorf("rule %d has no %s case", id, kind)
			}
		}
	}
}
