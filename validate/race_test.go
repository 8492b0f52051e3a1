//go:build race

package validate_test

// raceEnabled says that allocation counts mean nothing.
const raceEnabled = true
