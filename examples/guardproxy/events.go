package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"github.com/sallyport/sallyport/waf"
)

// eventLog writes one JSON object per decision, in whole lines. A nil eventLog writes nothing.
type eventLog struct {
	write func(waf.Event)
	file  *os.File // nil for standard output
}

// openEvents returns nil if path is empty. A file is appended to.
func openEvents(path string, stdout io.Writer, log *lineLog) (*eventLog, error) {
	if path == "" {
		return nil, nil
	}
	if path == "-" {
		return newEventLog(stdout, log), nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("-events: %w", err)
	}
	events := newEventLog(file, log)
	events.file = file
	return events, nil
}

func newEventLog(w io.Writer, log *lineLog) *eventLog {
	// What fails to be written is reported by the complainer.
	handler := slog.NewJSONHandler(&complainer{w: w, log: log}, &slog.HandlerOptions{ReplaceAttr: plain})
	return &eventLog{write: waf.LogEvents(slog.New(handler))}
}

// plain leaves out what slog adds to every record but an event does not need.
func plain(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return slog.Attr{}
	}
	return a
}

func (l *eventLog) close() {
	if l != nil && l.file != nil {
		_ = l.file.Close()
	}
}

// complainer reports the first write that fails: events that vanish must not vanish silently.
type complainer struct {
	w    io.Writer
	log  *lineLog
	once sync.Once
}

// Write implements io.Writer.
func (c *complainer) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil {
		c.once.Do(func() { c.log.line("events are being lost: " + err.Error()) })
	}
	return n, err
}
