package waf

import (
	"net/http"
	"net/netip"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/validate"
)

// Config says what a [Guard] protects and how. It is passed by value; a zero field means the documented default, and
// everything wrong is reported at once by [New] or [Guard.Reload], each fault as a *[ConfigError].
//
// The zero Config guards the well-known MCP paths and refuses every MCP request, because nobody is known and nothing is
// anonymous.
type Config struct {
	_ [0]func() // keyed literals only; not comparable

	// Mode is Enforce, the default, or DetectOnly. Modes overrides it for single layers, [Endpoint] for single endpoints. Where
	// LayerMessage only detects, a message that can't be read goes on to the policy, which refuses it unless every caller may use
	// everything; the rates of tools are not asked about it. Where LayerBody does, the same goes for a body under another verb than POST.
	Mode  Mode
	Modes map[Layer]Mode

	// Endpoints are the MCP endpoints behind the Guard, at most 1,024. Nil means [WellKnownEndpoints].
	Endpoints []Endpoint

	// StrictDiscovery refuses a request that looks like MCP on a path that is no endpoint. Without it such a request is
	// reported as an event with the code "endpoint_exposed" and goes on to the rules.
	StrictDiscovery bool

	// Identities are the built-in ways to recognise a caller. They are tried in the order client certificate, trusted
	// header, bearer token; the first that recognises the caller wins.
	Identities Identities

	// Authenticate, if not nil, is asked when no built-in way recognised the caller. A zero Identity with a nil error
	// means that the caller is not known; an error, or a name of more than 256 bytes, is our own failure and answered 500, never
	// let through. It may be called concurrently and must not read the body.
	Authenticate func(*http.Request) (Identity, error)

	// TrustedProxies are the networks of the proxies in front of the Guard. Only they are believed when they name the client in
	// X-Forwarded-For; from everybody else's requests the X-Forwarded fields, Forwarded and X-Real-IP are removed. Without them
	// the client is whoever connects, and the fields stay as they are. Host is read from nowhere else: let a proxy pass it on.
	TrustedProxies []netip.Prefix

	// ResourceMetadata is the URL of the OAuth protected resource metadata, which a 401 names in WWW-Authenticate; "" leaves it
	// out.
	ResourceMetadata string

	// SessionKeys, if not empty, bind session ids to the caller that opened them, so that a stolen id is of no
	// use to anybody else: in Mcp-Session-Id, and in the sessionId parameter of the HTTP+SSE transport. At most 8 keys of at
	// least 32 random bytes; the first one signs, all of them verify, so that keys can be rotated and shared by a fleet.
	SessionKeys [][]byte

	// MaxBodyBytes bounds a request body, on MCP endpoints and elsewhere; 0 = 4 MiB; 1 to 64 MiB. The whole body is held
	// in memory while the request is judged and served.
	MaxBodyBytes int

	// DangerouslyUnreadBodies are paths of which the bodies pass to the handler as they come, for uploads: of any size, at any pace, and
	// seen by no rule. Everything else about such a request is checked. Patterns are those of [Endpoint].Path, compared with the path as
	// it is on the wire; at most 1,024. A path that may lead to an endpoint is never one of them.
	DangerouslyUnreadBodies []string

	// Request bounds and checks header fields and the request target. Message bounds MCP messages; its size limit is
	// MaxBodyBytes unless it sets a smaller one.
	Request validate.RequestConfig
	Message mcpmsg.Config

	// Limits bound what all requests together may hold. Limiter, if not nil, bounds the rate of messages.
	Limits  Limits
	Limiter Limiter

	// Rules is the ruleset of step 7. Nil means the embedded default ruleset, which the Guard then owns and closes. A
	// ruleset given here stays the caller's to close, after the Guard no longer uses it.
	Rules *Ruleset

	// DangerouslyNoRules leaves step 7 out. It is an error together with Rules.
	DangerouslyNoRules bool

	// DangerouslyKeepPoisonedLists passes on lists of tools, prompts and resources, and instructions of a server, whose texts
	// address the model behind the user's back: invisible characters, and orders in tags. Without it such an answer becomes an
	// error. The stream of a GET is inspected for them, too: it carries the answers of the HTTP+SSE transport.
	DangerouslyKeepPoisonedLists bool

	// OnEvent, if not nil, is called with every decision, synchronously, before the answer or the handler. It may be
	// called concurrently; what it blocks, the request waits for. [LogEvents] makes one that logs.
	OnEvent func(Event)

	// LogValues names request values that events carry, redacted. Without it they carry none.
	LogValues LogValues

	// OnDeny, if not nil, writes the answer to a refused request instead of the Guard. The decision stands whatever it
	// writes; if it writes nothing, the Guard answers after all, with the fields that it has set.
	//
	// That is also how a 403 gets the challenge "insufficient_scope" (MCP 2025-11-25, Authorization, Scope Challenge Handling). The Guard
	// sends none by itself: it knows names, not what a further scope would make of them, and clients that are told so send people
	// through a consent, which must then be of use.
	OnDeny func(http.ResponseWriter, *http.Request, Denial)
}

