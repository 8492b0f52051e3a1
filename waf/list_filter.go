package waf

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/policy"
	"github.com/sallyport/sallyport/mcpmsg"
)

// needsListFilter reports whether the answer to this request may hold a list from which something must be taken, or a
// description that must be looked at. The stream of a GET may: it carries the answers of the HTTP+SSE transport, and those that
// a client missed. So may that of subscriptions/listen, which lasts while lists are asked for, to clients that go by ids alone.
func (j *judgement) needsListFilter() bool {
	if j.message == nil {
		return j.r.Method == http.MethodGet && (j.endpoint.restricted() || !j.s.keepPoisoned)
	}
	if j.message.Kind != mcpmsg.Batch {
		return j.asksForList(j.message.Method)
	}
	for m := range j.message.Each() {
		if j.asksForList(m.Method) {
			return true
		}
	}
	return false
}

// asksForList is needsListFilter for a message of that method.
func (j *judgement) asksForList(method mcpmsg.Method) bool {
	switch method {
	case mcpmsg.MethodInitialize, mcpmsg.MethodServerDiscover:
		return !j.s.keepPoisoned
	case mcpmsg.MethodToolsList, mcpmsg.MethodPromptsList, mcpmsg.MethodResourcesList, mcpmsg.MethodResourcesTemplatesList,
		mcpmsg.MethodSubscriptionsListen:
		return j.endpoint.restricted() || !j.s.keepPoisoned
	}
	return false
}

// restricted reports whether there is anything that some caller may not see.
func (a *access) restricted() bool {
	return !a.tools.Open() || !a.prompts.Open() || !a.resources.Open()
}

// accessList is a kind of list that servers answer with.
type accessList struct {
	name string // of the member of the result
	key  string // of the member by which rules know an element
	code string // of the refusal of an element
	set  *policy.Set
}

func (a *access) lists() [4]accessList {
	return [...]accessList{
		{"tools", "name", "tool_not_allowed", a.tools},
		{"prompts", "name", "prompt_not_allowed", a.prompts},
		{"resources", "uri", "resource_not_allowed", a.resources},
		{"resourceTemplates", "uriTemplate", "resource_not_allowed", a.resources},
	}
}

// filterLists returns the JSON-RPC text of an answer without the tools, prompts and resources that the caller may not use, and
// a fault if the rest is poisoned. Where something is restricted it writes every answer anew, from what it has read itself, so
// that the client can't read another list than this one did.
func (j *judgement) filterLists(text []byte) ([]byte, error) {
	if j.endpoint.dryRun != nil {
		j.compareLists(text)
	}
	if j.endpoint.restricted() {
		var err error
		if text, err = j.filterMessages(bytes.TrimSpace(text)); err != nil {
			return nil, err
		}
	}
	if !j.s.keepPoisoned && (j.message != nil || describes(text)) {
		if err := inspectDescriptions(text); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// describes reports whether a message on a stream is an answer that describes what a server offers. One that can't be read
// does, to be on the safe side.
func describes(text []byte) bool {
	message, err := members(text, "result")
	if err != nil {
		return true
	}
	if message["result"] == nil {
		return false
	}
	names := []string{"tools", "prompts", "resources", "resourceTemplates", "instructions"}
	result, err := members(message["result"], names...)
	return err != nil || slices.ContainsFunc(names, func(name string) bool { return result[name] != nil })
}

// filterMessages filters one message, or a batch.
func (j *judgement) filterMessages(text []byte) ([]byte, error) {
	if !bytes.HasPrefix(text, []byte("[")) {
		return j.filterAnswer(text)
	}
	var batch []json.RawMessage
	if err := json.Unmarshal(text, &batch); err != nil {
		return nil, faultUnreadable
	}
	for i := range batch {
		var err error
		if batch[i], err = j.filterAnswer(batch[i]); err != nil {
			return nil, err
		}
	}
	return marshal(batch)
}

// filterAnswer filters one message. A message without a result passes as it is: it is no answer, or an error.
func (j *judgement) filterAnswer(text []byte) ([]byte, error) {
	message, err := members(text, "result")
	if err != nil || message["result"] == nil {
		return text, err
	}
	result, err := members(message["result"], "tools", "prompts", "resources", "resourceTemplates")
	if err != nil {
		return nil, err
	}
	for _, list := range j.endpoint.access.lists() {
		if list.set.Open() || result[list.name] == nil {
			continue
		}
		if result[list.name], err = j.filterList(result[list.name], list.key, list.set); err != nil {
			return nil, err
		}
	}
	if message["result"], err = marshal(result); err != nil {
		return nil, err
	}
	return marshal(message)
}

// filterList returns a list without the elements that set does not allow the caller, and without those that it can't read.
func (j *judgement) filterList(text []byte, key string, set *policy.Set) (json.RawMessage, error) {
	var elements []json.RawMessage
	if json.Unmarshal(text, &elements) != nil {
		return nil, faultUnreadable
	}
	kept := elements[:0]
	for _, element := range elements {
		fields, err := members(element, key)
		if err != nil {
			continue
		}
		var name string
		if json.Unmarshal(fields[key], &name) != nil || !set.Allows(j.identity.Name, []byte(name)) {
			continue
		}
		if element, err = marshal(fields); err != nil {
			return nil, err
		}
		kept = append(kept, element)
	}
	return marshal(kept)
}

// members decodes an object. It refuses one that has a member which a reader that folds case takes for one of names.
func members(text []byte, names ...string) (map[string]json.RawMessage, error) {
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil || object == nil {
		return nil, faultUnreadable
	}
	for member := range object {
		for _, name := range names {
			if member != name && strings.EqualFold(strings.TrimRight(member, "\x00"), name) {
				return nil, faultUnreadable
			}
		}
	}
	return object, nil
}

// marshal writes v as JSON without a line end and without escaping for HTML.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
