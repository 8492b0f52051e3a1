package mcpmsg

import (
	"github.com/sallyport/sallyport/internal/schema"
)

// at returns the value at a place of the message.
func at(b []byte, s schema.Span) Raw { return Raw(b[s.From:s.To:s.To]) }

// check is the state of one check: it drives a walk and remembers what passes by.
type check struct {
	v    *Validator
	walk *schema.Walker
	b    []byte
	ctx  Context

	version Version // by which the message is judged
	found   Version // that the message itself names

	known  Method
	row    *methodRow
	extra  *extra    // the rule of a method that only the configuration knows
	own    methodRow // its row
	text   []byte    // scratch
	open   bool      // judge a result by what all results share
	late   bool      // params came before the method and wait for it
	from   int       // where the message begins
	end    int       // after the message, once its envelope was read to the end
	ids    []batchID // of the batch so far
	idBits uint64    // a filter over them
	many   bool      // the message is a batch
	bad    Violation
}

// begin forgets one try or one message of a batch, and begins another one at b[from].
func (c *check) begin(from int) {
	c.walk.Marks, c.walk.Wide, c.walk.Marked = 0, false, false
	c.known, c.row, c.extra, c.late, c.end, c.from = 0, nil, nil, false, 0, from
	c.bad.Code = CodeOK
}

// refuse notes a violation. It returns false for its callers to return.
func (c *check) refuse(code Code, at int) bool {
	c.bad = Violation{Code: code, Offset: at}
	return false
}

func (c *check) refuseSize(code Code, at, limit, got int) bool {
	c.bad = Violation{Code: code, Offset: at, Limit: limit, Got: got}
	return false
}

// Enter chooses how to judge params, result and error. It implements schema.Host.
func (c *check) Enter(_ *schema.Walker, mark uint8, _ int) *schema.Edge {
	if mark == capParams {
		if c.row == nil {
			c.late = true
			return c.v.free
		}
		return c.v.edges[c.row.params]
	}
	rev := &revisionRows[c.version]
	if mark == capError {
		return c.v.edges[rev.failure]
	}
	if c.open {
		return c.v.edges[rev.openResult]
	}
	if c.ctx.ResultOf != 0 {
		if row := rowOf(c.version, c.ctx.Direction.other(), c.ctx.ResultOf); row != nil && row.result >= 0 {
			return c.v.edges[c.resultRoot(row)]
		}
	}
	return c.v.edges[rev.result]
}

// resultRoot chooses between the result of a request and a task, where it is known.
func (c *check) resultRoot(row *methodRow) int {
	roots := taskRoots[row.method]
	switch {
	case c.ctx.Task == TaskPossible, c.version != V20251125, roots.task == 0:
		return row.result
	case c.ctx.Task == TaskExpected:
		return roots.task
	}
	return roots.usual
}

// Leave looks at members that decide what else is looked at. It implements schema.Host.
func (c *check) Leave(_ *schema.Walker, mark uint8, from, to int) bool {
	switch mark {
	case capMethod:
		return c.leaveMethod(from, to)
	case capVersion:
		return c.leaveVersion(c.b[from:to], from)
	default:
		return c.leaveCode(c.b[from:to], from)
	}
}

// get returns the value that has the mark, nil if the message has none.
func (c *check) get(mark int) Raw { return valueOf(c.walk, c.b, mark) }

func valueOf(w *schema.Walker, b []byte, mark int) Raw {
	if w.Marks>>mark&1 == 0 {
		return nil
	}
	return at(b, w.Spans[mark])
}

// part is get for a part whose parts [check.place] is to find.
func (c *check) part(mark int) []byte {
	s := c.walk.Spans[mark]
	return c.b[s.From:s.To]
}

// place returns the index of a part of the message.
func (c *check) place(part []byte) int { return cap(c.b) - cap(part) }

// has reports whether the message has a value with the mark.
func (c *check) has(mark int) bool { return c.walk.Marks>>mark&1 != 0 }

func (c *check) leaveMethod(from, to int) bool {
	if to-from > c.v.lim.method {
		return c.refuseSize(CodeMethodTooLong, from, c.v.lim.method, to-from)
	}
	c.known = lookUp(c.b[from:to])
	if c.row = rowOf(c.version, c.ctx.Direction, c.known); c.row != nil {
		return true
	}
	if c.extra = c.findExtra(c.b[from:to]); c.extra == nil {
		return c.refuse(CodeMethodUnknown, from)
	}
	c.known, c.row = 0, c.rowOfExtra(c.extra)
	return true
}

