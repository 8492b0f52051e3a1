package waf

import (
	"strings"

	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/waf/corazamcp"
)

// head takes in what is known before the body. It is false for a request that only the engine can read.
func (r *sieveRun) head() bool {
	in := r.in
	for i, name := range r.s.vars {
		switch name {
		case corazaVarAuthenticated:
			r.vars[i] = sieveVariable{set: true, text: corazaFlag(in.Authenticated)}
		case corazaVarMCP:
			r.vars[i] = sieveVariable{set: true, text: corazaFlag(in.MCP)}
		}
	}
	r.target = corazaTarget(in.Request)
	path, query, ok := sieveSplitTarget(r.target)
	if !ok {
		return false
	}
	r.add(sievePath, path, "")
	sieveQuery(query, r.add)
	corazaHeaders(in.Request, func(name, value string) {
		r.add(sieveHeader, name, value)
		if strings.EqualFold(name, "Cookie") {
			sieveCookies(value, r.add)
		}
	})
	return len(r.list) < r.s.limit
}

// resume begins again behind phase 1, with what the engine knows. It is false for a request with too many arguments.
func (r *sieveRun) resume(vars plugintypes.TransactionVariables) bool {
	clear(r.list)
	r.list, r.seen, r.doubt = r.list[:0], sieveBits{}, sieveBits{}
	for i, name := range r.s.vars {
		r.vars[i] = sieveVariable{}
		if values := vars.TX().Get(name); len(values) > 0 {
			r.vars[i] = sieveVariable{set: true, text: values[0], unsure: len(values) > 1}
		}
	}
	r.target = vars.RequestURIRaw().Get()
	r.add(sievePath, vars.RequestFilename().Get(), "")
	for _, field := range vars.ArgsGet().FindAll() {
		r.add(sieveQueryArg, field.Key(), field.Value())
	}
	for _, field := range vars.RequestHeaders().FindAll() {
		r.add(sieveHeader, field.Key(), field.Value())
	}
	for _, field := range vars.RequestCookies().FindAll() {
		r.add(sieveCookie, field.Key(), field.Value())
	}
	return len(r.list) < r.s.limit
}

// message takes in the leaves of the message. It is false for one that has too many, or too many bytes of short ones.
func (r *sieveRun) message() bool {
	if r.in.Message == nil {
		return true
	}
	r.body = len(r.list)
	period := 1 // so many fields ago the field was the same member of the item before
	short := 0
	err := corazamcp.EachLeaf(r.in.Message, r.s.limit-r.body, func(name []byte, value mcpmsg.Raw) {
		r.key = append(append(r.key[:0], byte(sieveBody)), name...)
		end := len(r.list)
		likely := r.list[end-min(period, end)].shape
		shape := r.s.fields.shape(r.key, likely)
		for back := 1; shape != likely && back <= min(end, 8); back++ {
			if r.list[end-back].shape == shape {
				period = back
				break
			}
		}
		coded := sieveIsCoded(value)
		switch {
		case shape.short && coded && shape.coded:
			short += len(value) / sieveCodedShare
		case shape.short:
			short += len(value)
		}
		r.append(sieveField{shape: shape, raw: value, coded: coded})
	})
	return err == nil && (short <= corazaMaxShortBytes || len(r.in.Message.Raw) <= corazaMaxShortBytes)
}

func (r *sieveRun) add(from sieveSource, name, value string) {
	r.key = append(append(r.key[:0], byte(from)), name...)
	r.append(sieveField{shape: r.s.fields.shape(r.key, nil), text: value})
}

func (r *sieveRun) append(f sieveField) {
	r.seen.join(&f.shape.bits)
	r.doubt.join(&f.shape.doubt)
	r.list = append(r.list, f)
}

// sieveSplitTarget splits a request target whose bytes mean themselves. ok is false for any other.
func sieveSplitTarget(target string) (path, query string, ok bool) {
	end := -1
	for i := 0; i < len(target); i++ {
		switch c := target[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '?' && end < 0:
			end = i
		case strings.IndexByte("/._~!$&'()*,;=:@-", c) < 0:
			return "", "", false
		}
	}
	if target == "" || target[0] != '/' || strings.HasPrefix(target, "//") {
		return "", "", false
	}
	if end < 0 {
		return target, "", true
	}
	return target[:end], target[end+1:], true
}

// sieveQuery reads a query that has no escapes.
func sieveQuery(query string, add func(from sieveSource, name, value string)) {
	for query != "" {
		var pair string
		if pair, query, _ = strings.Cut(query, "&"); pair != "" {
			name, value, _ := strings.Cut(pair, "=")
			add(sieveQueryArg, name, value)
		}
	}
}

// sieveCookies reads a Cookie field.
func sieveCookies(field string, add func(from sieveSource, name, value string)) {
	trim := func(s string) string {
		return strings.TrimFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f })
	}
	for field != "" {
		var part string
		part, field, _ = strings.Cut(field, ";")
		name, value, _ := strings.Cut(trim(part), "=")
		if name, value = trim(name), trim(value); name != "" || value != "" {
			add(sieveCookie, name, value)
		}
	}
}
