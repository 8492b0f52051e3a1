package mcpmsg

import "github.com/sallyport/sallyport/internal/schema"

// Code says why a message was refused. Numbers and text ids are API: they are never changed or used for something else.
type Code uint16

// The codes. The text id of each is in its comment.
const (
	CodeOK                 Code = 0
	CodeEmpty              Code = 1  // json_empty: no JSON value at all
	CodeJSONSyntax         Code = 2  // json_syntax
	CodeJSONByteOrderMark  Code = 3  // json_byte_order_mark
	CodeJSONControl        Code = 4  // json_control_character: not escaped, in a string
	CodeJSONSurrogate      Code = 5  // json_surrogate: half of a pair
	CodeJSONUTF8           Code = 6  // json_utf8
	CodeJSONTrailing       Code = 7  // json_trailing_bytes: more than one value, or bytes after it
	CodeJSONDepth          Code = 8  // json_depth
	CodeMessageTooLong     Code = 9  // message_too_long
	CodeStringTooLong      Code = 10 // string_too_long
	CodeNameTooLong        Code = 11 // member_name_too_long
	CodeNumberTooLong      Code = 12 // number_too_long
	CodeTooManyMembers     Code = 13 // members_too_many
	CodeTooManyItems       Code = 14 // items_too_many
	CodeDuplicateMember    Code = 15 // json_duplicate_member
	CodeMemberTwin         Code = 16 // member_case_twin: a member that lax readers take for one of the protocol
	CodeEnvelopeType       Code = 17 // envelope_type: not an object
	CodeEnvelopeJSONRPC    Code = 18 // envelope_jsonrpc: "jsonrpc" is absent or not "2.0"
	CodeEnvelopeShape      Code = 19 // envelope_shape: neither request, notification, result nor error
	CodeIDType             Code = 20 // id_type: neither a string without NUL nor a plain integer within 2^53-1 of zero
	CodeIDTooLong          Code = 21 // id_too_long
	CodeIDMissing          Code = 22 // id_missing
	CodeIDForbidden        Code = 23 // id_forbidden: a notification with an id
	CodeMethodType         Code = 24 // method_type
	CodeMethodTooLong      Code = 25 // method_too_long
	CodeMethodUnknown      Code = 26 // method_unknown: in this revision, from this side
	CodeParamsMissing      Code = 27 // params_missing
	CodeResponseForbidden  Code = 28 // response_forbidden: a client of 2026-07-28 sends none
	CodeBatchForbidden     Code = 29 // batch_forbidden: only 2025-03-26 has batches
	CodeBatchEmpty         Code = 30 // batch_empty
	CodeBatchTooLong       Code = 31 // batch_too_long
	CodeBatchMixed         Code = 32 // batch_mixed: responses beside requests or notifications
	CodeBatchMethod        Code = 33 // batch_method: initialize in a batch
	CodeBatchDuplicateID   Code = 34 // batch_duplicate_id
	CodeSchemaType         Code = 35 // schema_type
	CodeSchemaValue        Code = 36 // schema_value: none of those admitted
	CodeSchemaRange        Code = 37 // schema_range
	CodeSchemaLength       Code = 38 // schema_length
	CodeSchemaCount        Code = 39 // schema_count: of members or elements
	CodeSchemaPattern      Code = 40 // schema_pattern
	CodeSchemaForm         Code = 41 // schema_form: a string that breaks the rule for its place
	CodeSchemaMissing      Code = 42 // schema_missing: a required member
	CodeSchemaMember       Code = 43 // schema_member: one that the schema closes out
	CodeSchemaName         Code = 44 // schema_name: a member name that breaks the rule for its place
	CodeSchemaAlternative  Code = 45 // schema_alternative: the parts fit different alternatives
	CodeVersionMismatch    Code = 46 // version_mismatch: header or context and body name different revisions
	CodeVersionUnsupported Code = 47 // version_unsupported
	CodeErrorCode          Code = 48 // error_code: reserved in this revision
	CodeMirrorMissing      Code = 49 // mirror_missing
	CodeMirrorRepeated     Code = 50 // mirror_repeated
	CodeMirrorMismatch     Code = 51 // mirror_mismatch
	CodeMirrorEncoding     Code = 52 // mirror_encoding: the Base64 form is not exact
	CodeMirrorCharacter    Code = 53 // mirror_character
	CodeMirrorUnexpected   Code = 54 // mirror_unexpected: a header for a value that the body does not have
	CodeNotConfigured      Code = 55 // not_configured: a zero Validator, or a Context that names no direction or revision
	CodeHiddenText         Code = 56 // hidden_text: characters that people do not see, in a description
	CodeHeaderMark         Code = 57 // header_mark: x-mcp-header where or as it may not be
	CodeTargetTooLong      Code = 58 // target_too_long: the name of a tool, prompt or task, or the URI of a resource
	CodeNumberOverflow     Code = 59 // number_overflow: beyond the doubles, so that readers make different things of it
	CodeToolBalance        Code = 60 // tool_balance: a conversation in which uses of tools and results do not match
	CodeIDReused           Code = 61 // id_reused: a retry with the id of the request before
	numCodes                    = 62
)

