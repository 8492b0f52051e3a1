package waf

import (
	"cmp"
	"errors"
	"io"
	"math/bits"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	smallestBuffer = 512     // bytes; room for most calls
	firstBuffer    = 4 << 10 // as much as is taken for a declared length alone
	bufferSizes    = 12      // each twice the one before; the largest is 1 MiB, and larger ones are left to the garbage collector
	trustedGrowth  = 16      // a declared length is believed up to so many times of what has arrived
)

var (
	errBodyTooLarge = errors.New("waf: the body is over the limit")
	errBodyReleased = errors.New("waf: the body was read after its request ended")
	errBodiesFull   = errors.New("waf: there is no room for one more body")
	errBodyPanicked = errors.New("waf: reading the body panicked")
)

// bufferPools hold the buffers of each size apart, so that a small body does not keep a large one for as long as its stream lasts.
var bufferPools [bufferSizes]sync.Pool

// buffer holds one body. It is a struct so that it can go into a pool without an allocation.
type buffer struct {
	bytes   []byte
	account *load // where the room is counted; nil if it is not
	counted int   // bytes: the capacity, as far as a body may fill it
}

// newBuffer returns an empty buffer for at least size bytes.
func newBuffer(size int) *buffer {
	pool := bufferClass(size)
	if pool >= bufferSizes {
		return &buffer{bytes: make([]byte, 0, size)}
	}
	if b, ok := bufferPools[pool].Get().(*buffer); ok {
		return b
	}
	return &buffer{bytes: make([]byte, 0, smallestBuffer<<pool)}
}

// bufferClass returns which of the sizes is the smallest for size bytes; it is bufferSizes or more if none is.
func bufferClass(size int) int { return bits.Len(uint(max(size-1, 0) / smallestBuffer)) }

// uncount gives back the room; the buffer lives on uncounted.
func (b *buffer) uncount() {
	if b.account != nil {
		b.account.dropBody(b.counted)
		b.account = nil
	}
}

// release gives back the room and the buffer.
func (b *buffer) release() {
	b.uncount()
	b.recycle()
}

// recycle gives the memory to the next body.
func (b *buffer) recycle() {
	if pool := bufferClass(cap(b.bytes)); pool < bufferSizes && cap(b.bytes) == smallestBuffer<<pool {
		b.bytes = b.bytes[:0]
		bufferPools[pool].Put(b)
	}
}

// readBody reads the whole body, at most limit bytes, as far as the account has room. declared is the length that the client gave,
// or -1; the buffer grows with what arrives. After an error the buffer holds what was read so far; it is nil if there was no room
// at all. A body that panics leaves nothing behind.
func readBody(body io.Reader, declared int64, limit int, account *load, limits *Limits) (b *buffer, err error) {
	if !account.addBody(limits) {
		return nil, errBodiesFull
	}
	first := int(min(declared+1, firstBuffer)) // one more, to see the end
	b = newBuffer(min(first, limit+1))
	b.counted = min(cap(b.bytes), limit)
	if !account.addBytes(limits, b.counted) {
		account.dropBody(0)
		b.recycle()
		return nil, errBodiesFull
	}
	b.account, err = account, errBodyPanicked
	defer func() {
		if err == errBodyPanicked {
			b.release()
		}
	}()
	for {
		if len(b.bytes) == cap(b.bytes) {
			grown, ok := b.grow(declared, limit, limits)
			if !ok {
				return b, errBodiesFull
			}
			b = grown
		}
		room := b.bytes[len(b.bytes):min(cap(b.bytes), limit+1)]
		n, err := body.Read(room)
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case len(b.bytes) > limit:
			return b, errBodyTooLarge
		case err == io.EOF:
			return b, nil
		case err != nil:
			return b, err
		}
	}
}

// grow returns a larger buffer with the same bytes, or says that there is no room for it.
func (b *buffer) grow(declared int64, limit int, limits *Limits) (*buffer, bool) {
	have := cap(b.bytes)
	size := max(2*have, int(min(declared+1, int64(trustedGrowth*have))))
	grown := newBuffer(min(size, max(limit+1, have+1)))
	grown.counted = min(cap(grown.bytes), limit)
	if !b.account.addBytes(limits, grown.counted-b.counted) {
		grown.recycle()
		return nil, false
	}
	grown.bytes = append(grown.bytes, b.bytes...)
	grown.account, b.account = b.account, nil
	b.recycle()
	return grown, true
}

// bodyRefusal returns the code and status for an error of readBody.
func bodyRefusal(err error) (code string, status int) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errBodyTooLarge), errors.As(err, &tooLarge):
		return "body_too_large", http.StatusRequestEntityTooLarge
	case errors.Is(err, errBodiesFull):
		return "bodies_too_many", http.StatusServiceUnavailable
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "body_timeout", http.StatusRequestTimeout
	default:
		return "body_unreadable", http.StatusBadRequest
	}
}

