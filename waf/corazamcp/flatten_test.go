package corazamcp

import (
	"fmt"
	"strings"
	"testing"
)

// A string ends at the first quotation mark that no backslash escapes.
func TestFlattenerString(t *testing.T) {
	for _, text := range []string{
		`""`, `"a"`, `"\\"`, `"\""`, `"\\\""`, `"\"\""`, `"a\nb\"c\\"`, `"\u0022"`, `"\\\\"`, `"\"a\"b\"c"`,
		`"` + strings.Repeat(`\"`, 1000) + `"`, `"` + strings.Repeat(`\n`, 1000) + `"`, `"` + strings.Repeat(`\\`, 999) + `\""`,
	} {
		f := &flattener{text: []byte(text + `,"rest":"\""`)}
		got, plain := f.str()
		if string(got) != text || f.i != len(text) || plain == strings.Contains(text, `\`) {
			t.Errorf("str of %.40s… = %.40s…, plain %v, ends at %d, want %d", text, got, plain, f.i, len(text))
		}
	}
}

// The cost of a string is linear in its length, whatever it holds: ns/op over the sizes must grow as they do.
func BenchmarkFlattenerString(b *testing.B) {
	for name, part := range map[string]string{"line ends": `\n`, "quotation marks": `\"`, "letters": `aa`} {
		for _, n := range []int{1 << 12, 1 << 16, 1 << 20} {
			text := []byte(`"` + strings.Repeat(part, n/len(part)) + `"`)
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					(&flattener{text: text}).str()
				}
			})
		}
	}
}
