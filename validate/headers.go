package validate

import (
	"iter"
	"strings"

	"github.com/sallyport/sallyport/internal/scan"
)

// Field is a field line as received: the name in its own case, the value with or without the white space around it.
type Field struct{ Name, Value string }

// Headers checks the fields of a request: number, sizes, names, values, repetition, and for known fields the grammar.
// It is immutable and safe for concurrent use; the zero Headers refuses everything. Its checks allocate nothing and take
// time linear in the input, which the limits bound before any byte is read.
type Headers struct {
	table                                                     fieldTable // first, so that its rows are aligned
	ready                                                     bool
	maxFields, maxBytes, maxName, maxCookies, maxHops, ranges int
	underscores, obsText, outerSpace                          bool
	authorization, cookie, connection, forwarded              bool
}

// NewHeaders compiles cfg. The error joins a *[ConfigError] for each thing that is wrong with it.
func NewHeaders(cfg HeaderConfig) (*Headers, error) {
	var errs configErrors
	h := compileHeaders(&cfg, &errs)
	if err := errs.join(); err != nil {
		return nil, err
	}
	return h, nil
}

func compileHeaders(cfg *HeaderConfig, errs *configErrors) *Headers {
	h := &Headers{
		ready: true, table: *knownFields,
		underscores: cfg.RefuseUnderscores, obsText: cfg.RefuseObsText, outerSpace: cfg.RefuseOuterSpace,
		authorization: cfg.StrictAuthorization, cookie: cfg.StrictCookie,
		connection: cfg.StrictConnection, forwarded: cfg.StrictForwarded,
	}
	h.maxFields = errs.bound("HeaderConfig.MaxFields", cfg.MaxFields, 100, 1, 10_000)
	h.maxBytes = errs.bound("HeaderConfig.MaxBytes", cfg.MaxBytes, 32<<10, 1, 16<<20)
	h.maxName = errs.bound("HeaderConfig.MaxNameBytes", cfg.MaxNameBytes, 128, 1, 1024)
	h.maxCookies = errs.bound("HeaderConfig.MaxCookies", cfg.MaxCookies, 100, 1, 10_000)
	h.maxHops = errs.bound("HeaderConfig.MaxForwardedHops", cfg.MaxForwardedHops, 32, 1, 10_000)
	h.ranges = errs.bound("HeaderConfig.MaxRanges", cfg.MaxRanges, defaultRanges, 1, 1000)
	limits := [...]int{
		customBound:      errs.bound("HeaderConfig.MaxCustomValueBytes", cfg.MaxCustomValueBytes, 2048, 1, 1<<20),
		standardBound:    errs.bound("HeaderConfig.MaxValueBytes", cfg.MaxValueBytes, 8<<10, 1, 1<<20),
		credentialsBound: errs.bound("HeaderConfig.MaxCredentialsBytes", cfg.MaxCredentialsBytes, 16<<10, 1, 1<<20),
		cookieBound:      errs.bound("HeaderConfig.MaxCookieBytes", cfg.MaxCookieBytes, 16<<10, 1, 1<<20),
		sessionIDBound:   errs.bound("HeaderConfig.MaxSessionIDBytes", cfg.MaxSessionIDBytes, 256, 1, 64<<10),
		mcpNameBound:     errs.bound("HeaderConfig.MaxMCPNameBytes", cfg.MaxMCPNameBytes, 1024, 1, 64<<10),
		lastEventIDBound: errs.bound("HeaderConfig.MaxLastEventIDBytes", cfg.MaxLastEventIDBytes, 512, 1, 64<<10),
	}
	h.name(cfg, errs)
	if !cfg.StrictAccept {
		find(&h.table, "Accept").grammar = noGrammar
	}
	for i := range h.table.rows {
		if f := &h.table.rows[i]; f.limit == 0 {
			f.limit = limits[f.bound]
		}
	}
	h.table.custom.limit, h.table.param.limit = limits[customBound], limits[customBound]
	return h
}

// name applies the parts of the configuration that speak of fields by name.
func (h *Headers) name(cfg *HeaderConfig, errs *configErrors) {
	t := &h.table
	if !errs.count("HeaderConfig.RefuseNames and FieldLimits", len(cfg.RefuseNames)+len(cfg.FieldLimits), maxNamed) {
		return
	}
	if cfg.RefuseOverrides {
		for _, name := range overrideNames {
			t.add(name).flags |= forbidden
		}
	}
	for _, name := range cfg.RefuseNames {
		if errs.name("HeaderConfig.RefuseNames", name) {
			t.add(name).flags |= forbidden
		}
	}
	for _, l := range cfg.FieldLimits {
		if errs.name("HeaderConfig.FieldLimits", l.Name) {
			t.add(l.Name).limit = errs.bound("HeaderConfig.FieldLimits", l.MaxBytes, -1, 1, 1<<20)
			if l.MaxBytes == 0 {
				errs.reason("HeaderConfig.FieldLimits", l.Name, "has no MaxBytes")
			}
		}
	}
	for _, name := range cfg.DangerouslyAllowDuplicates {
		f := find(t, name)
		if f.flags&singleton == 0 || isFraming(f.grammar) {
			errs.reason("HeaderConfig.DangerouslyAllowDuplicates", name, "is no singleton field that may be exempted")
			continue
		}
		f.flags &^= singleton
	}
	for _, name := range cfg.DangerouslyIgnoreGrammar {
		f := find(t, name)
		if f.grammar == noGrammar || isFraming(f.grammar) {
			errs.reason("HeaderConfig.DangerouslyIgnoreGrammar", name, "has no grammar that may be ignored")
			continue
		}
		f.grammar = noGrammar
	}
}

