package waf

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/validate"
)

// originAllowed reports whether a browser page of this origin may call the endpoint. The Origin is known to be one value of
// the right form; "null" is never allowed.
//
// That Origin and Host name the same host is no reason to allow anything: DNS rebinding makes them equal.
//
// Source: MCP 2025-11-25, Streamable HTTP, Security Warning.
func (ep *endpoint) originAllowed(origin string, r *http.Request) bool {
	if ep.AllowOrigins != nil {
		return slices.Contains(ep.AllowOrigins, origin)
	}
	scheme, host, ok := strings.Cut(origin, "://")
	if !ok {
		return false
	}
	if len(ep.AllowHosts) > 0 {
		// An entry without a port stands for the default port here: another port of the same host is another origin.
		host = strings.ToLower(host)
		bare := strings.TrimSuffix(host, defaultPort(scheme))
		return slices.Contains(ep.AllowHosts, bare) || slices.Contains(ep.AllowHosts, bare+defaultPort(scheme)) ||
			slices.Contains(ep.AllowHosts, host)
	}
	return isLoopbackHost(host) && isLoopbackHost(r.Host) && onLoopbackListener(r)
}

// hostAllowed reports whether the endpoint is served under this value of Host.
func (ep *endpoint) hostAllowed(r *http.Request) bool {
	if ep.AllowHosts == nil {
		return true
	}
	host := strings.ToLower(r.Host)
	if slices.Contains(ep.AllowHosts, host) {
		return true
	}
	name, port := splitPort(host)
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return slices.Contains(ep.AllowHosts, name) || port == "" && slices.Contains(ep.AllowHosts, name+defaultPort(scheme))
}

// splitPort splits a valid Host value; port is "" if there is none.
func splitPort(host string) (name, port string) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.HasSuffix(host, "]") {
		return host, ""
	}
	return host[:i], host[i+1:]
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return ":443"
	}
	return ":80"
}

// isLoopbackHost reports whether a Host value, with or without a port, names this machine only.
func isLoopbackHost(host string) bool {
	name, _ := splitPort(host)
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"))
	return err == nil && addr.Unmap().IsLoopback()
}

// onLoopbackListener reports whether the connection came in on a loopback address. Where the server does not tell, the
// answer is no.
func onLoopbackListener(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	ap, err := netip.ParseAddrPort(addr.String())
	return err == nil && ap.Addr().Unmap().IsLoopback()
}

// originProblem says what is wrong with an entry of AllowOrigins, or "".
func originProblem(origin string) string {
	switch {
	case origin == "null":
		return `must not be "null": every sandboxed page has that origin`
	case origin == "*" || strings.Contains(origin, "*"):
		return "must be one exact origin: there are no wildcards"
	case !validate.Origin(origin).OK():
		return `must be scheme://host or scheme://host:port, such as "https://app.example.com"`
	case origin != strings.ToLower(origin):
		return "must be in lower case, as browsers send it"
	}
	return ""
}

// hostProblem says what is wrong with an entry of AllowHosts, or "".
func hostProblem(host string) string {
	if !validate.Host(host).OK() {
		return `must be a host, or host:port, such as "mcp.example.com"`
	}
	return ""
}
