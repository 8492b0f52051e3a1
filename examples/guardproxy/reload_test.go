package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"syscall"
	"testing"
)

// policyText lets the token "secret" call every tool but denied.
func policyText(denied string) string {
	sum := sha256.Sum256([]byte("secret"))
	return `{"identities": {"bearer": [{"name": "ci", "sha256": "` + hex.EncodeToString(sum[:]) + `"}]},
		"endpoints": [{"path": "/mcp", "tools": [{"identity": "ci", "deny": ["` + denied + `"]}]}]}`
}

func TestReload(t *testing.T) {
	path := write(t, "policy.json", policyText("echo"))
	p := launch(t, "-policy", path)
	status := func(tool, arguments string) int {
		return p.call(t, http.DefaultClient, "/mcp", "secret", toolCall(tool, arguments)).StatusCode
	}
	expect := func(when string, echo, add int) {
		t.Helper()
		if got := status("echo", `{"message":"x"}`); got != echo {
			t.Errorf("%s: echo answers %d, want %d", when, got, echo)
		}
		if got := status("add", `{"a":1,"b":2}`); got != add {
			t.Errorf("%s: add answers %d, want %d", when, got, add)
		}
	}
	change := func(text string) {
		t.Helper()
		replace(t, path, text)
	}
	expect("at first", 403, 200)

	change(policyText("add"))
	p.stderr.await(t, "policy reloaded\n")
	expect("after a change", 200, 403)

	change(`{"mode": 5}`)
	p.stderr.await(t, "not reloaded, the old policy stays: .*policy.json.*\n")
	expect("after a bad change", 200, 403)

	change(policyText("echo"))
	p.stderr.await(t, "(?s)policy reloaded\n.*policy reloaded\n")
	expect("after a good change", 403, 200)

	// The program watches by now, so the signal ends nothing.
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.stderr.await(t, "(?s)(policy reloaded\n.*){3}")
	expect("after SIGHUP", 403, 200)
}

func TestReloadOfRules(t *testing.T) {
	deny := func(path string) string {
		return `SecRule REQUEST_URI "@streq ` + path + `" "id:100001,phase:1,deny,status:403,t:none,msg:'Test'"` + "\n"
	}
	file := write(t, "extra.conf", deny("/first"))
	p := launch(t, "-rules", file)
	expect := func(when, refused, served string) {
		t.Helper()
		for path, want := range map[string]int{refused: http.StatusForbidden, served: http.StatusMethodNotAllowed} {
			resp, err := http.Get(p.url + path)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s: GET %s answers %d, want %d", when, path, resp.StatusCode, want)
			}
		}
	}
	expect("at first", "/first", "/second")
	replace(t, file, deny("/second"))
	p.stderr.await(t, "policy reloaded\n")
	expect("after a change", "/second", "/first")
}

// A file that vanishes is a bad change like any other: the old rules stay.
func TestReloadOfAVanishedFile(t *testing.T) {
	path := write(t, "policy.json", policyText("echo"))
	p := launch(t, "-policy", path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	p.stderr.await(t, "not reloaded, the old policy stays: .*no such file")
	if got := p.call(t, http.DefaultClient, "/mcp", "secret", toolCall("echo", `{"message":"x"}`)).StatusCode; got != http.StatusForbidden {
		t.Errorf("echo answers %d, want 403", got)
	}
}

func TestNothingToReload(t *testing.T) {
	stderr := newOutput()
	p := &program{policy: &policySource{}, log: &lineLog{w: stderr}}
	p.reload()
	if said, _ := stderr.state(); said != "guardproxy: not reloaded: there is no -policy, -rules or -session-keys file to read again\n" {
		t.Errorf("said %q", said)
	}
}
