package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/jsonscan"
)

// Dialect is the set of keywords that a compilation understands. Any other is an error that names it: a rule is never
// dropped in silence.
type Dialect struct {
	Keywords []string // those that check something
	Notes    []string // those that only describe, and are passed over
	RefAlone bool     // a $ref hides the keywords beside it, as in draft-07: there may be none
}

// maxNodes and maxFormula bound the graph that a hostile tool schema can make, and the time that it takes: references can make
// a small text stand for a huge one.
const (
	maxNodes   = 5000
	maxFormula = 2000
	maxWork    = 1 << 18 // members, references and instructions of patterns that are written out
	maxAlike   = 64      // members of one object that share a Key
	maxHops    = 64      // references that lead to nothing but another one
	maxNumbers = 256     // values of an enum that are no strings
)

// Compiler turns the schemas of one document into a graph.
type Compiler struct {
	doc      map[string]any
	dialect  Dialect
	formulas map[string]*formula // by reference, nil while being worked out
	atoms    []*proto
	atomIDs  map[string]int
	nodes    map[string]*Node
	queue    []pending
	order    []*Node
	errs     []error
	work     int
	known    map[uintptr]known // formulas by schema
}

// known is a formula that was worked out. It keeps the schema, so that its address stays its own.
type known struct {
	schema map[string]any
	f      *formula
}

// proto is an atom whose members are still schemas.
type proto struct {
	atom     Atom
	members  map[string]any
	caps     map[string]uint8
	required []string
	any      []string
	optional []string
	without  []string
	others   any // nil: anything
	closed   bool
	items    any
	path     string
	enter    map[string]uint8
}

// formula combines atoms. A leaf has no op.
type formula struct {
	op   Op
	atom int
	subs []*formula
	size int // formulas in it, those that it has twice counted twice
}

type pending struct {
	node  *Node
	atoms []int
}

// NewCompiler returns a Compiler for a document decoded by [Decode].
func NewCompiler(doc map[string]any, d Dialect) *Compiler {
	return &Compiler{doc: doc, dialect: d, formulas: map[string]*formula{}, atomIDs: map[string]int{}, nodes: map[string]*Node{}, known: map[uintptr]known{}}
}

// Decode reads a schema document.
func Decode(text []byte) (map[string]any, error) {
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	var doc map[string]any
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("schema: not a JSON object: %w", err)
	}
	return doc, nil
}

// Compile compiles one schema of the document and all that it needs. The edge it returns is a root for [Walker.Walk].
func (c *Compiler) Compile(schema any) (*Edge, error) {
	outer := []constraint{{1, c.formula(schema, "#")}}
	var e Edge
	c.link(&e, outer)
	for len(c.queue) > 0 && len(c.errs) == 0 {
		p := c.queue[0]
		c.queue = c.queue[1:]
		c.expand(p)
		if len(c.order) > maxNodes {
			c.fail("#", "needs more than %d places", maxNodes)
		}
	}
	return &e, errors.Join(c.errs...)
}

func (c *Compiler) fail(path, format string, args ...any) {
	if len(c.errs) < 20 {
		c.errs = append(c.errs, fmt.Errorf("schema: %s: %s", path, fmt.Sprintf(format, args...)))
	}
}

// spend notes work and reports whether it is still within bounds.
func (c *Compiler) spend(path string, n int) bool {
	if c.work > maxWork {
		return false
	}
	if c.work += n; c.work > maxWork {
		c.fail(path, "is too large once its references are written out")
		return false
	}
	return true
}

// constraint says that the atoms kill of the outer node stand or fall with a formula.
type constraint struct {
	kill uint64
	f    *formula
}

// formula works out how a schema is made of atoms.
func (c *Compiler) formula(schema any, path string) *formula {
	switch s := schema.(type) {
	case bool:
		if s {
			return &formula{op: OpAll}
		}
		return &formula{atom: c.atom(map[string]any{"type": []any{}}, path)}
	case map[string]any:
		id := reflect.ValueOf(s).Pointer()
		k, ok := c.known[id]
		if !ok {
			k = known{s, c.object(s, path)}
			c.known[id] = k
		}
		return k.f
	}
	c.fail(path, "is neither an object nor a boolean")
	return &formula{op: OpAll}
}

