// Package sse cuts a stream of server-sent events into events and changes the data of one. It buffers one event at a time
// and passes every other byte on as it came.
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
	s.partial = append(s.partial[:0], rest...)
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

var bom = []byte("\ufeff")

// Event is what a client sees in an event.
type Event struct {
	Type string // the last "event" field; "" means "message"
	Data []byte // the "data" fields, joined by LF
}

// Parse reads an event that a [Splitter] found. It allocates.
func Parse(event []byte) Event {
	var e Event
	first := true
	lines(event, func(name, value, _ []byte) {
		switch string(name) {
		case "event":
			e.Type = string(value)
		case "data":
			if !first {
				e.Data = append(e.Data, '\n')
			}
			e.Data, first = append(e.Data, value...), false
		}
	})
	return e
}

// AppendWithData appends event to dst with its "data" fields replaced by one that holds data, which must not contain CR or LF.
// All other fields and comments stay as they are.
func AppendWithData(dst, event, data []byte) []byte {
	done := false
	lines(event, func(name, _, line []byte) {
		switch {
		case string(name) != "data":
			dst = append(dst, line...)
		case !done:
			dst = append(append(append(dst, "data: "...), data...), '\n')
			done = true
		}
	})
	return dst
}

// lines calls line for each line of an event, with the field's name and value (nil for a comment or an empty line) and the
// line as it is, its end included.
func lines(event []byte, line func(name, value, line []byte)) {
	for len(event) > 0 {
		i := bytes.IndexAny(event, "\r\n")
		end := len(event)
		if i >= 0 {
			end = i + 1
			if event[i] == '\r' && end < len(event) && event[end] == '\n' {
				end++
			}
		} else {
			i = end
		}
		text := bytes.TrimPrefix(event[:i], bom) // a client drops one at the start of the stream; elsewhere no field begins so
		name, value, _ := bytes.Cut(text, []byte(":"))
		line(name, bytes.TrimPrefix(value, []byte(" ")), event[:end])
		event = event[end:]
	}
}
