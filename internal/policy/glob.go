package policy

import (
	"bytes"
	"strings"
)

// matcher is a list of patterns: those without "*" by look-up, the others one after the other.
type matcher struct {
	exact map[string]place
	globs []glob
}

// add takes the pattern that stands at a place in the rules.
func (m *matcher) add(pattern string, at place) {
	if strings.Contains(pattern, "*") {
		g := parseGlob(pattern)
		g.at = at
		m.globs = append(m.globs, g)
		return
	}
	if m.exact == nil {
		m.exact = make(map[string]place)
	}
	if _, ok := m.exact[pattern]; !ok {
		m.exact[pattern] = at
	}
}

// match returns the place of a pattern that matches.
func (m *matcher) match(name []byte) (at place, ok bool) {
	if at, ok = m.exact[string(name)]; ok {
		return at, true
	}
	for i := range m.globs {
		if m.globs[i].match(name) {
			return m.globs[i].at, true
		}
	}
	return place{}, false
}

// matchFolded is match for a folded name and folded patterns, with and without the spaces and dots around the name.
func (m *matcher) matchFolded(folded []byte) (at place, ok bool) {
	if at, ok = m.match(folded); !ok {
		at, ok = m.match(trim(folded))
	}
	return at, ok
}

// glob is a pattern with at least one "*": the literal before the first, those between, and the one after the last.
type glob struct {
	prefix []byte
	middle [][]byte
	suffix []byte
	at     place
}

func parseGlob(pattern string) glob {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	g := glob{prefix: []byte(parts[0]), suffix: []byte(parts[last])}
	for _, part := range parts[1:last] {
		if part != "" {
			g.middle = append(g.middle, []byte(part))
		}
	}
	return g
}

// match looks for each middle literal at the first place after the one before. The first place is as good as any: it leaves
// the most room for the rest, so there is nothing to go back for, and each byte of the name is searched once. The search is
// bytes.Index, linear but for contrived hash collisions, which the bounds on names and patterns keep harmless.
func (g *glob) match(name []byte) bool {
	if len(name) < len(g.prefix)+len(g.suffix) || !bytes.HasPrefix(name, g.prefix) || !bytes.HasSuffix(name, g.suffix) {
		return false
	}
	name = name[len(g.prefix) : len(name)-len(g.suffix)]
	for _, literal := range g.middle {
		at := bytes.Index(name, literal)
		if at < 0 {
			return false
		}
		name = name[at+len(literal):]
	}
	return true
}
