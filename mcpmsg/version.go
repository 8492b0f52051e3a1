package mcpmsg

// Version is a revision of the Model Context Protocol. The zero Version means "not known": a [Context] with it lets the
// validator find the revision from the message.
type Version uint8

// The published revisions, oldest first, so that they compare with < and >.
const (
	V20241105 Version = iota + 1 // 2024-11-05: HTTP+SSE with two endpoints
	V20250326                    // 2025-03-26: Streamable HTTP, the only revision with batches
	V20250618                    // 2025-06-18: MCP-Protocol-Version header, elicitation
	V20251125                    // 2025-11-25: tasks, sampling with tools
	V20260728                    // 2026-07-28: stateless, per-request _meta, mirror headers
)

var versionText = [...]string{
	V20241105: "2024-11-05",
	V20250326: "2025-03-26",
	V20250618: "2025-06-18",
	V20251125: "2025-11-25",
	V20260728: "2026-07-28",
}

// ParseVersion returns the revision that text names exactly, and whether there is one. It does not allocate.
func ParseVersion[T ~string | ~[]byte](text T) (Version, bool) {
	for v := V20241105; v <= V20260728; v++ {
		if string(text) == versionText[v] {
			return v, true
		}
	}
	return 0, false
}

// String returns the revision as the protocol writes it, such as "2025-11-25", or "unknown".
func (v Version) String() string {
	if v == 0 || int(v) >= len(versionText) {
		return "unknown"
	}
	return versionText[v]
}

// Stateless reports whether the revision has no sessions and no handshake: every request then carries its own _meta.
//
// Source: MCP 2026-07-28, Base Protocol.
func (v Version) Stateless() bool { return v >= V20260728 }
