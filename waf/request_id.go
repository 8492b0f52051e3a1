package waf

import (
	"crypto/rand"
	"net/http"
)

// requestIDHeader is the field that carries Event.RequestID: on the request that the handler gets, so that its logs can be
// joined with the Guard's events, and on every refusal, so that a client can tell which one it asks about.
const requestIDHeader = "X-Request-Id"

// newRequestID returns an id that nobody can guess or repeat: 26 letters and digits that hold 130 random bits.
func newRequestID() string { return rand.Text() }

// setRequestID puts id in the place of whatever the field held: an id that a client chose could be anybody's.
func setRequestID(h http.Header, id string) { h[requestIDHeader] = []string{id} }
