package waf

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies are the peers whose word about the client counts. It is immutable; the zero value trusts nobody and changes
// nothing.
type proxies struct{ networks []netip.Prefix }

func (p *proxies) trust(addr netip.Addr) bool {
	return slices.ContainsFunc(p.networks, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// disarm removes the fields by which others than trusted proxies claim to be one. It does nothing where no proxy is trusted.
func (p *proxies) disarm(r *http.Request) {
	if len(p.networks) == 0 {
		return
	}
	if addr, _ := peerAddr(r); p.trust(addr) {
		return
	}
	for _, name := range [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Real-Ip"} {
		delete(r.Header, name)
	}
}

// client returns the address of the client: the peer's, or, if the peer is a trusted proxy, the last address in
// X-Forwarded-For that is not one. What stands before it the client may have written itself. An entry that is no address
// ends the search at the proxy that reported it.
func (p *proxies) client(r *http.Request) (netip.Addr, int) {
	addr, port := peerAddr(r)
	if !p.trust(addr) {
		return addr, port
	}
	values := r.Header["X-Forwarded-For"]
	for i := len(values) - 1; i >= 0; i-- {
		list := values[i]
		for list != "" {
			entry := list[strings.LastIndexByte(list, ',')+1:]
			list = strings.TrimSuffix(list[:len(list)-len(entry)], ",")
			hop, err := netip.ParseAddr(strings.Trim(entry, " \t"))
			if err != nil {
				return addr, port
			}
			addr, port = hop.Unmap().WithZone(""), 0
			if !p.trust(addr) {
				return addr, port
			}
		}
	}
	return addr, port
}

// compileProxies copies the networks, or returns every fault in them.
func compileProxies(networks []netip.Prefix) (p proxies, errs []error) {
	for i, n := range networks {
		if !n.IsValid() {
			errs = append(errs, configErrorf(configField("Config.TrustedProxies", i), "is not a network"))
		}
	}
	p.networks = slices.Clone(networks)
	return p, errs
}
