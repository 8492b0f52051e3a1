package waf

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClient(t *testing.T) {
	trusting, errs := compileProxies([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, tc := range []struct {
		name      string
		peer      string
		forwarded []string
		want      string
	}{
		{"no proxy", "192.0.2.1:9", nil, "192.0.2.1"},
		{"one proxy", "10.0.0.1:9", []string{"192.0.2.7"}, "192.0.2.7"},
		{"two proxies", "10.0.0.1:9", []string{"192.0.2.7, 10.0.0.2"}, "192.0.2.7"},
		{"two fields", "10.0.0.1:9", []string{"192.0.2.7", "10.0.0.2"}, "192.0.2.7"},
		{"what the client claims", "10.0.0.1:9", []string{"127.0.0.1, 192.0.2.7"}, "192.0.2.7"},
		{"IPv6 and white space", "[fd00::1]:9", []string{"2001:db8::1 ,\tfd00::2"}, "2001:db8::1"},
		{"IPv4-mapped", "10.0.0.1:9", []string{"::ffff:192.0.2.7"}, "192.0.2.7"},
		{"no address", "10.0.0.1:9", []string{"192.0.2.7, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"empty entry", "10.0.0.1:9", []string{"192.0.2.7, , 10.0.0.2"}, "10.0.0.2"},
		{"a proxy's own request", "10.0.0.1:9", nil, "10.0.0.1"},
		{"a claim by somebody else", "192.0.2.1:9", []string{"127.0.0.1"}, "192.0.2.1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tc.peer
		if tc.forwarded != nil {
			r.Header["X-Forwarded-For"] = tc.forwarded
		}
		if addr, _ := trusting.client(r); addr != netip.MustParseAddr(tc.want) {
			t.Errorf("%s: client = %v, want %s", tc.name, addr, tc.want)
		}
	}
}

// Without trusted proxies nothing is believed and nothing is changed; with them, only they may say who the client is.
func TestClientHeaders(t *testing.T) {
	trusting, _ := compileProxies([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	for _, tc := range []struct {
		name string
		p    proxies
		peer string
		kept bool
	}{
		{"no proxies", proxies{}, "192.0.2.1:9", true},
		{"a proxy", trusting, "10.0.0.1:9", true},
		{"somebody else", trusting, "192.0.2.1:9", false},
	} {
		for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = tc.peer
			r.Header.Set(name, "for=127.0.0.1")
			tc.p.disarm(r)
			tc.p.client(r)
			if _, kept := r.Header[name]; kept != tc.kept {
				t.Errorf("%s: %s kept is %v, want %v", tc.name, name, kept, tc.kept)
			}
		}
	}
	if _, errs := compileProxies([]netip.Prefix{{}}); len(errs) != 1 {
		t.Errorf("compileProxies of no network = %v, want one error", errs)
	}
}
