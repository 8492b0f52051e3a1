package waf

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/validate"
)

// endpoint is a compiled Endpoint.
type endpoint struct {
	Endpoint
	access
	dryRun   *access // nil if there is none
	versions versionSet
	callers  map[string]callerVersions // by identity, of those with a rule in MinVersions
	streams  bool                      // the GET stream of an HTTP+SSE pair, where nothing is posted
	index    int                       // in Config.Endpoints
	group    int                       // endpoints with equal settings are in one group: which of them is meant does not matter
}

// endpointTable finds the endpoint of a path. It is immutable.
//
// A path is looked up twice: as it is on the wire, and folded, which is how the most lenient router would read it. The
// endpoint of the wire form counts, unless a lenient router would reach one with other settings: then the path has two
// meanings and there is no answer.
type endpointTable struct {
	wire    pathTable
	folded  pathTable
	settled map[string]*endpoint // of the exact paths without ambiguity, so that most requests are done with one look
}

// find returns the endpoint that path leads to, or nil. It returns ambiguous if readers could disagree on which one. A dot segment
// takes readers that clean paths elsewhere, and each of them may undo other escapes first.
func (t *endpointTable) find(path string) (ep *endpoint, ambiguous bool) {
	if ep = t.settled[path]; ep != nil {
		return ep, false
	}
	wire, folded := t.wire.find(path), t.folded.find(foldPath(path))
	if ep = cmp.Or(wire, folded); ep == nil {
		return nil, false
	}
	return ep, folded != nil && ep.group != folded.group || hasDotSegment(path)
}

// nearly reports whether a path that leads to no endpoint does so for readers that take the end of its last segment for something else: a
// format (".json"), dots and spaces that they drop, or a fragment whose "#" was escaped.
//
// Source: Rails and Grails, whose routes end in an optional format unless told otherwise; Spring Framework before 5.3, suffix patterns;
// CVE-2016-5007.
func (t *endpointTable) nearly(path string) bool {
	folded := foldPath(path)
	cut, _, _ := strings.Cut(folded, "#")
	if cut = strings.TrimRight(cut, " ."); cut != folded && t.folded.find(foldPath(cut)) != nil {
		return true
	}
	dot := strings.LastIndexByte(cut, '.')
	return dot > strings.LastIndexByte(cut, '/')+1 && t.folded.find(cut[:dot]) != nil
}

// hasDotSegment reports whether a path has a segment "." or "..", as it is or with some of its escapes undone, to whatever readers take for
// the end of a segment. They differ on what they undo first, so nothing is dropped on the way.
func hasDotSegment(path string) bool {
	for range 4 { // as it is, and as often as foldPath undoes escapes
		for segment := range strings.FieldsFuncSeq(path, func(c rune) bool { return strings.ContainsRune(`/\;?`, c) }) {
			if segment == "." || segment == ".." {
				return true
			}
		}
		if strings.IndexByte(path, '%') < 0 {
			break
		}
		path = unescapeOnce(path)
	}
	return false
}

// unescapeOnce undoes each escape, and leaves alone what is none.
func unescapeOnce(path string) string {
	out := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			if v, err := strconv.ParseUint(path[i+1:i+3], 16, 8); err == nil {
				c = byte(v)
				i += 2
			}
		}
		out = append(out, c)
	}
	return string(out)
}

// pathTable maps paths of one form to endpoints.
type pathTable struct {
	exact    map[string]*endpoint
	patterns []pathPattern // longest first
}

type pathPattern struct {
	prefix, suffix string // one of them is empty
	ep             *endpoint
}

func (t *pathTable) find(path string) *endpoint {
	if ep := t.exact[path]; ep != nil {
		return ep
	}
	for i := range t.patterns {
		p := &t.patterns[i]
		if strings.HasPrefix(path, p.prefix) && strings.HasSuffix(path, p.suffix) {
			return p.ep
		}
	}
	return nil
}

