package waf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/corazawaf/coraza/v3/collection"
	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"
	"github.com/corazawaf/coraza/v3/types"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/waf/corazamcp"
)

// corazaMaxRuleIDs bounds the ids of a ruleVerdict.
const corazaMaxRuleIDs = 16

// Transaction variables by which Guard tells the rules what it knows. A request can't set a TX variable, so these can't be forged;
// where the rules run without Guard they are absent. All are set before phase 1.
const (
	corazaVarAuthenticated = "sallyport_authenticated" // 1: the caller was authenticated, by whatever means
	corazaVarIdentity      = "sallyport_identity"      // name of that caller; absent if none
	corazaVarMCP           = "sallyport_guard_mcp"     // 1: the request is for an MCP endpoint; 0: it is not
)

// ruleInput is one request as Guard has read it. Nothing of it is kept after evaluate.
type ruleInput struct {
	Request       *http.Request   // its Body is not touched
	Body          []byte          // the whole body
	Message       *mcpmsg.Message // the body as Guard has parsed it; nil lets the engine parse the body itself
	ClientIP      netip.Addr
	ClientPort    int
	Authenticated bool
	Identity      string
	MCP           bool // the request is for an MCP endpoint

	canary string // for rulesetProve: the rules decide by themselves, as without Guard
}

// ruleVerdict is what the rules say. The zero value lets the request pass.
type ruleVerdict struct {
	Denied  bool
	Status  int   // for a refusal: 400..599
	RuleIDs []int // rules with a message that matched, at most 16, the one that refused last
	Err     error // the engine failed: refuse with 500
}

// Errors of evaluate. None holds anything of the request.
var (
	errCorazaClosed = errors.New("waf: the ruleset is closed")
	errCorazaOff    = errors.New("waf: the rule engine is off")
	errCorazaPart   = errors.New("waf: the rule engine took a part of the body only")
	errCorazaState  = errors.New("waf: the engine gives no access to its variables")
)

// evaluate runs the request phases of one transaction. It fails closed: whatever goes wrong is an Err, and a rule that drops or
// redirects refuses as one that denies. The caller holds the ruleset by acquire.
func (rs *Ruleset) evaluate(in ruleInput) (v ruleVerdict) {
	defer func() {
		if p := recover(); p != nil { // by an operator, an action or a body processor; the engine recovers nothing
			v = ruleVerdict{Err: fmt.Errorf("waf: the rule engine panicked with %T", p)} // the value may quote the request
		}
	}()
	if rs.waf == nil {
		return ruleVerdict{Err: errCorazaClosed}
	}
	var sieved *sieveRun
	if rs.sieve != nil {
		sieved = rs.sieve.start(&in)
		defer sieved.end()
		if sieved.passes() {
			return ruleVerdict{}
		}
	}
	if corazaTooLong(in.Message) {
		return ruleVerdict{Denied: true, Status: http.StatusRequestEntityTooLarge}
	}
	tx := rs.waf.NewTransaction()
	v = rs.run(tx, &in, sieved)
	if err := tx.Close(); err != nil && v.Err == nil { // not reached by a panic: such a transaction must not be used again
		v = ruleVerdict{Err: fmt.Errorf("waf: the rule engine could not close a transaction: %T", err)}
	}
	return v
}

// run takes one request through the phases. sieved chooses what the engine has to see of the message; nil = all.
func (rs *Ruleset) run(tx types.Transaction, in *ruleInput, sieved *sieveRun) ruleVerdict {
	if tx.IsRuleEngineOff() {
		return ruleVerdict{Err: errCorazaOff}
	}
	state, ok := tx.(plugintypes.TransactionState)
	if !ok {
		return ruleVerdict{Err: errCorazaState}
	}
	vars := state.Variables()
	corazaMark(vars.TX(), in)
	r := in.Request
	server, serverPort := corazaServer(r.Context())
	tx.ProcessConnection(corazaAddr(in.ClientIP), in.ClientPort, server, serverPort)
	tx.ProcessURI(corazaTarget(r), r.Method, r.Proto)
	corazaHeaders(r, tx.AddRequestHeader)
	if r.Host != "" {
		tx.SetServerName(corazaHostname(r.Host))
	}
	if it := tx.ProcessRequestHeaders(); it != nil {
		return corazaRefusal(tx, it)
	}
	if in.Message != nil { // no second parse: the variables get what Guard's parse has found
		if err := corazaFill(vars, in.Message, rs.args, sieved); err != nil {
			return ruleVerdict{Denied: true, Status: http.StatusRequestEntityTooLarge, RuleIDs: corazaMatched(tx, 0)}
		}
	} else if v, done := corazaWriteBody(tx, in.Body); done {
		return v
	}
	it, err := tx.ProcessRequestBody()
	if err != nil {
		return ruleVerdict{Err: fmt.Errorf("waf: the rule engine did not read the body: %T", err)}
	}
	if it != nil {
		return corazaRefusal(tx, it)
	}
	return ruleVerdict{RuleIDs: corazaMatched(tx, 0)}
}

