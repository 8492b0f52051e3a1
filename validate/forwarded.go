package validate

import "github.com/sallyport/sallyport/internal/scan"

// Forwarded reports whether value is a list of elements of at most 16 parameters each, none twice in one element, where for
// and by are nodes, host is a host and proto a scheme. Its fields tell the truth only if a trusted peer sent them; removing
// them from others is for the caller. It allocates nothing. net/http does not check it.
//
// Source: RFC 7239, 4 to 6. The bound on parameters is ours.
func Forwarded[T Text](value T) Violation { return forwardedProblem(value).in("Forwarded") }

func forwardedProblem[T Text](s T) problem {
	var seen [maxParameters]parameter
	n := 0
	for i := skipOWS(s, 0); i < len(s); {
		switch s[i] {
		case ',':
			n = 0
			i = skipOWS(s, i+1)
			continue
		case ';':
			i = skipOWS(s, i+1)
			continue
		}
		p, at, ok := readParameter(s, i, false)
		if !ok || n == maxParameters {
			return problem{CodeForwardedInvalid, at}
		}
		for _, q := range seen[:n] {
			if equalFoldText(s[q.name:q.nameEnd], s[p.name:p.nameEnd]) {
				return problem{CodeForwardedInvalid, p.name}
			}
		}
		if !isForwardedPair(s[p.name:p.nameEnd], s[p.value:p.valueEnd]) {
			return problem{CodeForwardedInvalid, p.value}
		}
		seen[n] = p
		n++
		if i = skipOWS(s, p.end); i < len(s) && s[i] != ';' && s[i] != ',' {
			return problem{CodeForwardedInvalid, i}
		}
	}
	return problem{}
}

func isForwardedPair[T Text](name, value T) bool {
	switch {
	case scan.EqualFold(name, "for"), scan.EqualFold(name, "by"):
		return isNode(value)
	case scan.EqualFold(name, "host"):
		_, p := readHost(value)
		return p.code == CodeOK
	case scan.EqualFold(name, "proto"):
		return len(value) > 0 && scan.Is(value[0], scan.Alpha) && scan.Not(value, 1, scan.Scheme) == len(value)
	}
	return true
}

// isNode reports whether s is an address with an optional port, "unknown", or an obfuscated identifier. An IPv6 address
// needs its brackets only with a port in X-Forwarded-For; the token grammar of Forwarded asks for quotes by itself.
//
// Source: RFC 7239, 6.
func isNode[T Text](s T) bool {
	if len(s) == 0 {
		return false
	}
	host := len(s)
	switch {
	case s[0] == '[':
		host = 1
		for host < len(s) && s[host] != ']' {
			host++
		}
		if host == len(s) || !isIPv6(s[1:host]) {
			return false
		}
		host++
	case s[0] == '_':
		host = scan.Not(s, 1, scan.Alpha|scan.Digit|scan.Unreserved)
		if host == 1 {
			return false
		}
	default:
		if isIPv6(s) {
			return true
		}
		for i := range len(s) {
			if s[i] == ':' {
				host = i
				break
			}
		}
		if !isIPv4(s[:host]) && !scan.EqualFold(s[:host], "unknown") {
			return false
		}
	}
	if host == len(s) {
		return true
	}
	return s[host] == ':' && isNodePort(s[host+1:])
}

func isNodePort[T Text](s T) bool {
	if len(s) > 1 && s[0] == '_' {
		return scan.Not(s, 1, scan.Unreserved) == len(s)
	}
	return len(s) >= 1 && len(s) <= 5 && scan.Not(s, 0, scan.Digit) == len(s)
}

// ForwardedFor reports whether value, of X-Forwarded-For, is a list of addresses with optional ports, "unknown" or
// obfuscated identifiers. What [Forwarded] says about trust holds here too. It allocates nothing.
//
// Source: convention; the nodes are those of RFC 7239, 6.
func ForwardedFor[T Text](value T) Violation {
	return forwardedForProblem(value).in("X-Forwarded-For")
}

func forwardedForProblem[T Text](s T) problem {
	for i := 0; ; {
		from, to, next, ok := nextElement(s, i)
		if !ok {
			return problem{}
		}
		if !isNode(s[from:to]) {
			return problem{CodeForwardedInvalid, from}
		}
		i = next
	}
}

// forwardedProtoProblem allows one of http, https, and ws, wss, which some proxies send on WebSocket requests.
func forwardedProtoProblem(s string) problem {
	for _, scheme := range [...]string{"https", "http", "wss", "ws"} {
		if scan.EqualFold(s, scheme) {
			return problem{}
		}
	}
	return problem{CodeForwardedInvalid, 0}
}

// forwardedHostProblem allows one host.
func forwardedHostProblem(s string) problem {
	if _, p := readHost(s); p.code != CodeOK {
		return problem{CodeForwardedInvalid, p.at}
	}
	return problem{}
}

// forwardedPortProblem allows one port.
func forwardedPortProblem(s string) problem {
	if n, end, _ := number(s, 0); len(s) > 5 || end != len(s) || n < 1 || n > 65535 {
		return problem{CodeForwardedInvalid, 0}
	}
	return problem{}
}

// realIPProblem allows one address.
func realIPProblem(s string) problem {
	if !isNode(s) {
		return problem{CodeForwardedInvalid, 0}
	}
	return problem{}
}
