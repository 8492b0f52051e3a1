package mcpmsg

import (
	"sync"

	"github.com/sallyport/sallyport/internal/jsonscan"
	"github.com/sallyport/sallyport/internal/schema"
)

//go:generate go run ../internal/schemagen ../../shared/mcp/schema .

// Context is what is known about a message beside its bytes.
type Context struct {
	// Version is the negotiated revision. 0 lets the message say: a request that names its revision in _meta is judged by
	// that one, a method that only 2026-07-28 has by that, a batch by 2025-03-26. When nothing tells, the message must be
	// valid in one of the revisions with a handshake; they are tried from the newest to the oldest.
	Version Version

	// Direction is the sender. It must be set.
	Direction Direction

	// ResultOf is the method of the request that a result answers. With 0 only what all results share is checked.
	ResultOf Method
}

func (d Direction) other() Direction { return FromClient + FromServer - d }

// Validator checks messages. Its zero value refuses everything; make one with [New]. It is immutable and safe for
// concurrent use.
type Validator struct {
	lim       limits
	walk      schema.Limits
	edges     []*schema.Edge
	free      *schema.Edge
	published bool
	pool      *sync.Pool
}

// graphs are linked once, when the first Validator needs them.
var (
	proseGraph     = sync.OnceValue(func() []*schema.Edge { return tables.Link(false) })
	publishedGraph = sync.OnceValue(func() []*schema.Edge { return tables.Link(true) })
)

// New returns a Validator, or all that is wrong with the config, each a [*ConfigError].
func New(cfg Config) (*Validator, error) {
	lim, walk, err := cfg.limits()
	if err != nil {
		return nil, err
	}
	v := &Validator{lim: lim, walk: walk, free: &schema.Edge{Node: schema.Free}, published: cfg.Schema == Published}
	if v.edges = proseGraph(); v.published {
		v.edges = publishedGraph()
	}
	v.pool = &sync.Pool{New: func() any {
		c := &check{v: v, walk: schema.NewWalker(walk)}
		c.walk.Host = c
		return c
	}}
	return v, nil
}

// Check decides whether msg is exactly one valid message, which means the same to every JSON parser, and returns a view of
// it. After a refusal the Message holds nothing but the ID, and that only when it was read safely: the text is JSON, and
// its outermost object has one id, a string or plain integer within the limit.
//
// It reads msg once, from the start to the first fault (and on to the end where it looks for the id). Params that stand
// before the method are read twice; so is, at most once for each revision with a handshake, a message without a known
// revision that is not valid. It does not allocate.
//
// Source: RFC 8259; JSON-RPC 2.0; MCP 2024-11-05 to 2026-07-28, Base Protocol and schema.
func (v *Validator) Check(msg []byte, ctx Context) (Message, Violation) {
	if v == nil || v.pool == nil || ctx.Direction != FromClient && ctx.Direction != FromServer || ctx.Version > V20260728 {
		return Message{}, Violation{Code: CodeNotConfigured}
	}
	if len(msg) > v.lim.bytes {
		return Message{}, Violation{Code: CodeMessageTooLong, Offset: v.lim.bytes, Limit: v.lim.bytes, Got: len(msg)}
	}
	c := v.pool.Get().(*check)
	c.b, c.ctx = msg, ctx
	m, bad := c.run()
	c.reset()
	v.pool.Put(c)
	return m, bad
}

// run judges the whole text.
func (c *check) run() (Message, Violation) {
	b := c.b
	from := jsonscan.Space(b, 0)
	switch {
	case from == len(b):
		return Message{}, Violation{Code: CodeEmpty, Offset: from}
	case b[from] == 0xef && len(b) >= from+3 && b[from+1] == 0xbb && b[from+2] == 0xbf:
		return Message{}, Violation{Code: CodeJSONByteOrderMark, Offset: from}
	case b[from] == '[':
		return c.batch(from)
	}
	c.version = c.ctx.Version
	if c.version == 0 {
		c.version = V20251125
	}
	end, v := c.one(from, 0)
	if !v.OK() && c.ctx.Version == 0 {
		end, v = c.others(from, v)
	}
	if !v.OK() {
		return Message{ID: c.safeID(v)}, v
	}
	if rest := jsonscan.Space(b, end); rest != len(b) {
		return Message{}, Violation{Code: CodeJSONTrailing, Offset: rest}
	}
	return c.message(from, end), Violation{}
}

// others tries the revisions that are left after the newest one with a handshake has refused the message.
func (c *check) others(from int, first Violation) (end int, v Violation) {
	switch {
	case c.found != 0 && first.Code == CodeVersionMismatch:
		c.version = c.found
		return c.one(from, 0)
	case first.Code == CodeMethodUnknown && rowOf(V20260728, c.ctx.Direction, c.known) != nil:
		c.version = V20260728
		return c.one(from, 0)
	case first.Code < CodeSchemaType && first.Code != CodeMethodUnknown && first.Code != CodeParamsMissing && first.Code != CodeIDMissing,
		first.Code >= CodeVersionMismatch:
		return -1, first
	}
	for c.version = V20250618; c.version >= V20241105; c.version-- {
		if end, v = c.one(from, 0); v.OK() {
			return end, v
		}
	}
	c.version = V20260728
	if end, v = c.one(from, 0); v.OK() && (c.found == c.version || c.ctx.Direction == FromServer) {
		return end, v
	}
	return -1, first
}

// safeID returns the id of a refused message, or nil where it can't be trusted.
func (c *check) safeID(v Violation) Raw {
	switch {
	case v.Code < CodeStringTooLong, v.Code == CodeEnvelopeType, v.Code == CodeEnvelopeJSONRPC, v.Code == CodeIDType, v.Code == CodeIDTooLong:
		return nil
	}
	if c.end > 0 { // the message was read to its end: what is wrong is its shape, or params that had to wait
		if jsonscan.Space(c.b, c.end) != len(c.b) {
			return nil
		}
		return c.id.of(c.b)
	}
	end, from, to, times := c.walk.Rest(c.b, "id")
	if end < 0 || jsonscan.Space(c.b, end) != len(c.b) {
		return nil
	}
	if c.id.set() {
		if times == 0 {
			return c.id.of(c.b)
		}
		return nil
	}
	id := span{from, to}.of(c.b)
	if times != 1 || len(id) > c.v.lim.id || !isID(id) {
		return nil
	}
	return id
}

// isID reports whether a value may be an id: a string or a plain integer.
func isID(r Raw) bool {
	switch r.Kind() {
	case RawString:
		return true
	case RawNumber:
		_, integer := jsonscan.Number(r, 0)
		return integer
	}
	return false
}