// corazaFill gives the message to the variables, or what of it the engine has to see.
func corazaFill(vars plugintypes.TransactionVariables, m *mcpmsg.Message, limit int, sieved *sieveRun) error {
	var keep []bool
	if sieved != nil {
		keep = sieved.choose(vars)
	}
	if keep == nil {
		return corazamcp.Fill(vars, m, limit)
	}
	i := -1
	return corazamcp.FillSome(vars, m, limit, func([]byte, mcpmsg.Raw) bool {
		i++
		return keep[i]
	})
}

// corazaHeaders hands out the header fields, those that net/http keeps apart from the others included.
func corazaHeaders(r *http.Request, add func(name, value string)) {
	for name, values := range r.Header {
		for _, value := range values {
			add(name, value)
		}
	}
	if r.Host != "" {
		add("Host", r.Host)
	}
	for _, coding := range r.TransferEncoding {
		add("Transfer-Encoding", coding)
	}
}

// corazaWriteBody hands the body to the engine. done is true if that ends the transaction.
func corazaWriteBody(tx types.Transaction, body []byte) (v ruleVerdict, done bool) {
	if len(body) == 0 {
		return v, false
	}
	switch it, n, err := tx.WriteRequestBody(body); {
	case it != nil:
		return corazaRefusal(tx, it), true
	case err != nil:
		return ruleVerdict{Err: fmt.Errorf("waf: the rule engine did not take the body: %T", err)}, true
	case n != len(body) && tx.IsRequestBodyAccessible(): // rules may switch body access off for a request
		return ruleVerdict{Err: errCorazaPart}, true
	}
	return v, false
}

// corazaMark sets the variables that tell the rules what Guard knows.
func corazaMark(vars collection.Map, in *ruleInput) {
	if in.canary != "" {
		vars.Set(rulesetCanaryVariable, []string{in.canary})
		return
	}
	vars.Set(corazaVarAuthenticated, []string{corazaFlag(in.Authenticated)})
	vars.Set(corazaVarMCP, []string{corazaFlag(in.MCP)})
	if in.Identity != "" {
		vars.Set(corazaVarIdentity, []string{in.Identity})
	}
}

func corazaFlag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// corazaRefusal turns an interruption into a refusal. A rule that says deny, drop or redirect refuses; only deny has a status to
// give, and one that is not an error becomes 403.
func corazaRefusal(tx types.Transaction, it *types.Interruption) ruleVerdict {
	status := it.Status
	if it.Action != "deny" || status < 400 || status > 599 {
		status = http.StatusForbidden
	}
	return ruleVerdict{Denied: true, Status: status, RuleIDs: corazaMatched(tx, it.RuleID)}
}

// corazaMatched lists the rules that matched and have something to say, and last the one that refused (0 = none).
func corazaMatched(tx types.Transaction, refused int) []int {
	var ids []int
	for _, m := range tx.MatchedRules() {
		if id := m.Rule().ID(); id != 0 && id != refused && m.Message() != "" && len(ids) < corazaMaxRuleIDs-1 {
			ids = append(ids, id)
		}
	}
	if refused != 0 {
		ids = append(ids, refused)
	}
	return ids
}

// corazaTarget is the request target as it was on the wire, or its nearest form for a request that never was on one.
func corazaTarget(r *http.Request) string {
	if r.RequestURI != "" {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// corazaAddr writes an address the way @ipMatch reads it: no brackets, no zone, IPv4 as IPv4.
func corazaAddr(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().WithZone("").String()
}

// corazaServer is the local address of the connection, if net/http gave one.
func corazaServer(ctx context.Context) (string, int) {
	addr, ok := ctx.Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return "", 0
	}
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil { // a Unix socket
		return "", 0
	}
	return corazaAddr(ap.Addr()), int(ap.Port())
}

// corazaHostname is Host without port and brackets.
func corazaHostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}
