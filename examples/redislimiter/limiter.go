package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport/sallyport/waf"
)

const keyPrefix = "sallyport:rate:"

// limiter is a [waf.Limiter] that counts in Redis, so that all Guards that use the same Redis share one limit. Each caller may
// use each tool limit times per window; a window begins with the first use. Around the end of one window and the beginning of
// the next, twice as many uses fit into the length of one. It is safe for concurrent use.
//
// What Redis does not answer is an error, which a Guard answers with 500: a limit that can't be counted is not waived.
type limiter struct {
	redis   redis.Scripter
	limit   int64
	window  time.Duration
	timeout time.Duration // a Guard waits no longer for an answer
}

// count adds one use in one step, so that no key is left without an end, and returns the uses and the milliseconds that are left.
var count = redis.NewScript(`
local uses = redis.call("INCR", KEYS[1])
local left = redis.call("PTTL", KEYS[1])
if left < 0 then
	redis.call("PEXPIRE", KEYS[1], ARGV[1])
	left = tonumber(ARGV[1])
end
return {uses, left}
`)

// Allow implements waf.Limiter.
func (l *limiter) Allow(ctx context.Context, key waf.LimiterKey) (ok bool, retryAfter time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	answer, err := count.Run(ctx, l.redis, []string{redisKey(key)}, l.window.Milliseconds()).Int64Slice()
	if err != nil {
		return false, 0, err
	}
	if len(answer) != 2 {
		return false, 0, errors.New("redislimiter: Redis answered something else")
	}
	return answer[0] <= l.limit, time.Duration(answer[1]) * time.Millisecond, nil
}

// redisKey makes one short key of what is counted: the names in it are the client's and may be long.
func redisKey(key waf.LimiterKey) string {
	var text []byte
	for _, part := range [...]string{key.Caller, key.Endpoint, key.Method, key.Tool} {
		text = binary.AppendUvarint(text, uint64(len(part))) // so that no two keys are written alike
		text = append(text, part...)
	}
	sum := sha256.Sum256(text)
	return keyPrefix + hex.EncodeToString(sum[:16])
}
