// Package mcpmsg decides whether bytes are exactly one valid message of the Model Context Protocol that means the same to
// every JSON parser, and whether the header fields that repeat parts of a message agree with it.
//
//	v, err := mcpmsg.New(mcpmsg.Config{})
//	...
//	m, bad := v.Check(body, mcpmsg.Context{Direction: mcpmsg.FromClient})
//	if !bad.OK() {
//		answer := bad.AppendRPC(nil, m.ID)
//	}
//
// # What is checked, and from where
//
//	exact JSON, UTF-8, no byte order mark, one value      RFC 8259
//	no surrogate halves, no repeated member names         RFC 7493 (I-JSON), 2.1 and 2.3
//	no twin of a protocol member (Method, param\u017f)    stricter than any source: CVE class of parser differentials
//	shape, ids, batches                                   JSON-RPC 2.0; MCP Base Protocol
//	methods, params, results, errors                      schema.json of the five revisions, through generated tables
//	_meta keys, visible names and more (see [Prose])      text of the specification
//	uses of tools and their results in conversations      MCP 2025-11-25, Sampling
//	requests that bring asked-for input                   MCP 2026-07-28, Multi Round-Trip Requests (see [Validator.CheckRetry])
//	mirror headers                                        MCP 2026-07-28, Streamable HTTP; SEP-2243
//
// Inside the arguments of a tool only exact repeats of a name, and names with a NUL, are refused: Name beside name is legal data
// there.
//
// # Promises
//
// Check, CheckMirror and CheckRetry allocate nothing, whether they accept or refuse. The cost is linear in the message, and every size
// is bounded by [Config]. A Validator is safe for concurrent use. Codes and their text ids are never renamed or renumbered.
// No text of a message reaches a [Violation], its error or its answer, except the id that the caller hands in.
//
// # Limits of protection
//
// The package knows one message at a time: not whether ids repeat within a session, whether a method was negotiated, or
// what a tool does with its arguments. A result is judged by the method that [Context] names, and loosely without one.
//
// Member names of arguments are compared character by character. A reader that takes the two ways of writing é for the same, as
// Swift does, may still see a repeated name where this package sees two.
package mcpmsg
