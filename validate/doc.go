// Package validate checks what precedes the body of an HTTP request: header fields, framing, Host and request target. It is
// for programs that stand before a service and must not pass on what two parsers read in two ways.
//
// # Which function
//
//   - [Request] checks all of it together, from net/http or from a gateway's own parser: [NewRequest], [Request.Check].
//   - [Headers] and [Target] check one part.
//   - A function per field checks one value: [Host], [Origin], [ContentType], [SessionID] and so on.
//   - [AppendRoute] and [HasEscapedUnreserved] help a guard that compares paths byte by byte.
//
// # Promises
//
//   - No check allocates, neither on acceptance nor on refusal. [Violation.Err] and the iterators do.
//   - Time is linear in the input. Limits cut off before bytes are read; there is no unlimited setting.
//   - Compiled values are immutable and safe for concurrent use. A zero one refuses everything.
//   - No value of a request gets into a [Violation], an error or a log line; field names do, quoted and cut.
//   - Code ids, numbers and default limits are API.
//
// # What it can't see
//
// net/http repairs four forms of request smuggling before a handler runs: Content-Length with Transfer-Encoding, folded lines,
// bare line feeds, equal repeated Content-Length. No middleware finds them; only [Headers.CheckFields], on raw fields, does. Set
// http.Server.MaxHeaderBytes too: it alone acts before memory is spent. A body that is shorter or longer than announced
// shows only while it is read. What a path or a value means to the service behind is not judged here.
//
// # Checks
//
// Numbers are RFCs and their sections. Who else: E Envoy's universal header validator, n nginx, A Apache httpd, H HAProxy,
// y hyper, L llhttp, g httpguts; six digits are rules of the OWASP Core Rule Set. The last column is what net/http settles
// before a handler runs: such a check fires only on raw input. Lenient has the checks of the default and larger limits.
// "option" is off unless the configuration asks.
//
//	code                          source                     default              strict             who else           net/http did it
//	method_invalid                9110 9.1; bound ours       refuse               refuse             E 920100           H1; H2 passes
//	method_not_allowed            9110 15.5.6                option               option             E 911100           no
//	version_unsupported           9110 2.5                   refuse               refuse             n A                505 for other majors
//	header_too_many               6585 5                     100                  64                 n A H E y Node     no
//	header_too_large              6585 5; 9113 6.5.2         32 KiB               16 KiB             A H E Node         1 MiB
//	header_name_empty             9110 5.1                   refuse               refuse             E n A H y L g      yes
//	header_name_invalid           9110 5.1                   refuse               refuse             E n A H y L g      yes
//	header_name_too_long          6585 5                     128                  64                 in sums elsewhere  in sum
//	header_name_uppercase         9113 8.2.1                 refuse (raw H2)      refuse             E H y              yes
//	header_name_underscore        CGI folding                option               refuse             n E                no
//	header_name_twin              CGI folding                refuse               refuse             n drops            no
//	header_forbidden              httpoxy, overrides         Proxy                + overrides        920450             no
//	header_duplicate              9110 5.3                   refuse               refuse             n 920620           Host, H1
//	header_connection_specific    9113 8.2.2                 refuse (H2)          refuse             E H                yes
//	header_value_invalid          9110 5.5                   refuse               refuse             E A H y L g 921140 yes
//	header_value_folded           9112 5.2                   refuse               refuse             E L                repairs
//	header_value_space            9113 8.2.1                 refuse (H2)          refuse             -                  H1 trims, H2 passes
//	header_value_obs_text         9110 5.5 (stricter)        option               refuse             920272             no
//	header_value_too_long         6585 5                     8 KiB or 2 KiB       4 KiB, 1 KiB       n A CRS            in sum
//	content_length_invalid        9110 8.6; 9112 6.3         refuse               refuse             E n A H y L 920160 H1; H2 passes
//	content_length_duplicate      9112 6.3 (stricter)        refuse               refuse             n H y L            H1 repairs or 400
//	content_length_mismatch       9113 8.1.1                 refuse               refuse             -                  H2 passes
//	framing_conflict              9112 6.1                   refuse               refuse             E n L 920181       H1 repairs
//	transfer_encoding_invalid     9112 6.1, 6.3              refuse               refuse             E n y L            H1
//	transfer_encoding_unsupported 9112 6.1                   refuse               refuse             E n y L            501
//	transfer_encoding_version     9112 6.1; 9113 8.2.2       refuse               refuse             n y                ignores on 1.0, H2
//	host_missing                  9112 3.2; 9110 4.2.1       refuse               refuse             E n A H 920280     H1, not if empty
//	host_invalid                  9110 7.2; 3986 3.2.2; 9844 refuse               refuse             E n A H            H1 byte set; H2 less
//	host_too_long                 1035 2.3.4                 261                  261                -                  in sum
//	host_port_invalid             9110 4.2                   refuse               refuse             E                  no
//	host_mismatch                 9112 3.2.2; 9113 8.3.1     refuse               refuse             H                  no
//	host_numeric                  DNS rebinding              option               option             920350             no
//	host_unusual                  1123 2.1                   option               refuse             E                  no
//	content_type_invalid          9110 8.3, 5.6.6            refuse               refuse             920470             no
//	content_type_repeated         9110 8.3 (stricter)        refuse               refuse             920530             no
//	content_type_charset          8259 8.1                   refuse               refuse             920480             no
//	accept_invalid                9110 12.5.1                option               refuse             -                  no
//	accept_unsatisfied            MCP 2025-03-26             AcceptMCP            AcceptMCP          go-sdk             no
//	authorization_invalid         9110 11.4; 6750 2.1        weaker form          refuse             -                  no
//	origin_invalid                6454 7.1; MCP              refuse               refuse             CORS libraries     no
//	cookie_invalid                6265 4.2.1                 option               refuse             -                  no
//	cookie_too_many               ours                       100                  20                 -                  no
//	connection_invalid            9110 7.6.1                 refuse               refuse             -                  H2
//	connection_nominates          9110 7.6.1; Davison 2019   refuse               refuse, custom too 920210 partly      H1 passes
//	expect_unsupported            9110 10.1.1; Kettle 2025   refuse               refuse             -                  partly
//	upgrade_invalid               9110 7.8                   refuse               refuse             -                  no
//	upgrade_h2c                   9113 3.1; Miller 2020      refuse               refuse             -                  no
//	trailer_invalid               9110 6.5.1                 refuse               refuse             -                  no
//	trailer_forbidden             9110 6.5.1                 refuse               refuse             -                  three names
//	te_invalid                    9110 10.1.4; 9113 8.2.2    refuse               refuse             E                  H2
//	range_invalid                 9110 14.2                  refuse               refuse             920190             file server
//	range_too_many                CVE-2011-3192              16                   5                  A 920200           no
//	forwarded_invalid             7239 4, 6                  not X-Forwarded-For  refuse             -                  no
//	forwarded_too_many            ours                       32                   8                  -                  no
//	traceparent_invalid           W3C Trace Context 2.2      Traceparent          Traceparent        -                  no
//	session_id_invalid            MCP 2025-03-26 on          refuse               refuse             go-sdk             no
//	protocol_version_invalid      MCP 2025-06-18             refuse               refuse             go-sdk             no
//	mcp_method_invalid            MCP 2026-07-28             refuse               refuse             go-sdk             no
//	mcp_name_invalid              MCP 2026-07-28             refuse               refuse             go-sdk             no
//	mcp_param_invalid             MCP 2026-07-28             refuse               refuse             go-sdk             no
//	mcp_param_too_many            ours                       64                   64                 -                  no
//	mcp_encoding_invalid          MCP 2026-07-28; 4648 3.5   refuse               refuse             conformance suite  no
//	last_event_id_invalid         WHATWG HTML 9.2            refuse               refuse             -                  yes
//	uri_empty                     9112 3.2                   refuse               refuse             all                yes
//	uri_form_invalid              9112 3.2; 9113 8.3.1       refuse               refuse             E 920100           partly; H2 less
//	uri_too_long                  9110 15.5.15               8 KiB                2 KiB              n A H              in sum
//	uri_byte_invalid              3986 3.3, 3.4              refuse               refuse             E n                SP on H1, CTL
//	uri_delimiter_raw             3986 3.3, 3.4              option               refuse             E                  no
//	uri_non_ascii                 3986 2                     option               refuse             E                  no
//	uri_utf8_invalid              3629                       refuse               refuse             920250             no
//	uri_percent_invalid           3986 2.1                   refuse               refuse             E n 920240         path, not query
//	uri_nul_encoded               CRS                        refuse               refuse             E n 920270         no
//	uri_control_encoded           CRS                        path; CR LF in names refuse             920271 921150      no
//	uri_dot_segment               3986 5.2.4                 refuse               refuse             E resolves         no
//	uri_dot_segment_encoded       3986 6.2.2.2               refuse               refuse             E resolves         no
//	uri_dot_segment_parameter     Tsai 2018                  refuse               refuse             -                  no
//	uri_above_root                3986 5.2.4                 refuse               refuse             E                  no
//	uri_slash_encoded             path confusion             option               refuse             A, E choice        no
//	uri_backslash_encoded         path confusion             refuse               refuse             E choice           no
//	uri_segment_empty             path confusion             option               refuse             n A E merge        no
//	uri_path_ambiguous            3986 4.2                   refuse               refuse             -                  no
//	uri_parameter                 Tsai 2018                  option               refuse             -                  no
//	uri_unreserved_encoded        3986 6.2.2.2               option               refuse             E decodes          no
//	uri_double_encoded            CWE-174                    refuse               refuse             920230             no
//	uri_percent_encoded           CWE-174                    option               refuse             920230             no
//	uri_lookalike                 best-fit mapping           option               refuse             -                  no
//	uri_semicolon                 WHATWG URL                 option               refuse             -                  drops the pair
//	uri_fragment                  9112 3.2                   refuse               refuse             E 920610           no
//	uri_userinfo                  9110 4.2.4                 refuse               refuse             E                  no
//	uri_scheme_invalid            9112 3.2.2                 refuse               refuse             E                  no
//	uri_absolute                  9112 3.2.2 (stricter)      option               refuse             -                  no
//	uri_segment_too_many          ours                       64                   32                 -                  no
//	uri_segment_too_long          ours                       512                  255                -                  no
//	uri_query_too_long            ours                       8 KiB                2 KiB              CRS 920390         no
//	uri_pair_too_many             ours                       255                  64                 CRS 920380         10,000 in ParseQuery
//	uri_pair_name_too_long        ours                       256                  100                CRS 920360         no
//	uri_pair_value_too_long       ours                       4 KiB                1 KiB              CRS 920370         no
//	uri_pair_repeated             HPP                        UniqueNames          UniqueNames        921180             no
//	not_compiled                  -                          refuse               refuse             -                  -
//
// # Where this is laxer than its sources, and why
//
//   - Authorization: the default wants a scheme and, for Bearer, Basic and Negotiate, one word. Signatures of Amazon and tokens
//     of some issuers leave the grammar of RFC 9110. Likewise Accept, Cookie and X-Forwarded-For: honest clients and proxies do.
//   - In a query, a slash escaped twice passes unless two dots stand beside it: URLs nest there. Raw backslashes and quotes pass
//     in queries: browsers send the former.
//   - MaxCookies is 100, twice the proposal of the project's research: a benign reference request has 60.
//   - X-Forwarded-Proto may be ws or wss, which some proxies send.
//   - Traceparent is never refused by a configured check: W3C wants it dropped.
//   - Duplicate query names are refused only for names that are listed: repeating is how forms send lists.
//
// And stricter: a tab beside the value of Content-Length, Transfer-Encoding or Host is refused, though it is legal: obfuscated
// framing uses it, and nothing else.
//
// Left out: idna (a map of two names to one is no check; only A-labels pass), and lists of allowed media types and origins, which
// are policy.
package validate
