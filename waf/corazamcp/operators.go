package corazamcp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/validate"
)

// A valueOperator matches a value that a check of package validate accepts.
type valueOperator func(string) bool

// Evaluate implements plugintypes.Operator.
func (check valueOperator) Evaluate(_ plugintypes.TransactionState, value string) bool {
	return check(value)
}

// A targetOperator matches a request target that fits the method of the request.
type targetOperator struct{ targets *validate.Target }

// Evaluate implements plugintypes.Operator.
func (o targetOperator) Evaluate(tx plugintypes.TransactionState, value string) bool {
	return o.targets.Check(tx.Variables().RequestMethod().Get(), value).OK()
}

// A validOperator matches a text that is one valid message.
type validOperator struct {
	messages *mcpmsg.Validator
	ctx      mcpmsg.Context
}

// Evaluate implements plugintypes.Operator.
func (o validOperator) Evaluate(_ plugintypes.TransactionState, value string) bool {
	_, v := o.messages.Check([]byte(value), o.ctx)
	return v.OK()
}

func direction(argument string) (mcpmsg.Direction, error) {
	switch strings.TrimSpace(argument) {
	case "", "client":
		return mcpmsg.FromClient, nil
	case "server":
		return mcpmsg.FromServer, nil
	default:
		return 0, fmt.Errorf("corazamcp: @mcpValid knows client and server, not %q", argument)
	}
}

// A methodOperator matches a method of the protocol: one of those listed, or any if none is.
type methodOperator []mcpmsg.Method

// newMethodOperator reads a list of methods separated by commas or spaces; one that the protocol does not have is an error.
func newMethodOperator(list string) (methodOperator, error) {
	var o methodOperator
	for name := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		m, ok := mcpmsg.ParseMethod(name)
		if !ok {
			return nil, fmt.Errorf("corazamcp: @mcpMethod: %q is a method of no revision", name)
		}
		o = append(o, m)
	}
	return o, nil
}

// Evaluate implements plugintypes.Operator.
func (o methodOperator) Evaluate(_ plugintypes.TransactionState, value string) bool {
	m, ok := mcpmsg.ParseMethod(value)
	return ok && (len(o) == 0 || slices.Contains(o, m))
}
