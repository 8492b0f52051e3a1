package validate

import (
	"strings"

	"github.com/sallyport/sallyport/internal/scan"
)

// line checks a field line. It accepts by itself what nearly all lines are: a known name as net/http writes it, with nothing
// odd about it. Each call that it makes is its last, so that it has nothing to save; judge is for all other lines.
func (h *Headers) line(t *tally, name, value string) problem {
	var w nameWords // those of wordsOf, which is not inlined
	switch n := len(name); {
	case n < 4 || n > 24: // words do not tell them apart
		return h.other(t, name, value)
	case n > 16:
		w = nameWords{scan.Load64(name[:8]), scan.Load64(name[8:16]), scan.Load64(name[n-8:])}
	case n >= 8:
		w = nameWords{scan.Load64(name[:8]), 0, scan.Load64(name[n-8:])}
	default:
		w = nameWords{uint64(scan.Load32(name[:4])), 0, uint64(scan.Load32(name[n-4:]))}
	}
	f := &h.table.rows[w.slot()]
	if (f.words.head^w.head)|(f.words.middle^w.middle)|(f.words.tail^w.tail)|uint64(len(f.name)^len(name)) != 0 {
		if f.name == "" { // nothing has that slot
			return h.judge(t, &h.table.custom, name, value)
		}
		return h.other(t, name, value)
	}
	size := t.size + len(name) + len(value) + lineOverhead
	if size > h.maxBytes || len(value) > f.limit || t.watched&f.flags != 0 {
		return h.judge(t, f, name, value)
	}
	t.size = size
	t.watched |= f.flags & anyOnce
	if f.grammar != noGrammar {
		return h.grammar(t, f, value)
	}
	if t.parsed {
		return problem{}
	}
	return valueProblem(scan.FieldValue(value))
}

// other checks a line whose name, as it is written, is not that of the row to which its words lead.
func (h *Headers) other(t *tally, name, value string) problem {
	return h.judge(t, find(&h.table, name), name, value)
}

// judge checks a line of the field f in full, in the order in which problems are to be found.
func (h *Headers) judge(t *tally, f *field, name, value string) (p problem) {
	if f == &h.table.custom {
		if f, p = h.custom(t, name); p.code != CodeOK {
			return p
		}
	}
	t.size += len(name) + len(value) + lineOverhead
	if t.size > h.maxBytes {
		return problem{CodeHeaderTooLarge, 0}
	}
	if len(value) > f.limit {
		return problem{CodeHeaderValueTooLong, 0}
	}
	watched := f.flags & t.watched
	t.watched |= f.flags & anyOnce
	if watched&^anyOnce != 0 {
		if p = h.picky(t, f, name, value); p.code != CodeOK {
			return p
		}
	}
	if watched&anyOnce != 0 {
		if c := t.again(f, name); c != CodeOK {
			return t.rank(value, problem{c, 0})
		}
	}
	if f.grammar != noGrammar {
		return h.grammar(t, f, value)
	}
	return t.bytes(value)
}

// refuse hands on the problem of a line and reports whether the check goes on.
func (h *Headers) refuse(t *tally, name, value string, p problem) bool {
	return !t.stop(h.explain(t, name, value, p))
}

// lineOverhead is what a line costs beside its name and value, in the reckoning of HTTP/2.
//
// Source: RFC 9113, 6.5.2.
const lineOverhead = 32

// again judges the second and later lines of a field.
func (t *tally) again(f *field, name string) Code {
	switch {
	case f.grammar == contentLengthGrammar:
		return CodeContentLengthDuplicate
	case f.grammar == transferEncodingGrammar:
		return CodeTransferEncodingInvalid
	case f.flags&singleton != 0, f.grammar == mcpParamGrammar && t.repeats(name):
		return CodeHeaderDuplicate
	}
	return CodeOK
}

// repeats reports whether the request has more than one field of that name in any case.
func (t *tally) repeats(name string) bool {
	n := 0
	for i := range t.list {
		if scan.EqualFold(t.list[i].Name, name) {
			n++
		}
	}
	for other, values := range t.header {
		if scan.EqualFold(other, name) {
			n += len(values)
		}
	}
	return n > 1
}

