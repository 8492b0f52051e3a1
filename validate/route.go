package validate

import "github.com/sallyport/sallyport/internal/scan"

// HasEscapedUnreserved reports whether path, or the path of a target, has an escape of a letter, a digit or one of "-._~"
// before the first question mark. Such a path names the same resource as the unescaped one (RFC 3986, 6.2.2.2), which
// whoever compares bytes does not see: a guard of "/mcp_message" must not let "/mcp%5Fmessage" pass for another path.
// It allocates nothing.
func HasEscapedUnreserved(path string) bool {
	for i := 0; i < len(path) && path[i] != '?'; i++ {
		if path[i] != '%' {
			continue
		}
		if d, ok := escaped(path, i); ok && scan.Is(d, scan.Unreserved) {
			return true
		}
	}
	return false
}

// AppendRoute appends to dst the path that the most permissive of routers could read in path, or in the path of a target:
// decoded once, backslashes read as slashes, parameters (";" to the end of the segment) dropped, runs of slashes merged,
// letters in lower case, no slash at the end but for the root. It resolves no dot segments, which [Target] refuses. A guard
// that compares exact bytes uses it to find paths that are none of its endpoints and might still be routed to one: their
// forms are equal. It is no path to route by or to forward. With room in dst it allocates nothing.
//
// The readings: percent-decoding routers (net/http), parameter stripping (servlet containers), merged slashes (nginx), case
// (Express, IIS), final slashes (Express, Django).
func AppendRoute(dst []byte, path string) []byte {
	start := len(dst)
	parameter := false
	for i := 0; i < len(path) && path[i] != '?'; i++ {
		c := path[i]
		if c == '%' {
			if d, ok := escaped(path, i); ok {
				c = d
				i += 2
			}
		}
		if c == '\\' {
			c = '/'
		}
		switch {
		case c == '/':
			parameter = false
			if len(dst) > start && dst[len(dst)-1] == '/' {
				continue
			}
		case c == ';':
			parameter = true
		}
		if !parameter {
			dst = append(dst, scan.Lower(c))
		}
	}
	if len(dst) > start+1 && dst[len(dst)-1] == '/' {
		dst = dst[:len(dst)-1]
	}
	return dst
}
