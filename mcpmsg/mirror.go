package mcpmsg

// Header fields that repeat a part of the body, as the protocol writes them.
const (
	headerVersion = "MCP-Protocol-Version"
	headerMethod  = "Mcp-Method"
	headerName    = "Mcp-Name"
)

// field is what a header map says about one field.
type field struct {
	value string
	lines int
}

// CheckMirror decides whether the header fields that repeat parts of an accepted message say the same as the message:
// MCP-Protocol-Version, Mcp-Method and Mcp-Name, found without regard to case and with underscores for hyphens. A field that
// is there must agree in every revision, and must not be repeated: whoever routes by the header would otherwise see another message than the server.
// In 2026-07-28 requests must have them; for notifications the protocol leaves it open.
//
// In the revisions with a handshake no part of a message repeats MCP-Protocol-Version. There the field must name a
// revision, and not 2026-07-28 on a request, which the request would have to confirm.
//
// Where the configuration has the inputSchema of the tool, each Mcp-Param field that it asks for must repeat its argument: a
// string as it is or encoded, an integer by its value, a boolean as true or false; and be absent where the argument is absent or
// null. Other Mcp-Param fields are nobody's business here.
//
// It does not allocate. Source: MCP 2026-07-28, Streamable HTTP, Standard Request Headers; SEP-2243.
func (v *Validator) CheckMirror(m *Message, header map[string][]string) Violation {
	if v == nil || v.pool == nil || m == nil || m.Kind == 0 {
		return Violation{Code: CodeNotConfigured}
	}
	var version, method, name field
	for key, values := range header {
		switch {
		case isField(key, headerVersion):
			version.add(values)
		case isField(key, headerMethod):
			method.add(values)
		case isField(key, headerName):
			name.add(values)
		}
	}
	if code := m.mirrorsVersion(version); code != CodeOK {
		return Violation{Code: code, Name: headerVersion}
	}
	must := m.Version.Stateless() && m.Kind == Request
	if code := method.mirrors(m.MethodText, must, false); code != CodeOK {
		return Violation{Code: code, Name: headerMethod}
	}
	body := m.Name
	if body == nil {
		body = m.URI
	}
	if code := name.mirrors(body, must && (hasName(m.Method) || m.Method == MethodResourcesRead), true); code != CodeOK {
		return Violation{Code: code, Name: headerName}
	}
	return v.mirrorsParams(m, header, must)
}

func (f *field) add(values []string) {
	f.lines += len(values)
	if len(values) > 0 {
		f.value = trim(values[0])
	}
}

// mirrorsVersion judges MCP-Protocol-Version.
func (m *Message) mirrorsVersion(f field) Code {
	must := m.Version.Stateless() && m.Kind == Request
	named, known := ParseVersion(f.value)
	switch {
	case f.lines > 1:
		return CodeMirrorRepeated
	case f.lines == 0:
		if must {
			return CodeMirrorMissing
		}
		return CodeOK
	case !known:
		return CodeVersionUnsupported
	case must && named != m.Version, m.Kind == Request && !m.Version.Stateless() && named.Stateless():
		return CodeMirrorMismatch
	}
	return CodeOK
}

// mirrors judges a field by the string of the body that it repeats, nil for none.
func (f field) mirrors(body Raw, must, encoded bool) Code {
	switch {
	case f.lines > 1:
		return CodeMirrorRepeated
	case f.lines == 0:
		if must {
			return CodeMirrorMissing
		}
		return CodeOK
	case body == nil:
		return CodeMirrorUnexpected
	case !isFieldText(f.value):
		return CodeMirrorCharacter
	}
	if text, ok := sentinel(f.value); ok && encoded {
		return equalBase64(body, text)
	}
	if !body.Is(f.value) {
		return CodeMirrorMismatch
	}
	return CodeOK
}

// trim removes the optional white space around a field value, which is not part of it (RFC 9110, 5.5).
func trim(s string) string {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// isFieldText reports whether s holds only what a plain mirror value may hold.
func isFieldText(s string) bool {
	for i := 0; i < len(s); i++ {
		if (s[i] < ' ' || s[i] > '~') && s[i] != '\t' {
			return false
		}
	}
	return true
}

// sentinel returns the Base64 text of a value in the encoded form. A value with one of the marks only is literal.
func sentinel(s string) (text string, ok bool) {
	const before, after = "=?base64?", "?="
	if len(s) < len(before)+len(after) || s[:len(before)] != before || s[len(s)-len(after):] != after {
		return "", false
	}
	return s[len(before) : len(s)-len(after)], true
}

// equalBase64 compares a string of the body with Base64 text, which must be in the one form that RFC 4648, section 4, has
// for it: padded, without foreign characters, and with zeros in the bits that stand for nothing.
func equalBase64(body Raw, text string) Code {
	if len(text)%4 != 0 {
		return CodeMirrorEncoding
	}
	match := newMatcher(body)
	for ; len(text) > 0; text = text[4:] {
		var group uint32
		pad := 0
		for i := range 4 {
			c := text[i]
			d := base64Digit[c]
			if c == '=' && len(text) == 4 && i >= 2 && (i == 3 || text[3] == '=') {
				pad++
			} else if d == 0 {
				return CodeMirrorEncoding
			} else {
				group |= uint32(d-1) << (18 - 6*i)
			}
		}
		if group&(1<<(8*pad)-1) != 0 {
			return CodeMirrorEncoding
		}
		for i := range 3 - pad {
			match.next(byte(group >> (16 - 8*i)))
		}
	}
	if !match.done() {
		return CodeMirrorMismatch
	}
	return CodeOK
}

// base64Digit holds the value of each Base64 character plus one.
var base64Digit = func() (digit [256]uint8) {
	for i, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		digit[c] = uint8(i + 1)
	}
	return digit
}()

// isField reports whether s is the header field name without regard to ASCII case, and to the difference of hyphens and underscores,
// which gateways in the manner of CGI do not keep.
func isField(s, name string) bool {
	if len(s) != len(name) {
		return false
	}
	for i := 0; i < len(s); i++ {
		a, b := s[i], name[i]
		if a != b && !(a^b == 0x20 && a|0x20 >= 'a' && a|0x20 <= 'z') && !(a == '_' && b == '-' || a == '-' && b == '_') {
			return false
		}
	}
	return true
}
