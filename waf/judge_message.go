package waf

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport/sallyport/mcpmsg"
)

// checkIdentity is step 4. Everywhere it finds out who calls and takes forged trusted headers away; on an endpoint that is
// not anonymous it refuses a caller that it does not know.
func (j *judgement) checkIdentity() Denial {
	id, err := j.s.identities.recognise(j.r)
	if err != nil || len(id.Name) > maxNameBytes {
		return Denial{Layer: LayerIdentity, Code: "identity_failed", Status: http.StatusInternalServerError}
	}
	j.identity, j.recognised = id, id.Name != ""
	if j.endpoint == nil || j.recognised || j.endpoint.Anonymous || j.preflight {
		return Denial{}
	}
	return Denial{
		Layer: LayerIdentity, Code: "identity_required", Status: http.StatusUnauthorized,
		header: http.Header{"Www-Authenticate": {j.s.challenge}},
	}
}

// checkBody is step 5: it reads the whole body, once, into memory.
func (j *judgement) checkBody() Denial {
	r := j.r
	if r.Body == nil || r.Body == http.NoBody {
		return Denial{}
	}
	refuse := func(code string, status int) Denial {
		return Denial{Layer: LayerBody, Code: code, Status: status, Close: true}
	}
	if j.endpoint != nil && !isIdentityCoding(r.Header["Content-Encoding"]) {
		return refuse("body_encoded", http.StatusBadRequest)
	}
	if r.ContentLength > int64(j.s.maxBody) {
		return refuse("body_too_large", http.StatusRequestEntityTooLarge)
	}
	buf, err := j.readBody()
	if buf != nil {
		j.body = &replay{buf: buf, source: r.Body}
	}
	if err != nil {
		d := refuse(bodyRefusal(err))
		if errors.Is(err, errBodiesFull) {
			d.header = retryAfter(time.Second)
		}
		if j.body != nil {
			j.body.rest = r.Body
			if !errors.Is(err, errBodyTooLarge) && !errors.Is(err, errBodiesFull) {
				j.body.rest = failingReader{err}
			}
		}
		return d
	}
	if j.endpoint != nil && len(r.Trailer) > 0 {
		return refuse("body_trailer", http.StatusBadRequest)
	}
	if j.endpoint != nil && r.Method != http.MethodPost && len(buf.bytes) > 0 {
		return refuse("body_unexpected", http.StatusBadRequest)
	}
	r.ContentLength, r.TransferEncoding = int64(len(buf.bytes)), nil
	r.Header.Del("Expect") // it is fulfilled
	return Denial{}
}

// readBody reads the body within the time that it may take. A server that has no read deadlines sets its own bounds.
func (j *judgement) readBody() (*buffer, error) {
	begin := time.Now()
	defer func() { j.event.ReadBody = time.Since(begin) }()
	if j.w != nil {
		c := http.NewResponseController(j.w)
		if c.SetReadDeadline(begin.Add(j.s.limits.BodyTimeout)) == nil {
			defer func() { _ = c.SetReadDeadline(time.Time{}) }() // what follows may be a stream, which has no end to wait for
		}
	}
	return readBody(j.r.Body, j.s.maxBody, j.load, &j.s.limits)
}

// failingReader ends a body as it ended before.
type failingReader struct{ err error }

// Read implements io.Reader.
func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

// isIdentityCoding reports whether a Content-Encoding leaves the bytes as they are.
func isIdentityCoding(values []string) bool {
	for _, v := range values {
		if v != "" && !strings.EqualFold(v, "identity") {
			return false
		}
	}
	return true
}

// bytes returns the body if all of it was read.
func (j *judgement) bytes() (body []byte, whole bool) {
	if j.body == nil {
		return nil, j.r.Body == nil || j.r.Body == http.NoBody
	}
	return j.body.buf.bytes, j.body.rest == nil
}

// checkMessage is the second half of step 5: the message must have one meaning, and its mirror headers must tell the same.
func (j *judgement) checkMessage() Denial {
	body, whole := j.bytes()
	if j.endpoint == nil {
		return j.discover(body, whole)
	}
	if j.r.Method != http.MethodPost || !whole {
		return Denial{}
	}
	begin := time.Now()
	defer func() { j.event.Message = time.Since(begin) }()
	m, v := j.s.messages.Check(body, mcpmsg.Context{Version: j.version, Direction: mcpmsg.FromClient})
	if v.OK() {
		v = j.s.messages.CheckMirror(&m, j.r.Header)
	}
	if !v.OK() {
		d := Denial{Layer: LayerMessage, Code: v.Code.String(), Status: http.StatusBadRequest, RPCID: m.ID}
		d.RPCCode, d.RPCText = v.RPC()
		if d.RPCCode == rpcMethodNotFound && m.Version.Stateless() {
			d.Status = http.StatusNotFound // elsewhere 404 means that the session has ended
		}
		return d
	}
	j.parsed, j.message = m, &j.parsed
	if m.Version != 0 && !j.endpoint.versions[m.Version] {
		d := j.endpoint.versionDenial(LayerMessage)
		if d.RPCID = m.ID; j.version == 0 {
			d.RPCCode, d.RPCText = rpcHeaderMismatch, "Header mismatch" // the header that would have told is missing
		}
		return d
	}
	return Denial{}
}

const rpcMethodNotFound = -32601

// discover looks for MCP on a path that is no endpoint: a route that nobody knew to guard is how CVE-2026-33032 came about.
func (j *judgement) discover(body []byte, whole bool) Denial {
	if j.r.Method != http.MethodPost {
		return Denial{}
	}
	exposed := hasMCPHeader(j.r.Header)
	if !exposed && whole && len(body) > 0 {
		m, _ := j.s.messages.Check(body, mcpmsg.Context{Direction: mcpmsg.FromClient})
		exposed = m.Kind != 0
	}
	if !exposed {
		return Denial{}
	}
	d := Denial{Layer: LayerEndpoint, Code: "endpoint_exposed", Status: http.StatusForbidden}
	if !j.s.strictDiscovery {
		j.report(ActionDetect, d)
		return Denial{}
	}
	return d
}

func hasMCPHeader(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, "Mcp-") {
			return true
		}
	}
	return false
}

// checkRules is step 7.
func (j *judgement) checkRules() Denial {
	if j.s.rules == nil {
		return Denial{}
	}
	if j.rules == nil {
		return Denial{Layer: LayerRules, Code: "rules_closed", Status: http.StatusInternalServerError}
	}
	begin := time.Now()
	defer func() { j.event.RulesTime = time.Since(begin) }()
	body, _ := j.bytes()
	in := ruleInput{Request: j.r, Body: body, Message: j.message, Identity: j.identity.Name, MCP: j.endpoint != nil}
	in.ClientIP, in.ClientPort = j.client, j.clientPort
	in.Authenticated = j.recognised || j.endpoint != nil // the identity step let it pass
	verdict := j.rules.evaluate(in)
	j.event.RuleIDs = verdict.RuleIDs
	d := Denial{Layer: LayerRules, RuleIDs: verdict.RuleIDs}
	switch {
	case verdict.Err != nil:
		d.Code, d.Status = "rules_failed", http.StatusInternalServerError
	case verdict.Denied:
		d.Code, d.Status = "rules_matched", verdict.Status
	default:
		return Denial{}
	}
	if j.message != nil {
		d.RPCID = j.message.ID
	}
	return d
}
