package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpgoserver "github.com/mark3labs/mcp-go/server"
)

func mcpGoServer(s *stage) *mcpgoserver.MCPServer {
	server := mcpgoserver.NewMCPServer("e2e-mcpgo", "1.0.0", mcpgoserver.WithToolCapabilities(true))
	server.EnableSampling()
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
	server.AddTool(mcpgo.NewTool(toolAsk), mcpGoAsk)
	server.AddTool(mcpgo.NewTool(toolDelete), mcpGoDelete)
	server.AddPrompt(mcpgo.NewPrompt(promptHello), func(context.Context, mcpgo.GetPromptRequest) (*mcpgo.GetPromptResult, error) {
		return &mcpgo.GetPromptResult{Messages: []mcpgo.PromptMessage{{Role: mcpgo.RoleUser, Content: mcpgo.NewTextContent(someText)}}}, nil
	})
	read := func(_ context.Context, req mcpgo.ReadResourceRequest) ([]mcpgo.ResourceContents, error) {
		return []mcpgo.ResourceContents{mcpgo.TextResourceContents{URI: req.Params.URI, Text: someText}}, nil
	}
	server.AddResource(mcpgo.NewResource(resourceURI, "note"), read)
	server.AddResourceTemplate(mcpgo.NewResourceTemplate(templateURI, "notes"), read)
	s.addTool = func() { server.AddTool(mcpgo.NewTool(toolLate), mcpGoDelete) }
	return server
}

// mcpGoAsk says what it wants to know in its result, from where the server asks in the way of the session's revision.
func mcpGoAsk(_ context.Context, req mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
	user := mcpgoserver.ElicitationResponse(req.Params.InputResponses, "user")
	model := mcpgoserver.SamplingResponse(req.Params.InputResponses, "model")
	if user == nil || model == nil {
		return mcpgoserver.NewInputRequestBuilder("").Elicit("user", mcpgo.ElicitationParams{
			Message: "Go on?", RequestedSchema: map[string]any{"type": "object", "properties": map[string]any{"answer": map[string]any{"type": "string"}}},
		}).Sample("model", mcpgo.CreateMessageParams{
			Messages: []mcpgo.SamplingMessage{{Role: mcpgo.RoleUser, Content: mcpgo.NewTextContent("Think.")}}, MaxTokens: 100,
		}).ToolResult(), nil
	}
	answer, _ := user.Content.(map[string]any)
	var thought any
	switch content := model.Content.(type) {
	case mcpgo.TextContent:
		thought = content.Text
	case map[string]any:
		thought = content["text"]
	}
	return mcpgo.NewToolResultText(fmt.Sprintf("%s %v, %v", user.Action, answer["answer"], thought)), nil
}

func mcpGoDelete(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
	return mcpgo.NewToolResultText("deleted"), nil
}

func mcpGoStreamable(s *stage, stateless bool) http.Handler {
	return mcpgoserver.NewStreamableHTTPServer(mcpGoServer(s), mcpgoserver.WithStateLess(stateless),
		mcpgoserver.WithStreamableHTTPLogger(slog.New(slog.DiscardHandler)))
}

// mcpGoLegacy has the paths of nginx-ui: the stream on /mcp, messages on /mcp_message.
func mcpGoLegacy(s *stage) http.Handler {
	return mcpgoserver.NewSSEServer(mcpGoServer(s), mcpgoserver.WithSSEEndpoint("/mcp"), mcpgoserver.WithMessageEndpoint("/mcp_message"))
}
