package waf

import (
	"context"

	"github.com/sallyport/sallyport/mcpmsg"
)

// Identity is a caller that an identity rule or the Authenticate hook recognised. The zero Identity means nobody known.
type Identity struct {
	Name   string // unique name, as policies use it; never empty for a known caller
	Method string // how it was recognised: "bearer", "trusted-header", "client-certificate", or what the hook says
}

type contextKey struct{}

// verdict is what a Guard hands to the handler through the context.
type verdict struct {
	message    *mcpmsg.Message // nil if the request carried none
	identity   Identity
	recognised bool
}

// MessageFrom returns the MCP message that a [Guard] parsed, and whether there is one. The message aliases the request's
// body buffer: it must not be used after the handler returned, nor changed.
func MessageFrom(ctx context.Context) (*mcpmsg.Message, bool) {
	v, ok := ctx.Value(contextKey{}).(*verdict)
	if !ok || v.message == nil {
		return nil, false
	}
	return v.message, true
}

// IdentityFrom returns the caller that a [Guard] recognised, and whether it recognised one. Anonymous callers have no
// identity.
func IdentityFrom(ctx context.Context) (Identity, bool) {
	v, ok := ctx.Value(contextKey{}).(*verdict)
	if !ok || !v.recognised {
		return Identity{}, false
	}
	return v.identity, true
}
