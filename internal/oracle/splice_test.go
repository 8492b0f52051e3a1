package oracle

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

// tokens are pieces of text that mean something to some reader.
var tokens = []string{
	`"`, `\`, `{`, `}`, `[`, `]`, `:`, `,`, ` `, "\n", "\t", "\r", "\f", "\v", "\x00", "\x7f", "\u00a0", "\ufeff", "\u2028", "\xc0\x80", "\xed\xa0\x80", "\xff",
	`\u0000`, `\ud800`, `\udc00`, `\u0022`, `\"`, `\\`, `\/`, `\u002f`, `\u017f`, `\u212a`, "\u017f", "\u212a", `\u0061`, `\x61`, `\'`, `'`, `//`, `/**/`, `#`,
	`0`, `-0`, `1e5`, `1E400`, `.5`, `0.`, `1.0`, `9007199254740993`, `00`, `+1`, `NaN`, `Infinity`, `null`, `true`, `nul`, `True`,
	`"id":2,`, `,"id":2`, `"method":"ping",`, `,"method":"tools/call"`, `"params":{},`, `,"params":{"name":"u"}`, `"name":"u",`, `,"name":"u"`, `"arguments":{"x":1},`,
	`"jsonrpc":"2.0",`, `"Method":"x",`, `"ID":3,`, `"__proto__":{"method":"x"},`, `"result":{},`, `"error":{"code":1,"message":""},`, `"uri":"file:///b",`, `"":1,`, `,"a":1`,
	`"_meta":{},`, `"taskId":"x",`, `{},`, `,{}`, `[],`, `{"a":`, `}}`, `]]`,
}

// TestSplicedMessages cuts accepted messages into pieces and puts them together with pieces of others and with tokens, byte by
// byte. Few of them are messages still, so that it runs through many: what is left is odd in ways that nobody thought of.
func TestSplicedMessages(t *testing.T) {
	want := setting(t, "ORACLE_SPLICES", 200_000)
	r := rand.New(rand.NewPCG(uint64(setting(t, "ORACLE_SEED", 1)), 7))
	p := newProver(t)
	var texts [][]byte
	var contexts []mcpmsg.Context
	for _, base := range acceptedTrees(t, p.v) {
		if text := base.tree.bytes(); len(text) < 700 {
			texts, contexts = append(texts, text), append(contexts, base.ctx)
		}
	}
	piece := func(b []byte) []byte {
		i := r.IntN(len(b))
		return b[i:min(len(b), i+1+r.IntN(40))]
	}
	var msg []byte
	for p.checked < want && !t.Failed() {
		n := r.IntN(len(texts))
		msg = append(msg[:0], texts[n]...)
		for range 1 + r.IntN(3) {
			i := r.IntN(len(msg) + 1)
			switch r.IntN(7) {
			case 0, 1, 2:
				msg = slices.Insert(msg, i, []byte(tokens[r.IntN(len(tokens))])...)
			case 3:
				msg = slices.Insert(msg, i, piece(texts[r.IntN(len(texts))])...)
			case 4:
				msg = slices.Insert(msg, i, slices.Clone(piece(texts[n]))...)
			case 5:
				msg = slices.Delete(msg, i, min(len(msg), i+r.IntN(8)))
			case 6:
				if i < len(msg) {
					msg[i] ^= 1 << r.IntN(8)
				}
			}
		}
		p.prove(t, msg, contexts[n])
	}
	p.log(t)
	if p.told[mcpmsg.CodeOK] < p.checked/50 || p.told[mcpmsg.CodeMemberTwin] == 0 || p.told[mcpmsg.CodeDuplicateMember] == 0 {
		t.Errorf("the splices do not reach what they are for: %v", p.told)
	}
}
