//lint:file-ignore SA1019 sampling and the stream of a session are deprecated, and in use.

package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	mcpgoclient "github.com/mark3labs/mcp-go/client"
	mcpgotransport "github.com/mark3labs/mcp-go/client/transport"
	mcpgo "github.com/mark3labs/mcp-go/mcp"
)

type mcpGoSession struct {
	*mcpgoclient.Client
	spoken   string
	progress callback
}

// mcpGoAnswers are what the client says when the server asks.
type mcpGoAnswers struct{}

// Elicit implements client.ElicitationHandler.
func (mcpGoAnswers) Elicit(context.Context, mcpgo.ElicitationRequest) (*mcpgo.ElicitationResult, error) {
	return &mcpgo.ElicitationResult{ElicitationResponse: mcpgo.ElicitationResponse{
		Action: mcpgo.ElicitationResponseActionAccept, Content: map[string]any{"answer": "yes"},
	}}, nil
}

// CreateMessage implements client.SamplingHandler.
func (mcpGoAnswers) CreateMessage(context.Context, mcpgo.CreateMessageRequest) (*mcpgo.CreateMessageResult, error) {
	return &mcpgo.CreateMessageResult{
		SamplingMessage: mcpgo.SamplingMessage{Role: mcpgo.RoleAssistant, Content: mcpgo.NewTextContent("a thought")}, Model: "none",
	}, nil
}

func connectMCPGo(ctx context.Context, t *testing.T, to server) (session, error) {
	t.Helper()
	s := &mcpGoSession{}
	var transport mcpgotransport.Interface
	var err error
	if to.legacy {
		transport, err = mcpgotransport.NewSSE(to.url, mcpgotransport.WithHTTPClient(httpClient(t)))
	} else {
		options := []mcpgotransport.StreamableHTTPCOption{
			mcpgotransport.WithHTTPBasicClient(httpClient(t)), mcpgotransport.WithHTTPLogger(slog.New(slog.DiscardHandler)),
		}
		if to.revision != "" && to.revision != "2026-07-28" { // which has no such stream: with the option, the client speaks an older revision
			options = append(options, mcpgotransport.WithContinuousListening())
		}
		transport, err = mcpgotransport.NewStreamableHTTP(to.url, options...)
	}
	if err != nil {
		return nil, err
	}
	s.Client = mcpgoclient.NewClient(transport, mcpgoclient.WithProtocolVersion(to.revision),
		mcpgoclient.WithElicitationHandler(mcpGoAnswers{}), mcpgoclient.WithSamplingHandler(mcpGoAnswers{}))
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	s.OnNotification(func(n mcpgo.JSONRPCNotification) {
		switch n.Method {
		case "notifications/tools/list_changed":
			to.changed()
		case "notifications/progress":
			done, _ := n.Params.AdditionalFields["progress"].(float64)
			s.progress.report(int(done))
		}
	})
	request := mcpgo.InitializeRequest{}
	request.Params.ProtocolVersion = cmp.Or(to.revision, mcpgo.LATEST_PROTOCOL_VERSION)
	request.Params.ClientInfo = mcpgo.Implementation{Name: "e2e", Version: "1.0.0"}
	result, err := s.Initialize(ctx, request)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.spoken = result.ProtocolVersion
	return s, nil
}

func (s *mcpGoSession) revision() string { return s.spoken }

func (s *mcpGoSession) lists(ctx context.Context) (string, error) {
	tools, err1 := s.ListTools(ctx, mcpgo.ListToolsRequest{})
	prompts, err2 := s.ListPrompts(ctx, mcpgo.ListPromptsRequest{})
	resources, err3 := s.ListResources(ctx, mcpgo.ListResourcesRequest{})
	templates, err4 := s.ListResourceTemplates(ctx, mcpgo.ListResourceTemplatesRequest{})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return "", err
	}
	return joined(
		namesOf(tools.Tools, func(x mcpgo.Tool) string { return x.Name }),
		namesOf(prompts.Prompts, func(x mcpgo.Prompt) string { return x.Name }),
		namesOf(resources.Resources, func(x mcpgo.Resource) string { return x.Name }),
		namesOf(templates.ResourceTemplates, func(x mcpgo.ResourceTemplate) string { return x.Name }),
	), nil
}

func (s *mcpGoSession) prompt(ctx context.Context, name string) (string, error) {
	request := mcpgo.GetPromptRequest{}
	request.Params.Name = name
	result, err := s.GetPrompt(ctx, request)
	if err != nil {
		return "", err
	}
	return result.Messages[0].Content.(mcpgo.TextContent).Text, nil
}

func (s *mcpGoSession) read(ctx context.Context, uri string) (string, error) {
	request := mcpgo.ReadResourceRequest{}
	request.Params.URI = uri
	result, err := s.ReadResource(ctx, request)
	if err != nil {
		return "", err
	}
	return result.Contents[0].(mcpgo.TextResourceContents).Text, nil
}

func (s *mcpGoSession) call(ctx context.Context, tool string, args map[string]any, progress func(int)) (string, error) {
	request := mcpgo.CallToolRequest{}
	request.Params.Name = tool
	request.Params.Arguments = args
	if progress != nil {
		request.Params.Meta = &mcpgo.Meta{ProgressToken: "e2e/1"}
		s.progress.set(progress)
		defer s.progress.set(nil)
	}
	result, err := s.CallTool(ctx, request)
	if err != nil {
		return "", err
	}
	if text, ok := result.Content[0].(mcpgo.TextContent); ok && !result.IsError {
		return text.Text, nil
	}
	return "", fmt.Errorf("result %+v", result.Content[0])
}

func (s *mcpGoSession) end() error { return s.Close() }
