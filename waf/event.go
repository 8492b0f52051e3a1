package waf

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/mcpmsg"
)

// Action says what became of a request.
type Action uint8

// The actions.
const (
	ActionAllow    Action = iota // let through
	ActionDeny                   // refused
	ActionDetect                 // would have been refused, but the layer only detects; a further event tells the outcome
	ActionDryDeny                // Endpoint.DryRun refuses, or takes from a list, what the policy in force does not
	ActionDryAllow               // Endpoint.DryRun allows, or leaves in a list, what the policy in force does not
)

var actionText = [...]string{"allow", "deny", "detect", "dry-deny", "dry-allow"}

// String returns "allow", "deny", "detect", "dry-deny" or "dry-allow".
func (a Action) String() string {
	if int(a) >= len(actionText) {
		return "unknown"
	}
	return actionText[a]
}

// Event describes one decision. Every request gets exactly one event whose Action is ActionAllow or ActionDeny and whose
// Layer is not LayerResponse; before it, each finding of a layer that only detects is an event of its own, and so is each
// message on which Endpoint.DryRun disagrees; after it, each element of an answered list on which it disagrees, and each answer or
// event of a stream that LayerResponse withheld. No field holds a value of the request except Tool
// and Identity, which are names, and what [LogValues] names; Tool is quoted to ASCII and cut at 128 bytes.
type Event struct {
	Time      time.Time
	RequestID string // random, made by the Guard, the same in all events of a request; see [Guard.Wrap]
	Action    Action
	Layer     Layer  // the layer that refused; LayerNone if none did
	Code      string // stable id of the reason, such as "header_duplicate"; "" if allowed
	Status    int    // HTTP status of the refusal; 0 if allowed
	RuleIDs   []int  // rules that matched, at most 16
	Endpoint  string // Path of the endpoint as configured; "" elsewhere
	Method    string // MCP method if the protocol defines it, else ""
	Tool      string // name of the tool, prompt or task
	Identity  string // name of the caller; "" if not known

	// Headers and Arguments are the values that Config.LogValues names, redacted. Fields that the request does not have are left out,
	// and so are the arguments of a batch and of a message that was refused before it was read.
	Headers   []LoggedValue
	Arguments []LoggedValue

	Total     time.Duration // from the first check to the decision, without reading the body
	ReadBody  time.Duration // reading the body, which is the client's and the network's time
	Message   time.Duration // parsing and checking the message
	RulesTime time.Duration // the rules

	took [len(layerText)]time.Duration
}

// Took returns the time that a layer took until the decision, among it what hooks and the Limiter took; 0 if it was not reached, and for
// LayerResponse, which comes after it.
func (e Event) Took(l Layer) time.Duration {
	if int(l) >= len(e.took) {
		return 0
	}
	return e.took[l]
}

// LogValue implements [slog.LogValuer]. The names of the attributes are stable; those that would be empty are left out:
//
//	request_id                            RequestID
//	action                                Action
//	layer, code, status                   Layer, Code, Status; left out if no layer refused
//	rule_ids                              RuleIDs, an array
//	endpoint, method, tool, identity      the fields of these names
//	headers, arguments                    groups, with an attribute for each value that LogValues names
//	total, read_body, message, rules      Total, ReadBody, Message, RulesTime; durations, in JSON as nanoseconds
//
// The time is not among them: it is that of the record.
func (e Event) LogValue() slog.Value {
	attrs := make([]slog.Attr, 0, 16)
	if e.RequestID != "" {
		attrs = append(attrs, slog.String("request_id", e.RequestID))
	}
	attrs = append(attrs, slog.String("action", e.Action.String()))
	if e.Layer != LayerNone {
		attrs = append(attrs, slog.String("layer", e.Layer.String()), slog.String("code", e.Code), slog.Int("status", e.Status))
	}
	if len(e.RuleIDs) > 0 {
		attrs = append(attrs, slog.Any("rule_ids", e.RuleIDs))
	}
	for _, s := range [...]struct{ key, value string }{
		{"endpoint", e.Endpoint}, {"method", e.Method}, {"tool", e.Tool}, {"identity", e.Identity},
	} {
		if s.value != "" {
			attrs = append(attrs, slog.String(s.key, s.value))
		}
	}
	for _, g := range [...]struct {
		key    string
		values []LoggedValue
	}{{"headers", e.Headers}, {"arguments", e.Arguments}} {
		if len(g.values) == 0 {
			continue
		}
		group := make([]slog.Attr, len(g.values))
		for i, v := range g.values {
			group[i] = slog.String(v.Name, v.Value)
		}
		attrs = append(attrs, slog.Attr{Key: g.key, Value: slog.GroupValue(group...)})
	}
	for _, d := range [...]struct {
		key   string
		value time.Duration
	}{{"total", e.Total}, {"read_body", e.ReadBody}, {"message", e.Message}, {"rules", e.RulesTime}} {
		if d.value > 0 {
			attrs = append(attrs, slog.Duration(d.key, d.value))
		}
	}
	return slog.GroupValue(attrs...)
}

// maxToolBytes bounds Event.Tool.
const maxToolBytes = 128

// quoteName returns the decoded name in visible ASCII, cut to maxToolBytes: the client chose it, and it goes into logs.
func quoteName(name mcpmsg.Raw) string {
	var scratch [maxToolBytes]byte
	return quoteText(name.AppendText(scratch[:0]))
}

// quoteText is quoteName for a decoded name.
func quoteText(text []byte) string {
	cut := text[:min(len(text), maxToolBytes)]
	for _, c := range cut {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			quoted := strconv.QuoteToASCII(string(cut))
			return quoted[1:min(len(quoted)-1, 1+maxToolBytes)]
		}
	}
	return string(cut)
}
