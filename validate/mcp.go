package validate

import "github.com/sallyport/sallyport/internal/scan"

// SessionID reports whether value is a session id: one or more bytes of 0x21 to 0x7e. It does not bound the length (see
// HeaderConfig.MaxSessionIDBytes) and allocates nothing. net/http does not check it.
//
// Source: MCP 2025-03-26 to 2025-11-25, Streamable HTTP, Session Management. Revision 2026-07-28 has no sessions.
func SessionID[T Text](value T) Violation {
	return textProblem(scan.VisibleASCII(value), len(value), CodeSessionIDInvalid).in("Mcp-Session-Id")
}

// ProtocolVersion reports whether value has the form of a protocol revision, DDDD-DD-DD. Which ones are served is for the
// caller to decide. It allocates nothing. net/http does not check it.
//
// Source: MCP 2025-06-18 and later, Streamable HTTP, Protocol Version Header.
func ProtocolVersion[T Text](value T) Violation {
	return protocolVersionProblem(value).in("Mcp-Protocol-Version")
}

// The two words that hold a revision, which overlap: with zeros for digits, and what to add to the difference so that it
// reaches the high bit of a lane if it is above 9 for a digit, above 0 for a hyphen.
const (
	revisionHead = 0x2d30302d30303030
	limitHead    = 0x7f76767f76767676
	revisionTail = 0x30302d30302d3030
	limitTail    = 0x76767f76767f7676
)

func protocolVersionProblem[T Text](s T) problem {
	const form = "DDDD-DD-DD"
	if len(s) == len(form) {
		head, tail := scan.Load64(s[:8])^revisionHead, scan.Load64(s[2:])^revisionTail
		if ((head+limitHead)|head|(tail+limitTail)|tail)&highs == 0 {
			return problem{}
		}
	}
	i := 0
	for i < min(len(s), len(form)) && (form[i] == '-' && s[i] == '-' || form[i] == 'D' && scan.Is(s[i], scan.Digit)) {
		i++
	}
	return problem{CodeProtocolVersionInvalid, i}
}

// MCPMethod reports whether value is a non-empty line of HTAB, SP and visible ASCII. That it equals the method in the body
// is for mcpmsg to decide. It allocates nothing. net/http does not check it.
//
// Source: MCP 2026-07-28, Streamable HTTP, Standard Headers.
func MCPMethod[T Text](value T) Violation {
	return textProblem(scan.PrintableASCII(value), len(value), CodeMCPMethodInvalid).in("Mcp-Method")
}

// MCPName reports whether value is a non-empty line of HTAB, SP and visible ASCII, and if it has the Base64 form
// (=?base64?...?=), whether that holds the one canonical Base64 text of some UTF-8. That it equals the name in the body is
// for mcpmsg to decide. It allocates nothing. net/http does not check it.
//
// Source: MCP 2026-07-28, Streamable HTTP, Standard Headers and Value Encoding.
func MCPName[T Text](value T) Violation {
	return mirrorValue(value, CodeMCPNameInvalid).in("Mcp-Name")
}

// MCPParam reports whether name is Mcp-Param- and a token, and value a line of HTAB, SP and visible ASCII, maybe empty,
// or in the Base64 form of [MCPName]. It allocates nothing. net/http does not check it.
//
// Source: MCP 2026-07-28, Streamable HTTP, Custom Headers from Tool Parameters.
func MCPParam[T Text](name, value T) Violation {
	if !isMCPParam(name) || len(name) == len(mcpParamPrefix) || scan.FieldName(name) >= 0 {
		return Violation{Code: CodeMCPParamInvalid}
	}
	return paramValue(value).in("Mcp-Param-*")
}

const mcpParamPrefix = "Mcp-Param-"

func isMCPParam[T Text](name T) bool { return scan.HasPrefixFold(name, mcpParamPrefix) }

func paramValue[T Text](s T) problem {
	if len(s) == 0 {
		return problem{}
	}
	return mirrorValue(s, CodeMCPParamInvalid)
}

// textProblem judges a text of n bytes, which must not be 0. at is the index of a byte that may not be there, negative if there is none.
func textProblem(at, n int, c Code) problem {
	if at >= 0 || n == 0 {
		return problem{c, max(at, 0)}
	}
	return problem{}
}

// mirrorValue allows one or more of HTAB, SP and visible ASCII, which in the Base64 form stand for UTF-8.
func mirrorValue[T Text](s T, c Code) problem {
	if p := textProblem(scan.PrintableASCII(s), len(s), c); p.code != CodeOK || s[0] != '=' {
		return p // nearly all
	}
	if from, to, ok := scan.Sentinel(s); ok {
		if i := scan.Base64(s[from:to]); i >= 0 {
			return problem{CodeMCPEncodingInvalid, from + i}
		}
	}
	return problem{}
}

// LastEventID reports whether value is an event id: no NUL, CR or LF. It does not bound the length (see
// HeaderConfig.MaxLastEventIDBytes) and allocates nothing. net/http refuses the three bytes itself.
//
// Source: WHATWG HTML, 9.2. Revision 2026-07-28 does not use it.
func LastEventID[T Text](value T) Violation {
	for i := range len(value) {
		if c := value[i]; c == 0 || c == '\r' || c == '\n' {
			return Violation{Code: CodeLastEventIDInvalid, Name: "Last-Event-Id", Offset: i}
		}
	}
	return Violation{}
}
