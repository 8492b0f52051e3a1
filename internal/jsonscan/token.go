package jsonscan

// Space returns the index of the first byte from b[i] on that is not JSON white space.
func Space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// Number reads the number at b[i], which is a digit or a minus sign, and returns the index after it, or -1, and whether
// it is written as an integer: without fraction and exponent.
func Number(b []byte, i int) (end int, integer bool) {
	if b[i] == '-' {
		i++
	}
	switch {
	case i >= len(b):
		return -1, false
	case b[i] == '0':
		i++
	case b[i]-'1' < 9:
		i = digits(b, i)
	default:
		return -1, false
	}
	if i >= len(b) || b[i] != '.' && b[i]|0x20 != 'e' {
		return i, true
	}
	if b[i] == '.' {
		start := i + 1
		if i = digits(b, start); i == start {
			return -1, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		start := i
		if i = digits(b, start); i == start {
			return -1, false
		}
	}
	return i, false
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' < 10 {
		i++
	}
	return i
}

// Literal reads true, false or null at b[i] and returns the index after it, or -1.
func Literal(b []byte, i int) int {
	if i+4 <= len(b) {
		switch {
		case string(b[i:i+4]) == "true", string(b[i:i+4]) == "null":
			return i + 4
		case i+5 <= len(b) && string(b[i:i+5]) == "false":
			return i + 5
		}
	}
	return -1
}
