package main

import (
	"fmt"
	"io"
)

// announce says where the program listens and how to call it. It keeps out of the way of events on standard output.
func (p *program) announce(stdout, stderr io.Writer) {
	out := stdout
	if p.opts.events == "-" {
		out = stderr
	}
	base := "http://" + p.listener.Addr().String()
	if p.tls != nil {
		base = "https://" + p.listener.Addr().String()
	}
	behind := "embedded demo server"
	if p.opts.upstream != nil {
		behind = p.opts.upstream.String()
	}
	fmt.Fprintf(out, "guarding %s on %s\n", behind, base)
	if p.admin != nil {
		fmt.Fprintf(out, "metrics on http://%s/metrics\n", p.admin.listener.Addr())
	}
	if p.opts.detect {
		fmt.Fprintln(out, "detect only: nothing is refused")
	}
	switch {
	case p.opts.policy != "":
		return
	case p.policy.token == "":
		p.log.line("no -policy, and the listener is not on loopback: every MCP request is refused until a policy says who may call")
	case p.opts.upstream != nil:
		fmt.Fprintf(out, "no -policy: callers need this run's token\n  Authorization: Bearer %s\n", p.policy.token)
	case p.opts.clientCA != "":
		fmt.Fprintf(out, "callers need a client certificate and this run's token\n  Authorization: Bearer %s\n", p.policy.token)
	default:
		p.printCommands(out, base+"/mcp")
	}
}

// printCommands prints calls of the demo server that can be pasted into a shell.
func (p *program) printCommands(out io.Writer, url string) {
	fmt.Fprintf(out, "this run's token: %s\n", p.policy.token)
	curl := "curl -i"
	if p.tls != nil {
		curl += " --cacert " + quote(p.opts.tlsCert)
	}
	curl += " " + url + " -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream'" +
		" -H 'MCP-Protocol-Version: 2025-11-25'"
	authorised := curl + " -H 'Authorization: Bearer " + p.policy.token + "'"
	for _, c := range [...]struct{ comment, command, body string }{
		{"200: a call that is allowed", authorised, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":2,"b":3}}}`},
		{"401: no token", curl, `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"add","arguments":{"a":2,"b":3}}}`},
		{"403: the policy denies this tool", authorised, `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"delete_everything","arguments":{}}}`},
		{"400: method and Method, two meanings", authorised, `{"jsonrpc":"2.0","id":4,"method":"tools/list","Method":"tools/call","params":{"name":"delete_everything"}}`},
	} {
		fmt.Fprintf(out, "\n# %s\n%s -d '%s'\n", c.comment, c.command, c.body)
	}
}

// quote makes one shell word of a file name.
func quote(name string) string {
	quoted := "'"
	for _, r := range name {
		if r == '\'' {
			quoted += `'\''`
			continue
		}
		quoted += string(r)
	}
	return quoted + "'"
}
