package jsonscan

import (
	"bytes"
	"strings"
	"testing"
)

// TestBase64 puts each byte at each place of texts around the size of a block.
func TestBase64(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for _, size := range []int{0, 1, 7, 31, 32, 33, 64, 70} {
		text := bytes.Repeat([]byte(alphabet), 2)[:size]
		if got := Base64(text); got != size {
			t.Errorf("Base64 of %d good characters is %d", size, got)
		}
		for i := range text {
			good := text[i]
			for c := range 256 {
				text[i] = byte(c)
				want := size
				if strings.IndexByte(alphabet, byte(c)) < 0 {
					want = i
				}
				if got := Base64(text); got != want {
					t.Fatalf("Base64(%q) = %d, want %d", text, got, want)
				}
			}
			text[i] = good
		}
	}
}