// add enters an endpoint and returns the one that has the same path already, if there is one.
func (t *pathTable) add(path string, ep *endpoint) *endpoint {
	p := pathPattern{ep: ep}
	switch {
	case strings.HasPrefix(path, "*"):
		p.suffix = path[1:]
	case strings.HasSuffix(path, "/*"):
		p.prefix = path[:len(path)-1]
	default:
		if other := t.exact[path]; other != nil {
			return other
		}
		t.exact[path] = ep
		return nil
	}
	for _, other := range t.patterns {
		if other.prefix == p.prefix && other.suffix == p.suffix {
			return other.ep
		}
	}
	t.patterns = append(t.patterns, p)
	slices.SortStableFunc(t.patterns, func(a, b pathPattern) int {
		return cmp.Compare(len(b.prefix)+len(b.suffix), len(a.prefix)+len(a.suffix))
	})
	return nil
}

// foldPath returns the form in which all spellings of a path agree that a lenient router may take for each other, escapes of
// escapes included. It returns path itself, without allocating, if that is the form already.
func foldPath(path string) string {
	for range 3 { // what is escaped more often than that no server reads as a path of ours
		if isFolded(path) {
			break
		}
		folded := string(validate.AppendRoute(nil, path))
		if folded == path {
			break
		}
		path = folded
	}
	return path
}

// isFolded reports whether foldPath has nothing to do. It may say no where that is so, never yes where it is not.
func isFolded(path string) bool {
	for i := 0; i < len(path); i++ {
		c := path[i]
		if 'A' <= c && c <= 'Z' || c == '%' || c == ';' || c == '\\' || c == '?' || c == '/' && i > 0 && (path[i-1] == '/' || i == len(path)-1) {
			return false
		}
	}
	return true
}

// compileEndpoints returns the table of the endpoints, or every fault in them. messages are the bounds of messages.
func compileEndpoints(endpoints []Endpoint, messages mcpmsg.Config) (*endpointTable, []error) {
	var errs []error
	if len(endpoints) > maxEndpoints {
		return nil, append(errs, configErrorf("Config.Endpoints", "%d endpoints, at most %d", len(endpoints), maxEndpoints))
	}
	t := &endpointTable{
		wire:   pathTable{exact: make(map[string]*endpoint)},
		folded: pathTable{exact: make(map[string]*endpoint)},
	}
	var groups []Endpoint // settings of each group, without the path
	add := func(field, path string, ep *endpoint) {
		if other := t.wire.add(path, ep); other != nil {
			errs = append(errs, configErrorf(field, "the path is that of another endpoint"))
		} else if other := t.folded.add(foldPattern(path), ep); other != nil && other.group != ep.group {
			errs = append(errs, configErrorf(field, "a lenient router takes the path for that of another endpoint with other settings"))
		}
	}
	for i, e := range endpoints {
		field := configField("Config.Endpoints", i)
		ep, epErrs := compileEndpoint(field, e, messages)
		if len(epErrs) > 0 {
			errs = append(errs, epErrs...)
			continue
		}
		ep.index = i
		settings := ep.Endpoint
		settings.Path, settings.SSEPath, settings.DryRun = "", "", nil
		ep.group = slices.IndexFunc(groups, func(g Endpoint) bool { return reflect.DeepEqual(g, settings) })
		if ep.group < 0 {
			ep.group = len(groups)
			groups = append(groups, settings)
		}
		add(field+".Path", ep.Path, ep)
	}
	for i, e := range endpoints {
		if e.Transport != TransportHTTPSSE || e.SSEPath == "" || t.wire.exact[e.SSEPath] != nil {
			continue
		}
		message := t.wire.exact[e.Path]
		if message == nil {
			continue // its own fault is reported already
		}
		stream := *message
		stream.Path, stream.streams = e.SSEPath, true
		add(configField("Config.Endpoints", i)+".SSEPath", e.SSEPath, &stream)
	}
	settled := make(map[string]*endpoint, len(t.wire.exact))
	for path := range t.wire.exact {
		if ep, ambiguous := t.find(path); !ambiguous {
			settled[path] = ep
		}
	}
	t.settled = settled
	return t, errs
}

