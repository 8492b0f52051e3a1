//go:build !race

package policy

import "testing"

func TestAllowsAllocs(t *testing.T) {
	for _, tc := range decisions {
		s, name := compile(t, tc.rules), []byte(tc.tool)
		if n := testing.AllocsPerRun(10, func() { s.Allows(tc.identity, name) }); n != 0 {
			t.Errorf("%s: Allows: %v allocs, want 0", tc.name, n)
		}
	}
}
