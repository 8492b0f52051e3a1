// Package corazamcp teaches Coraza the Model Context Protocol: a body processor that reads a message the way mcpmsg does, and operators
// that ask the checks of mcpmsg and validate.
//
//	corazamcp.Register()
//	waf, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(rules.FS()).WithDirectives(
//		"SecRuleEngine On\nSecRequestBodyAccess On\n" + rules.Directives(rules.Coraza)))
//
// # The body processor
//
// `ctl:requestBodyProcessor=MCP` in phase 1 selects it. It refuses what mcpmsg refuses, the disagreement of mirror headers included: then
// REQBODY_ERROR is 1 and TX:mcp_code is the text id of the reason, and nothing of the body is in any variable. A rule has to
// refuse on REQBODY_ERROR; the rules of package rules do. Of an accepted message rules see
//
//	TX:mcp_method   one value for each message, in order, the empty text for responses
//	TX:mcp_name     name of the tool, prompt or task, one value for each message that has one
//	TX:mcp_uri      likewise
//	TX:mcp_version  the revision by which the message was judged
//	TX:mcp_kind     request, notification, result, error response or batch
//	ARGS            every string, and every number, true, false and null that has a name, under Coraza's own JSON names: json.params.name
//
// Coraza's stock processor stores members up to SecArgumentsLimit and drops the rest in silence. This one refuses instead, and does
// not count the numbers of arrays, which it leaves out: an embedding vector is no reason to refuse.
//
// All of the values are shown, because a processor does not learn which rules are loaded: Coraza gives it variables and limits, its observer
// of rules sees a rule before its chain and before directives that change it, and neither sees the other. waf.LoadRules knows its
// rules, and shows those values only that some rule may match, which takes a suspicious call of 64 KiB from 15 to 2 ms. A program with
// transactions of its own that knows its rules as well can do the same by [FillSome].
//
// # The operators
//
// Each matches a value that is well-formed; rules negate it: `SecRule REQUEST_HEADERS "!@validHeaderValue" "…"`.
//
//	@mcpValid [client|server]     one valid message from this side; client if not said
//	@mcpMethod [m1,m2 …]          a method of any revision, or one of those listed
//	@validHeaderName, @validHeaderValue, @validHost, @validOrigin, @validSessionId, @validContentType
//	@validURI                     a request target as on the wire: REQUEST_URI_RAW
//
// # Promises
//
// Nothing of a request reaches an error text or a log. All state is immutable after Register. Coraza keeps its plug-ins in plain maps
// without a lock: call Register before the first WAF of the program is built. waf.LoadRules does.
package corazamcp
