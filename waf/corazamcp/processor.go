package corazamcp

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"

	"github.com/sallyport/sallyport/mcpmsg"
)

// ErrTooManyMembers is the error of [Fill] for a message with more members than rules can be shown.
var ErrTooManyMembers = errors.New("mcp: members_too_many")

// A processor is the body processor "mcp".
type processor struct{ messages *mcpmsg.Validator }

// ProcessRequest implements plugintypes.BodyProcessor. Its errors hold nothing of the body: their text reaches logs.
func (p processor) ProcessRequest(r io.Reader, vars plugintypes.TransactionVariables, o plugintypes.BodyProcessorOptions) error {
	body, err := io.ReadAll(r) // Coraza's buffer, already bounded by SecRequestBodyLimit
	if err != nil {
		return fmt.Errorf("mcp: the body cannot be read: %T", err)
	}
	m, v := p.messages.Check(body, mcpmsg.Context{Direction: mcpmsg.FromClient})
	if v.OK() {
		v = p.messages.CheckMirror(&m, mirrorHeaders(vars))
	}
	if !v.OK() {
		vars.TX().Set("mcp_code", []string{v.Code.String()})
		return errors.New("mcp: " + v.Code.String())
	}
	return Fill(vars, &m, o.ArgumentLimit)
}

// ProcessResponse implements plugintypes.BodyProcessor. It does nothing: answers are streams, and rules do not hold them up.
func (processor) ProcessResponse(io.Reader, plugintypes.TransactionVariables, plugintypes.BodyProcessorOptions) error {
	return nil
}

// mirrorHeaders collects the header fields that repeat parts of a message.
func mirrorHeaders(vars plugintypes.TransactionVariables) map[string][]string {
	header := map[string][]string{}
	for _, field := range vars.RequestHeaders().FindAll() {
		if name := field.Key(); len(name) > 4 && strings.EqualFold(name[:4], "mcp-") {
			header[name] = append(header[name], field.Value())
		}
	}
	return header
}

// Fill shows an accepted message to the rules: what the body processor does after its checks, for programs that have run them
// already. Call it after phase 1, instead of writing a body. limit is the most values that ARGS may get; 0 = no other than
// that of mcpmsg. After an error, which is ErrTooManyMembers, the request must be refused: the variables are incomplete.
func Fill(vars plugintypes.TransactionVariables, m *mcpmsg.Message, limit int) error {
	return FillSome(vars, m, limit, func([]byte, mcpmsg.Raw) bool { return true })
}

// FillSome is [Fill] for a caller that knows its rules: ARGS gets the values for which keep is true, and limit counts all of them. Whoever
// leaves out a value that a rule would have matched has switched the rule off. keep gets what [EachLeaf] hands out.
func FillSome(vars plugintypes.TransactionVariables, m *mcpmsg.Message, limit int, keep func(name []byte, value mcpmsg.Raw) bool) error {
	tx := vars.TX()
	tx.Set("mcp_version", []string{m.Version.String()})
	tx.Set("mcp_kind", []string{m.Kind.String()})
	var methods, names, uris []string
	for one := range m.Each() {
		methods = append(methods, text(one.MethodText))
		if one.Name != nil {
			names = append(names, text(one.Name))
		}
		if one.URI != nil {
			uris = append(uris, text(one.URI))
		}
	}
	tx.Set("mcp_method", methods)
	tx.Set("mcp_name", names)
	tx.Set("mcp_uri", uris)

	args := vars.ArgsPost()
	err := EachLeaf(m, limit, func(name []byte, value mcpmsg.Raw) {
		if keep(name, value) {
			args.Add(string(name), LeafText(value))
		}
	})
	if err != nil {
		tx.Set("mcp_code", []string{mcpmsg.CodeTooManyMembers.String()})
	}
	return err
}

// EachLeaf hands out, in order, the values that rules see of an accepted message as ARGS: strings anywhere, numbers, booleans and nulls of
// objects, each under the name that [Fill] gives it. limit is the most values; 0 = no other than that of mcpmsg. After an error, which
// is ErrTooManyMembers, see has not seen all. name is valid until see returns; value is a part of the message, and [LeafText] its text.
func EachLeaf(m *mcpmsg.Message, limit int, see func(name []byte, value mcpmsg.Raw)) error {
	f := flattener{text: m.Raw, left: limit, keyBytes: len(m.Raw)*maxKeyFactor + minKeyBytes, add: see}
	if limit <= 0 {
		f.left = len(m.Raw)
	}
	if !f.value(append(make([]byte, 0, 256), "json"...), false) {
		return ErrTooManyMembers
	}
	return nil
}

// LeafText returns the text that rules see of a value: that of a string, decoded, the digits of a number, nothing for null.
func LeafText(value mcpmsg.Raw) string {
	switch value[0] {
	case '"':
		return text(value)
	case 'n':
		return ""
	default:
		return string(value)
	}
}

func text(r mcpmsg.Raw) string { return string(r.AppendText(nil)) }
