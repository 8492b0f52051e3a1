package schema

import (
	"math/big"
	"testing"
)

var numbers = []string{
	"0", "-0", "0.0", "1", "-1", "1.0", "1e0", "10", "1e1", "0.1", "1e-1", "100", "1.5", "15e-1", "150e-2", "0.0015", "-1.5", "-15", "99", "99.5", "123456789012345678901234567890",
	"1.23456789012345678901234567890e29", "1e30", "-1e30", "1e-30", "1000e-3", "0e5", "0.000", "2", "1.0001", "1.001", "12.30", "12.3",
}

// TestNumbers compares with exact arithmetic.
func TestNumbers(t *testing.T) {
	for _, a := range numbers {
		x, _ := new(big.Rat).SetString(a)
		if got := isIntegral([]byte(a)); got != x.IsInt() {
			t.Errorf("isIntegral(%s) = %v", a, got)
		}
		for _, b := range numbers {
			y, _ := new(big.Rat).SetString(b)
			if got := compareNumbers(a, b); got != x.Cmp(y) {
				t.Errorf("compareNumbers(%s, %s) = %d, want %d", a, b, got, x.Cmp(y))
			}
		}
	}
	if compareNumbers("1e99999999999999999999", "1e400") != 1 || compareNumbers("1e-99999999999999999999", "0") != 1 || !isIntegral([]byte("1e400")) {
		t.Error("huge exponents are not told apart")
	}
}
