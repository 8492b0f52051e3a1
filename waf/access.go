package waf

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/sallyport/sallyport/internal/policy"
	"github.com/sallyport/sallyport/mcpmsg"
)

// access decides what a caller may use on one endpoint. It is immutable.
type access struct {
	methods, tools, prompts, resources *policy.Set

	arguments []*argumentRules // of each rule for tools; nil where it has no conditions
}

// compile compiles the four lists, of which it keeps nothing. messages are the bounds of messages.
func (a *access) compile(field string, lists AccessLists, messages mcpmsg.Config) (errs []error) {
	for _, list := range [...]struct {
		name    string
		rules   []AccessRule
		set     **policy.Set
		compile func([]policy.Rule) (*policy.Set, error)
	}{
		{"Methods", lists.Methods, &a.methods, policy.Compile},
		{"Tools", lists.Tools, &a.tools, policy.Compile},
		{"Prompts", lists.Prompts, &a.prompts, policy.Compile},
		{"Resources", lists.Resources, &a.resources, policy.CompileURIs},
	} {
		var rules []policy.Rule
		if list.rules != nil {
			rules = make([]policy.Rule, len(list.rules))
		}
		for i, r := range list.rules {
			rules[i] = policy.Rule{Identity: r.Identity, Allow: r.Allow, Deny: r.Deny}
			at := configField(field+"."+list.name, i)
			switch {
			case list.set == &a.tools:
				arguments, more := compileArguments(at, r, messages)
				errs = append(errs, more...)
				a.arguments = append(a.arguments, arguments)
				rules[i].Conditional = arguments != nil
			case r.Arguments != nil:
				errs = append(errs, configErrorf(at+".Arguments", "only Tools have arguments that rules can judge"))
			case r.ArgumentSchema != nil:
				errs = append(errs, configErrorf(at+".ArgumentSchema", "only Tools have arguments that rules can judge"))
			}
		}
		set, err := list.compile(rules)
		if err != nil {
			errs = append(errs, &ConfigError{Field: field + "." + list.name, Problem: err.Error(), cause: err})
		}
		*list.set = set
	}
	return errs
}

// checkPolicy is step 6: may this caller use this method, this tool, this prompt, this resource? A message that could not be read, and
// goes on because its layer only detects, may be a use of any of them.
func (j *judgement) checkPolicy() *Denial {
	switch {
	case j.endpoint == nil, j.endpoint.open() && j.endpoint.dryRun == nil:
		return nil
	case j.message != nil:
	case !j.mayBringMessage(), j.endpoint.open(), j.isStopped():
		return nil
	default:
		return &Denial{Layer: LayerPolicy, Code: "message_unread", Status: http.StatusForbidden}
	}
	for m := range j.message.Each() {
		code, by := j.endpoint.refuses(j.identity.Name, &m)
		j.compareDryRun(&m, code)
		if code != "" {
			return &Denial{Layer: LayerPolicy, Code: code, Status: http.StatusForbidden, RPCID: j.message.ID, by: by}
		}
		j.allowedBy = by
	}
	return nil
}

// open reports whether every caller may use everything.
func (a *access) open() bool { return a.methods.Open() && !a.restricted() }

// accessDecision is a decision and the list that it was made by, such as "tools"; "" if no list was asked.
type accessDecision struct {
	list string
	policy.Decision
	part string // of the rule, where its conditions decided: "arguments" or "argument_schema"
}