// Mode says whether a refusal is carried out.
type Mode uint8

// The modes.
const (
	Enforce    Mode = iota // refuse
	DetectOnly             // report what would be refused, and let it through
)

// String returns "enforce" or "detect".
func (m Mode) String() string {
	if m == DetectOnly {
		return "detect"
	}
	return "enforce"
}

// AllLayers returns Modes that set every layer to m. It returns a new map on every call.
func AllLayers(m Mode) map[Layer]Mode {
	modes := make(map[Layer]Mode, len(layerText)-1)
	for layer := LayerValidate; int(layer) < len(layerText); layer++ {
		modes[layer] = m
	}
	return modes
}

// Layer is the step of the request's way that made a decision.
type Layer uint8

// The layers, in the order in which a request meets them.
const (
	LayerNone      Layer = iota // no layer refused: the request was allowed
	LayerValidate               // framing, header fields, Host, request target
	LayerEndpoint               // endpoint lookup and discovery
	LayerTransport              // verb, Origin, Host list, media type, Accept, protocol version
	LayerIdentity               // who is calling
	LayerBody                   // the bounded read of the body
	LayerMessage                // the MCP message and its mirror headers
	LayerPolicy                 // what this identity may use
	LayerRules                  // the SecLang rules
	LayerResponse               // the answer, where lists are filtered; DetectOnly leaves answers as they are
)

var layerText = [...]string{"none", "validate", "endpoint", "transport", "identity", "body", "message", "policy", "rules", "response"}

// String returns the layer's stable name, such as "policy".
func (l Layer) String() string {
	if int(l) >= len(layerText) {
		return "unknown"
	}
	return layerText[l]
}

// Transport is the way an endpoint speaks MCP over HTTP.
type Transport uint8

// The transports.
const (
	TransportAny            Transport = iota // not known: every verb that some transport uses
	TransportStreamableHTTP                  // one endpoint: POST, GET, DELETE (MCP 2025-03-26 on)
	TransportHTTPSSE                         // two endpoints: POST on Path, the GET stream on SSEPath (MCP 2024-11-05)
)

// String returns the name that policy files use, such as "streamable-http".
func (t Transport) String() string {
	switch t {
	case TransportStreamableHTTP:
		return "streamable-http"
	case TransportHTTPSSE:
		return "http+sse"
	default:
		return "any"
	}
}

// Endpoint is one MCP endpoint and what may reach it.
type Endpoint struct {
	// Path is exact ("/mcp"), a subtree ("/mcp/*") or a suffix ("*/mcp"), in wire form: it is compared with the bytes of
	// the request target, never with a decoded or cleaned path. A spelling that a lenient router could still lead here
	// (another case, a trailing slash, escapes, doubled slashes, path parameters) is judged as this endpoint too. A message, or the
	// wish for a stream, at a path that only differs in what some routers drop at the end ("/mcp.json", "/mcp ") is refused.
	// An exact path goes before the others, then the longer one.
	Path string

	// Transport narrows the verbs. SSEPath is the stream's exact path for TransportHTTPSSE; it becomes an endpoint with the
	// same settings unless another one has that path.
	Transport Transport
	SSEPath   string

	// Versions are the revisions served here; nil means all that the library knows, from MinVersion on if that is not 0. To set
	// both is an error. A client that negotiated an older revision is refused with its next message, and told the served ones.
	Versions   []mcpmsg.Version
	MinVersion mcpmsg.Version

	// MinVersions refuse single identities revisions that the endpoint serves to others. At most 1,024, one of each identity.
	MinVersions []MinVersion

	// Modes overrides Config.Mode and Config.Modes for requests to this endpoint, layer by layer; nil overrides nothing. With
	// [AllLayers] a new endpoint can be watched before it is guarded. What makes it doubtful which endpoint a request is for
	// ("endpoint_ambiguous", "header_reroutes") is not the endpoint's to decide: there Config's modes count.
	Modes map[Layer]Mode

	// Anonymous lets callers in that no identity rule recognises.
	Anonymous bool

	// AllowOrigins are the browser origins that may call, exact, such as "https://app.example.com". Nil means: only the
	// origin of a host in AllowHosts, and loopback on a loopback listener. Empty and not nil means none. A request without
	// Origin is not a browser's and passes.
	AllowOrigins []string

	// AllowHosts are the hosts that are served, such as "mcp.example.com" (at any port) or "localhost:3000" (at that port),
	// compared without regard to ASCII case. Nil means any, empty and not nil means none. Name them for every endpoint that
	// is anonymous or that listens on loopback: it is what stops a browser under DNS rebinding that sends no Origin.
	AllowHosts []string

	// Methods, Tools, Prompts and Resources say what each identity may use; nil means everything of the kind. A rule that
	// denies wins over all others; what no rule of a kind allows a caller, it may not use. A refused tool, prompt or resource
	// also disappears from the lists that the server answers with.
	//
	// Methods are method names. The handshake (initialize, server/discover, ping and notifications) is always allowed. Tools
	// and Prompts are the names in tools/call and prompts/get, Resources the URIs in resources/read, resources/subscribe,
	// resources/unsubscribe and subscriptions/listen. What completion/complete is for must be allowed, too. A URI with dot segments,
	// escaped separators or user information is refused wherever Resources has rules, because it could be resolved to another one.
	Methods   []AccessRule
	Tools     []AccessRule
	Prompts   []AccessRule
	Resources []AccessRule

	// DryRun, if not nil, are lists to try out before they are put in the place of those four. They decide nothing: a message on
	// which they and the lists in force disagree is an event, with ActionDryDeny or ActionDryAllow. So is each tool and each prompt in
	// the lists that the server answers with, at most 100 of one answer, and of resources the first. Messages are compared that reach
	// the policy, and answers that LayerResponse looks at, which are all lists unless poisoned ones are kept.
	DryRun *AccessLists
}

