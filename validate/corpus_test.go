package validate_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/reference"
	"github.com/sallyport/sallyport/validate"
)

// corpusCase is a line of the reference corpora and captures.
type corpusCase struct {
	ID       string
	Expect   string
	Layer    string
	Delivery string
	Request  struct {
		Method, Path, Proto string
		Headers             [][2]string
		Body                string
		BodyB64             string `json:"body_b64"`
	}
}

// latin1 returns the bytes that the corpora write as one character each.
func latin1(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

func (c *corpusCase) view() validate.RequestView {
	v := validate.RequestView{Method: c.Request.Method, Target: latin1(c.Request.Path), Proto: c.Request.Proto}
	for _, h := range c.Request.Headers {
		v.Fields = append(v.Fields, validate.Field{Name: latin1(h[0]), Value: latin1(h[1])})
	}
	return v
}

// asMap returns the view with the fields as net/http would hold them.
func asMap(v validate.RequestView) validate.RequestView {
	header := http.Header{}
	for _, f := range v.Fields {
		header.Add(f.Name, strings.Trim(f.Value, " \t"))
	}
	v.Header, v.Fields = header, nil
	return v
}

// parsed returns the view that net/http would make of it.
func parsed(v validate.RequestView, body int) validate.RequestView {
	v = asMap(v)
	header := http.Header(v.Header)
	v.Host = header.Get("Host")
	header.Del("Host")
	v.ContentLength = int64(body)
	v.Parsed = true
	return v
}

func readCases(t *testing.T, file string) []corpusCase {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []corpusCase
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var c corpusCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if c.Request.BodyB64 != "" {
			body, err := base64.StdEncoding.DecodeString(c.Request.BodyB64)
			if err != nil {
				t.Fatalf("%s: %v", c.ID, err)
			}
			c.Request.Body = string(body)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

func newRequest(t testing.TB, cfg validate.RequestConfig) *validate.Request {
	t.Helper()
	r, err := validate.NewRequest(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCorpusAttacks(t *testing.T) {
	r := newRequest(t, validate.Default())
	for _, c := range readCases(t, reference.Path(t, "corpus", "attacks.jsonl")) {
		if c.Layer != "validate" {
			continue
		}
		v := r.Check(c.view())
		if v.OK() {
			t.Errorf("%s passes as fields", c.ID)
		}
		if v.Code == validate.CodeHeaderValueFolded || v.Code == validate.CodeFramingConflict {
			continue // leaves no trace in a map
		}
		if r.Check(asMap(c.view())).OK() {
			t.Errorf("%s passes as a map (%v as fields)", c.ID, v.Err())
		}
	}
}

func TestCorpusBenign(t *testing.T) {
	r := newRequest(t, validate.Default())
	check := func(c corpusCase) {
		if c.Expect != "pass" {
			return
		}
		if err := r.Check(c.view()).Err(); err != nil {
			t.Errorf("%s as fields: %v", c.ID, err)
		}
		if err := r.Check(asMap(c.view())).Err(); err != nil {
			t.Errorf("%s as a map: %v", c.ID, err)
		}
		if err := r.Check(parsed(c.view(), len(c.Request.Body))).Err(); err != nil {
			t.Errorf("%s parsed: %v", c.ID, err)
		}
	}
	for _, c := range readCases(t, reference.Path(t, "corpus", "benign.jsonl")) {
		check(c)
	}
	files, err := filepath.Glob(filepath.Join(reference.Path(t, "mcp", "captures"), "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("captures: %v, %d files", err, len(files))
	}
	for _, file := range files {
		for _, c := range readCases(t, file) {
			check(c)
		}
	}
}
