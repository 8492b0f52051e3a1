package mcpmsg

import (
	"github.com/sallyport/sallyport/internal/jsonscan"
	"github.com/sallyport/sallyport/internal/schema"
)

// span is a part of the message, empty if absent.
type span struct{ from, to int }

func (s span) set() bool { return s.to > 0 }

func (s span) of(b []byte) Raw {
	if s.to == 0 {
		return nil
	}
	return Raw(b[s.from:s.to:s.to])
}

// check is the state of one check: it drives a walk and remembers what passes by.
type check struct {
	v    *Validator
	walk *schema.Walker
	b    []byte
	ctx  Context

	version Version // by which the message is judged
	found   Version // that the message itself names

	id, method, params, result, failure span
	name, uri, arguments, meta          span
	known                               Method
	row                                 *methodRow
	part                                part
	late                                bool // params came before the method and wait for it
	from                                int  // where the message begins
	end                                 int  // after the message, once its envelope was read to the end
	ids                                 []span
	own                                 Violation // found by the check itself, not by the walk
}

// reset forgets everything about a message, so that a pooled check pins no memory of it.
func (c *check) reset() {
	*c = check{v: c.v, walk: c.walk, ids: c.ids[:0]}
}

// begin forgets one try or one message of a batch.
func (c *check) begin() {
	c.id, c.method, c.params, c.result, c.failure = span{}, span{}, span{}, span{}, span{}
	c.name, c.uri, c.arguments, c.meta = span{}, span{}, span{}, span{}
	c.known, c.row, c.part, c.late, c.end, c.own = 0, nil, partEnvelope, false, 0, Violation{}
}

// Enter chooses how to judge params, result and error. It implements schema.Host.
func (c *check) Enter(_ *schema.Walker, mark uint8, _ int) *schema.Edge {
	if mark == capParams {
		c.part = partParams
		if c.row == nil {
			c.late = true
			return c.v.free
		}
		return c.v.edges[c.row.params]
	}
	c.part = partResult
	rev := &revisionRows[c.version]
	if mark == capError {
		return c.v.edges[rev.failure]
	}
	if c.ctx.ResultOf != 0 {
		if row := rowOf(c.version, c.ctx.Direction.other(), c.ctx.ResultOf); row != nil && row.result >= 0 {
			return c.v.edges[row.result]
		}
	}
	return c.v.edges[rev.result]
}

// Leave notes the place of a member. It implements schema.Host.
func (c *check) Leave(w *schema.Walker, mark uint8, from, to int) bool {
	at := span{from, to}
	switch mark {
	case capID:
		c.id = at
		if to-from > c.v.lim.id {
			return c.refuse(Violation{Code: CodeIDTooLong, Offset: from, Limit: c.v.lim.id, Got: to - from})
		}
	case capMethod:
		return c.leaveMethod(at)
	case capParams:
		c.params, c.part = at, partEnvelope
	case capResult:
		c.result, c.part = at, partEnvelope
	case capError:
		c.failure, c.part = at, partEnvelope
	case capName, capTask:
		c.name = at
	case capURI:
		c.uri = at
	case capArguments:
		c.arguments = at
	case capMeta:
		c.meta = at
	case capVersion:
		return c.leaveVersion(at)
	case capCode:
		return c.leaveCode(at)
	}
	return true
}

// refuse ends the walk with a violation that the schema does not know.
func (c *check) refuse(v Violation) bool {
	v.part = c.part
	c.own = v
	return false
}

func (c *check) leaveMethod(at span) bool {
	c.method = at
	if n := at.to - at.from; n > c.v.lim.method {
		return c.refuse(Violation{Code: CodeMethodTooLong, Offset: at.from, Limit: c.v.lim.method, Got: n})
	}
	c.known = lookUp(c.b[at.from+1 : at.to-1])
	if c.row = rowOf(c.version, c.ctx.Direction, c.known); c.row == nil {
		return c.refuse(Violation{Code: CodeMethodUnknown, Offset: at.from})
	}
	return true
}

// lookUp finds a method by the body of a string.
func lookUp(body []byte) Method {
	if jsonscan.HasEscape(body) {
		var buf [64]byte
		body = jsonscan.AppendText(buf[:0], body[:min(len(body), len(buf))])
	}
	m, _ := ParseMethod(body)
	return m
}

