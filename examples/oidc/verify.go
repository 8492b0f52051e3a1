package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/time/rate"

	"github.com/sallyport/sallyport/waf"
)

const (
	fetchEvery   = 10 * time.Second // pause between two fetches of the issuer's keys
	fetchTimeout = 5 * time.Second

	maxSubjectBytes = 256 // of a name that a Guard takes
)

// verifier turns a bearer token into an identity. It is safe for concurrent use.
type verifier struct{ tokens *oidc.IDTokenVerifier }

// newVerifier asks the issuer where its keys are. Tokens must be signed by it, with an asymmetric algorithm, for the resource:
// a token that was issued for somebody else, above all a client's ID token, must not open this door.
//
// Source: RFC 8707, 2; MCP 2025-11-25, Authorization, Token Audience Binding and Validation.
func newVerifier(ctx context.Context, issuer, resource string) (*verifier, error) {
	ctx = oidc.ClientContext(ctx, &http.Client{
		Timeout:   fetchTimeout,
		Transport: &limitedTransport{rate.NewLimiter(rate.Every(fetchEvery), 3)}, // discovery, the keys, and one rotation at once
	})
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, err
	}
	return &verifier{provider.VerifierContext(ctx, &oidc.Config{
		ClientID:             resource, // what go-oidc calls the audience
		SupportedSigningAlgs: []string{oidc.ES256, oidc.RS256, oidc.PS256, oidc.EdDSA},
	})}, nil
}

// authenticate is a waf.Config.Authenticate. A token that can't be verified, for whatever reason, means that nobody is known;
// the reason is for nobody but the issuer to know.
func (v *verifier) authenticate(r *http.Request) (waf.Identity, error) {
	credentials := r.Header["Authorization"]
	if len(credentials) != 1 {
		return waf.Identity{}, nil
	}
	scheme, raw, ok := strings.Cut(credentials[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return waf.Identity{}, nil
	}
	token, err := v.tokens.Verify(r.Context(), raw)
	if err != nil || !isSubject(token.Subject) {
		return waf.Identity{}, nil
	}
	return waf.Identity{Name: token.Subject, Method: "oidc"}, nil
}

// isSubject reports whether a subject can be a name in policies and logs: visible ASCII, and not the one for everybody.
func isSubject(s string) bool {
	return s != "" && s != "*" && len(s) <= maxSubjectBytes && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f })
}

// limitedTransport keeps callers from making this program ask the issuer for keys as often as they send made-up tokens.
type limitedTransport struct{ limiter *rate.Limiter }

var errFetchedLately = errors.New("oidc: the keys were fetched a moment ago")

// RoundTrip implements http.RoundTripper.
func (t *limitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !t.limiter.Allow() {
		return nil, errFetchedLately
	}
	return http.DefaultTransport.RoundTrip(r)
}
