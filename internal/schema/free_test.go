package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"strings"
	"testing"
	"unicode/utf8"
)

// strict is the oracle for a walk that judges nothing but the text: encoding/json, plus UTF-8, no surrogate halves and no
// repeated names.
func strict(text []byte) bool {
	if !json.Valid(text) || !utf8.Valid(text) {
		return false
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	halves := 0
	type level struct {
		names map[string]bool
		name  bool // the next string is a name
	}
	var open []level
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return false
		}
		top := len(open) - 1
		isName := top >= 0 && open[top].names != nil && open[top].name
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				if top >= 0 {
					open[top].name = true
				}
				l := level{}
				if v == '{' {
					l = level{names: map[string]bool{}, name: true}
				}
				open = append(open, l)
				continue
			}
			open = open[:top]
			continue
		case string:
			halves += strings.Count(v, "\ufffd")
			if isName {
				if open[top].names[v] {
					return false
				}
				open[top].names[v] = true
			}
		}
		if top >= 0 {
			open[top].name = !isName
		}
	}
	// encoding/json puts U+FFFD for a half.
	return halves == bytes.Count(text, []byte("\ufffd"))+bytes.Count(bytes.ToLower(text), []byte(`\ufffd`))
}

func (r maker) text(depth int) string {
	space := strings.Repeat(r.pick("", "", "", " ", "\n\t"), r.Intn(3))
	switch k := r.Intn(8); {
	case depth == 0 || k < 3:
		return space + r.pick(`null`, `true`, `false`, `0`, `-0`, `12`, `999`, `1000`, `-7`, `1.5`, `0.5e-3`, `1E+5`, `""`, r.str(), r.str(), r.str()) + space
	case k < 5:
		var items []string
		for range r.Intn(4) {
			items = append(items, r.text(depth-1))
		}
		return "[" + strings.Join(items, ",") + "]" + space
	}
	var members []string
	for i := range r.Intn(9) {
		if r.Intn(8) == 0 {
			i = r.Intn(9) // perhaps again
		}
		members = append(members, space+`"`+r.pick("a", "a", "a", `\u0061`)+strings.Repeat("a", 2*i)+fmt.Sprint(i)+`"`+space+":"+r.text(depth-1))
	}
	if r.Intn(20) == 0 {
		for i := range 30 {
			if r.Intn(50) == 0 {
				i = r.Intn(30)
			}
			members = append(members, fmt.Sprintf(`"n%d":%d`, i, i))
		}
	}
	return "{" + strings.Join(members, ",") + space + "}"
}

// str makes strings of all lengths around the sizes of blocks, with everything that a string can have.
func (r maker) str() string {
	var b strings.Builder
	for b.Len() < r.Intn(80) {
		b.WriteString(r.pick("a", "bcdefgh", "ijklmnopqrstuvwxyz0123456789ABCDEF", `\"`, `\\`, `\n`, `\u00e9`, `\ud83d\ude00`, "é", "日本語", "😀", "/", `\/`))
	}
	return `"` + b.String() + `"`
}

// TestFreeText: texts with one change each, or none, under the node that admits everything, and under one that does not know
// their members but walks them one by one.
func TestFreeText(t *testing.T) {
	r := maker{rand.New(rand.NewSource(3))}
	w := NewWalker(testLimits)
	doc, err := Decode([]byte(`{"properties":{"none":{"type":"string"}},"additionalProperties":{"type":["string","number","boolean","null","object","array"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	known, err := NewCompiler(doc, testDialect).Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	good, bad := 0, 0
	for range 20_000 {
		text := []byte(r.text(4))
		if n := r.Intn(4); n > 0 {
			at := r.Intn(len(text))
			switch n {
			case 1:
				text[at] = `"\{}[]:,0123456789eE.+-aubé 	`[r.Intn(28)]
			case 2:
				text = append(text[:at:at], text[min(len(text), at+1+r.Intn(3)):]...)
			default:
				text[at] ^= 1 << r.Intn(8)
			}
		}
		want := strict(text)
		for _, root := range []*Edge{{Node: Free}, known} {
			end := w.Walk(text, 0, root, 0)
			for end >= 0 && end < len(text) && strings.IndexByte(" \t\r\n", text[end]) >= 0 {
				end++
			}
			if got := end == len(text); got != want && w.Fault.Reason != Depth && w.Fault.Reason != Overflow {
				t.Fatalf("%q is accepted: %v, want %v (%+v)", text, got, want, w.Fault)
			}
		}
		if want {
			good++
		} else {
			bad++
		}
	}
	t.Logf("%d good, %d bad", good, bad)
}
