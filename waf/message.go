package waf

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport/sallyport/mcpmsg"
)

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
	if !j.servesVersionOf(&m) {
		d := j.endpoint.versionDenial(LayerMessage)
		if d.RPCID = m.ID; j.version == 0 && m.Method != mcpmsg.MethodInitialize {
			d.RPCCode, d.RPCText = rpcHeaderMismatch, "Header mismatch" // the header that would have told is missing
		}
		return d
	}
	return Denial{}
}

// servesVersionOf reports whether the endpoint serves the revision of a message. A message that does not tell its revision, in
// the header or in itself, is of one of the two that had no way to tell; an initialize is of the one that it asks for, unless
// that is not known here, when the server has to offer another one.
//
// Source: MCP 2025-06-18, Streamable HTTP, Protocol Version Header; Lifecycle, Version Negotiation.
func (j *judgement) servesVersionOf(m *mcpmsg.Message) bool {
	served := &j.endpoint.versions
	switch {
	case m.Method == mcpmsg.MethodInitialize:
		var params struct {
			ProtocolVersion string `json:"protocolVersion"`
		}
		if json.Unmarshal(m.Params, &params) != nil {
			return false
		}
		version, known := mcpmsg.ParseVersion(params.ProtocolVersion)
		return !known || served[version]
	case j.version == 0 && !m.Version.Stateless():
		return served[mcpmsg.V20241105] || served[mcpmsg.V20250326]
	default:
		return served[m.Version]
	}
}

const rpcMethodNotFound = -32601

const codeExposed = "endpoint_exposed"

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
	d := Denial{Layer: LayerEndpoint, Code: codeExposed, Status: http.StatusForbidden}
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
