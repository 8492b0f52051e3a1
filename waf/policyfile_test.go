package waf

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/validate"
)

var update = flag.Bool("update", false, "rewrite the golden files of this package")

// checkGolden compares what a test got with a golden file.
func checkGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); -update rewrites it:\n%s", file, diff)
	}
}

// policyFiles returns the files of a folder of testdata/policy by name.
func policyFiles(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "policy", folder, "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no policy files in %q: %v", folder, err)
	}
	files := make(map[string][]byte, len(names))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimSuffix(filepath.Base(name), ".json")] = data
	}
	return files
}

// fooSum is the SHA-256 of "foo".
var fooSum = [32]byte{
	0x2c, 0x26, 0xb4, 0x6b, 0x68, 0xff, 0xc6, 0x8f, 0xf9, 0x9b, 0x45, 0x3c, 0x1d, 0x30, 0x41, 0x34,
	0x13, 0x42, 0x2d, 0x70, 0x64, 0x83, 0xbf, 0xa0, 0xf9, 0x8a, 0x5e, 0x88, 0x62, 0x66, 0xe7, 0xae,
}

func TestParsePolicy(t *testing.T) {
	want := map[string]Config{
		"empty":   {},
		"escapes": {Mode: DetectOnly, Endpoints: []Endpoint{}},
		"nothing": {
			Identities: Identities{Bearer: []BearerToken{}, ClientCertificates: []ClientCertificate{}},
			Endpoints: []Endpoint{
				{Path: "/mcp/*", AllowOrigins: []string{}, AllowHosts: []string{}, Tools: []AccessRule{}},
				{Path: "*/mcp", Tools: []AccessRule{{Identity: "ci", Allow: []string{}, Deny: []string{}}}},
			},
		},
		"full": {
			Mode: DetectOnly,
			Identities: Identities{
				TrustedHeader: &TrustedHeader{
					Name: "X-Verified-User",
					From: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("fd00::/8")},
				},
				Bearer: []BearerToken{{Name: "ci", SHA256: fooSum}},
				ClientCertificates: []ClientCertificate{
					{Name: "agent", URISAN: "spiffe://example.org/agent"},
					{Name: "robot", DNSSAN: "robot.example.org", Subject: "CN=robot,O=Example"},
				},
			},
			Endpoints: []Endpoint{
				{
					Path: "/mcp", Transport: TransportStreamableHTTP,
					Versions:     []mcpmsg.Version{mcpmsg.V20250618, mcpmsg.V20251125, mcpmsg.V20260728},
					AllowOrigins: []string{"https://app.example.com"}, AllowHosts: []string{"mcp.example.com"},
					Tools: []AccessRule{{Identity: "*", Allow: []string{"search_docs"}, Deny: []string{"nginx_config_*"}}},
				},
				{Path: "/mcp_message", Transport: TransportHTTPSSE, SSEPath: "/sse", Anonymous: true},
			},
			MaxBodyBytes:    1 << 20,
			Request:         validate.RequestConfig{Headers: validate.HeaderConfig{MaxValueBytes: 8192, MaxCustomValueBytes: 2048}},
			StrictDiscovery: true,
		},
	}
	want["production"] = Config{
		TrustedProxies:   []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		ResourceMetadata: "https://mcp.example.com/.well-known/oauth-protected-resource/mcp",
		MaxBodyBytes:     64 << 10,

		DangerouslyUnreadBodies: []string{"/upload", "/files/*"},
		LogValues:               LogValues{Headers: []string{"User-Agent"}, Arguments: []string{"/path"}, MaxBytes: 64},
		Limits:                  Limits{MaxBodies: 100, MaxBodiesSize: 1 << 20, BodyTimeout: 10 * time.Second, MaxStreams: 20},
		Endpoints: []Endpoint{{
			Path:      "/mcp",
			Methods:   []AccessRule{{Identity: "*", Deny: []string{"logging/*"}}},
			Prompts:   []AccessRule{{Identity: "ci", Allow: []string{"review"}}},
			Resources: []AccessRule{{Identity: "*", Allow: []string{"file:///docs/*"}, Deny: []string{"*secret*"}}},
		}},
	}
	want["arguments"] = Config{Endpoints: []Endpoint{{Path: "/mcp", Tools: []AccessRule{
		{Identity: "*", Allow: []string{"search_*"}},
		{Identity: "ci", Allow: []string{"deploy"}, Arguments: []ArgumentRule{
			{Path: "/env", OneOf: []any{"staging"}},
			{Path: "/replicas", OneOf: []any{json.Number("1"), json.Number("2.50"), true, "auto"}, Optional: true},
			{Path: "/chart/name~1tag", Prefixes: []string{"charts/", "https://charts.example.com/"}},
		}},
		{Identity: "ci", Allow: []string{"query"}, ArgumentSchema: mustCompileSchema(t, `{"type": "object", "required": ["sql"],
			"properties": {"sql": {"type": "string", "maxLength": 1000}}, "additionalProperties": false}`)},
	}}}}
	want["versions"] = Config{Endpoints: []Endpoint{{
		Path: "/mcp", MinVersion: mcpmsg.V20250326,
		MinVersions: []MinVersion{{Identity: "ci", Version: mcpmsg.V20251125}, {Identity: "old", Version: mcpmsg.V20241105}},
	}}}
	want["modes"] = Config{
		Mode: DetectOnly, Modes: map[Layer]Mode{LayerValidate: Enforce, LayerResponse: DetectOnly},
		Endpoints: []Endpoint{
			{Path: "/a", MinVersion: mcpmsg.V20250618, Modes: map[Layer]Mode{}},
			{Path: "/b", Modes: map[Layer]Mode{LayerPolicy: DetectOnly, LayerRules: Enforce}},
			{Path: "/c", Modes: AllLayers(Enforce)},
			{Path: "/d", Modes: AllLayers(DetectOnly)},
		},
	}
	want["modes"].Endpoints[3].Modes[LayerIdentity] = Enforce
	for name, data := range policyFiles(t, "good") {
		got, err := ParsePolicy(data)
		if err != nil {
			t.Errorf("%s: ParsePolicy: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want[name], got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), sameSchemas); diff != "" {
			t.Errorf("%s: ParsePolicy (-want +got):\n%s", name, diff)
		}
	}
}