// refuses returns the code for what the caller may not use in a message, or "", and the last decision, which is the one
// that decided.
func (a *access) refuses(identity string, m *mcpmsg.Message) (code string, by accessDecision) {
	if m.MethodText == nil {
		return "", by // an answer to the server
	}
	var scratch [128]byte
	if !isHandshake(m) {
		by = accessDecision{list: "methods", Decision: a.methods.Decide(identity, m.MethodText.AppendText(scratch[:0]))}
		if !by.Allows() {
			return "mcp_method_not_allowed", by
		}
	}
	switch m.Method {
	case mcpmsg.MethodToolsCall:
		name := m.Name.AppendText(scratch[:0])
		by = accessDecision{list: "tools", Decision: a.tools.Decide(identity, name)}
		if code = "tool_not_allowed"; by.Allows() {
			if unmet, ok := a.unmetArguments(identity, name, m.Arguments); !ok {
				return "argument_not_allowed", unmet
			}
		}
	case mcpmsg.MethodPromptsGet:
		by = accessDecision{list: "prompts", Decision: a.prompts.Decide(identity, m.Name.AppendText(scratch[:0]))}
		code = "prompt_not_allowed"
	case mcpmsg.MethodResourcesRead, mcpmsg.MethodResourcesSubscribe, mcpmsg.MethodResourcesUnsubscribe:
		by = accessDecision{list: "resources", Decision: a.resources.Decide(identity, m.URI.AppendText(scratch[:0]))}
		code = "resource_not_allowed"
	case mcpmsg.MethodSubscriptionsListen:
		by = a.decideSubscriptions(identity, m, by)
		code = "resource_not_allowed"
	case mcpmsg.MethodCompletionComplete:
		code, by = a.decideCompletion(identity, m, by)
	}
	if code == "" || by.Allows() {
		return "", by
	}
	return code, by
}

// unmetArguments returns the rule for tools whose conditions a call does not meet; ok if there is none.
func (a *access) unmetArguments(identity string, name []byte, arguments mcpmsg.Raw) (by accessDecision, ok bool) {
	var call argumentCall // made when the first rule asks for it
	d, unmet := a.tools.Unmet(identity, name, func(rule int) bool {
		if call == nil {
			call = newArgumentCall(arguments)
		}
		by.part = a.arguments[rule].unmet(call)
		return by.part == ""
	})
	if !unmet {
		return accessDecision{}, true
	}
	by.list, by.Decision = "tools", d
	return by, false
}

// decideSubscriptions looks at the resources that a stream of notifications is to tell about, all of which must be allowed.
//
// Source: MCP 2026-07-28, Subscriptions: resourceSubscriptions stand for resources/subscribe.
func (a *access) decideSubscriptions(identity string, m *mcpmsg.Message, by accessDecision) accessDecision {
	if a.resources.Open() {
		return by
	}
	var params struct {
		Notifications struct {
			ResourceSubscriptions []string `json:"resourceSubscriptions"`
		} `json:"notifications"`
	}
	if err := json.Unmarshal(m.Params, &params); err != nil {
		return accessDecision{list: "resources", Decision: policy.Decision{Reason: policy.Unreadable}}
	}
	for _, uri := range params.Notifications.ResourceSubscriptions {
		if by = (accessDecision{list: "resources", Decision: a.resources.Decide(identity, []byte(uri))}); !by.Allows() {
			break
		}
	}
	return by
}

// decideCompletion looks at what a completion is for: it tells the values that a prompt or a resource template takes. It
// returns the code that a refusal has.
func (a *access) decideCompletion(identity string, m *mcpmsg.Message, by accessDecision) (string, accessDecision) {
	if a.prompts.Open() && a.resources.Open() {
		return "", by
	}
	var params struct {
		Ref struct {
			Type, Name, URI string
		} `json:"ref"`
	}
	if err := json.Unmarshal(m.Params, &params); err != nil {
		return "prompt_not_allowed", accessDecision{list: "prompts", Decision: policy.Decision{Reason: policy.Unreadable}}
	}
	if params.Ref.Type == "ref/prompt" {
		return "prompt_not_allowed", accessDecision{list: "prompts", Decision: a.prompts.Decide(identity, []byte(params.Ref.Name))}
	}
	return "resource_not_allowed", accessDecision{list: "resources", Decision: a.resources.Decide(identity, []byte(params.Ref.URI))}
}

// isHandshake reports whether a message only opens, keeps or announces, which every caller may.
func isHandshake(m *mcpmsg.Message) bool {
	switch m.Method {
	case mcpmsg.MethodInitialize, mcpmsg.MethodServerDiscover, mcpmsg.MethodPing:
		return true
	}
	return m.Kind == mcpmsg.Notification && strings.HasPrefix(m.Method.String(), "notifications/")
}
