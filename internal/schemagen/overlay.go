package main

import (
	"strings"

	"github.com/sallyport/sallyport/internal/schema"
)

// Marks of members that mcpmsg wants to see. They are written to the generated file under these names.
const (
	capParams = iota + 1
	capResult
	capError
	capName
	capURI
	capArguments
	capMeta
	capTask
	capID
	capResultType
	capInputs
	capRootMark

	// mcpmsg must look at these as soon as they end.
	capMethod = iota + schema.FirstTold - 12
	capVersion
	capCode
)

var capNames = []string{
	capID: "capID", capMethod: "capMethod", capParams: "capParams", capResult: "capResult", capError: "capError", capName: "capName",
	capURI: "capURI", capArguments: "capArguments", capMeta: "capMeta", capVersion: "capVersion", capCode: "capCode", capTask: "capTask",
	capResultType: "capResultType", capInputs: "capInputs", capRootMark: "capRootMark",
}

// envelope is the outermost object of every message. Which members go together is decided by mcpmsg.
var envelope = object{
	"type": "object",
	"properties": object{
		"jsonrpc": object{"const": "2.0"},
		"id":      object{"type": []any{"string", "integer"}, "x-strict": true},
		"method":  object{"type": "string"},
		"params":  object{},
		"result":  object{},
		"error":   object{},
	},
	"required": []any{"jsonrpc"},
	"x-cap":    object{"id": capID, "method": capMethod},
	"x-enter":  object{"params": capParams, "result": capResult, "error": capError},
}

// captures marks what mcpmsg takes from the params of a message.
func captures(row methodRow) object {
	members := object{}
	if row.notification {
		return object{"x-cap": object{"_meta": capMeta}, "properties": object{"_meta": object{}}}
	}
	marks := object{"_meta": capMeta}
	switch row.name {
	case "tools/call", "prompts/get":
		members["name"] = object{"x-format": "name"}
		marks["name"], marks["arguments"] = capName, capArguments
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		marks["uri"] = capURI
		members["uri"] = object{"x-format": "visible"}
	case "tasks/get", "tasks/result", "tasks/cancel", "": // methods that only a configuration knows may be about tasks
		marks["taskId"] = capTask
		members["taskId"] = object{}
	}
	if strings.HasSuffix(row.name, "/list") {
		members["cursor"] = object{"x-format": "cursor"}
	}
	members["_meta"] = object{
		"properties": object{"io.modelcontextprotocol/protocolVersion": object{}},
		"x-cap":      object{"io.modelcontextprotocol/protocolVersion": capVersion},
	}
	return object{"properties": members, "x-cap": marks}
}

