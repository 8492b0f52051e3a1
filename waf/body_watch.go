package waf

import (
	"net/http"
	"os"
	"sync"
	"time"
)

// bodyWatch ends the reading of bodies that take too long. One timer serves all of them: it goes off when the first is due, and mostly
// finds none of those left. A read deadline for each body would have to be set and taken back, at a cost for every request. The read
// timeout of a server stays in force beside it.
type bodyWatch struct {
	mu     sync.Mutex
	bodies *watchedBody // being read, in any order
	timer  *time.Timer  // nil before the first body
	at     time.Time    // when the timer goes off; zero if it will not
}

// watchedBody is a body that is being read.
type watchedBody struct {
	w          http.ResponseWriter
	due        time.Time
	cut        bool // it took too long
	next, prev *watchedBody
}

// begin watches a body until end.
func (b *bodyWatch) begin(body *watchedBody) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if body.next = b.bodies; body.next != nil {
		body.next.prev = body
	}
	b.bodies = body
	b.wakeAt(body.due)
}

// wakeAt makes the timer go off at a time, or before it.
func (b *bodyWatch) wakeAt(due time.Time) {
	switch {
	case b.timer == nil:
		b.timer = time.AfterFunc(time.Until(due), b.cutOverdue)
	case b.at.IsZero() || due.Before(b.at):
		b.timer.Reset(time.Until(due))
	default:
		return
	}
	b.at = due
}

// cutOverdue ends the reading of all bodies that are due. A server without read deadlines does not let it.
func (b *bodyWatch) cutOverdue() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = time.Time{}
	now := time.Now()
	for body := b.bodies; body != nil; body = body.next {
		switch {
		case body.cut:
		case body.due.After(now):
			b.wakeAt(body.due)
		default:
			body.cut = body.endReading()
		}
	}
}

// endReading makes the reader of the body return at once, and reports whether it could. A writer that panics, as one around the Guard
// may, takes only its own request with it: on the goroutine of a timer nobody else would recover.
func (b *watchedBody) endReading() (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return http.NewResponseController(b.w).SetReadDeadline(time.Unix(1, 0)) == nil
}

// end ends the watch over a body. It returns an error if the body took too long.
func (b *bodyWatch) end(body *watchedBody) error {
	b.mu.Lock()
	if body.prev != nil {
		body.prev.next = body.next
	} else {
		b.bodies = body.next
	}
	if body.next != nil {
		body.next.prev = body.prev
	}
	b.mu.Unlock()
	if !body.cut {
		return nil
	}
	_ = http.NewResponseController(body.w).SetReadDeadline(time.Time{}) // what follows may be a stream
	return os.ErrDeadlineExceeded
}
