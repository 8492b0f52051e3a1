package mcpmsg

import (
	"errors"
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

	// Task is what is known about a task in place of the result, in 2025-11-25 for tools/call, sampling/createMessage and
	// elicitation/create. It means nothing elsewhere. [Correlator.Context] tells.
	Task Task
}

// Task says which of two answers a request may get: its result, or a task that will have the result.
//
// Source: MCP 2025-11-25, Tasks, Creating Tasks, and Task Support and Handling.
type Task uint8

// What may be known about a task.
const (
	TaskPossible Task = iota // nothing: the answer is either of them
	TaskNone                 // the request did not ask for a task, or its receiver makes none: the answer is the result
	TaskExpected             // the request asked for one, and its receiver has declared that it makes some: the answer is the task
)

func (d Direction) other() Direction { return FromClient + FromServer - d }

// Validator checks messages. Its zero value refuses everything; make one with [New]. It is immutable and safe for
// concurrent use.
type Validator struct {
	lim               limits
	edges             []*schema.Edge
	free              *schema.Edge
	folded            *schema.Edge // for arguments whose names are read without case
	published         bool
	strict            bool // tool names
	strictURIs        bool
	hiddenAllowed     bool
	methods           map[string]*extra
	tools             map[string]*ToolRule
	resultTypes       []string
	idBit, prefixBits uint64 // of members of the envelope, see check.envelope
	pool              *sync.Pool
}

// graphs are linked once, when the first Validator needs them.
var (
	proseGraph     = sync.OnceValue(func() []*schema.Edge { return tables.Link(false) })
	publishedGraph = sync.OnceValue(func() []*schema.Edge { return tables.Link(true) })
)

// New returns a Validator, or all that is wrong with the config; what is out of its range is a [*ConfigError].
func New(cfg Config) (*Validator, error) {
	lim, walk, err := cfg.limits()
	v := &Validator{
		lim: lim, free: &schema.Edge{Node: schema.Free}, folded: &schema.Edge{Node: schema.FreeFolded},
		published: cfg.Schema == Published, strict: cfg.StrictToolNames, strictURIs: cfg.StrictURIs,
		hiddenAllowed: cfg.DangerouslyAllowHiddenText || cfg.Schema == Published,
	}
	if err := errors.Join(append(v.compileRules(&cfg), err)...); err != nil {
		return nil, err
	}
	if v.edges = proseGraph(); v.published {
		v.edges = publishedGraph()
	}
	v.idBit = v.edges[0].Node.Bits("id")
	v.prefixBits = v.edges[0].Node.Bits("jsonrpc", "id", "method", "params")
	v.pool = &sync.Pool{New: func() any {
		c := &check{v: v, walk: schema.NewWalker(walk)}
		c.walk.Host, c.walk.WholeBase64 = c, cfg.WholeBase64
		if cfg.RefuseReservedMeta {
			c.walk.Reserved = c.reservedMeta
		}
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
func (v *Validator) Check(msg []byte, ctx Context) (m Message, bad Violation) {
	if v == nil || v.pool == nil || ctx.Direction != FromClient && ctx.Direction != FromServer || ctx.Version > V20260728 || ctx.Task > TaskExpected {
		bad.Code = CodeNotConfigured
		return m, bad
	}
	if len(msg) > v.lim.bytes {
		bad = Violation{Code: CodeMessageTooLong, Offset: v.lim.bytes, Limit: v.lim.bytes, Got: len(msg)}
		return m, bad
	}
	c := v.pool.Get().(*check)
	c.b, c.ctx = msg, ctx
	if c.run() {
		c.fill(&m)
	} else {
		bad = c.bad
		m.ID = c.safeID()
	}
	c.reset()
	v.pool.Put(c)
	return m, bad
}

// reset forgets what would pin the memory of the message, or mislead the next check.
func (c *check) reset() {
	if len(c.ids) > 0 {
		clear(c.ids)
	}
	c.b, c.found, c.many, c.ids, c.extra = nil, 0, false, c.ids[:0], nil
}

// run judges the whole text.
func (c *check) run() bool {
	b := c.b
	from := jsonscan.Space(b, 0)
	c.from = from
	switch {
	case from == len(b):
		return c.refuse(CodeEmpty, from)
	case b[from] == 0xef && len(b) >= from+3 && b[from+1] == 0xbb && b[from+2] == 0xbf:
		return c.refuse(CodeJSONByteOrderMark, from)
	case b[from] == '[':
		if !c.batch(from) {
			return false
		}
	default:
		if c.version = c.ctx.Version; c.version == 0 {
			c.version = V20251125
		}
		if c.one(from, 0) < 0 && !c.others(from) && !c.resultOfExtension(from) {
			return false
		}
	}
	if rest := jsonscan.Space(b, c.end); rest != len(b) {
		return c.refuse(CodeJSONTrailing, rest)
	}
	return true
}

// others tries the revisions that are left after the newest one with a handshake has refused a message that came without
// a revision. If none admits it the first verdict stands.
func (c *check) others(from int) bool {
	if c.ctx.Version != 0 {
		return false
	}
	first := c.bad
	switch {
	case c.found != 0 && first.Code == CodeVersionMismatch:
		c.version = c.found
		return c.one(from, 0) >= 0
	case first.Code == CodeMethodUnknown && rowOf(V20260728, c.ctx.Direction, c.known) != nil:
		c.version = V20260728
		return c.one(from, 0) >= 0
	case !dependsOnRevision(first.Code):
		return false
	}
	for c.version = V20250618; c.version >= V20241105; c.version-- {
		if c.one(from, 0) >= 0 {
			return true
		}
	}
	if c.version = V20260728; c.one(from, 0) >= 0 && (c.found == c.version || c.ctx.Direction == FromServer) {
		return true
	}
	c.bad = first
	return false
}

// dependsOnRevision reports whether another revision may admit a message with this violation.
func dependsOnRevision(code Code) bool {
	switch code {
	case CodeMethodUnknown, CodeParamsMissing, CodeIDMissing:
		return true
	}
	return code >= CodeSchemaType && code < CodeVersionMismatch
}

// safeID returns the id of the message that was just refused, or nil where it can't be trusted.
func (c *check) safeID() Raw {
	switch code := c.bad.Code; {
	case code < CodeStringTooLong, code == CodeEnvelopeType, code == CodeEnvelopeJSONRPC, code == CodeIDType, code == CodeIDTooLong,
		c.b[c.from] != '{', c.b[jsonscan.Space(c.b, 0)] != '{':
		return nil
	}
	if c.end > 0 { // the message was read to its end: what is wrong is its shape, or params that had to wait
		return c.idIf(jsonscan.Space(c.b, c.end) == len(c.b), c.get(capID))
	}
	end, from, to, times := c.walk.Rest(c.b, "id")
	whole := end >= 0 && jsonscan.Space(c.b, end) == len(c.b)
	if c.has(capID) {
		return c.idIf(whole && times == 0, c.get(capID))
	}
	return c.idIf(whole && times == 1, at(c.b, schema.Span{From: int32(from), To: int32(to)}))
}

// idIf returns a value if it may serve as the id of an answer.
func (c *check) idIf(ok bool, r Raw) Raw {
	if ok && len(r) <= c.v.lim.id && isID(r) {
		return r
	}
	return nil
}

// isID reports whether a value may be an id: a string without NUL, or a plain integer that every reader keeps.
func isID(r Raw) bool {
	switch r.Kind() {
	case RawString:
		return !schema.HasNUL(r.body())
	case RawNumber:
		return schema.IsID(r)
	}
	return false
}
