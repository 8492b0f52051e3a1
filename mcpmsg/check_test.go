package mcpmsg_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

const (
	meta26 = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	call   = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":`

	elicit  = `{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"message":"m","requestedSchema":{"type":"object","properties":`
	sample  = `{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"maxTokens":1,"messages":`
	respond = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t",` + meta26 + `,"inputResponses":`
)

// row is a message and what Check must make of it.
type row struct {
	name string
	in   string
	ctx  mcpmsg.Context
	want mcpmsg.Code
}

func client(v mcpmsg.Version) mcpmsg.Context {
	return mcpmsg.Context{Version: v, Direction: mcpmsg.FromClient}
}

func server(v mcpmsg.Version, of mcpmsg.Method) mcpmsg.Context {
	return mcpmsg.Context{Version: v, Direction: mcpmsg.FromServer, ResultOf: of}
}

// traced is a request with another member in its _meta.
func traced(member string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + strings.Replace(meta26, "{", "{"+member+",", 1) + `}}`
}

// rows pairs each check with its benign twin.
var rows = []row{
	{"ping", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, client(mcpmsg.V20251125), 0},
	{"white space around", " \r\n\t{\"jsonrpc\" : \"2.0\" , \"id\" : 1 , \"method\" : \"ping\" } \n", client(mcpmsg.V20251125), 0},
	{"no value", " \n", client(0), mcpmsg.CodeEmpty},
	{"nothing", "", client(0), mcpmsg.CodeEmpty},
	{"cut short", `{"jsonrpc":"2.0","id":1,"method":"ping"`, client(0), mcpmsg.CodeJSONSyntax},
	{"byte order mark", "\ufeff" + `{"jsonrpc":"2.0","id":1,"method":"ping"}`, client(0), mcpmsg.CodeJSONByteOrderMark},
	{"vertical tab", "\v" + `{"jsonrpc":"2.0","id":1,"method":"ping"}`, client(0), mcpmsg.CodeJSONSyntax},
	{"no-break space after", `{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\u00a0", client(0), mcpmsg.CodeJSONTrailing},
	{"NUL after", `{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\x00", client(0), mcpmsg.CodeJSONTrailing},
	{"second value", `{"jsonrpc":"2.0","id":1,"method":"ping"}{}`, client(0), mcpmsg.CodeJSONTrailing},
	{"trailing comma", `{"jsonrpc":"2.0","id":1,"method":"ping",}`, client(0), mcpmsg.CodeJSONSyntax},
	{"raw control character", call + `{"a":"` + "\x01" + `"}}}`, client(0), mcpmsg.CodeJSONControl},
	{"escaped control character", call + `{"a":"\u0001"}}}`, client(0), 0},
	{"surrogate half", call + `{"a":"\ud83d"}}}`, client(0), mcpmsg.CodeJSONSurrogate},
	{"low half first", call + `{"a":"\ude00\ud83d"}}}`, client(0), mcpmsg.CodeJSONSurrogate},
	{"surrogate pair", call + `{"a":"\ud83d\ude00"}}}`, client(0), 0},
	{"encoded surrogate", call + "{\"a\":\"\xed\xa0\x80\"}}}", client(0), mcpmsg.CodeJSONUTF8},
	{"overlong", call + "{\"a\":\"\xc0\xaf\"}}}", client(0), mcpmsg.CodeJSONUTF8},
	{"highest character", call + "{\"a\":\"\U0010ffff\"}}}", client(0), 0},
	{"above the highest", call + "{\"a\":\"\xf4\x90\x80\x80\"}}}", client(0), mcpmsg.CodeJSONUTF8},
	{"leading zero", call + `{"a":01}}}`, client(0), mcpmsg.CodeJSONSyntax},
	{"odd numbers", call + `{"a":[-0.0,1e308,1e-400,123456789012345678901234567890]}}}`, client(0), 0},
	{"repeated in arguments", call + `{"a":1,"a":2}}}`, client(0), mcpmsg.CodeDuplicateMember},
	{"repeated by an escape", call + `{"a":1,"\u0061":2}}}`, client(0), mcpmsg.CodeDuplicateMember},
	{"repeated by two escapes", call + `{"\u0061":1,"\u0061":2}}}`, client(0), mcpmsg.CodeDuplicateMember},
	{"repeated beyond ASCII", call + `{"é":1,"\u00e9":2}}}`, client(0), mcpmsg.CodeDuplicateMember},
	{"repeated empty name", call + `{"":1,"":2}}}`, client(0), mcpmsg.CodeDuplicateMember},
	{"other case in arguments", call + `{"name":1,"Name":2}}}`, client(0), 0},
	{"same names in two objects", call + `{"a":{"b":1},"c":{"b":1}}}}`, client(0), 0},
	{"twin of method", `{"jsonrpc":"2.0","id":1,"method":"ping","METHOD":"x"}`, client(0), mcpmsg.CodeMemberTwin},
	{"twin alone", `{"jsonrpc":"2.0","id":1,"Method":"ping"}`, client(0), mcpmsg.CodeMemberTwin},
	{"escaped twin", `{"jsonrpc":"2.0","id":1,"method":"ping","\u004dethod":"x"}`, client(0), mcpmsg.CodeMemberTwin},
	{"long s", `{"jsonrpc":"2.0","id":1,"method":"ping","param\u017f":{}}`, client(0), mcpmsg.CodeMemberTwin},
	{"Kelvin sign", `{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"1","tas\u212aId":"2"}}`, client(mcpmsg.V20251125), mcpmsg.CodeMemberTwin},
	{"NUL at the end", `{"jsonrpc":"2.0","id":1,"method":"ping","method\u0000":"x"}`, client(0), mcpmsg.CodeMemberTwin},
	{"invisible inside", `{"jsonrpc":"2.0","id":1,"method":"ping","me\u200bthod":"x"}`, client(0), mcpmsg.CodeMemberTwin},
	{"escaped but the same", `{"jsonrpc":"2.0","i\u0064":1,"\u006dethod":"pin\u0067"}`, client(0), 0},
	{"twin of a known member deep down", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"Roots":{}},"clientInfo":{"name":"c","version":"1"}}}`, client(0), mcpmsg.CodeMemberTwin},
	{"unknown capability", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"other":{}},"clientInfo":{"name":"c","version":"1"}}}`, client(0), 0},
	{"long twin", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + strings.Replace(meta26, "client", "CLIENT", 1) + `}}`, client(mcpmsg.V20260728), mcpmsg.CodeMemberTwin},
	{"long escaped twin", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + strings.Replace(meta26, "client", "\\u0043lient", 1) + `}}`, client(mcpmsg.V20260728), mcpmsg.CodeMemberTwin},
	{"long escaped names", call + `{"\u0061` + strings.Repeat("a", 1000) + `":1,"\u0062` + strings.Repeat("b", 1000) + `":1,"A":2}}}`, client(0), 0},
	{"long escaped name beside known ones", `{"jsonrpc":"2.0","id":1,"method":"ping","\u0061` + strings.Repeat("a", 1000) + `":1}`, client(0), 0},
	{"not an object", `"ping"`, client(0), mcpmsg.CodeEnvelopeType},
	{"number", `1`, client(0), mcpmsg.CodeEnvelopeType},
	{"no jsonrpc", `{"id":1,"method":"ping"}`, client(0), mcpmsg.CodeEnvelopeJSONRPC},
	{"jsonrpc 1.0", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, client(0), mcpmsg.CodeEnvelopeJSONRPC},
	{"jsonrpc is a number", `{"jsonrpc":2.0,"id":1,"method":"ping"}`, client(0), mcpmsg.CodeEnvelopeJSONRPC},
	{"empty object", `{}`, client(0), mcpmsg.CodeEnvelopeJSONRPC},
	{"only jsonrpc", `{"jsonrpc":"2.0"}`, client(0), mcpmsg.CodeEnvelopeShape},
	{"method and result", `{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}`, client(0), mcpmsg.CodeEnvelopeShape},
	{"result and error", `{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}`, client(0), mcpmsg.CodeEnvelopeShape},
	{"result and params", `{"jsonrpc":"2.0","id":1,"result":{},"params":{}}`, client(0), mcpmsg.CodeEnvelopeShape},
	{"result without id", `{"jsonrpc":"2.0","result":{}}`, client(0), mcpmsg.CodeEnvelopeShape},
	{"result first", `{"result":{},"jsonrpc":"2.0","id":1}`, client(0), 0},
	{"result is an array", `{"jsonrpc":"2.0","id":1,"result":[]}`, client(0), mcpmsg.CodeSchemaType},
	{"error", `{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}`, client(0), 0},
	{"error without message", `{"jsonrpc":"2.0","id":1,"error":{"code":-1}}`, client(0), mcpmsg.CodeSchemaMissing},
	{"error code with fraction", `{"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":"no"}}`, client(mcpmsg.V20250618), mcpmsg.CodeSchemaType},
	{"error without id", `{"jsonrpc":"2.0","error":{"code":-1,"message":"no"}}`, client(mcpmsg.V20250618), 0},
	{"error without id in the first revision", `{"jsonrpc":"2.0","error":{"code":-1,"message":"no"}}`, client(mcpmsg.V20241105), mcpmsg.CodeIDMissing},
	{"string id", `{"jsonrpc":"2.0","id":"","method":"ping"}`, client(0), 0},
	{"big id", `{"jsonrpc":"2.0","id":-9007199254740991,"method":"ping"}`, client(0), 0},
	{"id beyond the doubles", `{"jsonrpc":"2.0","id":9007199254740992,"method":"ping"}`, client(0), mcpmsg.CodeIDType},
	{"id of thirty digits", `{"method":"ping","jsonrpc":"2.0","id":-123456789012345678901234567890}`, client(0), mcpmsg.CodeIDType},
	{"id -0", `{"jsonrpc":"2.0","id":-0,"method":"ping"}`, client(0), mcpmsg.CodeIDType},
	{"negative id", `{"jsonrpc":"2.0","id":-1,"method":"ping"}`, client(0), 0},
	{"progress token beyond the doubles", `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":9007199254740993,"progress":1}}`, client(0), mcpmsg.CodeSchemaRange},
	{"number beyond the doubles", call + `{"a":[1.8e308]}}}`, client(0), mcpmsg.CodeNumberOverflow},
	{"huge exponent", call + `{"a":-1e999999999}}}`, client(0), mcpmsg.CodeNumberOverflow},
	{"huge exponent of a known member", `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1E+400}}`, client(0), mcpmsg.CodeNumberOverflow},
	{"NUL before a name", `{"\u0000method":"tools/call","jsonrpc":"2.0","id":1,"method":"ping"}`, client(0), mcpmsg.CodeMemberTwin},
	{"NUL inside a name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","na\u0000me":"u"}}`, client(0), mcpmsg.CodeMemberTwin},
	{"NUL in a name of arguments", call + `{"a\u0000":1}}}`, client(0), mcpmsg.CodeMemberTwin},
	{"underscore in method", `{"jsonrpc":"2.0","id":1,"method":"ping","me_thod":"x"}`, client(0), mcpmsg.CodeMemberTwin},
	{"hyphen before method", `{"jsonrpc":"2.0","id":1,"method":"ping","-method":"x"}`, client(0), mcpmsg.CodeMemberTwin},
	{"underscore in arguments", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","argu_ments":{"x":1}}}`, client(0), mcpmsg.CodeMemberTwin},
	{"meta without underscore", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"meta":{}}}`, client(0), mcpmsg.CodeMemberTwin},
	{"underscore inside arguments", call + `{"a_b":1,"ab":2}}}`, client(0), 0},
	{"prototype", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","__proto__":{"arguments":{}}}}`, client(0), mcpmsg.CodeMemberTwin},
	{"prototype inside arguments", call + `{"__proto__":1}}}`, client(0), 0},
	{"method of eleven escapes", `{"jsonrpc":"2.0","id":1,"method":"\u0074\u006f\u006f\u006c\u0073\u002f\u0063\u0061\u006c\u006c\u0000"}`, client(0), mcpmsg.CodeMethodUnknown},
	{"method of twenty escapes", `{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat(`\u0074`, 20) + `"}`, client(0), mcpmsg.CodeMethodUnknown},
	{"private use in a tool name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a\ue000"}}`, client(0), mcpmsg.CodeSchemaForm},
	{"noncharacter in a tool name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a\uffff"}}`, client(0), mcpmsg.CodeSchemaForm},
	{"combining mark first", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\u0301a"}}`, client(0), mcpmsg.CodeSchemaForm},
	{"Cyrillic in a Latin word", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_us\u0435r"}}`, client(0), mcpmsg.CodeSchemaForm},
	{"Greek in a Latin word", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"r\u03bfot"}}`, client(0), mcpmsg.CodeSchemaForm},
	{"DEL in a short tool name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a` + "\x7f" + `","arguments":{}}}`, client(0), mcpmsg.CodeSchemaForm},
	{"DEL in a tool name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_user` + "\x7f" + `","arguments":{}}}`, client(0), mcpmsg.CodeSchemaForm},
	{"DEL in a long tool name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_user_of_a_team` + "\x7f" + `","arguments":{}}}`, client(0), mcpmsg.CodeSchemaForm},
	{"DEL in arguments", call + `{"a` + "\x7f" + `":"b` + "\x7f" + `","c":"longer text` + "\x7f" + `"}}}`, client(0), 0},
	{"words of two scripts", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"поиск_v2 Δ-plan"}}`, client(0), 0},
	{"Japanese and Latin", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"検索API"}}`, client(0), 0},
	{"combining mark later", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a\u0301"}}`, client(0), 0},
	{"zero-width space in a uri", `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"docs://a\u200b"}}`, client(0), mcpmsg.CodeSchemaForm},
	{"cursor", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"` + strings.Repeat("c", 8192) + `"}}`, client(0), 0},
	{"long cursor", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"` + strings.Repeat("c", 8193) + `"}}`, client(0), mcpmsg.CodeSchemaForm},
	{"null id", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, client(0), mcpmsg.CodeIDType},
	{"id 1.0", `{"jsonrpc":"2.0","id":1.0,"method":"ping"}`, client(0), mcpmsg.CodeIDType},
	{"id 1e3", `{"jsonrpc":"2.0","id":1e3,"method":"ping"}`, client(0), mcpmsg.CodeIDType},
	{"id is an array", `{"jsonrpc":"2.0","id":[1],"method":"ping"}`, client(0), mcpmsg.CodeIDType},
	{"request without id", `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"t"}}`, client(0), mcpmsg.CodeIDMissing},
	{"notification with id", `{"jsonrpc":"2.0","id":1,"method":"notifications/initialized"}`, client(0), mcpmsg.CodeIDForbidden},
	{"notification", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, client(0), 0},
	{"unknown method", `{"jsonrpc":"2.0","id":1,"method":"tools/run"}`, client(0), mcpmsg.CodeMethodUnknown},
	{"method in capitals", `{"jsonrpc":"2.0","id":1,"method":"Ping"}`, client(0), mcpmsg.CodeMethodUnknown},
	{"method with a space", `{"jsonrpc":"2.0","id":1,"method":"ping "}`, client(0), mcpmsg.CodeMethodUnknown},
	{"method of the server", `{"jsonrpc":"2.0","id":1,"method":"roots/list"}`, client(0), mcpmsg.CodeMethodUnknown},
	{"method of the server from it", `{"jsonrpc":"2.0","id":1,"method":"roots/list"}`, server(mcpmsg.V20250618, 0), 0},
	{"method that came later", `{"jsonrpc":"2.0","id":1,"method":"tasks/list"}`, client(mcpmsg.V20250618), mcpmsg.CodeMethodUnknown},
	{"method that was removed", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{` + meta26 + `}}`, client(mcpmsg.V20260728), mcpmsg.CodeMethodUnknown},
	{"method is a number", `{"jsonrpc":"2.0","id":1,"method":7}`, client(0), mcpmsg.CodeMethodType},
	{"no params", `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`, client(0), mcpmsg.CodeParamsMissing},
	{"params null", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":null}`, client(0), mcpmsg.CodeSchemaType},
	{"params is an array", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}`, client(mcpmsg.V20250326), mcpmsg.CodeSchemaType},
	{"params before method", `{"jsonrpc":"2.0","params":{"name":"t"},"id":1,"method":"tools/call"}`, client(0), 0},
	{"bad params before method", `{"jsonrpc":"2.0","params":{"name":7},"id":1,"method":"tools/call"}`, client(0), mcpmsg.CodeSchemaType},
	{"twin in params before method", `{"jsonrpc":"2.0","params":{"name":"t","Name":"u"},"id":1,"method":"tools/call"}`, client(0), mcpmsg.CodeMemberTwin},
	{"tool without name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{}}}`, client(0), mcpmsg.CodeSchemaMissing},
	{"arguments is a string", call + `"x"}}`, client(0), mcpmsg.CodeSchemaType},
	{"zero-width space in a tool name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a\u200bb"}}`, client(0), mcpmsg.CodeSchemaForm},
	{"newline in a tool name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a\n"}}`, client(0), mcpmsg.CodeSchemaForm},
	{"bidi mark in a prompt name", `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"a\u202eb"}}`, client(0), mcpmsg.CodeSchemaForm},
	{"Japanese tool name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"検索"}}`, client(0), 0},
	{"tool name with spaces", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":" padded "}}`, client(0), 0},
	{"prompt arguments are strings", `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"p","arguments":{"a":1}}}`, client(0), mcpmsg.CodeSchemaType},
	{"resource", `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"docs://r\u00e9sum\u00e9/a b"}}`, client(0), 0},
	{"NUL in a resource", `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///a\u0000.txt"}}`, client(0), mcpmsg.CodeSchemaForm},
	{"root", `{"jsonrpc":"2.0","id":1,"result":{"roots":[{"uri":"file:///a"}]}}`, mcpmsg.Context{Version: mcpmsg.V20250618, Direction: mcpmsg.FromClient, ResultOf: mcpmsg.MethodRootsList}, 0},
	{"root on the web", `{"jsonrpc":"2.0","id":1,"result":{"roots":[{"uri":"https://a"}]}}`, mcpmsg.Context{Version: mcpmsg.V20250618, Direction: mcpmsg.FromClient, ResultOf: mcpmsg.MethodRootsList}, mcpmsg.CodeSchemaForm},
	{"icon", `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"t","inputSchema":{"type":"object"},"icons":[{"src":"DATA:image/png;base64,AA=="}]}]}}`, server(mcpmsg.V20251125, mcpmsg.MethodToolsList), 0},
	{"icon that runs", `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"t","inputSchema":{"type":"object"},"icons":[{"src":"javascript:alert(1)"}]}]}}`, server(mcpmsg.V20251125, mcpmsg.MethodToolsList), mcpmsg.CodeSchemaForm},
	{"trace", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + strings.Replace(meta26, "{", `{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",`, 1) + `}}`, client(0), 0},
	{"no trace", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + strings.Replace(meta26, "{", `{"traceparent":"00-00000000000000000000000000000000-00f067aa0ba902b7-01",`, 1) + `}}`, client(0), mcpmsg.CodeSchemaForm},
	{"no parent", traced(`"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"`), client(0), mcpmsg.CodeSchemaForm},
	{"trace state with a key of 256 bytes", traced(`"tracestate":"` + strings.Repeat("k", 256) + `=1"`), client(0), 0},
	{"trace state with a key of 257 bytes", traced(`"tracestate":"` + strings.Repeat("k", 257) + `=1"`), client(0), mcpmsg.CodeSchemaForm},
	{"trace state", traced(`"tracestate":"rojo=00f067aa0ba902b7, ,t61@congo=a b/~"`), client(0), 0},
	{"no trace state", traced(`"tracestate":""`), client(0), 0},
	{"trace state without value", traced(`"tracestate":"rojo"`), client(0), mcpmsg.CodeSchemaForm},
	{"trace state with an empty value", traced(`"tracestate":"rojo="`), client(0), mcpmsg.CodeSchemaForm},
	{"trace state in capitals", traced(`"tracestate":"Rojo=1"`), client(0), mcpmsg.CodeSchemaForm},
	{"trace state with two equals signs", traced(`"tracestate":"a=b=c"`), client(0), mcpmsg.CodeSchemaForm},
	{"trace state beyond ASCII", traced(`"tracestate":"a=é"`), client(0), mcpmsg.CodeSchemaForm},
	{"trace state with a line break", traced(`"tracestate":"a=\n"`), client(0), mcpmsg.CodeSchemaForm},
	{"trace state with a line break inside", traced(`"tracestate":"a=b\nc"`), client(0), mcpmsg.CodeSchemaForm},
	{"baggage", traced(`"baggage":"userId=alice%20b;p;q = 1 , k="`), client(0), 0},
	{"baggage without value", traced(`"baggage":"userId"`), client(0), mcpmsg.CodeSchemaForm},
	{"baggage with a space in its key", traced(`"baggage":"user id=1"`), client(0), mcpmsg.CodeSchemaForm},
	{"baggage in quotes", traced(`"baggage":"a=\"b\""`), client(0), mcpmsg.CodeSchemaForm},
	{"no baggage", traced(`"baggage":""`), client(0), mcpmsg.CodeSchemaForm},
	{"32 trace states", traced(`"tracestate":"` + strings.Repeat("a=b,", 31) + `a=b"`), client(0), 0},
	{"33 trace states", traced(`"tracestate":"` + strings.Repeat("a=b,", 32) + `a=b"`), client(0), mcpmsg.CodeSchemaForm},
	{"180 baggages", traced(`"baggage":"` + strings.Repeat("a=b,", 179) + `a=b"`), client(0), 0},
	{"181 baggages", traced(`"baggage":"` + strings.Repeat("a=b,", 180) + `a=b"`), client(0), mcpmsg.CodeSchemaForm},
	{"capability of an extension", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + strings.Replace(meta26, "{}", `{"extensions":{"com.example/x":{}}}`, 1) + `}}`, client(0), 0},
	{"capability of an extension without prefix", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + strings.Replace(meta26, "{}", `{"extensions":{"x":{}}}`, 1) + `}}`, client(0), mcpmsg.CodeSchemaName},
	{"initialize without capabilities", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","clientInfo":{"name":"c","version":"1"}}}`, client(0), mcpmsg.CodeSchemaMissing},
	{"log level", `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}`, client(0), 0},
	{"unknown log level", `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"trace"}}`, client(0), mcpmsg.CodeSchemaValue},
	{"progress token 1.0", `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1.0,"progress":1}}`, client(0), mcpmsg.CodeSchemaType},
	{"progress token", `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"` + strings.Repeat("p", 254) + `","progress":1}}`, client(0), 0},
	{"long progress token", `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"` + strings.Repeat("p", 255) + `","progress":1}}`, client(0), mcpmsg.CodeSchemaForm},
	{"progress with fraction", `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":0.5}}`, client(0), 0},
	{"meta key", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"com.example/a.b-c_d":1,"":2,"x":3,"a.b/":4}}}`, client(mcpmsg.V20250618), 0},
	{"meta key with a space", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"a b":1}}}`, client(mcpmsg.V20250618), mcpmsg.CodeSchemaName},
	{"meta prefix with an empty label", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"com..x/a":1}}}`, client(mcpmsg.V20251125), mcpmsg.CodeSchemaName},
	{"meta key before there was a rule", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"a b":1}}}`, client(mcpmsg.V20250326), 0},
	{"discover", `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{` + meta26 + `}}`, client(mcpmsg.V20260728), 0},
	{"discover finds its revision", `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{` + meta26 + `}}`, client(0), 0},
	{"list finds its revision", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + meta26 + `}}`, client(0), 0},
	{"no meta in 2026-07-28", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`, client(mcpmsg.V20260728), mcpmsg.CodeSchemaMissing},
	{"no params in 2026-07-28", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, client(mcpmsg.V20260728), mcpmsg.CodeParamsMissing},
	{"no capabilities in 2026-07-28", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`, client(mcpmsg.V20260728), mcpmsg.CodeSchemaMissing},
	{"other revision than the context", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + meta26 + `}}`, client(mcpmsg.V20250618), mcpmsg.CodeVersionMismatch},
	{"revision that does not exist", strings.Replace(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{`+meta26+`}}`, "2026", "2099", 1), client(0), mcpmsg.CodeVersionUnsupported},
	{"cancelled without meta", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`, client(mcpmsg.V20260728), 0},
	{"response in 2026-07-28", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}}`, client(mcpmsg.V20260728), mcpmsg.CodeResponseForbidden},
	{"error in 2026-07-28", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}`, client(mcpmsg.V20260728), mcpmsg.CodeResponseForbidden},
	{"null in a capability", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + strings.Replace(meta26, "{}", `{"experimental":{"x":[null,0.5]}}`, 1) + `}}`, client(mcpmsg.V20260728), mcpmsg.CodeSchemaType},
	{"null inside a capability", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + strings.Replace(meta26, "{}", `{"experimental":{"x":{"y":[null,0.5]}}}`, 1) + `}}`, client(mcpmsg.V20260728), 0},
	{"result of a tool", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"text","text":"x"}]}}`, server(mcpmsg.V20260728, mcpmsg.MethodToolsCall), 0},
	{"type comes last", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"text":"x","type":"text"}]}}`, server(mcpmsg.V20260728, mcpmsg.MethodToolsCall), 0},
	{"text without text", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"text"}]}}`, server(mcpmsg.V20260728, mcpmsg.MethodToolsCall), mcpmsg.CodeSchemaMissing},
	{"unknown content type", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"video","text":"x"}]}}`, server(mcpmsg.V20260728, mcpmsg.MethodToolsCall), mcpmsg.CodeSchemaValue},
	{"complete without content", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}}`, server(mcpmsg.V20260728, mcpmsg.MethodToolsCall), mcpmsg.CodeSchemaMissing},
	{"input required", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"s"}}`, server(mcpmsg.V20260728, mcpmsg.MethodToolsCall), 0},
	{"input required without any", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required"}}`, server(mcpmsg.V20260728, mcpmsg.MethodToolsCall), mcpmsg.CodeSchemaMissing},
	{"input required by a list", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"s","tools":[],"ttlMs":0,"cacheScope":"public"}}`, server(mcpmsg.V20260728, mcpmsg.MethodToolsList), mcpmsg.CodeSchemaValue},
	{"request of a server in 2026-07-28", `{"jsonrpc":"2.0","id":1,"method":"roots/list"}`, server(mcpmsg.V20260728, 0), mcpmsg.CodeMethodUnknown},
	{"reserved error code", `{"jsonrpc":"2.0","id":1,"error":{"code":-32050,"message":""}}`, server(mcpmsg.V20260728, 0), mcpmsg.CodeErrorCode},
	{"defined error code", `{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":""}}`, server(mcpmsg.V20260728, 0), 0},
	{"error code that asks for data", `{"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":""}}`, server(mcpmsg.V20260728, 0), mcpmsg.CodeSchemaMissing},
	{"base64 content", `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"image","mimeType":"image/png","data":"AAA="}]}}`, server(mcpmsg.V20251125, mcpmsg.MethodToolsCall), 0},
	{"not base64", `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"image","mimeType":"image/png","data":"AAA"}]}}`, server(mcpmsg.V20250618, mcpmsg.MethodToolsCall), mcpmsg.CodeSchemaForm},
	{"text of a resource", `{"jsonrpc":"2.0","id":1,"result":{"contents":[{"uri":"a:b","text":""},{"uri":"a:b","blob":""}]}}`, server(mcpmsg.V20241105, mcpmsg.MethodResourcesRead), 0},
	{"text and blob of a resource", `{"jsonrpc":"2.0","id":1,"result":{"contents":[{"uri":"a:b","text":"x","blob":"AA=="}]}}`, server(mcpmsg.V20241105, mcpmsg.MethodResourcesRead), mcpmsg.CodeSchemaMember},
	{"text and a blob that is none", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","contents":[{"blob":7,"uri":"a:b","text":"x"}]}}`, server(mcpmsg.V20260728, mcpmsg.MethodResourcesRead), mcpmsg.CodeSchemaMember},
	{"blob and null text in content", `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"resource","resource":{"uri":"a:b","blob":"AA==","text":null}}]}}`, server(mcpmsg.V20250618, mcpmsg.MethodToolsCall), mcpmsg.CodeSchemaMember},
	{"choice in a form", elicit + `{"c":{"type":"string","enum":["x"]},"d":{"type":"string","minLength":1}}}}}`, server(mcpmsg.V20250618, 0), 0},
	{"titled choice in a form", elicit + `{"c":{"oneOf":[{"const":"x","title":"X"}],"type":"string"}}}}}`, server(mcpmsg.V20251125, 0), 0},
	{"broken choice in a form", elicit + `{"c":{"type":"string","enum":["x",1]}}}}}`, server(mcpmsg.V20250618, 0), mcpmsg.CodeSchemaMember},
	{"broken titled choice in a form", elicit + `{"c":{"oneOf":[{"const":"x"}],"type":"string"}}}}}`, server(mcpmsg.V20251125, 0), mcpmsg.CodeSchemaMissing},
	{"responses", respond + `{"a":{"action":"decline"},"b":{"roots":[]},"c":{"role":"user","model":"m","content":{"type":"text","text":""}}}}}`, client(0), 0},
	{"response of two methods", respond + `{"a":{"roots":[],"action":"decline"}}}}`, client(0), mcpmsg.CodeSchemaMember},
	{"response of one method and a half", respond + `{"a":{"action":7,"roots":[]}}}}`, client(0), mcpmsg.CodeSchemaMember},
	{"response with the role of another", respond + `{"a":{"action":"accept","content":{},"role":"user"}}}}`, client(0), mcpmsg.CodeSchemaMember},
	{"number beyond the doubles in a member of the envelope", `{"jsonrpc":"2.0","id":1,"method":"ping","k":1E400}`, client(0), mcpmsg.CodeNumberOverflow},
	{"number beyond the doubles deep in a member of the envelope", `{"jsonrpc":"2.0","k":{"a":[-1E400]},"id":1,"method":"ping"}`, client(0), mcpmsg.CodeNumberOverflow},
	{"id that is infinite", `{"jsonrpc":"2.0","id":1E400,"method":"ping"}`, client(0), mcpmsg.CodeIDType},
	{"method that is infinite", `{"jsonrpc":"2.0","id":1,"method":1E400}`, client(0), mcpmsg.CodeMethodType},
	{"NUL deep in arguments", call + `{"a":[{"b":{"\u0000":1}}]}}}`, client(0), mcpmsg.CodeMemberTwin},
	{"NUL in a value of arguments", call + `{"a":"\u0000"}}}`, client(0), 0},
	{"id with NUL", `{"jsonrpc":"2.0","id":"a\n\u0000","method":"ping"}`, client(0), mcpmsg.CodeIDType},
	{"id of a response with NUL", `{"result":{},"id":"\u0000","jsonrpc":"2.0"}`, client(0), mcpmsg.CodeIDType},
	{"id with escapes", `{"jsonrpc":"2.0","id":"\\u0000\n\u0001","method":"ping"}`, client(0), 0},
	{"progress token with NUL", `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"a\u0000","progress":1}}`, client(0), mcpmsg.CodeSchemaForm},
	{"image", `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"image","mimeType":"image/svg+xml","data":""},{"type":"audio","mimeType":"audio/ogg; codecs=opus","data":""}]}}`, server(mcpmsg.V20250618, mcpmsg.MethodToolsCall), 0},
	{"image of no type", `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"image","mimeType":"png","data":""}]}}`, server(mcpmsg.V20241105, mcpmsg.MethodToolsCall), mcpmsg.CodeSchemaForm},
	{"audio of an odd type", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"audio","data":"","mimeType":"audio/x\n"}]}}`, server(mcpmsg.V20260728, mcpmsg.MethodToolsCall), mcpmsg.CodeSchemaForm},
	{"use of a tool and its result", sample + `[{"role":"assistant","content":[{"type":"tool_use","id":"\u0061","name":"t","input":{}}]},{"role":"user","content":{"type":"tool_result","toolUseId":"a","content":[]}}]}}`, server(0, 0), 0},
	{"use of a tool without result", sample + `[{"role":"assistant","content":{"type":"tool_use","id":"a","name":"t","input":{}}}]}}`, server(0, 0), mcpmsg.CodeToolBalance},
	{"result of a tool beside text, inside a result", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"a":{"method":"sampling/createMessage","params":{"maxTokens":1,"messages":[{"role":"user","content":[{"type":"tool_result","toolUseId":"a","content":[]},{"type":"text","text":""}]}]}}}}}`, server(mcpmsg.V20260728, mcpmsg.MethodToolsCall), mcpmsg.CodeToolBalance},
	{"task instead of a result", `{"jsonrpc":"2.0","id":1,"result":{"task":{"taskId":"1","status":"working","createdAt":"2025-11-25T10:30:00Z","lastUpdatedAt":"2025-11-25T10:30:00Z","ttl":null}}}`, server(mcpmsg.V20251125, mcpmsg.MethodToolsCall), 0},
	{"batch", `[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"}]`, client(0), 0},
	{"batch of responses", `[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"error":{"code":1,"message":""}}]`, client(mcpmsg.V20250326), 0},
	{"batch in another revision", `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, client(mcpmsg.V20250618), mcpmsg.CodeBatchForbidden},
	{"empty batch", `[ ]`, client(0), mcpmsg.CodeBatchEmpty},
	{"mixed batch", `[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"result":{}}]`, client(0), mcpmsg.CodeBatchMixed},
	{"initialize in a batch", `[{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}]`, client(0), mcpmsg.CodeBatchMethod},
	{"one id twice in a batch", `[{"jsonrpc":"2.0","id":"a","method":"ping"},{"jsonrpc":"2.0","id":"\u0061","method":"ping"}]`, client(0), mcpmsg.CodeBatchDuplicateID},
	{"string and number id in a batch", `[{"jsonrpc":"2.0","id":"1","method":"ping"},{"jsonrpc":"2.0","id":1,"method":"ping"}]`, client(0), 0},
	{"batch in a batch", `[[{"jsonrpc":"2.0","id":1,"method":"ping"}]]`, client(0), mcpmsg.CodeEnvelopeType},
	{"unknown method in a batch", `[{"jsonrpc":"2.0","id":1,"method":"x"}]`, client(0), mcpmsg.CodeMethodUnknown},
	{"bytes after a batch", `[{"jsonrpc":"2.0","id":1,"method":"ping"}]]`, client(0), mcpmsg.CodeJSONTrailing},
	{"no direction", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, mcpmsg.Context{}, mcpmsg.CodeNotConfigured},
}

func TestCheck(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	for _, r := range rows {
		m, bad := v.Check([]byte(r.in), r.ctx)
		if bad.Code != r.want {
			t.Errorf("%s: Check(%.300s) = %v (%v at %d, %q), want %v", r.name, r.in, bad.Code, m.Version, bad.Offset, bad.Pointer([]byte(r.in)), r.want)
		}
		if bad.Offset < 0 || bad.Offset > len(r.in) {
			t.Errorf("%s: offset %d is outside of the message", r.name, bad.Offset)
		}
		if code, text := bad.RPC(); (code == 0) != bad.OK() || (text == "") != bad.OK() {
			t.Errorf("%s: RPC() = %d, %q for %v", r.name, code, text, bad.Code)
		}
		if bad.OK() && m.Kind == 0 || !bad.OK() && m.Kind != 0 {
			t.Errorf("%s: kind %v with verdict %v", r.name, m.Kind, bad.Code)
		}
	}
}

func TestCheckAllocates(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	header := map[string][]string{"Mcp-Method": {"ping"}, "mcp-name": {"=?base64?YQ==?="}, "Accept": {"*/*"}}
	for _, r := range rows {
		in := []byte(r.in)
		if n := allocs(20, func() {
			m, _ := v.Check(in, r.ctx)
			v.CheckMirror(&m, header)
			for range m.Each() {
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations, want 0", r.name, n)
		}
	}
}

// TestZeroValidator: what was not made by New refuses everything.
func TestZeroValidator(t *testing.T) {
	var v mcpmsg.Validator
	if _, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":1,"method":"ping"}`), client(0)); bad.Code != mcpmsg.CodeNotConfigured {
		t.Errorf("zero Validator: %v", bad.Code)
	}
	if bad := v.CheckMirror(&mcpmsg.Message{Kind: mcpmsg.Request}, nil); bad.Code != mcpmsg.CodeNotConfigured {
		t.Errorf("zero Validator, CheckMirror: %v", bad.Code)
	}
	if bad := newValidator(t, mcpmsg.Config{}).CheckMirror(&mcpmsg.Message{}, nil); bad.Code != mcpmsg.CodeNotConfigured {
		t.Errorf("zero Message, CheckMirror: %v", bad.Code)
	}
}

