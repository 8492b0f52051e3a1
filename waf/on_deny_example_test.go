package waf_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/sallyport/sallyport/waf"
)

// The Guard knows callers by name. Where tokens have scopes, Authenticate names a caller by what the token grants, and OnDeny tells a
// caller that may only read which scope it lacks to write. It writes no body: the answer stays the Guard's, with the id of the message.
func ExampleConfig_insufficientScope() {
	scopes := func(*http.Request) string { return "docs:read" } // of the verified token
	guard, err := waf.New(waf.Config{
		Endpoints: []waf.Endpoint{{Path: "/mcp", Tools: []waf.AccessRule{
			{Identity: "*", Allow: []string{"read_*"}},
			{Identity: "writer", Allow: []string{"write_*"}},
		}}},
		Authenticate: func(r *http.Request) (waf.Identity, error) {
			if strings.Contains(scopes(r), "docs:write") {
				return waf.Identity{Name: "writer", Method: "oauth"}, nil
			}
			return waf.Identity{Name: "reader", Method: "oauth"}, nil
		},
		OnDeny: func(w http.ResponseWriter, r *http.Request, d waf.Denial) {
			if d.Code == "tool_not_allowed" && !strings.Contains(scopes(r), "docs:write") {
				w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="docs:read docs:write", `+
					`resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"`)
			}
		},
		DangerouslyNoRules: true,
	})
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"write_page"}}`))
	r.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	guard.Wrap(http.NotFoundHandler()).ServeHTTP(answer, r)
	fmt.Println(answer.Code, answer.Header().Get("WWW-Authenticate"))
	fmt.Println(answer.Body)
	// Output:
	// 403 Bearer error="insufficient_scope", scope="docs:read docs:write", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"
	// {"jsonrpc":"2.0","id":7,"error":{"code":403,"message":"Forbidden"}}
}
