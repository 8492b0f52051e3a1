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
	ready                                                     bool
	table                                                     fieldTable
	maxFields, maxBytes, maxName, maxCookies, maxHops, ranges int
	underscores, obsText, outerSpace                          bool
	accept, authorization, cookie, connection, forwarded      bool
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
		ready: true, table: knownFields,
		underscores: cfg.RefuseUnderscores, obsText: cfg.RefuseObsText, outerSpace: cfg.RefuseOuterSpace,
		accept: cfg.StrictAccept, authorization: cfg.StrictAuthorization, cookie: cfg.StrictCookie,
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
	for i := range h.table.fields {
		if f := &h.table.fields[i]; f.limit == 0 {
			f.limit = limits[f.bound]
		}
	}
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
			t.fields[t.add(name)].flags |= forbidden
		}
	}
	for _, name := range cfg.RefuseNames {
		if errs.name("HeaderConfig.RefuseNames", name) {
			t.fields[t.add(name)].flags |= forbidden
		}
	}
	for _, l := range cfg.FieldLimits {
		if errs.name("HeaderConfig.FieldLimits", l.Name) {
			t.fields[t.add(l.Name)].limit = errs.bound("HeaderConfig.FieldLimits", l.MaxBytes, -1, 1, 1<<20)
			if l.MaxBytes == 0 {
				errs.reason("HeaderConfig.FieldLimits", l.Name, "has no MaxBytes")
			}
		}
	}
	for _, name := range cfg.DangerouslyAllowDuplicates {
		f := &t.fields[find(t, name)]
		if f.flags&singleton == 0 || isFraming(f) {
			errs.reason("HeaderConfig.DangerouslyAllowDuplicates", name, "is no singleton field that may be exempted")
			continue
		}
		f.flags &^= singleton
	}
	for _, name := range cfg.DangerouslyIgnoreGrammar {
		f := &t.fields[find(t, name)]
		if f.grammar == noGrammar || isFraming(f) {
			errs.reason("HeaderConfig.DangerouslyIgnoreGrammar", name, "has no grammar that may be ignored")
			continue
		}
		f.grammar = noGrammar
	}
}

func isFraming(f *field) bool {
	return f.grammar == contentLengthGrammar || f.grammar == transferEncodingGrammar || f.grammar == hostGrammar
}

// Check checks fields as net/http holds them. Keys may be in any case. What it finds first depends on the order of the
// map. The fields are taken for those of HTTP/1.1; [Request] knows better.
func (h *Headers) Check(header map[string][]string) Violation {
	t := newTally(mode{}, nil)
	return h.checkMap(&t, header)
}

// All yields a violation for every line that has one, the first it finds there, and for the request as a whole. It stops
// after a limit on number or sum, and allocates for the iterator only.
func (h *Headers) All(header map[string][]string) iter.Seq[Violation] {
	return func(yield func(Violation) bool) {
		t := newTally(mode{}, yield)
		h.checkMap(&t, header)
	}
}

// CheckFields checks fields in the order in which a gateway received them, and so also what a map no longer shows: lines
// folded in the obsolete way, equal repetitions, Content-Length beside Transfer-Encoding. The fields are taken for those
// of HTTP/1.1; [Request] knows better. Pseudo-fields of HTTP/2 are no fields: see [RequestView].
func (h *Headers) CheckFields(fields []Field) Violation {
	t := newTally(mode{raw: true}, nil)
	return h.checkFields(&t, fields)
}

