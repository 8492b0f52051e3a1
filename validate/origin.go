package validate

import "github.com/sallyport/sallyport/internal/scan"

// Origin reports whether origin is "null" or one scheme "://" host with an optional port and nothing after it: no path, no
// userinfo, no second origin. The scheme is any, since browser extensions and embedded browsers have their own. Whether the
// origin is allowed is for the caller to decide by exact comparison. It allocates nothing. net/http does not check it.
//
// Source: RFC 6454, 6.1 and 7.1; MCP 2025-11-25, Streamable HTTP (answer 403). Stricter: one origin only, as browsers send.
func Origin[T Text](origin T) Violation { return originProblem(origin).in("Origin") }

func originProblem[T Text](s T) problem {
	if string(s) == "null" {
		return problem{}
	}
	if i := len("https://"); len(s) > i && len(s)-i <= defaultHostBytes && string(s[:i]) == "https://" && isPlainName(s[i:]) {
		return problem{}
	}
	i := 0
	if len(s) > 0 && scan.Is(s[0], scan.Alpha) {
		i = scan.Not(s, 1, scan.Scheme)
	}
	if i == 0 || len(s)-i < len("://x") || string(s[i:i+3]) != "://" {
		return problem{CodeOriginInvalid, min(i, len(s))}
	}
	i += len("://")
	if len(s)-i > defaultHostBytes {
		return problem{CodeOriginInvalid, i + defaultHostBytes}
	}
	h, p := readHost(s[i:])
	if p.code != CodeOK {
		return problem{CodeOriginInvalid, i + p.at}
	}
	if h.end+1 == len(s)-i {
		return problem{CodeOriginInvalid, i + h.end} // empty port
	}
	return problem{}
}
