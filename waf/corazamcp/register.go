package corazamcp

import (
	"fmt"
	"strings"
	"sync"

	"github.com/corazawaf/coraza/v3/experimental/plugins"
	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/validate"
)

// checks are the checks behind the operators that look at one value.
var checks = map[string]func(string) bool{
	"validHeaderName":  func(s string) bool { return validate.FieldName(s).OK() },
	"validHeaderValue": func(s string) bool { return validate.FieldValue(s).OK() },
	"validHost":        func(s string) bool { return validate.Host(s).OK() },
	"validOrigin":      func(s string) bool { return validate.Origin(s).OK() },
	"validSessionId":   func(s string) bool { return validate.SessionID(s).OK() },
	"validContentType": func(s string) bool { return validate.ContentType(s).OK() },
}

// Check returns the check behind the operator of that name, for programs that evaluate rules without an engine: it says whether the value
// matches, in a request of that method. It is nil for @mcpValid, @mcpMethod and names that are no operator of ours. It is safe for
// concurrent use.
func Check(operator string) func(method, value string) bool {
	if operator == "validURI" {
		return func(method, value string) bool { return targets().Check(method, value).OK() }
	}
	check := checks[operator]
	if check == nil {
		return nil
	}
	return func(_, value string) bool { return check(value) }
}

var targets = sync.OnceValue(func() *validate.Target {
	t, err := validate.NewTarget(validate.TargetConfig{})
	if err != nil {
		panic("corazamcp: the default config of validate is refused: " + err.Error())
	}
	return t
})

// Register makes the body processor and the operators known to Coraza. Calls after the first do nothing; it is safe to call from
// several goroutines, but not while a WAF is being built by a goroutine that has not called it.
func Register() { register() }

var register = sync.OnceFunc(func() {
	messages, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		panic("corazamcp: the default config of mcpmsg is refused: " + err.Error())
	}
	plugins.RegisterBodyProcessor("mcp", func() plugintypes.BodyProcessor { return processor{messages} })
	for name, check := range checks {
		plugins.RegisterOperator(name, func(o plugintypes.OperatorOptions) (plugintypes.Operator, error) {
			if strings.TrimSpace(o.Arguments) != "" {
				return nil, fmt.Errorf("corazamcp: @%s takes no argument", name)
			}
			return valueOperator(check), nil
		})
	}
	plugins.RegisterOperator("validURI", func(o plugintypes.OperatorOptions) (plugintypes.Operator, error) {
		if strings.TrimSpace(o.Arguments) != "" {
			return nil, fmt.Errorf("corazamcp: @validURI takes no argument")
		}
		return targetOperator{targets()}, nil
	})
	plugins.RegisterOperator("mcpValid", func(o plugintypes.OperatorOptions) (plugintypes.Operator, error) {
		from, err := direction(o.Arguments)
		return validOperator{messages, mcpmsg.Context{Direction: from}}, err
	})
	plugins.RegisterOperator("mcpMethod", func(o plugintypes.OperatorOptions) (plugintypes.Operator, error) {
		return newMethodOperator(o.Arguments)
	})
})