// TestSafeID: the id of a refused message is known exactly if the rest of the text leaves no doubt.
func TestSafeID(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	for _, r := range []struct{ in, want string }{
		{`{"jsonrpc":"2.0","id":7,"method":"nope"}`, `7`},
		{`{"jsonrpc":"2.0","method":"nope","params":{"id":1,"a":[{"id":2}]},"id":"x"}`, `"x"`},
		{`{"method":"tools/call","params":{"name":1},"jsonrpc":"2.0","id":0}`, `0`},
		{`{"params":{"name":1},"method":"tools/call","jsonrpc":"2.0","id":0}`, `0`},
		{`{"jsonrpc":"2.0","id":7,"method":"tools/call"}`, `7`},
		{`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","name":"b"}}`, `7`},
		{`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","arguments":[]}}  `, `7`},
		{`{"jsonrpc":"2.0","id":7,"method":"nope"}x`, ``},
		{`{"jsonrpc":"2.0","id":7,"method":"tools/call"}x`, ``},
		{`{"jsonrpc":"2.0","id":7,"method":"nope"`, ``},
		{`{"jsonrpc":"2.0","id":7,"method":"nope","id":7}`, ``},
		{`{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","id":7,"ID":8}`, ``},
		{`{"jsonrpc":"2.0","ID":7,"method":"nope","id":7}`, ``},
		{`{"jsonrpc":"2.0","ID":7,"method":"ping"}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","Id":7}`, ``},
		{`{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"ping","id":{"a":1}}`, ``},
		{`{"jsonrpc":"2.0","jsonrpc":"2.0","method":"ping","id":{"a":1}}`, ``},
		{`{"jsonrpc":"2.0","jsonrpc":"2.0","method":"ping","params":{"id":7}}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","id":null}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","id":"a\u0000"}`, ``},
		{`{"jsonrpc":"2.0","id":"a\u0000","method":"nope"}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","id":1.5}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","id":{}}`, ``},
		{`{"jsonrpc":"2.0","method":"nope","id":"` + strings.Repeat("i", 300) + `"}`, ``},
		{`{"jsonrpc":"1.0","id":7,"method":"nope"}`, ``},
		{`[{"jsonrpc":"2.0","id":7,"method":"nope"}]`, ``},
	} {
		m, bad := v.Check([]byte(r.in), client(0))
		if bad.OK() || string(m.ID) != r.want {
			t.Errorf("Check(%s) = %v with id %s, want %s", r.in, bad.Code, m.ID, r.want)
		}
		in := []byte(r.in)
		if n := allocs(20, func() { v.Check(in, client(0)) }); n != 0 {
			t.Errorf("Check(%s): %v allocations, want 0", r.in, n)
		}
	}
}

