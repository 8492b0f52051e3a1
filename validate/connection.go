package validate

import "github.com/sallyport/sallyport/internal/scan"

// Connection reports whether value is a list of tokens that nominates no field of the recipient: a proxy removes what is
// nominated, so "close, Authorization" would strip credentials. Host, framing, credentials, Cookie, Origin, Forwarded,
// X-Forwarded-*, Mcp-* and the other end-to-end fields known to this package are refused. It allocates nothing. net/http
// passes them over HTTP/1.1, and ReverseProxy then drops the field.
//
// Source: RFC 9110, 7.6.1; hop-by-hop abuse (Davison, 2019). Stricter: the RFC asks that only of senders.
func Connection[T Text](value T) Violation {
	return connectionProblem(knownFields, value, false).in("Connection")
}

func connectionProblem[T Text](t *fieldTable, s T, only bool) problem {
	for i := 0; ; {
		from, to, next, ok := nextElement(s, i)
		if !ok {
			return problem{}
		}
		if scan.Not(s[:to], from, scan.Token) != to {
			return problem{CodeConnectionInvalid, from}
		}
		f := find(t, s[from:to])
		if f.flags&endToEnd != 0 || only && f.flags&hopByHop == 0 || hasReservedPrefix(s[from:to]) {
			return problem{CodeConnectionNominates, from}
		}
		i = next
	}
}

// hasReservedPrefix reports whether a field belongs to a family that concerns only its recipient, members unknown to this
// package included.
func hasReservedPrefix[T Text](name T) bool {
	return scan.HasPrefixFold(name, "Mcp-") || scan.HasPrefixFold(name, "X-Forwarded-")
}

// Expect reports whether value is "100-continue" in any case. It allocates nothing. net/http answers other values over
// HTTP/1.1 itself, but takes anything that contains the token.
//
// Source: RFC 9110, 10.1.1 (answer 417); desynchronisation by Expect (Kettle, 2025).
func Expect[T Text](value T) Violation { return expectProblem(value).in("Expect") }

func expectProblem[T Text](s T) problem {
	if !scan.EqualFold(s, "100-continue") {
		return problem{CodeExpectUnsupported, 0}
	}
	return problem{}
}

// Upgrade reports whether value is a list of protocols without h2c: a proxy that forwards that upgrade loses sight of what
// follows. WebSocket passes. It allocates nothing. net/http passes both.
//
// Source: RFC 9110, 7.8; RFC 9113, 3.1 (h2c is obsolete); h2c smuggling (Miller, 2020).
func Upgrade[T Text](value T) Violation { return upgradeProblem(value).in("Upgrade") }

func upgradeProblem[T Text](s T) problem {
	for i := 0; ; {
		from, to, next, ok := nextElement(s, i)
		if !ok {
			return problem{}
		}
		end := scan.Not(s[:to], from, scan.Token)
		switch {
		case end == from:
			return problem{CodeUpgradeInvalid, from}
		case scan.EqualFold(s[from:end], "h2c"):
			return problem{CodeUpgradeH2C, from}
		}
		if end < to && s[end] == '/' {
			version := end + 1
			if end = scan.Not(s[:to], version, scan.Token); end == version {
				return problem{CodeUpgradeInvalid, from}
			}
		}
		if end != to {
			return problem{CodeUpgradeInvalid, end}
		}
		i = next
	}
}

// Trailer reports whether value is a list of field names that may follow a body. Fields of framing, routing, request
// modification, authentication and content, and all of MCP, are refused: whoever merges trailers into the header would
// believe them. It allocates nothing. net/http refuses three of them.
//
// Source: RFC 9110, 6.5.1.
func Trailer[T Text](value T) Violation { return trailerProblem(knownFields, value).in("Trailer") }

func trailerProblem[T Text](t *fieldTable, s T) problem {
	for i := 0; ; {
		from, to, next, ok := nextElement(s, i)
		if !ok {
			return problem{}
		}
		if scan.Not(s[:to], from, scan.Token) != to {
			return problem{CodeTrailerInvalid, from}
		}
		if find(t, s[from:to]).flags&noTrailer != 0 || hasReservedPrefix(s[from:to]) {
			return problem{CodeTrailerForbidden, from}
		}
		i = next
	}
}

// TE reports whether value is a list of transfer codings with parameters, "trailers" among them or not. It allocates
// nothing. net/http passes anything over HTTP/1.1.
//
// Source: RFC 9110, 10.1.4.
func TE[T Text](value T) Violation { return teProblem(value).in("TE") }

func teProblem[T Text](s T) problem {
	for i := 0; ; {
		i = skipOWS(s, i)
		if i == len(s) {
			return problem{}
		}
		if s[i] == ',' {
			i++
			continue
		}
		end := scan.Not(s, i, scan.Token)
		if end == i {
			return problem{CodeTEInvalid, i}
		}
		for i = skipOWS(s, end); i < len(s) && s[i] == ';'; i = skipOWS(s, i) {
			q, at, ok := readParameter(s, skipOWS(s, i+1), true)
			if !ok {
				return problem{CodeTEInvalid, min(at, len(s))}
			}
			i = q.end
		}
		if i < len(s) && s[i] != ',' {
			return problem{CodeTEInvalid, i}
		}
	}
}
