package validate_test

import (
	"testing"

	"github.com/sallyport/sallyport/validate"
)

var sink validate.Violation

// noAllocs fails if f allocates.
func noAllocs(t *testing.T, name string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 { // often enough for what the servers of other tests leave behind not to count
		t.Errorf("%s: %v allocs, want 0", name, n)
	}
}

func TestAllocTarget(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, cfg := range []validate.TargetConfig{{}, validate.Strict().Target, {UniqueNames: []string{"sessionId"}}} {
		target := newTarget(t, cfg)
		for _, row := range targetVectors(t) {
			noAllocs(t, row.Name, func() { sink = target.Check(row.Method, row.Target) })
		}
	}
}

func TestAllocRequest(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, cfg := range []validate.RequestConfig{validate.Default(), validate.Strict()} {
		r := newRequest(t, cfg)
		for proto, cases := range map[string][]requestCase{"HTTP/1.1": http1Cases, "HTTP/2.0": http2Holes} {
			for _, c := range cases {
				v := base(proto)
				c.change(&v)
				noAllocs(t, c.name, func() { sink = r.Check(v) })
				v.Parsed = false
				noAllocs(t, c.name, func() { sink = r.Check(v) })
				for name, values := range v.Header {
					for _, value := range values {
						v.Fields = append(v.Fields, validate.Field{Name: name, Value: value})
					}
				}
				v.Header = nil
				noAllocs(t, c.name+" as fields", func() { sink = r.Check(v) })
			}
		}
	}
}
