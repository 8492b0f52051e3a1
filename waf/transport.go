package waf

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/validate"
)

// checkTransport is step 3, on endpoints only: verb, Host, Origin, upgrade, media type, Accept, session parameter, protocol version.
//
// Source: MCP 2025-11-25 and 2026-07-28, Streamable HTTP; MCP 2024-11-05, HTTP with SSE.
func (j *judgement) checkTransport() *Denial {
	ep, r := j.endpoint, j.r
	if ep == nil {
		return nil
	}
	if allow := ep.verbs(); !slices.Contains(allow, r.Method) {
		d := transportDenial("transport_verb", http.StatusMethodNotAllowed)
		d.header = http.Header{"Allow": {strings.Join(allow, ", ")}}
		return d
	}
	if !ep.hostAllowed(r) {
		return transportDenial("host_not_allowed", http.StatusForbidden)
	}
	origins := r.Header["Origin"]
	if len(origins) > 1 || len(origins) == 1 && !ep.originAllowed(origins[0], r) {
		return transportDenial("origin_not_allowed", http.StatusForbidden)
	}
	if j.overrides {
		// Frameworks that obey it would see another method than this step did.
		return transportDenial("transport_override", http.StatusBadRequest)
	}
	if len(r.Header["Upgrade"]) > 0 {
		// What follows an upgrade is no HTTP and would pass unseen.
		return transportDenial("transport_upgrade", http.StatusBadRequest)
	}
	j.preflight = r.Method == http.MethodOptions && len(origins) == 1 && len(r.Header["Access-Control-Request-Method"]) == 1
	if r.Method == http.MethodPost && !isJSON(r.Header["Content-Type"]) {
		return transportDenial("media_type", http.StatusUnsupportedMediaType)
	}
	if (r.Method == http.MethodPost || r.Method == http.MethodGet) && !acceptsAnswer(r.Header["Accept"], r.Method) {
		return transportDenial("not_acceptable", http.StatusNotAcceptable)
	}
	if _, query, ok := strings.Cut(requestTarget(r), "?"); ok && repeatsSession(query) {
		return transportDenial("session_repeated", http.StatusBadRequest)
	}
	return j.checkVersionHeader()
}

// checkVersionHeader reads MCP-Protocol-Version. That it agrees with the message is checked with the message; so is a
// request without it, whose revision only the message may tell.
func (j *judgement) checkVersionHeader() *Denial {
	values := j.r.Header["Mcp-Protocol-Version"]
	if len(values) == 0 {
		return nil
	}
	version, known := mcpmsg.ParseVersion(values[0])
	if len(values) > 1 || !known || !j.endpoint.versions[version] {
		return j.endpoint.versions.denial(LayerTransport, values[0])
	}
	j.version = version
	return nil
}

func transportDenial(code string, status int) *Denial {
	return &Denial{Layer: LayerTransport, Code: code, Status: status}
}

var (
	verbsMessage = []string{http.MethodPost, http.MethodOptions}
	verbsStream  = []string{http.MethodGet, http.MethodOptions}
	verbsAll     = []string{http.MethodPost, http.MethodGet, http.MethodDelete, http.MethodOptions}
)

// verbs returns the methods of the endpoint's transport.
func (ep *endpoint) verbs() []string {
	switch {
	case ep.streams:
		return verbsStream
	case ep.Transport == TransportHTTPSSE:
		return verbsMessage
	default:
		return verbsAll
	}
}

// isJSON reports whether the body is labelled as JSON in UTF-8. A label that another reader takes for something else would
// let the body past checks there.
func isJSON(contentType []string) bool {
	return len(contentType) == 1 && (contentType[0] == "application/json" || validate.IsMediaType(contentType[0], "application/json") && validate.ContentType(contentType[0]).OK())
}

// acceptsAnswer reports whether the client takes at least one of the two media types that an MCP server answers with, or for
// a GET the stream. Clients of the HTTP+SSE transport send no Accept with a POST, or "*/*".
//
// Source: RFC 9110, 12.5.1. Laxer than MCP 2025-03-26, which wants both types listed: the server knows which it needs.
func acceptsAnswer(accept []string, method string) bool {
	none := true
	for _, value := range accept {
		for value != "" {
			var element string
			element, value, _ = strings.Cut(value, ",")
			mediaRange, params, weighed := strings.Cut(element, ";")
			mediaRange = strings.ToLower(strings.Trim(mediaRange, " \t"))
			if mediaRange == "" {
				continue
			}
			none = false
			switch mediaRange {
			case "*/*", "text/*", "text/event-stream":
			case "application/json", "application/*":
				if method == http.MethodGet {
					continue
				}
			default:
				continue
			}
			if !weighed || !hasZeroWeight(params) {
				return true
			}
		}
	}
	return none
}

// namesEvents reports whether an Accept field names event streams, and not only media types of all kinds.
func namesEvents(accept []string) bool {
	return strings.Contains(strings.ToLower(strings.Join(accept, ",")), "text/event-stream")
}

// hasZeroWeight reports whether the parameters of a media range hold q=0, which means "not acceptable".
//
// Source: RFC 9110, 12.4.2.
func hasZeroWeight(params string) bool {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.Trim(param, " \t"), "=")
		if strings.EqualFold(name, "q") {
			return strings.Trim(value, "0") == "" || strings.Trim(value, "0") == "."
		}
	}
	return false
}

// requestTarget returns the target as it was on the wire. A request that no server parsed has none; its URL then stands in,
// which hides raw bytes that net/url encodes.
func requestTarget(r *http.Request) string {
	if r.RequestURI != "" || r.URL == nil {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// targetPath returns the path in the target, in wire form. It is valid only after the target was checked; before, it serves
// to choose the form of the answer.
func targetPath(r *http.Request) string { return pathOf(requestTarget(r)) }

// pathOf returns the path of a target in origin or absolute form.
func pathOf(target string) string {
	if !strings.HasPrefix(target, "/") { // absolute form
		if _, rest, ok := strings.Cut(target, "://"); ok {
			target = rest[strings.IndexAny(rest+"/", "/?#"):]
		}
	}
	target, _, _ = strings.Cut(target, "#")
	target, _, _ = strings.Cut(target, "?")
	return target
}

// isMetadata reports whether a request reads a document that clients ask for before they have a token: a well-known one at the
// root, or OAuth metadata below the path of an endpoint, where some clients look first. The latter only by a request that can't
// mean the endpoint's stream, because it does not accept one.
//
// Source: RFC 8615, 3; MCP 2025-11-25, Authorization Server Metadata Discovery.
func isMetadata(r *http.Request, path string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions {
		return false
	}
	before, name, ok := strings.Cut(path, "/.well-known/")
	switch {
	case !ok:
		return false
	case before == "":
		return true
	}
	accept := r.Header["Accept"]
	return len(accept) == 1 && accept[0] == "application/json" &&
		(name == "oauth-protected-resource" || name == "oauth-authorization-server" || name == "openid-configuration")
}