// compileEndpoint copies e and everything that it refers to.
func compileEndpoint(field string, e Endpoint, messages mcpmsg.Config) (*endpoint, []error) {
	var errs []error
	fault := func(member, problem string) { errs = append(errs, configErrorf(field+"."+member, "%s", problem)) }
	if problem := pathProblem(e.Path); problem != "" {
		fault("Path", problem)
	}
	switch {
	case e.Transport > TransportHTTPSSE:
		fault("Transport", "no such transport")
	case e.Transport != TransportHTTPSSE && e.SSEPath != "":
		fault("SSEPath", "only the HTTP+SSE transport has a stream of its own")
	case e.SSEPath != "" && (strings.Contains(e.SSEPath, "*") || pathProblem(e.SSEPath) != ""):
		fault("SSEPath", "must be an exact path: "+cmp.Or(pathProblem(e.SSEPath), "no pattern"))
	case e.SSEPath != "" && strings.Contains(e.Path, "*"):
		fault("SSEPath", "needs an exact Path beside it")
	}
	ep := &endpoint{Endpoint: e}
	ep.Versions = slices.Clone(e.Versions)
	for _, v := range e.Versions {
		if v < mcpmsg.V20241105 || v > mcpmsg.V20260728 {
			fault("Versions", "holds a revision that is not known")
			continue
		}
		ep.versions[v] = true
	}
	switch {
	case e.MinVersion > mcpmsg.V20260728:
		fault("MinVersion", "is a revision that is not known")
	case e.MinVersion != 0 && e.Versions != nil:
		fault("MinVersion", "contradicts Versions: set one of them")
	case e.Versions == nil:
		for v := max(e.MinVersion, mcpmsg.V20241105); v <= mcpmsg.V20260728; v++ {
			ep.versions[v] = true
		}
	case len(e.Versions) == 0:
		fault("Versions", "must not be empty: leave it nil for all revisions")
	}
	errs = append(errs, ep.compileMinVersions(field, e.MinVersions)...)
	ep.Modes = maps.Clone(e.Modes)
	errs = append(errs, modeFaults(field+".Modes", e.Modes)...)
	ep.AllowOrigins = slices.Clone(e.AllowOrigins)
	for i, origin := range e.AllowOrigins {
		if problem := originProblem(origin); problem != "" {
			errs = append(errs, configErrorf(configField(field+".AllowOrigins", i), "%s", problem))
		}
	}
	ep.AllowHosts = slices.Clone(e.AllowHosts)
	for i, host := range e.AllowHosts {
		if problem := hostProblem(host); problem != "" {
			errs = append(errs, configErrorf(configField(field+".AllowHosts", i), "%s", problem))
		}
		ep.AllowHosts[i] = strings.ToLower(host)
	}
	errs = append(errs, ep.access.compile(field, AccessLists{e.Methods, e.Tools, e.Prompts, e.Resources}, messages)...)
	if e.DryRun != nil {
		ep.dryRun = new(access)
		errs = append(errs, ep.dryRun.compile(field+".DryRun", *e.DryRun, messages)...)
	}
	return ep, errs
}

// foldPattern folds the literal part of a path pattern and keeps its star.
func foldPattern(path string) string {
	switch {
	case strings.HasPrefix(path, "*"):
		return "*" + foldPath(path[1:])
	case strings.HasSuffix(path, "/*"):
		if folded := foldPath(path[:len(path)-2]); folded != "/" {
			return folded + "/*"
		}
		return "/*"
	default:
		return foldPath(path)
	}
}

// pathProblem says what is wrong with an endpoint's path, or "".
func pathProblem(path string) string {
	literal := path
	switch {
	case strings.HasPrefix(path, "*"):
		literal = path[1:]
	case strings.HasSuffix(path, "/*"):
		literal = path[:len(path)-1]
	}
	switch {
	case path == "":
		return "must not be empty"
	case !strings.HasPrefix(literal, "/"):
		return `must start with "/", or with "*/" for a suffix`
	case strings.ContainsAny(literal, "*?#"):
		return `"*" may stand only at the start ("*/mcp") or at the end ("/mcp/*"); no query, no fragment`
	case len(path) > maxPathBytes:
		return "must not be longer than 1024 bytes"
	}
	for i := 0; i < len(literal); i++ {
		if literal[i] <= ' ' || literal[i] >= 0x7f {
			return "must be in wire form: visible ASCII, anything else percent-encoded"
		}
	}
	return ""
}
