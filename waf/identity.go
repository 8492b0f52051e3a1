package waf

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/validate"
)

// identities recognises callers. It is immutable.
type identities struct {
	trustedName  string // canonical field name; "" if there is no trusted header
	trustedFrom  []netip.Prefix
	bearer       []BearerToken
	certificates []ClientCertificate
	hook         func(*http.Request) (Identity, error)
}

// checkIdentity is step 4. Everywhere it finds out who calls and takes forged trusted headers away; on an endpoint it refuses a
// token in the query and, unless the endpoint is anonymous, a caller that it does not know.
func (j *judgement) checkIdentity() *Denial {
	id, err := j.s.identities.recognise(j.r)
	if err != nil || len(id.Name) > maxNameBytes {
		return &Denial{Layer: LayerIdentity, Code: "identity_failed", Status: http.StatusInternalServerError}
	}
	j.identity, j.recognised = id, id.Name != ""
	if _, query, ok := strings.Cut(requestTarget(j.r), "?"); ok && j.endpoint != nil && holdsToken(query) {
		return &Denial{Layer: LayerIdentity, Code: "token_in_query", Status: http.StatusBadRequest}
	}
	if j.endpoint == nil || j.recognised || j.endpoint.Anonymous || j.preflight {
		return nil
	}
	return &Denial{
		Layer: LayerIdentity, Code: "identity_required", Status: http.StatusUnauthorized,
		header: http.Header{"Www-Authenticate": {j.s.challenge}},
	}
}

// holdsToken reports whether a query has a parameter for a token. There it would end up in logs and histories. Names that servers give
// other meanings, such as token and code, are not among them.
//
// Source: MCP 2025-11-25, Authorization, Token Requirements: MUST NOT be in the query; RFC 6750, 2.3.
func holdsToken(query string) bool {
	for name := range queryNames(query) {
		switch strings.ToLower(nameMarks.Replace(name)) {
		case "accesstoken", "refreshtoken", "idtoken", "bearertoken", "authorization":
			return true
		}
	}
	return false
}

// recognise returns the caller, the zero Identity for nobody known, or the error of the Authenticate hook.
//
// The trusted header is taken off every request that may not carry it, before anything else can read it.
func (ids *identities) recognise(r *http.Request) (Identity, error) {
	trusted := ids.takeTrustedHeader(r)
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		leaf := r.TLS.VerifiedChains[0][0]
		for i := range ids.certificates {
			c := &ids.certificates[i]
			if (c.URISAN == "" || slices.ContainsFunc(leaf.URIs, uriEquals(c.URISAN))) &&
				(c.DNSSAN == "" || slices.Contains(leaf.DNSNames, c.DNSSAN)) &&
				(c.Subject == "" || leaf.Subject.String() == c.Subject) {
				return Identity{Name: c.Name, Method: "client-certificate"}, nil
			}
		}
	}
	if trusted != "" {
		return Identity{Name: trusted, Method: "trusted-header"}, nil
	}
	if len(ids.bearer) > 0 {
		if name := ids.bearerName(r.Header["Authorization"]); name != "" {
			return Identity{Name: name, Method: "bearer"}, nil
		}
	}
	if ids.hook == nil {
		return Identity{}, nil
	}
	return ids.hook(r)
}

// takeTrustedHeader returns the name in the trusted header if the peer may set it. From everybody else's request it removes
// the field, and always its underscore spellings, which CGI-style servers read as the same name.
func (ids *identities) takeTrustedHeader(r *http.Request) string {
	if ids.trustedName == "" {
		return ""
	}
	peer, _ := peerAddr(r)
	listed := slices.ContainsFunc(ids.trustedFrom, func(p netip.Prefix) bool { return p.Contains(peer) })
	deleteTwins(r.Header, ids.trustedName)
	if !listed {
		delete(r.Header, ids.trustedName)
	}
	values := r.Header[ids.trustedName]
	if len(values) != 1 || !isName(values[0]) {
		delete(r.Header, ids.trustedName)
		return ""
	}
	return values[0]
}

// deleteTwins removes every other spelling of a canonical field name that CGI-style servers read as that name.
func deleteTwins(h http.Header, canonical string) {
	for name := range h {
		if name != canonical && isSpelling(name, canonical) {
			delete(h, name)
		}
	}
}

// isSpelling reports whether CGI-style servers read both field names as the same.
func isSpelling(name, canonical string) bool {
	return len(name) == len(canonical) && strings.EqualFold(strings.ReplaceAll(name, "_", "-"), strings.ReplaceAll(canonical, "_", "-"))
}

