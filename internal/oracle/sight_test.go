package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/sallyport/sallyport/mcpmsg"
)

// sight is what a reader sees of a message: each part as canonical text, "" for an absent one, unread for one that the
// reader does not look at.
type sight [parts]string

const (
	methodPart = iota
	idPart
	namePart
	taskPart
	uriPart
	argumentsPart
	metaPart
	resultPart
	errorPart
	wholePart
	parts
)

var partNames = [parts]string{"method", "id", "name", "taskId", "uri", "arguments", "_meta", "result", "error", "the whole message"}

const unread = "\x00"

// form is how canonical text shows numbers.
type form bool

const (
	asText  form = false // as the message writes them
	asFloat form = true  // as the nearest float64, for readers that know no other numbers
)

// canonical appends a value of encoding/json, decoded with UseNumber or not, in a form that is equal for equal values:
// members sorted, strings as UTF-16 units.
func canonical(dst []byte, v any, f form) []byte {
	switch v := v.(type) {
	case string:
		return canonicalString(dst, v)
	case json.Number:
		return canonicalNumber(dst, v.String(), f)
	case float64:
		return fmt.Appendf(dst, "f%016x", math.Float64bits(v))
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = canonical(dst, e, f)
		}
		return append(dst, ']')
	case map[string]any:
		members := make([]string, 0, len(v))
		for name, e := range v {
			members = append(members, string(canonical(append(canonicalString(nil, name), ':'), e, f)))
		}
		return canonicalObject(dst, members)
	case nil:
		return append(dst, "null"...)
	}
	return fmt.Append(dst, v)
}

// canonicalObject joins members, each its name, a colon and its value.
func canonicalObject(dst []byte, members []string) []byte {
	slices.Sort(members)
	dst = append(dst, '{')
	dst = append(dst, strings.Join(members, ",")...)
	return append(dst, '}')
}

func canonicalNumber(dst []byte, text string, f form) []byte {
	if f == asText {
		return append(dst, text...)
	}
	n, _ := strconv.ParseFloat(text, 64) // out of range: an infinity, as JSON.parse reads it
	return fmt.Appendf(dst, "f%016x", math.Float64bits(n))
}

func canonicalString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i, r := range s {
		switch {
		case r >= ' ' && r < 0x7f && r != '"' && r != '\\':
			dst = append(dst, byte(r))
		case r == utf8.RuneError && s[i] != 0xef:
			dst = fmt.Appendf(dst, `\x%02x`, s[i]) // broken UTF-8 equals nothing that is whole
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				dst = fmt.Appendf(dst, `\u%04x`, unit)
			}
		}
	}
	return append(dst, '"')
}

// memory keeps what was worked out for one message: most readers see the same bytes and the same values.
type memory struct {
	texts map[string]string // canonical text by raw text, asText
	maps  [2]any            // the last decoded message, by form
	seen  [2]sight          // what it shows
}

func newMemory() *memory { return &memory{texts: map[string]string{}} }

// text is canonicalText of one message's parts.
func (mem *memory) text(raw []byte, f form) (string, error) {
	if f != asText {
		return canonicalText(raw, f)
	}
	if text, ok := mem.texts[string(raw)]; ok {
		return text, nil
	}
	text, err := canonicalText(raw, f)
	if err == nil {
		mem.texts[string(raw)] = text
	}
	return text, err
}

// canonicalText reads the raw text of a value with jsontext, keeping repeated members, and returns its canonical text.
func canonicalText(raw []byte, f form) (string, error) {
	if len(raw) == 0 {
		return "", nil
	}
	dec := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true))
	dst, err := canonicalTokens(nil, dec, f)
	return string(dst), err
}

func canonicalTokens(dst []byte, dec *jsontext.Decoder, f form) ([]byte, error) {
	tok, err := dec.ReadToken()
	if err != nil {
		return dst, err
	}
	switch tok.Kind() {
	case '"':
		return canonicalString(dst, tok.String()), nil
	case '0':
		return canonicalNumber(dst, tok.String(), f), nil
	case '[':
		dst = append(dst, '[')
		for n := 0; dec.PeekKind() != ']'; n++ {
			if n > 0 {
				dst = append(dst, ',')
			}
			if dst, err = canonicalTokens(dst, dec, f); err != nil {
				return dst, err
			}
		}
		_, err = dec.ReadToken()
		return append(dst, ']'), err
	case '{':
		var members []string
		for dec.PeekKind() != '}' {
			name, err := dec.ReadToken()
			if err != nil {
				return dst, err
			}
			text, err := canonicalTokens(append(canonicalString(nil, name.String()), ':'), dec, f)
			if err != nil {
				return dst, err
			}
			members = append(members, string(text))
		}
		_, err = dec.ReadToken()
		return canonicalObject(dst, members), err
	}
	return append(dst, tok.String()...), nil
}

// hasName are the requests whose name mcpmsg tells, and hasURI those whose uri it tells.
var (
	hasName = []string{"tools/call", "prompts/get"}
	hasTask = []string{"tasks/get", "tasks/result", "tasks/cancel"}
	hasURI  = []string{"resources/read", "resources/subscribe", "resources/unsubscribe"}
)

// ownSight is what mcpmsg says about a message that it accepted.
func ownSight(mem *memory, m *mcpmsg.Message, f form) (s sight, err error) {
	for part := range s {
		s[part] = unread
	}
	text := func(raw mcpmsg.Raw) string {
		if raw.Kind() == mcpmsg.RawString {
			decoded := raw.AppendText(nil)
			if !raw.Is(string(decoded)) {
				err = fmt.Errorf("Is does not admit the text that AppendText gives of %s", raw)
			}
			return string(canonicalString(nil, string(decoded)))
		}
		t, e := mem.text(raw, f)
		if e != nil {
			err = e
		}
		return t
	}
	s[methodPart], s[idPart] = text(m.MethodText), text(m.ID)
	s[resultPart], s[errorPart], s[wholePart] = text(m.Result), text(m.Error), text(m.Raw)
	if m.Params != nil {
		s[metaPart] = text(m.Meta)
	}
	method := m.Method.String()
	if !m.MethodText.Is(method) && m.MethodText != nil {
		err = fmt.Errorf("Method is %q and MethodText %s", method, m.MethodText)
	}
	if m.Kind != mcpmsg.Request {
		return s, err
	}
	if slices.Contains(hasName, method) {
		s[namePart], s[argumentsPart] = text(m.Name), text(m.Arguments)
	}
	if slices.Contains(hasTask, method) {
		s[taskPart] = text(m.Name)
	}
	if slices.Contains(hasURI, method) {
		s[uriPart] = text(m.URI)
	}
	return s, err
}

// difference compares what a reader sees with what mcpmsg says. It returns "" if they agree in all that the reader read.
func (s *sight) difference(own *sight) string {
	for part := range s {
		if s[part] != unread && own[part] != unread && s[part] != own[part] {
			return fmt.Sprintf("%s is %.200q, by mcpmsg %.200q", partNames[part], s[part], own[part])
		}
	}
	return ""
}
