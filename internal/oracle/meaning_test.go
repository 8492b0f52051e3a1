package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/reference"
	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/tidwall/gjson"
)

// prover lets all readers read what mcpmsg accepts.
type prover struct {
	v       *mcpmsg.Validator // by default rules
	lax     *mcpmsg.Validator // by the schema files alone, asked about what v refuses
	checked int
	laxOnly int                 // accepted by lax only
	told    map[mcpmsg.Code]int // verdicts
	refused map[string]int      // accepted messages, by the reader that refused them
	waiting []awaiting          // for node
}

// awaiting is an accepted message that node has still to read.
type awaiting struct {
	text []byte
	own  *sight
}

func newProver(tb testing.TB) *prover {
	return &prover{
		v: newValidator(tb, mcpmsg.Prose), lax: newValidator(tb, mcpmsg.Published),
		told: map[mcpmsg.Code]int{}, refused: map[string]int{},
	}
}

// prove checks a message and compares what every reader sees in it.
func (p *prover) prove(t *testing.T, msg []byte, ctx mcpmsg.Context) bool {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Fatalf("%v for %v from the %v\n%.600q", r, ctx.Version, ctx.Direction, msg)
		}
	}()
	m, bad := p.v.Check(msg, ctx)
	p.checked++
	p.told[bad.Code]++
	if !bad.OK() {
		if m.ID != nil {
			p.compareID(t, msg, m.ID)
		}
		if m, bad = p.lax.Check(msg, ctx); !bad.OK() {
			return false
		}
		p.laxOnly++
	}
	if m.Kind == mcpmsg.Batch {
		p.compareBatch(t, msg, &m)
		return true
	}
	p.compare(t, msg, &m)
	return true
}

// compare lets every reader read one message.
func (p *prover) compare(t *testing.T, msg []byte, m *mcpmsg.Message) {
	t.Helper()
	mem := newMemory()
	own := ownSights(t, mem, m)
	for _, r := range readers {
		s, err := r.read(mem, msg)
		switch {
		case err != nil && r.total:
			t.Errorf("%s refuses: %v\n%.600q", r.name, err, msg)
		case err != nil:
			p.refused[r.name]++
		default:
			if d := s.difference(own[r.form]); d != "" {
				t.Errorf("%s: %s\n%.600q", r.name, d, msg)
			}
		}
	}
	if startNode() == nil {
		return
	}
	if p.waiting = append(p.waiting, awaiting{bytes.Clone(msg), own[asFloat]}); len(p.waiting) == 64 {
		p.flush(t)
	}
}

func ownSights(t *testing.T, mem *memory, m *mcpmsg.Message) map[form]*sight {
	t.Helper()
	own := map[form]*sight{}
	for _, f := range []form{asText, asFloat} {
		s, err := ownSight(mem, m, f)
		if err != nil {
			t.Errorf("the view of an accepted message is not consistent: %v\n%.600q", err, m.Raw)
		}
		own[f] = &s
	}
	return own
}

// compareID compares the id that mcpmsg gives of a message that it refused with what the first-wins, the last-wins and
// the case-folding reader see.
func (p *prover) compareID(t *testing.T, msg []byte, id mcpmsg.Raw) {
	t.Helper()
	if kind := id.Kind(); kind != mcpmsg.RawString && kind != mcpmsg.RawNumber {
		t.Errorf("the id %.100q of a refused message is neither string nor number\n%.600q", id, msg)
	}
	var last map[string]json.RawMessage
	var folding struct{ ID json.RawMessage }
	if err := errors.Join(json.Unmarshal(msg, &last), json.Unmarshal(msg, &folding)); err != nil {
		t.Errorf("a refused message has an id and can't be read: %v\n%.600q", err, msg)
	}
	for name, seen := range map[string]string{
		"first wins": gjson.GetBytes(msg, "id").Raw, "last wins": string(last["id"]), "case-folding": string(folding.ID),
	} {
		if seen != string(id) {
			t.Errorf("the id of a refused message is %.100q, and %.100q where %s\n%.600q", id, seen, name, msg)
		}
	}
}