// bearerName returns the identity that the token belongs to, or "". It compares with every known token, so that the time
// taken does not tell which of them is close.
//
// Source: RFC 6750, 2.1; RFC 9110, 11.4 (the scheme is case-insensitive).
func (ids *identities) bearerName(authorization []string) string {
	if len(authorization) != 1 {
		return ""
	}
	scheme, token, ok := strings.Cut(authorization[0], " ")
	if !ok || token == "" || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	sum := sha256.Sum256([]byte(token))
	found := ""
	for i := range ids.bearer {
		if subtle.ConstantTimeCompare(sum[:], ids.bearer[i].SHA256[:]) == 1 {
			found = ids.bearer[i].Name
		}
	}
	return found
}

// uriEquals returns a predicate: is this the URI with that text?
func uriEquals(text string) func(*url.URL) bool {
	return func(u *url.URL) bool { return u.String() == text }
}

// peerAddr returns the address of the connection's other end, without a zone.
func peerAddr(r *http.Request) (netip.Addr, int) {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, 0
	}
	return ap.Addr().Unmap().WithZone(""), int(ap.Port())
}

// isName reports whether s can name an identity: 1 to 256 bytes of visible ASCII and inner spaces, and not the "*" that
// policies use for everybody.
func isName(s string) bool {
	if s == "" || len(s) > maxNameBytes || s == "*" || s[0] == ' ' || s[len(s)-1] == ' ' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// compileChallenge returns the value of WWW-Authenticate.
//
// Source: RFC 9728, 5.1; MCP 2025-06-18, Authorization Server Location.
func compileChallenge(metadata string) (string, []error) {
	if metadata == "" {
		return "Bearer", nil
	}
	u, err := url.Parse(metadata)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Fragment != "" || strings.ContainsAny(metadata, "\"\\") || !validate.FieldValue(metadata).OK() {
		return "", []error{configErrorf("Config.ResourceMetadata", "must be an http or https URL without a fragment")}
	}
	return `Bearer resource_metadata="` + metadata + `"`, nil
}

// compileIdentities copies the configuration, or returns every fault in it.
func compileIdentities(cfg Identities, hook func(*http.Request) (Identity, error)) (*identities, []error) {
	var errs []error
	fault := func(field, problem string) {
		errs = append(errs, configErrorf("Config.Identities."+field, "%s", problem))
	}
	ids := &identities{bearer: slices.Clone(cfg.Bearer), certificates: slices.Clone(cfg.ClientCertificates), hook: hook}
	if len(cfg.Bearer)+len(cfg.ClientCertificates) > maxIdentities {
		fault("Bearer", "more than 10000 identities: use Authenticate")
	}
	if th := cfg.TrustedHeader; th != nil {
		ids.trustedName, ids.trustedFrom = http.CanonicalHeaderKey(th.Name), slices.Clone(th.From)
		if !validate.FieldName(th.Name).OK() || isReservedField(ids.trustedName) {
			fault("TrustedHeader.Name", "must be the name of a field that means nothing else")
		}
		if len(th.From) == 0 {
			fault("TrustedHeader.From", "must list the networks of the proxy that sets the field")
		}
		for i, p := range th.From {
			if !p.IsValid() {
				fault(configField("TrustedHeader.From", i), "is not a network")
			}
		}
	}
	seen := make(map[[32]byte]bool, len(cfg.Bearer))
	for i, b := range cfg.Bearer {
		field := configField("Bearer", i)
		if !isName(b.Name) {
			fault(field+".Name", nameProblem)
		}
		if b.SHA256 == sha256.Sum256(nil) || b.SHA256 == [32]byte{} {
			fault(field+".SHA256", "is the digest of no token")
		}
		if seen[b.SHA256] {
			fault(field+".SHA256", "is that of another identity")
		}
		seen[b.SHA256] = true
	}
	for i, c := range cfg.ClientCertificates {
		field := configField("ClientCertificates", i)
		if !isName(c.Name) {
			fault(field+".Name", nameProblem)
		}
		if c.URISAN == "" && c.DNSSAN == "" && c.Subject == "" {
			fault(field, "must say what the certificate holds: URISAN, DNSSAN or Subject")
		}
	}
	return ids, errs
}

const nameProblem = `must be 1 to 256 visible ASCII characters and not "*"`

// isReservedField reports whether a canonical field name has a meaning that an identity must not be read from.
func isReservedField(name string) bool {
	switch name {
	case "Host", "Authorization", "Cookie", "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "Origin", requestIDHeader:
		return true
	}
	return strings.HasPrefix(name, "Mcp-")
}
