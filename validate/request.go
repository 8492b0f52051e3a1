package validate

import (
	"iter"
	"slices"
)

// RequestView is what Request reads of a request. It aliases the request; nothing is kept.
//
// From net/http: Method, RequestURI as Target, Host, Proto, Header, ContentLength, TransferEncoding, and Parsed true.
// RequestURI is empty in requests made by http.NewRequest: use URL.EscapedPath and RawQuery there, and know that they hide
// raw bytes. From a gateway's own parser: Method, Target, Proto and Fields; over HTTP/2 the pseudo-fields as Method,
// Target and Host.
type RequestView struct {
	Method string
	Target string // as on the wire
	Host   string // the Host that the server found, or :authority; "" if only the fields have it
	Proto  string // such as "HTTP/1.1"; "" is taken for it

	Header map[string][]string
	Fields []Field // raw fields in order; checked besides Header if both are set

	ContentLength    int64 // -1 = not known. Without Parsed, 0 = not stated
	TransferEncoding []string

	// Parsed says that net/http made the view: it has settled the bytes of names and values, so that only what it leaves
	// open is checked, and ContentLength is what it found. Never set it for anything else.
	Parsed bool
}

// Request checks all of a request that comes before its body: method, version, fields, framing, Host and target, and that
// they agree. It is immutable and safe for concurrent use; the zero Request refuses everything. Its checks allocate nothing
// and take time linear in the input, which the limits bound before any byte is read.
type Request struct {
	headers                      Headers
	target                       Target
	methods                      []string
	maxHost                      int
	refuseNumeric, refuseUnusual bool
}

// NewRequest compiles cfg. The error joins a *[ConfigError] for each thing that is wrong with it.
func NewRequest(cfg RequestConfig) (*Request, error) {
	var errs configErrors
	r := &Request{
		headers: *compileHeaders(&cfg.Headers, &errs), target: *compileTarget(&cfg.Target, &errs),
		refuseNumeric: cfg.RefuseNumericHost, refuseUnusual: cfg.RefuseUnusualHost,
	}
	r.maxHost = errs.bound("RequestConfig.MaxHostBytes", cfg.MaxHostBytes, defaultHostBytes, 1, 1024)
	if errs.count("RequestConfig.Methods", len(cfg.Methods), 64) {
		for _, method := range cfg.Methods {
			if methodProblem(method).code != CodeOK {
				errs.reason("RequestConfig.Methods", method, "is no token of at most 32 bytes")
			}
		}
		r.methods = slices.Clone(cfg.Methods)
	}
	if err := errs.join(); err != nil {
		return nil, err
	}
	return r, nil
}

// Check checks a request. Offsets are those of the part that the code is about.
//
// Source: RFC 9110, RFC 9112, RFC 9113; the package comment has one row for each check.
func (r *Request) Check(v RequestView) Violation {
	var t tally
	r.check(&v, &t, nil)
	return t.found
}

// All yields every violation that [Headers.All] and [Target.All] would, and those of the request as a whole. It allocates
// for the iterator only.
func (r *Request) All(v RequestView) iter.Seq[Violation] {
	return func(yield func(Violation) bool) {
		var t tally
		r.check(&v, &t, yield)
	}
}

// check leaves the verdict in t.
func (r *Request) check(v *RequestView, t *tally, yield func(Violation) bool) {
	m, known := readVersion(v.Proto)
	m.raw, m.parsed = v.Fields != nil, v.Parsed && v.Fields == nil
	r.headers.start(t, m, yield)
	switch {
	case !r.headers.ready:
		t.stop(Violation{Code: CodeNotCompiled})
		return
	case !known && t.stop(Violation{Code: CodeVersionUnsupported}):
		return
	}
	if p := methodProblem(v.Method); p.code != CodeOK {
		if t.stop(p.in("")) {
			return
		}
	} else if r.methods != nil && !slices.Contains(r.methods, v.Method) && t.stop(Violation{Code: CodeMethodNotAllowed}) {
		return
	}
	authority, p := r.target.check(v.Method, v.Target, m.http2, &r.target.refuse)
	if p.code != CodeOK {
		if yield == nil {
			t.stop(r.target.explain(v.Target, p))
			return
		}
		if !r.target.each(v.Method, v.Target, m.http2, yield) {
			return
		}
	}
	if v.Fields != nil {
		if !r.headers.checkFields(t, v.Fields) || !r.whole(v, t, authority) || v.Header == nil {
			return
		}
		*t = tally{}
		m.raw, m.parsed = false, v.Parsed
		r.headers.start(t, m, yield)
	}
	if r.headers.checkMap(t, v.Header) {
		r.whole(v, t, authority)
	}
}

