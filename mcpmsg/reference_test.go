package mcpmsg_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/reference"
	"github.com/sallyport/sallyport/mcpmsg"
)

// recorded is one line of the reference corpora.
type recorded struct {
	ID, Class, Layer, Why, Expect string
	Request                       struct {
		Method, Path string
		Headers      [][2]string
		Body         string
		BodyB64      string `json:"body_b64"`
	}
	Response *struct {
		Headers [][2]string
		Body    string
		BodyB64 string `json:"body_b64"`
	}
}

func (r *recorded) body(t *testing.T) []byte {
	if r.Request.BodyB64 != "" {
		b, err := base64.StdEncoding.DecodeString(r.Request.BodyB64)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return []byte(r.Request.Body)
}

func (r *recorded) header() map[string][]string {
	h := map[string][]string{}
	for _, f := range r.Request.Headers {
		h[f[0]] = append(h[f[0]], f[1])
	}
	return h
}

// version is the revision that the header names, or 0.
func (r *recorded) version() mcpmsg.Version {
	for _, f := range r.Request.Headers {
		if strings.EqualFold(f[0], "MCP-Protocol-Version") {
			v, _ := mcpmsg.ParseVersion(strings.TrimSpace(f[1]))
			return v
		}
	}
	return 0
}

// isMCP reports whether the request carries an MCP message.
func (r *recorded) isMCP() bool {
	path, _, _ := strings.Cut(r.Request.Path, "?")
	switch path {
	case "/mcp_message", "/message", "/messages", "/sse":
		return r.Request.Method == "POST"
	}
	return r.Request.Method == "POST" && (strings.HasSuffix(path, "/mcp") || strings.Contains(path, "/mcp/"))
}

func readLines(t *testing.T, path string) []recorded {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []recorded
	for s := bufio.NewReader(f); ; {
		line, err := s.ReadBytes('\n')
		if len(line) > 0 {
			var r recorded
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
		if err != nil {
			return all
		}
	}
}

func newValidator(t testing.TB, cfg mcpmsg.Config) *mcpmsg.Validator {
	t.Helper()
	v, err := mcpmsg.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// judge checks a body from a client and its mirror headers.
func judge(t *testing.T, v *mcpmsg.Validator, r *recorded) (mcpmsg.Message, mcpmsg.Violation) {
	m, bad := v.Check(r.body(t), mcpmsg.Context{Version: r.version(), Direction: mcpmsg.FromClient})
	if bad.OK() {
		bad = v.CheckMirror(&m, r.header())
	}
	return m, bad
}

func TestCaptures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(reference.Path(t, "mcp", "captures"), "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal("no captures", err)
	}
	v := newValidator(t, mcpmsg.Config{})
	n := 0
	for _, file := range files {
		for _, r := range readLines(t, file) {
			if r.Expect != "pass" || r.Request.Method != "POST" || r.Request.Body == "" {
				continue
			}
			n++
			if m, bad := judge(t, v, &r); !bad.OK() {
				t.Errorf("%s %s: %v at %q in %.300s (%v)", filepath.Base(file), r.ID, bad.Err(), bad.Pointer(r.body(t)), r.Request.Body, m.Version)
			}
			if m, bad := v.Check(r.body(t), mcpmsg.Context{Direction: mcpmsg.FromClient}); !bad.OK() {
				t.Errorf("%s %s without version: %v in %.300s (%v)", filepath.Base(file), r.ID, bad.Err(), r.Request.Body, m.Version)
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d captured messages", n)
	}
}

// answers are the messages of the response: its body, or the data of its events.
func (r *recorded) answers(t *testing.T) [][]byte {
	body := []byte(r.Response.Body)
	if r.Response.BodyB64 != "" {
		var err error
		if body, err = base64.StdEncoding.DecodeString(r.Response.BodyB64); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range r.Response.Headers {
		if strings.EqualFold(f[0], "Content-Type") && strings.HasPrefix(f[1], "text/event-stream") {
			var all [][]byte
			for _, line := range strings.Split(string(body), "\n") {
				if data, ok := strings.CutPrefix(line, "data: "); ok {
					all = append(all, []byte(data))
				}
			}
			return all
		}
	}
	return [][]byte{body}
}

// judgeAnswers checks the messages of a response.
func judgeAnswers(t *testing.T, v *mcpmsg.Validator, r *recorded, m *mcpmsg.Message) mcpmsg.Violation {
	for _, body := range r.answers(t) {
		if _, bad := v.Check(body, mcpmsg.Context{Version: m.Version, Direction: mcpmsg.FromServer, ResultOf: m.Method}); !bad.OK() {
			return bad
		}
	}
	return mcpmsg.Violation{}
}

func TestCorpus(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	for _, r := range readLines(t, reference.Path(t, "corpus", "attacks.jsonl")) {
		if r.Layer != "mcpmsg" || r.Class == "content-type-confusion" { // the body is fine, its media type is not
			continue
		}
		m, bad := judge(t, v, &r)
		if bad.OK() && r.Response != nil {
			bad = judgeAnswers(t, v, &r, &m)
		}
		if bad.OK() {
			t.Errorf("%s (%s): accepted %.200s", r.ID, r.Why, r.Request.Body)
		} else {
			t.Logf("%s (%s): %v", r.ID, r.Why, bad.Err())
		}
	}
	for _, r := range readLines(t, reference.Path(t, "corpus", "benign.jsonl")) {
		if !r.isMCP() {
			continue
		}
		m, bad := judge(t, v, &r)
		if bad.OK() && r.Response != nil {
			bad = judgeAnswers(t, v, &r, &m)
		}
		if !bad.OK() {
			t.Errorf("%s (%s): %v at %q in %.300s", r.ID, r.Why, bad.Err(), bad.Pointer(r.body(t)), r.Request.Body)
		}
	}
}

// TestCapturedAnswers: what real servers answered is accepted too, where the whole answer was recorded.
func TestCapturedAnswers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(reference.Path(t, "mcp", "captures"), "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	v := newValidator(t, mcpmsg.Config{})
	n := 0
	for _, file := range files {
		for _, r := range readLines(t, file) {
			if r.Expect != "pass" || r.Request.Method != "POST" || r.Response == nil || len(r.Response.Body) >= 4096 {
				continue
			}
			m, bad := v.Check(r.body(t), mcpmsg.Context{Version: r.version(), Direction: mcpmsg.FromClient})
			if !bad.OK() || m.Kind != mcpmsg.Request {
				continue
			}
			for _, body := range r.answers(t) {
				if !json.Valid(body) {
					continue
				}
				n++
				ctx := mcpmsg.Context{Direction: mcpmsg.FromServer, ResultOf: m.Method}
				if m.Version.Stateless() {
					ctx.Version = m.Version
				}
				if _, bad := v.Check(body, ctx); !bad.OK() {
					t.Errorf("%s %s: %v at %q in %.400s", filepath.Base(file), r.ID, bad.Err(), bad.Pointer(body), body)
				}
			}
		}
	}
	t.Logf("%d answers", n)
}
