package main

import (
	"strings"
	"testing"
)

func TestReadFile(t *testing.T) {
	path := write(t, "file", strings.Repeat("s", 2048))
	if text, err := readFile("-explain", path, 2048); err != nil || len(text) != 2048 {
		t.Errorf("a file of the largest size: %d bytes, %v", len(text), err)
	}
	if text, err := readFile("-explain", path, 2047); text != nil || err == nil || !strings.HasSuffix(err.Error(), "/file: the file is larger than 1 KiB") {
		t.Errorf("a file that is too large: %d bytes, %v", len(text), err)
	}
	if _, err := readFile("-explain", path+".missing", 1); err == nil || !strings.HasPrefix(err.Error(), "-explain: open ") {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := readFile("-explain", t.TempDir(), 1); err == nil || !strings.HasPrefix(err.Error(), "-explain: read ") {
		t.Errorf("a folder: %v", err)
	}
}