// checkBody is step 5: it reads the whole body, once, into memory.
func (j *judgement) checkBody() *Denial {
	r := j.r
	if r.Body == nil || r.Body == http.NoBody || j.isUnread() {
		return nil
	}
	refuse := func(code string, status int) *Denial {
		return &Denial{Layer: LayerBody, Code: code, Status: status, Close: true}
	}
	if j.endpoint != nil && !isIdentityCoding(r.Header["Content-Encoding"]) {
		return refuse("body_encoded", http.StatusBadRequest)
	}
	if r.ContentLength > int64(j.s.maxBody) {
		return refuse("body_too_large", http.StatusRequestEntityTooLarge)
	}
	buf, err := j.readBody()
	if buf != nil {
		j.body = &j.replaying
		j.body.buf, j.body.source = buf, r.Body
	}
	if err != nil {
		d := refuse(bodyRefusal(err))
		if errors.Is(err, errBodiesFull) {
			d.header = retryAfter(time.Second)
		}
		if j.body != nil {
			j.body.rest = r.Body
			if !errors.Is(err, errBodyTooLarge) && !errors.Is(err, errBodiesFull) {
				j.body.rest = failingReader{err}
			}
		}
		return d
	}
	if j.endpoint != nil && len(r.Trailer) > 0 {
		return refuse("body_trailer", http.StatusBadRequest)
	}
	if j.endpoint != nil && r.Method != http.MethodPost && len(buf.bytes) > 0 {
		return refuse("body_unexpected", http.StatusBadRequest)
	}
	r.ContentLength, r.TransferEncoding = int64(len(buf.bytes)), nil
	if len(r.Header["Expect"]) > 0 {
		delete(r.Header, "Expect") // it is fulfilled
	}
	return nil
}

// readBody reads the body within the time that it may take. A server that has no read deadlines sets its own bounds.
func (j *judgement) readBody() (buf *buffer, err error) {
	begin := time.Now()
	if j.event != nil {
		defer setSince(&j.event.ReadBody, begin)
	}
	if j.w != nil {
		j.reading = watchedBody{w: j.w, due: begin.Add(j.s.limits.BodyTimeout)}
		j.load.watch.begin(&j.reading)
		defer func() { err = cmp.Or(j.load.watch.end(&j.reading), err) }()
	}
	return readBody(j.r.Body, j.r.ContentLength, j.s.maxBody, j.load, &j.s.limits)
}

// failingReader ends a body as it ended before.
type failingReader struct{ err error }

// Read implements io.Reader.
func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

// isIdentityCoding reports whether a Content-Encoding leaves the bytes as they are.
func isIdentityCoding(values []string) bool {
	for _, v := range values {
		if v != "" && !strings.EqualFold(v, "identity") {
			return false
		}
	}
	return true
}

// bytes returns the body if all of it was read.
func (j *judgement) bytes() (body []byte, whole bool) {
	if j.body == nil {
		return nil, j.r.Body == nil || j.r.Body == http.NoBody
	}
	return j.body.buf.bytes, j.body.rest == nil
}

// replay is the request body that the handler gets: the bytes that were judged, then, where only detection let a body
// through that was not read to its end, the rest.
//
// A transport may go on reading after the handler returned; release then makes its reads fail instead of showing it a
// buffer that serves another request.
type replay struct {
	mu     sync.Mutex
	buf    *buffer // nil once released
	off    int
	rest   io.Reader // nil if the buffer is the whole body
	source io.Closer // the body as it came
}

// Read implements io.Reader.
func (p *replay) Read(dst []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.buf == nil {
		return 0, errBodyReleased
	}
	if p.off < len(p.buf.bytes) {
		n := copy(dst, p.buf.bytes[p.off:])
		if p.off += n; p.off == len(p.buf.bytes) && p.rest == nil {
			return n, io.EOF
		}
		return n, nil
	}
	if p.rest != nil {
		return p.rest.Read(dst)
	}
	return 0, io.EOF
}

// Close implements io.Closer.
func (p *replay) Close() error { return p.source.Close() }

// again returns a second reader from the start, which a transport needs to repeat a request on a fresh connection.
func (p *replay) again() (io.ReadCloser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.buf == nil:
		return nil, errBodyReleased
	case p.rest != nil:
		return nil, errors.New("waf: the body was not read whole and cannot be sent twice")
	}
	return &replayAgain{of: p}, nil
}

// replayAgain reads a replay's buffer from the start, under the same lock and with the same end of life.
type replayAgain struct {
	of  *replay
	off int
}

// Read implements io.Reader.
func (a *replayAgain) Read(dst []byte) (int, error) {
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	if a.of.buf == nil {
		return 0, errBodyReleased
	}
	if a.off == len(a.of.buf.bytes) {
		return 0, io.EOF
	}
	n := copy(dst, a.of.buf.bytes[a.off:])
	a.off += n
	return n, nil
}

// Close implements io.Closer.
func (a *replayAgain) Close() error { return nil }

// release gives the buffer back. The message that aliases it must not be used any more.
func (p *replay) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.buf != nil {
		p.buf.release()
		p.buf = nil
	}
}