func TestMessage(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	in := ` {"id":"\u0061","params":{"_meta":{"progressToken":1},"arguments":{"q":[1]},"name":"se\u0061rch"},"method":"tools\/call","jsonrpc":"2.0"} `
	m, bad := v.Check([]byte(in), client(mcpmsg.V20250618))
	if !bad.OK() {
		t.Fatal(bad.Err())
	}
	got := fmt.Sprintf("%v %v %v %s %s %s %s %s %v %t %t", m.Kind, m.Version, m.Method, m.ID, m.Name, m.Name.AppendText(nil), m.Arguments, m.Meta,
		m.URI == nil, m.ID.Is("a"), m.MethodText.Is("tools/call"))
	want := `request 2025-06-18 tools/call "\u0061" "se\u0061rch" search {"q":[1]} {"progressToken":1} true true true`
	if got != want {
		t.Errorf("message is\n%s\nwant\n%s", got, want)
	}
	if string(m.Raw) != strings.TrimSpace(in) {
		t.Errorf("Raw is %s", m.Raw)
	}
}

func TestEach(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	members := []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":"]}"}}}`,
		`{"method":"resources/read","params":{"uri":"file:///a"}, "jsonrpc":"2.0","id":"b"}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized","params":{"_meta":{}}}`,
	}
	m, bad := v.Check([]byte(" [ "+strings.Join(members, " , ")+" ] "), client(0))
	if !bad.OK() {
		t.Fatal(bad.Err())
	}
	got := slices.Collect(m.Each())
	if len(got) != len(members) {
		t.Fatalf("%d messages, want %d", len(got), len(members))
	}
	for i, in := range members {
		want, bad := v.Check([]byte(in), client(mcpmsg.V20250326))
		if !bad.OK() {
			t.Fatal(bad.Err())
		}
		if fmt.Sprintf("%+v", got[i]) != fmt.Sprintf("%+v", want) {
			t.Errorf("message %d is\n%+v\nwant\n%+v", i, got[i], want)
		}
	}
	for one := range got[0].Each() {
		if one.Method != mcpmsg.MethodToolsCall {
			t.Errorf("a single message yields %v", one.Method)
		}
	}
}

