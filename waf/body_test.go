package waf

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func testLimits() *Limits {
	l, errs := compileLimits(Limits{}, 1<<20)
	if len(errs) > 0 {
		panic(errs)
	}
	return &l
}

func TestReadBody(t *testing.T) {
	text := strings.Repeat("0123456789", 3000)
	for _, tc := range []struct {
		name   string
		body   io.Reader
		limit  int
		want   int
		err    error
		status int
	}{
		{"empty", strings.NewReader(""), 10, 0, nil, 0},
		{"at the limit", strings.NewReader(text[:10]), 10, 10, nil, 0},
		{"one byte over", strings.NewReader(text[:11]), 10, 11, errBodyTooLarge, 413},
		{"far over", strings.NewReader(text), 10, 11, errBodyTooLarge, 413},
		{"byte by byte", iotest.OneByteReader(strings.NewReader(text)), len(text), len(text), nil, 0},
		{"at a limit above the first buffer", strings.NewReader(text), len(text), len(text), nil, 0},
		{"at a limit that is the size of a buffer", strings.NewReader(text[:4096]), 4096, 4096, nil, 0},
		{"one byte over there", strings.NewReader(text), len(text) - 1, len(text), errBodyTooLarge, 413},
		{"data with the end", iotest.DataErrReader(strings.NewReader(text)), len(text), len(text), nil, 0},
		{"cut", io.MultiReader(strings.NewReader(text[:10]), iotest.ErrReader(io.ErrUnexpectedEOF)), 100, 10, io.ErrUnexpectedEOF, 400},
		{"timeout", iotest.ErrReader(os.ErrDeadlineExceeded), 100, 0, os.ErrDeadlineExceeded, 408},
		{"an outer limit", iotest.ErrReader(&http.MaxBytesError{Limit: 1}), 100, 0, new(http.MaxBytesError), 413},
		{"client gone", iotest.ErrReader(context.Canceled), 100, 0, context.Canceled, 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, err := readBody(tc.body, -1, tc.limit, new(load), testLimits())
			defer b.release()
			if len(b.bytes) != tc.want || !bytes.Equal(b.bytes[:min(10, tc.want)], []byte(text[:min(10, tc.want)])) {
				t.Errorf("readBody kept %d bytes, want %d of the same text", len(b.bytes), tc.want)
			}
			var tooLarge *http.MaxBytesError
			if !errors.Is(err, tc.err) && !(errors.As(err, &tooLarge) && errors.As(tc.err, &tooLarge)) {
				t.Errorf("readBody: error %v, want %v", err, tc.err)
			}
			if err == nil {
				return
			}
			if code, status := bodyRefusal(err); status != tc.status || code == "" {
				t.Errorf("bodyRefusal(%v) = %q, %d, want status %d", err, code, status, tc.status)
			}
		})
	}
}

// Whatever the client declares and in whatever pieces it sends, the body is the same, the room taken is that of the buffer, and
// nothing of it is left afterwards.
// A body that panics, which a handler before the Guard may have put there, takes no room for good.
func TestReadBodyPanics(t *testing.T) {
	account := new(load)
	func() {
		defer func() { _ = recover() }()
		_, _ = readBody(io.MultiReader(strings.NewReader(strings.Repeat("x", 2000)), panicReader{}), -1, 10000, account, testLimits())
	}()
	if bodies, size := account.bodies.Load(), account.bodiesSize.Load(); bodies != 0 || size != 0 {
		t.Errorf("%d bodies of %d bytes are counted, want none", bodies, size)
	}
}

type panicReader struct{}

func (panicReader) Read([]byte) (int, error) { panic(http.ErrAbortHandler) }

