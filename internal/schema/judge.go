package schema

import (
	"github.com/sallyport/sallyport/internal/jsonscan"
)

// admits judges a scalar, given as raw text, by one atom. It sets w.reason when it refuses.
func (w *Walker) admits(a *Atom, kind uint8, raw []byte) bool {
	if a.Types&kind == 0 {
		if kind != KindFraction || a.Types&KindInteger == 0 || a.Strict || !isIntegral(raw) {
			return w.because(Type)
		}
	}
	if a.Strict && kind == KindInteger && !isSafeInteger(raw) {
		return w.because(Range)
	}
	if !a.scalarChecked {
		return true
	}
	if a.Enum != nil && !w.inEnum(a, kind, raw) || a.ProseEnum != nil && !oneOf(a.ProseEnum, kind, raw) ||
		a.NotEnum != nil && oneOf(a.NotEnum, kind, raw) {
		return w.because(Value)
	}
	switch kind {
	case KindInteger, KindFraction:
		return a.inRange(raw) || w.because(Range)
	case KindString:
		return w.admitsText(a, raw[1:len(raw)-1])
	}
	return true
}

func (w *Walker) because(r Reason) bool {
	w.reason = r
	return false
}

// admitsText judges the body of a string.
func (w *Walker) admitsText(a *Atom, body []byte) bool {
	if a.MinLen > 0 || a.MaxLen > 0 {
		if n := jsonscan.RuneCount(body); n < a.MinLen || uint(n) > uint(a.MaxLen-1) {
			return w.because(Length)
		}
	}
	if a.Pattern != nil && !w.matches(a, body) {
		return w.because(Pattern)
	}
	return a.Format == 0 || a.Format.holds(w, body) || w.because(Form)
}

// maxSteps bounds the work of all patterns in one text. An automaton takes time for each byte and each of its states.
const maxSteps = 8 << 20

// matches judges the body of a string by a pattern. Where that would be too much work for this text, the whole text is refused,
// whatever the alternatives say: one of them may be fulfilled by what another one refuses.
func (w *Walker) matches(a *Atom, body []byte) bool {
	if w.steps += len(body) * a.steps; w.steps > maxSteps {
		w.tired = true
		return false
	}
	return a.Pattern.Match(w.decoded(body))
}

// decoded returns the text of a string body, in place where it has no escape.
func (w *Walker) decoded(body []byte) []byte {
	if !jsonscan.HasEscape(body) {
		return body
	}
	w.text = jsonscan.AppendText(w.text[:0], body)
	return w.text
}

func (a *Atom) inRange(number []byte) bool {
	if a.Min != "" {
		if c := compareNumbers(number, a.Min); c < 0 || c == 0 && a.ExclMin {
			return false
		}
	}
	if a.Max != "" {
		if c := compareNumbers(number, a.Max); c > 0 || c == 0 && a.ExclMax {
			return false
		}
	}
	return true
}

// inEnum reports whether the scalar is one of the atom's.
func (w *Walker) inEnum(a *Atom, kind uint8, raw []byte) bool {
	if a.texts != nil && kind == KindString {
		return a.texts[string(w.decoded(raw[1:len(raw)-1]))]
	}
	return oneOf(a.Enum, kind, raw)
}

// oneOf reports whether the scalar is one of the constants.
func oneOf(list []Const, kind uint8, raw []byte) bool {
	for i := range list {
		c := &list[i]
		if c.Kind&kind == 0 && (c.Kind&KindNumber == 0 || kind&KindNumber == 0) {
			continue
		}
		switch {
		case kind == KindString:
			if jsonscan.Equal(raw[1:len(raw)-1], c.Text) {
				return true
			}
		case kind&KindNumber != 0:
			if compareNumbers(raw, c.Text) == 0 {
				return true
			}
		case string(raw) == c.Text:
			return true
		}
	}
	return false
}
