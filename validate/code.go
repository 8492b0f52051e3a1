package validate

// Code says what is wrong. Its text id is the same name in snake_case. Codes are API: none is ever renamed, renumbered or
// used for something else; new ones are added at the end. The table in the package comment gives source and defaults.
type Code uint16

// The codes. Those marked (option) come only from a configuration that asks for the check.
const (
	CodeOK                          Code = iota // nothing is wrong
	CodeMethodInvalid                           // the method is no token, or too long
	CodeMethodNotAllowed                        // the method is not in RequestConfig.Methods
	CodeVersionUnsupported                      // the protocol version is none of HTTP/1.0, 1.1, 2, 3
	CodeHeaderTooMany                           // more field lines than HeaderConfig.MaxFields
	CodeHeaderTooLarge                          // names, values and 32 bytes per line exceed HeaderConfig.MaxBytes
	CodeHeaderNameEmpty                         // a field name is empty
	CodeHeaderNameInvalid                       // a field name holds a byte that is no tchar
	CodeHeaderNameTooLong                       // a field name exceeds HeaderConfig.MaxNameBytes
	CodeHeaderNameUppercase                     // a raw HTTP/2 or HTTP/3 field name has an upper-case letter
	CodeHeaderNameUnderscore                    // a field name has an underscore (option)
	CodeHeaderNameTwin                          // a field name becomes a known one when "_" is read as "-"
	CodeHeaderForbidden                         // the field may not be sent at all
	CodeHeaderDuplicate                         // a field that may occur once occurs again
	CodeHeaderConnectionSpecific                // a raw HTTP/2 or HTTP/3 request has a field of the connection
	CodeHeaderValueInvalid                      // a value holds a control byte other than HTAB
	CodeHeaderValueFolded                       // a value goes on in the next line (obs-fold)
	CodeHeaderValueSpace                        // a value starts or ends with white space
	CodeHeaderValueObsText                      // a value holds a byte above 0x7f (option)
	CodeHeaderValueTooLong                      // a value exceeds the bound of its field
	CodeContentLengthInvalid                    // Content-Length is not one decimal number below 2^63
	CodeContentLengthDuplicate                  // Content-Length occurs more than once
	CodeContentLengthMismatch                   // Content-Length differs from the length of the body that the server found
	CodeFramingConflict                         // Content-Length and Transfer-Encoding come together
	CodeTransferEncodingInvalid                 // Transfer-Encoding is malformed or repeated
	CodeTransferEncodingUnsupported             // Transfer-Encoding is something else than one "chunked"
	CodeTransferEncodingVersion                 // Transfer-Encoding in a version that has none
	CodeHostMissing                             // no Host, or an empty one
	CodeHostInvalid                             // Host is no name, IPv4 or bracketed IPv6 address with optional port
	CodeHostTooLong                             // Host exceeds RequestConfig.MaxHostBytes
	CodeHostPortInvalid                         // the port is not 1 to 65535
	CodeHostMismatch                            // Host, :authority and the target name different servers
	CodeHostNumeric                             // Host is an IP address (option)
	CodeHostUnusual                             // Host is no name of letters, digits, hyphens in labels of 1 to 63, or has an empty port (option)
	CodeContentTypeInvalid                      // Content-Type is no type "/" subtype with parameters
	CodeContentTypeRepeated                     // a parameter of Content-Type occurs twice
	CodeContentTypeCharset                      // the charset of a JSON type is not UTF-8
	CodeAcceptInvalid                           // Accept is no list of media ranges
	CodeAcceptUnsatisfied                       // Accept does not cover what an MCP POST is answered with
	CodeAuthorizationInvalid                    // Authorization is no scheme with token68 or parameters
	CodeOriginInvalid                           // Origin is neither null nor one scheme "://" host with optional port
	CodeCookieInvalid                           // Cookie is no list of pairs (option)
	CodeCookieTooMany                           // more cookies than HeaderConfig.MaxCookies
	CodeConnectionInvalid                       // Connection is no list of tokens
	CodeConnectionNominates                     // Connection would remove a field that belongs to the recipient
	CodeExpectUnsupported                       // Expect is not 100-continue
	CodeUpgradeInvalid                          // Upgrade is no list of protocols
	CodeUpgradeH2C                              // Upgrade asks for HTTP/2 in the clear
	CodeTrailerInvalid                          // Trailer is no list of tokens
	CodeTrailerForbidden                        // Trailer announces a field that may not be a trailer
	CodeTEInvalid                               // TE is malformed, or not "trailers" in HTTP/2 and HTTP/3
	CodeRangeInvalid                            // Range has bytes but no well-formed set of ranges
	CodeRangeTooMany                            // more ranges than HeaderConfig.MaxRanges
	CodeForwardedInvalid                        // Forwarded or an X-Forwarded field breaks its grammar
	CodeForwardedTooMany                        // more hops than HeaderConfig.MaxForwardedHops
	CodeTraceparentInvalid                      // Traceparent is to be dropped (only the Traceparent check says so, no configured one)
	CodeSessionIDInvalid                        // Mcp-Session-Id is empty or holds a byte outside 0x21 to 0x7e
	CodeProtocolVersionInvalid                  // MCP-Protocol-Version is no date
	CodeMCPMethodInvalid                        // Mcp-Method is empty or holds a byte outside HTAB, 0x20 to 0x7e
	CodeMCPNameInvalid                          // Mcp-Name is empty or holds a byte outside HTAB, 0x20 to 0x7e
	CodeMCPParamInvalid                         // an Mcp-Param field has no name, or its value a byte outside HTAB, 0x20 to 0x7e
	CodeMCPParamTooMany                         // more than 64 Mcp-Param fields
	CodeMCPEncodingInvalid                      // a value in the Base64 form is not canonical Base64 of UTF-8
	CodeLastEventIDInvalid                      // Last-Event-ID holds NUL, CR or LF
	CodeURIEmpty                                // the request target is empty
	CodeURIFormInvalid                          // the form of the target does not fit the method or the protocol version
	CodeURITooLong                              // the target exceeds TargetConfig.MaxBytes
	CodeURIByteInvalid                          // a raw space, control byte, backslash, quote or angle bracket
	CodeURIDelimiterRaw                         // a raw [ ] { } | ^ or backtick (option)
	CodeURINonASCII                             // a raw byte above 0x7f (option)
	CodeURIUTF8Invalid                          // raw and escaped bytes above 0x7f are not UTF-8
	CodeURIPercentInvalid                       // "%" without two hexadecimal digits
	CodeURINULEncoded                           // an escaped NUL
	CodeURIControlEncoded                       // an escaped control byte where none belongs
	CodeURIDotSegment                           // a "." or ".." segment
	CodeURIDotSegmentEncoded                    // a dot segment with an escaped dot or beside an escaped slash
	CodeURIDotSegmentParameter                  // a dot segment with a parameter
	CodeURIAboveRoot                            // dot segments climb above the root
	CodeURISlashEncoded                         // an escaped slash in the path (option)
	CodeURIBackslashEncoded                     // an escaped backslash in the path
	CodeURISegmentEmpty                         // an empty path segment (option)
	CodeURIPathAmbiguous                        // the path starts with two slashes: some read a host there
	CodeURIParameter                            // a path parameter (option)
	CodeURIUnreservedEncoded                    // an escape of a byte that needs none (option)
	CodeURIDoubleEncoded                        // a dangerous byte escaped twice
	CodeURIPercentEncoded                       // any byte escaped twice (option)
	CodeURILookalike                            // a character that looks like a separator (option)
	CodeURISemicolon                            // a ";" in the query (option)
	CodeURIFragment                             // a "#"
	CodeURIUserinfo                             // user information before the host
	CodeURISchemeInvalid                        // an absolute target that is not http or https with "//"
	CodeURIAbsolute                             // an absolute target where no proxy is (option)
	CodeURISegmentTooMany                       // more path segments than TargetConfig.MaxSegments
	CodeURISegmentTooLong                       // a path segment exceeds TargetConfig.MaxSegmentBytes
	CodeURIQueryTooLong                         // the query exceeds TargetConfig.MaxQueryBytes
	CodeURIPairTooMany                          // more query pairs than TargetConfig.MaxPairs
	CodeURIPairNameTooLong                      // a query name exceeds TargetConfig.MaxPairNameBytes
	CodeURIPairValueTooLong                     // a query value exceeds TargetConfig.MaxPairValueBytes
	CodeURIPairRepeated                         // a name of TargetConfig.UniqueNames occurs again
	CodeNotCompiled                             // the checking value was not made by its constructor
)