// leaveVersion compares the revision that a request names with the one by which it is judged.
func (c *check) leaveVersion(raw Raw, at int) bool {
	if known := versionText[c.version]; len(raw) == len(known)+2 && string(raw[1:len(raw)-1]) == known {
		c.found = c.version
		return true
	}
	if raw.Kind() != RawString {
		return c.version < V20260728 || c.refuse(CodeSchemaType, at)
	}
	for v := V20241105; v <= V20260728; v++ {
		if raw.Is(v.String()) {
			c.found = v
		}
	}
	switch {
	case c.found == 0:
		return c.refuse(CodeVersionUnsupported, at)
	case c.found != c.version:
		return c.refuse(CodeVersionMismatch, at)
	}
	return true
}

// leaveCode refuses the codes of errors that a revision reserves or has given up.
//
// Source: MCP 2026-07-28, Base Protocol, error codes.
func (c *check) leaveCode(raw Raw, at int) bool {
	if c.version < V20260728 || c.ctx.Direction != FromServer || c.v.published {
		return true
	}
	switch code := string(raw); {
	case code == "-32002", code == "-32042":
		return c.refuse(CodeErrorCode, at)
	case code == "-32020", code == "-32021", code == "-32022":
	case len(code) == 6 && code >= "-32020" && code <= "-32099":
		return c.refuse(CodeErrorCode, at)
	}
	return true
}

// one judges the message that begins at b[from], inside outer arrays, by c.version. It returns the index after it, or -1
// with the violation in c.bad.
func (c *check) one(from, outer int) int {
	c.begin(from)
	end := c.envelope(from, outer)
	if end < 0 {
		return c.stopped()
	}
	if c.end = end; !c.shape() {
		return -1
	}
	if c.late {
		if c.walk.Walk(c.b, int(c.walk.Spans[capParams].From), c.v.edges[c.row.params], outer+1) < 0 {
			c.stopped()
			c.bad.part = partParams
			return -1
		}
	}
	if c.walk.Marks&(1<<capName|1<<capTask|1<<capURI) != 0 && !c.targets() {
		return -1
	}
	if (c.has(capResult) || c.known == MethodSamplingCreateMessage) && !c.texts() {
		return -1
	}
	if (c.extra != nil || c.v.tools != nil) && !c.more(outer) {
		return -1
	}
	return end
}

// texts judges what goes to a model: results, and conversations that a server asks to go on with. It returns false with the
// violation in c.bad.
func (c *check) texts() bool {
	if all := describes(c.ctx.ResultOf); c.walk.Wide && (all || speaks(c.ctx.ResultOf)) && !c.v.hiddenAllowed {
		if at := hiddenText(c.get(capResult), all); at >= 0 {
			c.refuse(CodeHiddenText, int(c.walk.Spans[capResult].From)+at)
			c.bad.part = partResult
			return false
		}
	}
	if (c.walk.Marked || c.walk.Wide || c.has(capRootMark)) && c.version == V20260728 && c.ctx.ResultOf == MethodToolsList && !c.v.published {
		if at := badHeaderMark(c.get(capResult)); at >= 0 {
			c.refuse(CodeHeaderMark, int(c.walk.Spans[capResult].From)+at)
			c.bad.part = partResult
			return false
		}
	}
	if (c.known == MethodSamplingCreateMessage || c.has(capInputs)) && !c.v.published {
		if at := c.conversations(); at >= 0 {
			c.refuse(CodeToolBalance, at)
			if c.bad.part = partParams; c.has(capInputs) {
				c.bad.part = partResult
			}
			return false
		}
	}
	return true
}

// targets bounds the names and addresses that a request is about.
func (c *check) targets() bool {
	if !c.bounded(capName, c.v.lim.target) || !c.bounded(capTask, c.v.lim.target) || !c.bounded(capURI, c.v.lim.uri) {
		return false
	}
	if c.v.strict && c.known == MethodToolsCall && !isToolName(c.get(capName).body()) {
		c.refuse(CodeSchemaForm, int(c.walk.Spans[capName].From))
		c.bad.part = partParams
		return false
	}
	if c.v.strictURIs && c.has(capURI) && !isURI(c.get(capURI).body()) {
		c.refuse(CodeSchemaForm, int(c.walk.Spans[capURI].From))
		c.bad.part = partParams
		return false
	}
	return true
}

// bounded refuses a member of params that is too long.
func (c *check) bounded(mark, limit int) bool {
	s := c.walk.Spans[mark]
	if !c.has(mark) || int(s.To-s.From) <= limit {
		return true
	}
	c.refuseSize(CodeTargetTooLong, int(s.From), limit, int(s.To-s.From))
	c.bad.part = partParams
	return false
}

