package mcpmsg

import "github.com/sallyport/sallyport/internal/jsonscan"

// maxHeaderMarks bounds the x-mcp-header marks of one tool: each becomes a header field of every call.
const maxHeaderMarks = 32

// badHeaderMark returns the index in the result of tools/list, b, of a tool whose x-mcp-header marks break a rule, or -1.
//
// Source: MCP 2026-07-28, Tools, x-mcp-header; the rules are those of paramHeaders.
func badHeaderMark(b Raw) int {
	for tool := range jsonscan.Elements(argument(b, toolsPath)) {
		if !headerMarksHold(argument(tool, inputSchemaPath)) {
			return cap(b) - cap(tool)
		}
	}
	return -1
}

var (
	toolsPath       = []string{"tools"}
	inputSchemaPath = []string{"inputSchema"}
	typePath        = []string{"type"}
)

// headerMarksHold judges the marks of one input schema. It reads the schema once.
func headerMarksHold(schema Raw) bool {
	var seen [maxHeaderMarks]Raw
	marks, untyped := 0, 0
	leaves := NewLeaves(schema)
	for leaves.Next() {
		name := leaves.Name()
		switch {
		case name.Is("type"):
			at := leaves.top()
			if at.mark |= typed; isMarkable(leaves.Value()) {
				at.mark |= markable
			}
			if at.mark&marked != 0 { // the mark came first
				if untyped--; at.mark&markable == 0 {
					return false
				}
			}
			continue
		case !name.Is("x-mcp-header"):
			continue
		}
		switch leaves.placeOfMark() {
		case markElsewhere:
			return false
		case notAMark:
			continue
		}
		mark := leaves.Value()
		if mark.Kind() != RawString || !isFieldName(string(mark.body())) || marks == maxHeaderMarks {
			return false
		}
		for _, other := range seen[:marks] {
			if isField(string(other.body()), string(mark.body())) {
				return false
			}
		}
		seen[marks] = mark
		marks++
		at := leaves.top()
		if at.mark |= marked; at.mark&typed == 0 {
			untyped++
		} else if at.mark&markable == 0 {
			return false
		}
	}
	return untyped == 0
}

// What is known about an object of a schema.
const (
	marked   = 1 << iota // it has a mark
	typed                // it has a type
	markable             // of a kind that may have a mark
)

func isMarkable(t Raw) bool { return t.Is("string") || t.Is("integer") || t.Is("boolean") }

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
