//go:build amd64 || arm64

package oracle

import (
	"bytes"

	"github.com/bytedance/sonic"
)

var sonicNumbers = sonic.Config{UseNumber: true, CopyString: true, ValidateString: true}.Froze()

// sonic is for machines of 64 bits only.
func init() {
	readers = append(readers, []reader{
		{"sonic into structs", asText, true, func(mem *memory, b []byte) (sight, error) {
			return readStructs(mem, b, sonic.ConfigStd.Unmarshal)
		}},
		{"sonic, fastest, into structs", asText, true, func(mem *memory, b []byte) (sight, error) {
			return readStructs(mem, bytes.Clone(b), sonic.ConfigFastest.Unmarshal)
		}},
		{"sonic into a map", asText, true, func(mem *memory, b []byte) (sight, error) {
			var v any
			err := sonicNumbers.Unmarshal(b, &v)
			return mem.sightOfMap(v, asText), err
		}},
	}...)
}
