// Package reference finds the project's reference data (schemas, captures, corpora), which lies beside the repository
// and is never part of it. Only tests import it.
package reference

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Path returns the path of an element of the reference data, such as "mcp/captures". It skips the test, saying why, where
// the data is absent, as it is in a user's clone: the repository's own vectors still run there.
func Path(tb testing.TB, elem ...string) string {
	tb.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		tb.Fatal("reference: the source position of this file is unknown")
	}
	root := filepath.Join(filepath.Dir(file), "..", "..", "..", "shared")
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("reference data %q is not beside this clone: the repository's own vectors cover this check", filepath.Join(elem...))
	}
	return path
}
