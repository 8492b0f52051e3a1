package mcpmsg

import (
	"github.com/sallyport/sallyport/internal/jsonscan"
	"github.com/sallyport/sallyport/internal/schema"
)

// envelope judges the message that begins at b[from], inside outer arrays, and returns the index after it, or -1.
//
// It reads the beginning that most messages have byte for byte: {"jsonrpc":"2.0", then the id if there is one, then the method, then
// params or nothing. Where a message begins in another way or holds a fault so far, the walk reads it from the start, and finds
// out what is wrong. This is a short cut to what the walk does, never another verdict.
func (c *check) envelope(from, outer int) int {
	const params = `,"params":`
	root := c.v.edges[0]
	i := c.prefix(from)
	value := i + len(params)
	switch b := c.b; {
	case i == 0 || i == len(b):
	case b[i] == '}':
		return i + 1 // nothing more is required
	case value < len(b) && string(b[i:value]) == params:
		seen := c.v.prefixBits
		if !c.has(capID) {
			seen &^= c.v.idBit
		}
		return c.walk.WalkOn(b, value, root, outer, seen, c.v.edges[c.row.params], capParams)
	}
	c.begin(from)
	return c.walk.Walk(c.b, from, root, outer)
}

// prefix reads up to the method and returns the index after it, or 0.
func (c *check) prefix(from int) int {
	const opening, id, method = `{"jsonrpc":"2.0"`, `,"id":`, `,"method":"`
	b := c.b
	i := from + len(opening)
	if i >= len(b) || string(b[from:i]) != opening {
		return 0
	}
	marks := uint16(1 << capMethod)
	if start := i + len(id); start < len(b) && string(b[i:start]) == id {
		if i = c.prefixID(start); i == 0 {
			return 0
		}
		c.walk.Spans[capID] = schema.Span{From: int32(start), To: int32(i)}
		marks |= 1 << capID
	}
	start := i + len(method)
	if start >= len(b) || string(b[i:start]) != method {
		return 0
	}
	end, words, plain := jsonscan.Name(b, start, &c.walk.Wide)
	if end < 0 || !plain || end-start+1 > c.v.lim.method {
		return 0
	}
	known := methodByWords(words, b[start:end-1])
	row := rowOf(c.version, c.ctx.Direction, known)
	if row == nil {
		return 0
	}
	c.walk.Spans[capMethod] = schema.Span{From: int32(start - 1), To: int32(end)}
	c.walk.Marks = marks
	c.known, c.row = known, row
	return end
}

// prefixID reads a string or an integer without sign of up to fifteen digits, which no limit for numbers forbids, and returns the
// index after it, or 0.
func (c *check) prefixID(start int) int {
	b := c.b
	end := start
	switch b[start] {
	case '"':
		n := 8
		for end++; n == 8; end += n {
			n = jsonscan.Plain(b, end)
		}
		if end >= len(b) || b[end] != '"' || end-start-1 > c.walk.Limits.StringBytes {
			return 0
		}
		end++
	case '0':
		end++
	default:
		for end < len(b) && end < start+15 && b[end]-'0' < 10 {
			end++
		}
	}
	if end == start {
		return 0
	}
	return end
}