// compareBatch compares a batch as a whole and each of its messages.
func (p *prover) compareBatch(t *testing.T, msg []byte, m *mcpmsg.Message) {
	t.Helper()
	mem := newMemory()
	own := ownSights(t, mem, m)
	for _, r := range readers {
		if s, err := r.read(mem, msg); err == nil && s[wholePart] != unread && s[wholePart] != own[r.form][wholePart] {
			t.Errorf("%s sees another batch: %.300s\n%.600q", r.name, s[wholePart], msg)
		}
	}
	var list []json.RawMessage
	if err := json.Unmarshal(msg, &list); err != nil {
		t.Errorf("an accepted batch is no list: %v\n%.600q", err, msg)
	}
	n := 0
	for one := range m.Each() {
		if n < len(list) && !bytes.Equal(list[n], one.Raw) {
			t.Errorf("message %d of a batch is %.300q, by Each %.300q", n, list[n], one.Raw)
		}
		n++
		p.compare(t, one.Raw, &one)
	}
	if n != len(list) {
		t.Errorf("%d messages in a batch, by Each %d\n%.600q", len(list), n, msg)
	}
}

// flush compares what node sees in the messages that wait.
func (p *prover) flush(t *testing.T) {
	t.Helper()
	if len(p.waiting) == 0 {
		return
	}
	var texts [][]byte
	for _, w := range p.waiting {
		texts = append(texts, w.text)
	}
	sights, errs, err := startNode().read(texts...)
	if err != nil {
		t.Fatal("node: ", err)
	}
	for i, w := range p.waiting {
		if errs[i] != nil {
			t.Errorf("JSON.parse refuses\n%.600q", w.text)
		} else if d := sights[i].difference(w.own); d != "" {
			t.Errorf("JSON.parse: %s\n%.600q", d, w.text)
		}
	}
	p.waiting = p.waiting[:0]
}

func (p *prover) log(t *testing.T) {
	t.Helper()
	p.flush(t)
	if startNode() == nil {
		t.Log(noNode)
	}
	t.Logf("%d messages, %d accepted, %d more by the schema files alone; refused by readers afterwards: %v",
		p.checked, p.told[0], p.laxOnly, p.refused)
	for _, code := range slices.Sorted(maps.Keys(p.told)) {
		t.Logf("%8d %v", p.told[code], code)
	}
}

// sample is a message with the context to check it in.
type sample struct {
	text []byte
	ctx  mcpmsg.Context
}

// samples are our own messages, and what the reference data has of attacks, honest requests and recorded traffic.
func samples(tb testing.TB) []sample {
	client := mcpmsg.Context{Direction: mcpmsg.FromClient}
	var all []sample
	for _, text := range nasty() {
		all = append(all, sample{[]byte(text), client}, sample{[]byte(text), mcpmsg.Context{Direction: mcpmsg.FromServer}})
	}
	if !hasReference(tb) {
		return all
	}
	for _, file := range []string{"attacks.jsonl", "benign.jsonl"} {
		for _, r := range readRecorded(tb, reference.Path(tb, "corpus", file)) {
			all = append(all, sample{r.Request.bytes(tb), client})
		}
	}
	for _, r := range captures(tb) {
		for _, text := range r.Request.messages(tb) {
			all = append(all, sample{text, client})
		}
		if r.Response == nil {
			continue
		}
		for _, text := range r.Response.messages(tb) {
			all = append(all, sample{text, mcpmsg.Context{Direction: mcpmsg.FromServer}})
		}
	}
	return all
}

// hasReference reports whether the reference data lies beside this clone.
func hasReference(tb testing.TB) bool {
	found, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "mcp", "schema", "*"))
	if err != nil {
		tb.Fatal(err)
	}
	return len(found) > 0
}