// MinVersion is the oldest revision for one identity.
type MinVersion struct {
	Identity string // its exact name
	Version  mcpmsg.Version
}

// AccessLists say what each identity may use, as the fields of the same names in [Endpoint] do.
type AccessLists struct {
	Methods   []AccessRule
	Tools     []AccessRule
	Prompts   []AccessRule
	Resources []AccessRule
}

// AccessRule allows and denies names for one identity, or for all, and says with what arguments tools may be called. In patterns
// "*" stands for any run of characters.
//
// A list has at most 1,024 rules and 4,096 patterns, of at most 256 bytes each. Wherever it has any rule, a name is refused that is
// longer than 1,024 bytes or holds control characters.
type AccessRule struct {
	// Identity is the exact name of an identity, or "*" for every caller, known or anonymous.
	Identity string

	// Allow are the names that may be used, compared exactly and case-sensitively; nil means every name that Deny does not
	// hold. Deny are the names that may not, compared without regard to case, to full-width forms and to spaces and dots
	// around the name, so that a lenient server cannot be reached through another spelling.
	Allow []string
	Deny  []string

	// Arguments and ArgumentSchema are conditions on the arguments of calls, for the tools that Allow holds, spelled as Deny would
	// compare them. A call that does not meet all of them is refused, whatever other rules allow, with the code
	// "argument_not_allowed"; so is one whose arguments can't be judged. At most 64 conditions of one rule. Only Tools may have
	// them: elsewhere they are an error.
	//
	// ArgumentSchema is a JSON Schema for all arguments: see [mcpmsg.CompileSchema]. A member whose name lenient readers take for
	// one that the schema declares is refused.
	Arguments      []ArgumentRule
	ArgumentSchema *mcpmsg.Schema
}

// Identities are the built-in ways to recognise a caller. More than 10,000 tokens and certificates together are for
// [Config.Authenticate].
type Identities struct {
	TrustedHeader      *TrustedHeader
	Bearer             []BearerToken
	ClientCertificates []ClientCertificate
}

// TrustedHeader takes the caller's name from a field that an authenticating proxy sets. It is honoured only on connections
// from the listed networks and removed from everybody else's requests, in every spelling that CGI would fold to it.
type TrustedHeader struct {
	Name string         // a field name, such as "X-Verified-User"
	From []netip.Prefix // the proxy's addresses; at least one
}

// BearerToken recognises "Authorization: Bearer …" by the SHA-256 of the token, compared in constant time.
type BearerToken struct {
	Name   string // the identity's name
	SHA256 [32]byte
}

// ClientCertificate recognises a client certificate that the TLS stack verified. Every field that is not empty must match
// the leaf certificate exactly; at least one must be set.
type ClientCertificate struct {
	Name    string // the identity's name
	URISAN  string // such as "spiffe://example.org/agent"
	DNSSAN  string
	Subject string // the distinguished name as crypto/x509/pkix prints it
}

// WellKnownEndpoints returns the endpoints that are guarded when a Config names none: the paths that MCP servers use by
// custom. It returns a new slice on every call.
func WellKnownEndpoints() []Endpoint {
	paths := []string{"/mcp", "*/mcp", "/mcp/*", "/sse", "/message", "/messages", "/mcp_message"}
	endpoints := make([]Endpoint, len(paths))
	for i, path := range paths {
		endpoints[i].Path = path
	}
	return endpoints
}
