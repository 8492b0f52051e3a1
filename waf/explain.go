package waf

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/policy"
	"github.com/sallyport/sallyport/mcpmsg"
)

// Explanation is what every layer says about one request, also after the first refusal. It holds no value of the request but
// the names that [Event] lists.
type Explanation struct {
	// Verdict is the refusal that the configuration carries out; its Layer is LayerNone if the request would be let through.
	Verdict Denial

	Endpoint     string // Path of the endpoint as configured; "" if the request is for none
	EndpointRule string // its place in Config.Endpoints, or in WellKnownEndpoints if that is nil, such as "endpoints[0]"
	Identity     Identity
	Message      string // method, if the protocol defines it, and name; "" if no message was read
	Layers       []LayerExplanation
}

// LayerExplanation is what one layer says.
type LayerExplanation struct {
	Layer    Layer
	Skipped  string    // why it had nothing to judge; "" if it judged
	Findings []Finding // reasons to refuse; none if the request passes
	Rule     string    // what allowed it (of a batch, its last message), such as "endpoints[0].tools[1].allow[0]"; "" if no rule did
	RuleIDs  []int     // rules that matched, of LayerRules
}

// Finding is one reason to refuse a request.
type Finding struct {
	Code     string
	Status   int    // HTTP status of the refusal
	Rule     string // setting that decided, such as "endpoints[0].tools[1].deny[0]", or the list of which no rule allows it
	Enforced bool   // false if the request would be let through nevertheless, and the finding reported
}

// Explain judges a request as [Guard.Check] does, with every layer going on where it would refuse, and says why. There are
// no events, the [Limiter] is not asked and nothing is counted; the Authenticate hook is asked. Explain reads the body of r and
// changes nothing else; the request can't be served afterwards. It may be called concurrently.
func (g *Guard) Explain(r *http.Request) Explanation {
	j := &judgement{r: r.Clone(r.Context()), load: new(load), findings: new([]Denial)}
	defer j.end()
	if !g.hold(j) {
		return Explanation{Verdict: *j.denial}
	}
	defer j.letGo()
	trial := *j.s
	trial.limiter = nil
	j.s = &trial
	j.run()
	return j.explain()
}

// explain sums up what the steps found.
func (j *judgement) explain() Explanation {
	e := Explanation{Identity: j.identity}
	prefix := ""
	if j.endpoint != nil {
		e.Endpoint, e.EndpointRule = j.endpoint.Path, configField("endpoints", j.endpoint.index)
		prefix = e.EndpointRule + "."
	}
	if m := j.message; m != nil {
		e.Message = "message of another kind"
		if m.Method != 0 {
			e.Message = m.Method.String()
		}
		if m.Kind == mcpmsg.Batch {
			e.Message = "batch"
		}
		e.Message = strings.TrimSpace(e.Message + " " + quoteName(m.Name))
	}
	for layer := LayerValidate; layer < LayerResponse; layer++ {
		l := LayerExplanation{Layer: layer, Skipped: j.skipped(layer)}
		for _, d := range *j.findings {
			if d.Layer != layer {
				continue
			}
			reported := d.Code == codeExposed && !j.s.strictDiscovery
			f := Finding{Code: d.Code, Status: d.Status, Enforced: j.modeOf(&d) == Enforce && !reported, Rule: d.by.path(prefix)}
			if l.Findings = append(l.Findings, f); f.Enforced && e.Verdict.Layer == LayerNone {
				e.Verdict = d
				e.Verdict.RPCID = slices.Clone(d.RPCID) // the body's buffer serves others soon
			}
		}
		switch {
		case len(l.Findings) > 0:
			l.Skipped = ""
		case layer == LayerPolicy && l.Skipped == "":
			l.Rule = j.allowedBy.path(prefix)
		}
		if layer == LayerRules {
			l.RuleIDs = j.event.RuleIDs
		}
		e.Layers = append(e.Layers, l)
	}
	return e
}

// path returns where in the policy the rule stands that decided, the list if no rule of it did, or "" if there is none.
func (a *accessDecision) path(prefix string) string {
	if a.list == "" || a.Reason == policy.NoRules {
		return ""
	}
	path := prefix + a.list + a.Path()
	if a.part != "" {
		path += "." + a.part
	}
	return path
}

// isStopped reports whether the way of a request that is only explained would have ended already.
func (j *judgement) isStopped() bool {
	return j.findings != nil && slices.ContainsFunc(*j.findings, func(d Denial) bool { return j.modeOf(&d) == Enforce })
}

// skipped says why a layer had nothing to judge, or "".
func (j *judgement) skipped(layer Layer) string {
	switch layer {
	case LayerTransport, LayerIdentity, LayerMessage, LayerPolicy:
		if j.endpoint == nil {
			return "the request is for no endpoint"
		}
	}
	switch {
	case layer == LayerIdentity && j.preflight:
		return "a CORS preflight carries no credentials"
	case layer == LayerBody && (j.r.Body == nil || j.r.Body == http.NoBody):
		return "there is no body"
	case (layer == LayerMessage || layer == LayerPolicy) && j.message == nil:
		return "no message was read"
	case layer == LayerRules && j.s.rules == nil:
		return "no rules are loaded"
	}
	return ""
}

// String returns the explanation as lines of text, each of them with a label. The form may change.
func (e Explanation) String() string {
	var b strings.Builder
	line := func(label, text string) { fmt.Fprintf(&b, "%-11s%s\n", label, text) }
	verdict := "let through"
	if d := &e.Verdict; d.Layer != LayerNone {
		verdict = fmt.Sprintf("refused by %v: %d %s", d.Layer, d.Status, d.Code)
	}
	line("verdict", verdict)
	line("path", cmp.Or(withDetail(e.Endpoint, e.EndpointRule), "no endpoint"))
	line("caller", cmp.Or(withDetail(e.Identity.Name, e.Identity.Method), "not known"))
	line("message", cmp.Or(e.Message, "none"))
	for _, l := range e.Layers {
		for _, f := range l.Findings {
			text := fmt.Sprintf("refuses: %d %s", f.Status, f.Code)
			if !f.Enforced {
				text = fmt.Sprintf("reports: %d %s", f.Status, f.Code)
			}
			line(l.Layer.String(), withRule(text, f.Rule))
		}
		switch {
		case l.Skipped != "":
			line(l.Layer.String(), "not judged: "+l.Skipped)
		case len(l.Findings) == 0:
			line(l.Layer.String(), withRule("passes", l.Rule))
		}
		if len(l.RuleIDs) > 0 {
			line("", fmt.Sprintf("rules that matched: %d", l.RuleIDs))
		}
	}
	return b.String()
}

func withDetail(text, detail string) string {
	if detail == "" {
		return text
	}
	return text + " (" + detail + ")"
}

func withRule(text, rule string) string {
	if rule == "" {
		return text
	}
	return text + ", by " + rule
}
