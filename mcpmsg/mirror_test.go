package mcpmsg_test

import (
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

func TestCheckMirror(t *testing.T) {
	type header = map[string][]string
	with := func(name string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + name + `",` + meta26 + `}}`
	}
	named := func(value ...string) header {
		return header{"MCP-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": value}
	}
	const ping, note = `{"jsonrpc":"2.0","id":1,"method":"ping"}`, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`
	v := newValidator(t, mcpmsg.Config{})
	for _, r := range []struct {
		name  string
		body  string
		h     header
		want  mcpmsg.Code
		field string
	}{
		{"all three", with("t"), named("t"), 0, ""},
		{"other spelling, white space", with("t"), header{"mcp-protocol-version": {" 2026-07-28\t"}, "MCP-METHOD": {"tools/call "}, "mcp-NAME": {"\tt"}}, 0, ""},
		{"no version", with("t"), header{"Mcp-Method": {"tools/call"}, "Mcp-Name": {"t"}}, mcpmsg.CodeMirrorMissing, "MCP-Protocol-Version"},
		{"no method", with("t"), header{"MCP-Protocol-Version": {"2026-07-28"}, "Mcp-Name": {"t"}}, mcpmsg.CodeMirrorMissing, "Mcp-Method"},
		{"no name", with("t"), named(), mcpmsg.CodeMirrorMissing, "Mcp-Name"},
		{"old version", with("t"), header{"MCP-Protocol-Version": {"2025-06-18"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {"t"}}, mcpmsg.CodeMirrorMismatch, "MCP-Protocol-Version"},
		{"unknown version", with("t"), header{"MCP-Protocol-Version": {"2099-01-01"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {"t"}}, mcpmsg.CodeVersionUnsupported, "MCP-Protocol-Version"},
		{"empty version", ping, header{"MCP-Protocol-Version": {""}}, mcpmsg.CodeVersionUnsupported, "MCP-Protocol-Version"},
		{"method in capitals", with("t"), header{"MCP-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"TOOLS/CALL"}, "Mcp-Name": {"t"}}, mcpmsg.CodeMirrorMismatch, "Mcp-Method"},
		{"encoded method", with("t"), header{"MCP-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"=?base64?dG9vbHMvY2FsbA==?="}, "Mcp-Name": {"t"}}, mcpmsg.CodeMirrorMismatch, "Mcp-Method"},
		{"other name", with("t"), named("u"), mcpmsg.CodeMirrorMismatch, "Mcp-Name"},
		{"name twice", with("t"), named("t", "t"), mcpmsg.CodeMirrorRepeated, "Mcp-Name"},
		{"name twice in other spellings", with("t"), header{"MCP-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {"t"}, "mcp-name": {"t"}}, mcpmsg.CodeMirrorRepeated, "Mcp-Name"},
		{"name twice with an underscore", with("t"), header{"MCP-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {"t"}, "Mcp_Name": {"u"}}, mcpmsg.CodeMirrorRepeated, "Mcp-Name"},
		{"other fields", with("t"), header{"MCP-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {"t"}, "Mcp.Name": {"u"}, "McpName": {"u"}}, 0, ""},
		{"names joined", with("t"), named("t, t"), mcpmsg.CodeMirrorMismatch, "Mcp-Name"},
		{"encoded", with("Hello, 世界"), named("=?base64?SGVsbG8sIOS4lueVjA==?="), 0, ""},
		{"encoded and escaped", with(`\u0048ello, 世\u754c`), named("=?base64?SGVsbG8sIOS4lueVjA==?="), 0, ""},
		{"encoded outer spaces", with(" padded "), named("=?base64?IHBhZGRlZCA=?="), 0, ""},
		{"outer spaces as they are", with(" padded "), named(" padded "), mcpmsg.CodeMirrorMismatch, "Mcp-Name"},
		{"encoded mark", with("=?base64?literal?="), named("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="), 0, ""},
		{"mark as it is", with("=?base64?AAAA?="), named("=?base64?AAAA?="), mcpmsg.CodeMirrorMismatch, "Mcp-Name"},
		{"first mark only", with("=?base64?a"), named("=?base64?a"), 0, ""},
		{"marks in capitals are text", with("=?BASE64?YQ==?="), named("=?BASE64?YQ==?="), 0, ""},
		{"marks overlap", with("=?base64?="), named("=?base64?="), 0, ""},
		{"no padding", with("Hello"), named("=?base64?SGVsbG8?="), mcpmsg.CodeMirrorEncoding, "Mcp-Name"},
		{"foreign characters", with("Hello"), named("=?base64?SGVs!!!bG8=?="), mcpmsg.CodeMirrorEncoding, "Mcp-Name"},
		{"URL alphabet", with("??>"), named("=?base64?Pz8-?="), mcpmsg.CodeMirrorEncoding, "Mcp-Name"},
		{"bits left over", with("a"), named("=?base64?YR==?="), mcpmsg.CodeMirrorEncoding, "Mcp-Name"},
		{"padding in the middle", with("aa"), named("=?base64?YQ==YQ==?="), mcpmsg.CodeMirrorEncoding, "Mcp-Name"},
		{"three signs of padding", with("a"), named("=?base64?Y===?="), mcpmsg.CodeMirrorEncoding, "Mcp-Name"},
		{"prefix of the name", with("ab"), named("=?base64?YQ==?="), mcpmsg.CodeMirrorMismatch, "Mcp-Name"},
		{"more than the name", with("a"), named("=?base64?YWI=?="), mcpmsg.CodeMirrorMismatch, "Mcp-Name"},
		{"raw UTF-8", with("é"), named("é"), mcpmsg.CodeMirrorCharacter, "Mcp-Name"},
		{"control character", with("a"), named("a\x7f"), mcpmsg.CodeMirrorCharacter, "Mcp-Name"},
		{"uri", `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"docs://a",` + meta26 + `}}`, header{"MCP-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"resources/read"}, "Mcp-Name": {"docs://a"}}, 0, ""},
		{"list without name", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + meta26 + `}}`, header{"MCP-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/list"}}, 0, ""},
		{"name of a list", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + meta26 + `}}`, header{"MCP-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/list"}, "Mcp-Name": {"t"}}, mcpmsg.CodeMirrorUnexpected, "Mcp-Name"},
		{"notification without", note, nil, 0, ""},
		{"notification of the new revision", note, header{"MCP-Protocol-Version": {"2026-07-28"}}, 0, ""},
		{"notification that lies", note, header{"Mcp-Method": {"tools/call"}}, mcpmsg.CodeMirrorMismatch, "Mcp-Method"},
		{"old revision without", ping, nil, 0, ""},
		{"old revision with", ping, header{"MCP-Protocol-Version": {"2025-06-18"}, "Mcp-Method": {"ping"}}, 0, ""},
		{"old revision that lies", ping, header{"MCP-Protocol-Version": {"2025-06-18"}, "Mcp-Method": {"tools/list"}}, mcpmsg.CodeMirrorMismatch, "Mcp-Method"},
		{"new header, old request", ping, header{"MCP-Protocol-Version": {"2026-07-28"}}, mcpmsg.CodeMirrorMismatch, "MCP-Protocol-Version"},
		{"method of a response", `{"jsonrpc":"2.0","id":1,"result":{}}`, header{"Mcp-Method": {"ping"}}, mcpmsg.CodeMirrorUnexpected, "Mcp-Method"},
	} {
		m, bad := v.Check([]byte(r.body), client(0))
		if !bad.OK() {
			t.Errorf("%s: body refused: %v", r.name, bad.Err())
			continue
		}
		if bad = v.CheckMirror(&m, r.h); bad.Code != r.want || bad.Name != r.field {
			t.Errorf("%s: CheckMirror = %v in %q, want %v in %q", r.name, bad.Code, bad.Name, r.want, r.field)
		}
		if n := allocs(20, func() { v.CheckMirror(&m, r.h) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", r.name, n)
		}
	}
}