// explain makes the violation of a problem with a line. Checks return the shorter form because most lines have none.
func (h *Headers) explain(t *tally, name, value string, p problem) Violation {
	switch p.code {
	case CodeHeaderTooLarge:
		return tooMany(p.code, "", h.maxBytes, t.size)
	case CodeHeaderValueTooLong:
		return tooLong(p.code, name, find(&h.table, name).limit, len(value))
	case CodeHeaderNameTooLong:
		return tooLong(p.code, name, h.maxName, len(name))
	case CodeMCPParamTooMany:
		return tooMany(p.code, "", maxMCPParams, t.params)
	case CodeCookieTooMany:
		return tooMany(p.code, name, h.maxCookies, t.cookies)
	case CodeForwardedTooMany:
		return tooMany(p.code, name, h.maxHops, max(t.hops, t.nodes))
	}
	return p.in(name)
}

// custom checks a name that is not in the table, and returns its row.
func (h *Headers) custom(t *tally, name string) (*field, problem) {
	if len(name) > h.maxName {
		return &h.table.custom, problem{CodeHeaderNameTooLong, 0}
	}
	if !isPlainToken(name) {
		if p := fieldName(name); p.code != CodeOK && !t.parsed {
			return &h.table.custom, p
		}
		if at := strings.IndexByte(name, '_'); at >= 0 {
			if h.table.isTwin(name) {
				return &h.table.custom, problem{CodeHeaderNameTwin, at}
			}
			if h.underscores {
				return &h.table.custom, problem{CodeHeaderNameUnderscore, at}
			}
		}
	}
	if !isMCPParam(name) {
		return &h.table.custom, problem{}
	}
	if len(name) == len(mcpParamPrefix) {
		return &h.table.param, problem{CodeMCPParamInvalid, len(name)}
	}
	if t.params++; t.params > maxMCPParams {
		return &h.table.param, problem{CodeMCPParamTooMany, 0}
	}
	return &h.table.param, problem{}
}

// isPlainToken reports whether name is a token of letters, digits, hyphens and maybe dots.
func isPlainToken(name string) bool {
	if len(name) >= 8 {
		return scan.HostName(name)
	}
	return name != "" && scan.Not(name, 0, scan.LDH) == len(name)
}

// maxMCPParams bounds the Mcp-Param fields of a request, so that finding a repeated one stays linear.
const maxMCPParams = 64

func upperCase(name string) int {
	for i := range len(name) {
		if name[i]-'A' < 26 {
			return i
		}
	}
	return -1
}

// picky judges fields that are refused by name, and values by what is allowed in most configurations and versions.
func (h *Headers) picky(t *tally, f *field, name, value string) problem {
	switch {
	case f.flags&forbidden != 0:
		return problem{CodeHeaderForbidden, 0}
	case f.grammar == transferEncodingGrammar && (t.http2 || t.http10):
		return problem{CodeTransferEncodingVersion, 0}
	case f.flags&connection != 0 && t.http2:
		return problem{CodeHeaderConnectionSpecific, 0}
	}
	if t.http2 && t.raw {
		if at := upperCase(name); at >= 0 {
			return t.rank(value, problem{CodeHeaderNameUppercase, at})
		}
	}
	if h.obsText {
		if at := obsText(value); at >= 0 {
			return t.rank(value, problem{CodeHeaderValueObsText, at})
		}
	}
	if t.http2 || h.outerSpace {
		if from, to := trimOWS(value); from > 0 {
			return t.rank(value, problem{CodeHeaderValueSpace, 0})
		} else if to < len(value) {
			return t.rank(value, problem{CodeHeaderValueSpace, to})
		}
	}
	return problem{}
}

// bytes looks for what no value may hold.
func (t *tally) bytes(value string) problem {
	if t.parsed {
		return problem{}
	}
	return valueProblem(scan.FieldValue(value))
}

// rank returns p or the problem that is more basic: a byte that no value may hold.
func (t *tally) rank(value string, p problem) problem {
	if v := t.bytes(value); v.code != CodeOK {
		return v
	}
	return p
}

