package waf

import (
	"net/http/httptest"
	"testing"
)

// A refusal that has found a stream whose handler then returns must not write to it: the server's writer is somebody else's by then.
func TestInjectIntoEndedStream(t *testing.T) {
	rec := httptest.NewRecorder()
	w := &response{ResponseWriter: rec, lock: make(chan struct{}, 1), stop: func() {}}
	if err := w.inject([]byte("data: open\n\n")); err != nil {
		t.Errorf("inject into an open stream: %v", err)
	}
	w.close()
	if err := w.inject([]byte("data: ended\n\n")); err != errStreamClosed {
		t.Errorf("inject into an ended stream: %v, want %v", err, errStreamClosed)
	}
	if got := rec.Body.String(); got != "data: open\n\n" {
		t.Errorf("the stream carries %q, want the first event alone", got)
	}
}
