package waf_test

import (
	"fmt"

	"github.com/sallyport/sallyport/waf"
)

func ExampleParsePolicy() {
	cfg, err := waf.ParsePolicy([]byte(`{
  "endpoints": [
    {"path": "/mcp", "tools": [{"identity": "*", "allow": ["search_*"], "deny": ["search_private"]}]}
  ]
}`))
	fmt.Println(cfg.Endpoints[0].Path, cfg.Endpoints[0].Tools[0].Allow, err)
	// Output: /mcp [search_*] <nil>
}

// Reading is strict: a misspelt member is no setting that is silently ignored.
func ExampleParsePolicy_incorrect() {
	_, err := waf.ParsePolicy([]byte(`{
  "endpoints": [
    {"path": "/mcp", "anonymus": true},
    {"path": "mcp", "Anonymous": true}
  ]
}`))
	fmt.Println(err)
	// Output:
	// waf: policy:3:22: endpoints[0]: unknown member: known here are path, transport, sse_path, versions, min_version, min_versions, mode, modes, anonymous, allow_origins, allow_hosts, methods, tools, prompts, resources, dry_run
	// waf: policy:4:14: endpoints[1].path: must start with "/", or with "*/" for a suffix
	// waf: policy:4:21: endpoints[1]: unknown member: names are case-sensitive, "anonymous" is known here
}
