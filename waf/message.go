package waf

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport/sallyport/mcpmsg"
)

// checkMessage is the second half of step 5: the message must have one meaning, and its mirror headers must tell the same.
func (j *judgement) checkMessage() *Denial {
	body, whole := j.bytes()
	if j.endpoint == nil {
		return j.discover(body, whole)
	}
	if j.r.Method != http.MethodPost || !whole {
		return nil
	}
	if j.event != nil {
		defer setSince(&j.event.Message, time.Now())
	}
	m, v := j.s.messages.Check(body, mcpmsg.Context{Version: j.version, Direction: mcpmsg.FromClient})
	if v.OK() {
		j.parsed, j.message = m, &j.parsed
		v = j.s.messages.CheckMirror(j.message, j.r.Header)
	}
	if !v.OK() {
		return j.messageDenial(v, body, m.ID)
	}
	return j.checkVersionOf(LayerMessage, &j.endpoint.versions)
}

// mayBringMessage reports whether the request may bring a message, which a server may read under any verb. A body under another one than
// POST goes on where its layer only detects.
func (j *judgement) mayBringMessage() bool {
	body, whole := j.bytes()
	return j.r.Method == http.MethodPost || len(body) > 0 || !whole
}

// messageDenial refuses the message for a violation.
func (j *judgement) messageDenial(v mcpmsg.Violation, body []byte, id mcpmsg.Raw) *Denial {
	d := &Denial{Layer: LayerMessage, Code: v.Code.String(), Status: http.StatusBadRequest, RPCID: id}
	d.RPCCode, d.RPCText = v.RPC()
	switch {
	case v.Code == mcpmsg.CodeMethodUnknown && j.version.Stateless():
		d.Status = http.StatusNotFound // elsewhere 404 means that the session has ended
	case v.Code == mcpmsg.CodeVersionUnsupported && j.version == 0:
		j.endpoint.versions.tell(d, versionAt(body, v.Offset))
	case v.Code == mcpmsg.CodeVersionUnsupported: // by the message; the header names one that is served
		d.Code, d.RPCCode, d.RPCText = mcpmsg.CodeVersionMismatch.String(), rpcHeaderMismatch, "Header mismatch"
	}
	return d
}

// versionAt returns the version that stands as a string at an offset of the body, or "" if that is none.
func versionAt(body []byte, offset int) string {
	if offset >= len(body) || body[offset] != '"' {
		return ""
	}
	text, _, _ := strings.Cut(string(body[offset+1:min(offset+64, len(body))]), `"`)
	return text
}

// addID reads the message of a request that was refused for a header field that repeats a part of it: the answer to a fault of that
// kind must tell which request it is for. What else is found on the way changes nothing.
//
// Source: MCP 2026-07-28, Streamable HTTP, Server Validation.
func (j *judgement) addID() {
	d := j.denial
	if d.RPCCode != rpcHeaderMismatch && d.RPCCode != rpcVersionUnsupported || d.Layer >= LayerIdentity || j.endpoint == nil || j.r.Method != http.MethodPost {
		return
	}
	for _, step := range [...]func(*judgement) *Denial{(*judgement).checkIdentity, (*judgement).checkSession, (*judgement).checkBody} {
		if more := step(j); more != nil {
			d.Close = d.Close || more.Close
			return
		}
	}
	if body, whole := j.bytes(); whole {
		m, _ := j.s.messages.Check(body, mcpmsg.Context{Direction: mcpmsg.FromClient})
		d.RPCID = m.ID
	}
}

const codeExposed = "endpoint_exposed"

// discover looks for MCP on a path that is no endpoint: a route that nobody knew to guard is how CVE-2026-33032 came about.
func (j *judgement) discover(body []byte, whole bool) *Denial {
	if j.r.Method != http.MethodPost {
		return nil
	}
	if j.s.endpoints.nearly(j.path) && (hasMCPHeader(j.r.Header) || !whole || mayBeMessage(body)) {
		return ambiguousDenial()
	}
	exposed := hasMCPHeader(j.r.Header)
	if !exposed && whole && len(body) > 0 {
		m, _ := j.s.messages.Check(body, mcpmsg.Context{Direction: mcpmsg.FromClient})
		exposed = m.Kind != 0
	}
	if !exposed {
		return nil
	}
	d := &Denial{Layer: LayerEndpoint, Code: codeExposed, Status: http.StatusForbidden}
	if !j.s.strictDiscovery {
		j.report(ActionDetect, d)
		return nil
	}
	return d
}

// mayBeMessage reports whether some reader finds a JSON-RPC message in a body. One that can't be read, and begins as JSON or a comment
// before it does, may be one.
func mayBeMessage(body []byte) bool {
	var one map[string]json.RawMessage
	var many []map[string]json.RawMessage
	if json.Unmarshal(body, &one) == nil {
		many = []map[string]json.RawMessage{one}
	} else if json.Unmarshal(body, &many) != nil {
		return looksLikeJSON(body) || bytes.HasPrefix(bytes.TrimSpace(body), []byte("/"))
	}
	for _, object := range many {
		for name := range object {
			if strings.EqualFold(strings.TrimRight(name, "\x00"), "jsonrpc") {
				return true
			}
		}
	}
	return false
}

func hasMCPHeader(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, "Mcp-") {
			return true
		}
	}
	return false
}