func isFraming(g grammar) bool {
	return g == contentLengthGrammar || g == transferEncodingGrammar || g == hostGrammar
}

// Check checks fields as net/http holds them. Keys may be in any case. What it finds first depends on the order of the
// map. The fields are taken for those of HTTP/1.1; [Request] knows better.
func (h *Headers) Check(header map[string][]string) Violation {
	var t tally
	h.start(&t, mode{}, nil)
	h.checkMap(&t, header)
	return t.found
}

// All yields a violation for every line that has one, the first it finds there, and for the request as a whole. It stops
// after a limit on number or sum, and allocates for the iterator only.
func (h *Headers) All(header map[string][]string) iter.Seq[Violation] {
	return func(yield func(Violation) bool) {
		var t tally
		h.start(&t, mode{}, yield)
		h.checkMap(&t, header)
	}
}

// CheckFields checks fields in the order in which a gateway received them, and so also what a map no longer shows: lines
// folded in the obsolete way, equal repetitions, Content-Length beside Transfer-Encoding. The fields are taken for those
// of HTTP/1.1; [Request] knows better. Pseudo-fields of HTTP/2 are no fields: see [RequestView].
func (h *Headers) CheckFields(fields []Field) Violation {
	var t tally
	h.start(&t, mode{raw: true}, nil)
	h.checkFields(&t, fields)
	return t.found
}

// AllFields is [Headers.All] for [Headers.CheckFields].
func (h *Headers) AllFields(fields []Field) iter.Seq[Violation] {
	return func(yield func(Violation) bool) {
		var t tally
		h.start(&t, mode{raw: true}, yield)
		h.checkFields(&t, fields)
	}
}

// mode is what is known about the origin of fields.
type mode struct {
	raw    bool // straight from the wire, names in their own case
	parsed bool // net/http has settled the bytes
	http2  bool // HTTP/2 or HTTP/3
	http10 bool
}

// tally is what a check has seen of a request so far.
type tally struct {
	mode
	watched fieldFlags           // what in flags asks for a closer look: the bits below once as configured, those above when seen
	yield   func(Violation) bool // nil: stop at the first violation
	found   Violation            // the last violation

	header map[string][]string // what is checked, one of the two
	list   []Field

	fields, size, cookies, params int
	hops, nodes                   int // of Forwarded, of X-Forwarded-For

	length int64  // Content-Length, -1 if there is none
	coded  bool   // Transfer-Encoding was there
	host   string // Host
	hosted bool   // Host was there
}

// start prepares t for a request.
func (h *Headers) start(t *tally, m mode, yield func(Violation) bool) {
	t.mode, t.yield, t.length = m, yield, -1
	t.watched = forbidden
	if m.http10 {
		t.watched |= connection
	}
	if m.http2 || h.obsText || h.outerSpace {
		t.watched |= every
	}
}

// stop takes a violation and reports whether it ends the check. It keeps it: functions that return a Violation each would
// spend more time on handing over the zero one than on checking.
func (t *tally) stop(v Violation) bool {
	t.found = v
	if t.yield == nil || !t.yield(v) {
		return true
	}
	return v.Code == CodeHeaderTooMany || v.Code == CodeHeaderTooLarge || v.Code == CodeNotCompiled
}

// checkMap reports whether the check goes on.
func (h *Headers) checkMap(t *tally, header map[string][]string) bool {
	t.header = header
	if !h.ready {
		return h.turnAway(t)
	}
	for name, values := range header {
		if t.fields += len(values); t.fields > h.maxFields {
			return h.turnAway(t)
		}
		if len(values) == 1 { // nearly always, and the loop costs more
			if p := h.line(t, name, values[0]); p.code != CodeOK && !h.refuse(t, name, values[0], p) {
				return false
			}
			continue
		}
		for _, value := range values {
			if p := h.line(t, name, value); p.code != CodeOK && !h.refuse(t, name, value, p) {
				return false
			}
		}
	}
	return t.whole()
}

// checkFields reports whether the check goes on.
func (h *Headers) checkFields(t *tally, fields []Field) bool {
	t.list = fields
	if t.fields = len(fields); !h.ready || t.fields > h.maxFields {
		return h.turnAway(t)
	}
	for i := range fields {
		f := &fields[i]
		if p := h.line(t, f.Name, f.Value); p.code != CodeOK && !h.refuse(t, f.Name, f.Value, p) {
			return false
		}
	}
	return t.whole()
}

// turnAway says why no more lines are looked at, and that the check ends.
func (h *Headers) turnAway(t *tally) bool {
	if !h.ready {
		t.stop(Violation{Code: CodeNotCompiled})
	} else {
		t.stop(tooMany(CodeHeaderTooMany, "", h.maxFields, t.fields))
	}
	return false
}

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

// whole checks what only all lines together show, and reports whether the check goes on.
func (t *tally) whole() bool {
	return t.length < 0 || !t.coded || !t.stop(Violation{Code: CodeFramingConflict, Name: "Transfer-Encoding"})
}
