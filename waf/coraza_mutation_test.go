package waf

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/reference"
	"github.com/sallyport/sallyport/rules"
)

// The same attacks in other clothes: every other character of every JSON string escaped, the message in a batch, letters of the target
// percent-encoded. Each must be refused as the plain one is.
func TestCorpusMutations(t *testing.T) {
	mutations := map[string]func(*ruleInput) bool{
		"escaped JSON": func(in *ruleInput) bool {
			in.Body = []byte(escapeStrings(string(in.Body)))
			return true
		},
		"batch": func(in *ruleInput) bool {
			ping := `{"jsonrpc":"2.0","id":"b0","method":"ping"}`
			in.Body = []byte("[" + ping + "," + string(in.Body) + "]")
			return strings.Contains(string(in.Body), `"params"`)
		},
		"encoded target": func(in *ruleInput) bool {
			path, query, found := strings.Cut(in.Request.RequestURI, "?")
			target := encodeLetters(path)
			if found {
				target += "?" + encodeLetters(query)
			}
			u, err := url.ParseRequestURI(target)
			in.Request.RequestURI, in.Request.URL = target, u
			return err == nil
		},
		"doubled slashes": func(in *ruleInput) bool {
			path, query, found := strings.Cut(in.Request.RequestURI, "?")
			in.Request.RequestURI = strings.ReplaceAll(path, "/", "//./")
			if found {
				in.Request.RequestURI += "?" + query
			}
			return true
		},
	}
	for _, p := range []rules.Profile{rules.Portable, rules.Coraza} {
		rs := corazaLoad(t, RulesConfig{Profiles: []rules.Profile{p}})
		for name, mutate := range mutations {
			n := 0
			for _, c := range corpusCases(t, reference.Path(t, "corpus", "attacks.jsonl")) {
				in, ok := c.input(t, false)
				if !ok || c.Layer != "rules" || c.Response != nil || (len(in.Body) == 0 && strings.Contains(name, "JSON")) || !mutate(&in) {
					continue
				}
				n++
				if v := rs.evaluate(in); !v.Denied || v.Err != nil {
					t.Errorf("%v, %s: %s passed: %s (%s)", p, name, c.ID, c.Why, in.Request.RequestURI)
				}
			}
			if n == 0 {
				t.Errorf("%s: no case", name)
			}
		}
	}
}

// Escapes alone are no reason to refuse.
func TestCorpusEscapedPasses(t *testing.T) {
	rs := corazaLoad(t, RulesConfig{})
	for _, c := range corpusCases(t, reference.Path(t, "corpus", "benign.jsonl")) {
		in, ok := c.input(t, true)
		if !ok || !in.MCP {
			continue
		}
		in.Body = []byte(escapeStrings(string(in.Body)))
		if v := rs.evaluate(in); v.Denied || v.Err != nil {
			t.Errorf("%s refused by %v: %s", c.ID, v.RuleIDs, c.Why)
		}
	}
}

// escapeStrings writes every other character inside the strings of a JSON text as \uXXXX (all of them would make methods too long).
func escapeStrings(s string) string {
	var b strings.Builder
	inside := false
	for i, n := 0, 0; i < len(s); n++ {
		switch {
		case s[i] == '"':
			inside = !inside
			b.WriteByte('"')
			i++
		case inside && s[i] == '\\':
			size := 2
			if s[i+1] == 'u' {
				size = 6
			}
			b.WriteString(s[i : i+size])
			i += size
		case inside && n%2 == 0 && s[i] < utf8.RuneSelf:
			b.WriteByte(s[i])
			i++
		case inside:
			r, _ := utf8.DecodeRuneInString(s[i:])
			for _, u := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04X`, u)
			}
			i += len(string(r))
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	return b.String()
}

// encodeLetters percent-encodes the letters that are not part of an escape.
func encodeLetters(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%' && i+2 < len(s):
			b.WriteString(s[i : i+3])
			i += 2
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			fmt.Fprintf(&b, "%%%02x", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
