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

// verdict is the context of a request that was let through. It hands on what the Guard found out.
type verdict struct {
	context.Context // of the request as it came

	message    *mcpmsg.Message // nil if the request carried none
	identity   Identity
	recognised bool
}

// Value implements context.Context.
func (v *verdict) Value(key any) any {
	if key == (contextKey{}) {
		return v
	}
	return v.Context.Value(key)
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
