package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// demoServer is an MCP server on the official Go SDK. It has no sessions, so that a single POST calls a tool.
func demoServer() http.Handler {
	server := mcp.NewServer(&mcp.Implementation{Name: "guardproxy-demo", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "echo", Description: "Returns the message."}, echo)
	mcp.AddTool(server, &mcp.Tool{Name: "add", Description: "Adds two numbers."}, add)
	mcp.AddTool(server, &mcp.Tool{Name: "slow_count", Description: "Counts, one progress event at a time."}, slowCount)
	mcp.AddTool(server, &mcp.Tool{Name: "delete_everything", Description: "The demo policy denies it."}, deleteEverything)
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{Stateless: true, PropagateRequestCancellation: true})
}

type echoArgs struct {
	Message string `json:"message" jsonschema:"the text to return"`
}

func echo(_ context.Context, _ *mcp.CallToolRequest, args echoArgs) (*mcp.CallToolResult, any, error) {
	return text(args.Message), nil, nil
}

type addArgs struct {
	A float64 `json:"a"`
	B float64 `json:"b"`
}

func add(_ context.Context, _ *mcp.CallToolRequest, args addArgs) (*mcp.CallToolResult, any, error) {
	return text(fmt.Sprint(args.A + args.B)), nil, nil
}

type countArgs struct {
	To int `json:"to" jsonschema:"the last number, 1 to 60"`
}

func slowCount(ctx context.Context, req *mcp.CallToolRequest, args countArgs) (*mcp.CallToolResult, any, error) {
	if args.To < 1 || args.To > 60 {
		return nil, nil, fmt.Errorf("to must be 1 to 60")
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for i := 1; i <= args.To; i++ {
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-tick.C:
		}
		token := req.Params.GetProgressToken()
		if token == nil {
			continue
		}
		progress := &mcp.ProgressNotificationParams{ProgressToken: token, Progress: float64(i), Total: float64(args.To)}
		if err := req.Session.NotifyProgress(ctx, progress); err != nil {
			return nil, nil, err
		}
	}
	return text(fmt.Sprintf("counted to %d", args.To)), nil, nil
}

func deleteEverything(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
	return text("nothing was deleted: this is a demo"), nil, nil
}

func text(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
}
