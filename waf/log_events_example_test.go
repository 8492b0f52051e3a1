package waf_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/sallyport/sallyport/waf"
)

func ExampleLogEvents() {
	// What differs from run to run is left out here.
	steady := func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.TimeKey, "request_id", "total", "read_body", "message":
			return slog.Attr{}
		}
		return a
	}
	guard, err := waf.New(waf.Config{
		Endpoints:          []waf.Endpoint{{Path: "/mcp", Anonymous: true, Tools: []waf.AccessRule{{Identity: "*", Allow: []string{"search_*"}}}}},
		OnEvent:            waf.LogEvents(slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: steady}))),
		LogValues:          waf.LogValues{Headers: []string{"User-Agent"}},
		DangerouslyNoRules: true,
	})
	if err != nil {
		panic(err)
	}
	handler := guard.Wrap(http.NotFoundHandler())
	for _, tool := range []string{"search_docs", "delete_docs"} {
		r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+tool+`"}}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("User-Agent", "agent/1 password=hunter2")
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	// Output:
	// level=INFO msg=decision action=allow endpoint=/mcp method=tools/call tool=search_docs headers.User-Agent="agent/1 password=[redacted]"
	// level=WARN msg=decision action=deny layer=policy code=tool_not_allowed status=403 endpoint=/mcp method=tools/call tool=delete_docs headers.User-Agent="agent/1 password=[redacted]"
}
