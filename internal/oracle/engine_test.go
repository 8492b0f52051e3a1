package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/sallyport/sallyport/internal/reference"
	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

type object = map[string]any

// engine judges the messages of one revision by a JSON Schema engine over the official schema file. What no schema says,
// which members go together in a message, it takes from JSON-RPC 2.0 and the base protocol.
type engine struct {
	version  mcpmsg.Version
	prefix   string // of references to definitions
	defs     object
	methods  map[mcpmsg.Direction]map[string]methodDef
	compiler *jsonschema.Compiler
	sources  object // the sorts of messages as schemas
	compiled map[string]*jsonschema.Schema

	names, foldedNames map[string]bool // of all members that a definition has, and as lax readers see them
}

// methodDef is what methods.json says about a method.
type methodDef struct {
	Def          string
	Results      []string
	Notification bool
}

const address = "https://schema.invalid/"

// newEngines loads the engines of all revisions, by revision.
func newEngines(tb testing.TB) map[mcpmsg.Version]*engine {
	tb.Helper()
	var methods map[string]struct {
		DefsKey   string `json:"defs_key"`
		Direction map[string]struct{ Requests, Notifications map[string]methodDef }
	}
	text, err := os.ReadFile(reference.Path(tb, "mcp", "methods.json"))
	if err == nil {
		err = json.Unmarshal(text, &methods)
	}
	if err != nil {
		tb.Fatal(err)
	}
	engines := map[mcpmsg.Version]*engine{}
	for v := mcpmsg.V20241105; v <= mcpmsg.V20260728; v++ {
		text, err := os.ReadFile(reference.Path(tb, "mcp", "schema", v.String(), "schema.json"))
		if err != nil {
			tb.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			tb.Fatal(err)
		}
		m := methods[v.String()]
		e := &engine{
			version: v, prefix: "#/" + m.DefsKey + "/", defs: doc.(object)[m.DefsKey].(object), compiled: map[string]*jsonschema.Schema{},
		}
		e.methods = map[mcpmsg.Direction]map[string]methodDef{mcpmsg.FromClient: {}, mcpmsg.FromServer: {}}
		for side, dir := range map[string]mcpmsg.Direction{"client": mcpmsg.FromClient, "server": mcpmsg.FromServer} {
			for name, def := range m.Direction[side].Requests {
				e.methods[dir][name] = def
			}
			for name, def := range m.Direction[side].Notifications {
				def.Notification = true
				e.methods[dir][name] = def
			}
		}
		e.compile(tb, doc.(object))
		e.collectNames()
		engines[v] = e
	}
	return engines
}

func (e *engine) ref(def string) object { return object{"$ref": e.prefix + def} }

// compile adds to the document one definition for each sort of message, and compiles them.
func (e *engine) compile(tb testing.TB, doc object) {
	sorts := object{}
	request, notification, result, failure := "JSONRPCRequest", "JSONRPCNotification", "JSONRPCResultResponse", "JSONRPCErrorResponse"
	if e.version <= mcpmsg.V20250618 {
		result, failure = "JSONRPCResponse", "JSONRPCError"
	}
	for dir, methods := range e.methods {
		for name, m := range methods {
			envelope := request
			if m.Notification {
				envelope = notification
			}
			sorts[fmt.Sprint(dir, " ", name)] = object{"allOf": []any{e.ref(envelope), e.ref(m.Def)}}
			if m.Notification {
				continue
			}
			var results []any
			for _, def := range m.Results {
				results = append(results, e.ref(def))
			}
			sorts["result of "+name] = object{"allOf": []any{
				e.ref(result), object{"properties": object{"result": object{"anyOf": results}}, "required": []any{"result"}},
			}}
		}
	}
	sorts["result"] = e.ref(result)
	sorts["error"] = e.ref(failure)
	for code, def := range e.specialErrors() {
		sorts["error "+code] = object{"allOf": []any{e.ref(failure), e.ref(def)}}
	}
	doc["sorts"], e.sources = sorts, sorts
	e.compiler = jsonschema.NewCompiler()
	for _, annotation := range []string{"uri", "uri-template"} {
		e.compiler.RegisterFormat(&jsonschema.Format{Name: annotation, Validate: func(any) error { return nil }})
	}
	if err := e.compiler.AddResource(address, doc); err != nil {
		tb.Fatal(err)
	}
	for sort := range sorts {
		s, err := e.compiler.Compile(address + "#/sorts/" + escapePointer(sort))
		if err != nil {
			tb.Fatal(err)
		}
		e.compiled[sort] = s
	}
}

