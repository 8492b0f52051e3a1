package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/examples/guardproxy/proxy"
	"github.com/sallyport/sallyport/waf"
)

// The official suite comes to the same verdict on every single check of every scenario, with and without the Guard before the
// official server. So a scenario that the server fails has to fail in the same way.
func TestConformance(t *testing.T) {
	suite, err := filepath.Abs(filepath.Join(nodeDir, "node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js"))
	if err != nil {
		t.Fatal(err)
	}
	node(t.Context(), t, suite) // skips where it can't run
	program := buildConformanceServer(t)
	for _, tc := range []struct {
		stateless bool
		revision  string // "" for the newest, with the extensions
		scenarios int
	}{
		{false, "2025-03-26", 1},
		{false, "2025-06-18", 27},
		{false, "2025-11-25", 33},
		{true, "2025-06-18", 27},
		{true, "2025-11-25", 33},
		{true, "2026-07-28", 40},
		{true, "", 65},
	} {
		kind := "stateful"
		if tc.stateless {
			kind = "stateless"
		}
		t.Run(kind+"/"+cmp.Or(tc.revision, "extensions"), func(t *testing.T) {
			var direct, through verdicts
			for range 3 { // the suite judges by the clock, too: on a busy machine the verdicts may differ once, but not each time
				direct, through = runBoth(t, suite, program, tc.stateless, tc.revision)
				if len(direct) == tc.scenarios && maps.EqualFunc(direct, through, maps.Equal) {
					break
				}
				t.Log("the verdicts differ" + direct.beside(through))
			}
			if len(direct) != tc.scenarios {
				t.Errorf("the suite ran %d scenarios, want %d", len(direct), tc.scenarios)
			}
			t.Log("scenario: checks passed, failed, other; without the Guard and with it" + direct.beside(through))
			for _, scenario := range slices.Sorted(maps.Keys(direct)) {
				if !maps.Equal(direct[scenario], through[scenario]) {
					t.Errorf("%s:\nwithout the Guard %v\nwith it           %v", scenario, direct[scenario], through[scenario])
				}
			}
		})
	}
}

// runBoth runs the suite against a server without the Guard and, at the same time, against another one behind it: scenarios change what a
// server offers.
func runBoth(t *testing.T, suite, program string, stateless bool, revision string) (direct, through verdicts) {
	t.Helper()
	seen := &events{}
	guard := newGuard(t, waf.Config{Endpoints: []waf.Endpoint{{Path: "/mcp", Anonymous: true}}, OnEvent: seen.add})
	target, err := url.Parse(startConformanceServer(t, program, stateless))
	if err != nil {
		t.Fatal(err)
	}
	guarded := listen(t, guard.Wrap(proxy.New(target, nil)))
	bare := startConformanceServer(t, program, stateless)
	var both sync.WaitGroup
	both.Go(func() { direct = runSuite(t, suite, bare, revision) })
	both.Go(func() { through = runSuite(t, suite, guarded, revision) })
	both.Wait()
	for _, e := range refusals(seen.take()) {
		t.Logf("refused in place of the server: %s %s %d", e.Layer, e.Code, e.Status)
	}
	return direct, through
}

// verdicts are the outcomes of the checks of each scenario.
type verdicts map[string]map[string]string

// beside compares two runs, a scenario a line.
func (v verdicts) beside(other verdicts) string {
	var text strings.Builder
	var passed, agreed int
	for _, scenario := range slices.Sorted(maps.Keys(v)) {
		a, b := count(v[scenario]), count(other[scenario])
		fmt.Fprintf(&text, "\n%-52s %3d %3d %3d   %3d %3d %3d", scenario, a[0], a[1], a[2], b[0], b[1], b[2])
		if a[1] == 0 {
			passed++
		}
		if a == b {
			agreed++
		}
	}
	fmt.Fprintf(&text, "\nwithout the Guard %d of %d scenarios pass; with it the same in %d", passed, len(v), agreed)
	return text.String()
}

// count returns how many checks passed, failed, and did neither.
func count(checks map[string]string) (n [3]int) {
	for _, status := range checks {
		switch status {
		case "SUCCESS":
			n[0]++
		case "FAILURE":
			n[1]++
		default:
			n[2]++
		}
	}
	return n
}

// runSuite runs every scenario of the suite that fits the revision against the server.
func runSuite(t *testing.T, suite, server, revision string) verdicts {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	results := t.TempDir()
	args := []string{"server", "--url", server + "/mcp", "--suite", "all", "--output-dir", results}
	if revision != "" {
		args = append(args, "--spec-version", revision)
	}
	cmd := node(ctx, t, suite, args...)
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Errorf("the suite did not end as it should: %v\n%s", err, out)
	}
	return readVerdicts(t, results)
}

// readVerdicts reads what the suite left: one folder per scenario, named after it and the time, with its checks.
func readVerdicts(t *testing.T, dir string) verdicts {
	t.Helper()
	const stamp = len("-2006-01-02T15-04-05-000Z")
	folders, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	all := verdicts{}
	for _, folder := range folders {
		var checks []struct{ ID, Status string }
		text, err := os.ReadFile(filepath.Join(dir, folder.Name(), "checks.json"))
		if err == nil {
			err = json.Unmarshal(text, &checks)
		}
		if err != nil {
			t.Error(err)
			continue
		}
		outcome := map[string]string{}
		for _, c := range checks {
			for n, id := 2, c.ID; ; n++ { // some scenarios make the same check several times
				if outcome[id] == "" {
					outcome[id] = c.Status
					break
				}
				id = fmt.Sprintf("%s#%d", c.ID, n)
			}
		}
		scenario := strings.TrimPrefix(folder.Name(), "server-")
		all[scenario[:max(0, len(scenario)-stamp)]] = outcome
	}
	return all
}

// buildConformanceServer builds the server that the Go SDK is tested with, in the release that go.mod names.
func buildConformanceServer(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "everything-server")
	cmd := exec.Command("go", "build", "-o", program, "github.com/modelcontextprotocol/go-sdk/conformance/everything-server")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// startConformanceServer runs the server until the test ends and returns its URL.
func startConformanceServer(t *testing.T, program string, stateless bool) string {
	t.Helper()
	refusal := http.StatusBadRequest // of a GET without a session
	if stateless {
		refusal = http.StatusMethodNotAllowed
	}
	for range 10 { // the server can't be told to choose its port, and somebody else may be faster
		reserved, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := reserved.Addr().String()
		_ = reserved.Close()
		cmd := exec.Command(program, "-http", addr, fmt.Sprintf("-stateless=%v", stateless))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = cmd.Wait()
		}()
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			<-ended
		})
		var serves bool
		await(t, "the conformance server", func() bool {
			select {
			case <-ended:
				return true
			default:
			}
			resp, err := impatient.Get("http://" + addr + "/mcp")
			if err != nil {
				return false
			}
			_ = resp.Body.Close()
			serves = resp.StatusCode == refusal
			return serves
		})
		if serves {
			return "http://" + addr
		}
	}
	t.Fatal("the conformance server does not stay")
	return ""
}