// codeInfo is the text id of a code and the JSON-RPC error that answers it.
var codeInfo = [numCodes]struct {
	id  string
	rpc int
}{
	CodeOK:                 {"ok", 0},
	CodeEmpty:              {"json_empty", rpcParse},
	CodeJSONSyntax:         {"json_syntax", rpcParse},
	CodeJSONByteOrderMark:  {"json_byte_order_mark", rpcParse},
	CodeJSONControl:        {"json_control_character", rpcParse},
	CodeJSONSurrogate:      {"json_surrogate", rpcParse},
	CodeJSONUTF8:           {"json_utf8", rpcParse},
	CodeJSONTrailing:       {"json_trailing_bytes", rpcParse},
	CodeJSONDepth:          {"json_depth", rpcInvalid},
	CodeMessageTooLong:     {"message_too_long", rpcInvalid},
	CodeStringTooLong:      {"string_too_long", rpcInvalid},
	CodeNameTooLong:        {"member_name_too_long", rpcInvalid},
	CodeNumberTooLong:      {"number_too_long", rpcInvalid},
	CodeTooManyMembers:     {"members_too_many", rpcInvalid},
	CodeTooManyItems:       {"items_too_many", rpcInvalid},
	CodeDuplicateMember:    {"json_duplicate_member", rpcInvalid},
	CodeMemberTwin:         {"member_case_twin", rpcInvalid},
	CodeEnvelopeType:       {"envelope_type", rpcInvalid},
	CodeEnvelopeJSONRPC:    {"envelope_jsonrpc", rpcInvalid},
	CodeEnvelopeShape:      {"envelope_shape", rpcInvalid},
	CodeIDType:             {"id_type", rpcInvalid},
	CodeIDTooLong:          {"id_too_long", rpcInvalid},
	CodeIDMissing:          {"id_missing", rpcInvalid},
	CodeIDForbidden:        {"id_forbidden", rpcInvalid},
	CodeMethodType:         {"method_type", rpcInvalid},
	CodeMethodTooLong:      {"method_too_long", rpcInvalid},
	CodeMethodUnknown:      {"method_unknown", rpcMethod},
	CodeParamsMissing:      {"params_missing", rpcParams},
	CodeResponseForbidden:  {"response_forbidden", rpcInvalid},
	CodeBatchForbidden:     {"batch_forbidden", rpcInvalid},
	CodeBatchEmpty:         {"batch_empty", rpcInvalid},
	CodeBatchTooLong:       {"batch_too_long", rpcInvalid},
	CodeBatchMixed:         {"batch_mixed", rpcInvalid},
	CodeBatchMethod:        {"batch_method", rpcInvalid},
	CodeBatchDuplicateID:   {"batch_duplicate_id", rpcInvalid},
	CodeSchemaType:         {"schema_type", rpcParams},
	CodeSchemaValue:        {"schema_value", rpcParams},
	CodeSchemaRange:        {"schema_range", rpcParams},
	CodeSchemaLength:       {"schema_length", rpcParams},
	CodeSchemaCount:        {"schema_count", rpcParams},
	CodeSchemaPattern:      {"schema_pattern", rpcParams},
	CodeSchemaForm:         {"schema_form", rpcParams},
	CodeSchemaMissing:      {"schema_missing", rpcParams},
	CodeSchemaMember:       {"schema_member", rpcParams},
	CodeSchemaName:         {"schema_name", rpcParams},
	CodeSchemaAlternative:  {"schema_alternative", rpcParams},
	CodeVersionMismatch:    {"version_mismatch", rpcHeader},
	CodeVersionUnsupported: {"version_unsupported", rpcVersion},
	CodeErrorCode:          {"error_code", rpcInvalid},
	CodeMirrorMissing:      {"mirror_missing", rpcHeader},
	CodeMirrorRepeated:     {"mirror_repeated", rpcHeader},
	CodeMirrorMismatch:     {"mirror_mismatch", rpcHeader},
	CodeMirrorEncoding:     {"mirror_encoding", rpcHeader},
	CodeMirrorCharacter:    {"mirror_character", rpcHeader},
	CodeMirrorUnexpected:   {"mirror_unexpected", rpcHeader},
	CodeNotConfigured:      {"not_configured", rpcInternal},
	CodeHiddenText:         {"hidden_text", rpcInvalid},
	CodeHeaderMark:         {"header_mark", rpcInvalid},
	CodeTargetTooLong:      {"target_too_long", rpcParams},
	CodeNumberOverflow:     {"number_overflow", rpcInvalid},
	CodeToolBalance:        {"tool_balance", rpcParams},
	CodeIDReused:           {"id_reused", rpcInvalid},
}

