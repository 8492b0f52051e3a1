package validate

import (
	"iter"
	"strings"
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
	for _, l := range cfg.FieldLimits { // a row of its own would take such a field out of the checks that all of them get
		switch {
		case isMCPParam(l.Name):
			errs.reason("HeaderConfig.FieldLimits", l.Name, "is bounded by MaxCustomValueBytes")
		case strings.IndexByte(l.Name, '_') >= 0 && (cfg.RefuseUnderscores || t.isTwin(l.Name)):
			errs.reason("HeaderConfig.FieldLimits", l.Name, "is refused for its underscore")
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

// whole checks what only all lines together show, and reports whether the check goes on.
func (t *tally) whole() bool {
	return t.length < 0 || !t.coded || !t.stop(Violation{Code: CodeFramingConflict, Name: "Transfer-Encoding"})
}
