package mcpmsg

import (
	"github.com/sallyport/sallyport/internal/jsonscan"
)

// Raw is the raw JSON text of one value of a message that [Validator.Check] accepted. It aliases the message: it is valid
// as long as the message is not changed, and keeps it in memory. nil stands for an absent value.
type Raw []byte

// RawKind is the kind of a [Raw] value.
type RawKind uint8

// The kinds of values.
const (
	RawAbsent RawKind = iota
	RawString
	RawNumber
	RawObject
	RawArray
	RawTrue
	RawFalse
	RawNull
)

// Kind returns the kind of the value. It does not allocate.
func (r Raw) Kind() RawKind {
	if len(r) == 0 {
		return RawAbsent
	}
	switch r[0] {
	case '"':
		return RawString
	case '{':
		return RawObject
	case '[':
		return RawArray
	case 't':
		return RawTrue
	case 'f':
		return RawFalse
	case 'n':
		return RawNull
	}
	return RawNumber
}

// Is reports whether the value is a string whose decoded text equals text, byte for byte. It does not allocate.
func (r Raw) Is(text string) bool {
	return r.Kind() == RawString && jsonscan.Equal(r.body(), text)
}

// AppendText appends the decoded text of a string to dst. A value of another kind appends nothing. It allocates only
// where dst is too small.
func (r Raw) AppendText(dst []byte) []byte {
	if r.Kind() != RawString {
		return dst
	}
	return jsonscan.AppendText(dst, r.body())
}

// HasHiddenText reports whether the strings in the value hold text that people do not see and models read: characters of the
// tags block outside of a flag, an override of the text's direction, runs of variation selectors or of invisible characters.
// Names and descriptions in lists of tools have no use for them. It does not allocate.
func (r Raw) HasHiddenText() bool { return hiddenText(r, true) >= 0 }

// body is what stands between the quotes of a string.
func (r Raw) body() []byte { return r[1:max(1, len(r)-1)] }