func (c *Compiler) object(s map[string]any, path string) *formula {
	f := &formula{op: OpAll}
	if !c.spend(path, 1) {
		return f
	}
	if isResource(s) && path != "#" {
		c.fail(path, "keyword \"$id\" is supported at the root only, because it changes what references mean")
	}
	if s["$ref"] != nil && c.dialect.RefAlone && !c.onlyRef(s) {
		c.fail(path, "keywords beside \"$ref\" are not supported in draft-07, where they mean nothing")
	}
	own := map[string]any{}
	for _, k := range sortedKeys(s) {
		v := s[k]
		switch k {
		case "$ref":
			ref, _ := v.(string)
			f.subs = append(f.subs, c.reference(ref, path+"/$ref"))
		case "allOf", "anyOf", "oneOf":
			f.subs = append(f.subs, c.combined(k, v, path))
		default:
			if !slices.Contains(c.dialect.Notes, k) {
				own[k] = v
			}
			continue
		}
		if !slices.Contains(c.dialect.Keywords, k) {
			c.fail(path, "keyword %q is not supported", k)
		}
	}
	if len(own) > 0 {
		f.subs = append(f.subs, &formula{atom: c.atom(own, path)})
	}
	return c.simplify(f, path)
}

func (c *Compiler) combined(k string, v any, path string) *formula {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		c.fail(path, "keyword %q is not a list of schemas", k)
		return &formula{op: OpAll}
	}
	if k == "allOf" {
		if merged := c.merge(list, path); merged != nil {
			return &formula{atom: c.atom(merged, path)}
		}
	}
	f := &formula{op: map[string]Op{"allOf": OpAll, "anyOf": OpAny, "oneOf": OpOne}[k]}
	for i, sub := range list {
		one := c.formula(sub, fmt.Sprintf("%s/%s/%d", path, k, i))
		if f.op == OpOne && one.isTrue() { // a value that refutes every atom satisfies nothing, so this must be an atom
			one = &formula{atom: c.atom(anything, path)}
		}
		f.subs = append(f.subs, one)
	}
	return c.simplify(f, path)
}

var anything = map[string]any{"type": []any{"string", "number", "boolean", "null", "object", "array"}}

// reference resolves a reference into the document itself. Any other is refused: nothing is ever fetched.
func (c *Compiler) reference(ref, path string) *formula {
	if f, ok := c.formulas[ref]; ok {
		if f == nil {
			c.fail(path, "refers to itself without a member or element between")
			return &formula{op: OpAll}
		}
		return f
	}
	target, ok := c.resolve(ref)
	if !ok {
		c.fail(path, "is not a reference to a part of the same document")
		return &formula{op: OpAll}
	}
	c.formulas[ref] = nil
	f := c.formula(target, ref)
	c.formulas[ref] = f
	return f
}

func (c *Compiler) resolve(ref string) (any, bool) {
	if ref == "#" {
		return c.doc, true
	}
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil, false
	}
	var at any = c.doc
	for i, step := range strings.Split(path, "/") {
		if m, _ := at.(map[string]any); i > 0 && isResource(m) {
			return nil, false
		}
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		switch v := at.(type) {
		case map[string]any:
			at, ok = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if ok = err == nil && i >= 0 && i < len(v); ok {
				at = v[i]
			}
		default:
			ok = false
		}
		if !ok {
			return nil, false
		}
	}
	return at, true
}

// isResource reports whether a schema has an $id, from which its references start.
func isResource(s map[string]any) bool {
	_, ok := s["$id"].(string)
	return ok
}

