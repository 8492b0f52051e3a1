package schema

import "github.com/sallyport/sallyport/internal/jsonscan"

// decimal is the value of a JSON number in parts that can be compared without arithmetic: sign, the place of the decimal
// point, and the digits without leading and trailing zeros. Zero has no digits.
type decimal struct {
	neg      bool
	point    int // the value is 0.DIGITS times ten to the point
	from, to int // the digits are text[from:to], passing over a '.'
}

// maxExponent is where an exponent is as good as infinite. It is far above what texts of a bounded length can reach
// with digits, so that no sum of the two overflows or comes out wrong.
const maxExponent = 1 << 29

func parse[T ~string | ~[]byte](text T) decimal {
	d := decimal{}
	i := 0
	if text[0] == '-' {
		d.neg = true
		i++
	}
	from, dot, end := -1, -1, i
	last := i
	for ; end < len(text) && text[end]|0x20 != 'e'; end++ {
		switch {
		case text[end] == '.':
			dot = end
		case text[end] != '0':
			if from < 0 {
				from = end
			}
			last = end + 1
		}
	}
	if from < 0 {
		return decimal{}
	}
	if dot < 0 {
		dot = end
	}
	d.from, d.to = from, last
	d.point = dot - from
	if from > dot {
		d.point++ // the '.' itself is no digit
	}
	if end < len(text) {
		d.point += exponent(text[end+1:])
	}
	return d
}

func exponent[T ~string | ~[]byte](text T) int {
	neg := text[0] == '-'
	if neg || text[0] == '+' {
		text = text[1:]
	}
	e := 0
	for i := 0; i < len(text) && e < maxExponent; i++ {
		if e = min(e, maxExponent/10)*10 + int(text[i]-'0'); e > maxExponent-10 {
			e = maxExponent
		}
	}
	if neg {
		return -e
	}
	return e
}

// CompareNumbers compares two JSON numbers by their exact values: -1, 0 or 1.
func CompareNumbers[A, B ~string | ~[]byte](a A, b B) int { return compareNumbers(a, b) }

func compareNumbers[A ~string | ~[]byte, B ~string | ~[]byte](a A, b B) int {
	x, y := parse(a), parse(b)
	sign := 1
	switch {
	case x.neg != y.neg:
		if x.neg {
			return -1
		}
		return 1
	case x.neg:
		sign = -1
	}
	switch {
	case x.from == x.to || y.from == y.to:
		return sign * (btoi(x.from != x.to) - btoi(y.from != y.to))
	case x.point != y.point:
		if x.point < y.point {
			return -sign
		}
		return sign
	}
	i, j := x.from, y.from
	for i < x.to && j < y.to {
		switch {
		case a[i] == '.':
			i++
		case b[j] == '.':
			j++
		case a[i] != b[j]:
			if a[i] < b[j] {
				return -sign
			}
			return sign
		default:
			i++
			j++
		}
	}
	return sign * (btoi(i < x.to) - btoi(j < y.to))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// isIntegral reports whether a JSON number has an integer as its value, like 1.0 and 1e3.
func isIntegral(text []byte) bool {
	d := parse(text)
	digits := d.to - d.from
	for _, c := range text[d.from:d.to] {
		if c == '.' {
			digits--
		}
	}
	return d.point >= digits
}

// maxDouble is the largest number that a double holds. Readers make infinity, an error or a bignum of more.
const maxDouble = "1.7976931348623157e308"

// overflows reports whether a JSON number is beyond the doubles.
func overflows(number []byte) bool {
	i := len(number) - 1
	for i > 0 && number[i]-'0' < 10 {
		i--
	}
	if number[i] == '+' {
		i--
	}
	if number[max(i, 0)]|0x20 != 'e' && len(number) <= 308 {
		return false // nearly every number
	}
	if number[0] == '-' {
		number = number[1:]
	}
	return compareNumbers(number, maxDouble) > 0
}

// isSafeInteger reports whether an integer means the same to readers that take doubles: it is within 2^53-1 of zero, and not -0.
func isSafeInteger(number []byte) bool {
	return len(number) <= 15 && string(number) != "-0" ||
		compareNumbers(number, "9007199254740991") <= 0 && compareNumbers(number, "-9007199254740991") >= 0 && string(number) != "-0"
}

// IsID reports whether a JSON number may serve as an id: an integer, written as one, that means the same to every reader.
func IsID(number []byte) bool {
	_, integer := jsonscan.Number(number, 0)
	return integer && isSafeInteger(number)
}
