package waf

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// deadlineWriter is a writer of a server with read deadlines, or of one without.
type deadlineWriter struct {
	http.ResponseWriter
	set chan time.Time // each deadline that was set
	err error
}

func (w *deadlineWriter) SetReadDeadline(t time.Time) error {
	w.set <- t
	return w.err
}

func newWatched(due time.Time, err error) (*watchedBody, chan time.Time) {
	w := &deadlineWriter{set: make(chan time.Time, 4), err: err}
	return &watchedBody{w: w, due: due}, w.set
}

// Whatever the order in which bodies come, each is cut when it is due, and no other.
func TestBodyWatch(t *testing.T) {
	var watch bodyWatch
	begin := time.Now()
	var bodies []*watchedBody
	var set []chan time.Time
	for _, after := range []time.Duration{time.Hour, 20 * time.Millisecond, time.Hour, 40 * time.Millisecond, 0, time.Hour} {
		body, deadlines := newWatched(begin.Add(after), nil)
		watch.begin(body)
		bodies, set = append(bodies, body), append(set, deadlines)
	}
	for _, i := range []int{4, 1, 3} {
		if got := <-set[i]; !got.Before(begin) {
			t.Errorf("body %d: deadline %v, want one in the past", i, got)
		}
		if now := time.Now(); now.Before(bodies[i].due) {
			t.Errorf("body %d was cut %v too early", i, bodies[i].due.Sub(now))
		}
	}
	for _, i := range []int{3, 0, 5, 4, 1, 2} { // from the middle, from both ends, the last one
		cut := i == 1 || i == 3 || i == 4
		if err := watch.end(bodies[i]); errors.Is(err, os.ErrDeadlineExceeded) != cut {
			t.Errorf("body %d: %v, want that it was cut: %v", i, err, cut)
		}
		select {
		case got := <-set[i]:
			if !cut || !got.IsZero() {
				t.Errorf("body %d: then deadline %v, want none where it was cut and nothing else", i, got)
			}
		default:
			if cut {
				t.Errorf("body %d: the deadline in the past stays", i)
			}
		}
	}
	if watch.bodies != nil {
		t.Error("bodies are left after all have ended")
	}
}

// Of a server that has no read deadlines nothing is cut, and the others are watched all the same.
func TestBodyWatchWithoutDeadlines(t *testing.T) {
	var watch bodyWatch
	other, otherSet := newWatched(time.Now().Add(20*time.Millisecond), nil)
	body, set := newWatched(time.Now(), http.ErrNotSupported)
	watch.begin(other)
	watch.begin(body)
	<-set
	<-otherSet
	if err := watch.end(body); err != nil {
		t.Errorf("end: %v, want nil", err)
	}
	if err := watch.end(other); err == nil {
		t.Error("the other was not cut")
	}
}

type panickingWriter struct{ http.ResponseWriter }

func (panickingWriter) SetReadDeadline(time.Time) error { panic("set read deadline") }

// A writer that panics where the deadline is set does not end the process, nor the watch over the others.
func TestBodyWatchOfPanickingWriter(t *testing.T) {
	var watch bodyWatch
	other, otherSet := newWatched(time.Now(), nil)
	body := &watchedBody{w: panickingWriter{}, due: time.Now()}
	watch.bodies = other
	watch.begin(body) // before the other, which is due at the same moment
	<-otherSet
	if err := watch.end(body); err != nil {
		t.Errorf("end: %v, want nil", err)
	}
	if err := watch.end(other); err == nil {
		t.Error("the other was not cut")
	}
}

// A server that gives a request less time than the Guard gives its body keeps its word.
func TestServerReadTimeout(t *testing.T) {
	g, err := New(Config{DangerouslyNoRules: true, Endpoints: []Endpoint{{Path: "/mcp", Anonymous: true}}})
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(g.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a body that does not end reached the handler")
	})))
	server.Config.ReadTimeout = 100 * time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	body, writer := io.Pipe()
	defer writer.Close()
	go func() { _, _ = io.WriteString(writer, `{"jsonrpc":`) }()
	resp, err := http.Post(server.URL+"/mcp", "application/json", body)
	require.NoError(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("status %d, want 408", resp.StatusCode)
	}
}
