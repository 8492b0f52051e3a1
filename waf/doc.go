// Package waf guards an HTTP service, above all an MCP server, as net/http middleware: a [Guard] lets only well-formed,
// unambiguous and permitted requests through and answers all others itself.
//
//	guard, err := waf.New(waf.Config{
//		Endpoints:  []waf.Endpoint{{Path: "/mcp", AllowHosts: []string{"mcp.example.com"}}},
//		Identities: waf.Identities{Bearer: []waf.BearerToken{{Name: "ci", SHA256: sha256.Sum256(token)}}},
//	})
//	…
//	server := &http.Server{Addr: "127.0.0.1:8080", Handler: guard.Wrap(mcpServer), ReadHeaderTimeout: 10 * time.Second}
//	server.ListenAndServe()
//
// # A request's way
//
//	1 validate    framing, header fields, Host, request target            400, 414, 417, 431, 501
//	2 endpoint    which endpoint the path means                           400; 403 if an unlisted path gets MCP (StrictDiscovery)
//	3 transport   verb, Host list, Origin, media type, Accept, version    405, 403, 400, 415, 406
//	4 identity    who calls                                               401; 500 if the Authenticate hook fails
//	5 body        one bounded read                                        413, 408, 400
//	  message     one MCP message with one meaning, mirror headers        400; 404 for an unknown method of 2026-07-28
//	6 policy      may this caller use this tool, prompt, resource?        403; 400 for a revision too old for this caller
//	              and this tool with these arguments?
//	7 rules       the SecLang ruleset                                     403, or the rule's own status; 500 if it fails
//	8 next        the same bytes, replayed; the parsed message in the context
//	9 response    lists without what the caller may not use               502 if a list can't be read, or is poisoned
//
// On paths that are no endpoint only the steps 1, 5 (the read) and 7 refuse. The steps run in this order and the first
// refusal ends the way, unless its layer only detects ([Config.Mode], [Config.Modes], [Endpoint.Modes]).
//
// # Where to put it
//
// The Guard MUST see a request before anything that routes, rewrites paths, decompresses or parses a body. It MUST be behind
// whatever terminates TLS only if that proxy is the sole way in; tell it about the proxy with [TrustedHeader] and
// [Config.TrustedProxies]. It SHOULD be inside of a CORS middleware that is given the origins of [Endpoint.AllowOrigins] and no
// others (examples/cors shows it with github.com/jub0bs/cors), and outside of authentication that is not its own. Set
// http.Server.MaxHeaderBytes (for example 32 KiB): it is the only bound that acts before the memory is spent. Set no WriteTimeout:
// it cuts streams.
//
// # Promises
//
// It fails closed: a body that can't be read, a hook or a ruleset that fails, a closed Guard are refusals, never a pass and
// never a 200. Everything is bounded. No value of a request reaches an event, an error or an answer, except the names
// and the message id that [Event] and [Denial] list, and what [LogValues] names. The response is not touched, except where lists of tools, prompts
// and resources are filtered and looked at, and where session ids are bound: streams leave event by event as they are written, and
// http.ResponseController reaches the server's own writer.
//
// # Codes
//
// The reasons that [Denial] and [Event] give are stable. Those of the layers validate and message are the codes of the packages validate
// and mcpmsg; the others, and what the Guard adds to them, are:
//
//	validate    method_connect, header_reroutes
//	endpoint    endpoint_ambiguous, endpoint_exposed; guard_closed
//	transport   transport_verb, transport_override, transport_upgrade, host_not_allowed, origin_not_allowed, media_type,
//	            not_acceptable, session_repeated, version_unsupported
//	identity    identity_required, identity_failed, token_in_query, session_unknown
//	body        body_too_large, body_timeout, body_unreadable, body_encoded, body_trailer, body_unexpected, bodies_too_many
//	message     version_unsupported
//	policy      message_unread, mcp_method_not_allowed, tool_not_allowed, argument_not_allowed, prompt_not_allowed,
//	            resource_not_allowed, version_unsupported, streams_too_many, rate_exceeded, limiter_failed
//	rules       rules_matched, rules_failed, rules_closed
//	response    response_unreadable, response_encoded, response_too_large, response_media_type, response_hidden_text,
//	            response_instructions, response_header_mark, response_metadata
//
// # Limits of protection
//
// The Guard judges requests. It does not see what a tool does with a permitted call, what a client does with an answer, or
// two requests together: a list in the answer to a call, which some clients take for the answer to another request of theirs,
// passes. What follows an upgraded connection (WebSocket) on a path that is no endpoint is not HTTP and is not judged.
package waf
