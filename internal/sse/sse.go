// Package sse cuts a stream of server-sent events into events, and changes the data of one or the lines that readers take for
// different ones. It buffers one event at a time and passes every other byte on as it came.
//
// Source: WHATWG HTML, 9.2 (Server-sent events).
package sse

import (
	"bytes"
	"errors"
)

// ErrEventTooLarge is the error for an event over the limit of a [Splitter].
var ErrEventTooLarge = errors.New("sse: an event is over the limit")

// Splitter finds the ends of events in a stream that arrives in pieces. A Splitter serves one stream.
type Splitter struct {
	max     int
	partial []byte // the event that has no end yet
	scanned int    // bytes of partial known to hold no end
}

// NewSplitter returns a Splitter that refuses events over maxBytes.
func NewSplitter(maxBytes int) *Splitter { return &Splitter{max: maxBytes} }

// Split takes the next piece of the stream and calls emit with each event that ends in it, line ends and final empty line
// included. An event is valid only during the call. It stops at the first error, which is final.
func (s *Splitter) Split(piece []byte, emit func(event []byte) error) error {
	s.partial = append(s.partial, piece...)
	rest := s.partial
	for {
		end := eventEnd(rest, s.scanned)
		if end < 0 {
			break
		}
		if end > s.max {
			return ErrEventTooLarge
		}
		if err := emit(rest[:end]); err != nil {
			return err
		}
		rest, s.scanned = rest[end:], 0
	}
	if len(rest) > s.max {
		return ErrEventTooLarge
	}
	s.scanned = max(0, len(rest)-3) // an end is at most four bytes: CR LF CR LF
	if len(rest) < len(s.partial) { // or an event of many pieces would be moved with each of them
		s.partial = append(s.partial[:0], rest...)
	}
	return nil
}

// Rest returns what follows the last whole event. A client drops it if the stream ends here.
func (s *Splitter) Rest() []byte { return s.partial }

// eventEnd returns the index behind the first empty line at or after from, or -1. A line ends with LF, CR LF or CR. A CR at
// the very end does not count yet: an LF may follow.
func eventEnd(b []byte, from int) int {
	for i := from; i < len(b); {
		next, ok := lineEnd(b, i)
		if !ok {
			return -1
		}
		if next == i {
			i++
			continue
		}
		if after, ok := lineEnd(b, next); ok && after > next {
			return after
		}
		i = next
	}
	return -1
}

// lineEnd returns the index behind the line end that starts at i, and i itself if none starts there. It is not ok if the
// bytes so far do not tell.
func lineEnd(b []byte, i int) (next int, ok bool) {
	switch {
	case i >= len(b):
		return i, false
	case b[i] == '\n':
		return i + 1, true
	case b[i] != '\r':
		return i, true
	case i+1 == len(b):
		return i, false
	case b[i+1] == '\n':
		return i + 2, true
	default:
		return i + 1, true
	}
}

const bom = "\ufeff"

// Event is what a client sees in an event.
type Event struct {
	Type string // the last "event" field; "" means "message"
	Data []byte // the "data" fields, joined by LF
	Odd  bool   // not every reader sees that: some of the lines are odd
}

// Parse reads an event that a [Splitter] found. It allocates.
//
// A line is odd if it ends with a CR alone, which readers that know only LF take for a part of it, begins with a byte order mark, which
// some drop at the start of a stream only, or has another name than the four that there are, such as " data".
func Parse(event []byte) Event {
	var e Event
	first := true
	lines(event, func(l line) {
		e.Odd = e.Odd || l.odd()
		switch string(l.name) {
		case "event":
			e.Type = string(l.value)
		case "data":
			if !first {
				e.Data = append(e.Data, '\n')
			}
			e.Data, first = append(e.Data, l.value...), false
		}
	})
	return e
}

// AppendPlain appends event to dst in the form in which every reader sees what [Parse] does: without byte order marks before lines and
// without lines that are no field, and with LF for a CR alone.
func AppendPlain(dst, event []byte) []byte {
	lines(event, func(l line) { dst = l.append(dst) })
	return dst
}

// AppendWithData does what [AppendPlain] does, and replaces the "data" fields by one that holds data, which must not contain CR or LF.
func AppendWithData(dst, event, data []byte) []byte {
	done := false
	lines(event, func(l line) {
		switch {
		case string(l.name) != "data":
			dst = l.append(dst)
		case !done:
			dst = append(append(append(dst, "data: "...), data...), '\n')
			done = true
		}
	})
	return dst
}

// line is a line of an event.
type line struct {
	text, end   []byte // without byte order marks, and its CR LF, LF or CR; end is empty if the stream ended there
	name, value []byte // of the field; both are nil for a comment and for an empty line
	marked      bool   // it began with a byte order mark
}

func (l line) odd() bool { return l.marked || l.isNothing() || string(l.end) == "\r" }

// isNothing reports whether readers that keep to the standard ignore a line that others may take for a field, or for the end of the event.
func (l line) isNothing() bool {
	switch string(l.name) {
	case "event", "data", "id", "retry":
		return false
	case "":
		return l.marked && len(l.text) == 0
	}
	return true
}

func (l line) append(dst []byte) []byte {
	switch {
	case l.isNothing():
		return dst
	case string(l.end) == "\r":
		return append(append(dst, l.text...), '\n')
	default:
		return append(append(dst, l.text...), l.end...)
	}
}

// lines calls see for each line of an event.
func lines(event []byte, see func(line)) {
	for len(event) > 0 {
		n := bytes.IndexAny(event, "\r\n")
		end := len(event)
		if n >= 0 {
			end = n + 1
			if event[n] == '\r' && end < len(event) && event[end] == '\n' {
				end++
			}
		} else {
			n = end
		}
		l := line{text: bytes.TrimLeft(event[:n], bom), end: event[n:end]}
		l.marked = len(l.text) < n
		l.name, l.value, _ = bytes.Cut(l.text, []byte(":"))
		l.value = bytes.TrimPrefix(l.value, []byte(" "))
		see(l)
		event = event[end:]
	}
}
