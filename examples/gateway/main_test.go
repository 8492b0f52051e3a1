package main

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/examples/internal/selfrun"
)

func TestMain(m *testing.M) { selfrun.Main(m, main) }

func TestGateway(t *testing.T) {
	program := selfrun.Start(t, "-listen", "127.0.0.1:0")
	const list = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	for _, tc := range []struct{ name, fields, body, want string }{
		{"good", "", list, "200 would forward tools/list"},
		{"folded line", "X-A: 1\r\n 2\r\n", list, "400 unreadable"},
		{"space before colon", "X-A : 1\r\n", list, "400 header_name_"},
		{"two lengths", "Content-Length: 46\r\n", list, "400 "},
		{"chunked too", "Transfer-Encoding: chunked\r\n", list, "400 "},
		{"bare LF", "X-A: 1\n", list, "400 unreadable"},
		{"NUL", "X-A: \x00\r\n", list, "400 header_value_"},
		{"two members", "", `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}`, "400 json_duplicate"},
		{"case twin", "", `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/list"}`, "400 "},
		{"mirror disagrees", "Mcp-Method: ping\r\n", list, "400 "},
		{"big head", "X-A: " + strings.Repeat("a", maxHead) + "\r\n", list, "400 unreadable"},
	} {
		got := exchange(t, program.Addr, fmt.Sprintf(
			"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s", len(tc.body), tc.fields, tc.body))
		if !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// exchange returns the status and the body of the answer.
func exchange(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, request) // the gateway may have answered before the end
	answer, _ := io.ReadAll(conn)
	head, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	status, _, _ := strings.Cut(strings.TrimPrefix(head, "HTTP/1.1 "), " ")
	return status + " " + body
}