// AllFields is [Headers.All] for [Headers.CheckFields].
func (h *Headers) AllFields(fields []Field) iter.Seq[Violation] {
	return func(yield func(Violation) bool) {
		t := newTally(mode{raw: true}, yield)
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
	yield func(Violation) bool // nil: stop at the first violation

	fields, bytes, cookies, params int
	hops                           [2]int // of X-Forwarded-For, and of Forwarded

	seen   [(firstRow + len(fieldList) + len(overrideNames) + maxNamed + 63) / 64]uint64
	length int64  // Content-Length, -1 if there is none
	coded  bool   // Transfer-Encoding was there
	host   string // Host
	hosted bool   // Host was there
}

func newTally(m mode, yield func(Violation) bool) tally {
	return tally{mode: m, yield: yield, length: -1}
}

// stop reports whether v ends the check.
func (t *tally) stop(v Violation) bool {
	if v.OK() {
		return false
	}
	if t.yield == nil || !t.yield(v) {
		return true
	}
	return v.Code == CodeHeaderTooMany || v.Code == CodeHeaderTooLarge
}

func (h *Headers) checkMap(t *tally, header map[string][]string) Violation {
	if !h.ready {
		return t.refuseAll()
	}
	for name, values := range header {
		if t.fields += len(values); t.fields > h.maxFields {
			v := tooMany(CodeHeaderTooMany, "", h.maxFields, t.fields)
			t.stop(v)
			return v
		}
		row := int(find(&h.table, name))
		if row == customRow {
			var v Violation
			row, v = h.customName(t, name)
			if row == paramRow && v.OK() && len(values) > 1 {
				v = Violation{Code: CodeHeaderDuplicate, Name: name}
			}
			if t.stop(v) {
				return v
			}
			if row == paramRow && !isCanonical(name) && repeatsIn(header, name) {
				if v = (Violation{Code: CodeHeaderDuplicate, Name: name}); t.stop(v) {
					return v
				}
			}
		}
		for _, value := range values {
			if v := h.line(t, row, name, value); t.stop(v) {
				return v
			}
		}
	}
	return h.whole(t)
}

func (h *Headers) checkFields(t *tally, fields []Field) Violation {
	if !h.ready {
		return t.refuseAll()
	}
	if t.fields = len(fields); t.fields > h.maxFields {
		v := tooMany(CodeHeaderTooMany, "", h.maxFields, t.fields)
		t.stop(v)
		return v
	}
	for i := range fields {
		name := fields[i].Name
		row := int(find(&h.table, name))
		if t.http2 {
			if at := upperCase(name); at >= 0 {
				if v := (Violation{Code: CodeHeaderNameUppercase, Name: name, Offset: at}); t.stop(v) {
					return v
				}
			}
		}
		if row == customRow {
			var v Violation
			row, v = h.customName(t, name)
			if row == paramRow && v.OK() && repeatsAbove(fields[:i], name) {
				v = Violation{Code: CodeHeaderDuplicate, Name: name}
			}
			if t.stop(v) {
				return v
			}
		}
		if v := h.line(t, row, name, fields[i].Value); t.stop(v) {
			return v
		}
	}
	return h.whole(t)
}

func (t *tally) refuseAll() Violation {
	v := Violation{Code: CodeNotCompiled}
	t.stop(v)
	return v
}

// customName checks a name that is not in the table and returns its row.
func (h *Headers) customName(t *tally, name string) (int, Violation) {
	if len(name) > h.maxName {
		return customRow, tooLong(CodeHeaderNameTooLong, name, h.maxName, len(name))
	}
	if !t.parsed {
		if p := fieldName(name); p.code != CodeOK {
			return customRow, p.in(name)
		}
	}
	if at := strings.IndexByte(name, '_'); at >= 0 {
		if h.table.isTwin(name) {
			return customRow, Violation{Code: CodeHeaderNameTwin, Name: name, Offset: at}
		}
		if h.underscores {
			return customRow, Violation{Code: CodeHeaderNameUnderscore, Name: name, Offset: at}
		}
	}
	if !isMCPParam(name) {
		return customRow, Violation{}
	}
	if len(name) == len(mcpParamPrefix) {
		return paramRow, Violation{Code: CodeMCPParamInvalid, Name: name, Offset: len(name)}
	}
	if t.params++; t.params > maxMCPParams {
		return paramRow, tooMany(CodeMCPParamTooMany, "", maxMCPParams, t.params)
	}
	return paramRow, Violation{}
}

// maxMCPParams bounds the Mcp-Param fields of a request, so that finding a repeated one stays linear.
const maxMCPParams = 64

// repeatsAbove reports whether a field of the same name in any case is among fields.
func repeatsAbove(fields []Field, name string) bool {
	for i := range fields {
		if scan.EqualFold(fields[i].Name, name) {
			return true
		}
	}
	return false
}

// repeatsIn reports whether header has the same name in another case too, as maps made by hand may.
func repeatsIn(header map[string][]string, name string) bool {
	for other := range header {
		if other != name && scan.EqualFold(other, name) {
			return true
		}
	}
	return false
}

// isCanonical reports whether name has the case that net/http gives it.
func isCanonical(name string) bool {
	start := true
	for i := range len(name) {
		if c := name[i]; start && c-'a' < 26 || !start && c-'A' < 26 {
			return false
		}
		start = name[i] == '-'
	}
	return true
}

func upperCase(name string) int {
	for i := range len(name) {
		if name[i]-'A' < 26 {
			return i
		}
	}
	return -1
}

// line checks one field line whose name is settled.
func (h *Headers) line(t *tally, row int, name, value string) Violation {
	f := &h.table.fields[row]
	if t.bytes += len(name) + len(value) + 32; t.bytes > h.maxBytes {
		return tooMany(CodeHeaderTooLarge, "", h.maxBytes, t.bytes)
	}
	if len(value) > f.limit {
		return tooLong(CodeHeaderValueTooLong, name, f.limit, len(value))
	}
	word, bit := row/64, uint64(1)<<(row%64)
	if t.seen[word]&bit != 0 && f.flags&singleton != 0 {
		return Violation{Code: repeatedCode(f.grammar), Name: name}
	}
	t.seen[word] |= bit
	if f.flags&(forbidden|connection) != 0 {
		if v := t.unwanted(f, name); !v.OK() {
			return v
		}
	}
	if !t.parsed {
		if scan.FieldValue(value) >= 0 {
			return fieldValue(value).in(name)
		}
	}
	if h.obsText {
		if at := obsText(value); at >= 0 {
			return Violation{Code: CodeHeaderValueObsText, Name: name, Offset: at}
		}
	}
	if n := len(value); n > 0 && (isOWS(value[0]) || isOWS(value[n-1])) {
		from, to := trimOWS(value)
		if t.http2 || h.outerSpace {
			if from > 0 {
				return Violation{Code: CodeHeaderValueSpace, Name: name}
			}
			return Violation{Code: CodeHeaderValueSpace, Name: name, Offset: to}
		}
		v := h.grammar(t, f.grammar, name, value[from:to])
		if v.Code != CodeOK && v.Limit == 0 {
			v.Offset += from
		}
		return v
	}
	if f.grammar == noGrammar {
		return Violation{}
	}
	return h.grammar(t, f.grammar, name, value)
}

func repeatedCode(g grammar) Code {
	switch g {
	case contentLengthGrammar:
		return CodeContentLengthDuplicate
	case transferEncodingGrammar:
		return CodeTransferEncodingInvalid
	}
	return CodeHeaderDuplicate
}

// unwanted judges fields that are refused by name.
func (t *tally) unwanted(f *field, name string) Violation {
	switch {
	case f.flags&forbidden != 0:
		return Violation{Code: CodeHeaderForbidden, Name: name}
	case f.grammar == transferEncodingGrammar && (t.http2 || t.http10):
		return Violation{Code: CodeTransferEncodingVersion, Name: name}
	case t.http2:
		return Violation{Code: CodeHeaderConnectionSpecific, Name: name}
	}
	return Violation{}
}

func obsText(s string) int {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return i
		}
	}
	return -1
}

