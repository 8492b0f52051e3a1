package waf

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

func requestOn(local, host string, secure bool) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/mcp", nil)
	r.Host = host
	if local != "" {
		addr, err := net.ResolveTCPAddr("tcp", local)
		if err != nil {
			panic(err)
		}
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(addr)))
	}
	if secure {
		r.TLS = new(tls.ConnectionState)
	}
	return r
}

func TestOriginAllowed(t *testing.T) {
	listed := Endpoint{Path: "/mcp", AllowOrigins: []string{"https://app.example.com", "http://localhost:5173"}}
	none := Endpoint{Path: "/mcp", AllowOrigins: []string{}, AllowHosts: []string{"mcp.example.com"}}
	hosts := Endpoint{Path: "/mcp", AllowHosts: []string{"mcp.example.com", "localhost:3000", "alt.example.com:443"}}
	open := Endpoint{Path: "/mcp"}
	for _, tc := range []struct {
		name   string
		ep     Endpoint
		origin string
		local  string
		host   string
		want   bool
	}{
		{"listed", listed, "https://app.example.com", "", "mcp.example.com", true},
		{"listed with port", listed, "http://localhost:5173", "", "mcp.example.com", true},
		{"other scheme", listed, "http://app.example.com", "", "mcp.example.com", false},
		{"other port", listed, "https://app.example.com:8443", "", "mcp.example.com", false},
		{"prefix", listed, "https://app.example.com.evil.example", "", "mcp.example.com", false},
		{"null", listed, "null", "", "mcp.example.com", false},
		{"same as Host, not listed", listed, "https://mcp.example.com", "", "mcp.example.com", false},
		{"empty list", none, "https://mcp.example.com", "", "mcp.example.com", false},

		{"of an allowed host", hosts, "https://mcp.example.com", "", "mcp.example.com", true},
		{"of an allowed host, default port written", hosts, "https://mcp.example.com:443", "", "mcp.example.com", true},
		{"of an allowed host, plain", hosts, "http://mcp.example.com", "", "mcp.example.com", true},
		{"of an allowed host at another port", hosts, "https://mcp.example.com:8443", "", "mcp.example.com:8443", false},
		{"of an allowed host and port", hosts, "http://localhost:3000", "", "localhost:3000", true},
		{"of that host at another port", hosts, "http://localhost:3001", "", "localhost:3000", false},
		{"of that host without port", hosts, "http://localhost", "", "localhost:3000", false},
		{"entry has the default port", hosts, "https://alt.example.com", "", "alt.example.com", true},
		{"entry has the default port of another scheme", hosts, "http://alt.example.com", "", "alt.example.com", false},
		{"null beside hosts", hosts, "null", "", "mcp.example.com", false},

		{"loopback everywhere", open, "http://localhost:6274", "127.0.0.1:80", "127.0.0.1:80", true},
		{"IPv6 loopback everywhere", open, "http://[::1]:6274", "[::1]:80", "[::1]:80", true},
		{"rebound name: Origin equals Host", open, "http://evil.example", "127.0.0.1:80", "evil.example", false},
		{"rebound name, loopback origin", open, "http://localhost", "127.0.0.1:80", "evil.example", false},
		{"foreign origin", open, "https://evil.example", "127.0.0.1:80", "127.0.0.1:80", false},
		{"listener not on loopback", open, "http://localhost", "192.0.2.1:80", "localhost", false},
		{"listener not known", open, "http://localhost", "", "localhost", false},
		{"loopback look-alike", open, "http://localhost.evil.example", "127.0.0.1:80", "localhost", false},
		{"loopback as another number", open, "http://2130706433", "127.0.0.1:80", "localhost", false},
	} {
		ep, errs := compileEndpoint("Endpoint", tc.ep, mcpmsg.Config{})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if got := ep.originAllowed(tc.origin, requestOn(tc.local, tc.host, false)); got != tc.want {
			t.Errorf("%s: originAllowed(%q) with Host %q on %q = %v, want %v", tc.name, tc.origin, tc.host, tc.local, got, tc.want)
		}
	}
}

func TestHostAllowed(t *testing.T) {
	for _, tc := range []struct {
		name   string
		allow  []string
		host   string
		secure bool
		want   bool
	}{
		{"no list", nil, "anything.example", false, true},
		{"empty list", []string{}, "mcp.example.com", false, false},
		{"exact", []string{"mcp.example.com"}, "mcp.example.com", false, true},
		{"other case", []string{"Mcp.Example.com"}, "MCP.example.COM", false, true},
		{"any port", []string{"mcp.example.com"}, "mcp.example.com:8443", false, true},
		{"that port", []string{"localhost:3000"}, "localhost:3000", false, true},
		{"another port", []string{"localhost:3000"}, "localhost:3001", false, false},
		{"no port", []string{"localhost:3000"}, "localhost", false, false},
		{"default port left out", []string{"mcp.example.com:443"}, "mcp.example.com", true, true},
		{"default port of the other scheme", []string{"mcp.example.com:443"}, "mcp.example.com", false, false},
		{"IPv6", []string{"[::1]"}, "[::1]:8080", false, true},
		{"IPv6 with port", []string{"[::1]:8080"}, "[::1]:8080", false, true},
		{"suffix", []string{"mcp.example.com"}, "evil-mcp.example.com", false, false},
		{"label", []string{"127.0.0.1"}, "127.0.0.1.evil.example", false, false},
		{"trailing dot", []string{"mcp.example.com"}, "mcp.example.com.", false, false},
		{"empty", []string{"mcp.example.com"}, "", false, false},
	} {
		ep, errs := compileEndpoint("Endpoint", Endpoint{Path: "/mcp", AllowHosts: tc.allow}, mcpmsg.Config{})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if got := ep.hostAllowed(requestOn("", tc.host, tc.secure)); got != tc.want {
			t.Errorf("%s: hostAllowed(%q) = %v, want %v", tc.name, tc.host, got, tc.want)
		}
	}
}
