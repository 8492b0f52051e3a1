package mcpmsg_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

// allocs returns the allocations of f, on average over the runs, and 0 under the race detector.
func allocs(runs int, f func()) float64 {
	if underRace {
		f()
		return 0
	}
	return testing.AllocsPerRun(runs, f)
}

// TestLargeAllocates: no size of a message makes Check allocate, once its scratch memory has grown.
func TestLargeAllocates(t *testing.T) {
	var keys strings.Builder
	for i := range 18_000 {
		fmt.Fprintf(&keys, `"k%d":%d,`, i*7919, i&7)
	}
	text := strings.Repeat(`line \"quoted\"\n\tcaf\u00e9 日本語 😀 and some more plain text that goes on and on. `, 800)
	v := newValidator(t, mcpmsg.Config{MaxMembers: 1 << 20})
	for name, arguments := range map[string]string{
		"text":        `{"a":"` + text + `"}`,
		"keys":        `{` + keys.String() + `"last":1}`,
		"key twice":   `{` + keys.String() + `"k7919":1}`,
		"bad at end":  `{"a":"` + text + `","b":01}`,
		"numbers":     `{"a":[` + strings.Repeat("1.5e3,", 20_000) + `0]}`,
		"objects":     `{"a":[` + strings.Repeat(`{"\u0061":{"b":[{}]}},`, 10_000) + `0]}`,
		"many errors": `{"a":[` + strings.Repeat(`{"a":1,"A":2},`, 10_000) + `{"a":1,"a":2}]}`,
	} {
		in := []byte(call + arguments + "}}")
		if n := allocs(5, func() { v.Check(in, client(mcpmsg.V20251125)) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}
