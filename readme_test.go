package sallyport_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Every Go program in the README must compile.
func TestReadmePrograms(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(readme), "```go\n")[1:]
	if len(blocks) < 3 {
		t.Fatalf("the README holds %d programs, want at least 3", len(blocks))
	}
	for i, block := range blocks {
		program, _, closed := strings.Cut(block, "\n```")
		if !closed {
			t.Fatalf("program %d has no end", i+1)
		}
		t.Run(strconv.Itoa(i+1), func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "main.go")
			if err := os.WriteFile(file, []byte(program+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
				t.Errorf("program %d does not compile: %v\n%s", i+1, err, out)
			}
			formatted, err := exec.Command("gofmt", "-l", file).Output()
			if err != nil || len(formatted) > 0 {
				t.Errorf("program %d is not formatted: %v", i+1, err)
			}
		})
	}
}
