package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/schema"
)

type object = map[string]any

// dialect is what the official schemas use, and the keywords of our overlays.
var dialect = schema.Dialect{
	Keywords: []string{
		"type", "const", "enum", "properties", "required", "items", "additionalProperties", "anyOf", "allOf", "$ref",
		"minimum", "maximum", "maxItems",
		"x-format", "x-names", "x-strict", "x-types", "x-enum", "x-not", "x-any", "x-optional", "x-without", "x-cap", "x-enter",
	},
	Notes: []string{"description", "default", "format"},
}

// program is all that the tables say.
type program struct {
	names []string // methods, sorted
	rows  []methodRow
	roots []*schema.Edge
	plain []revisionRoots
	input map[string]int // by method, the roots of the responses to what a server asks for inside a result
	tasks map[string]taskRoots
}

// methodRow is a method of one revision, from one side.
type methodRow struct {
	name         string
	revision     int // 1 for the first
	fromServer   bool
	notification bool
	required     bool // params must be there
	params       int  // root
	result       int  // root, -1 for a notification
}

// taskRoots are the roots of the results of a method that may be answered by a task: of the usual one, and of the task.
type taskRoots struct{ usual, task int }

// revisionRoots are the roots of a revision that do not depend on a method.
type revisionRoots struct{ result, openResult, failure, request, notification int }

func build(texts [][]byte) (*program, error) {
	p := &program{input: map[string]int{}, tasks: map[string]taskRoots{}}
	root, err := schema.NewCompiler(nil, dialect).Compile(envelope)
	if err != nil {
		return nil, err
	}
	p.roots = append(p.roots, root)
	for i, text := range texts {
		if err := p.revision(i+1, text); err != nil {
			return nil, fmt.Errorf("%s: %w", revisions[i], err)
		}
	}
	for _, r := range p.rows {
		p.names = append(p.names, r.name)
	}
	slices.Sort(p.names)
	p.names = slices.Compact(p.names)
	return p, nil
}

// document is the schema of one revision.
type document struct {
	number   int
	prefix   string // of references: "#/definitions/" or "#/$defs/"
	defs     object
	compiler *schema.Compiler
	errs     []error
}

// newDocument reads a schema file and adds the overlay.
func newDocument(number int, text []byte) (*document, error) {
	doc, err := schema.Decode(text)
	if err != nil {
		return nil, err
	}
	d := &document{number: number}
	for k, v := range doc {
		switch k {
		case "definitions", "$defs":
			d.prefix, d.defs = "#/"+k+"/", v.(object)
		case "$schema":
		default:
			return nil, fmt.Errorf("unexpected keyword %q at the top", k)
		}
	}
	d.overlay()
	d.compiler = schema.NewCompiler(doc, dialect)
	return d, nil
}

func (p *program) revision(number int, text []byte) error {
	d, err := newDocument(number, text)
	if err != nil {
		return err
	}
	for _, side := range []string{"Client", "Server"} {
		for _, sort := range []string{"Request", "Notification"} {
			for _, def := range d.union(side + sort) {
				p.method(d, def, side == "Server", sort == "Notification")
			}
		}
	}
	for _, def := range d.union("InputRequest") {
		method := d.defs[def].(object)["properties"].(object)["method"].(object)["const"].(string)
		p.input[method] = p.root(d, d.ref(strings.TrimSuffix(def, "Request")+"Result"))
	}
	request, notification := object{}, object{}
	if number >= 4 {
		request, notification = d.ref("RequestParams"), d.ref("NotificationParams")
	}
	p.plain = append(p.plain, revisionRoots{
		result:       p.root(d, d.anyResult()),
		openResult:   p.root(d, object{"allOf": []any{d.ref("Result"), object{"x-cap": object{"resultType": capResultType}}}}),
		failure:      p.root(d, d.failure()),
		request:      p.root(d, d.params(methodRow{}, request)),
		notification: p.root(d, d.params(methodRow{notification: true}, notification)),
	})
	return errors.Join(d.errs...)
}

// union lists the definitions of a union of messages. A union that was written out as its only member stands for itself.
func (d *document) union(name string) []string {
	def, ok := d.defs[name].(object)
	if !ok {
		return nil
	}
	list, ok := def["anyOf"].([]any)
	if !ok {
		return []string{name}
	}
	var names []string
	for _, m := range list {
		names = append(names, strings.TrimPrefix(m.(object)["$ref"].(string), d.prefix))
	}
	return names
}