// TestOneMeaning reads the samples, by every revision and by the one they tell.
func TestOneMeaning(t *testing.T) {
	p := newProver(t)
	last := mcpmsg.V20260728
	if testing.Short() {
		last = 0
	}
	seen := map[string]bool{}
	for _, s := range samples(t) {
		if key := s.ctx.Direction.String() + string(s.text); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		for s.ctx.Version = 0; s.ctx.Version <= last; s.ctx.Version++ {
			p.prove(t, s.text, s.ctx)
		}
	}
	p.log(t)
	if p.told[mcpmsg.CodeOK] < 50 {
		t.Errorf("%d accepted messages: the samples are not read", p.told[0])
	}
}

var digits = regexp.MustCompile(`[0-9a-f]*[0-9][0-9a-f]*`)

// FuzzOneMeaning looks for a message that mcpmsg accepts and that some reader reads in another way.
func FuzzOneMeaning(f *testing.F) {
	seen := map[string]bool{}
	for _, s := range samples(f) {
		shape := digits.ReplaceAllString(string(s.text), "0") // sessions repeat themselves but for ids and dates
		if len(s.text) > 2<<10 || seen[shape] {
			continue
		}
		seen[shape] = true
		f.Add(s.text, uint8(0), s.ctx.Direction == mcpmsg.FromServer)
	}
	p := newProver(f)
	f.Fuzz(func(t *testing.T, msg []byte, version uint8, fromServer bool) {
		ctx := mcpmsg.Context{Version: mcpmsg.Version(version % 6), Direction: mcpmsg.FromClient}
		if fromServer {
			ctx.Direction = mcpmsg.FromServer
		}
		if p.prove(t, msg, ctx) {
			p.flush(t)
		}
	})
}

