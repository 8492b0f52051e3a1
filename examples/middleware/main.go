// Middleware guards an MCP endpoint of a net/http program: one waf.New, one Wrap.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/sallyport/sallyport/waf"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "`address` to listen on")
	token := flag.String("token", "", "bearer `token` that callers need")
	flag.Parse()
	if *token == "" {
		log.Fatal("middleware: give -token")
	}
	guard, err := newGuard(*token)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on ", listener.Addr())
	server := &http.Server{
		// The Guard goes around the router: what it judges is the target as sent, not what a router makes of it.
		Handler:           guard.Wrap(routes()),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	log.Fatal(server.Serve(listener))
}

func newGuard(token string) (*waf.Guard, error) {
	return waf.New(waf.Config{
		Identities: waf.Identities{Bearer: []waf.BearerToken{{Name: "ci", SHA256: sha256.Sum256([]byte(token))}}},
		Endpoints: []waf.Endpoint{{
			Path:       "/mcp",
			Transport:  waf.TransportStreamableHTTP,
			AllowHosts: []string{"127.0.0.1", "localhost"},
			Tools:      []waf.AccessRule{{Identity: "ci", Allow: []string{"search_*"}}},
		}},
		OnEvent: waf.LogEvents(slog.Default()),
	})
}

// routes is the program as it was before: an endpoint that answers MCP, and a page.
func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /mcp", serveMCP)
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello\n") })
	return mux
}

// serveMCP stands for an MCP server. It reads the message that the Guard parsed, so that both mean the same.
func serveMCP(w http.ResponseWriter, r *http.Request) {
	message, ok := waf.MessageFrom(r.Context())
	if !ok || message.ID == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	caller, _ := waf.IdentityFrom(r.Context())
	text := caller.Name + " called " + string(message.Name.AppendText(nil))
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"jsonrpc": "2.0", "id": json.RawMessage(message.ID),
		"result": map[string]any{"content": []any{map[string]string{"type": "text", "text": text}}},
	})
}