// overlay adds to the definitions what the text of the protocol says beside the schema file, and what schema.ts says
// where the schema file was generated too narrow.
func (d *document) overlay() {
	for _, def := range d.defs {
		d.visit(def)
	}
	if d.number == 5 {
		// schema.ts: any JSON value. The generator left out null and fractions.
		d.defs["JSONValue"].(object)["anyOf"].([]any)[2].(object)["x-types"] = []any{"number", "null"}
		required := d.defs["InputRequiredResult"].(object)
		required["x-any"] = []any{"inputRequests", "requestState"}
		required["x-cap"] = object{"inputRequests": capInputs}
		// The official conformance suite sends null where it has no responses, and servers take it.
		d.defs["InputResponses"].(object)["x-types"] = []any{"null"}
	}
	if elicit, ok := d.defs["ElicitResult"].(object); ok {
		// schema.ts: a number. The generator wrote integer.
		values := elicit["properties"].(object)["content"].(object)["additionalProperties"].(object)
		if list, ok := values["anyOf"].([]any); ok {
			values = list[1].(object)
		}
		values["x-types"] = []any{"number"}
	}
	if d.number == 4 {
		// tasks.mdx: the answer to a request is its result or a task. Readers that look for the one would not see the other.
		for _, def := range []string{"CallToolResult", "CreateMessageResult", "ElicitResult"} {
			d.without(def, "task")
		}
		d.without("CreateTaskResult", "content", "structuredContent", "isError", "role", "model", "action")
	}
	if d.number == 5 {
		// caching.mdx demands both, but an official example of a result leaves them out.
		d.defs["ReadResourceResult"].(object)["x-optional"] = []any{"ttlMs", "cacheScope"}
		// tools.mdx: x-mcp-header stands on a property, which the root of a schema is none of.
		root := d.member("Tool", "inputSchema")
		root["properties"].(object)["x-mcp-header"] = object{}
		root["x-cap"] = object{"x-mcp-header": capRootMark}
		// mrtr.mdx: each response is the result of one method. The schema file tells them apart by what they must have only.
		d.without("CreateMessageResult", "roots", "action")
		d.without("ElicitResult", "roots", "role", "model")
		d.without("ListRootsResult", "action", "content", "role", "model")
		for _, side := range []string{"ClientCapabilities", "ServerCapabilities"} {
			d.member(side, "extensions")["x-names"] = "prefixed-key"
		}
		for _, def := range []string{"MetaObject", "RequestMetaObject", "NotificationMetaObject", "ResultMetaObject"} {
			o := d.defs[def].(object)
			if o["properties"] == nil {
				o["properties"] = object{}
			}
			members := o["properties"].(object)
			members["traceparent"] = object{"x-format": "traceparent"}
			members["tracestate"], members["baggage"] = object{"x-format": "tracestate"}, object{"x-format": "baggage"}
		}
	}
	// prompts.mdx and tools.mdx: with a valid MIME type.
	for _, def := range []string{"ImageContent", "AudioContent"} {
		if d.defs[def] != nil {
			d.member(def, "mimeType")["x-format"] = "media-type"
		}
	}
	// schema.ts: text only where the item is text. Readers that look for the one would not see the other.
	d.without("TextResourceContents", "blob")
	d.without("BlobResourceContents", "text")
	// The forms of a field in an elicitation have no tag: a broken choice is no free text.
	d.without("StringSchema", "enum", "oneOf")
	for _, def := range []string{"Tool", "Prompt"} {
		d.member(def, "name")["x-format"] = "name"
	}
	d.member("Root", "uri")["x-format"] = "file-uri"
	if d.defs["Icon"] != nil {
		d.member("Icon", "src")["x-format"] = "icon-uri"
		d.member("ElicitRequestURLParams", "url")["x-format"] = "web-url"
	}
	for _, name := range []string{"RequestId", "ProgressToken"} {
		d.defs[name].(object)["x-strict"] = true
		d.defs[name].(object)["x-format"] = "token"
	}
}

// without closes members of its siblings out of a definition.
func (d *document) without(def string, names ...any) {
	if o, ok := d.defs[def].(object); ok {
		o["x-without"] = names
	}
}

// visit adds the rules that hold wherever a member of a certain name or form stands.
func (d *document) visit(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			d.visit(e)
		}
	case object:
		if members, ok := v["properties"].(object); ok {
			if meta, ok := members["_meta"].(object); ok && d.number >= 3 {
				d.target(meta)["x-names"] = "meta-key"
			}
		}
		if v["format"] == "byte" && v["type"] == "string" {
			v["x-format"] = "byte"
		}
		for _, k := range sortedKeys(v) {
			d.visit(v[k])
		}
	}
}

// member returns the schema of a member of a definition, for the overlay to add to.
func (d *document) member(def, name string) object {
	members := d.defs[def].(object)["properties"].(object)
	m := members[name].(object)
	if m["$ref"] != nil { // others use what it refers to
		m = object{"allOf": []any{m}}
		members[name] = m
	}
	return m
}

// target follows a reference.
func (d *document) target(s object) object {
	for {
		ref, ok := s["$ref"].(string)
		if !ok {
			return s
		}
		s = d.defs[ref[len(d.prefix):]].(object)
	}
}