// merge makes one schema of the parts of an allOf, or nil if they do not go together as plain objects.
func (c *Compiler) merge(list []any, path string) map[string]any {
	all := map[string]any{}
	for _, sub := range list {
		s, ok := sub.(map[string]any)
		hops := 0
		for ok {
			ref, isRef := s["$ref"].(string)
			if !isRef {
				break
			}
			if hops++; hops > maxHops || !c.onlyRef(s) || isResource(s) {
				return nil // where it goes in circles, reference says so
			}
			var target any
			if target, ok = c.resolve(ref); ok {
				s, ok = target.(map[string]any)
			}
		}
		if !ok || isResource(s) {
			return nil
		}
		if !c.spend(path, len(toMap(s["properties"]))+len(toList(s["required"]))+1) {
			return nil
		}
		for k, v := range s {
			if slices.Contains(c.dialect.Notes, k) || k == "additionalProperties" && (v == true || len(toMap(v)) == 0 && v != false) {
				continue
			}
			old, dup := all[k]
			switch {
			case k == "properties":
				all[k] = mergeMembers(old, v)
			case k == "x-cap" || k == "x-enter":
				all[k] = mergeMembers(old, v)
			case k == "required":
				all[k] = append(slices.Clone(toList(old)), toList(v)...)
			case !dup && k != "anyOf" && k != "oneOf" && k != "allOf" && k != "additionalProperties":
				all[k] = v
			case dup && equalJSON(old, v) && k != "additionalProperties":
			default:
				return nil
			}
		}
	}
	return all
}

// onlyRef reports whether a schema is a reference and nothing else.
func (c *Compiler) onlyRef(s map[string]any) bool {
	for k := range s {
		if k != "$ref" && !slices.Contains(c.dialect.Notes, k) {
			return false
		}
	}
	return true
}

func mergeMembers(a, b any) any {
	out := map[string]any{}
	for _, m := range []any{a, b} {
		for k, v := range toMap(m) {
			if old, dup := out[k]; dup && !equalJSON(old, v) {
				v = map[string]any{"allOf": []any{old, v}}
			}
			out[k] = v
		}
	}
	return out
}

// simplify flattens a formula, and bounds it.
func (c *Compiler) simplify(f *formula, path string) *formula {
	if len(f.subs) == 1 {
		return f.subs[0]
	}
	f.size = 1
	for _, s := range f.subs {
		f.size += max(s.size, 1)
	}
	if f.size > maxFormula {
		c.fail(path, "needs more than %d alternatives in one place", maxFormula)
		return &formula{op: OpAll}
	}
	return f
}

// leaves appends the atoms of a formula.
func (f *formula) leaves(to []int) []int {
	if f.op == 0 {
		return append(to, f.atom)
	}
	for _, s := range f.subs {
		to = s.leaves(to)
	}
	return to
}

// isTrue reports whether a formula admits everything.
func (f *formula) isTrue() bool {
	if f.op == OpAny {
		return slices.ContainsFunc(f.subs, (*formula).isTrue)
	}
	return f.op == OpAll && !slices.ContainsFunc(f.subs, func(s *formula) bool { return !s.isTrue() })
}

// link sets the edge's node and maps from what the outer atoms demand of the value.
func (c *Compiler) link(e *Edge, outer []constraint) {
	outer = slices.DeleteFunc(outer, func(k constraint) bool { return k.f.isTrue() })
	if len(outer) == 0 {
		e.Node = Free
		return
	}
	var atoms []int
	for _, k := range outer {
		atoms = k.f.leaves(atoms)
	}
	slices.Sort(atoms)
	atoms = slices.Compact(atoms)
	var gates []Gate
	for _, k := range outer {
		need := c.need(k.f, atoms, &gates)
		if i := slices.IndexFunc(e.Maps, func(m Map) bool { return m.Need == need }); i >= 0 {
			e.Maps[i].Kill |= k.kill
		} else {
			e.Maps = append(e.Maps, Map{k.kill, need})
		}
		e.kill |= k.kill
	}
	if len(atoms)+len(gates) > 64 {
		c.fail(c.atoms[atoms[0]].path, "has %d alternatives side by side, more than 64", len(atoms)+len(gates))
		e.Node = Free
		return
	}
	id := fmt.Sprint(atoms, gates)
	n := c.nodes[id]
	if n == nil {
		n = &Node{gates: gates}
		c.nodes[id] = n
		c.order = append(c.order, n)
		c.queue = append(c.queue, pending{n, atoms})
	}
	e.Node = n
}