// codeOf translates the reasons of a walk.
var codeOf = [schema.NumReasons]Code{
	schema.Empty:       CodeEmpty,
	schema.Syntax:      CodeJSONSyntax,
	schema.BOM:         CodeJSONByteOrderMark,
	schema.Control:     CodeJSONControl,
	schema.Surrogate:   CodeJSONSurrogate,
	schema.UTF8:        CodeJSONUTF8,
	schema.Trailing:    CodeJSONTrailing,
	schema.Depth:       CodeJSONDepth,
	schema.LongString:  CodeStringTooLong,
	schema.LongName:    CodeNameTooLong,
	schema.LongNumber:  CodeNumberTooLong,
	schema.ManyMembers: CodeTooManyMembers,
	schema.ManyItems:   CodeTooManyItems,
	schema.Duplicate:   CodeDuplicateMember,
	schema.Twin:        CodeMemberTwin,
	schema.Type:        CodeSchemaType,
	schema.Value:       CodeSchemaValue,
	schema.Range:       CodeSchemaRange,
	schema.Overflow:    CodeNumberOverflow,
	schema.Length:      CodeSchemaLength,
	schema.Count:       CodeSchemaCount,
	schema.Pattern:     CodeSchemaPattern,
	schema.Form:        CodeSchemaForm,
	schema.Missing:     CodeSchemaMissing,
	schema.Unknown:     CodeSchemaMember,
	schema.NameForm:    CodeSchemaName,
	schema.OneOf:       CodeSchemaAlternative,
}

// String returns the text id of the code, such as "method_unknown".
func (c Code) String() string {
	if c >= numCodes {
		return "unknown"
	}
	return codeInfo[c].id
}

// Error returns the text id. It exists so that errors.Is works with a Code; a Code is never returned as an error.
func (c Code) Error() string { return c.String() }
