package waf

import (
	"cmp"
	"io"
	"net/http"
	"time"

	"github.com/sallyport/sallyport/internal/answer"
)

// Denial is the decision to refuse a request, without the answer. It holds no value of the request but the id of the MCP
// message and the protocol version that it asked for, which the answer must carry.
type Denial struct {
	Layer   Layer
	Code    string // stable id of the reason, such as "header_duplicate"
	Status  int    // HTTP status of the answer
	RPCCode int    // JSON-RPC error code of the answer on an MCP endpoint; 0 elsewhere
	RPCText string // its fixed message
	RPCID   []byte // raw JSON id of the refused request; nil if it was not read safely
	RuleIDs []int  // rules that matched; never told to the client

	// RequestID is Event.RequestID; an answer carries it in X-Request-Id.
	RequestID string

	MCP   bool // the request was for an MCP endpoint, so the answer is a JSON-RPC error
	Close bool // an HTTP/1 connection must be closed after the answer: its framing is in doubt

	header http.Header // fields that the status demands, such as Allow or WWW-Authenticate; nil if none
	data   []byte      // raw JSON of the error's data; nil if none
	by     accessDecision
	name   string // of the element of a list that it is about, quoted; "" for the message itself
	beyond bool   // it concerns more than one endpoint, whose own modes do not count
}

const (
	drainBytes = 256 << 10 // as net/http itself reads on, on connections that stay open
	drainTime  = 2 * time.Second
)

// drain reads what the client still sends of a short body that was not looked at. A connection that is closed while data arrives
// is reset, and the answer may be lost with it. A client that waits for 100 Continue sends nothing.
//
// Source: RFC 9112, 9.6.
func drain(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor != 1 || r.Body == nil || r.Body == http.NoBody || len(r.Header["Expect"]) > 0 || r.ContentLength > drainBytes {
		return
	}
	if http.NewResponseController(w).SetReadDeadline(time.Now().Add(drainTime)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, r.Body, drainBytes)
}

// deny answers a refused request.
func (g *Guard) deny(w http.ResponseWriter, r *http.Request, j *judgement) {
	if j.body == nil {
		drain(w, r)
	}
	setRequestID(w.Header(), j.id)
	if j.s != nil && j.s.onDeny != nil {
		tracked := &trackingWriter{ResponseWriter: w, status: j.denial.Status}
		j.s.onDeny(tracked, r, *j.denial)
		if tracked.wrote {
			return
		}
	}
	d := j.denial
	f := answer.Refusal{
		Status: d.Status, Header: d.header,
		Close:   d.Close && r.ProtoMajor < 2, // HTTP/2 frames each request by itself, and the others on the connection are somebody else's
		JSONRPC: d.MCP, ID: d.RPCID, Code: d.RPCCode, Message: d.RPCText, Data: d.data,
		Text: d.Code,
	}
	if f.Code == 0 {
		f.Code, f.Message = answer.RPC(d.Status)
	}
	if d.Layer >= LayerPolicy || d.Layer == LayerTransport && d.Status == http.StatusForbidden {
		f.Text = http.StatusText(cmp.Or(d.Status, http.StatusForbidden)) // which rule it was is not the client's business
	}
	if !j.denyOnStream(w, f) {
		answer.Write(w, f)
	}
}

// trackingWriter knows whether an OnDeny hook answered.
type trackingWriter struct {
	http.ResponseWriter
	status int // of the refusal
	wrote  bool
}

// WriteHeader implements http.ResponseWriter.
func (t *trackingWriter) WriteHeader(status int) {
	t.wrote = t.wrote || status >= http.StatusOK
	t.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (t *trackingWriter) Write(p []byte) (int, error) {
	t.wrote = true
	return t.ResponseWriter.Write(p)
}

// FlushError is what http.ResponseController calls. A hook that flushes before it wrote anything has not chosen 200 by that.
func (t *trackingWriter) FlushError() error {
	if !t.wrote {
		t.WriteHeader(t.status)
	}
	return http.NewResponseController(t.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the server's own writer.
func (t *trackingWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }
