package mcpmsg

import (
	"github.com/sallyport/sallyport/internal/jsonscan"
)

// batch judges the array that begins at b[from]. Only 2025-03-26 has batches: either requests and notifications, or
// responses; never an initialize, never empty.
//
// Source: MCP 2025-03-26, Base Protocol, Batching, and Lifecycle, Initialization; JSON-RPC 2.0, 6.
func (c *check) batch(from int) bool {
	if c.version = V20250326; c.ctx.Version != c.version && c.ctx.Version != 0 {
		return c.refuse(CodeBatchForbidden, from)
	}
	b := c.b
	i := jsonscan.Space(b, from+1)
	if i < len(b) && b[i] == ']' {
		return c.refuse(CodeBatchEmpty, from)
	}
	responses := false
	c.idBits = 0
	for n := 1; ; n++ {
		if n > c.v.lim.batch {
			return c.refuseSize(CodeBatchTooLong, i, c.v.lim.batch, n)
		}
		if i = c.one(jsonscan.Space(b, i), 1); i < 0 || !c.member(n == 1, &responses) {
			return false
		}
		if i = jsonscan.Space(b, i); i == len(b) || b[i] != ',' && b[i] != ']' {
			return c.refuse(CodeJSONSyntax, i)
		}
		i++
		if b[i-1] == ']' {
			break
		}
	}
	c.many, c.from, c.end = true, from, i
	return true
}

// member judges what the message that was just accepted may not be as part of a batch.
func (c *check) member(first bool, responses *bool) bool {
	response := !c.has(capMethod)
	switch {
	case first:
		*responses = response
	case response != *responses:
		return c.refuse(CodeBatchMixed, c.from)
	}
	if c.known == MethodInitialize {
		return c.refuse(CodeBatchMethod, int(c.walk.Spans[capMethod].From))
	}
	if !c.has(capID) {
		return true
	}
	if !c.addID(c.get(capID)) {
		return c.refuse(CodeBatchDuplicateID, int(c.walk.Spans[capID].From))
	}
	return true
}

// addID adds an id to those of the batch. It returns false if the batch has it already.
func (c *check) addID(raw Raw) bool {
	id := batchID{raw, raw[0] == '"' && jsonscan.HasEscape(raw)}
	bit := uint64(1) << (jsonscan.WordsOf(raw).Key() * 0x9e3779b97f4a7c15 >> 58)
	if id.escaped {
		c.idBits = ^uint64(0) // it may be any of the others
	}
	if c.idBits&bit != 0 {
		for i := range c.ids {
			if id.same(&c.ids[i]) {
				return false
			}
		}
	}
	c.idBits |= bit
	c.ids = append(c.ids, id)
	return true
}

// batchID is the id of a message that was seen in the batch.
type batchID struct {
	raw     Raw
	escaped bool
}

// same reports whether two ids are the same. A string is never the same as a number.
func (a *batchID) same(b *batchID) bool {
	if !a.escaped && !b.escaped {
		return string(a.raw) == string(b.raw)
	}
	return a.raw.Kind() == RawString && b.raw.Kind() == RawString && jsonscan.SameText(a.raw.body(), b.raw.body())
}
