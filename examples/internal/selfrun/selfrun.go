// Package selfrun lets the test of a program run the program: the test binary starts itself again, as main.
package selfrun

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	asMain   = "SALLYPORT_EXAMPLE_AS_MAIN"
	patience = 2 * time.Minute // for a program to start; it only decides how soon a broken one is reported
)

// Main is what TestMain calls: it runs the tests, or main in a process that Start started.
func Main(m *testing.M, main func()) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// Process is a running program.
type Process struct {
	Addr string // where it listens

	// Stop ends the program and returns what it wrote to standard error. The test calls it at its end in any case.
	Stop func() (log string)
}

// Start runs the program and returns when it has said "listening on ADDR".
func Start(t testing.TB, args ...string) *Process {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asMain+"=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	addr, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		defer close(addr)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			log.WriteString(lines.Text() + "\n")
			if _, a, ok := strings.Cut(lines.Text(), "listening on "); ok {
				addr <- a
			}
		}
	}()
	p := &Process{Stop: sync.OnceValue(func() string {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
		return log.String()
	})}
	t.Cleanup(func() { p.Stop() })
	select {
	case p.Addr = <-addr:
	case <-time.After(patience):
	}
	if p.Addr == "" {
		t.Fatalf("the program does not listen:\n%s", p.Stop())
	}
	return p
}

// CallTool calls a tool of the MCP server that the program has at /mcp, under the name host, and returns the answer and its body.
func (p *Process) CallTool(t testing.TB, host, tool string, authorization ...string) (answer *http.Response, body string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+p.Addr+"/mcp",
		strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+tool+`"}}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	req.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": authorization}
	answer, err = http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}
