package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The versions of what these tests run are in node/package.json, and of all that comes with it in the lock file beside it.
const (
	nodeDir     = "node"
	nodeInstall = "npm ci --prefix internal/e2e/node" // from the root of the repository, as .ci/run does
)

// node returns a command that runs a script with the Node.js of the installed packages, or with the one of the machine if that is
// new enough. It skips the test where there is neither, or where the packages are not installed.
func node(ctx context.Context, t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	if testing.Short() {
		t.Skip("starts other programs, which -race does not see and which take their time")
	}
	if _, err := os.Stat(filepath.Join(nodeDir, "node_modules")); err != nil {
		t.Skipf("skipped: the packages are not installed; %s does it", nodeInstall)
	}
	cmd := exec.CommandContext(ctx, nodeProgram(t), append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), "NODE_USE_ENV_PROXY=0") // all servers are on loopback
	cmd.WaitDelay = patience                               // for reading what it wrote
	return cmd
}

func nodeProgram(t *testing.T) string {
	t.Helper()
	if own, _ := filepath.Glob(filepath.Join(nodeDir, "node_modules", "node-*", "bin", "node")); len(own) > 0 {
		program, err := filepath.Abs(own[0])
		if err != nil {
			t.Fatal(err)
		}
		return program
	}
	const oldest = 22
	version, err := exec.Command("node", "--version").Output()
	if err != nil {
		t.Skip("skipped: there is no Node.js")
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(string(version), "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < oldest {
		t.Skipf("skipped: Node.js is %s, the suite needs %d", bytes.TrimSpace(version), oldest)
	}
	return "node"
}
