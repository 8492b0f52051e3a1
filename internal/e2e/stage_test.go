package e2e

import (
	"context"
	"errors"
	"net/http"

	gosdk "github.com/modelcontextprotocol/go-sdk/mcp"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpgoserver "github.com/mark3labs/mcp-go/server"
)

// stage is what the tools of a test server share with the test.
type stage struct {
	seen    chan struct{} // the client saw a progress event: count sends the next one only then
	waiting chan struct{} // wait has begun
	ended   chan struct{} // wait was cancelled
	over    chan struct{} // the test is over: no tool may run on
}

func newStage() *stage {
	return &stage{
		seen: make(chan struct{}), waiting: make(chan struct{}, 1), ended: make(chan struct{}, 1), over: make(chan struct{}),
	}
}

// end lets tools that still run return, so that their servers can be closed.
func (s *stage) end() { close(s.over) }

// count reports progress three times, each time waiting until the client has seen it.
func (s *stage) count(ctx context.Context, report func(n int) error) (string, error) {
	for n := 1; n <= 3; n++ {
		if err := report(n); err != nil {
			return "", err
		}
		select {
		case <-s.seen:
		case <-ctx.Done():
			return "", ctx.Err()
		case <-s.over:
			return "", errOver
		}
	}
	return "counted", nil
}

// wait runs until it is cancelled.
func (s *stage) wait(ctx context.Context) error {
	s.waiting <- struct{}{}
	select {
	case <-ctx.Done():
		s.ended <- struct{}{}
		return ctx.Err()
	case <-s.over:
		return errOver
	}
}

// The tools of both servers.
const (
	toolEcho   = "echo"   // returns its message
	toolCount  = "count"  // see stage.count
	toolWait   = "wait"   // see stage.wait
	toolDelete = "delete" // the Guard denies it
)

var (
	errNoToken = errors.New("the call has no progress token")
	errOver    = errors.New("the test is over")
)

type echoArgs struct {
	Message string `json:"message"`
}

func goSDKServer(s *stage) *gosdk.Server {
	server := gosdk.NewServer(&gosdk.Implementation{Name: "e2e-gosdk", Version: "1.0.0"}, nil)
	text := func(t string) *gosdk.CallToolResult {
		return &gosdk.CallToolResult{Content: []gosdk.Content{&gosdk.TextContent{Text: t}}}
	}
	gosdk.AddTool(server, &gosdk.Tool{Name: toolEcho},
		func(_ context.Context, _ *gosdk.CallToolRequest, args echoArgs) (*gosdk.CallToolResult, any, error) {
			return text(args.Message), nil, nil
		})
	gosdk.AddTool(server, &gosdk.Tool{Name: toolCount},
		func(ctx context.Context, req *gosdk.CallToolRequest, _ struct{}) (*gosdk.CallToolResult, any, error) {
			token := req.Params.GetProgressToken()
			if token == nil {
				return nil, nil, errNoToken
			}
			done, err := s.count(ctx, func(n int) error {
				return req.Session.NotifyProgress(ctx, &gosdk.ProgressNotificationParams{ProgressToken: token, Progress: float64(n)})
			})
			return text(done), nil, err
		})
	gosdk.AddTool(server, &gosdk.Tool{Name: toolWait},
		func(ctx context.Context, _ *gosdk.CallToolRequest, _ struct{}) (*gosdk.CallToolResult, any, error) {
			return nil, nil, s.wait(ctx)
		})
	gosdk.AddTool(server, &gosdk.Tool{Name: toolDelete},
		func(context.Context, *gosdk.CallToolRequest, struct{}) (*gosdk.CallToolResult, any, error) {
			return text("deleted"), nil, nil
		})
	return server
}

func goSDKStreamable(s *stage, stateless bool) http.Handler {
	server := goSDKServer(s)
	return gosdk.NewStreamableHTTPHandler(func(*http.Request) *gosdk.Server { return server },
		&gosdk.StreamableHTTPOptions{Stateless: stateless, PropagateRequestCancellation: true})
}

func goSDKLegacy(s *stage) http.Handler {
	server := goSDKServer(s)
	return gosdk.NewSSEHandler(func(*http.Request) *gosdk.Server { return server }, nil)
}

func mcpGoServer(s *stage) *mcpgoserver.MCPServer {
	server := mcpgoserver.NewMCPServer("e2e-mcpgo", "1.0.0", mcpgoserver.WithToolCapabilities(true))
	server.AddTool(mcpgo.NewTool(toolEcho, mcpgo.WithString("message", mcpgo.Required())),
		func(_ context.Context, req mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			message, err := req.RequireString("message")
			return mcpgo.NewToolResultText(message), err
		})
	server.AddTool(mcpgo.NewTool(toolCount), func(ctx context.Context, req mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		if req.Params.Meta == nil || req.Params.Meta.ProgressToken == nil {
			return nil, errNoToken
		}
		done, err := s.count(ctx, func(n int) error {
			return server.SendNotificationToClient(ctx, "notifications/progress",
				map[string]any{"progressToken": req.Params.Meta.ProgressToken, "progress": n})
		})
		return mcpgo.NewToolResultText(done), err
	})
	server.AddTool(mcpgo.NewTool(toolWait), func(ctx context.Context, _ mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		return nil, s.wait(ctx)
	})
	server.AddTool(mcpgo.NewTool(toolDelete), func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		return mcpgo.NewToolResultText("deleted"), nil
	})
	return server
}

func mcpGoStreamable(s *stage, stateless bool) http.Handler {
	return mcpgoserver.NewStreamableHTTPServer(mcpGoServer(s), mcpgoserver.WithStateLess(stateless))
}

// mcpGoLegacy has the paths of nginx-ui: the stream on /mcp, messages on /mcp_message.
func mcpGoLegacy(s *stage) http.Handler {
	return mcpgoserver.NewSSEServer(mcpGoServer(s), mcpgoserver.WithSSEEndpoint("/mcp"), mcpgoserver.WithMessageEndpoint("/mcp_message"))
}
