package schema

import (
	"math/big"
	"strings"
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

func TestOverflows(t *testing.T) {
	long := "1" + strings.Repeat("0", 400)
	for text, want := range map[string]bool{
		"0": false, "-1": false, "1.5": false, "123456789": false, "0.123456789": false, "1e308": false, "1e309": true, "-1E+309": true, "1e-999": false,
		"1.7976931348623157e308": false, "1.7976931348623159e308": true, "0e999": false, "0.0001e312": false, "0.01e312": true, "17976931348623159e292": true,
		long: true, "0." + long: false, long + ".5": true, "1e5": false,
	} {
		if got := overflows([]byte(text)); got != want {
			t.Errorf("overflows(%.40s) = %v, want %v", text, got, want)
		}
	}
	for text, want := range map[string]bool{"0": true, "-0": false, "9007199254740991": true, "9007199254740992": false, "-9007199254740991": true, "-9007199254740992": false} {
		if got := isSafeInteger([]byte(text)); got != want {
			t.Errorf("isSafeInteger(%s) = %v, want %v", text, got, want)
		}
	}
}