var codes = [...]struct {
	id     string
	status int
}{
	CodeOK:                          {"ok", 200},
	CodeMethodInvalid:               {"method_invalid", 400},
	CodeMethodNotAllowed:            {"method_not_allowed", 405},
	CodeVersionUnsupported:          {"version_unsupported", 505},
	CodeHeaderTooMany:               {"header_too_many", 431},
	CodeHeaderTooLarge:              {"header_too_large", 431},
	CodeHeaderNameEmpty:             {"header_name_empty", 400},
	CodeHeaderNameInvalid:           {"header_name_invalid", 400},
	CodeHeaderNameTooLong:           {"header_name_too_long", 431},
	CodeHeaderNameUppercase:         {"header_name_uppercase", 400},
	CodeHeaderNameUnderscore:        {"header_name_underscore", 400},
	CodeHeaderNameTwin:              {"header_name_twin", 400},
	CodeHeaderForbidden:             {"header_forbidden", 400},
	CodeHeaderDuplicate:             {"header_duplicate", 400},
	CodeHeaderConnectionSpecific:    {"header_connection_specific", 400},
	CodeHeaderValueInvalid:          {"header_value_invalid", 400},
	CodeHeaderValueFolded:           {"header_value_folded", 400},
	CodeHeaderValueSpace:            {"header_value_space", 400},
	CodeHeaderValueObsText:          {"header_value_obs_text", 400},
	CodeHeaderValueTooLong:          {"header_value_too_long", 431},
	CodeContentLengthInvalid:        {"content_length_invalid", 400},
	CodeContentLengthDuplicate:      {"content_length_duplicate", 400},
	CodeContentLengthMismatch:       {"content_length_mismatch", 400},
	CodeFramingConflict:             {"framing_conflict", 400},
	CodeTransferEncodingInvalid:     {"transfer_encoding_invalid", 400},
	CodeTransferEncodingUnsupported: {"transfer_encoding_unsupported", 501},
	CodeTransferEncodingVersion:     {"transfer_encoding_version", 400},
	CodeHostMissing:                 {"host_missing", 400},
	CodeHostInvalid:                 {"host_invalid", 400},
	CodeHostTooLong:                 {"host_too_long", 400},
	CodeHostPortInvalid:             {"host_port_invalid", 400},
	CodeHostMismatch:                {"host_mismatch", 400},
	CodeHostNumeric:                 {"host_numeric", 400},
	CodeHostUnusual:                 {"host_unusual", 400},
	CodeContentTypeInvalid:          {"content_type_invalid", 400},
	CodeContentTypeRepeated:         {"content_type_repeated", 400},
	CodeContentTypeCharset:          {"content_type_charset", 415},
	CodeAcceptInvalid:               {"accept_invalid", 400},
	CodeAcceptUnsatisfied:           {"accept_unsatisfied", 406},
	CodeAuthorizationInvalid:        {"authorization_invalid", 400},
	CodeOriginInvalid:               {"origin_invalid", 403},
	CodeCookieInvalid:               {"cookie_invalid", 400},
	CodeCookieTooMany:               {"cookie_too_many", 431},
	CodeConnectionInvalid:           {"connection_invalid", 400},
	CodeConnectionNominates:         {"connection_nominates", 400},
	CodeExpectUnsupported:           {"expect_unsupported", 417},
	CodeUpgradeInvalid:              {"upgrade_invalid", 400},
	CodeUpgradeH2C:                  {"upgrade_h2c", 400},
	CodeTrailerInvalid:              {"trailer_invalid", 400},
	CodeTrailerForbidden:            {"trailer_forbidden", 400},
	CodeTEInvalid:                   {"te_invalid", 400},
	CodeRangeInvalid:                {"range_invalid", 400},
	CodeRangeTooMany:                {"range_too_many", 400},
	CodeForwardedInvalid:            {"forwarded_invalid", 400},
	CodeForwardedTooMany:            {"forwarded_too_many", 400},
	CodeTraceparentInvalid:          {"traceparent_invalid", 400},
	CodeSessionIDInvalid:            {"session_id_invalid", 400},
	CodeProtocolVersionInvalid:      {"protocol_version_invalid", 400},
	CodeMCPMethodInvalid:            {"mcp_method_invalid", 400},
	CodeMCPNameInvalid:              {"mcp_name_invalid", 400},
	CodeMCPParamInvalid:             {"mcp_param_invalid", 400},
	CodeMCPParamTooMany:             {"mcp_param_too_many", 431},
	CodeMCPEncodingInvalid:          {"mcp_encoding_invalid", 400},
	CodeLastEventIDInvalid:          {"last_event_id_invalid", 400},
	CodeURIEmpty:                    {"uri_empty", 400},
	CodeURIFormInvalid:              {"uri_form_invalid", 400},
	CodeURITooLong:                  {"uri_too_long", 414},
	CodeURIByteInvalid:              {"uri_byte_invalid", 400},
	CodeURIDelimiterRaw:             {"uri_delimiter_raw", 400},
	CodeURINonASCII:                 {"uri_non_ascii", 400},
	CodeURIUTF8Invalid:              {"uri_utf8_invalid", 400},
	CodeURIPercentInvalid:           {"uri_percent_invalid", 400},
	CodeURINULEncoded:               {"uri_nul_encoded", 400},
	CodeURIControlEncoded:           {"uri_control_encoded", 400},
	CodeURIDotSegment:               {"uri_dot_segment", 400},
	CodeURIDotSegmentEncoded:        {"uri_dot_segment_encoded", 400},
	CodeURIDotSegmentParameter:      {"uri_dot_segment_parameter", 400},
	CodeURIAboveRoot:                {"uri_above_root", 400},
	CodeURISlashEncoded:             {"uri_slash_encoded", 400},
	CodeURIBackslashEncoded:         {"uri_backslash_encoded", 400},
	CodeURISegmentEmpty:             {"uri_segment_empty", 400},
	CodeURIPathAmbiguous:            {"uri_path_ambiguous", 400},
	CodeURIParameter:                {"uri_parameter", 400},
	CodeURIUnreservedEncoded:        {"uri_unreserved_encoded", 400},
	CodeURIDoubleEncoded:            {"uri_double_encoded", 400},
	CodeURIPercentEncoded:           {"uri_percent_encoded", 400},
	CodeURILookalike:                {"uri_lookalike", 400},
	CodeURISemicolon:                {"uri_semicolon", 400},
	CodeURIFragment:                 {"uri_fragment", 400},
	CodeURIUserinfo:                 {"uri_userinfo", 400},
	CodeURISchemeInvalid:            {"uri_scheme_invalid", 400},
	CodeURIAbsolute:                 {"uri_absolute", 400},
	CodeURISegmentTooMany:           {"uri_segment_too_many", 414},
	CodeURISegmentTooLong:           {"uri_segment_too_long", 414},
	CodeURIQueryTooLong:             {"uri_query_too_long", 414},
	CodeURIPairTooMany:              {"uri_pair_too_many", 414},
	CodeURIPairNameTooLong:          {"uri_pair_name_too_long", 414},
	CodeURIPairValueTooLong:         {"uri_pair_value_too_long", 414},
	CodeURIPairRepeated:             {"uri_pair_repeated", 400},
	CodeNotCompiled:                 {"not_compiled", 500},
}

// String returns the text id, such as "header_duplicate", or "unknown".
func (c Code) String() string {
	if int(c) >= len(codes) {
		return "unknown"
	}
	return codes[c].id
}

// Error returns the text id. The method exists only so that errors.Is(err, code) works; no check returns a bare Code.
func (c Code) Error() string { return c.String() }

// Status returns the HTTP status that a refusal should carry: 200 for CodeOK, 500 for an unknown code.
func (c Code) Status() int {
	if int(c) >= len(codes) {
		return 500
	}
	return codes[c].status
}
