package waf

import (
	"slices"
	"testing"

	"github.com/corazawaf/coraza/v3"

	"github.com/sallyport/sallyport/rules"
	"github.com/sallyport/sallyport/waf/corazamcp"
)

// answerEngine is Coraza without Guard, told to look at answers.
func answerEngine(t *testing.T, p rules.Profile) coraza.WAF {
	t.Helper()
	corazamcp.Register()
	w, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(rules.FS()).WithDirectives("SecRuleEngine On\nSecAuditEngine Off\nSecRequestBodyAccess On\n" +
		"SecResponseBodyAccess On\nSecResponseBodyMimeType application/json\n" + rules.Directives(p)))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// answeredBy sends a request and its answer through and returns the rule that refused it, 0 for none.
func answeredBy(t *testing.T, w coraza.WAF, in ruleInput, mediaType, text string) int {
	t.Helper()
	tx := w.NewTransaction()
	defer func() {
		if err := tx.Close(); err != nil {
			t.Error(err)
		}
	}()
	tx.ProcessURI(in.Request.RequestURI, in.Request.Method, "HTTP/1.1")
	corazaHeaders(in.Request, tx.AddRequestHeader)
	if it := tx.ProcessRequestHeaders(); it != nil {
		return it.RuleID
	}
	if _, _, err := tx.WriteRequestBody(in.Body); err != nil {
		t.Fatal(err)
	}
	if it, err := tx.ProcessRequestBody(); it != nil || err != nil {
		t.Fatalf("the request is refused: %+v %v", it, err)
	}
	tx.AddResponseHeader("Content-Type", mediaType)
	tx.ProcessResponseHeaders(200, "HTTP/1.1")
	if tx.IsResponseBodyProcessable() {
		if _, _, err := tx.WriteResponseBody([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	it, err := tx.ProcessResponseBody()
	if err != nil {
		t.Fatal(err)
	}
	if it == nil {
		return 0
	}
	return it.RuleID
}

// The rules of phase 4 in a Coraza without Guard. Streams are not held up for them.
func TestAnswerRules(t *testing.T) {
	for _, p := range []rules.Profile{rules.Portable, rules.Coraza} {
		w := answerEngine(t, p)
		n := 0
		for _, c := range ruleCases(t) {
			if c.Answer == "" {
				continue
			}
			n++
			in := c.input(t)
			got, want := answeredBy(t, w, in, "application/json", c.Answer), c.Rule
			if c.Case == "negative" {
				want = 0
			}
			if got != want {
				t.Errorf("%v: %d %s: %s refused by %d, want %d", p, c.Rule, c.Case, c.Answer, got, want)
			}
			if got := answeredBy(t, w, in, "text/event-stream", "data: "+c.Answer+"\n\n"); got != 0 {
				t.Errorf("%v: a stream is looked at by %d", p, got)
			}
		}
		if n == 0 {
			t.Error("no cases")
		}
	}
}

// In a Guard, which reads answers itself, these rules are loaded and never run: the engine has no answer to hold.
func TestAnswerRulesAreIdle(t *testing.T) {
	rs := corazaLoad(t, RulesConfig{})
	if !slices.Contains(rs.IDs(), 9599910) {
		t.Error("rule 9599910 is not loaded")
	}
	tx := rs.waf.NewTransaction()
	tx.AddResponseHeader("Content-Type", "application/json")
	if tx.IsResponseBodyAccessible() {
		t.Error("the engine has access to answers")
	}
	if err := tx.Close(); err != nil {
		t.Error(err)
	}
}
