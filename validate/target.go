package validate

import (
	"iter"
	"strings"

	"github.com/sallyport/sallyport/internal/scan"
)

// Target checks request targets as they stand on the wire (http.Request.RequestURI, not URL: decoding hides what matters).
// It is immutable and safe for concurrent use; the zero Target refuses everything. Its checks allocate nothing and take
// time linear in the target.
type Target struct {
	ready                               bool
	maxBytes, maxSegments, maxSegment   int
	maxQuery, maxPairs                  int
	maxPairName, maxPairValue           int
	refuse                              codeSet // of the codes that the path and query walks can find
	controls, doubleInQuery, allowsDots bool
	unique                              []string
}

// NewTarget compiles cfg. The error joins a *[ConfigError] for each thing that is wrong with it.
func NewTarget(cfg TargetConfig) (*Target, error) {
	var errs configErrors
	t := compileTarget(&cfg, &errs)
	if err := errs.join(); err != nil {
		return nil, err
	}
	return t, nil
}

func compileTarget(cfg *TargetConfig, errs *configErrors) *Target {
	t := &Target{
		ready: true, controls: cfg.RefuseEncodedControls, doubleInQuery: cfg.RefuseDoubleEncoding,
		allowsDots: cfg.DangerouslyAllowDotSegments,
	}
	t.maxBytes = errs.bound("TargetConfig.MaxBytes", cfg.MaxBytes, 8<<10, 1, 1<<20)
	t.maxSegments = errs.bound("TargetConfig.MaxSegments", cfg.MaxSegments, 64, 1, 100_000)
	t.maxSegment = errs.bound("TargetConfig.MaxSegmentBytes", cfg.MaxSegmentBytes, 512, 1, 1<<20)
	t.maxQuery = errs.bound("TargetConfig.MaxQueryBytes", cfg.MaxQueryBytes, 8<<10, 1, 1<<20)
	t.maxPairs = errs.bound("TargetConfig.MaxPairs", cfg.MaxPairs, 255, 1, 100_000)
	t.maxPairName = errs.bound("TargetConfig.MaxPairNameBytes", cfg.MaxPairNameBytes, 256, 1, 1<<20)
	t.maxPairValue = errs.bound("TargetConfig.MaxPairValueBytes", cfg.MaxPairValueBytes, 4096, 1, 1<<20)
	t.refuse.add(CodeURIByteInvalid, CodeURIPercentInvalid, CodeURINULEncoded, CodeURIControlEncoded, CodeURIDotSegment,
		CodeURIDotSegmentEncoded, CodeURIDotSegmentParameter, CodeURIAboveRoot, CodeURIBackslashEncoded,
		CodeURIPathAmbiguous, CodeURIDoubleEncoded, CodeURIFragment, CodeURIUTF8Invalid)
	for _, option := range [...]struct {
		on   bool
		code Code
	}{
		{cfg.RefuseAbsoluteForm, CodeURIAbsolute},
		{cfg.RefuseRawDelimiters, CodeURIDelimiterRaw},
		{cfg.RefuseRawNonASCII, CodeURINonASCII},
		{cfg.RefuseEncodedSlash, CodeURISlashEncoded},
		{cfg.RefuseEncodedUnreserved, CodeURIUnreservedEncoded},
		{cfg.RefuseDoubleEncoding, CodeURIPercentEncoded},
		{cfg.RefuseEmptySegments, CodeURISegmentEmpty},
		{cfg.RefusePathParameters, CodeURIParameter},
		{cfg.RefuseQuerySemicolons, CodeURISemicolon},
		{cfg.RefuseLookalikes, CodeURILookalike},
	} {
		if option.on {
			t.refuse.add(option.code)
		}
	}
	if cfg.DangerouslyAllowDotSegments {
		t.refuse.remove(CodeURIDotSegment)
	}
	if cfg.DangerouslyAllowLatin1 {
		t.refuse.remove(CodeURIUTF8Invalid)
	}
	if errs.count("TargetConfig.UniqueNames", len(cfg.UniqueNames), 64) {
		for _, name := range cfg.UniqueNames {
			if name == "" {
				errs.reason("TargetConfig.UniqueNames", name, "is empty")
			}
			t.unique = append(t.unique, name)
		}
	}
	return t
}

// codeSet is a set of codes below 128.
type codeSet [2]uint64

func (s *codeSet) add(codes ...Code) {
	for _, c := range codes {
		s[c>>6] |= 1 << (c & 63)
	}
}

func (s *codeSet) remove(c Code)   { s[c>>6] &^= 1 << (c & 63) }
func (s *codeSet) has(c Code) bool { return s[c>>6]&(1<<(c&63)) != 0 }

// Check checks target and that its form fits method: a path with an optional query, "*" for OPTIONS only, host and port for
// CONNECT only, or an absolute http or https URI. Offsets are those of target. net/http takes "*" and opaque URIs with any
// method, and over HTTP/2 an absolute URI as path.
//
// Source: RFC 9112, 3.2; RFC 3986, 3.3 and 3.4; the package comment has one row for each check.
func (t *Target) Check(method, target string) Violation {
	if _, p := t.check(method, target, false, &t.refuse); p.code != CodeOK {
		return t.explain(target, p)
	}
	return Violation{}
}

