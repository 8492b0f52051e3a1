package e2e

import (
	"context"
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// token is the bearer token that the tests' Guards know.
const token = "e2e-token"

// session is a client that has connected.
type session interface {
	revision() string
	lists(ctx context.Context) (string, error) // the names of tools; prompts; resources; templates
	prompt(ctx context.Context, name string) (string, error)
	read(ctx context.Context, uri string) (string, error)
	call(ctx context.Context, tool string, args map[string]any, progress func(n int)) (string, error)
	end() error // the way in which the client leaves a server
}

// server is what a client connects to.
type server struct {
	url      string
	legacy   bool   // by the HTTP+SSE transport
	revision string // "" lets the client choose
	issuer   string // where to get a token; "" if the client has one
	changed  func() // is called when the server says that its tools have changed
}

// connector makes clients. It answers what the server asks of them: the user says yes, the model has a thought.
type connector func(ctx context.Context, t *testing.T, to server) (session, error)

// bearer adds the token to every request.
type bearer struct{ next http.RoundTripper }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return b.next.RoundTrip(r)
}

// httpClient is a client of its own for one test, so that no idle connection outlives it. It takes the certificates that tests make.
func httpClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: bearer{transport}}
}

// leave ends a session.
func leave(t *testing.T, s session) (err error) {
	within(t, "the session to end", func() { err = s.end() })
	return err
}

// joined puts the names that lists consist of in one line.
func joined(lists ...[]string) string {
	var line []string
	for _, names := range lists {
		slices.Sort(names)
		line = append(line, strings.Join(names, " "))
	}
	return strings.Join(line, "; ")
}

// callback is who wants to know of the progress of the running call. What comes late is nobody's business.
type callback struct{ f atomic.Pointer[func(int)] }

func (c *callback) set(f func(int)) {
	if f == nil {
		c.f.Store(nil)
		return
	}
	c.f.Store(&f)
}

func (c *callback) report(n int) {
	if f := c.f.Load(); f != nil {
		(*f)(n)
	}
}

// namesOf returns the names of what a server lists.
func namesOf[T any](list []T, name func(T) string) (names []string) {
	for _, x := range list {
		names = append(names, name(x))
	}
	return names
}
