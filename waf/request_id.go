package waf

import (
	"crypto/rand"
	"net/http"
	"sync"
)

// requestIDHeader is the field that carries Event.RequestID: on the request that the handler gets, so that its logs can be
// joined with the Guard's events, and on every refusal, so that a client can tell which one it asks about.
const requestIDHeader = "X-Request-Id"

const (
	requestIDLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	requestIDLength  = 26
)

// randomBytes are random bytes for some ids: asking the system for them costs more than the rest of an id.
type randomBytes struct {
	bytes [16 * requestIDLength]byte
	left  int
}

var randomPool = sync.Pool{New: func() any { return new(randomBytes) }}

// newRequestID returns an id that nobody can guess or repeat: 26 letters and digits that hold 130 random bits.
func newRequestID() string {
	random := randomPool.Get().(*randomBytes)
	defer randomPool.Put(random)
	if random.left == 0 {
		_, _ = rand.Read(random.bytes[:]) // it never fails
		random.left = len(random.bytes)
	}
	random.left -= requestIDLength
	id := random.bytes[random.left:][:requestIDLength]
	for i, b := range id {
		id[i] = requestIDLetters[b%32]
	}
	return string(id)
}

// setRequestID puts id in the place of whatever the field held: an id that a client chose could be anybody's.
func setRequestID(h http.Header, id string) { h[requestIDHeader] = []string{id} }
