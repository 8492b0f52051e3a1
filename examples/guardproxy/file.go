package main

import (
	"fmt"
	"io"
	"os"
)

// readFile reads the file that a flag names, of at most maxBytes. Nothing of what it holds is in an error.
func readFile(flag, path string, maxBytes int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if int64(len(text)) > maxBytes {
		return nil, fmt.Errorf("%s %s: the file is larger than %d KiB", flag, path, maxBytes>>10)
	}
	return text, nil
}
