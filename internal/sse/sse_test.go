package sse_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/sse"
)

// split cuts stream, given in pieces of size bytes, and returns the events and what is left.
func split(stream string, size, limit int) (events []string, rest string, err error) {
	s := sse.NewSplitter(limit)
	for i := 0; i < len(stream) && err == nil; i += size {
		err = s.Split([]byte(stream[i:min(i+size, len(stream))]), func(event []byte) error {
			events = append(events, string(event))
			return nil
		})
	}
	return events, string(s.Rest()), err
}

func TestSplit(t *testing.T) {
	for _, tc := range []struct {
		name   string
		stream string
		events []string
		rest   string
	}{
		{"nothing", "", nil, ""},
		{"one", "data: a\n\n", []string{"data: a\n\n"}, ""},
		{"two and a start", "data: a\n\nid: 1\ndata: b\n\ndata: c\n", []string{"data: a\n\n", "id: 1\ndata: b\n\n"}, "data: c\n"},
		{"CR LF", "data: a\r\n\r\ndata: b\r\n\r\n", []string{"data: a\r\n\r\n", "data: b\r\n\r\n"}, ""},
		{"CR", "data: a\r\rdata: b\r\rx", []string{"data: a\r\r", "data: b\r\r"}, "x"},
		{"mixed", "data: a\r\n\ndata: b\n\r\n", []string{"data: a\r\n\n", "data: b\n\r\n"}, ""},
		{"comment", ": keep-alive\n\n", []string{": keep-alive\n\n"}, ""},
		{"empty lines between", "\n\n\ndata: a\n\n", []string{"\n\n", "\ndata: a\n\n"}, ""},
		{"CR at the end may go on", "data: a\n\r", nil, "data: a\n\r"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for size := 1; size <= len(tc.stream)+1; size++ {
				events, rest, err := split(tc.stream, size, 100)
				if diff := cmp.Diff(tc.events, events); diff != "" || rest != tc.rest || err != nil {
					t.Errorf("pieces of %d: rest %q, error %v, events (-want +got):\n%s", size, rest, err, diff)
				}
			}
		})
	}
}

func TestSplitLimit(t *testing.T) {
	event := "data: " + strings.Repeat("x", 10) + "\n\n" // 18 bytes
	for _, tc := range []struct {
		limit int
		want  error
	}{{18, nil}, {17, sse.ErrEventTooLarge}} {
		for size := 1; size <= len(event); size++ {
			if _, _, err := split(event+event, size, tc.limit); !errors.Is(err, tc.want) {
				t.Errorf("limit %d, pieces of %d: error %v, want %v", tc.limit, size, err, tc.want)
			}
		}
	}
	if _, _, err := split(strings.Repeat("x", 101), 7, 100); !errors.Is(err, sse.ErrEventTooLarge) {
		t.Errorf("an event without end: error %v, want %v", err, sse.ErrEventTooLarge)
	}
}

func TestParseAndReplace(t *testing.T) {
	for _, tc := range []struct {
		event    string
		want     sse.Event
		replaced string
	}{
		{"data: a\n\n", sse.Event{Data: []byte("a")}, "data: NEW\n\n"},
		{"data:a\n\n", sse.Event{Data: []byte("a")}, "data: NEW\n\n"},
		{"data:  a\n\n", sse.Event{Data: []byte(" a")}, "data: NEW\n\n"},
		{"event: message\nid: 7\ndata: {\ndata: }\nretry: 5\n\n", sse.Event{Type: "message", Data: []byte("{\n}")}, "event: message\nid: 7\ndata: NEW\nretry: 5\n\n"},
		{"\ufeffdata: a\n\n", sse.Event{Data: []byte("a")}, "data: NEW\n\n"},
		{"data\n\n", sse.Event{Data: nil}, "data: NEW\n\n"},
		{": data: x\n\n", sse.Event{}, ": data: x\n\n"},
		{"Data: x\r\n\r\n", sse.Event{}, "Data: x\r\n\r\n"},
		{"data: a\r\ndata: b\r\n\r\n", sse.Event{Data: []byte("a\nb")}, "data: NEW\n\r\n"},
		{" data: x\n\n", sse.Event{}, " data: x\n\n"},
	} {
		if diff := cmp.Diff(tc.want, sse.Parse([]byte(tc.event)), cmp.Comparer(bytes.Equal)); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", tc.event, diff)
		}
		if got := string(sse.AppendWithData(nil, []byte(tc.event), []byte("NEW"))); got != tc.replaced {
			t.Errorf("AppendWithData(%q) = %q, want %q", tc.event, got, tc.replaced)
		}
	}
}

// Whatever the pieces, the events and the rest are the stream, and the same.
func FuzzSplit(f *testing.F) {
	f.Add("data: a\n\ndata: b\r\n\r\n", 3)
	f.Add("\r\r\n\n\r", 1)
	f.Fuzz(func(t *testing.T, stream string, size int) {
		if size < 1 || size > 64 {
			t.Skip("no size of a piece")
		}
		whole, rest, err := split(stream, len(stream)+1, 1<<20)
		if got := strings.Join(whole, "") + rest; err != nil || got != stream {
			t.Fatalf("the parts make %q, %v, want %q", got, err, stream)
		}
		pieces, restOfPieces, err := split(stream, size, 1<<20)
		if diff := cmp.Diff(whole, pieces); diff != "" || rest != restOfPieces || err != nil {
			t.Errorf("pieces of %d: rest %q, want %q, %v; events (-whole +pieces):\n%s", size, restOfPieces, rest, err, diff)
		}
	})
}
