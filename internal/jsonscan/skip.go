package jsonscan

import "iter"

// The functions of this file read texts that are known to be valid JSON.

// SkipString returns the index after the string whose opening quote is before b[i].
func SkipString(b []byte, i int) int {
	var wide bool
	return String(b, i, &wide)
}

// Skip returns the index after the value at b[i].
func Skip(b []byte, i int) int {
	for depth := 0; i < len(b); {
		switch c := b[i]; c {
		case '"':
			i = SkipString(b, i+1)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\r', '\n':
			i++
			continue // no value ends here
		default:
			for i < len(b) && isScalar(b[i]) {
				i++
			}
		}
		if depth == 0 {
			break
		}
	}
	return i
}

func isScalar(c byte) bool {
	return c-'0' < 10 || c|0x20-'a' < 26 || c == '-' || c == '+' || c == '.'
}

// Members yields the names (string bodies) and raw values of an object, in order. Of any other value it yields nothing.
func Members(b []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		if len(b) == 0 || b[0] != '{' {
			return
		}
		for i := Space(b, 1); i < len(b) && b[i] == '"'; {
			end := SkipString(b, i+1)
			name := b[i+1 : end-1]
			i = Space(b, Space(b, end)+1)
			end = Skip(b, i)
			if !yield(name, b[i:end]) {
				return
			}
			if i = Space(b, end); i < len(b) && b[i] == ',' {
				i = Space(b, i+1)
			}
		}
	}
}

// Member returns the index of the value that the object at b[i] has under a name, or -1. Of any other value it finds nothing.
func Member[T ~string | ~[]byte](b []byte, i int, name T) int {
	if b[i] != '{' {
		return -1
	}
	for i = Space(b, i+1); b[i] == '"'; {
		end := SkipString(b, i+1)
		value := Space(b, Space(b, end)+1)
		if Equal(b[i+1:end-1], name) {
			return value
		}
		if i = Space(b, Skip(b, value)); b[i] == ',' {
			i = Space(b, i+1)
		}
	}
	return -1
}

// Elements yields the raw values of an array, in order. Of any other value it yields nothing.
func Elements(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(b) == 0 || b[0] != '[' {
			return
		}
		for i := Space(b, 1); i < len(b) && b[i] != ']'; {
			end := Skip(b, i)
			if !yield(b[i:end]) {
				return
			}
			if i = Space(b, end); i < len(b) && b[i] == ',' {
				i = Space(b, i+1)
			}
		}
	}
}
