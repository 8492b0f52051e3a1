package mcpmsg

import (
	"fmt"
	"slices"

	"github.com/sallyport/sallyport/internal/jsonscan"
	"github.com/sallyport/sallyport/internal/schema"
)

// MethodRule admits a method that the schemas of the protocol do not have: of an extension or a vendor. A method that a
// revision has itself is judged by its schema, whatever the rule says.
type MethodRule struct {
	_ [0]func() // keyed literals only; not comparable

	Method         string    // such as "tasks/update"
	From           Direction // who sends it; 0 = both sides
	Notification   bool      // false = a request
	Since          Version   // the first revision; 0 = the oldest
	ParamsRequired bool      // in 2026-07-28 the params of a request are always required
	Params         *Schema   // nil = any object; _meta is checked in any case
	NamesTask      bool      // params.taskId is the Name of the message, and repeated by Mcp-Name; not in a batch, which has no tasks
}

// ToolRule says more about a tool than the protocol does.
type ToolRule struct {
	_ [0]func() // keyed literals only; not comparable

	Name        string  // exact
	InputSchema *Schema // what the arguments must be; nil = any object; made by CompileSchema

	// CaseSensitiveArguments says that the tool tells apart argument names that differ only in case. With false, which is right
	// for tools that hand their arguments to a reader that folds names, such names repeat each other.
	CaseSensitiveArguments bool
}

// TasksExtension returns the rules for the extension io.modelcontextprotocol/tasks of 2026-07-28.
//
// Source: SEP-2663.
func TasksExtension() []MethodRule {
	task, err := CompileSchema([]byte(`{"type":"object","properties":{"taskId":{"type":"string"}},"required":["taskId"]}`))
	if err != nil {
		panic(err) // a constant
	}
	about := func(method string) MethodRule {
		return MethodRule{Method: method, From: FromClient, Since: V20260728, ParamsRequired: true, Params: task, NamesTask: true}
	}
	return []MethodRule{
		about("tasks/get"), about("tasks/update"), about("tasks/cancel"),
		{Method: "notifications/tasks", From: FromServer, Notification: true, Since: V20260728, ParamsRequired: true, Params: task},
	}
}

// extra is a MethodRule in the form that a check needs.
type extra struct {
	rule   MethodRule
	params *schema.Edge // nil: nothing more than the row says
}

// compileRules copies the rules of a config.
func (v *Validator) compileRules(cfg *Config) (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("mcpmsg: "+format, args...)) }
	for i, r := range cfg.Methods {
		e := &extra{rule: r}
		switch {
		case r.Method == "" || len(r.Method)+2 > v.lim.method:
			bad("Config.Methods[%d].Method is empty or longer than MaxMethodBytes", i)
		case r.From > FromServer || r.Since > V20260728:
			bad("Config.Methods[%d] has an unknown From or Since", i)
		case v.methods[r.Method] != nil:
			bad("Config.Methods[%d].Method is there twice", i)
		case r.Params != nil && r.Params.root == nil:
			bad("Config.Methods[%d].Params was not made by CompileSchema", i)
		}
		if r.Params != nil {
			e.params = r.Params.root
		}
		if v.methods == nil {
			v.methods = map[string]*extra{}
		}
		v.methods[r.Method] = e
	}
	for i, r := range cfg.Tools {
		switch {
		case r.Name == "":
			bad("Config.Tools[%d].Name is empty", i)
		case v.tools[r.Name] != nil:
			bad("Config.Tools[%d].Name is there twice", i)
		case r.InputSchema != nil && r.InputSchema.root == nil:
			bad("Config.Tools[%d].InputSchema was not made by CompileSchema", i)
		}
		if v.tools == nil {
			v.tools = map[string]*ToolRule{}
		}
		v.tools[r.Name] = &r
	}
	for i, t := range cfg.ResultTypes {
		if t == "" || t == "complete" || t == "input_required" {
			bad("Config.ResultTypes[%d] is empty or one of the protocol's own", i)
		}
	}
	v.resultTypes = slices.Clone(cfg.ResultTypes)
	return errs
}

// resultOfExtension judges again, by what all results share, a result that was refused, if its resultType is one that the
// configuration admits.
func (c *check) resultOfExtension(from int) bool {
	if len(c.v.resultTypes) == 0 || c.ctx.Direction != FromServer || c.version != V20260728 {
		return false
	}
	first := c.bad
	c.open = true
	end := c.one(from, 0)
	c.open = false
	if end >= 0 && slices.ContainsFunc(c.v.resultTypes, c.get(capResultType).Is) {
		return true
	}
	c.bad = first
	return false
}

// admits reports whether the rule lets a side send the method in a revision.
func (e *extra) admits(v Version, from Direction) bool {
	return v >= e.rule.Since && (e.rule.From == 0 || e.rule.From == from)
}

// findExtra returns the rule of a method that only the configuration knows, nil if there is none. It does not allocate.
func (c *check) findExtra(method Raw) *extra {
	if c.v.methods == nil {
		return nil
	}
	e := c.v.methods[string(c.textOf(method))]
	if e == nil || !e.admits(c.version, c.ctx.Direction) {
		return nil
	}
	return e
}

// textOf returns the decoded text of a string, in place where it has no escape; of anything else nothing.
func (c *check) textOf(r Raw) []byte {
	if r.Kind() != RawString {
		return nil
	}
	if !jsonscan.HasEscape(r) {
		return r.body()
	}
	c.text = r.AppendText(c.text[:0])
	return c.text
}

// rowOfExtra fills a row for the revision at hand.
func (c *check) rowOfExtra(e *extra) *methodRow {
	rev := &revisionRows[c.version]
	c.own = methodRow{
		version: c.version, from: c.ctx.Direction, notification: e.rule.Notification, params: rev.request, result: rev.result,
		required: e.rule.ParamsRequired || c.version.Stateless() && !e.rule.Notification,
	}
	if e.rule.Notification {
		c.own.params = rev.notification
	}
	return &c.own
}

// more judges what the rules of the configuration demand of a message that the schemas admit.
func (c *check) more(outer int) bool {
	if e := c.extra; e != nil && e.params != nil && c.has(capParams) {
		if !c.again(capParams, e.params, outer+1) {
			return false
		}
	}
	if c.known != MethodToolsCall || c.v.tools == nil {
		return true
	}
	rule := c.v.tools[string(c.textOf(c.get(capName)))]
	if rule == nil {
		return true
	}
	if rule.InputSchema != nil {
		if !c.has(capArguments) {
			if c.walk.Walk(noArguments, 0, rule.InputSchema.root, 0) < 0 {
				c.refuse(CodeSchemaMissing, int(c.walk.Spans[capParams].From))
				c.bad.part = partParams
				return false
			}
		} else if !c.again(capArguments, rule.InputSchema.root, outer+2) {
			return false
		}
	}
	return rule.CaseSensitiveArguments || !c.has(capArguments) || c.again(capArguments, c.v.folded, outer+2)
}

var noArguments = []byte("{}")

// again walks a value of the message a second time, by another edge.
func (c *check) again(mark int, by *schema.Edge, outer int) bool {
	if c.walk.Walk(c.b, int(c.walk.Spans[mark].From), by, outer) < 0 {
		c.stopped()
		c.bad.part = partParams
		return false
	}
	return true
}