// need returns the bits of which one must be set where the formula holds, adding the gates it takes.
func (c *Compiler) need(f *formula, atoms []int, gates *[]Gate) uint64 {
	if f.op == 0 {
		return 1 << slices.Index(atoms, f.atom)
	}
	var mask uint64
	clash := false
	for _, s := range f.subs {
		m := c.need(s, atoms, gates)
		if f.op != OpAny && bits.OnesCount64(m) != 1 {
			m = c.gate(Gate{Op: OpAny, Mask: m}, atoms, gates)
		}
		clash = clash || mask&m != 0
		mask |= m
	}
	if f.op == OpAny {
		return mask
	}
	if f.op == OpOne && clash {
		c.fail(c.atoms[atoms[0]].path, "has a oneOf with two equal alternatives")
	}
	return c.gate(Gate{Op: f.op, Mask: mask}, atoms, gates)
}

func (c *Compiler) gate(g Gate, atoms []int, gates *[]Gate) uint64 {
	for _, old := range *gates {
		if old.Op == g.Op && old.Mask == g.Mask {
			return old.Bit
		}
	}
	g.Bit = 1 << min(63, len(atoms)+len(*gates))
	*gates = append(*gates, g)
	return g.Bit
}

// expand builds the members and elements of a node.
func (c *Compiler) expand(p pending) {
	n := p.node
	var required, optional []string
	for _, id := range p.atoms {
		required = append(required, c.atoms[id].required...)
		optional = append(optional, sortedKeys(c.atoms[id].members)...)
		optional = append(optional, c.atoms[id].without...)
	}
	slices.Sort(required)
	slices.Sort(optional)
	names := slices.Compact(required)
	if len(names) > 64 {
		c.fail(c.atoms[p.atoms[0]].path, "requires more than 64 members")
		return
	}
	for _, name := range slices.Compact(optional) {
		if !slices.Contains(names[:len(names):len(names)], name) {
			names = append(names, name)
		}
	}
	if !c.spend(c.atoms[p.atoms[0]].path, (len(names)+1)*len(p.atoms)) {
		return
	}
	alike := map[uint64]int{}
	for _, name := range names {
		key := jsonscan.WordsOf(name).Key()
		if alike[key]++; alike[key] > maxAlike {
			c.fail(c.atoms[p.atoms[0]].path, "has more than %d members whose names begin and end alike", maxAlike)
			return
		}
	}
	bit := map[string]uint64{}
	for i, name := range names {
		if i < 64 {
			bit[name] = 1 << i
		}
	}
	for _, id := range p.atoms {
		a := c.atoms[id].atom
		for _, name := range c.atoms[id].required {
			a.Required |= bit[name]
		}
		for _, name := range c.atoms[id].any {
			a.AnyRequired |= bit[name]
		}
		for _, name := range c.atoms[id].optional {
			a.Optional |= bit[name]
		}
		for _, name := range c.atoms[id].without {
			a.Without |= bit[name]
		}
		n.atoms = append(n.atoms, a)
	}
	var slots []slot
	for _, name := range names {
		s := slot{bit: bit[name], name: name}
		c.edge(&s.edge, p.atoms, func(a *proto) (any, bool) {
			if m, ok := a.members[name]; ok {
				return m, false
			}
			return a.others, a.closed
		})
		for _, id := range p.atoms {
			s.edge.Cap |= c.atoms[id].caps[name]
			if c.atoms[id].enter[name] != 0 {
				s.edge.Cap, s.edge.Node = c.atoms[id].enter[name], nil
			}
		}
		slots = append(slots, s)
	}
	c.edge(&n.other, p.atoms, func(a *proto) (any, bool) { return a.others, a.closed })
	c.edge(&n.items, p.atoms, func(a *proto) (any, bool) { return a.items, false })
	n.finish(slots)
}

// edge builds the edge to the values for which each atom names a schema, or none (nil), or admits no value.
func (c *Compiler) edge(e *Edge, atoms []int, of func(*proto) (schema any, closed bool)) {
	var outer []constraint
	for k, id := range atoms {
		s, closed := of(c.atoms[id])
		switch {
		case closed:
			e.Closed |= 1 << k
		case s != nil:
			outer = append(outer, constraint{1 << k, c.formula(s, c.atoms[id].path+"/…")})
		}
	}
	c.link(e, outer)
}

