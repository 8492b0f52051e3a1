//lint:file-ignore SA1019 sampling and the stream of a session are deprecated, and in use.

package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"

	gosdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

type goSDKSession struct {
	*gosdk.ClientSession
	progress *callback
}

func connectGoSDK(ctx context.Context, t *testing.T, to server) (session, error) {
	t.Helper()
	progress := new(callback)
	client := gosdk.NewClient(&gosdk.Implementation{Name: "e2e", Version: "1.0.0"}, &gosdk.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, req *gosdk.ProgressNotificationClientRequest) {
			progress.report(int(req.Params.Progress))
		},
		ToolListChangedHandler: func(context.Context, *gosdk.ToolListChangedRequest) { to.changed() },
		ElicitationHandler: func(context.Context, *gosdk.ElicitRequest) (*gosdk.ElicitResult, error) {
			return &gosdk.ElicitResult{Action: "accept", Content: map[string]any{"answer": "yes"}}, nil
		},
		CreateMessageHandler: func(context.Context, *gosdk.CreateMessageRequest) (*gosdk.CreateMessageResult, error) {
			return &gosdk.CreateMessageResult{Role: "assistant", Content: &gosdk.TextContent{Text: "a thought"}, Model: "none"}, nil
		},
	})
	var transport gosdk.Transport = &gosdk.StreamableClientTransport{Endpoint: to.url, HTTPClient: httpClient(t)}
	if to.legacy {
		transport = &gosdk.SSEClientTransport{Endpoint: to.url, HTTPClient: httpClient(t)}
	}
	cs, err := client.Connect(ctx, transport, &gosdk.ClientSessionOptions{ProtocolVersion: to.revision})
	if err != nil {
		return nil, err
	}
	return &goSDKSession{cs, progress}, nil
}

func (s *goSDKSession) revision() string { return s.InitializeResult().ProtocolVersion }

func (s *goSDKSession) lists(ctx context.Context) (string, error) {
	tools, err1 := s.ListTools(ctx, nil)
	prompts, err2 := s.ListPrompts(ctx, nil)
	resources, err3 := s.ListResources(ctx, nil)
	templates, err4 := s.ListResourceTemplates(ctx, nil)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return "", err
	}
	return joined(
		namesOf(tools.Tools, func(x *gosdk.Tool) string { return x.Name }),
		namesOf(prompts.Prompts, func(x *gosdk.Prompt) string { return x.Name }),
		namesOf(resources.Resources, func(x *gosdk.Resource) string { return x.Name }),
		namesOf(templates.ResourceTemplates, func(x *gosdk.ResourceTemplate) string { return x.Name }),
	), nil
}

func (s *goSDKSession) prompt(ctx context.Context, name string) (string, error) {
	result, err := s.GetPrompt(ctx, &gosdk.GetPromptParams{Name: name})
	if err != nil {
		return "", err
	}
	return result.Messages[0].Content.(*gosdk.TextContent).Text, nil
}

func (s *goSDKSession) read(ctx context.Context, uri string) (string, error) {
	result, err := s.ReadResource(ctx, &gosdk.ReadResourceParams{URI: uri})
	if err != nil {
		return "", err
	}
	return result.Contents[0].Text, nil
}

func (s *goSDKSession) call(ctx context.Context, tool string, args map[string]any, progress func(int)) (string, error) {
	params := &gosdk.CallToolParams{Name: tool, Arguments: args}
	if progress != nil {
		params.SetProgressToken("e2e/1")
		s.progress.set(progress)
		defer s.progress.set(nil)
	}
	result, err := s.CallTool(ctx, params)
	if err != nil {
		return "", err
	}
	if text, ok := result.Content[0].(*gosdk.TextContent); ok && !result.IsError {
		return text.Text, nil
	}
	return "", fmt.Errorf("result %+v", result.Content[0])
}

func (s *goSDKSession) end() error { return s.Close() }
