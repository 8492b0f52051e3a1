package main

import (
	"context"
	"hash/maphash"
	"time"

	"golang.org/x/time/rate"

	"github.com/sallyport/sallyport/waf"
)

const rateBuckets = 1 << 14

// rateLimiter is a [waf.Limiter] within this process: each caller may use each tool perMinute times at once, and gets perMinute uses
// a minute back. So the first minute after a pause may hold twice as many. Its memory is fixed, however many callers and names there
// are: two of them may come to share a bucket, and get less then, never more. It is safe for concurrent use.
type rateLimiter struct {
	perMinute int
	seed      maphash.Seed
	buckets   [rateBuckets]*rate.Limiter
}

func newRateLimiter(perMinute int) *rateLimiter {
	l := &rateLimiter{perMinute: perMinute, seed: maphash.MakeSeed()}
	for i := range l.buckets {
		l.buckets[i] = rate.NewLimiter(rate.Every(l.interval()), perMinute)
	}
	return l
}

// interval is the time in which one more use becomes free.
func (l *rateLimiter) interval() time.Duration { return time.Minute / time.Duration(l.perMinute) }

// Allow implements waf.Limiter.
func (l *rateLimiter) Allow(_ context.Context, key waf.LimiterKey) (ok bool, retryAfter time.Duration, err error) {
	return l.buckets[maphash.Comparable(l.seed, key)%rateBuckets].Allow(), l.interval(), nil
}
