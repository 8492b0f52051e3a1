package waf_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/waf"
)

// upload is a body that is too long for the Guard of the test, sent piece by piece.
func upload(path string, change ...func(*http.Request)) *http.Request {
	r := post("", append([]func(*http.Request){target(path), set("Content-Type", "application/octet-stream"), del("Authorization")}, change...)...)
	r.Body, r.ContentLength = io.NopCloser(io.LimitReader(strings.NewReader(strings.Repeat("x", 100_000)), 100_000)), -1
	return r
}

func TestUnreadBodies(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.MaxBodyBytes, c.StrictDiscovery = 1000, true
		c.DangerouslyUnreadBodies = []string{"/upload", "/files/*", "*/raw"}
	})
	for _, tc := range []struct {
		name    string
		request *http.Request
		status  int
	}{
		{"exact", upload("/upload"), 202},
		{"with a query", upload("/upload?name=x"), 202},
		{"subtree", upload("/files/a/b"), 202},
		{"suffix", upload("/any/raw"), 202},
		{"of a declared length", upload("/upload", func(r *http.Request) { r.ContentLength = 100_000 }), 202},
		{"another path", upload("/uploads"), 413},
		{"another spelling", upload("/Upload"), 413},
		{"an escape", upload("/%75pload"), 413},
		{"a slash more", upload("/upload/"), 413},
		{"out of the subtree", upload("/files/../upload"), 400},
		{"out of it by escapes", upload("/files/%2e%2e/upload"), 400},
		{"an endpoint below a pattern", upload("/files/mcp/raw", func(r *http.Request) { r.RequestURI, r.URL.Path = "/mcp", "/mcp" }), 415},
		{"still judged by its head", upload("/upload", func(r *http.Request) { r.Header["Content-Type"] = []string{"text/plain", "text/html"} }), 400},
		{"MCP by its header", upload("/upload", set("Mcp-Method", "tools/call")), 403},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := g.serve(tc.request)
			if rec.Code != tc.status {
				t.Fatalf("status %d, want %d; events %+v", rec.Code, tc.status, g.events)
			}
			if tc.status == 202 && len(g.body) != 100_000 {
				t.Errorf("the handler read %d bytes, want all", len(g.body))
			}
		})
	}
}

// The handler has the first bytes before the last ones are sent, and no room is taken.
func TestUnreadBodyStreams(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) { c.DangerouslyUnreadBodies = []string{"/upload"} })
	r := upload("/upload")
	body, writer := io.Pipe()
	r.Body = body
	go func() { _, _ = io.WriteString(writer, "first") }()
	giveUp := time.AfterFunc(time.Minute, func() { _ = writer.CloseWithError(errBroken) }) // who waits for the end waits in vain
	defer giveUp.Stop()
	g.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var first [5]byte
		if _, err := io.ReadFull(r.Body, first[:]); err != nil || string(first[:]) != "first" {
			t.Errorf("the handler reads %q, %v", first, err)
		}
		if s := g.Stats(); s != (waf.Stats{}) {
			t.Errorf("the Guard holds %+v", s)
		}
		_ = writer.Close()
	})).ServeHTTP(httptest.NewRecorder(), r)
}

func TestUnreadBodyFaults(t *testing.T) {
	_, err := waf.New(waf.Config{
		Endpoints:               []waf.Endpoint{{Path: "/mcp"}},
		DangerouslyUnreadBodies: []string{"upload", "/mcp", "/MCP/", "/a", "/a", "/fine"},
	})
	if err == nil {
		t.Fatal("New takes paths that can't be meant")
	}
	for _, field := range []string{"[0]", "[1]", "[2]", "[4]"} {
		if !strings.Contains(err.Error(), "Config.DangerouslyUnreadBodies"+field+":") {
			t.Errorf("the error does not name %s:\n%v", field, err)
		}
	}
	if strings.Contains(err.Error(), "[3]") || strings.Contains(err.Error(), "[5]") {
		t.Errorf("the error names a path that is fine:\n%v", err)
	}
}

// Also where such a target is only reported, a path that cleaning readers take elsewhere is none of those that were listed.
func TestUnreadBodiesOfPathThatLeadsElsewhere(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.DangerouslyNoRules, c.MaxBodyBytes = true, 1024
		c.Modes = map[waf.Layer]waf.Mode{waf.LayerValidate: waf.DetectOnly}
		c.DangerouslyUnreadBodies = []string{"/upload/*"}
	})
	for path, want := range map[string]int{"/upload/a": 202, "/upload/../other": 413, "/upload/%2e%2e/other": 413} {
		if rec := g.serve(post(strings.Repeat("x", 2048), target(path))); rec.Code != want {
			t.Errorf("%s: status %d, events %+v, want %d", path, rec.Code, g.events, want)
		}
	}
}
