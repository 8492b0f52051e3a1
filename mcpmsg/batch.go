package mcpmsg

import (
	"github.com/sallyport/sallyport/internal/jsonscan"
)

// batch judges the array that begins at b[from]. Only 2025-03-26 has batches: either requests and notifications, or
// responses; never an initialize, never empty.
//
// Source: MCP 2025-03-26, Base Protocol, Batching, and Lifecycle, Initialization; JSON-RPC 2.0, 6.
func (c *check) batch(from int) (Message, Violation) {
	if c.version = V20250326; c.ctx.Version != c.version && c.ctx.Version != 0 {
		return Message{}, Violation{Code: CodeBatchForbidden, Offset: from}
	}
	b := c.b
	i := jsonscan.Space(b, from+1)
	if i < len(b) && b[i] == ']' {
		return Message{}, Violation{Code: CodeBatchEmpty, Offset: from}
	}
	responses := false
	for n := 1; ; n++ {
		if n > c.v.lim.batch {
			return Message{}, Violation{Code: CodeBatchTooLong, Offset: i, Limit: c.v.lim.batch, Got: n}
		}
		start := jsonscan.Space(b, i)
		end, v := c.one(start, 1)
		if v.OK() {
			v = c.member(start, n == 1, &responses)
		}
		if !v.OK() {
			return Message{}, v
		}
		if i = jsonscan.Space(b, end); i == len(b) || b[i] != ',' && b[i] != ']' {
			return Message{}, Violation{Code: CodeJSONSyntax, Offset: i}
		}
		i++
		if b[i-1] == ']' {
			break
		}
	}
	if rest := jsonscan.Space(b, i); rest != len(b) {
		return Message{}, Violation{Code: CodeJSONTrailing, Offset: rest}
	}
	return Message{Kind: Batch, Version: c.version, From: c.ctx.Direction, Raw: span{from, i}.of(b)}, Violation{}
}

// member judges what a message may not be as part of a batch.
func (c *check) member(at int, first bool, responses *bool) Violation {
	response := !c.method.set()
	switch {
	case first:
		*responses = response
	case response != *responses:
		return Violation{Code: CodeBatchMixed, Offset: at}
	}
	if c.known == MethodInitialize {
		return Violation{Code: CodeBatchMethod, Offset: c.method.from}
	}
	if !c.id.set() {
		return Violation{}
	}
	for _, other := range c.ids {
		if sameID(c.id.of(c.b), other.of(c.b)) {
			return Violation{Code: CodeBatchDuplicateID, Offset: c.id.from}
		}
	}
	c.ids = append(c.ids, c.id)
	return Violation{}
}

// sameID reports whether two ids are the same. A string is never the same as a number.
func sameID(a, b Raw) bool {
	if a.Kind() != b.Kind() || a.Kind() != RawString {
		return string(a) == string(b)
	}
	return jsonscan.SameText(a.body(), b.body())
}