// All yields the first place of each kind of violation in target. It allocates for the iterator only.
func (t *Target) All(method, target string) iter.Seq[Violation] {
	return func(yield func(Violation) bool) { t.each(method, target, false, yield) }
}

// each repeats the check without the codes already found; a violation of form or length ends it.
func (t *Target) each(method, target string, http2 bool, yield func(Violation) bool) bool {
	refuse := t.refuse
	for {
		_, p := t.check(method, target, http2, &refuse)
		if p.code == CodeOK {
			return true
		}
		again := refuse.has(p.code)
		if !yield(t.explain(target, p)) {
			return false
		}
		if !again {
			return true
		}
		refuse.remove(p.code)
	}
}

// Path checks a path by itself, such as one from a gateway's own event. It starts with a slash. Offsets are those of path.
func (t *Target) Path(path string) Violation {
	p := t.limits(path)
	if p.code == CodeOK {
		if path[0] != '/' {
			p.code = CodeURIFormInvalid
		} else {
			p = t.path(path, 0, len(path), &t.refuse)
		}
	}
	return t.explain(path, p)
}

// Query checks a query by itself, without the question mark. An empty one is fine. Offsets are those of query.
func (t *Target) Query(query string) Violation {
	if !t.ready {
		return Violation{Code: CodeNotCompiled}
	}
	return t.explain(query, t.query(query, 0, &t.refuse))
}

// limits checks the size of a target.
func (t *Target) limits(target string) problem {
	switch {
	case !t.ready:
		return problem{CodeNotCompiled, 0}
	case target == "":
		return problem{CodeURIEmpty, 0}
	case len(target) > t.maxBytes:
		return problem{CodeURITooLong, t.maxBytes}
	}
	return problem{}
}

// check returns the authority within target too, "" if it has none.
func (t *Target) check(method, target string, http2 bool, refuse *codeSet) (authority string, p problem) {
	if p = t.limits(target); p.code != CodeOK {
		return "", p
	}
	switch {
	case method == "CONNECT":
		return target, connectProblem(target)
	case target[0] == '/':
		return "", t.pathAndQuery(target, 0, refuse)
	case target == "*" && method == "OPTIONS":
		return "", problem{}
	}
	from, to, p := splitAbsolute(target)
	switch {
	case p.code != CodeOK:
		return "", p
	case http2:
		return "", problem{CodeURIFormInvalid, 0} // RFC 9113, 8.3.1: :path has no authority
	case refuse.has(CodeURIAbsolute):
		return target[from:to], problem{CodeURIAbsolute, 0}
	case to == len(target):
		return target[from:to], problem{}
	}
	return target[from:to], t.pathAndQuery(target, to, refuse)
}

// pathAndQuery checks target from the byte where the path starts, or the query if the path is empty.
func (t *Target) pathAndQuery(target string, from int, refuse *codeSet) problem {
	end := strings.IndexByte(target[from:], '?')
	if end < 0 {
		return t.path(target, from, len(target), refuse)
	}
	end += from
	if end > from {
		if p := t.path(target, from, end, refuse); p.code != CodeOK {
			return p
		}
	}
	return t.query(target, end+1, refuse)
}

// connectProblem allows host ":" port.
//
// Source: RFC 9112, 3.2.3; RFC 9110, 9.3.6.
func connectProblem(target string) problem {
	if at := strings.IndexByte(target, '@'); at >= 0 {
		return problem{CodeURIUserinfo, at}
	}
	if at := strings.IndexAny(target, "/?#"); at >= 0 || target == "*" {
		return problem{CodeURIFormInvalid, max(at, 0)}
	}
	h, p := readHost(target)
	if p.code == CodeOK && h.port < 0 {
		return problem{CodeHostPortInvalid, len(target)}
	}
	return p
}

// splitAbsolute returns the bounds of the authority of an http or https URI.
//
// Source: RFC 9112, 3.2.2; RFC 9110, 4.2.
func splitAbsolute(target string) (from, to int, p problem) {
	colon := 0
	if scan.Is(target[0], scan.Alpha) {
		colon = scan.Not(target, 1, scan.Scheme)
	}
	if colon == 0 || colon == len(target) || target[colon] != ':' {
		return 0, 0, problem{CodeURIFormInvalid, 0} // neither a path nor an absolute URI
	}
	scheme, rest := target[:colon], target[colon:]
	if !scan.EqualFold(scheme, "http") && !scan.EqualFold(scheme, "https") || !strings.HasPrefix(rest, "://") {
		return 0, 0, problem{CodeURISchemeInvalid, 0}
	}
	from = colon + len("://")
	to = from
	for to < len(target) && target[to] != '/' && target[to] != '?' && target[to] != '#' {
		if target[to] == '@' {
			return 0, 0, problem{CodeURIUserinfo, to}
		}
		to++
	}
	if _, p = readHost(target[from:to]); p.code != CodeOK {
		p.at += from
		return 0, 0, p
	}
	if to < len(target) && target[to] == '#' {
		return 0, 0, problem{CodeURIFragment, to}
	}
	return from, to, problem{}
}