func TestError(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	m, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":"s\"3","method":"secret/method"}`), client(0))
	err := bad.Err()
	if !errors.Is(err, mcpmsg.CodeMethodUnknown) || errors.Is(err, mcpmsg.CodeEmpty) {
		t.Errorf("errors.Is does not find the code in %v", err)
	}
	if text := err.Error(); text != "mcpmsg: method_unknown at byte 38" {
		t.Errorf("Error() = %q", text)
	}
	if got, want := string(bad.AppendRPC(nil, m.ID)), `{"jsonrpc":"2.0","id":"s\"3","error":{"code":-32601,"message":"Method not found"}}`; got != want {
		t.Errorf("AppendRPC = %s, want %s", got, want)
	}
	if got, want := string(bad.AppendRPC(nil, nil)), `{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"}}`; got != want {
		t.Errorf("AppendRPC without id = %s, want %s", got, want)
	}
	if (mcpmsg.Violation{}).Err() != nil {
		t.Error("the zero Violation is an error")
	}
}

// TestAnswers: every answer to a violation is a valid message itself, with every id that Check gives, and takes no allocation.
func TestAnswers(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	buf := make([]byte, 0, 1024)
	for code := mcpmsg.CodeOK + 1; code.String() != "unknown"; code++ {
		bad := mcpmsg.Violation{Code: code}
		for _, id := range []string{``, `0`, `-9007199254740991`, `""`, `"\u0001\"\\ud800\\"`, `" </script>😀"`} {
			if id != "" {
				m, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":`+id+`,"method":"nope"}`), client(0))
				if bad.OK() || string(m.ID) != id {
					t.Fatalf("id %s is read as %s", id, m.ID)
				}
			}
			for _, version := range []mcpmsg.Version{mcpmsg.V20250618, mcpmsg.V20260728} {
				answer := bad.AppendRPC(buf, mcpmsg.Raw(id))
				if m, bad := v.Check(answer, server(version, 0)); !bad.OK() || m.Kind != mcpmsg.ErrorResponse || string(m.ID) != id {
					t.Errorf("%v is answered by %s, which is %v", code, answer, bad.Code)
				}
			}
			if n := allocs(5, func() { bad.AppendRPC(buf, mcpmsg.Raw(id)) }); n != 0 {
				t.Errorf("%v: %v allocations, want 0", code, n)
			}
		}
	}
}

func TestPointer(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	for in, want := range map[string]string{
		`{"jsonrpc":"2.0","id":1,"method":"nope"}`:                                                    "/method",
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}`:                          "/params/name",
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"a":1}}}`:               "/params",
		call + `{"a/b":[0,{"c~":[1,2,{"x":1,"x":2}]}]}}}`:                                             "/params/arguments/a~1b/1/c~0/2/x",
		`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"p","arguments":{"é\"":1}}}`: "/params/arguments/é\"",
		`{"jsonrpc":"2.0","id":1}`:                                                                    "",
	} {
		_, bad := v.Check([]byte(in), client(0))
		if got := bad.Pointer([]byte(in)); bad.OK() || got != want {
			t.Errorf("Pointer of %v in %s = %q, want %q", bad.Code, in, got, want)
		}
	}
}
