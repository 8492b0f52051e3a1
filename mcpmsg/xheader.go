package mcpmsg

import "github.com/sallyport/sallyport/internal/jsonscan"

// maxHeaderMarks bounds the x-mcp-header marks of one tool: each becomes a header field of every call.
const maxHeaderMarks = 32

// badHeaderMark returns the index in the result of tools/list, b, of a tool whose x-mcp-header marks break a rule, or -1.
//
// Source: MCP 2026-07-28, Tools, x-mcp-header; the rules are those of paramHeaders.
func badHeaderMark(b Raw) int {
	for name, tools := range jsonscan.Members(b) {
		if !jsonscan.Equal(name, "tools") {
			continue
		}
		for i := jsonscan.Space(tools, 1); i < len(tools) && tools[i] != ']'; {
			end := jsonscan.Skip(tools, i)
			if !headerMarksHold(argument(tools[i:end], inputSchemaPath)) {
				return cap(b) - cap(tools) + i
			}
			if i = jsonscan.Space(tools, end); i < len(tools) && tools[i] == ',' {
				i = jsonscan.Space(tools, i+1)
			}
		}
	}
	return -1
}

var (
	inputSchemaPath = []string{"inputSchema"}
	typePath        = []string{"type"}
)

// headerMarksHold judges the marks of one input schema.
func headerMarksHold(schema Raw) bool {
	var seen [maxHeaderMarks]Raw
	marks := 0
	leaves := NewLeaves(schema)
	for leaves.Next() {
		if !leaves.Name().Is("x-mcp-header") {
			continue
		}
		switch leaves.placeOfMark() {
		case markElsewhere:
			return false
		case notAMark:
			continue
		}
		mark := leaves.Value()
		if mark.Kind() != RawString || !isFieldName(string(mark.body())) || marks == maxHeaderMarks || !hasMarkableType(leaves.parent(schema)) {
			return false
		}
		for _, other := range seen[:marks] {
			if equalFold(string(other.body()), string(mark.body())) {
				return false
			}
		}
		seen[marks] = mark
		marks++
	}
	return true
}

func hasMarkableType(property Raw) bool {
	t := argument(property, typePath)
	return t.Is("string") || t.Is("integer") || t.Is("boolean")
}

const (
	notAMark = iota // the name of a property, or data
	markReachable
	markElsewhere
)

// placeOfMark says what a member of a schema named x-mcp-header is, by the names of the members around it.
func (l *Leaves) placeOfMark() int {
	reachable, property := true, false // property: the next name is that of a property
	for d := 1; d < l.depth; d++ {
		at := l.level(d - 1)
		switch {
		case !at.object:
			reachable = false
		case property:
			property = false
		case at.name.Is("properties"):
			property = true
		case at.name.Is("const"), at.name.Is("enum"), at.name.Is("default"), at.name.Is("examples"):
			return notAMark
		default:
			reachable = false
		}
	}
	switch {
	case property:
		return notAMark
	case reachable && l.depth > 1:
		return markReachable
	}
	return markElsewhere
}

// parent returns the object or array around the leaf. root is the value that NewLeaves was given.
func (l *Leaves) parent(root Raw) Raw {
	for d := 1; d < l.depth; d++ {
		at := l.level(d - 1)
		for name, value := range jsonscan.Members(root) {
			if jsonscan.SameText(name, at.name.body()) {
				root = value
				break
			}
		}
	}
	return root
}
