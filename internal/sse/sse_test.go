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
		plain    string
		replaced string
	}{
		{"data: a\n\n", sse.Event{Data: []byte("a")}, "data: a\n\n", "data: NEW\n\n"},
		{"data:a\n\n", sse.Event{Data: []byte("a")}, "data:a\n\n", "data: NEW\n\n"},
		{"data:  a\n\n", sse.Event{Data: []byte(" a")}, "data:  a\n\n", "data: NEW\n\n"},
		{"event: message\nid: 7\ndata: {\ndata: }\nretry: 5\n\n", sse.Event{Type: "message", Data: []byte("{\n}")},
			"event: message\nid: 7\ndata: {\ndata: }\nretry: 5\n\n", "event: message\nid: 7\ndata: NEW\nretry: 5\n\n"},
		{"data\n\n", sse.Event{Data: nil}, "data\n\n", "data: NEW\n\n"},
		{": data: x\n\n", sse.Event{}, ": data: x\n\n", ": data: x\n\n"},
		{"data: a\r\ndata: b\r\n\r\n", sse.Event{Data: []byte("a\nb")}, "data: a\r\ndata: b\r\n\r\n", "data: NEW\n\r\n"},
		{"data: a", sse.Event{Data: []byte("a")}, "data: a", "data: NEW\n"},

		{"\ufeffdata: a\n\n", sse.Event{Data: []byte("a"), Odd: true}, "data: a\n\n", "data: NEW\n\n"},
		{"data: a\n\ufeff\ufeffdata: b\n\n", sse.Event{Data: []byte("a\nb"), Odd: true}, "data: a\ndata: b\n\n", "data: NEW\n\n"},
		{"data: a\n\ufeff\ndata: b\n\n", sse.Event{Data: []byte("a\nb"), Odd: true}, "data: a\ndata: b\n\n", "data: NEW\n\n"},
		{"data: a\r:b\ndata: c\n\n", sse.Event{Data: []byte("a\nc"), Odd: true}, "data: a\n:b\ndata: c\n\n", "data: NEW\n:b\n\n"},
		{"data: a\r\r", sse.Event{Data: []byte("a"), Odd: true}, "data: a\n\n", "data: NEW\n\n"},
		{"Data: x\r\n\r\n", sse.Event{Odd: true}, "\r\n", "\r\n"},
		{" data: x\n\n", sse.Event{Odd: true}, "\n", "\n"},
		{"data: a\n \ndata: b\n\n", sse.Event{Data: []byte("a\nb"), Odd: true}, "data: a\ndata: b\n\n", "data: NEW\n\n"},
	} {
		if diff := cmp.Diff(tc.want, sse.Parse([]byte(tc.event)), cmp.Comparer(bytes.Equal)); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", tc.event, diff)
		}
		if got := string(sse.AppendPlain(nil, []byte(tc.event))); got != tc.plain {
			t.Errorf("AppendPlain(%q) = %q, want %q", tc.event, got, tc.plain)
		}
		if got := string(sse.AppendWithData(nil, []byte(tc.event), []byte("NEW"))); got != tc.replaced {
			t.Errorf("AppendWithData(%q) = %q, want %q", tc.event, got, tc.replaced)
		}
	}
}

// lenient reads an event as readers do that know LF only, drop no byte order mark and take no spaces around a line for anything.
func lenient(event string) (kind, data string) {
	var lines []string
	for text := range strings.SplitSeq(event, "\n") {
		name, value, _ := strings.Cut(strings.TrimSpace(text), ":")
		value = strings.TrimPrefix(value, " ")
		switch strings.ToLower(name) {
		case "event":
			kind = value
		case "data":
			lines = append(lines, value)
		}
	}
	return kind, strings.Join(lines, "\n")
}

// What AppendPlain writes is one event, which readers of either kind read as Parse read the one before.
func FuzzPlain(f *testing.F) {
	f.Add("event: a\rdata: b\n\ufeffdata: c\n Data: d\n\n")
	f.Add("data: a\n\ufeff\n  \n\r\n")
	f.Fuzz(func(t *testing.T, stream string) {
		events, rest, err := split(stream, len(stream)+1, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range append(events, rest) {
			want := sse.Parse([]byte(event))
			plain := sse.AppendPlain(nil, []byte(event))
			got := sse.Parse(plain)
			if got.Odd || got.Type != want.Type || !bytes.Equal(got.Data, want.Data) || !want.Odd && string(plain) != event {
				t.Errorf("%q becomes %q: %+v, want %+v", event, plain, got, want)
			}
			if again, _, err := split(string(plain), len(plain)+1, 1<<20); len(again) > 1 || err != nil {
				t.Errorf("%q becomes %q, which is %d events: %v", event, plain, len(again), err)
			}
			trimmed := func(s string) string { return strings.Join(strings.Fields(s), "") } // of the spaces that lenient has dropped
			if kind, data := lenient(string(plain)); trimmed(kind) != trimmed(want.Type) || trimmed(data) != trimmed(string(want.Data)) {
				t.Errorf("%q becomes %q: other readers see %q %q, want %+v", event, plain, kind, data, want)
			}
		}
	})
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
