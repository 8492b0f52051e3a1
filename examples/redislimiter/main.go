// Redislimiter bounds how often each caller uses each tool, over a fleet of Guards that share one Redis.
//
//	redislimiter -redis 127.0.0.1:6379 -limit 60 -window 1m
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport/sallyport/waf"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8084", "`address` to listen on")
	server := flag.String("redis", "127.0.0.1:6379", "`address` of the Redis server, or the path of its socket")
	limit := flag.Int64("limit", 60, "uses of one tool by one caller in a window")
	window := flag.Duration("window", time.Minute, "length of a window")
	timeout := flag.Duration("timeout", 250*time.Millisecond, "how long a request waits for Redis, before it is refused")
	flag.Parse()
	handler, err := newHandler(*server, *limit, *window, *timeout)
	if err != nil {
		log.Fatal("redislimiter: ", err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on ", listener.Addr())
	guarded := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	log.Fatal(guarded.Serve(listener))
}

func newHandler(server string, limit int64, window, timeout time.Duration) (http.Handler, error) {
	if limit < 1 || window < time.Millisecond || timeout < time.Millisecond {
		return nil, errors.New("-limit must be 1 or more, -window and -timeout 1ms or more")
	}
	guard, err := waf.New(waf.Config{
		Limiter: &limiter{redis: newClient(server), limit: limit, window: window, timeout: timeout},
		Endpoints: []waf.Endpoint{{
			Path:       "/mcp",
			Transport:  waf.TransportStreamableHTTP,
			AllowHosts: []string{"127.0.0.1", "localhost"},
			Anonymous:  true, // callers are told apart by their addresses
		}},
		OnEvent: waf.LogEvents(slog.Default()),
	})
	if err != nil {
		return nil, err
	}
	return guard.Wrap(http.HandlerFunc(serveMCP)), nil
}

func newClient(server string) *redis.Client {
	network := "tcp"
	if strings.HasPrefix(server, "/") {
		network = "unix"
	}
	return redis.NewClient(&redis.Options{
		Network: network, Addr: server,
		MaxRetries:            -1, // a use must not be counted twice
		ContextTimeoutEnabled: true,
	})
}

// serveMCP stands for an MCP server.
func serveMCP(w http.ResponseWriter, r *http.Request) {
	message, ok := waf.MessageFrom(r.Context())
	if !ok || message.ID == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client may be gone
		"jsonrpc": "2.0", "id": json.RawMessage(message.ID),
		"result": map[string]any{"content": []any{map[string]string{"type": "text", "text": "done"}}},
	})
}
