// Oidc lets an OAuth authorization server say who calls an MCP endpoint: access tokens that are JWTs are verified against the
// issuer's keys, and their subject becomes the identity that policies name.
//
//	oidc -issuer https://login.example.com -resource https://mcp.example.com/mcp
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/sallyport/sallyport/waf"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8083", "`address` to listen on")
	issuer := flag.String("issuer", "", "`URL` of the authorization server, as its tokens name it")
	resource := flag.String("resource", "", "`URL` of the MCP endpoint, as clients know it; tokens must be issued for it")
	flag.Parse()
	handler, err := newHandler(context.Background(), *issuer, *resource)
	if err != nil {
		log.Fatal("oidc: ", err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on ", listener.Addr())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	log.Fatal(server.Serve(listener))
}

// newHandler returns the guarded endpoint. It fails if the issuer can't be asked for its keys' address.
func newHandler(ctx context.Context, issuer, resource string) (http.Handler, error) {
	u, err := url.Parse(resource)
	if err != nil || u.Host == "" || !isPlainPath(u) {
		return nil, errors.New("-resource must be a URL with a plain path and nothing after it, such as https://mcp.example.com/mcp")
	}
	tokens, err := newVerifier(ctx, issuer, resource)
	if err != nil {
		return nil, err
	}
	metadata := "/.well-known/oauth-protected-resource" + u.Path // RFC 9728, 3.1
	guard, err := waf.New(waf.Config{
		Authenticate:     tokens.authenticate,
		ResourceMetadata: u.Scheme + "://" + u.Host + metadata, // a 401 tells clients where to get a token
		Endpoints: []waf.Endpoint{{
			Path:       u.Path,
			Transport:  waf.TransportStreamableHTTP,
			AllowHosts: []string{u.Host},
			Tools:      []waf.AccessRule{{Identity: "agent-1", Allow: []string{"search_*"}}},
		}},
		OnEvent: waf.LogEvents(slog.Default()),
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+metadata, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{
			"resource": resource, "authorization_servers": []string{issuer}, "bearer_methods_supported": []string{"header"},
		})
	})
	mux.HandleFunc("POST "+u.Path, serveMCP)
	return guard.Wrap(mux), nil
}

// isPlainPath reports whether the target of a URL is a path that means the same to the Guard, to the router and to clients: nothing in
// it is escaped, cleaned, or a pattern.
func isPlainPath(u *url.URL) bool {
	return u.RequestURI() == u.Path && path.Clean(u.Path) == u.Path && !strings.ContainsAny(u.Path, "*{}") && u.Fragment == ""
}

// serveMCP stands for an MCP server that says who called what.
func serveMCP(w http.ResponseWriter, r *http.Request) {
	message, ok := waf.MessageFrom(r.Context())
	if !ok || message.ID == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	caller, _ := waf.IdentityFrom(r.Context())
	text := caller.Name + " called " + string(message.Name.AppendText(nil))
	writeJSON(w, map[string]any{
		"jsonrpc": "2.0", "id": json.RawMessage(message.ID),
		"result": map[string]any{"content": []any{map[string]string{"type": "text", "text": text}}},
	})
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // the client may be gone
}