// grammar checks a value without white space around it against the grammar of its field, and remembers what the request
// as a whole needs.
func (h *Headers) grammar(t *tally, g grammar, name, value string) Violation {
	var p problem
	switch g {
	case hostGrammar:
		t.host, t.hosted = value, true
		if len(value) > 0 { // an empty one is missing, which only the request as a whole can judge
			_, p = readHost(value)
		}
	case contentLengthGrammar:
		t.length, p = readContentLength(value)
	case transferEncodingGrammar:
		t.coded = true
		p = transferEncodingProblem(value)
	case contentTypeGrammar:
		p = contentTypeProblem(value)
	case acceptGrammar:
		if h.accept {
			p = acceptProblem(value)
		}
	case authorizationGrammar:
		if p = credentialsProblem(value); h.authorization && p.code == CodeOK {
			p = authorizationProblem(value)
		}
	case originGrammar:
		p = originProblem(value)
	case cookieGrammar:
		if t.cookies += 1 + strings.Count(value, ";"); t.cookies > h.maxCookies {
			return tooMany(CodeCookieTooMany, name, h.maxCookies, t.cookies)
		}
		if h.cookie {
			p = cookieProblem(value)
		}
	case connectionGrammar:
		p = connectionProblem(&h.table, value, h.connection)
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
	case forwardedGrammar, forwardedForGrammar:
		return h.forwardedLine(t, g, name, value)
	case forwardedProtoGrammar:
		p = forwardedProtoProblem(value)
	case forwardedHostGrammar:
		p = forwardedHostProblem(value)
	case forwardedPortGrammar:
		p = forwardedPortProblem(value)
	case realIPGrammar:
		p = realIPProblem(value)
	case sessionIDGrammar:
		p = sessionIDProblem(value)
	case protocolVersionGrammar:
		p = protocolVersionProblem(value)
	case mcpMethodGrammar:
		p = mirrorText(value, CodeMCPMethodInvalid)
	case mcpNameGrammar:
		p = mirrorValue(value, CodeMCPNameInvalid)
	case mcpParamGrammar:
		p = paramValue(value)
	}
	return p.in(name)
}

// forwardedLine counts the hops of each kind of field by itself.
func (h *Headers) forwardedLine(t *tally, g grammar, name, value string) Violation {
	hops := &t.hops[0]
	if g == forwardedGrammar {
		hops = &t.hops[1]
	}
	if *hops += 1 + strings.Count(value, ","); *hops > h.maxHops {
		return tooMany(CodeForwardedTooMany, name, h.maxHops, *hops)
	}
	if g == forwardedGrammar {
		return forwardedProblem(value).in(name)
	}
	if h.forwarded {
		return forwardedForProblem(value).in(name)
	}
	return Violation{}
}

// whole checks what only all lines together show.
func (h *Headers) whole(t *tally) Violation {
	if t.coded && t.length >= 0 {
		v := Violation{Code: CodeFramingConflict, Name: "Transfer-Encoding"}
		t.stop(v)
		return v
	}
	return Violation{}
}
