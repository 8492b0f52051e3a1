package waf

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// Bounds of a policy file.
const (
	maxPolicyBytes  = 1 << 20
	maxPolicyDepth  = 32
	maxPolicyFaults = 100 // reported at once
)

// policyNode is one value of a policy file, where it starts and where it ends.
type policyNode struct {
	offset  int
	end     int        // one past the last byte
	token   json.Token // string, json.Number, bool, nil, or json.Delim '{' or '['
	members []policyMember
	items   []policyNode
}

type policyMember struct {
	offset int
	name   string // decoded
	value  policyNode
}

// policyFault is what is wrong with a file and where.
type policyFault struct {
	offset  int
	message string
}

// parsePolicyTree reads a file as one JSON value, or returns the first fault of its text.
func parsePolicyTree(data []byte) (policyNode, *policyFault) {
	switch {
	case len(data) > maxPolicyBytes:
		return policyNode{}, &policyFault{0, "the file is longer than 1 MiB"}
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return policyNode{}, &policyFault{0, "the file starts with a byte order mark"}
	case !utf8.Valid(data):
		return policyNode{}, &policyFault{validPrefix(data), "not valid UTF-8"}
	case !json.Valid(data):
		return policyNode{}, syntaxFault(data)
	}
	t := policyTree{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	t.dec.UseNumber()
	root := t.value(1)
	return root, t.fault
}

// validPrefix returns the length of the longest prefix that is valid UTF-8.
func validPrefix(data []byte) int {
	n := 0
	for n < len(data) {
		r, size := utf8.DecodeRune(data[n:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	return n
}

// syntaxFault finds where data stops being JSON. A NUL, which is valid nowhere, makes an early end a bad byte like any
// other, so that the decoder's offset is one past the culprit in every case.
func syntaxFault(data []byte) *policyFault {
	var syntax *json.SyntaxError
	var raw json.RawMessage
	if err := json.Unmarshal(append(bytes.Clone(data), 0), &raw); !errors.As(err, &syntax) {
		return &policyFault{0, "not valid JSON"}
	}
	if offset := int(syntax.Offset) - 1; offset < len(data) {
		return &policyFault{offset, "not valid JSON from here on"}
	}
	return &policyFault{len(data), "the file ends too early"}
}

// policyTree builds the nodes of a file that is known to be valid JSON.
type policyTree struct {
	data  []byte
	dec   *json.Decoder
	fault *policyFault // the first
}

func (t *policyTree) fail(offset int, message string) {
	if t.fault == nil {
		t.fault = &policyFault{offset, message}
	}
}

// token reads the next token and returns it with the offset of its first byte.
func (t *policyTree) token() (json.Token, int) {
	offset := int(t.dec.InputOffset())
	offset += len(t.data[offset:]) - len(bytes.TrimLeft(t.data[offset:], " \t\r\n,:"))
	token, err := t.dec.Token()
	if err != nil {
		t.fail(offset, "not valid JSON from here on")
	}
	if text, ok := token.(string); ok && bytes.ContainsRune([]byte(text), utf8.RuneError) {
		t.fail(offset, "the string holds U+FFFD or an escape that is half of a surrogate pair")
	}
	return token, offset
}

func (t *policyTree) value(depth int) (n policyNode) {
	token, offset := t.token()
	n = policyNode{offset: offset, token: token}
	if _, composed := token.(json.Delim); composed && depth > maxPolicyDepth {
		t.fail(offset, "nested deeper than 32 levels")
	}
	defer func() { n.end = int(t.dec.InputOffset()) }()
	switch token {
	case json.Delim('{'):
		for t.fault == nil && t.dec.More() {
			token, offset := t.token()
			name, _ := token.(string)
			n.members = append(n.members, policyMember{offset, name, t.value(depth + 1)})
		}
	case json.Delim('['):
		for t.fault == nil && t.dec.More() {
			n.items = append(n.items, t.value(depth+1))
		}
	default:
		return n
	}
	if t.fault == nil {
		t.token() // the closing delimiter
	}
	return n
}
