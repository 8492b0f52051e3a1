package waf

import (
	"encoding/json"
	"regexp"

	"github.com/sallyport/sallyport/mcpmsg"
)

// responseFault is the code of the reason for which an answer is not passed on.
type responseFault string

// Error implements error.
func (f responseFault) Error() string { return "waf: the answer was not passed on: " + string(f) }

const (
	faultUnreadable   responseFault = "response_unreadable"
	faultHiddenText   responseFault = "response_hidden_text"
	faultInstructions responseFault = "response_instructions"
)

// instructions matches what poisoned tool descriptions use to talk past the user to the model: a block in tags that claim
// authority (in those that honest descriptions use, too, only if it speaks of secrets), an order to keep what is done from the
// user, an order to forget other orders.
//
// False positives: a description that quotes such an order in full. That a text is IMPORTANT, shows other tags, or says which
// data to show to the user, is none.
var instructions = regexp.MustCompile(`(?is)<\s*(?:system|secret|hidden|admin)\s*>.{16,}?<\s*/\s*(?:system|secret|hidden|admin)\s*>` +
	`|<\s*(?:important|critical|instructions?)\s*>.{0,1000}?(?:~[/\\]|\.ssh\b|id_rsa|\.env\b|mcp\.json|credential|password|secret|token|api[ _-]?key|sidenote|\b(?:ignore|disregard)\b)` +
	`|\b(?:do\s+not|don't|never|must\s+not|without)\s+(?:tell(?:ing)?|inform(?:ing)?|alert(?:ing)?)\s+(?:(?:this|it|that|anything)\s+)?(?:to\s+)?(?:the\s+|any\s+)?(?:user|human)\b` +
	`|\b(?:do\s+not|don't|never|must\s+not|without)\s+(?:mention(?:ing)?|reveal(?:ing)?|show(?:ing)?)\s+(?:this|it|that|anything)\s+to\s+(?:the\s+|any\s+)?(?:user|human)\b` +
	`|\b(?:ignore|disregard|forget)\s+(?:all\s+|any\s+)?(?:of\s+)?(?:the\s+|your\s+)?(?:previous|prior|earlier|above|other)\s+(?:instructions?|prompts?|rules|tools)\b`)

// poisoned looks for text in a list of tools, prompts or resources that is meant for the model and not for people. It returns
// nil, or why the list must not reach a model.
//
// Source: the class of tool poisoning and ASCII smuggling; a name or description has no honest use for either.
func poisoned(text []byte) error {
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
	if hasInstructions(answer) {
		return faultInstructions
	}
	return nil
}

// hasInstructions walks a decoded value, whose depth encoding/json bounds.
func hasInstructions(value any) bool {
	switch v := value.(type) {
	case string:
		return instructions.MatchString(v)
	case []any:
		for _, element := range v {
			if hasInstructions(element) {
				return true
			}
		}
	case map[string]any:
		for name, member := range v {
			if instructions.MatchString(name) || hasInstructions(member) {
				return true
			}
		}
	}
	return false
}
