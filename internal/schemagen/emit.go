package main

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"strings"

	"github.com/sallyport/sallyport/internal/schema"
)

func write(path, header, body string) error {
	text, err := format.Source([]byte(header + body))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, text, 0o644)
}

// ident makes the name of a method constant: tools/call becomes MethodToolsCall.
func ident(method string) string {
	var b strings.Builder
	b.WriteString("Method")
	for _, part := range strings.FieldsFunc(method, func(r rune) bool { return r == '/' || r == '_' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func (p *program) methods() string {
	var b bytes.Buffer
	b.WriteString("// The methods of all revisions, requests and notifications, of both sides. New ones are added at the end of the\n")
	b.WriteString("// alphabet's order, so numbers are not stable between releases: store the text.\nconst (\n")
	for i, name := range p.names {
		if i == 0 {
			fmt.Fprintf(&b, "%s Method = iota + 1 // %s\n", ident(name), name)
			continue
		}
		fmt.Fprintf(&b, "%s // %s\n", ident(name), name)
	}
	b.WriteString(")\n\nvar methodText = [...]string{\n")
	for _, name := range p.names {
		fmt.Fprintf(&b, "%s: %q,\n", ident(name), name)
	}
	b.WriteString("}\n\n// methodRows says which side may send a method in which revision, and by which roots its params and result are judged.\n")
	b.WriteString("var methodRows = [...]methodRow{\n")
	for _, r := range p.rows {
		side := "FromClient"
		if r.fromServer {
			side = "FromServer"
		}
		fmt.Fprintf(&b, "{%s, %s, %s, %t, %t, %d, %d},\n", ident(r.name), version(r.revision), side, r.notification, r.required, r.params, r.result)
	}
	b.WriteString("}\n\n// revisionRows are the roots that belong to no method of the schema.\nvar revisionRows = [...]revisionRow{\n")
	for i, r := range p.plain {
		fmt.Fprintf(&b, "%s: {%d, %d, %d, %d, %d},\n", version(i+1), r.result, r.openResult, r.failure, r.request, r.notification)
	}
	b.WriteString("}\n\n// inputRoots are the roots by which responses to the inputRequests of a result are judged.\nvar inputRoots = [numMethods]int{\n")
	for _, name := range p.names {
		if root, ok := p.input[name]; ok {
			fmt.Fprintf(&b, "%s: %d,\n", ident(name), root)
		}
	}
	b.WriteString("}\n\n// taskRoots are the roots by which results of methods are judged that a task may answer instead, and the task.\n")
	b.WriteString("var taskRoots = [numMethods]struct{ usual, task int }{\n")
	for _, name := range p.names {
		if roots, ok := p.tasks[name]; ok {
			fmt.Fprintf(&b, "%s: {%d, %d},\n", ident(name), roots.usual, roots.task)
		}
	}
	b.WriteString("}\n\n// Marks of the members that a walk reports.\nconst (\n")
	for i, name := range capNames {
		if name != "" {
			fmt.Fprintf(&b, "%s = %d\n", name, i)
		}
	}
	b.WriteString(")\n")
	return b.String()
}

func version(number int) string { return "V" + strings.ReplaceAll(revisions[number-1], "-", "") }

func (p *program) tables() string {
	t := schema.Dump(p.roots)
	var b bytes.Buffer
	b.WriteString("import \"github.com/sallyport/sallyport/internal/schema\"\n\n")
	b.WriteString("var tables = schema.Table{\nAtoms: []schema.Atom{\n")
	for i := range t.Atoms {
		fmt.Fprintf(&b, "%s, // %d\n", literal(&t.Atoms[i]), i)
	}
	b.WriteString("},\nNodes: []schema.NodeRow{\n")
	for i, n := range t.Nodes {
		fmt.Fprintf(&b, "{ // %d\n", i+1)
		b.WriteString("Atoms: []schema.AtomUse{")
		for _, u := range n.Atoms {
			fmt.Fprintf(&b, "{%s},", use(u))
		}
		b.WriteString("},\n")
		if n.Gates != nil {
			b.WriteString("Gates: []schema.Gate{")
			for _, g := range n.Gates {
				fmt.Fprintf(&b, "{Op: %d, Mask: %#x, Bit: %#x},", g.Op, g.Mask, g.Bit)
			}
			b.WriteString("},\n")
		}
		if n.Members != nil {
			b.WriteString("Members: []schema.MemberRow{\n")
			for _, m := range n.Members {
				fmt.Fprintf(&b, "{Name: %q, Bit: %#x, Edge: %s},\n", m.Name, m.Bit, edge(m.Edge))
			}
			b.WriteString("},\n")
		}
		if e := edge(n.Other); e != "schema.EdgeRow{}" {
			fmt.Fprintf(&b, "Other: %s,\n", e)
		}
		if e := edge(n.Items); e != "schema.EdgeRow{}" {
			fmt.Fprintf(&b, "Items: %s,\n", e)
		}
		b.WriteString("},\n")
	}
	b.WriteString("},\nRoots: []schema.EdgeRow{\n")
	for i, e := range t.Roots {
		fmt.Fprintf(&b, "%s, // %d\n", edge(e), i)
	}
	b.WriteString("},\n}\n")
	return b.String()
}

func use(u schema.AtomUse) string {
	text := fmt.Sprintf("Atom: %d", u.Atom)
	if u.Required != 0 {
		text += fmt.Sprintf(", Required: %#x", u.Required)
	}
	if u.Any != 0 {
		text += fmt.Sprintf(", Any: %#x", u.Any)
	}
	if u.Optional != 0 {
		text += fmt.Sprintf(", Optional: %#x", u.Optional)
	}
	if u.Without != 0 {
		text += fmt.Sprintf(", Without: %#x", u.Without)
	}
	return text
}

func edge(e schema.EdgeRow) string {
	var parts []string
	if e.To != 0 {
		parts = append(parts, fmt.Sprintf("To: %d", e.To))
	}
	if e.Maps != nil {
		maps := ""
		for _, m := range e.Maps {
			maps += fmt.Sprintf("{Kill: %#x, Need: %#x},", m.Kill, m.Need)
		}
		parts = append(parts, "Maps: []schema.Map{"+maps+"}")
	}
	if e.Closed != 0 {
		parts = append(parts, fmt.Sprintf("Closed: %#x", e.Closed))
	}
	if e.Cap != 0 {
		parts = append(parts, "Cap: "+capNames[e.Cap])
	}
	return "schema.EdgeRow{" + strings.Join(parts, ", ") + "}"
}

// literal writes an atom, without the fields that have their usual value.
func literal(a *schema.Atom) string {
	var parts []string
	add := func(name string, usual bool, value string) {
		if !usual {
			parts = append(parts, name+": "+value)
		}
	}
	num := func(name string, n, usual int) { add(name, n == usual, fmt.Sprint(n)) }
	consts := func(name string, list []schema.Const) {
		text := "[]schema.Const{"
		for _, c := range list {
			text += fmt.Sprintf("{Kind: %#x, Text: %q},", c.Kind, c.Text)
		}
		add(name, list == nil, text+"}")
	}
	add("Types", false, fmt.Sprintf("%#x", a.Types))
	consts("Enum", a.Enum)
	add("Min", a.Min == "", fmt.Sprintf("%q", a.Min))
	add("Max", a.Max == "", fmt.Sprintf("%q", a.Max))
	num("MaxLen", a.MaxLen, 0)
	num("MaxItems", a.MaxItems, 0)
	num("MaxProps", a.MaxProps, 0)
	num("MoreTypes", int(a.MoreTypes), 0)
	add("Strict", !a.Strict, "true")
	num("Format", int(a.Format), 0)
	num("NameRule", int(a.NameRule), 0)
	consts("ProseEnum", a.ProseEnum)
	consts("NotEnum", a.NotEnum)
	return "{" + strings.Join(parts, ", ") + "}"
}
