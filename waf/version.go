package waf

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/policy"
	"github.com/sallyport/sallyport/mcpmsg"
)

// The JSON-RPC codes for a mirror header that is malformed or differs from the message, and for a revision that is not served.
//
// Source: MCP 2026-07-28, Streamable HTTP; Versioning.
const (
	rpcHeaderMismatch     = -32020
	rpcVersionUnsupported = -32022
)

// versionSet are the revisions that are served.
type versionSet [mcpmsg.V20260728 + 1]bool

// denial refuses a protocol version.
func (s *versionSet) denial(layer Layer, requested string) *Denial {
	d := &Denial{Layer: layer, Code: "version_unsupported", Status: http.StatusBadRequest}
	s.tell(d, requested)
	return d
}

// tell makes d the error for a protocol version that is not served: it names those that are, and repeats the one that was
// asked for, which clients compare with theirs. What does not look like a version is not repeated.
//
// Source: MCP 2026-07-28, Versioning: UnsupportedProtocolVersionError.
func (s *versionSet) tell(d *Denial, requested string) {
	if !isVersionText(requested) {
		requested = ""
	}
	var supported []string
	for v, served := range s {
		if served {
			supported = append(supported, `"`+mcpmsg.Version(v).String()+`"`)
		}
	}
	d.RPCCode, d.RPCText = rpcVersionUnsupported, "Unsupported protocol version"
	d.data = []byte(`{"supported":[` + strings.Join(supported, ",") + `],"requested":"` + requested + `"}`)
}

// isVersionText reports whether s may be repeated as a version: 1 to 32 letters, digits, hyphens and dots, of ASCII.
func isVersionText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c-'0' > 9 && (c|0x20)-'a' > 25 && c != '-' && c != '.' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 32
}

// checkVersionOf refuses the message if it is of a revision that is not among those served.
func (j *judgement) checkVersionOf(layer Layer, served *versionSet) *Denial {
	yes, requested := j.servesVersionOf(j.message, served)
	if yes {
		return nil
	}
	d := served.denial(layer, requested)
	if d.RPCID = j.message.ID; j.version == 0 && j.message.Method != mcpmsg.MethodInitialize {
		d.RPCCode, d.RPCText = rpcHeaderMismatch, "Header mismatch" // the header that would have told is missing
	}
	return d
}

// servesVersionOf reports whether the revision of a message is served, and which one that is. A message that does not
// tell its revision, in the header or in itself, is of one of the two that had no way to tell. An initialize asks for the newest
// revision that its sender has: where that is not served, the server may offer an older one that is.
//
// Source: MCP 2025-06-18, Streamable HTTP, Protocol Version Header; Lifecycle, Version Negotiation.
func (j *judgement) servesVersionOf(m *mcpmsg.Message, served *versionSet) (yes bool, requested string) {
	switch {
	case m.Method == mcpmsg.MethodInitialize:
		var params struct {
			ProtocolVersion string `json:"protocolVersion"`
		}
		if json.Unmarshal(m.Params, &params) != nil {
			return false, ""
		}
		version, known := mcpmsg.ParseVersion(params.ProtocolVersion)
		for v := mcpmsg.V20241105; v < version && !v.Stateless(); v++ {
			yes = yes || served[v]
		}
		return yes || !known || served[version], params.ProtocolVersion
	case j.version == 0 && !m.Version.Stateless():
		return served[mcpmsg.V20241105] || served[mcpmsg.V20250326], mcpmsg.V20250326.String()
	default:
		return served[m.Version], m.Version.String()
	}
}

// callerVersions are the revisions that an endpoint serves to one caller.
type callerVersions struct {
	versionSet
	rule int // index in MinVersions
}

// checkCallerVersion is the first part of step 6: is the revision new enough for this caller?
func (j *judgement) checkCallerVersion() (d *Denial) {
	if j.endpoint == nil {
		return nil
	}
	caller, ok := j.endpoint.callers[j.identity.Name]
	if !ok {
		return nil
	}
	switch {
	case j.version != 0 && !caller.versionSet[j.version]:
		if d = caller.denial(LayerPolicy, j.version.String()); j.message != nil {
			d.RPCID = j.message.ID
		}
	case j.message != nil:
		d = j.checkVersionOf(LayerPolicy, &caller.versionSet)
	case j.mayBringMessage() && !j.isStopped(): // it goes on because its layer only detects, and may be of any revision
		d = &Denial{Layer: LayerPolicy, Code: "message_unread", Status: http.StatusForbidden}
	}
	if d != nil {
		d.by = accessDecision{list: "min_versions", Decision: policy.Decision{Reason: policy.Unmet, Rule: caller.rule}}
	}
	return d
}

// compileMinVersions makes the table of the callers that rules name, or returns every fault in them. The revisions of the endpoint are
// known already.
func (ep *endpoint) compileMinVersions(field string, rules []MinVersion) (errs []error) {
	field += ".MinVersions"
	if len(rules) > policy.MaxRules {
		return append(errs, configErrorf(field, "%d rules, at most %d", len(rules), policy.MaxRules))
	}
	ep.MinVersions = slices.Clone(rules)
	ep.callers = make(map[string]callerVersions, len(rules))
	for i, r := range rules {
		at := configField(field, i)
		_, repeated := ep.callers[r.Identity]
		switch {
		case r.Identity == "" || len(r.Identity) > maxNameBytes:
			errs = append(errs, configErrorf(at+".Identity", "must be 1 to %d bytes", maxNameBytes))
		case r.Identity == policy.Everyone:
			errs = append(errs, configErrorf(at+".Identity", "must be one identity: MinVersion is for all"))
		case repeated:
			errs = append(errs, configErrorf(at+".Identity", "repeated"))
		case r.Version < mcpmsg.V20241105 || r.Version > mcpmsg.V20260728:
			errs = append(errs, configErrorf(at+".Version", "is a revision that is not known"))
		default:
			caller := callerVersions{ep.versions, i}
			clear(caller.versionSet[:r.Version])
			if caller.versionSet == (versionSet{}) && ep.versions != (versionSet{}) {
				errs = append(errs, configErrorf(at+".Version", "is newer than all revisions that the endpoint serves"))
			}
			ep.callers[r.Identity] = caller
		}
	}
	return errs
}
