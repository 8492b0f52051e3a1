package mcpmsg

import (
	"log/slog"
	"strconv"

	"github.com/sallyport/sallyport/internal/jsonscan"
)

// JSON-RPC error codes of answers.
//
// Source: JSON-RPC 2.0, 5.1; MCP 2026-07-28, Base Protocol.
const (
	rpcParse    = -32700
	rpcInvalid  = -32600
	rpcMethod   = -32601
	rpcParams   = -32602
	rpcInternal = -32603
	rpcHeader   = -32020
	rpcVersion  = -32022
)

// Violation is the verdict on a message: the zero Violation means that it is fine. It holds no text of the message, so it
// may be logged and kept.
type Violation struct {
	Code   Code
	Name   string // a header field, in the spelling of the protocol; "" if not about a header
	Offset int    // 0-based byte offset in the message
	Limit  int    // the bound that was exceeded; 0 if the check has none
	Got    int    // what was found, in the unit of Limit
	part   part   // of the message that broke the rule
}

// part is the member of the envelope to which a violation belongs.
type part uint8

const (
	partEnvelope part = iota
	partParams
	partResult // or error
)

// OK reports whether there is no violation.
func (v Violation) OK() bool { return v.Code == CodeOK }

// Err returns nil or an [*Error]. It allocates only in the latter case.
func (v Violation) Err() error {
	if v.OK() {
		return nil
	}
	return &Error{v}
}

// LogValue gives the code and the numbers.
func (v Violation) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("code", v.Code.String()), slog.Int("offset", v.Offset), slog.Int("limit", v.Limit), slog.Int("got", v.Got),
	)
}

// RPC returns the code and the fixed text of the JSON-RPC error that answers a message with this violation, or 0 and "" if
// there is none. It does not allocate.
//
// Source: JSON-RPC 2.0, 5.1; MCP 2026-07-28, Streamable HTTP (header and version errors).
func (v Violation) RPC() (code int, message string) {
	if v.Code >= numCodes {
		return rpcInternal, "Internal error"
	}
	code = codeInfo[v.Code].rpc
	if code == rpcParams && v.part != partParams {
		code = rpcInvalid // a fault of the envelope or of a response
	}
	switch code {
	case rpcParse:
		return code, "Parse error"
	case rpcInvalid:
		return code, "Invalid Request"
	case rpcMethod:
		return code, "Method not found"
	case rpcParams:
		return code, "Invalid params"
	case rpcHeader:
		return code, "Header mismatch"
	case rpcVersion:
		return code, "Unsupported protocol version"
	case rpcInternal:
		return code, "Internal error"
	}
	return 0, ""
}

// AppendRPC appends to dst the JSON-RPC error response that answers a message with this violation. id is the ID of the
// [Message] that Check returned with the violation: with nil the answer has no id. For a revision that is not supported it lists
// those that this package knows. It allocates only where dst is too small.
func (v Violation) AppendRPC(dst []byte, id Raw) []byte {
	code, message := v.RPC()
	dst = append(dst, `{"jsonrpc":"2.0",`...)
	if len(id) > 0 {
		dst = append(dst, `"id":`...)
		dst = append(dst, id...)
		dst = append(dst, ',')
	}
	dst = append(dst, `"error":{"code":`...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(dst, `,"message":"`...)
	dst = append(dst, message...)
	dst = append(dst, '"')
	if code == rpcVersion {
		dst = append(dst, unsupported...)
	}
	return append(dst, "}}"...)
}

// unsupported is what the error for an unsupported revision must tell beside its code. What was requested is text of the message.
//
// Source: MCP 2026-07-28, UnsupportedProtocolVersionError.
var unsupported = func() string {
	list := ""
	for v := V20260728; v >= V20241105; v-- {
		list += `,"` + v.String() + `"`
	}
	return `,"data":{"supported":[` + list[1:] + `],"requested":""}`
}()

// Error is a [Violation] as an error.
type Error struct{ Violation Violation }

// Error describes the violation without any text of the message.
func (e *Error) Error() string {
	v := e.Violation
	text := "mcpmsg: " + v.Code.String()
	if v.Name != "" {
		text += " in " + strconv.QuoteToASCII(v.Name[:min(48, len(v.Name))])
	} else {
		text += " at byte " + strconv.Itoa(v.Offset)
	}
	if v.Limit != 0 {
		text += ": got " + strconv.Itoa(v.Got) + ", limit " + strconv.Itoa(v.Limit)
	}
	return text
}

// Unwrap returns the code, so that errors.Is(err, mcpmsg.CodeMethodUnknown) works.
func (e *Error) Unwrap() error { return e.Violation.Code }

// Pointer returns the JSON Pointer (RFC 6901) of the value in msg, the message that was checked, at which the violation
// was found: "" for the whole message. Names come from the message: do not put them into answers. It reads msg up to the
// offset and allocates.
func (v Violation) Pointer(msg []byte) string {
	if v.OK() || v.Name != "" {
		return ""
	}
	return pointer(msg, v.Offset)
}

// pointer finds the innermost member or element that begins at or before the offset and was open there.
func pointer(msg []byte, offset int) string {
	type level struct {
		object bool
		index  int
		name   []byte
		named  bool
	}
	var open []level
	for i := jsonscan.Space(msg, 0); i < len(msg) && i <= offset; {
		top := len(open) - 1
		switch c := msg[i]; c {
		case '{', '[':
			if i == offset {
				i = len(msg)
				continue
			}
			open = append(open, level{object: c == '{'})
			i++
		case '}', ']':
			if i == offset && top >= 0 { // what is wrong is the object or array that ends here
				open[top].named, open[top].object = false, true
			} else if top >= 0 {
				open = open[:top]
			}
			i++
		case ',':
			if top >= 0 {
				open[top].index++
				open[top].named = false
			}
			i++
		case '"':
			end := jsonscan.SkipString(msg, i+1)
			if end < 0 {
				end = len(msg)
			} else if top >= 0 && open[top].object && !open[top].named {
				open[top].name, open[top].named = msg[i+1:end-1], true
			}
			i = end
		default:
			i++
		}
	}
	var out []byte
	for _, l := range open {
		switch {
		case l.named:
			out = appendPointerName(append(out, '/'), l.name)
		case !l.object:
			out = strconv.AppendInt(append(out, '/'), int64(l.index), 10)
		}
	}
	return string(out)
}
