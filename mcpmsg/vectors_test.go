package mcpmsg_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

// vector is a line of testdata/vectors, whose README says what its members mean.
type vector struct {
	Name     string
	Source   string
	Revision string
	From     string
	ResultOf string `json:"result_of"`
	Task     string
	Config   mcpmsg.Config
	Tools    map[string]json.RawMessage
	Message  vectorText
	Headers  map[string][]string
	After    vectorText
	Code     string
	Field    string
	Twin     string

	ctx  mcpmsg.Context
	want mcpmsg.Code
}

// vectorText is a string, or parts of one.
type vectorText []byte

func (v *vectorText) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		var s string
		err := json.Unmarshal(text, &s)
		*v = vectorText(s)
		return err
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	for _, part := range parts {
		var p struct {
			Hex    string
			Repeat string
			Times  int
		}
		if part[0] == '"' {
			p.Times = 1
			if err := json.Unmarshal(part, &p.Repeat); err != nil {
				return err
			}
		} else if err := json.Unmarshal(part, &p); err != nil {
			return err
		}
		raw, err := hex.DecodeString(p.Hex)
		if err != nil {
			return err
		}
		*v = append(append(*v, raw...), strings.Repeat(p.Repeat, p.Times)...)
	}
	return nil
}

var readVectors = sync.OnceValues(func() (all []vector, err error) {
	codes := map[string]mcpmsg.Code{}
	for c := mcpmsg.CodeOK; c.String() != "unknown"; c++ {
		codes[c.String()] = c
	}
	files, err := filepath.Glob("testdata/vectors/*.jsonl")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		for {
			var v vector
			if err := dec.Decode(&v); err == io.EOF {
				break
			} else if err != nil {
				return nil, errors.Join(errors.New(file), err)
			}
			var versionKnown, methodKnown, codeKnown bool
			v.ctx.Version, versionKnown = mcpmsg.ParseVersion(v.Revision)
			v.ctx.ResultOf, methodKnown = mcpmsg.ParseMethod(v.ResultOf)
			v.want, codeKnown = codes[v.Code]
			task, taskKnown := map[string]mcpmsg.Task{"": mcpmsg.TaskPossible, "none": mcpmsg.TaskNone, "expected": mcpmsg.TaskExpected}[v.Task]
			v.ctx.Task = task
			if !taskKnown || !codeKnown || versionKnown != (v.Revision != "") || methodKnown != (v.ResultOf != "") {
				return nil, errors.New(file + ": unknown code, revision, method or task of " + v.Name)
			}
			for d := mcpmsg.FromClient; d <= mcpmsg.FromServer; d++ {
				if v.From == d.String() {
					v.ctx.Direction = d
				}
			}
			all = append(all, v)
		}
	}
	return all, err
})

func vectors(t testing.TB) []vector {
	t.Helper()
	all, err := readVectors()
	if err != nil || len(all) < 300 {
		t.Fatalf("%d vectors, want 300 or more: %v", len(all), err)
	}
	return all
}

// validator returns one that is configured as the vector says.
func (v *vector) validator(t testing.TB) *mcpmsg.Validator {
	t.Helper()
	cfg := v.Config
	for name, text := range v.Tools {
		cfg.Tools = append(cfg.Tools, mcpmsg.ToolRule{Name: name, InputSchema: compile(t, string(text))})
	}
	return newValidator(t, cfg)
}

// judge returns the verdict that the vector asks for.
func (v *vector) judge(t testing.TB, by *mcpmsg.Validator) (m mcpmsg.Message, bad mcpmsg.Violation) {
	m, bad = by.Check(v.Message, v.ctx)
	if (v.Headers != nil || v.After != nil) && !bad.OK() {
		t.Errorf("%s: the message is refused: %v", v.Name, bad.Err())
		return m, bad
	}
	if v.Headers != nil {
		bad = by.CheckMirror(&m, v.Headers)
	}
	if v.After != nil {
		result, notOne := by.Check(v.After, mcpmsg.Context{Version: v.ctx.Version, Direction: mcpmsg.FromServer, ResultOf: m.Method})
		if !notOne.OK() {
			t.Errorf("%s: the result is refused: %v", v.Name, notOne.Err())
		}
		bad = by.CheckRetry(&m, &result)
	}
	return m, bad
}

func TestVectors(t *testing.T) {
	for _, r := range vectors(t) {
		v := r.validator(t)
		m, bad := r.judge(t, v)
		if bad.Code != r.want || bad.Name != r.Field {
			t.Errorf("%s: %v in %q (%v at %d, %q) of %.300q, want %v in %q",
				r.Name, bad.Code, bad.Name, m.Version, bad.Offset, bad.Pointer(r.Message), r.Message, r.want, r.Field)
		}
		if bad.Offset < 0 || bad.Offset > len(r.Message) {
			t.Errorf("%s: offset %d is outside of the message", r.Name, bad.Offset)
		}
		if code, text := bad.RPC(); (code == 0) != bad.OK() || (text == "") != bad.OK() {
			t.Errorf("%s: RPC() = %d, %q for %v", r.Name, code, text, bad.Code)
		}
		if _, bad := v.Check(r.Message, r.ctx); bad.OK() != (m.Kind != 0) {
			t.Errorf("%s: kind %v with verdict %v", r.Name, m.Kind, bad.Code)
		}
		if n := allocs(5, func() { r.judge(t, v) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", r.Name, n)
		}
	}
}

// TestVectorsAllocate: reading the messages of a batch, and comparing headers that have nothing to do with the message, takes no memory.
func TestVectorsAllocate(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	header := map[string][]string{"Mcp-Method": {"ping"}, "mcp-name": {"=?base64?YQ==?="}, "Accept": {"*/*"}}
	for _, r := range vectors(t) {
		if n := allocs(5, func() {
			m, _ := v.Check(r.Message, r.ctx)
			v.CheckMirror(&m, header)
			for range m.Each() {
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations, want 0", r.Name, n)
		}
	}
}

// TestVectorsComplete: every code has a vector, and every refusal that names a twin one that is accepted.
func TestVectorsComplete(t *testing.T) {
	named := map[string]*vector{}
	all := vectors(t)
	for i := range all {
		v := &all[i]
		if named[v.Name] != nil || v.Name == "" || v.Source == "" {
			t.Errorf("%q: its name is taken, or it has no name or source", v.Name)
		}
		named[v.Name] = v
	}
	paired := map[mcpmsg.Code]int{}
	for _, v := range all {
		switch {
		case v.want == mcpmsg.CodeOK && v.Twin == "":
		case v.want == mcpmsg.CodeOK, named[v.Twin] == nil, named[v.Twin].want != mcpmsg.CodeOK:
			t.Errorf("%s: is %v and has the twin %q", v.Name, v.want, v.Twin)
		default:
			paired[v.want]++
		}
	}
	for c := mcpmsg.CodeOK + 1; c.String() != "unknown"; c++ {
		if paired[c] == 0 {
			t.Errorf("%v has no vector", c)
		}
	}
}