// atom reads the keywords of one schema object.
func (c *Compiler) atom(s map[string]any, path string) int {
	id := canonical(s)
	if n, ok := c.atomIDs[id]; ok {
		return n
	}
	a := &proto{path: path, atom: Atom{Types: KindAny}}
	n := len(c.atoms)
	c.atoms = append(c.atoms, a)
	c.atomIDs[id] = n
	for _, k := range sortedKeys(s) {
		if !slices.Contains(c.dialect.Keywords, k) {
			c.fail(path, "keyword %q is not supported", k)
			continue
		}
		read := keywords[k]
		if read == nil || !read(a, s[k]) {
			c.fail(path, "keyword %q has a value that is not supported", k)
		}
	}
	a.atom.narrow()
	c.spend(path, a.atom.steps)
	return n
}

var typeBits = map[string]uint8{
	"string": KindString, "integer": KindInteger, "number": KindNumber, "boolean": KindBool, "null": KindNull,
	"object": KindObject, "array": KindArray,
}

// keywords read the value of a keyword into an atom, and report whether they can honour it.
var keywords = map[string]func(*proto, any) bool{
	"type": func(a *proto, v any) bool {
		if s, ok := v.(string); ok {
			v = []any{s}
		}
		list, ok := v.([]any)
		a.atom.Types = 0
		for _, t := range list {
			s, _ := t.(string)
			ok = ok && typeBits[s] != 0
			a.atom.Types |= typeBits[s]
		}
		return ok
	},
	"const": func(a *proto, v any) bool { return a.constants(&a.atom.Enum, []any{v}) },
	"enum": func(a *proto, v any) bool {
		list, ok := v.([]any)
		return ok && a.constants(&a.atom.Enum, list)
	},
	"properties": func(a *proto, v any) bool {
		m, ok := v.(map[string]any)
		a.members = m
		return ok
	},
	"required": func(a *proto, v any) bool {
		list, ok := v.([]any)
		for _, e := range list {
			s, isString := e.(string)
			ok = ok && isString
			a.required = append(a.required, s)
		}
		return ok
	},
	"additionalProperties": func(a *proto, v any) bool {
		if b, ok := v.(bool); ok {
			a.closed = !b
			return true
		}
		m, ok := v.(map[string]any)
		if len(m) > 0 {
			a.others = m
		}
		return ok
	},
	"items": func(a *proto, v any) bool {
		a.items = v
		_, list := v.([]any)
		return !list
	},
	"minimum":          func(a *proto, v any) bool { return a.bound(&a.atom.Min, nil, v) },
	"maximum":          func(a *proto, v any) bool { return a.bound(&a.atom.Max, nil, v) },
	"exclusiveMinimum": func(a *proto, v any) bool { return a.bound(&a.atom.Min, &a.atom.ExclMin, v) },
	"exclusiveMaximum": func(a *proto, v any) bool { return a.bound(&a.atom.Max, &a.atom.ExclMax, v) },
	"minLength":        func(a *proto, v any) bool { return count(&a.atom.MinLen, v) },
	"maxLength":        func(a *proto, v any) bool { return most(&a.atom.MaxLen, v) },
	"minItems":         func(a *proto, v any) bool { return count(&a.atom.MinItems, v) },
	"maxItems":         func(a *proto, v any) bool { return most(&a.atom.MaxItems, v) },
	"minProperties":    func(a *proto, v any) bool { return count(&a.atom.MinProps, v) },
	"maxProperties":    func(a *proto, v any) bool { return most(&a.atom.MaxProps, v) },
	"pattern": func(a *proto, v any) bool {
		s, ok := v.(string)
		if !ok || len(s) > maxPattern {
			return false
		}
		re, err := regexp.Compile(s)
		a.atom.Pattern, a.atom.steps = re, stepsOf(s)
		return err == nil && a.atom.steps <= maxStates
	},

	// The rest is written by this module only, where the text of the protocol says more than its schema.
	"x-format": func(a *proto, v any) bool { return format(&a.atom.Format, v) },
	"x-names":  func(a *proto, v any) bool { return format(&a.atom.NameRule, v) },
	"x-strict": func(a *proto, v any) bool { a.atom.Strict = v == true; return true },
	"x-types": func(a *proto, v any) bool {
		for _, t := range toList(v) {
			a.atom.MoreTypes |= typeBits[t.(string)]
		}
		return true
	},
	"x-enum": func(a *proto, v any) bool {
		list, ok := v.([]any)
		return ok && a.constants(&a.atom.ProseEnum, list)
	},
	"x-any":      func(a *proto, v any) bool { return names(&a.any, v) },
	"x-optional": func(a *proto, v any) bool { return names(&a.optional, v) },
	"x-without":  func(a *proto, v any) bool { return names(&a.without, v) },
	"x-not": func(a *proto, v any) bool {
		list, ok := v.([]any)
		return ok && a.constants(&a.atom.NotEnum, list)
	},
	"x-cap": func(a *proto, v any) bool {
		a.caps = map[string]uint8{}
		for name, n := range toMap(v) {
			a.caps[name] = uint8(n.(int))
		}
		return true
	},
	"x-enter": func(a *proto, v any) bool {
		a.enter = map[string]uint8{}
		for name, n := range toMap(v) {
			a.enter[name] = uint8(n.(int))
		}
		return true
	},
}

