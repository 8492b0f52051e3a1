package validate

import "github.com/sallyport/sallyport/internal/scan"

// defaultHostBytes is room for a name of 253 bytes, its final dot, a colon and five digits of port, plus one.
const defaultHostBytes = 261

// Host reports whether host is what Host or :authority may hold: a name, a dotted IPv4 or a bracketed IPv6 address, each
// with an optional port of 1 to 65535 without leading zeros; at most 261 bytes. It refuses the empty host, userinfo,
// commas, escapes, non-ASCII (only A-labels belong on the wire), zones, and names that end in a number without being an
// IPv4 address ("127.1"), which some resolvers read as one. It passes underscores and other sub-delims in names: services
// use them; [RequestConfig] can refuse those. It allocates nothing. net/http checks a byte set only, over HTTP/2 less.
//
// Source: RFC 9110, 7.2; RFC 3986, 3.2.2; RFC 9844 for zones.
func Host[T Text](host T) Violation {
	if len(host) > defaultHostBytes {
		return tooLong(CodeHostTooLong, "Host", defaultHostBytes, len(host))
	}
	_, p := readHost(host)
	return p.in("Host")
}

// hostShape is what readHost learns about a host.
type hostShape struct {
	end     int  // of the host without port
	port    int  // -1 if there is none or it is empty
	numeric bool // an IP address
	unusual int  // offset + 1 of what Strict refuses; 0 if nothing
}

func readHost[T Text](s T) (hostShape, problem) {
	h := hostShape{port: -1}
	if len(s) == 0 || s[0] == ':' {
		return h, problem{CodeHostMissing, 0}
	}
	if s[0] == '[' {
		i := 1
		for i < len(s) && s[i] != ']' {
			i++
		}
		if i == len(s) || !isIPv6(s[1:i]) {
			return h, problem{CodeHostInvalid, 0}
		}
		h.end, h.numeric = i+1, true
	} else if p := readName(s, &h); p.code != CodeOK {
		return h, p
	}
	if h.end == len(s) {
		return h, problem{}
	}
	if s[h.end] != ':' {
		return h, problem{CodeHostInvalid, h.end}
	}
	return h, readPort(s, &h)
}

// isPlainName reports whether s is a well-formed host at a glance: at least eight letters, digits, hyphens and dots with a
// letter above "f" at the end, so that it is neither an address nor something that could be one.
func isPlainName[T Text](s T) bool {
	return len(s) >= 8 && s[len(s)-1]|0x20-'g' <= 'z'-'g' && s[0] != '.' && scan.HostName(s)
}

// readPort reads the port after s[h.end], a colon.
func readPort[T Text](s T, h *hostShape) problem {
	from := h.end + 1
	if from == len(s) {
		h.unusual = h.end + 1
		return problem{}
	}
	port := 0
	for i := from; i < len(s); i++ {
		if !scan.Is(s[i], scan.Digit) || i-from >= 5 || port == 0 && i > from {
			return problem{CodeHostPortInvalid, i}
		}
		port = port*10 + int(s[i]-'0')
	}
	if port == 0 || port > 65535 {
		return problem{CodeHostPortInvalid, from}
	}
	h.port = port
	return problem{}
}

// readName reads a registered name or an IPv4 address up to a colon or the end.
func readName[T Text](s T, h *hostShape) problem {
	label, digits := 0, true // start of the label, and whether it has only digits so far
	lastFrom, lastDigits := 0, false
	mark := func(i int) {
		if h.unusual == 0 {
			h.unusual = i + 1
		}
	}
	i := 0
	for ; i < len(s) && s[i] != ':'; i++ {
		c := s[i]
		switch {
		case scan.Is(c, scan.LDH):
			digits = digits && scan.Is(c, scan.Digit)
		case c == '.':
			if i == label || i-label > 63 || s[label] == '-' || s[i-1] == '-' {
				mark(i)
			}
			lastFrom, lastDigits = label, digits && i > label
			label, digits = i+1, true
		case scan.Is(c, scan.RegName):
			digits = false
			mark(i)
		default:
			return problem{CodeHostInvalid, i}
		}
	}
	h.end = i
	if i > label { // no final dot
		if i-label > 63 || s[label] == '-' || s[i-1] == '-' {
			mark(label)
		}
		lastFrom, lastDigits = label, digits
	}
	if lastDigits || isHexNumber(s[lastFrom:i]) {
		if !isIPv4(s[:i]) {
			return problem{CodeHostInvalid, lastFrom}
		}
		h.numeric = true
	}
	return problem{}
}

// isHexNumber reports whether s is 0x and hexadecimal digits, maybe none, which inet_aton and browsers take for a number.
func isHexNumber[T Text](s T) bool {
	if len(s) > 0 && s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return len(s) >= 2 && s[0] == '0' && s[1]|0x20 == 'x' && scan.Not(s, 2, scan.HexDigit) == len(s)
}

// isIPv4 reports whether s is four decimal numbers of 0 to 255 without leading zeros.
//
// Source: RFC 3986, 3.2.2.
func isIPv4[T Text](s T) bool {
	part, value, digits := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if digits == 0 || part == 3 {
				return false
			}
			part, value, digits = part+1, 0, 0
		case !scan.Is(c, scan.Digit) || digits == 3 || digits > 0 && value == 0:
			return false
		default:
			value, digits = value*10+int(c-'0'), digits+1
			if value > 255 {
				return false
			}
		}
	}
	return part == 3 && digits > 0
}

// isIPv6 reports whether s is an IPv6 address without brackets and without a zone.
//
// Source: RFC 3986, 3.2.2; RFC 4291, 2.2.
func isIPv6[T Text](s T) bool {
	groups, gap := 0, false
	i := 0
	if len(s) >= 2 && s[0] == ':' && s[1] == ':' {
		gap, i = true, 2
	}
	for i < len(s) {
		from := i
		i = scan.Not(s, i, scan.HexDigit)
		if i < len(s) && s[i] == '.' {
			return isIPv4(s[from:]) && count6(groups+2, gap)
		}
		if i == from || i-from > 4 {
			return false
		}
		groups++
		if i == len(s) {
			break
		}
		if s[i] != ':' || i+1 == len(s) {
			return false
		}
		i++
		if s[i] == ':' {
			if gap {
				return false
			}
			gap = true
			i++
		}
		if groups > 8 {
			return false
		}
	}
	return count6(groups, gap)
}

func count6(groups int, gap bool) bool {
	if gap {
		return groups < 8
	}
	return groups == 8
}

// sameHost reports whether two well-formed hosts name the same server: equal but for case, and for a port of 80 or 443
// that only one of them writes. The scheme is not always known; no server listens for both on one of these ports.
func sameHost(a, b string) bool {
	ha, _ := readHost(a)
	hb, _ := readHost(b)
	if !scan.EqualFold(a[:ha.end], b[:hb.end]) {
		return false
	}
	return ha.port == hb.port || isDefaultPort(ha.port) && hb.port < 0 || isDefaultPort(hb.port) && ha.port < 0
}

func isDefaultPort(port int) bool { return port == 80 || port == 443 }