// leaveVersion compares the revision that a request names with the one by which it is judged.
func (c *check) leaveVersion(at span) bool {
	raw := at.of(c.b)
	if raw.Kind() != RawString {
		return c.version < V20260728 || c.refuse(Violation{Code: CodeSchemaType, Offset: at.from})
	}
	for v := V20241105; v <= V20260728; v++ {
		if raw.Is(v.String()) {
			c.found = v
		}
	}
	switch {
	case c.found == 0:
		return c.refuse(Violation{Code: CodeVersionUnsupported, Offset: at.from})
	case c.found != c.version:
		return c.refuse(Violation{Code: CodeVersionMismatch, Offset: at.from})
	}
	return true
}

// leaveCode refuses the codes of errors that a revision reserves or has given up.
//
// Source: MCP 2026-07-28, Base Protocol, error codes.
func (c *check) leaveCode(at span) bool {
	if c.version < V20260728 || c.ctx.Direction != FromServer || c.v.published {
		return true
	}
	switch code := string(c.b[at.from:at.to]); {
	case code == "-32002", code == "-32042":
		return c.refuse(Violation{Code: CodeErrorCode, Offset: at.from})
	case code == "-32020", code == "-32021", code == "-32022":
	case len(code) == 6 && code >= "-32020" && code <= "-32099":
		return c.refuse(Violation{Code: CodeErrorCode, Offset: at.from})
	}
	return true
}

// one judges the message that begins at or after b[i], inside outer arrays, by c.version. It returns the index after it,
// or -1 and the violation.
func (c *check) one(i, outer int) (end int, v Violation) {
	c.begin()
	c.from = jsonscan.Space(c.b, i)
	if end = c.walk.Walk(c.b, c.from, c.v.edges[0], outer); end < 0 {
		return -1, c.violation()
	}
	c.end = end
	if v = c.shape(); !v.OK() {
		return -1, v
	}
	if c.late {
		c.part = partParams
		if c.walk.Walk(c.b, c.params.from, c.v.edges[c.row.params], outer+1) < 0 {
			return -1, c.violation()
		}
	}
	return end, Violation{}
}

// violation translates why the walk stopped.
func (c *check) violation() Violation {
	if !c.own.OK() {
		return c.own
	}
	f := c.walk.Fault
	v := Violation{Code: codeOf[f.Reason], Offset: f.Offset, Limit: f.Limit, Got: f.Got, part: c.part}
	if c.part != partEnvelope || v.Code < CodeSchemaType {
		return v
	}
	switch member := c.walk.OpenMember(); {
	case f.Reason == schema.Type && f.Offset == c.from:
		v.Code = CodeEnvelopeType
	case f.Reason == schema.Missing:
		v.Code = CodeEnvelopeJSONRPC
	case member == capID:
		v.Code = CodeIDType
	case member == capMethod:
		v.Code = CodeMethodType
	default:
		v.Code = CodeEnvelopeJSONRPC
	}
	return v
}

// shape decides whether the members of the envelope go together.
func (c *check) shape() Violation {
	v := Violation{Offset: c.from}
	switch kindOf(c.method.set(), c.id.set(), c.result.set(), c.failure.set()) {
	case Request:
		switch {
		case c.row.notification:
			v.Code = CodeIDForbidden
		case c.row.required && !c.params.set():
			v.Code, v.part = CodeParamsMissing, partParams
		}
	case Notification:
		switch {
		case !c.row.notification:
			v.Code = CodeIDMissing
		case c.row.required && !c.params.set():
			v.Code, v.part = CodeParamsMissing, partParams
		}
	case Result, ErrorResponse:
		switch {
		case c.params.set():
			v.Code = CodeEnvelopeShape
		case c.version >= V20260728 && c.ctx.Direction == FromClient:
			v.Code = CodeResponseForbidden
		case !c.id.set() && (c.version == V20241105 || c.v.published && c.version <= V20250618):
			v.Code = CodeIDMissing
		}
	default:
		v.Code = CodeEnvelopeShape
	}
	return v
}

// message makes the view of the message b[from:to] that was just accepted.
func (c *check) message(from, to int) Message {
	b := c.b
	return Message{
		Kind:       kindOf(c.method.set(), c.id.set(), c.result.set(), c.failure.set()),
		Version:    c.version,
		From:       c.ctx.Direction,
		Method:     c.known,
		MethodText: c.method.of(b),
		ID:         c.id.of(b),
		Name:       c.name.of(b),
		URI:        c.uri.of(b),
		Params:     c.params.of(b),
		Arguments:  c.arguments.of(b),
		Meta:       c.meta.of(b),
		Result:     c.result.of(b),
		Error:      c.failure.of(b),
		Raw:        span{from, to}.of(b),
	}
}
