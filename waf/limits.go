package waf

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/mcpmsg"
)

// Limits bound what all requests together may hold. Every limit is finite; a zero field means its default.
type Limits struct {
	MaxBodies     int           // request bodies in memory at once, until their requests end; 0 = 8192; 1 to 1,000,000
	MaxBodiesSize int64         // their sum in bytes; 0 = 256 MiB; at least Config.MaxBodyBytes, at most 1 TiB
	BodyTimeout   time.Duration // for reading one body; 0 = 30 s; 1 ms to 1 h; needs a server that supports read deadlines, whose own ReadTimeout counts, too
	MaxStreams    int           // GET streams and subscriptions/listen that one caller may keep open; 0 = 256; 1 to 1,000,000
}

// Limiter bounds the rate of requests. Allow is asked once per message, after the policy allowed it; key names what is
// counted, the caller and the tool. If it is not allowed, the request is refused with 429 and Retry-After. An error is our own
// failure and answered 500. It may be called concurrently.
type Limiter interface {
	Allow(ctx context.Context, key LimiterKey) (ok bool, retryAfter time.Duration, err error)
}

// LimiterKey is what a [Limiter] counts. It is comparable.
type LimiterKey struct {
	Caller   string // name of the identity; for an anonymous caller the client's address, of IPv6 the network of 64 bits
	Endpoint string // Path of the endpoint as configured
	Method   string // MCP method
	Tool     string // tool of a tools/call that the policy allowed; else ""
}

const (
	defaultBodies      = 8192
	defaultBodiesSize  = 256 << 20
	defaultBodyTimeout = 30 * time.Second
	defaultStreams     = 256
)

// load counts what is held now. It belongs to a Guard and outlives its configurations.
type load struct {
	bodies     atomic.Int64
	bodiesSize atomic.Int64

	mu      sync.Mutex
	streams map[string]int // open streams by caller; a caller without any has no entry

	sessions openStreams
	watch    bodyWatch
}

// addBody takes the place of one more body, if there is one.
func (l *load) addBody(limits *Limits) bool {
	if l.bodies.Add(1) > int64(limits.MaxBodies) {
		l.bodies.Add(-1)
		return false
	}
	return true
}

// addBytes takes room for n more bytes of bodies, if there is any.
func (l *load) addBytes(limits *Limits, n int) bool {
	if l.bodiesSize.Add(int64(n)) > limits.MaxBodiesSize {
		l.bodiesSize.Add(int64(-n))
		return false
	}
	return true
}

func (l *load) dropBody(n int) {
	l.bodies.Add(-1)
	l.bodiesSize.Add(int64(-n))
}

func (l *load) addStream(limits *Limits, caller string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.streams == nil {
		l.streams = make(map[string]int)
	}
	if l.streams[caller] >= limits.MaxStreams {
		return false
	}
	l.streams[caller]++
	return true
}

func (l *load) dropStream(caller string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.streams[caller]--; l.streams[caller] == 0 {
		delete(l.streams, caller)
	}
}

// caller names who is counted: the identity, or the address of an anonymous client. Of IPv6 that is the network of 64 bits, in which a
// client may have as many addresses as it likes.
//
// Source: RFC 4291, 2.5.4; RFC 8981.
func (j *judgement) caller() string {
	if j.recognised {
		return j.identity.Name
	}
	addr, _ := j.clientAddr()
	if network, err := addr.Prefix(64); err == nil && addr.Is6() {
		return "address " + network.String()
	}
	return "address " + addr.String()
}

// clientAddr returns the address of the client, which nobody needs to know of most requests.
func (j *judgement) clientAddr() (netip.Addr, int) {
	if !j.located {
		j.client, j.clientPort = j.s.proxies.client(j.r)
		j.located = true
	}
	return j.client, j.clientPort
}

// checkStreams bounds the streams that a caller keeps open.
func (j *judgement) checkStreams() *Denial {
	if j.endpoint == nil || j.w == nil || !j.opensStream() {
		return nil
	}
	caller := j.caller()
	if !j.load.addStream(&j.s.limits, caller) {
		d := &Denial{Layer: LayerPolicy, Code: "streams_too_many", Status: http.StatusTooManyRequests, header: retryAfter(time.Second)}
		if j.message != nil {
			d.RPCID = j.message.ID
		}
		return d
	}
	j.stream = caller
	return nil
}

// opensStream reports whether the answer is a stream that has no end of its own.
func (j *judgement) opensStream() bool {
	return j.r.Method == http.MethodGet || j.message != nil && j.message.Method == mcpmsg.MethodSubscriptionsListen
}

// checkRate asks the Limiter about every message.
func (j *judgement) checkRate() *Denial {
	if j.s.limiter == nil || j.message == nil {
		return nil
	}
	for m := range j.message.Each() {
		key := LimiterKey{Caller: j.caller(), Endpoint: j.endpoint.Path, Method: string(m.MethodText.AppendText(nil))}
		if m.Method == mcpmsg.MethodToolsCall {
			key.Tool = string(m.Name.AppendText(nil))
		}
		ok, wait, err := j.s.limiter.Allow(j.r.Context(), key)
		switch {
		case err != nil:
			return &Denial{Layer: LayerPolicy, Code: "limiter_failed", Status: http.StatusInternalServerError, RPCID: j.message.ID}
		case !ok:
			return &Denial{Layer: LayerPolicy, Code: "rate_exceeded", Status: http.StatusTooManyRequests, RPCID: j.message.ID, header: retryAfter(wait)}
		}
	}
	return nil
}

// retryAfter says when to come back, in whole seconds, at least one.
//
// Source: RFC 9110, 10.2.3; RFC 6585, 4.
func retryAfter(wait time.Duration) http.Header {
	seconds := max(1, int64((wait+time.Second-1)/time.Second))
	return http.Header{"Retry-After": {strconv.FormatInt(seconds, 10)}}
}

// compileLimits fills in the defaults, or returns every fault.
func compileLimits(l Limits, bodyBytes int) (Limits, []error) {
	var errs []error
	bound := func(field string, value, usual, lowest, highest int64) int64 {
		if value == 0 {
			value = usual
		}
		if value < lowest || value > highest {
			errs = append(errs, configErrorf("Config.Limits."+field, "must be %d to %d, or 0 for %d", lowest, highest, usual))
		}
		return value
	}
	l.MaxBodies = int(bound("MaxBodies", int64(l.MaxBodies), defaultBodies, 1, 1_000_000))
	l.MaxBodiesSize = bound("MaxBodiesSize", l.MaxBodiesSize, max(defaultBodiesSize, int64(bodyBytes)), int64(bodyBytes), 1<<40)
	l.BodyTimeout = time.Duration(bound("BodyTimeout", int64(l.BodyTimeout), int64(defaultBodyTimeout), int64(time.Millisecond), int64(time.Hour)))
	l.MaxStreams = int(bound("MaxStreams", int64(l.MaxStreams), defaultStreams, 1, 1_000_000))
	return l, errs
}
