package validate

import "github.com/sallyport/sallyport/internal/scan"

// defaultRanges is the number of ranges that one request may ask for.
const defaultRanges = 16

// Range reports whether value is a unit, "=" and, for bytes, at most 16 ranges first-last, first- or -length with first not
// above last, of numbers below 10^18. Other units are a matter of whoever knows them. It allocates nothing. net/http leaves
// this to the file server.
//
// Source: RFC 9110, 14.1 and 14.2; many small ranges exhaust servers (CVE-2011-3192).
func Range[T Text](value T) Violation { return rangeProblem(value, defaultRanges).in("Range") }

func rangeProblem[T Text](s T, limit int) problem {
	unit := scan.Not(s, 0, scan.Token)
	if unit == 0 || unit == len(s) || s[unit] != '=' {
		return problem{CodeRangeInvalid, unit}
	}
	if !scan.EqualFold(s[:unit], "bytes") {
		if i := scan.PrintableASCII(s); i >= 0 {
			return problem{CodeRangeInvalid, i}
		}
		return problem{}
	}
	for i, n := unit+1, 0; ; n++ {
		if n == limit {
			return problem{CodeRangeTooMany, i}
		}
		i = skipOWS(s, i)
		at := i
		first, i1, ok1 := number(s, i)
		if i1 == len(s) || s[i1] != '-' {
			return problem{CodeRangeInvalid, i1}
		}
		last, i2, ok2 := number(s, i1+1)
		empty1, empty2 := i1 == i, i2 == i1+1
		if !ok1 || !ok2 || empty1 && empty2 || !empty1 && !empty2 && first > last {
			return problem{CodeRangeInvalid, at}
		}
		i = skipOWS(s, i2)
		if i == len(s) {
			return problem{}
		}
		if s[i] != ',' {
			return problem{CodeRangeInvalid, i}
		}
		i++
	}
}

// number reads digits at s[i]; ok is false if there are more than 18.
func number[T Text](s T, i int) (n int64, end int, ok bool) {
	end = scan.Not(s, i, scan.Digit)
	if end-i > 18 {
		return 0, end, false
	}
	for ; i < end; i++ {
		n = n*10 + int64(s[i]-'0')
	}
	return n, end, true
}