// collectNames notes the names of all members that the schema file defines anywhere.
func (e *engine) collectNames() {
	e.names, e.foldedNames = map[string]bool{}, map[string]bool{}
	for _, name := range []string{"jsonrpc", "id", "method", "params", "result", "error"} {
		e.names[name] = true
	}
	anyValue("", e.defs, func(keyword string, v any) bool {
		if members, ok := v.(object); ok && keyword == "properties" {
			for name := range members {
				e.names[name] = true
			}
		}
		return false
	})
	for name := range e.names {
		e.foldedNames[folded(name)] = true
	}
}

// specialErrors finds the definitions of errors that fix a code.
func (e *engine) specialErrors() map[string]string {
	found := map[string]string{}
	for name, def := range e.defs {
		members, _ := def.(object)["properties"].(object)
		failure, _ := members["error"].(object)
		parts, _ := failure["allOf"].([]any)
		for _, part := range parts {
			of, _ := part.(object)["properties"].(object)
			if code, ok := of["code"].(object); ok {
				found[fmt.Sprint(code["const"])] = name
			}
		}
	}
	return found
}

func escapePointer(s string) string {
	var b []byte
	for _, c := range []byte(s) {
		switch c {
		case '/':
			b = append(b, "~1"...)
		case ' ':
			b = append(b, "%20"...)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// subject is a message with what is known about it.
type subject struct {
	text     []byte
	from     mcpmsg.Direction
	resultOf string
	doc      any // decoded, nil if the text is not exact JSON
	*engine
}

func (e *engine) subject(text []byte, from mcpmsg.Direction, resultOf string) *subject {
	s := &subject{text: text, from: from, resultOf: resultOf, engine: e}
	if exact(text) {
		s.doc, _ = jsonschema.UnmarshalJSON(bytes.NewReader(text))
	}
	return s
}

func (s *subject) context() mcpmsg.Context {
	m, _ := mcpmsg.ParseMethod(s.resultOf)
	return mcpmsg.Context{Version: s.version, Direction: s.from, ResultOf: m}
}

// exact reports whether a text is one JSON value by RFC 8259 with no repeated names, as RFC 7493 asks.
func exact(text []byte) bool {
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	if _, err := dec.ReadValue(); err != nil {
		return false
	}
	_, err := dec.ReadToken()
	return err == io.EOF
}

// accepts is the verdict of the engine, and where it refuses, why.
func (e *engine) accepts(s *subject) (bool, string) {
	switch doc := s.doc.(type) {
	case object:
		return e.one(s, doc)
	case []any:
		return e.batch(s, doc)
	}
	return false, "neither an object nor an array"
}

// one judges a single message. It chooses a definition by the members present: the union definitions admit mixtures.
func (e *engine) one(s *subject, doc object) (bool, string) {
	has := func(name string) bool { _, ok := doc[name]; return ok }
	sort := ""
	switch {
	case has("method") && !has("result") && !has("error"):
		method, _ := doc["method"].(string)
		def, ok := e.methods[s.from][method]
		if !ok || has("id") == def.Notification {
			return false, "no such method, or an id where there is none, or none where there is one"
		}
		sort = fmt.Sprint(s.from, " ", method)
	case has("method") || has("result") == has("error"):
		return false, "neither request, notification, result nor error"
	case e.version == mcpmsg.V20260728 && s.from == mcpmsg.FromClient:
		return false, "a client sends no responses"
	case has("error"):
		sort = "error"
		failure, _ := doc["error"].(object)
		if code, ok := failure["code"].(json.Number); ok && e.compiled["error "+code.String()] != nil {
			sort = "error " + code.String()
		}
	default:
		if !has("id") {
			return false, "a result without id"
		}
		sort = "result"
		if s.resultOf != "" && e.compiled["result of "+s.resultOf] != nil {
			sort = "result of " + s.resultOf
		}
	}
	if err := e.compiled[sort].Validate(doc); err != nil {
		return false, sort + ": " + err.Error()
	}
	return true, ""
}

// batch judges an array by the rules of JSON-RPC 2.0 and of the one revision that has batches.
func (e *engine) batch(s *subject, list []any) (bool, string) {
	if e.version != mcpmsg.V20250326 || len(list) == 0 {
		return false, "no batch, or an empty one"
	}
	var ids []any
	responses := 0
	for _, v := range list {
		doc, ok := v.(object)
		if !ok {
			return false, "not an object in a batch"
		}
		if ok, why := e.one(s, doc); !ok {
			return false, why
		}
		if doc["method"] == "initialize" {
			return false, "initialize in a batch"
		}
		if doc["method"] == nil {
			responses++
		}
		if id := doc["id"]; id != nil {
			if slices.Contains(ids, id) {
				return false, "an id twice in a batch"
			}
			ids = append(ids, id)
		}
	}
	return responses == 0 || responses == len(list), "requests and responses in one batch"
}