// isToolName reports whether a tool's name is of the form that the protocol recommends.
//
// Source: MCP 2025-11-25, Tools, Tool Names.
func isToolName(s []byte) bool {
	for _, c := range s {
		if c-'0' >= 10 && c|0x20-'a' >= 26 && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 128
}

// stopped translates why the walk stopped. It returns -1.
func (c *check) stopped() int {
	if c.bad.Code != CodeOK {
		return -1
	}
	f := c.walk.Fault
	c.bad = Violation{Code: codeOf[f.Reason], Offset: f.Offset, Limit: f.Limit, Got: f.Got}
	member := c.walk.OpenMember()
	switch {
	case c.end > 0: // params that had to wait
		return -1
	case member == capParams:
		c.bad.part = partParams
		return -1
	case member == capResult || member == capError:
		c.bad.part = partResult
		return -1
	case c.bad.Code < CodeSchemaType:
		return -1
	}
	switch {
	case f.Reason == schema.Type && f.Offset == c.from:
		c.bad.Code = CodeEnvelopeType
	case f.Reason == schema.Missing:
		c.bad.Code = CodeEnvelopeJSONRPC
	case member == capID:
		c.bad.Code = CodeIDType
	case member == capMethod:
		c.bad.Code = CodeMethodType
	case f.Reason == schema.Overflow: // in a member that nobody defines
	default:
		c.bad.Code = CodeEnvelopeJSONRPC
	}
	return -1
}

// kind classifies the message by the members that were seen, as kindOf does.
func (c *check) kind() Kind {
	const id, method, result, failure = 1 << capID, 1 << capMethod, 1 << capResult, 1 << capError
	switch marks := c.walk.Marks & (id | method | result | failure); {
	case marks == method|id:
		return Request
	case marks == method:
		return Notification
	case marks == result|id:
		return Result
	case marks&^id == failure:
		return ErrorResponse
	}
	return 0
}

// shape decides whether the members of the envelope go together.
func (c *check) shape() bool {
	if c.has(capID) {
		id := c.walk.Spans[capID]
		if size := int(id.To - id.From); size > c.v.lim.id {
			return c.refuseSize(CodeIDTooLong, int(id.From), c.v.lim.id, size)
		}
		if c.walk.Wide && c.b[id.From] == '"' && schema.HasNUL(at(c.b, id).body()) { // a NUL is written \u0000
			return c.refuse(CodeIDType, int(id.From))
		}
	}
	switch c.kind() {
	case Request:
		if c.row.notification {
			return c.refuse(CodeIDForbidden, c.from)
		}
	case Notification:
		if !c.row.notification {
			return c.refuse(CodeIDMissing, c.from)
		}
	case Result, ErrorResponse:
		switch {
		case c.has(capParams):
			return c.refuse(CodeEnvelopeShape, c.from)
		case c.version >= V20260728 && c.ctx.Direction == FromClient:
			return c.refuse(CodeResponseForbidden, c.from)
		case !c.has(capID) && (c.version == V20241105 || c.v.published && c.version <= V20250618):
			return c.refuse(CodeIDMissing, c.from)
		}
		return true
	default:
		return c.refuse(CodeEnvelopeShape, c.from)
	}
	if c.row.required && !c.has(capParams) {
		c.refuse(CodeParamsMissing, c.from)
		c.bad.part = partParams
		return false
	}
	return true
}

// fill makes the view of the message that was just accepted.
func (c *check) fill(m *Message) {
	w, b := c.walk, c.b
	m.Version, m.From, m.Raw = c.version, c.ctx.Direction, b[c.from:c.end:c.end]
	if c.many {
		m.Kind = Batch
		return
	}
	m.Kind, m.ID = c.kind(), valueOf(w, b, capID)
	if m.Kind >= Result {
		m.Result, m.Error = valueOf(w, b, capResult), valueOf(w, b, capError)
		return
	}
	m.Method, m.MethodText, m.Params = c.known, valueOf(w, b, capMethod), valueOf(w, b, capParams)
	if w.Marks&(1<<capName|1<<capURI|1<<capArguments|1<<capMeta|1<<capTask) == 0 {
		return
	}
	m.Name, m.URI, m.Arguments, m.Meta = valueOf(w, b, capName), valueOf(w, b, capURI), valueOf(w, b, capArguments), valueOf(w, b, capMeta)
	if c.extra == nil && m.Name == nil || c.extra != nil && c.extra.rule.NamesTask {
		m.Name = valueOf(w, b, capTask)
	}
}