// nasty are hand-written messages: accepted or not, each is where readers have been seen to differ.
func nasty() []string {
	call := func(params string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + params + `}}`
	}
	args := func(text string) string { return call(`"name":"t","arguments":{` + text + `}`) }
	deep := func(n int) string { return args(`"a":` + strings.Repeat("[", n) + strings.Repeat("]", n)) }
	return []string{
		call(`"name":"t"`),
		`{"jsonrpc":"2.0","id":"a","method":"ping"}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"x"}]}}`,
		`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}`,
		`[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t"}}]`,

		// Spellings of one and the same message.
		`{"\u006a\u0073\u006f\u006e\u0072\u0070\u0063":"\u0032.0","i\u0064":1,"\u006dethod":"tools\/call","param\u0073":{"n\u0061me":"\u0074"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"\u0074\u006f\u006f\u006c\u0073\u002f\u0063\u0061\u006c\u006c","params":{"name":"t"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"\u0074\u006f\u006f\u006c\u0073\u002f\u0063\u0061\u006c\u006c\u0000","params":{"name":"t"}}`,
		" \t\r\n{ \"jsonrpc\" : \"2.0\" ,\n\"params\":{\"name\":\"t\"}, \"id\":1,\t\"method\":\"tools/call\" } \r\n",
		`{"params":{"arguments":{"x":1},"name":"t"},"method":"tools/call","id":1,"jsonrpc":"2.0"}`,

		// Names that some readers take for others.
		`{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}`,
		`{"jsonrpc":"2.0","id":1,"METHOD":"tools/call"}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","\u006dethod":"tools/call"}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","method\u0000":"tools/call"}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","me\u00adthod":"tools/call"}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","me_thod":"tools/call"}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","-method":"tools/call"}`,
		`{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"ping","id":{"a":1}}`,
		`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"t"},"Id":13}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","ID":2}`,
		`{"jsonrpc":"2.0","ID":2,"method":"pong","id":1}`,
		call(`"name":"t","argument\u017f":{"x":1}`),
		call(`"name":"t","argumentſ":{"x":1}`),
		call(`"name":"t","tas\u212a":{}`),
		`{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"1","tas\u212aId":"2"}}`,
		call(`"name":"t","Arguments":{"x":1}`),
		call(`"name":"t","argu_ments":{"x":1}`),
		call(`"name":"t","arguments\u0000x":{"x":1}`),
		call(`"name":"t","ａrguments":{"x":1}`),
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///a","URI":"file:///b"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///a","ur\u0131":"file:///b"}}`,

		// Names of objects in JavaScript, and names that are none.
		`{"jsonrpc":"2.0","id":1,"method":"ping","__proto__":{"method":"tools/call"}}`,
		call(`"name":"t","__proto__":{"arguments":{"x":1}}`),
		args(`"__proto__":{"a":1},"constructor":{"prototype":{}},"toString":1`),
		args(`"":1," ":2,"\u0000":3,"a.b":4,"a":{"b":5},"*":6,"#":7,"@this":8,"a|b":9`),
		`{"":1,"jsonrpc":"2.0","id":1,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","params.name":"x","params":{}}`,

		// Arguments: names that differ by case are legal, repeated ones are not.
		args(`"a":1,"A":2,"\u017f":3,"s":4,"S":5,"k":6,"\u212a":7`),
		args(`"a":1,"a":2`),
		args(`"a":1,"\u0061":2`),
		args(`"é":1,"\u00e9":2`),
		args(`"e\u0301":1,"é":2`),
		args(`"x":{"a":[{"b":1,"b":1}]}`),
		args(`"name":"u","Name":"v","method":"w","arguments":{"name":"x"}`),

		// Numbers.
		args(`"n":[1E400,-1e-400,-0,-0.0,0e0,1.0,10e-1,1e+2,9007199254740993,123456789012345678901234567890,0.1e1,5E-324,1.7976931348623157e308]`),
		args(`"n":01`), args(`"n":+1`), args(`"n":.5`), args(`"n":1.`), args(`"n":0x10`), args(`"n":1e`), args(`"n":NaN`), args(`"n":-Infinity`), args(`"n":-`),
		`{"jsonrpc":"2.0","id":1.0,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":1e0,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":-0,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":null,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":"1","method":"ping"}`,
		`{"jsonrpc":"2.0","id":"\ud83d\ude00\u0000","method":"ping"}`,

		// Strings.
		args(`"s":["\ud83d\ude00","😀","\u0000","\u007f","\u2028\u2029","\"\\\/\b\f\n\r\t","<>&"]`),
		args(`"s":"\ud83d"`), args(`"s":"\ude00\ud83d"`), args(`"\ud800":1`), args(`"s":"\uD83D\u0041"`),
		args("\"s\":\"\xc0\xaf\""), args("\"s\":\"\xed\xa0\x80\""), args("\"s\":\"\xf4\x90\x80\x80\""), args("\"s\":\"\xff\""), args("\"\xc1\xa1\":1"),
		args("\"s\":\"a\nb\""), args("\"s\":\"\x00\""), args("\"s\":\"\x7f\u0080\u0085\ufeff\ufffe\uffff\""), args(`"s":"\q"`), args(`"s":"\u12"`), args(`"s":"\U0041"`), args(`"s":'x'`),
		call(`"name":"` + strings.Repeat("n", 2000) + `"`),
		args(`"` + strings.Repeat("k", 1000) + `":1`),
		args(`"` + strings.Repeat(`\u0061`, 170) + `":1`),
		args(`"` + strings.Repeat("k", 2000) + `":1`),

		// Text around and between.
		"\ufeff" + call(`"name":"t"`),
		call(`"name":"t"`) + "\x00", call(`"name":"t"`) + "{}", call(`"name":"t"`) + "\n" + call(`"name":"u"`), call(`"name":"t"`) + "//", call(`"name":"t"`) + "\f",
		`{"jsonrpc":"2.0","id":1,"method":"ping",}`, `{"jsonrpc":"2.0","id":1,"method":"ping"/**/}`, "{\"jsonrpc\":\u00a0\"2.0\",\"id\":1,\"method\":\"ping\"}",
		`{'jsonrpc':"2.0","id":1,"method":"ping"}`, `{jsonrpc:"2.0","id":1,"method":"ping"}`, `{"jsonrpc":"2.0","id":1,"method":"ping"`, `{"jsonrpc":"2.0";"id":1}`, "", " ", "null", "[]", "[[]]",
		deep(10), deep(60), deep(61), deep(62), deep(100), deep(20000),
	}
}
