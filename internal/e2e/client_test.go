package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	gosdk "github.com/modelcontextprotocol/go-sdk/mcp"

	mcpgoclient "github.com/mark3labs/mcp-go/client"
	mcpgotransport "github.com/mark3labs/mcp-go/client/transport"
	mcpgo "github.com/mark3labs/mcp-go/mcp"
)

// token is the bearer token that the tests' Guards know.
const token = "e2e-token"

// session is a client that has connected. call reports the progress of the call as it arrives.
type session interface {
	revision() string
	tools(ctx context.Context) ([]string, error)
	call(ctx context.Context, tool string, args map[string]any, progress func(n int)) (string, error)
	close()
}

// bearer adds the token to every request.
type bearer struct{ next http.RoundTripper }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return b.next.RoundTrip(r)
}

// httpClient is a client of its own for one test, so that no idle connection outlives it.
func httpClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: bearer{transport}}
}

type goSDKSession struct {
	*gosdk.ClientSession
	progress chan func(int) // holds the running call's callback
}

func connectGoSDK(ctx context.Context, t *testing.T, url, revision string) (session, error) {
	t.Helper()
	progress := make(chan func(int), 1)
	client := gosdk.NewClient(&gosdk.Implementation{Name: "e2e", Version: "1.0.0"}, &gosdk.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, req *gosdk.ProgressNotificationClientRequest) {
			report := <-progress
			report(int(req.Params.Progress))
			progress <- report
		},
	})
	var transport gosdk.Transport = &gosdk.StreamableClientTransport{Endpoint: url, HTTPClient: httpClient(t)}
	if revision == "2024-11-05" {
		transport = &gosdk.SSEClientTransport{Endpoint: url, HTTPClient: httpClient(t)}
	}
	cs, err := client.Connect(ctx, transport, &gosdk.ClientSessionOptions{ProtocolVersion: revision})
	if err != nil {
		return nil, err
	}
	return &goSDKSession{cs, progress}, nil
}

func (s *goSDKSession) revision() string { return s.InitializeResult().ProtocolVersion }

func (s *goSDKSession) tools(ctx context.Context) ([]string, error) {
	result, err := s.ListTools(ctx, nil)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, tool := range result.Tools {
		names = append(names, tool.Name)
	}
	return names, nil
}

func (s *goSDKSession) call(ctx context.Context, tool string, args map[string]any, progress func(int)) (string, error) {
	params := &gosdk.CallToolParams{Name: tool, Arguments: args}
	if progress != nil {
		params.SetProgressToken("e2e/1")
		s.progress <- progress
		defer func() { <-s.progress }()
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

func (s *goSDKSession) close() { _ = s.Close() }

type mcpGoSession struct {
	*mcpgoclient.Client
	spoken   string
	progress chan func(int)
}

func connectMCPGo(ctx context.Context, t *testing.T, url, revision string) (session, error) {
	t.Helper()
	s := &mcpGoSession{progress: make(chan func(int), 1)}
	var transport mcpgotransport.Interface
	var err error
	if revision == "2024-11-05" {
		transport, err = mcpgotransport.NewSSE(url, mcpgotransport.WithHTTPClient(httpClient(t)))
	} else {
		transport, err = mcpgotransport.NewStreamableHTTP(url, mcpgotransport.WithHTTPBasicClient(httpClient(t)))
	}
	if err != nil {
		return nil, err
	}
	s.Client = mcpgoclient.NewClient(transport, mcpgoclient.WithProtocolVersion(revision))
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	s.OnNotification(func(n mcpgo.JSONRPCNotification) {
		if n.Method != "notifications/progress" {
			return
		}
		done, _ := n.Params.AdditionalFields["progress"].(float64)
		report := <-s.progress
		report(int(done))
		s.progress <- report
	})
	request := mcpgo.InitializeRequest{}
	request.Params.ProtocolVersion = revision
	request.Params.ClientInfo = mcpgo.Implementation{Name: "e2e", Version: "1.0.0"}
	result, err := s.Initialize(ctx, request)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.spoken = result.ProtocolVersion
	return s, nil
}

func (s *mcpGoSession) revision() string { return s.spoken }

func (s *mcpGoSession) tools(ctx context.Context) ([]string, error) {
	result, err := s.ListTools(ctx, mcpgo.ListToolsRequest{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, tool := range result.Tools {
		names = append(names, tool.Name)
	}
	return names, nil
}

func (s *mcpGoSession) call(ctx context.Context, tool string, args map[string]any, progress func(int)) (string, error) {
	request := mcpgo.CallToolRequest{}
	request.Params.Name = tool
	request.Params.Arguments = args
	if progress != nil {
		request.Params.Meta = &mcpgo.Meta{ProgressToken: "e2e/1"}
		s.progress <- progress
		defer func() { <-s.progress }()
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

func (s *mcpGoSession) close() { _ = s.Close() }
