package schema

import (
	"fmt"
	"strings"
)

// Table is a graph in the form of rows, without pointers, as generated code holds it.
type Table struct {
	Atoms []Atom
	Nodes []NodeRow
	Roots []EdgeRow
}

// NodeRow is a [Node].
type NodeRow struct {
	Atoms   []AtomUse
	Gates   []Gate
	Members []MemberRow
	Other   EdgeRow
	Items   EdgeRow
}

// AtomUse is an atom of a node with the bits of the members that it requires there.
type AtomUse struct {
	Atom                             int
	Required, Any, Optional, Without uint64
}

// MemberRow is a known member.
type MemberRow struct {
	Name string
	Bit  uint64
	Edge EdgeRow
}

// EdgeRow is an [Edge]. To is the row of its node, plus 1; 0 stands for [Free], -1 for none.
type EdgeRow struct {
	To     int
	Maps   []Map
	Closed uint64
	Cap    uint8
}

// Link makes the graph. With published, only what the schema files say is checked, not what the text says beside them; but ids
// must be written as integers in any case, because readers disagree on what 1.0 is.
func (t *Table) Link(published bool) []*Edge {
	nodes := make([]Node, len(t.Nodes))
	places := uint16(0)
	for i := range t.Nodes {
		row, n := &t.Nodes[i], &nodes[i]
		for _, use := range row.Atoms {
			a := t.Atoms[use.Atom]
			a.Required, a.AnyRequired, a.Optional, a.Without = use.Required, use.Any, use.Optional, use.Without
			if published {
				a.MoreTypes, a.Format, a.NameRule, a.ProseEnum, a.NotEnum = 0, 0, 0, nil, nil
				a.AnyRequired, a.Optional, a.Without = 0, 0, 0
			}
			a.Types |= a.MoreTypes
			a.Required &^= a.Optional
			n.atoms = append(n.atoms, a)
		}
		n.gates = row.Gates
		n.other, n.items = row.Other.link(nodes), row.Items.link(nodes)
		slots := make([]slot, len(row.Members))
		for j, m := range row.Members {
			slots[j] = slot{bit: m.Bit, name: m.Name, edge: m.Edge.link(nodes)}
		}
		n.finish(slots)
		n.number(&places)
	}
	roots := make([]*Edge, len(t.Roots))
	for i := range t.Roots {
		e := t.Roots[i].link(nodes)
		e.finish(false)
		places++
		e.id = places
		roots[i] = &e
	}
	return roots
}

// number gives an id to each place between members of n. That of the items stands for the place before the first one.
func (n *Node) number(last *uint16) {
	n.edges(func(e *Edge) {
		*last++
		e.id = *last
	})
}

func (r *EdgeRow) link(nodes []Node) Edge {
	e := Edge{Maps: r.Maps, Closed: r.Closed, Cap: r.Cap}
	switch {
	case r.To == 0:
		e.Node = Free
	case r.To > 0:
		e.Node = &nodes[r.To-1]
	}
	return e
}

// Dump makes the rows of the graph behind the roots. Nodes that judge alike become one row, wherever they came from.
func Dump(roots []*Edge) *Table {
	var nodes []*Node
	seen := map[*Node]bool{Free: true}
	var visit func(e *Edge)
	visit = func(e *Edge) {
		if e.Node == nil || seen[e.Node] {
			return
		}
		seen[e.Node] = true
		nodes = append(nodes, e.Node)
		e.Node.edges(visit)
	}
	for _, e := range roots {
		visit(e)
	}
	class := classes(nodes)
	t := &Table{}
	atoms := map[string]int{}
	row := map[int]int{} // class -> row
	for _, n := range nodes {
		if _, ok := row[class[n]]; ok {
			continue
		}
		row[class[n]] = len(t.Nodes)
		t.Nodes = append(t.Nodes, NodeRow{})
	}
	edge := func(e *Edge) EdgeRow {
		r := EdgeRow{Maps: e.Maps, Closed: e.Closed, Cap: e.Cap}
		switch {
		case e.Node == nil:
			r.To = -1
		case e.Node != Free:
			r.To = row[class[e.Node]] + 1
		}
		return r
	}
	for _, n := range nodes {
		r := &t.Nodes[row[class[n]]]
		if r.Atoms != nil {
			continue
		}
		for _, a := range n.atoms {
			use := AtomUse{Required: a.Required, Any: a.AnyRequired, Optional: a.Optional, Without: a.Without}
			a.Required, a.AnyRequired, a.Optional, a.Without = 0, 0, 0, 0
			id := fmt.Sprintf("%#v", a)
			k, ok := atoms[id]
			if !ok {
				k = len(t.Atoms)
				atoms[id] = k
				t.Atoms = append(t.Atoms, a)
			}
			use.Atom = k
			r.Atoms = append(r.Atoms, use)
		}
		r.Gates = n.gates
		r.Other, r.Items = edge(&n.other), edge(&n.items)
		for _, s := range n.members() {
			r.Members = append(r.Members, MemberRow{s.name, s.bit, edge(&s.edge)})
		}
	}
	for _, e := range roots {
		t.Roots = append(t.Roots, edge(e))
	}
	return t
}

// members returns the known members in the order of their bits.
func (n *Node) members() []*slot {
	var all []*slot
	for i := range n.table {
		for s := &n.table[i]; s != nil; s = s.next {
			if s.words.Len >= 0 {
				all = append(all, s)
			}
		}
	}
	sortSlots(all)
	return all
}

func (n *Node) edges(visit func(*Edge)) {
	for _, s := range n.members() {
		visit(&s.edge)
	}
	visit(&n.other)
	visit(&n.items)
}

// classes numbers the nodes so that two nodes have the same number if and only if no text tells them apart by their rows:
// it starts from what a node says itself and splits by what its edges lead to until nothing changes.
func classes(nodes []*Node) map[*Node]int {
	class := map[*Node]int{nil: -1, Free: -2}
	for before := 0; ; {
		ids := map[string]int{}
		next := map[*Node]int{nil: -1, Free: -2}
		for _, n := range nodes {
			var id strings.Builder
			fmt.Fprintf(&id, "%#v %v %d", n.atoms, n.gates, class[n])
			n.edges(func(e *Edge) { fmt.Fprintf(&id, " %v %d %d %d", e.Maps, e.Closed, e.Cap, class[e.Node]) })
			for _, s := range n.members() {
				fmt.Fprintf(&id, " %q %d", s.name, s.bit)
			}
			k, ok := ids[id.String()]
			if !ok {
				k = len(ids) + 1
				ids[id.String()] = k
			}
			next[n] = k
		}
		class = next
		if len(ids) == before {
			return class
		}
		before = len(ids)
	}
}