func (p *program) method(d *document, def string, fromServer, notification bool) {
	o := d.defs[def].(object)
	members := o["properties"].(object)
	row := methodRow{
		name:         members["method"].(object)["const"].(string),
		revision:     d.number,
		fromServer:   fromServer,
		notification: notification,
		required:     slices.Contains(o["required"].([]any), any("params")),
		result:       -1,
	}
	row.params = p.root(d, d.params(row, members["params"]))
	if !notification {
		name := strings.TrimSuffix(def, "Request")
		row.result = p.root(d, d.result(row.name, name))
		if d.makesTasks(row.name) {
			p.tasks[row.name] = taskRoots{p.root(d, d.ref(name+"Result")), p.root(d, d.ref("CreateTaskResult"))}
		}
	}
	p.rows = append(p.rows, row)
}

func (p *program) root(d *document, s object) int {
	e, err := d.compiler.Compile(s)
	if err != nil {
		d.errs = append(d.errs, err)
	}
	p.roots = append(p.roots, e)
	return len(p.roots) - 1
}

func (d *document) ref(def string) object { return object{"$ref": d.prefix + def} }

// params is what the params of a method must be: the definition's own, and what every request or notification has.
func (d *document) params(row methodRow, own any) object {
	envelope := "JSONRPCRequest"
	if row.notification {
		envelope = "JSONRPCNotification"
	}
	all := []any{object{"type": "object"}}
	if own != nil {
		all = append(all, own)
	}
	switch {
	case d.number <= 3:
		all = append(all, d.defs[envelope].(object)["properties"].(object)["params"])
	case d.number == 4 && !row.notification:
		all = append(all, d.ref("RequestParams")) // four methods on tasks leave _meta out
	}
	return object{"allOf": append(all, captures(row))}
}

// makesTasks reports whether a request with the method may be answered by a task.
//
// Source: MCP 2025-11-25, Tasks.
func (d *document) makesTasks(method string) bool {
	return d.number == 4 && slices.Contains([]string{"tools/call", "sampling/createMessage", "elicitation/create"}, method)
}

// result is what the result of a method must be.
func (d *document) result(method, name string) object {
	def := name + "Result"
	if d.defs[def] == nil {
		def = "Result"
	}
	switch {
	case d.makesTasks(method):
		return object{"anyOf": []any{d.ref(def), d.ref("CreateTaskResult")}}
	case d.number < 5:
		return d.ref(def)
	}
	complete := object{"allOf": []any{d.ref(def), resultType("complete")}}
	if d.defs[name+"ResultResponse"] != nil && slices.Contains([]string{"tools/call", "prompts/get", "resources/read"}, method) {
		return object{"anyOf": []any{complete, object{"allOf": []any{d.ref("InputRequiredResult"), resultType("input_required")}}}}
	}
	return complete
}

// anyResult is what a result must be whose method is not known.
func (d *document) anyResult() object {
	if d.number < 5 {
		return d.ref("Result")
	}
	return object{"allOf": []any{d.ref("Result"), resultType("complete", "input_required")}}
}

func resultType(values ...any) object {
	return object{"properties": object{"resultType": object{"x-enum": values}}}
}

// failure is what the error member of an error response must be. Definitions of single errors apply by their code.
func (d *document) failure() object {
	general := d.ref("Error")
	if d.number <= 3 {
		general = d.defs["JSONRPCError"].(object)["properties"].(object)["error"].(object)
	}
	var special, codes []any
	for _, name := range sortedKeys(d.defs) {
		def := d.defs[name].(object)
		members, _ := def["properties"].(object)
		e, _ := members["error"].(object)
		parts, _ := e["allOf"].([]any)
		for _, part := range parts {
			m, _ := part.(object)["properties"].(object)
			code, ok := m["code"].(object)
			if !ok {
				continue
			}
			special = append(special, e)
			codes = append(codes, code["const"])
		}
	}
	marked := object{"allOf": []any{general, object{"x-cap": object{"code": capCode}}}}
	if special == nil {
		return marked
	}
	other := object{"properties": object{"code": object{"x-not": codes}}}
	return object{"anyOf": append([]any{object{"allOf": []any{marked, other}}}, special...)}
}

func sortedKeys(m object) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
