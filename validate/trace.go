package validate

import "github.com/sallyport/sallyport/internal/scan"

// Traceparent reports whether value is a trace context: version, trace id, parent id and flags in lower-case hexadecimal,
// version not ff, ids not all zero, and more only after versions above 00. If not, drop the field and tracestate with it
// and start a new trace; do not refuse the request. [Headers] therefore never reports it. It allocates nothing.
//
// Source: W3C Trace Context, 2.2 and 3.2.
func Traceparent[T Text](value T) Violation { return traceparentProblem(value).in("Traceparent") }

func traceparentProblem[T Text](s T) problem {
	const length = len("00-0123456789abcdef0123456789abcdef-0123456789abcdef-00")
	if len(s) < length {
		return problem{CodeTraceparentInvalid, len(s)}
	}
	for i := range length {
		if dash := i == 2 || i == 35 || i == 52; dash && s[i] != '-' || !dash && !isLowerHex(s[i]) {
			return problem{CodeTraceparentInvalid, i}
		}
	}
	switch {
	case string(s[:2]) == "ff":
		return problem{CodeTraceparentInvalid, 0}
	case isZeros(s[3:35]):
		return problem{CodeTraceparentInvalid, 3}
	case isZeros(s[36:52]):
		return problem{CodeTraceparentInvalid, 36}
	case len(s) > length && (string(s[:2]) == "00" || s[length] != '-'):
		return problem{CodeTraceparentInvalid, length}
	}
	if i := scan.VisibleASCII(s); i >= 0 {
		return problem{CodeTraceparentInvalid, i}
	}
	return problem{}
}

func isLowerHex(c byte) bool { return scan.Is(c, scan.HexDigit) && c == scan.Lower(c) }

func isZeros[T Text](s T) bool {
	for i := range len(s) {
		if s[i] != '0' {
			return false
		}
	}
	return true
}