func obsText(s string) int {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return i
		}
	}
	return -1
}

// grammar checks the value of a field that has a grammar, and remembers what the request as a whole needs.
func (h *Headers) grammar(t *tally, f *field, value string) (p problem) {
	if n := len(value); n > 0 && (isOWS(value[0]) || isOWS(value[n-1])) {
		return h.padded(t, f, value)
	}
	if f.flags&unread != 0 && !t.parsed {
		if p = valueProblem(scan.FieldValue(value)); p.code != CodeOK {
			return p
		}
	}
	switch f.grammar { // what nearly all requests send needs no call
	case hostGrammar:
		t.host, t.hosted = value, true
		if len(value) > 0 && !isPlainName(value) { // an empty one is missing, which only the request as a whole can judge
			_, p = readHost(value)
		}
	case contentLengthGrammar:
		t.length, p = readContentLength(value)
	case transferEncodingGrammar:
		t.coded = true
		p = transferEncodingProblem(value)
	case contentTypeGrammar:
		if value != "application/json" {
			p = contentTypeProblem(value)
		}
	case acceptGrammar:
		p = acceptProblem(value)
	case authorizationGrammar:
		if p = credentialsProblem(value, t.parsed); h.authorization && p.code == CodeOK {
			p = authorizationProblem(value)
		}
	case originGrammar:
		p = originProblem(value)
	case cookieGrammar:
		if t.cookies += 1 + strings.Count(value, ";"); t.cookies > h.maxCookies {
			return problem{CodeCookieTooMany, 0}
		}
		if h.cookie {
			p = cookieProblem(value)
		}
	case connectionGrammar:
		if value != "keep-alive" {
			p = connectionProblem(&h.table, value, h.connection)
		}
	case expectGrammar:
		p = expectProblem(value)
	case upgradeGrammar:
		p = upgradeProblem(value)
	case trailerGrammar:
		p = trailerProblem(&h.table, value)
	case teGrammar:
		if p = teProblem(value); t.http2 && !scan.EqualFold(value, "trailers") {
			p = problem{CodeTEInvalid, 0}
		}
	case rangeGrammar:
		p = rangeProblem(value, h.ranges)
	case forwardedGrammar:
		if t.hops += 1 + strings.Count(value, ","); t.hops > h.maxHops {
			return problem{CodeForwardedTooMany, 0}
		}
		p = forwardedProblem(value)
	case forwardedForGrammar:
		if t.nodes += 1 + strings.Count(value, ","); t.nodes > h.maxHops {
			return problem{CodeForwardedTooMany, 0}
		}
		if h.forwarded {
			p = forwardedForProblem(value)
		}
	case forwardedProtoGrammar:
		if value != "https" {
			p = forwardedProtoProblem(value)
		}
	case forwardedHostGrammar:
		p = forwardedHostProblem(value)
	case forwardedPortGrammar:
		p = forwardedPortProblem(value)
	case realIPGrammar:
		p = realIPProblem(value)
	case sessionIDGrammar:
		p = textProblem(scan.VisibleASCII(value), len(value), CodeSessionIDInvalid)
	case protocolVersionGrammar:
		p = protocolVersionProblem(value)
	case mcpMethodGrammar:
		p = textProblem(scan.PrintableASCII(value), len(value), CodeMCPMethodInvalid)
	case mcpNameGrammar:
		p = mirrorValue(value, CodeMCPNameInvalid)
	case mcpParamGrammar:
		p = paramValue(value)
	}
	if p.code != CodeOK {
		p = t.rank(value, p)
	}
	return p
}

// padded is grammar for a value with white space around it.
func (h *Headers) padded(t *tally, f *field, value string) problem {
	if p := t.bytes(value); p.code != CodeOK {
		return p
	}
	if at := strings.IndexByte(value, '\t'); at >= 0 && isFraming(f.grammar) {
		return problem{CodeHeaderValueSpace, at} // legal, but what obfuscated framing uses (Kettle, 2019)
	}
	from, to := trimOWS(value)
	p := h.grammar(t, f, value[from:to])
	if p.code != CodeOK {
		p.at += from
	}
	return p
}
