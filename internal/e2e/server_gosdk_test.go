//lint:file-ignore SA1019 sampling and the stream of a session are deprecated, and in use.

package e2e

import (
	"context"
	"net/http"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	gosdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

func goSDKServer(s *stage) *gosdk.Server {
	server := gosdk.NewServer(&gosdk.Implementation{Name: "e2e-gosdk", Version: "1.0.0"}, nil)
	gosdk.AddTool(server, &gosdk.Tool{Name: toolEcho},
		func(_ context.Context, _ *gosdk.CallToolRequest, args echoArgs) (*gosdk.CallToolResult, any, error) {
			return goSDKText(args.Message), nil, nil
		})
	gosdk.AddTool(server, &gosdk.Tool{Name: toolCount},
		func(ctx context.Context, req *gosdk.CallToolRequest, _ struct{}) (*gosdk.CallToolResult, any, error) {
			done, err := s.count(ctx, func(n int) error { return goSDKProgress(ctx, req, n) })
			return goSDKText(done), nil, err
		})
	gosdk.AddTool(server, &gosdk.Tool{Name: toolResume},
		func(ctx context.Context, req *gosdk.CallToolRequest, _ struct{}) (*gosdk.CallToolResult, any, error) {
			if err := goSDKProgress(ctx, req, 1); err != nil {
				return nil, nil, err
			}
			if err := s.wasSeen(ctx); err != nil {
				return nil, nil, err
			}
			if req.Extra.CloseSSEStream != nil {
				req.Extra.CloseSSEStream(gosdk.CloseSSEStreamArgs{RetryAfter: 10 * time.Millisecond})
			}
			return goSDKText("resumed"), nil, nil
		})
	gosdk.AddTool(server, &gosdk.Tool{Name: toolWait},
		func(ctx context.Context, _ *gosdk.CallToolRequest, _ struct{}) (*gosdk.CallToolResult, any, error) {
			return nil, nil, s.wait(ctx)
		})
	gosdk.AddTool(server, &gosdk.Tool{Name: toolAsk}, goSDKAsk)
	gosdk.AddTool(server, &gosdk.Tool{Name: toolDelete}, goSDKDelete)
	server.AddPrompt(&gosdk.Prompt{Name: promptHello}, func(context.Context, *gosdk.GetPromptRequest) (*gosdk.GetPromptResult, error) {
		return &gosdk.GetPromptResult{Messages: []*gosdk.PromptMessage{{Role: "user", Content: &gosdk.TextContent{Text: someText}}}}, nil
	})
	read := func(_ context.Context, req *gosdk.ReadResourceRequest) (*gosdk.ReadResourceResult, error) {
		return &gosdk.ReadResourceResult{Contents: []*gosdk.ResourceContents{{URI: req.Params.URI, Text: someText}}}, nil
	}
	server.AddResource(&gosdk.Resource{Name: "note", URI: resourceURI}, read)
	server.AddResourceTemplate(&gosdk.ResourceTemplate{Name: "notes", URITemplate: templateURI}, read)
	s.addTool = func() { gosdk.AddTool(server, &gosdk.Tool{Name: toolLate}, goSDKDelete) }
	return server
}

func goSDKText(text string) *gosdk.CallToolResult {
	return &gosdk.CallToolResult{Content: []gosdk.Content{&gosdk.TextContent{Text: text}}}
}

func goSDKProgress(ctx context.Context, req *gosdk.CallToolRequest, n int) error {
	token := req.Params.GetProgressToken()
	if token == nil {
		return errNoToken
	}
	return req.Session.NotifyProgress(ctx, &gosdk.ProgressNotificationParams{ProgressToken: token, Progress: float64(n)})
}

// goSDKAsk says what it wants to know in its result, from where the SDK asks in the way of the session's revision.
func goSDKAsk(_ context.Context, req *gosdk.CallToolRequest, _ struct{}) (*gosdk.CallToolResult, any, error) {
	user, _ := req.Params.InputResponses["user"].(*gosdk.ElicitResult)
	model, _ := req.Params.InputResponses["model"].(*gosdk.CreateMessageWithToolsResult)
	if user != nil && model != nil {
		answer, _ := user.Content["answer"].(string)
		thought, _ := model.Content[0].(*gosdk.TextContent)
		return goSDKText(user.Action + " " + answer + ", " + thought.Text), nil, nil
	}
	return &gosdk.CallToolResult{InputRequests: gosdk.InputRequestMap{
		"user": &gosdk.ElicitParams{Message: "Go on?", RequestedSchema: &jsonschema.Schema{
			Type: "object", Properties: map[string]*jsonschema.Schema{"answer": {Type: "string"}},
		}},
		"model": &gosdk.CreateMessageParams{
			Messages: []*gosdk.SamplingMessage{{Role: "user", Content: &gosdk.TextContent{Text: "Think."}}}, MaxTokens: 100,
		},
	}}, nil, nil
}

func goSDKDelete(context.Context, *gosdk.CallToolRequest, struct{}) (*gosdk.CallToolResult, any, error) {
	return goSDKText("deleted"), nil, nil
}

func goSDKStreamable(s *stage, stateless bool) http.Handler {
	server := goSDKServer(s)
	options := &gosdk.StreamableHTTPOptions{Stateless: stateless, PropagateRequestCancellation: true}
	if !stateless {
		options.EventStore = gosdk.NewMemoryEventStore(nil)
	}
	return gosdk.NewStreamableHTTPHandler(func(*http.Request) *gosdk.Server { return server }, options)
}

func goSDKLegacy(s *stage) http.Handler {
	server := goSDKServer(s)
	return gosdk.NewSSEHandler(func(*http.Request) *gosdk.Server { return server }, nil)
}
