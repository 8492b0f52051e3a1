package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// explains runs guardproxy -explain on a request.
func explains(t *testing.T, policy, request string) (status int, said string) {
	t.Helper()
	stdout, stderr := newOutput(), newOutput()
	status = run(context.Background(), []string{"-policy", write(t, "policy.json", policy), "-explain", write(t, "request", request)}, stdout, stderr)
	if complaint, _ := stderr.state(); complaint != "" {
		t.Errorf("said %q", complaint)
	}
	said, _ = stdout.state()
	return status, said
}

func rawCall(fields, body string) string {
	return "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + fields + "\r\n" + body
}

func TestExplain(t *testing.T) {
	const list = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	for _, tc := range []struct {
		name, request string
		status        int
		want          string // lines that must be there
	}{
		{"allowed", rawCall("Authorization: Bearer secret\r\nContent-Length: 46\r\n", list), 0,
			"verdict    let through\npath       /mcp (endpoints[0])\ncaller     ci (bearer)\nmessage    tools/list\n"},
		{"chunked", rawCall("Authorization: Bearer secret\r\nTransfer-Encoding: chunked\r\n", "2e\r\n"+list+"\r\n0\r\n\r\n"), 0, "verdict    let through\n"},
		{"denied", rawCall("Authorization: Bearer secret\r\nContent-Length: 75\r\n",
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"DROP_ALL"}}`), 1,
			"policy     refuses: 403 tool_not_allowed, by endpoints[0].tools[0].deny[0]\n"},
		{"not known", rawCall("Authorization: Bearer planted\r\nContent-Length: 46\r\n", list), 1, "verdict    refused by identity: 401 identity_required\n"},
		{"short body", rawCall("Authorization: Bearer secret\r\nContent-Length: 99\r\n", list), 1, "verdict    refused by body: 400 body_unreadable\n"},
		{"second request", rawCall("Authorization: Bearer secret\r\nContent-Length: 46\r\n", list) + rawCall("", ""), 0, "verdict    let through\n"},
		{"two lengths", rawCall("Content-Length: 46\r\nContent-Length: 47\r\n", list), 1,
			"verdict    refused by the HTTP server, before the guard: 400 Bad Request\n"},
		{"no HTTP", "planted", 1, "verdict    refused by the HTTP server, before the guard: 400 Bad Request\n"},
		{"head too large", rawCall("X-Planted: "+strings.Repeat("x", 64<<10)+"\r\n", ""), 1,
			"verdict    refused by the HTTP server, before the guard: 431 Request Header Fields Too Large\n"},
	} {
		status, said := explains(t, policyText("drop_*"), tc.request)
		if status != tc.status || !strings.Contains(said, tc.want) {
			t.Errorf("%s: exit status %d, said\n%s\nwant %d and\n%s", tc.name, status, said, tc.status, tc.want)
		}
		if strings.Contains(said, "planted") || strings.Contains(said, "secret") {
			t.Errorf("%s: values of the request are printed:\n%s", tc.name, said)
		}
	}
}

func TestExplainAnEmptyFile(t *testing.T) {
	stdout, stderr := newOutput(), newOutput()
	status := run(context.Background(), []string{"-policy", write(t, "policy.json", `{}`), "-explain", write(t, "request", "")}, stdout, stderr)
	if said, _ := stderr.state(); status != 2 || !strings.Contains(said, "-explain: the server gave no answer") {
		t.Errorf("exit status %d, said %q, want 2 and the reason", status, said)
	}
}

// The request and the explanation in README.md are real.
func TestExplainOfReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	between := func(begin, end string) string {
		_, rest, ok := strings.Cut(string(text), begin)
		if !ok {
			t.Fatalf("README.md does not hold %q", begin)
		}
		found, _, _ := strings.Cut(rest, end)
		return found
	}
	shell := exec.Command("bash", "-c", "printf"+between("```sh\nprintf", "go run"))
	shell.Dir = t.TempDir()
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	request, err := os.ReadFile(filepath.Join(shell.Dir, "request"))
	if err != nil {
		t.Fatal(err)
	}
	if _, said := explains(t, between("```json\n", "```"), string(request)); said != between("```text\n", "```") {
		t.Errorf("the explanation is now\n%s", said)
	}
}
