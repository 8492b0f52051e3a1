package waf

import (
	"bytes"
	"cmp"
	"encoding/json"
	"iter"
	"net/http"

	"github.com/sallyport/sallyport/mcpmsg"
)

// maxDryRunEvents bounds the events about the lists of one answer.
const maxDryRunEvents = 100

// compareDryRun reports a message on which the lists to try out disagree with those in force, which refuse it with code, or
// allow it if that is "".
func (j *judgement) compareDryRun(m *mcpmsg.Message, code string) {
	if j.endpoint.dryRun == nil {
		return
	}
	dry, _ := j.endpoint.dryRun.refuses(j.identity.Name, m)
	if (dry == "") == (code == "") {
		return
	}
	action := ActionDryAllow
	if dry != "" {
		action = ActionDryDeny
	}
	j.report(action, &Denial{Layer: LayerPolicy, Code: cmp.Or(dry, code), Status: http.StatusForbidden})
}

// compareLists reports each tool and prompt in an answer that the lists to try out would hide and those in force show, or the other
// way round. Of resources, whose URIs are nobody's business, it reports that there is one. What can't be read is not compared.
func (j *judgement) compareLists(text []byte) {
	var answers []json.RawMessage
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		answers = []json.RawMessage{text}
	} else if json.Unmarshal(text, &answers) != nil {
		return
	}
	reported := make(map[dryRunFinding]bool)
	for _, answer := range answers {
		message, err := members(answer, "result")
		if err != nil || message["result"] == nil {
			continue
		}
		result, err := members(message["result"])
		if err != nil {
			continue
		}
		live, dry := j.endpoint.access.lists(), j.endpoint.dryRun.lists()
		for i, list := range live {
			for name := range names(result[list.name], list.key) {
				allowed := list.set.Allows(j.identity.Name, []byte(name))
				if allowed == dry[i].set.Allows(j.identity.Name, []byte(name)) {
					continue
				}
				f := dryRunFinding{ActionDryAllow, list.code, ""}
				if allowed {
					f.action = ActionDryDeny
				}
				if list.key == "name" {
					f.name = quoteText([]byte(name))
				}
				if !reported[f] && len(reported) < maxDryRunEvents {
					reported[f] = true
					j.report(f.action, &Denial{Layer: LayerPolicy, Code: f.code, Status: http.StatusForbidden, name: f.name})
				}
			}
		}
	}
}

// dryRunFinding is what one event about a list tells.
type dryRunFinding struct {
	action Action
	code   string
	name   string // of the tool or prompt
}

// names yields the names of the elements of a list that has them, and that are read by everybody in the same way.
func names(list json.RawMessage, key string) iter.Seq[string] {
	return func(yield func(string) bool) {
		var elements []json.RawMessage
		if json.Unmarshal(list, &elements) != nil {
			return
		}
		for _, element := range elements {
			var name string
			fields, err := members(element, key)
			if err == nil && json.Unmarshal(fields[key], &name) == nil && !yield(name) {
				return
			}
		}
	}
}