func TestReadBodyDeclared(t *testing.T) {
	text := strings.Repeat("0123456789", 200<<10)
	for _, size := range []int{0, 1, 511, 512, 513, 4095, 4096, 5000, 65 << 10, 1 << 20, 1<<20 + 1, len(text)} {
		for _, declared := range []int64{-1, 0, int64(size), int64(size) + 1, 1 << 40} {
			var account load
			limits := testLimits()
			limits.MaxBodiesSize = int64(max(size, 1)) // which is enough for one
			b, err := readBody(iotest.HalfReader(strings.NewReader(text[:size])), declared, max(size, 1), &account, limits)
			if err != nil || string(b.bytes) != text[:size] {
				t.Fatalf("%d bytes, %d declared: %d bytes, %v", size, declared, len(b.bytes), err)
			}
			if got := account.bodiesSize.Load(); got != int64(min(cap(b.bytes), max(size, 1))) || account.bodies.Load() != 1 {
				t.Errorf("%d bytes, %d declared: %d bytes of %d bodies counted for a buffer of %d", size, declared, got, account.bodies.Load(), cap(b.bytes))
			}
			b.release()
			if account.bodies.Load() != 0 || account.bodiesSize.Load() != 0 {
				t.Errorf("%d bytes, %d declared: %d bytes are still counted", size, declared, account.bodiesSize.Load())
			}
		}
	}
}

// A client that declares much and sends little holds little.
func TestReadBodyTrustsLittle(t *testing.T) {
	for _, sent := range []int{0, 1, 5000, 100_000} {
		body := io.MultiReader(strings.NewReader(strings.Repeat("x", sent)), iotest.ErrReader(io.ErrUnexpectedEOF))
		b, _ := readBody(body, 1<<20-1, 1<<20, new(load), testLimits())
		if most := max(firstBuffer, 2*trustedGrowth*sent); cap(b.bytes) > most {
			t.Errorf("%d bytes of a declared MiB take a buffer of %d, want at most %d", sent, cap(b.bytes), most)
		}
		b.release()
	}
}

// A small body never gets the buffer that a large one left behind: it would hold it for as long as its stream lasts.
func TestSmallBodyTakesSmallBuffer(t *testing.T) {
	for range 100 {
		large, err := readBody(strings.NewReader(strings.Repeat("x", 100_000)), 100_000, 1<<20, new(load), testLimits())
		if err != nil {
			t.Fatal(err)
		}
		large.release()
		small, err := readBody(strings.NewReader("{}"), 2, 1<<20, new(load), testLimits())
		if err != nil || cap(small.bytes) != smallestBuffer {
			t.Fatalf("a body of 2 bytes has a buffer of %d, %v", cap(small.bytes), err)
		}
		small.release()
	}
}

// A transport that still reads after the handler returned must not see the next request's body.
func TestReplayAfterRelease(t *testing.T) {
	b, err := readBody(strings.NewReader("the first request's secret"), 26, 100, new(load), testLimits())
	if err != nil {
		t.Fatal(err)
	}
	p := &replay{buf: b, source: io.NopCloser(nil)}
	second, err := p.again()
	if err != nil {
		t.Fatal(err)
	}
	var start [4]byte
	if _, err := p.Read(start[:]); err != nil || string(start[:]) != "the " {
		t.Fatalf("Read = %q, %v", start, err)
	}
	if got, err := io.ReadAll(second); err != nil || string(got) != "the first request's secret" {
		t.Fatalf("the second reader read %q, %v", got, err)
	}
	p.release()
	p.release() // harmless
	next, err := readBody(strings.NewReader("what the next client sends here"), 31, 100, new(load), testLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer next.release()
	for name, r := range map[string]io.Reader{"first": p, "second": second} {
		if got, err := io.ReadAll(r); len(got) > 0 || !errors.Is(err, errBodyReleased) {
			t.Errorf("the %s reader read %q, %v after release, want nothing and an error", name, got, err)
		}
	}
	if _, err := p.again(); !errors.Is(err, errBodyReleased) {
		t.Errorf("again after release: %v, want an error", err)
	}
}

func TestReplayConcurrentRelease(t *testing.T) {
	for range 100 {
		b, err := readBody(strings.NewReader(strings.Repeat("x", 1000)), 1000, 1000, new(load), testLimits())
		if err != nil {
			t.Fatal(err)
		}
		p := &replay{buf: b, source: io.NopCloser(nil)}
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = io.Copy(io.Discard, p) })
		p.release()
		wg.Wait()
	}
}
