package validate

import (
	"math"

	"github.com/sallyport/sallyport/internal/scan"
)

// ContentLength reports whether value is one decimal number below 2^63: no sign, no list, no white space. It allocates
// nothing. net/http checks this over HTTP/1.1, not over HTTP/2.
//
// Source: RFC 9110, 8.6; RFC 9112, 6.3. Stricter: a list of equal numbers is refused.
func ContentLength[T Text](value T) Violation {
	_, p := readContentLength(value)
	return p.in("Content-Length")
}

func readContentLength[T Text](s T) (int64, problem) {
	var n int64
	if len(s) > 0 && len(s) <= 18 { // cannot overflow
		for i := range len(s) {
			d := s[i] - '0'
			if d > 9 {
				return 0, problem{CodeContentLengthInvalid, i}
			}
			n = n*10 + int64(d)
		}
		return n, problem{}
	}
	for i := range len(s) {
		if !scan.Is(s[i], scan.Digit) {
			return 0, problem{CodeContentLengthInvalid, i}
		}
		d := int64(s[i] - '0')
		if n > (math.MaxInt64-d)/10 {
			return 0, problem{CodeContentLengthInvalid, i}
		}
		n = n*10 + d
	}
	if len(s) == 0 {
		return 0, problem{CodeContentLengthInvalid, 0}
	}
	return n, problem{}
}

// TransferEncoding reports whether value is exactly "chunked" in any case. A well-formed list with other codings has a
// code of its own, for the status 501. It allocates nothing. net/http does the same over HTTP/1.1.
//
// Source: RFC 9112, 6.1 and 6.3. Stricter: no other coding is supported, and "chunked" may stand there only once.
func TransferEncoding[T Text](value T) Violation {
	return transferEncodingProblem(value).in("Transfer-Encoding")
}

func transferEncodingProblem[T Text](s T) problem {
	if scan.EqualFold(s, "chunked") {
		return problem{}
	}
	chunked, other, at := 0, false, 0
	for i := 0; ; {
		from, to, next, ok := nextElement(s, i)
		if !ok {
			break
		}
		if scan.Not(s[:to], from, scan.Token) != to {
			return problem{CodeTransferEncodingInvalid, from}
		}
		if scan.EqualFold(s[from:to], "chunked") {
			chunked++
		} else if !other {
			other, at = true, from
		}
		i = next
	}
	if other && chunked < 2 {
		return problem{CodeTransferEncodingUnsupported, at}
	}
	return problem{CodeTransferEncodingInvalid, 0}
}