// maxPattern and maxStates bound patterns: the bytes of one, and its instructions.
const (
	maxPattern = 4 << 10
	maxStates  = 4 << 10
)

// stepsOf returns the number of instructions of a pattern, 0 if it does not compile.
func stepsOf(pattern string) int {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return 0
	}
	return len(prog.Inst)
}

// constants reads the values of an enum. Objects and arrays are not supported.
func (a *proto) constants(to *[]Const, list []any) bool {
	before := *to
	*to = []Const{}
	for _, v := range list {
		switch v := v.(type) {
		case string:
			*to = append(*to, Const{KindString, v})
		case json.Number:
			*to = append(*to, Const{KindNumber, v.String()})
		case bool:
			*to = append(*to, Const{KindBool, strconv.FormatBool(v)})
		case nil:
			*to = append(*to, Const{KindNull, "null"})
		default:
			return false
		}
	}
	if len(*to)-countStrings(*to) > maxNumbers {
		return false
	}
	if before != nil { // const beside enum: what both have
		*to = slices.DeleteFunc(*to, func(c Const) bool {
			return !slices.ContainsFunc(before, func(d Const) bool {
				return c.Kind == d.Kind && (c.Text == d.Text || c.Kind == KindNumber && compareNumbers(c.Text, d.Text) == 0)
			})
		})
	}
	return true
}

func countStrings(list []Const) (n int) {
	for _, c := range list {
		n += int(c.Kind & KindString)
	}
	return n
}

func (a *proto) bound(to *string, excl *bool, v any) bool {
	n, ok := v.(json.Number)
	if !ok || *to != "" { // a bound and its exclusive form together: not seen in the wild
		return false
	}
	*to = n.String()
	if excl != nil {
		*excl = true
	}
	return true
}

func count(to *int, v any) bool {
	n, ok := v.(json.Number)
	if !ok {
		return false
	}
	i, err := strconv.ParseInt(n.String(), 10, 32)
	*to = int(i)
	return err == nil && i >= 0
}

func most(to *int, v any) bool {
	ok := count(to, v)
	*to++
	return ok
}

func format(to *Format, v any) bool {
	s, _ := v.(string)
	i := slices.Index(formatNames[:], s)
	*to = Format(max(i, 0))
	return i > 0
}

func names(to *[]string, v any) bool {
	for _, name := range toList(v) {
		*to = append(*to, name.(string))
	}
	return true
}

func canonical(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // decoded JSON and our own overlays can always be encoded
	}
	return string(text)
}

func equalJSON(a, b any) bool { return canonical(a) == canonical(b) }

func toList(v any) []any {
	l, _ := v.([]any)
	return l
}

func toMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
