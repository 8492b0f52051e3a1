package oracle

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	segmentio "github.com/segmentio/encoding/json"
	"github.com/tidwall/gjson"
)

// reader is a program that reads messages in its own way.
type reader struct {
	name  string
	form  form
	total bool // refuses nothing that is JSON: a refusal of an accepted message is a fault
	read  func(mem *memory, msg []byte) (sight, error)
}

var errTrailing = errors.New("bytes after the message")

var readers = []reader{
	{"encoding/json into structs", asText, true, func(mem *memory, b []byte) (sight, error) {
		return readStructs(mem, b, stdjson.Unmarshal)
	}},
	{"encoding/json into a map", asText, true, func(mem *memory, b []byte) (sight, error) {
		var v any
		dec := stdjson.NewDecoder(bytes.NewReader(b))
		dec.UseNumber()
		if err := dec.Decode(&v); err != nil {
			return sight{}, err
		}
		return mem.sightOfMap(v, asText), nil
	}},
	{"encoding/json into a map of floats", asFloat, true, func(mem *memory, b []byte) (sight, error) {
		var v any
		err := stdjson.Unmarshal(b, &v)
		return mem.sightOfMap(v, asFloat), err
	}},
	{"encoding/json.Decoder, first value", asText, true, func(mem *memory, b []byte) (sight, error) {
		var first stdjson.RawMessage
		dec := stdjson.NewDecoder(bytes.NewReader(b))
		if err := dec.Decode(&first); err != nil {
			return sight{}, err
		}
		if _, err := dec.Token(); err != io.EOF {
			return sight{}, errTrailing
		}
		return readStructs(mem, first, stdjson.Unmarshal)
	}},
	{"jsontext", asText, true, func(mem *memory, b []byte) (sight, error) {
		if !jsontext.Value(b).IsValid() {
			return sight{}, errors.New("not valid")
		}
		whole, err := mem.text(b, asText)
		s := unreadSight()
		s[wholePart] = whole
		return s, err
	}},
	{"json/v2 into structs", asText, true, func(mem *memory, b []byte) (sight, error) {
		return readStructs(mem, b, func(b []byte, v any) error { return json.Unmarshal(b, v) })
	}},
	{"json/v2 without case, last wins", asText, true, func(mem *memory, b []byte) (sight, error) {
		return readStructs(mem, b, func(b []byte, v any) error {
			return json.Unmarshal(b, v, json.MatchCaseInsensitiveNames(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		})
	}},
	{"gjson, first wins", asText, true, readGJSON},
	{"segmentio into a map", asText, true, func(mem *memory, b []byte) (sight, error) {
		var v any
		_, err := segmentio.Parse(b, &v, segmentio.UseNumber)
		return mem.sightOfMap(v, asText), err
	}},
	{"names that end at NUL, first wins", asText, true, readCut},
	{"Go SDK", asFloat, false, readSDK},
	{"mcp-go", asFloat, false, readMCPGo},
}

func unreadSight() (s sight) {
	for part := range s {
		s[part] = unread
	}
	return s
}

// envelope and params are what a server written with tags would decode a message into.
type envelope struct {
	JSONRPC stdjson.RawMessage `json:"jsonrpc"`
	ID      stdjson.RawMessage `json:"id"`
	Method  stdjson.RawMessage `json:"method"`
	Params  stdjson.RawMessage `json:"params"`
	Result  stdjson.RawMessage `json:"result"`
	Error   stdjson.RawMessage `json:"error"`
}

type params struct {
	Name      stdjson.RawMessage `json:"name"`
	TaskID    stdjson.RawMessage `json:"taskId"`
	URI       stdjson.RawMessage `json:"uri"`
	Arguments stdjson.RawMessage `json:"arguments"`
	Meta      stdjson.RawMessage `json:"_meta"`
}

// readStructs decodes the envelope, then the params, then each part with the same function.
func readStructs(mem *memory, b []byte, unmarshal func([]byte, any) error) (sight, error) {
	s := unreadSight()
	var e envelope
	var p params
	if err := unmarshal(b, &e); err != nil {
		return s, err
	}
	if len(e.Params) > 0 {
		if err := unmarshal(e.Params, &p); err != nil {
			return s, err
		}
	}
	var errs []error
	text := func(raw stdjson.RawMessage) string {
		if len(raw) > 0 && raw[0] == '"' {
			var t string
			errs = append(errs, unmarshal(raw, &t))
			return string(canonicalString(nil, t))
		}
		t, err := mem.text(raw, asText)
		errs = append(errs, err)
		return t
	}
	s[methodPart], s[idPart] = text(e.Method), text(e.ID)
	s[namePart], s[taskPart], s[uriPart] = text(p.Name), text(p.TaskID), text(p.URI)
	s[argumentsPart], s[metaPart] = text(p.Arguments), text(p.Meta)
	s[resultPart], s[errorPart] = text(e.Result), text(e.Error)
	return s, errors.Join(errs...)
}

// sightOfMap finds the parts in a decoded message by the exact names.
func (mem *memory) sightOfMap(v any, f form) (s sight) {
	i := 0
	if f == asFloat {
		i = 1
	}
	if mem.maps[i] != nil && reflect.DeepEqual(v, mem.maps[i]) {
		return mem.seen[i]
	}
	defer func() { mem.maps[i], mem.seen[i] = v, s }()
	m, _ := v.(map[string]any)
	p, _ := m["params"].(map[string]any)
	show := func(of map[string]any, name string) string {
		if v, ok := of[name]; ok {
			return string(canonical(nil, v, f))
		}
		return ""
	}
	s[methodPart], s[idPart], s[resultPart], s[errorPart] = show(m, "method"), show(m, "id"), show(m, "result"), show(m, "error")
	s[namePart], s[taskPart], s[uriPart] = show(p, "name"), show(p, "taskId"), show(p, "uri")
	s[argumentsPart], s[metaPart] = show(p, "arguments"), show(p, "_meta")
	s[wholePart] = string(canonical(nil, v, f))
	return s
}

// readCut reads names as a parser that keeps them as C strings.
func readCut(mem *memory, b []byte) (sight, error) {
	s := unreadSight()
	t, err := parse(b)
	if err != nil {
		return s, err
	}
	var errs []error
	show := func(t *tree, name string) string {
		for _, m := range t.members {
			if cut, _, _ := strings.Cut(decoded(m.name), "\x00"); cut == name {
				text, err := mem.text(m.value.bytes(), asText)
				errs = append(errs, err)
				return text
			}
		}
		return ""
	}
	s[methodPart], s[idPart], s[resultPart], s[errorPart] = show(t, "method"), show(t, "id"), show(t, "result"), show(t, "error")
	if p := t.get("params"); p != nil {
		s[namePart], s[taskPart], s[uriPart] = show(p, "name"), show(p, "taskId"), show(p, "uri")
		s[argumentsPart], s[metaPart] = show(p, "arguments"), show(p, "_meta")
	}
	return s, errors.Join(errs...)
}

// readGJSON looks members up by path, which finds the first of a name, and reads the whole message member by member.
func readGJSON(_ *memory, b []byte) (s sight, err error) {
	if !gjson.ValidBytes(b) {
		return s, errors.New("not valid")
	}
	show := func(path string) string {
		if v := gjson.GetBytes(b, path); v.Exists() {
			return canonicalGJSON(v)
		}
		return ""
	}
	s[methodPart], s[idPart], s[resultPart], s[errorPart] = show("method"), show("id"), show("result"), show("error")
	s[namePart], s[taskPart], s[uriPart] = show("params.name"), show("params.taskId"), show("params.uri")
	s[argumentsPart], s[metaPart] = show("params.arguments"), show("params._meta")
	s[wholePart] = canonicalGJSON(gjson.ParseBytes(b))
	return s, nil
}

func canonicalGJSON(v gjson.Result) string {
	switch {
	case v.IsObject():
		var members []string
		v.ForEach(func(name, v gjson.Result) bool {
			members = append(members, string(canonicalString(nil, name.String()))+":"+canonicalGJSON(v))
			return true
		})
		return string(canonicalObject(nil, members))
	case v.IsArray():
		var items []string
		v.ForEach(func(_, v gjson.Result) bool {
			items = append(items, canonicalGJSON(v))
			return true
		})
		return "[" + strings.Join(items, ",") + "]"
	case v.Type == gjson.String:
		return string(canonicalString(nil, v.String()))
	}
	return strings.TrimSpace(v.Raw)
}

// unmarshalSDK decodes as the Go SDK does: by segmentio's package, with regard to case, the first value only.
func unmarshalSDK(b []byte, v any) error {
	dec := segmentio.NewDecoder(bytes.NewReader(b))
	dec.DontMatchCaseInsensitiveStructFields()
	return dec.Decode(v)
}

// readSDK decodes the envelope by the Go SDK itself, and params into its types.
func readSDK(_ *memory, b []byte) (sight, error) {
	s := unreadSight()
	m, err := jsonrpc.DecodeMessage(b)
	if err != nil {
		return s, err
	}
	id := func(id jsonrpc.ID) string {
		switch v := id.Raw().(type) {
		case int64:
			return string(canonicalNumber(nil, strconv.FormatInt(v, 10), asFloat))
		case string:
			return string(canonicalString(nil, v))
		}
		return ""
	}
	if resp, ok := m.(*jsonrpc.Response); ok {
		s[idPart], s[methodPart] = id(resp.ID), ""
		s[resultPart], err = canonicalText(resp.Result, asFloat)
		return s, err
	}
	req := m.(*jsonrpc.Request)
	s[idPart], s[methodPart] = id(req.ID), string(canonicalString(nil, req.Method))
	show := func(text string) string { return string(canonicalString(nil, text)) }
	switch req.Method {
	case "tools/call":
		var p mcp.CallToolParamsRaw
		if err = unmarshalSDK(req.Params, &p); err == nil {
			s[namePart] = show(p.Name)
			s[argumentsPart], err = canonicalText(p.Arguments, asFloat)
		}
	case "prompts/get":
		var p mcp.GetPromptParams
		err = unmarshalSDK(req.Params, &p)
		s[namePart], s[argumentsPart] = show(p.Name), canonicalStrings(p.Arguments)
	case "resources/read":
		var p mcp.ReadResourceParams
		err = unmarshalSDK(req.Params, &p)
		s[uriPart] = show(p.URI)
	case "resources/subscribe":
		var p mcp.SubscribeParams
		err = unmarshalSDK(req.Params, &p)
		s[uriPart] = show(p.URI)
	case "resources/unsubscribe":
		var p mcp.UnsubscribeParams
		err = unmarshalSDK(req.Params, &p)
		s[uriPart] = show(p.URI)
	}
	return s, err
}

// canonicalStrings is the canonical text of the arguments of a prompt.
func canonicalStrings(arguments map[string]string) string {
	if arguments == nil {
		return ""
	}
	members := map[string]any{}
	for name, v := range arguments {
		members[name] = v
	}
	return string(canonical(nil, members, asFloat))
}

// readMCPGo decodes as the dispatcher of mcp-go's server does: twice the whole message, the second time by its method.
func readMCPGo(_ *memory, b []byte) (sight, error) {
	s := unreadSight()
	var base struct {
		JSONRPC string          `json:"jsonrpc"`
		Method  mcpgo.MCPMethod `json:"method"`
		ID      any             `json:"id,omitempty"`
		Result  any             `json:"result,omitempty"`
	}
	if err := stdjson.Unmarshal(b, &base); err != nil {
		return s, err
	}
	if base.JSONRPC != mcpgo.JSONRPC_VERSION {
		return s, fmt.Errorf("version %q", base.JSONRPC)
	}
	s[idPart], s[methodPart] = "", ""
	if base.ID != nil {
		s[idPart] = string(canonical(nil, base.ID, asFloat))
	}
	if base.Method != "" {
		s[methodPart] = string(canonicalString(nil, string(base.Method)))
	}
	var err error
	switch base.Method {
	case mcpgo.MethodToolsCall:
		var r mcpgo.CallToolRequest
		err = stdjson.Unmarshal(b, &r)
		s[namePart], s[argumentsPart] = string(canonicalString(nil, r.Params.Name)), ""
		if len(r.Params.RawArguments) > 0 {
			s[argumentsPart] = string(canonical(nil, r.Params.Arguments, asFloat))
		}
	case mcpgo.MethodPromptsGet:
		var r mcpgo.GetPromptRequest
		err = stdjson.Unmarshal(b, &r)
		s[namePart], s[argumentsPart] = string(canonicalString(nil, r.Params.Name)), canonicalStrings(r.Params.Arguments)
	case mcpgo.MethodResourcesRead:
		var r mcpgo.ReadResourceRequest
		err = stdjson.Unmarshal(b, &r)
		s[uriPart] = string(canonicalString(nil, r.Params.URI))
	}
	return s, err
}
