package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
)

const maxKeysBytes = 64 << 10 // of the file

// readSessionKeys reads one key per line, in Base64 as "openssl rand -base64 32" writes it; lines that are empty or start with "#"
// hold none. The Guard bounds their number and length. No key is in an error.
func readSessionKeys(path string) ([][]byte, error) {
	text, err := readFile("-session-keys", path, maxKeysBytes)
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	for i, line := range bytes.Split(text, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key, err := base64.StdEncoding.Strict().DecodeString(string(line))
		if err != nil {
			return nil, fmt.Errorf("-session-keys %s: line %d is not Base64", path, i+1)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("-session-keys %s: there is no key in it", path)
	}
	return keys, nil
}