// sameSchemas compares compiled schemas by all that is in them.
var sameSchemas = cmp.Comparer(func(a, b *mcpmsg.Schema) bool { return reflect.DeepEqual(a, b) })

func mustCompileSchema(t testing.TB, text string) *mcpmsg.Schema {
	t.Helper()
	schema, err := mcpmsg.CompileSchema([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestParsePolicyErrors compares the faults of each file with its golden file. What every file holds where it is wrong, the
// word hunter2, must not come back.
func TestParsePolicyErrors(t *testing.T) {
	for name, data := range policyFiles(t, "bad") {
		cfg, err := ParsePolicy(data)
		if err == nil {
			t.Errorf("%s: ParsePolicy accepted it", name)
			continue
		}
		if !reflect.DeepEqual(cfg, Config{}) {
			t.Errorf("%s: ParsePolicy returned settings together with an error", name)
		}
		var typed *PolicyError
		if !errors.As(err, &typed) || typed.Line < 1 || typed.Column < 1 {
			t.Errorf("%s: errors.As: %+v, want a *PolicyError with a place", name, typed)
		}
		if strings.Contains(strings.ToLower(err.Error()), "hunter2") {
			t.Errorf("%s: the error repeats what the file holds: %v", name, err)
		}
		checkGolden(t, filepath.Join("testdata", "policy", "bad", name+".golden"), err.Error()+"\n")
	}
}

// TestParsePolicyBounds has the files that are too big to be kept.
func TestParsePolicyBounds(t *testing.T) {
	repeat := func(start, middle string, n int, end string) string { return start + strings.Repeat(middle, n) + end }
	for _, tc := range []struct {
		name  string
		file  string
		want  string // the last fault
		count int
	}{
		{"longest file", repeat("{", " ", maxPolicyBytes-2, "}"), "", 0},
		{"file too long", repeat("{", " ", maxPolicyBytes-1, "}"), "waf: policy:1:1: the file is longer than 1 MiB", 1},
		{"deep", repeat("", "[", 33, repeat("", "]", 33, "")), "waf: policy:1:33: nested deeper than 32 levels", 1},
		{"deepest", repeat("", "[", 32, repeat("", "]", 32, "")), "waf: policy:1:1: must be an object", 1},
		{"deeper than encoding/json reads", repeat("", "[", 20000, repeat("", "]", 20000, "")), "waf: policy:1:10001: not valid JSON from here on", 1},
		{"many faults", repeat("{", "\"hunter2\":0,", 150, `"mode":"enforce"}`), "waf: policy:1:1190: more faults follow: these come first", 101},
		{
			"many patterns", repeat(`{"endpoints":[{"path":"/mcp","tools":[{"identity":"*","deny":["a"`, `,"a"`, 4096, `]}]}]}`),
			"waf: policy:1:38: endpoints[0].tools: 4097 patterns, limit 4096", 1,
		},
	} {
		_, err := ParsePolicy([]byte(tc.file))
		var lines []string
		if err != nil {
			lines = strings.Split(err.Error(), "\n")
		}
		if len(lines) != tc.count || tc.count > 0 && lines[len(lines)-1] != tc.want {
			t.Errorf("%s: ParsePolicy: %d faults, %.200v, want %d, the last %q", tc.name, len(lines), err, tc.count, tc.want)
		}
	}
}

// FuzzParsePolicy holds that what is accepted means the same after another program wrote it anew.
func FuzzParsePolicy(f *testing.F) {
	for _, folder := range []string{"good", "bad"} {
		for _, data := range policyFiles(f, folder) {
			if len(data) < 4096 {
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := ParsePolicy(data)
		if err != nil {
			lines := strings.Count(string(data), "\n") + 1
			for line := range strings.Lines(err.Error()) {
				var at, column int
				if _, err := fmt.Sscanf(line, "waf: policy:%d:%d:", &at, &column); err != nil || at < 1 || at > lines || column < 1 || column > len(data)+1 {
					t.Errorf("place %d:%d outside of the file, or none: %q", at, column, line)
				}
			}
			return
		}
		var tree any
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber() // numbers in conditions are kept as they are written
		if err := dec.Decode(&tree); err != nil {
			t.Fatalf("encoding/json refuses an accepted file: %v", err)
		}
		written, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParsePolicy(written)
		if err != nil || !reflect.DeepEqual(again, cfg) {
			t.Errorf("written anew as %s: %+v, %v; want %+v", written, again, err, cfg)
		}
	})
}
