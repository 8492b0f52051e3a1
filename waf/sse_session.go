package waf

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/answer"
	"github.com/sallyport/sallyport/internal/sse"
	"github.com/sallyport/sallyport/mcpmsg"
)

// injectTimeout bounds the time in which a refusal must get onto the stream of its session.
const injectTimeout = 5 * time.Second

var errStreamClosed = errors.New("waf: the stream of the session has ended")

// openStreams finds the stream of an HTTP+SSE session. A client of that transport takes every answer to a POST that is not 2xx
// for the end of the session; the refusal of one message is therefore sent where the client expects the answer to it.
//
// Source: MCP 2024-11-05, HTTP with SSE.
type openStreams struct {
	mu        sync.Mutex
	bySession map[streamKey]*response
}

// streamKey is a session of a caller: nobody else's refusals get onto its stream.
type streamKey struct{ caller, session string }

func (s *openStreams) add(key streamKey, w *response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bySession == nil {
		s.bySession = make(map[streamKey]*response)
	}
	s.bySession[key] = w
}

func (s *openStreams) remove(key streamKey, w *response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bySession[key] == w {
		delete(s.bySession, key)
	}
}

func (s *openStreams) find(key streamKey) *response {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bySession[key]
}

// opened notes the session that an "endpoint" event tells, and binds its id where ids are bound.
func (w *response) opened(e sse.Event) (data []byte, changed bool) {
	if _, query, ok := strings.Cut(string(e.Data), "?"); ok && e.Type == "endpoint" && w.session.session == "" {
		if id := sessionOf(query); id != "" {
			w.session = streamKey{w.j.caller(), id}
			w.j.load.sessions.add(w.session, w)
		}
	}
	if w.j.s.sessions == nil {
		return nil, false
	}
	return w.j.bindEvent(e)
}

// sessionOf returns the session id in a query, or "".
func sessionOf(query string) (id string) {
	_, _ = mapSessionParameter(query, func(value string) (string, bool) {
		id = value
		return value, true
	})
	return id
}

// inject writes an event between two of the handler's, and sends it off.
func (w *response) inject(event []byte) error {
	select {
	case w.lock <- struct{}{}:
		defer func() { <-w.lock }()
	case <-time.After(injectTimeout):
		return errStreamClosed
	}
	if w.closed {
		return errStreamClosed
	}
	c := http.NewResponseController(w.ResponseWriter)
	if c.SetWriteDeadline(time.Now().Add(injectTimeout)) == nil {
		defer func() { _ = c.SetWriteDeadline(time.Time{}) }()
	}
	if _, err := w.ResponseWriter.Write(event); err != nil {
		return err
	}
	return c.Flush()
}

// denyOnStream answers the refusal of one message of an HTTP+SSE session as its transport wants it: 202, and the error as an
// event on the stream of the session. To a notification or an answer there is nothing to say there: the client would take an
// error with the id of the server's request for one with its own. It reports whether it could.
func (j *judgement) denyOnStream(w http.ResponseWriter, f answer.Refusal) bool {
	m := j.message
	if j.denial.Layer < LayerPolicy || m == nil || m.Kind == mcpmsg.Batch || j.endpoint == nil || j.endpoint.Transport == TransportStreamableHTTP || j.r.URL == nil {
		return false
	}
	id := sessionOf(j.r.URL.RawQuery)
	if id == "" {
		return false
	}
	stream := j.load.sessions.find(streamKey{j.caller(), id})
	if stream == nil {
		return false
	}
	if m.Kind == mcpmsg.Request {
		event := append(answer.AppendError([]byte("event: message\ndata: "), f), "\n\n"...)
		if stream.inject(event) != nil {
			return false
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusAccepted)
	return true
}
