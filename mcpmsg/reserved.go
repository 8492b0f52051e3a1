package mcpmsg

import "bytes"

// definedMeta are the keys with a reserved prefix that the text of the protocol defines and no schema lists.
var definedMeta = []string{"io.modelcontextprotocol/related-task"}

// reservedMeta reports whether a well-formed key of _meta, which the schema does not define there, has a prefix that the
// revision at hand reserves.
//
// Source: MCP 2025-06-18, 2025-11-25 and 2026-07-28, Base Protocol, _meta: the definitions differ.
func (c *check) reservedMeta(key []byte) bool {
	slash := bytes.IndexByte(key, '/')
	if slash < 0 {
		return false
	}
	for _, known := range definedMeta {
		if string(key) == known {
			return false
		}
	}
	prefix := key[:slash]
	for n := 1; ; n++ {
		dot := bytes.IndexByte(prefix, '.')
		label := prefix
		if dot >= 0 {
			label = prefix[:dot]
		}
		if own := string(label) == "mcp" || string(label) == "modelcontextprotocol"; own {
			if c.version >= V20251125 && n == 2 || c.version == V20250618 && dot >= 0 {
				return true
			}
		}
		if dot < 0 {
			return false
		}
		prefix = prefix[dot+1:]
	}
}
