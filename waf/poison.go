package waf

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/validate"
)

// responseFault is the code of the reason for which an answer is not passed on.
type responseFault string

// Error implements error.
func (f responseFault) Error() string { return "waf: the answer was not passed on: " + string(f) }

const (
	faultUnreadable   responseFault = "response_unreadable"
	faultHiddenText   responseFault = "response_hidden_text"
	faultInstructions responseFault = "response_instructions"
	faultHeaderMark   responseFault = "response_header_mark"
)

// inspectDescriptions looks for text in a list of tools, prompts or resources that is meant for the model and not for people,
// and for marks that would put a tool's arguments into other header fields than a client expects. It returns nil, or why the
// answer must not reach a model. An answer with a repeated member must not: another reader may see the other text.
//
// Source: the class of tool poisoning and ASCII smuggling; a name or description has no honest use for either. MCP 2026-07-28,
// Tools, x-mcp-header: a token, and once in a schema.
func inspectDescriptions(text []byte) error {
	var answer any
	if json.Unmarshal(text, &answer) != nil {
		return faultUnreadable
	}
	if message, ok := answer.(map[string]any); ok && message["result"] == nil {
		_, err := members(text, "result") // an error, or something on the way to the list, unless another reader finds a result
		return err
	}
	if mcpmsg.Raw(text).HasHiddenText() {
		return faultHiddenText
	}
	if repeatsMember(json.NewDecoder(bytes.NewReader(text))) {
		return faultUnreadable
	}
	if hasTwins(answer) {
		return faultUnreadable
	}
	return inspectValue(answer, nil)
}

// hasTwins reports whether something in one of the lists of an answer has two members that differ in case only, so that readers
// take the one or the other for its description.
func hasTwins(answer any) bool {
	if batch, ok := answer.([]any); ok {
		return slices.ContainsFunc(batch, hasTwins)
	}
	message, _ := answer.(map[string]any)
	result, _ := message["result"].(map[string]any)
	for _, name := range [...]string{"tools", "prompts", "resources", "resourceTemplates"} {
		list, _ := result[name].([]any)
		for _, element := range list {
			seen := make(map[string]bool)
			object, _ := element.(map[string]any)
			for member := range object {
				if folded := strings.ToLower(member); seen[folded] {
					return true
				} else {
					seen[folded] = true
				}
			}
		}
	}
	return false
}

// repeatsMember reports whether an object in the next value, which is known to be valid, has a member twice.
func repeatsMember(d *json.Decoder) bool {
	token, err := d.Token()
	if err != nil {
		return true
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return false
	}
	seen := make(map[json.Token]bool)
	for d.More() {
		if delim == '{' {
			name, err := d.Token()
			if err != nil || seen[name] {
				return true
			}
			seen[name] = true
		}
		if repeatsMember(d) {
			return true
		}
	}
	_, err = d.Token() // the end
	return err != nil
}

// inspectValue walks a decoded value, whose depth encoding/json bounds. marks are the header fields that the schema around the
// value asks for, as foldMark makes them.
func inspectValue(value any, marks map[string]bool) error {
	switch v := value.(type) {
	case string:
		if speaksPastUser(v) {
			return faultInstructions
		}
	case []any:
		for _, element := range v {
			if err := inspectValue(element, marks); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, member := range v {
			if speaksPastUser(name) {
				return faultInstructions
			}
			inside := marks
			switch name {
			case "inputSchema":
				inside = make(map[string]bool)
			case "x-mcp-header":
				mark, ok := member.(string)
				if mark = foldMark(mark); !ok || !validate.FieldName(mark).OK() || marks[mark] {
					return faultHeaderMark
				}
				if marks != nil {
					marks[mark] = true
				}
			}
			if err := inspectValue(member, inside); err != nil {
				return err
			}
		}
	}
	return nil
}

// foldMark makes those marks equal whose header fields are one field to some servers: CGI and its heirs read "-" as "_".
func foldMark(mark string) string { return strings.ReplaceAll(strings.ToLower(mark), "_", "-") }
