package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

// decisions returns the events as objects.
func decisions(t *testing.T, text string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(text) {
		var event map[string]any
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("event %q: %v", line, err)
		}
		list = append(list, event)
	}
	return list
}

func TestEventsToStandardOutput(t *testing.T) {
	p := launch(t, "-events", "-")
	token := p.stderr.await(t, "token: (\\w+)")[1]
	p.call(t, http.DefaultClient, "/mcp", token, toolCall("add", `{"a":1,"b":2}`))
	p.call(t, http.DefaultClient, "/mcp", token, toolCall("delete_everything", `{}`))
	said, _ := p.stdout.state()
	events := decisions(t, said)
	if len(events) != 2 {
		t.Fatalf("%d events, want 2:\n%s", len(events), said)
	}
	for i, want := range []map[string]any{
		{"action": "allow", "endpoint": "/mcp", "method": "tools/call", "tool": "add", "identity": "local"},
		{"action": "deny", "layer": "policy", "status": 403.0, "tool": "delete_everything", "identity": "local"},
	} {
		for key, value := range want {
			if events[i][key] != value {
				t.Errorf("event %d: %s is %v, want %v", i, key, events[i][key], value)
			}
		}
		if events[i]["time"] == nil || events[i]["msg"] != nil {
			t.Errorf("event %d: %v, want a time and no msg", i, events[i])
		}
	}
	if strings.Contains(said, token) {
		t.Error("the events hold the token")
	}
}

func TestEventsFileIsPrivateAndAppendedTo(t *testing.T) {
	path := t.TempDir() + "/events"
	for want := 1; want <= 2; want++ {
		p := launch(t, "-events", path)
		p.call(t, http.DefaultClient, "/mcp", "", toolCall("add", `{"a":1,"b":2}`))
		p.stop()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(decisions(t, string(text))); got != want {
			t.Errorf("%d events, want %d", got, want)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
}

func TestDetectReportsAndLetsThrough(t *testing.T) {
	p := launch(t, "-detect", "-events", "-")
	resp := p.call(t, http.DefaultClient, "/mcp", "", toolCall("delete_everything", `{}`))
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d, want 200", resp.StatusCode)
	}
	said, _ := p.stdout.state()
	var actions []string
	for _, event := range decisions(t, said) {
		layer, _ := event["layer"].(string)
		actions = append(actions, event["action"].(string)+" "+layer)
	}
	if got, want := strings.Join(actions, ", "), "detect identity, detect policy, allow "; got != want {
		t.Errorf("events %q, want %q", got, want)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestLostEventsAreReportedOnce(t *testing.T) {
	stderr := newOutput()
	events := newEventLog(full{}, &lineLog{w: stderr})
	events.write(waf.Event{})
	events.write(waf.Event{})
	if said, _ := stderr.state(); said != "guardproxy: events are being lost: no space left on device\n" {
		t.Errorf("said %q, want one line", said)
	}
}
