package mcpmsg

import (
	"github.com/sallyport/sallyport/internal/jsonscan"
	"github.com/sallyport/sallyport/internal/schema"
)

// prefix reads the beginning that most messages have, byte for byte: {"jsonrpc":"2.0", then the id if there is one, then the
// method. It returns the index after the method, where the walk of the envelope goes on, or 0 if the message begins in another
// way or holds a fault so far: then the walk reads it from the start, and finds out what is wrong. This is a short cut to what
// the walk does, never another verdict.
func (c *check) prefix(from int) int {
	const opening, id, method = `{"jsonrpc":"2.0",`, `"id":`, `"method":"`
	b := c.b
	i := from + len(opening)
	if i >= len(b) || string(b[from:i]) != opening {
		return 0
	}
	marks := uint16(1 << capMethod)
	if i+len(id) < len(b) && string(b[i:i+len(id)]) == id {
		start := i + len(id)
		if i = c.prefixID(start); i == 0 || i >= len(b) || b[i] != ',' {
			return 0
		}
		c.walk.Spans[capID] = schema.Span{From: int32(start), To: int32(i)}
		marks |= 1 << capID
		i++
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

// prefixID reads an id within the limit and returns the index after it, or 0.
func (c *check) prefixID(start int) int {
	b := c.b
	end := 0
	switch ch := b[start]; {
	case ch == '"':
		end = start + 1 + jsonscan.Plain(b, start+1)
		for end < len(b) && b[end] != '"' && b[end] > 0x20 && b[end] < 0x7f && b[end] != '\\' {
			end++
		}
		if end >= len(b) || b[end] != '"' {
			return 0
		}
		end++
	case ch == '-' || ch-'0' < 10:
		integer := false
		if end, integer = jsonscan.Number(b, start); !integer || end-start > 15 || b[start] == '-' {
			return 0
		}
	}
	if size := end - start; size > c.v.lim.id || size > c.walk.Limits.NumberBytes {
		return 0 // the walk says which limit it is
	}
	return end
}
