// Cors lets web pages of some origins call an MCP endpoint: a CORS middleware outside, the Guard inside of it.
//
//	cors -origin https://app.example.com -token TOKEN
//
// The order matters. Outside, the middleware answers preflights, which carry no credentials and reach nothing else, and it puts its
// fields on the Guard's refusals too, so that a page can read why it got a 401. It grants only; what it does not grant it passes on.
// The Guard inside refuses: a request from another origin gets 403 whatever the browser makes of the answer. Both are given the
// same list, and a Guard without one would refuse every page that the middleware invites.
//
// The middleware is github.com/jub0bs/cors. It lets no origin in by default; by a pattern it would, which the Guard's list does not know.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/jub0bs/cors"

	"github.com/sallyport/sallyport/waf"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8085", "`address` to listen on")
	origin := flag.String("origin", "", "`origin` of the pages that may call, such as https://app.example.com")
	token := flag.String("token", "", "bearer `token` that callers need")
	flag.Parse()
	handler, err := newHandler(*origin, *token)
	if err != nil {
		log.Fatal("cors: ", err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on ", listener.Addr())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	log.Fatal(server.Serve(listener))
}

// newHandler returns the guarded endpoint with the middleware around it.
func newHandler(origin, token string) (http.Handler, error) {
	if token == "" {
		return nil, errors.New("give -token")
	}
	origins := []string{origin}
	guard, err := waf.New(waf.Config{
		Identities: waf.Identities{Bearer: []waf.BearerToken{{Name: "page", SHA256: sha256.Sum256([]byte(token))}}},
		Endpoints: []waf.Endpoint{{
			Path:         "/mcp",
			Transport:    waf.TransportStreamableHTTP,
			AllowHosts:   []string{"127.0.0.1", "localhost"},
			AllowOrigins: origins, // exact, checked by New: no pattern, no "null"
		}},
		OnEvent: waf.LogEvents(slog.Default()),
	})
	if err != nil {
		return nil, err
	}
	outside, err := cors.NewMiddleware(cors.Config{
		Origins: origins,
		Methods: []string{http.MethodPost, http.MethodGet, http.MethodDelete},
		RequestHeaders: []string{
			"Authorization", "Content-Type", "Last-Event-ID", "Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name",
		}, // and every Mcp-Param-… by which a tool mirrors an argument
		ResponseHeaders: []string{"Mcp-Session-Id", "Retry-After", "WWW-Authenticate", "X-Request-Id"},
		MaxAgeInSeconds: 600,
		// Not Credentialed: the token is in Authorization, which the page sets itself. Cookies would let a page act for its visitor.
	})
	if err != nil {
		return nil, err
	}
	return outside.Wrap(guard.Wrap(http.HandlerFunc(serveMCP))), nil
}

// serveMCP stands for an MCP server.
func serveMCP(w http.ResponseWriter, r *http.Request) {
	message, ok := waf.MessageFrom(r.Context())
	if !ok || message.ID == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": json.RawMessage(message.ID), "result": map[string]any{}})
}