// readVersion returns the mode that a protocol version stands for.
func readVersion(proto string) (m mode, known bool) {
	switch proto {
	case "", "HTTP/1.1":
	case "HTTP/1.0":
		m.http10 = true
	case "HTTP/2.0", "HTTP/2", "HTTP/3.0", "HTTP/3":
		m.http2 = true
	default:
		return m, false
	}
	return m, true
}

// whole checks what concerns more than one part of the request, and reports whether the check goes on.
func (r *Request) whole(v *RequestView, t *tally, authority string) bool {
	if c := framing(v, t); c != CodeOK {
		name := "Transfer-Encoding"
		if c == CodeContentLengthMismatch {
			name = "Content-Length"
		}
		if t.stop(Violation{Code: c, Name: name}) {
			return false
		}
	}
	if p := r.host(v, t, authority); p.code != CodeOK {
		bad := p.in("Host")
		if p.code == CodeHostTooLong {
			bad = tooLong(p.code, "Host", r.maxHost, max(len(v.Host), len(t.host)))
		}
		return !t.stop(bad)
	}
	return true
}

// framing compares the length that the server found with what the fields say. net/http reads a Content-Length over HTTP/2
// without checking it, and takes a request that ended with its fields for one without a body whatever it announced.
//
// Source: RFC 9112, 6.1 and 6.3; RFC 9113, 8.1.1.
func framing(v *RequestView, t *tally) Code {
	if len(v.TransferEncoding) > 0 {
		switch {
		case t.http2 || t.http10:
			return CodeTransferEncodingVersion
		case len(v.TransferEncoding) > 1:
			return CodeTransferEncodingInvalid
		case t.length >= 0:
			return CodeFramingConflict
		}
		return transferEncodingProblem(v.TransferEncoding[0]).code
	}
	if t.length < 0 || t.length == v.ContentLength || !v.Parsed && v.ContentLength <= 0 {
		return CodeOK
	}
	return CodeContentLengthMismatch
}

// host finds the host in the view, the fields and the target, and checks it and that they agree.
//
// Source: RFC 9112, 3.2 and 3.2.2; RFC 9113, 8.3.1. Stricter: HTTP/2 and HTTP/3 need one too.
func (r *Request) host(v *RequestView, t *tally, authority string) problem {
	host := v.Host
	if host == "" {
		host = t.host
	}
	if host == "" {
		if t.http10 && !t.hosted {
			return problem{}
		}
		return problem{CodeHostMissing, 0}
	}
	if len(host) > r.maxHost {
		return problem{CodeHostTooLong, 0}
	}
	if isPlainName(host) && !r.refuseUnusual && (v.Host == "" || !t.hosted) && authority == "" {
		return problem{}
	}
	h, p := readHost(host)
	switch {
	case p.code != CodeOK:
		return p
	case r.refuseNumeric && h.numeric:
		return problem{CodeHostNumeric, 0}
	case r.refuseUnusual && h.unusual > 0:
		return problem{CodeHostUnusual, h.unusual - 1}
	case v.Host != "" && t.hosted && !sameHost(host, t.host):
		return problem{CodeHostMismatch, 0}
	case authority != "" && !sameHost(host, authority):
		return problem{CodeHostMismatch, 0}
	}
	return problem{}
}
