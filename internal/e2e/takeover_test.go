package e2e

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpgoserver "github.com/mark3labs/mcp-go/server"

	"github.com/sallyport/sallyport/waf"
)

// nginxUI is an MCP server wired as nginx-ui was before CVE-2026-33032 was fixed: its own authentication stands before the
// stream on /mcp, where the leaked secret passes in the query too, and nothing stands before /mcp_message. written gets the
// name of every configuration that the tool writes.
func nginxUI(written chan<- string) http.Handler {
	server := mcpgoserver.NewMCPServer("nginx-ui", "2.3.3", mcpgoserver.WithToolCapabilities(true))
	server.AddTool(mcpgo.NewTool("nginx_config_add", mcpgo.WithString("name"), mcpgo.WithString("content")),
		func(_ context.Context, req mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			written <- req.GetString("name", "")
			return mcpgo.NewToolResultText("written"), nil
		})
	legacy := mcpgoserver.NewSSEServer(server, mcpgoserver.WithSSEEndpoint("/mcp"), mcpgoserver.WithMessageEndpoint("/mcp_message"))
	mux := http.NewServeMux()
	mux.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("node_secret") != "leaked" && r.Header.Get("Authorization") != "Bearer "+token {
			http.Error(w, "who are you", http.StatusForbidden)
			return
		}
		legacy.ServeHTTP(w, r)
	})
	mux.Handle("/mcp_message", legacy)
	return mux
}

const takeover = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nginx_config_add",` +
	`"arguments":{"name":"zz.conf","content":"server { listen 8099; }"}}}`

// impatient is the client of requests that have no context of their own.
var impatient = &http.Client{Timeout: patience}

// openStream opens the legacy stream and returns the path of its messages, or the status of the refusal.
func openStream(t *testing.T, url, bearer string) (messages string, status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := impatient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	for lines := bufio.NewScanner(resp.Body); resp.StatusCode == http.StatusOK && lines.Scan(); {
		if path, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			return path[strings.Index(path, "/mcp_message"):], resp.StatusCode
		}
	}
	return "", resp.StatusCode
}

func post(t *testing.T, url, bearer, body string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := impatient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func TestTakeoverWithoutTheGuard(t *testing.T) {
	written := make(chan string, 1)
	base := listen(t, nginxUI(written))
	if _, status := openStream(t, base+"/mcp", ""); status != http.StatusForbidden {
		t.Errorf("the stream without any secret: %d, want 403: nginx-ui guards that one", status)
	}
	messages, status := openStream(t, base+"/mcp?node_secret=leaked", "")
	if status != http.StatusOK {
		t.Fatalf("the stream with the leaked secret: %d", status)
	}
	if status := post(t, base+messages, "", takeover); status != http.StatusAccepted {
		t.Fatalf("the call: %d", status)
	}
	if name := receive(t, "the tool", written); name != "zz.conf" {
		t.Errorf("wrote %q", name)
	}
}

func TestTakeoverIsRefused(t *testing.T) {
	for _, wiring := range wirings {
		t.Run(wiring.name, func(t *testing.T) {
			written, seen := make(chan string, 1), &events{}
			guard := newGuard(t, waf.Config{
				Identities: bearerIdentity(),
				Endpoints:  []waf.Endpoint{{Path: "/mcp_message", Transport: waf.TransportHTTPSSE, SSEPath: "/mcp"}},
				OnEvent:    seen.add,
			})
			base := listen(t, wiring.wrap(t, guard, nginxUI(written)))
			if _, status := openStream(t, base+"/mcp?node_secret=leaked", ""); status < 400 {
				t.Errorf("the stream with the leaked secret: %d, want a refusal", status)
			}
			// Suppose that the id of somebody's session leaks: the call is refused all the same, in every spelling of the path.
			messages, status := openStream(t, base+"/mcp", token)
			if status != http.StatusOK {
				t.Fatalf("the owner's stream: %d, %+v", status, refusals(seen.take()))
			}
			for _, path := range []string{
				messages, "/" + messages, strings.Replace(messages, "mcp_message", "mcp%5Fmessage", 1), strings.Replace(messages, "mcp", "MCP", 1),
				strings.Replace(messages, "?", "/?", 1), "/x/.." + messages, messages + "&sessionId=1",
			} {
				if status := post(t, base+path, "", takeover); status < 400 {
					t.Errorf("POST %s without a token: %d, want a refusal", path, status)
				}
			}
			if status := post(t, base+messages, token, takeover); status != http.StatusAccepted {
				t.Errorf("the owner's call: %d, %+v", status, refusals(seen.take()))
			}
			if name := receive(t, "the tool", written); name != "zz.conf" || len(written) > 0 {
				t.Errorf("wrote %q and %d more, want only what the owner sent", name, len(written))
			}
		})
	}
}

// An operator who names no endpoints gets both paths guarded by default.
func TestTakeoverIsRefusedByDefault(t *testing.T) {
	written := make(chan string, 1)
	base := listen(t, newGuard(t, waf.Config{}).Wrap(nginxUI(written)))
	if _, status := openStream(t, base+"/mcp?node_secret=leaked", ""); status < 400 {
		t.Errorf("the stream: %d, want a refusal", status)
	}
	if status := post(t, base+"/mcp_message", "", takeover); status != http.StatusUnauthorized {
		t.Errorf("the call: %d, want 401", status)
	}
	if len(written) > 0 {
		t.Error("the tool ran")
	}
}
