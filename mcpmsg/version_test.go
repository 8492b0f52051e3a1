package mcpmsg_test

import (
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

func TestParseVersion(t *testing.T) {
	for _, text := range []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"} {
		v, ok := mcpmsg.ParseVersion(text)
		if !ok || v.String() != text {
			t.Errorf("ParseVersion(%q) = %v, %v, want the same text, true", text, v, ok)
		}
		if b, _ := mcpmsg.ParseVersion([]byte(text)); b != v {
			t.Errorf("ParseVersion([]byte(%q)) = %v, want %v", text, b, v)
		}
	}
	for _, text := range []string{"", "2025-11-2", "2025-11-255", " 2025-11-25", "2025-11-25\n", "DRAFT-2025-v2", "unknown"} {
		if v, ok := mcpmsg.ParseVersion(text); ok || v != 0 {
			t.Errorf("ParseVersion(%q) = %v, %v, want 0, false", text, v, ok)
		}
	}
	if got := mcpmsg.Version(99).String(); got != "unknown" {
		t.Errorf("Version(99).String() = %q, want unknown", got)
	}
	if mcpmsg.V20251125.Stateless() || !mcpmsg.V20260728.Stateless() {
		t.Error("only 2026-07-28 is stateless")
	}
}
