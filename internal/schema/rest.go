package schema

import (
	"github.com/sallyport/sallyport/internal/jsonscan"
)

// OpenMember returns the mark of the outermost object's member that was being read when the walk stopped.
func (w *Walker) OpenMember() uint8 {
	if w.at.depth == 0 {
		return 0
	}
	return w.frames[0].cap
}

// ReadMember reads the value that begins at b[i] as [Walker.Rest] does.
func (w *Walker) ReadMember(b []byte, i int, name string) (end, from, to, times int) {
	w.Fault, w.at = Fault{}, resume{i, 0, true}
	return w.Rest(b, name)
}

// Rest reads on where a walk stopped on a fault that leaves the text readable, and judges nothing but the syntax. It
// returns the index after the walk's value, or -1, and what it passed of the outermost object's member with the given
// name: the place of its value, and how often it came; a twin of it counts twice.
func (w *Walker) Rest(b []byte, name string) (end, from, to, times int) {
	i, depth := w.at.pos, w.at.depth
	var quote int
	mine := false // the value being read belongs to the wanted member
	if w.at.depth == 1 && (w.Fault.Reason == Duplicate || w.Fault.Reason == Twin) && w.isNamed(b, w.Fault.Offset+1, name) {
		times = 2 // the walk stopped at a second one
	}
	if w.at.value {
		goto value
	}
after:
	if depth == 0 {
		return i, from, to, times
	}
	if mine && depth == 1 {
		mine, to = false, i
	}
	i = jsonscan.Space(b, i)
	if i >= len(b) {
		return -1, 0, 0, 0
	}
	switch f := &w.frames[depth-1]; {
	case b[i] == ',' && f.object:
		i = jsonscan.Space(b, i+1)
		goto name
	case b[i] == ',':
		i++
		goto value
	case b[i] == '}' && f.object, b[i] == ']' && !f.object:
		i++
		depth--
		goto after
	}
	return -1, 0, 0, 0
name:
	if i >= len(b) || b[i] != '"' {
		return -1, 0, 0, 0
	}
	if quote = jsonscan.SkipString(b, i+1); quote < 0 {
		return -1, 0, 0, 0
	}
	if depth == 1 {
		mine = w.isNamed(b, i+1, name)
		if mine && !jsonscan.Equal(b[i+1:quote-1], name) {
			times++ // a twin is as good as a second one
		}
	}
	if i = jsonscan.Space(b, quote); i >= len(b) || b[i] != ':' {
		return -1, 0, 0, 0
	}
	i++
	if mine && depth == 1 {
		times++
		from = jsonscan.Space(b, i)
	}
value:
	if i = jsonscan.Space(b, i); i >= len(b) {
		return -1, 0, 0, 0
	}
	switch c := b[i]; {
	case c == '{' || c == '[':
		if depth >= len(w.frames) {
			return -1, 0, 0, 0
		}
		w.frames[depth].object = c == '{'
		depth++
		i = jsonscan.Space(b, i+1)
		switch {
		case i < len(b) && b[i] == c+2: // '}' and ']' are two above '{' and '['
			i++
			depth--
			goto after
		case c == '{':
			goto name
		}
		goto value
	case c == '"':
		i = jsonscan.SkipString(b, i+1)
	case c == '-' || c-'0' < 10:
		i, _ = jsonscan.Number(b, i)
	default:
		i = jsonscan.Literal(b, i)
	}
	if i < 0 {
		return -1, 0, 0, 0
	}
	goto after
}

// isNamed reports whether the member name that begins after the quote before b[i] is name, which is a folded one, or a twin of it.
func (w *Walker) isNamed(b []byte, i int, name string) bool {
	w.text = jsonscan.AppendFolded(w.text[:0], b[i:jsonscan.SkipString(b, i)-1])
	return string(w.text) == name
}
