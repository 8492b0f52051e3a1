package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

// A client without a token learns from the 401, or by asking, where the documents are that lead it to one; the Guard lets it read
// them, and lets it in with what it got.
func TestTypeScriptAuthorization(t *testing.T) {
	v1, v2 := startTypeScript(t, "v1"), startTypeScript(t, "v2")
	noLeak(t)
	for client, connect := range map[string]connector{"ts-v1": v1.connect, "ts-v2": v2.connect} {
		for _, h := range []host{hosts[0], hosts[2]} {
			for _, named := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s-to-%s/named=%v", client, h.name, named), func(t *testing.T) {
					ctx, cancel := context.WithTimeout(context.Background(), patience)
					defer cancel()
					seen, stage := &events{}, newStage()
					defer stage.end()
					issuer := authorizationServer(t)
					var guarded http.Handler
					base := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { guarded.ServeHTTP(w, r) }))

					document := "/.well-known/oauth-protected-resource/mcp"
					if named {
						document = "/.well-known/oauth-protected-resource/found/only/by/its/name"
					}
					mux := http.NewServeMux()
					mux.Handle("/mcp", h.handler(stage))
					mux.HandleFunc("GET "+document, func(w http.ResponseWriter, r *http.Request) {
						if r.Header.Get("Authorization") != "" {
							t.Error("the client has a token already")
						}
						w.Header().Set("Content-Type", "application/json")
						fmt.Fprintf(w, `{"resource":"%s/mcp","authorization_servers":["%s"]}`, base, issuer)
					})
					cfg := guardedConfig(t, seen)
					if named {
						cfg.ResourceMetadata = base + document
					}
					guarded = newGuard(t, cfg).Wrap(mux)

					s, err := connect(ctx, t, server{
						url: base + "/mcp", legacy: h.legacy(), revision: "2025-11-25", issuer: issuer, changed: func() {},
					})
					if err != nil {
						t.Fatalf("connect: %v; refused: %v", err, refusals(seen.take()))
					}
					if got, err := s.call(ctx, toolEcho, map[string]any{"message": "hello"}, nil); err != nil || got != "hello" {
						t.Errorf("echo: %q, %v", got, err)
					}
					refused := refusals(seen.take())
					if len(refused) == 0 || slices.ContainsFunc(refused, func(e waf.Event) bool { return e.Code != "identity_required" }) {
						t.Errorf("refused: %v, want only what had no token", refused)
					}
					if err := leave(t, s); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// authorizationServer starts a server that gives out the token of these tests for a secret.
func authorizationServer(t *testing.T) (issuer string) {
	t.Helper()
	mux := http.NewServeMux()
	issuer = listen(t, mux)
	answer := func(w http.ResponseWriter, text string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	}
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, fmt.Sprintf(`{"issuer":"%[1]s","authorization_endpoint":"%[1]s/authorize","token_endpoint":"%[1]s/token",`+
			`"response_types_supported":["code"],"grant_types_supported":["client_credentials"],`+
			`"token_endpoint_auth_methods_supported":["client_secret_basic"]}`, issuer))
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if id, secret, _ := r.BasicAuth(); id != "e2e" || secret != "secret" || r.FormValue("grant_type") != "client_credentials" {
			t.Errorf("a token is asked for as %s by %s", r.FormValue("grant_type"), id)
		}
		answer(w, fmt.Sprintf(`{"access_token":"%s","token_type":"Bearer"}`, token))
	})
	return issuer
}
