package policy

import "bytes"

// plainURI reports whether a URI means what its bytes say: no dot segment and no empty one in its path, raw or escaped, in ASCII
// or in look-alikes, no escaped slash, backslash or dot, no backslash, no user information before the host. A pattern such as "file:///docs/*" would
// otherwise allow "file:///docs/../etc/passwd".
//
// Source: RFC 3986, 5.2.4 and 3.2.1; the escapes are those that path handling in servers is known to undo.
func plainURI(uri []byte) bool {
	_, rest, ok := bytes.Cut(uri, []byte(":"))
	if !ok || bytes.IndexByte(uri, '\\') >= 0 || hasPathEscape(uri) {
		return false
	}
	if i := bytes.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	if leadsElsewhere(rest) {
		return false
	}
	if authority, ok := bytes.CutPrefix(rest, []byte("//")); ok {
		i := bytes.IndexByte(authority, '/')
		if i < 0 {
			i = len(authority)
		}
		if bytes.IndexByte(authority[:i], '@') >= 0 {
			return false
		}
		rest = authority[i:]
	}
	rest = bytes.TrimPrefix(rest, []byte("/"))
	for len(rest) > 0 {
		segment, after, more := bytes.Cut(rest, []byte("/"))
		segment, _, _ = bytes.Cut(segment, []byte(";"))
		if string(segment) == "." || string(segment) == ".." || len(segment) == 0 && more {
			return false
		}
		rest = after
	}
	return true
}

// hasPathEscape reports whether uri has an escape of ".", "/", "\\" or "%", or a "%" that begins no escape.
func hasPathEscape(uri []byte) bool {
	for {
		i := bytes.IndexByte(uri, '%')
		if i < 0 {
			return false
		}
		if len(uri) < i+3 {
			return true
		}
		switch hi, lo := uri[i+1], uri[i+2]|0x20; {
		case hi == '2' && (lo == 'e' || lo == 'f' || uri[i+2] == '5'), hi == '5' && lo == 'c':
			return true
		case !isHex(hi) || !isHex(uri[i+2]):
			return true
		}
		uri = uri[i+3:]
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
