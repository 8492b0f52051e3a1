package oracle

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/internal/reference"
	"github.com/sallyport/sallyport/mcpmsg"
)

// setting reads a number from the environment. Where it has none the usual one holds, or a tenth in a short run.
func setting(tb testing.TB, name string, usual int) int {
	tb.Helper()
	text, ok := os.LookupEnv(name)
	switch {
	case !ok && testing.Short():
		return max(1, usual/10)
	case !ok:
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("%s=%q: want a positive number", name, text)
	}
	return n
}

func newValidator(tb testing.TB, mode mcpmsg.SchemaMode) *mcpmsg.Validator {
	tb.Helper()
	v, err := mcpmsg.New(mcpmsg.Config{Schema: mode})
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// comparison counts where mcpmsg and the engine agree and differ.
type comparison struct {
	engines map[mcpmsg.Version]*engine
	modes   map[mcpmsg.SchemaMode]*mcpmsg.Validator

	mu                 sync.Mutex
	accepted, rejected int
	explained          map[string]int
	unexplained        int
}

func newComparison(tb testing.TB) *comparison {
	return &comparison{
		engines: newEngines(tb),
		modes: map[mcpmsg.SchemaMode]*mcpmsg.Validator{
			mcpmsg.Prose: newValidator(tb, mcpmsg.Prose), mcpmsg.Published: newValidator(tb, mcpmsg.Published),
		},
		explained: map[string]int{},
	}
}

// compare judges a message both ways, in both modes. It returns the verdict of the engine.
func (c *comparison) compare(t *testing.T, label string, s *subject) bool {
	t.Helper()
	want, why := s.accepts(s)
	for mode, v := range c.modes {
		_, bad := v.Check(s.text, s.context())
		name := ""
		if bad.OK() != want {
			if name = explain(s, mode, bad); name == "" {
				t.Errorf("%s, %v, from the %v, result of %q, mode %d: mcpmsg says %v at %q, the engine %v\n%.600s\n%.600s",
					label, s.version, s.from, s.resultOf, mode, bad.Code, bad.Pointer(s.text), want, s.text, why)
			}
		}
		c.mu.Lock()
		switch {
		case bad.OK() == want && want:
			c.accepted++
		case bad.OK() == want:
			c.rejected++
		case name == "":
			c.unexplained++
		default:
			c.explained[name]++
		}
		c.mu.Unlock()
	}
	return want
}

func (c *comparison) log(t *testing.T) {
	t.Logf("both accept %d, both refuse %d, explained %v, unexplained %d", c.accepted, c.rejected, c.explained, c.unexplained)
}

// TestExamples compares all official examples that are messages, or parts of messages that can be completed.
func TestExamples(t *testing.T) {
	c := newComparison(t)
	e := c.engines[mcpmsg.V20260728]
	files, err := filepath.Glob(filepath.Join(reference.Path(t, "mcp", "examples", "2026-07-28"), "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	messages := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range e.completed(filepath.Base(filepath.Dir(file)), text) {
			messages++
			if !c.compare(t, filepath.Base(file), s) && !strings.Contains(file, "elicitation-required") {
				t.Errorf("%s: the engine refuses an official example: %.300s", file, s.text)
			}
		}
	}
	c.log(t)
	if len(files) != 129 || messages < 129 {
		t.Errorf("%d examples, %d messages: want all 129", len(files), messages)
	}
}

// completed makes messages of an example of a definition: of itself if it is one, with an envelope if it is params or a
// result, and otherwise as a free value inside a result, where only the text is judged.
func (e *engine) completed(def string, text []byte) []*subject {
	subjectOf := func(from mcpmsg.Direction, resultOf, format string, args ...any) *subject {
		return e.subject(fmt.Appendf(nil, format, args...), from, resultOf)
	}
	var all []*subject
	for from, methods := range e.methods {
		for name, m := range methods {
			switch {
			case m.Def == def:
				all = append(all, subjectOf(from, "", "%s", text))
			case m.Def+"Params" == def && m.Notification:
				all = append(all, subjectOf(from, "", `{"jsonrpc":"2.0","method":%q,"params":%s}`, name, text))
			case m.Def+"Params" == def:
				all = append(all, subjectOf(from, "", `{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, name, text))
			case !m.Notification && slices.Contains(m.Results, def):
				all = append(all, subjectOf(mcpmsg.FromServer, name, `{"jsonrpc":"2.0","id":1,"result":%s}`, text))
			case !m.Notification && m.Def == strings.TrimSuffix(def, "ResultResponse")+"Request":
				all = append(all, subjectOf(mcpmsg.FromServer, name, "%s", text))
			}
		}
	}
	var doc object
	if err := json.Unmarshal(text, &doc); err == nil && len(all) == 0 {
		switch {
		case strings.HasSuffix(def, "Error") && doc["jsonrpc"] != nil:
			return []*subject{subjectOf(mcpmsg.FromServer, "", "%s", text)}
		case strings.HasSuffix(def, "Error"):
			return []*subject{subjectOf(mcpmsg.FromServer, "", `{"jsonrpc":"2.0","id":1,"error":%s}`, text)}
		}
	}
	if len(all) == 0 {
		all = append(all, subjectOf(mcpmsg.FromServer, "", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","x":%s}}`, text))
	}
	return all
}

// recorded is a line of the reference data.
type recorded struct {
	ID, Expect, Revision string
	Request              recordedHalf
	Response             *recordedHalf
}

type recordedHalf struct {
	Method  string
	Headers [][2]string
	Body    string
	BodyB64 string `json:"body_b64"`
}

func (r *recordedHalf) bytes(tb testing.TB) []byte {
	if r.BodyB64 == "" {
		return []byte(r.Body)
	}
	b, err := base64.StdEncoding.DecodeString(r.BodyB64)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// messages are the messages of a body: itself, or the data of its events. One that was cut off when it was recorded is
// left out.
func (r *recordedHalf) messages(tb testing.TB) [][]byte {
	body := string(r.bytes(tb))
	if !strings.Contains(body, "data:") || strings.HasPrefix(body, "{") {
		if json.Valid([]byte(body)) {
			return [][]byte{[]byte(body)}
		}
		return nil
	}
	var all [][]byte
	for line := range strings.Lines(body) {
		if data, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "data: "); ok && json.Valid([]byte(data)) {
			all = append(all, []byte(data))
		}
	}
	return all
}

func readRecorded(tb testing.TB, path string) []recorded {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var all []recorded
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			tb.Fatal(err)
		}
		all = append(all, r)
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return all
}

// captures reads all recorded traffic of real clients.
func captures(tb testing.TB) []recorded {
	files, err := filepath.Glob(filepath.Join(reference.Path(tb, "mcp", "captures"), "*.jsonl"))
	if err != nil || len(files) == 0 {
		tb.Fatal("no captures", err)
	}
	var all []recorded
	for _, file := range files {
		all = append(all, readRecorded(tb, file)...)
	}
	return all
}

// TestCaptures compares recorded messages of both sides, by every revision: by most of them they are bad.
func TestCaptures(t *testing.T) {
	c := newComparison(t)
	requests, responses := 0, 0
	for _, r := range captures(t) {
		method := ""
		for _, text := range r.Request.messages(t) {
			requests++
			var m struct{ Method string }
			if json.Unmarshal(text, &m) == nil {
				method = m.Method
			}
			for _, e := range c.engines {
				c.compare(t, r.ID, e.subject(text, mcpmsg.FromClient, ""))
			}
		}
		if r.Response == nil {
			continue
		}
		for _, text := range r.Response.messages(t) {
			responses++
			for _, e := range c.engines {
				c.compare(t, r.ID, e.subject(text, mcpmsg.FromServer, ""))
				c.compare(t, r.ID, e.subject(text, mcpmsg.FromServer, method))
			}
		}
	}
	t.Logf("%d messages from clients, %d from servers", requests, responses)
	c.log(t)
	if requests < 500 || responses < 300 || c.accepted < 500 {
		t.Errorf("%d requests, %d responses, %d accepted: the captures are not read", requests, responses, c.accepted)
	}
}

// TestGenerated compares messages that the schema files admit, and single changes of them.
func TestGenerated(t *testing.T) {
	c := newComparison(t)
	want := setting(t, "ORACLE_MESSAGES", 10_000)
	seed := uint64(setting(t, "ORACLE_SEED", 1))
	var group sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for v := mcpmsg.V20241105; v <= mcpmsg.V20260728; v++ {
		for _, from := range []mcpmsg.Direction{mcpmsg.FromClient, mcpmsg.FromServer} {
			group.Go(func() {
				slots <- struct{}{}
				c.generated(t, newGenerator(c.engines[v], seed, uint64(v)*2+uint64(from)), from, want)
				<-slots
			})
		}
	}
	group.Wait()
	c.log(t)
}

// generated compares want messages of one revision and side.
func (c *comparison) generated(t *testing.T, g *generator, from mcpmsg.Direction, want int) {
	valid := 0
	for n := 0; n < want; {
		for _, sort := range g.e.sorts(from) {
			whole, resultOf := g.message(from, sort)
			one := func(label string, text []byte) bool {
				n++
				return c.compare(t, sort+", "+label, g.e.subject(text, from, resultOf))
			}
			if !one("whole", whole.bytes()) {
				t.Errorf("%v, %s: the generated message is not valid: %.600s", g.e.version, sort, whole.bytes())
			}
			valid++
			for range 12 {
				changed := whole.clone()
				label := g.mutate(&changed)
				one(label, changed.bytes())
			}
		}
		for range 10 {
			n++
			text := g.batch(from)
			c.compare(t, "batch", g.e.subject(text, from, ""))
		}
		if t.Failed() && c.unexplained > 200 {
			return
		}
	}
	t.Logf("%v from the %v: %d whole messages of %d sorts", g.e.version, from, valid, len(g.e.sorts(from)))
}
