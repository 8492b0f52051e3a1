package waf

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/sse"
)

// sessionBinding ties session ids to the caller that opened them: the client is given the server's id and a MAC over id and
// caller, and the server gets its own id back. Nothing is stored, so every Guard with the same keys agrees.
//
// Source: MCP 2025-11-25, Security Best Practices, Session Hijacking: session ids must not be authentication, and should be
// bound to the user.
type sessionBinding struct {
	keys [][]byte // the first one signs, all verify
}

const (
	sessionHeader   = "Mcp-Session-Id"
	sessionMACBytes = 16 // of HMAC-SHA-256; as text 22 characters
	minSessionKey   = 32
	maxSessionKeys  = 8
)

// mac returns the text of the MAC that binds id.
func (b *sessionBinding) mac(key []byte, identity, id string) string {
	h := hmac.New(sha256.New, key)
	for _, part := range [...]string{identity, id} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:sessionMACBytes])
}

// bind returns the id that the client gets.
func (b *sessionBinding) bind(identity, id string) string {
	return id + "." + b.mac(b.keys[0], identity, id)
}

// release returns the server's own id, and whether the bound id belongs to this caller.
func (b *sessionBinding) release(identity, bound string) (id string, ok bool) {
	i := strings.LastIndexByte(bound, '.')
	if i < 0 {
		return "", false
	}
	id, mac := bound[:i], bound[i+1:]
	for _, key := range b.keys {
		if subtle.ConstantTimeCompare([]byte(mac), []byte(b.mac(key, identity, id))) == 1 {
			ok = true
		}
	}
	return id, ok
}

// checkSession gives the server its own session id back, in the header field and in the query of the HTTP+SSE transport. An id
// that was not issued to this caller is a session that does not exist: 404, on which a client begins a new one.
func (j *judgement) checkSession() *Denial {
	b := j.s.sessions
	if b == nil || j.endpoint == nil || j.preflight {
		return nil
	}
	unknown := &Denial{Layer: LayerIdentity, Code: "session_unknown", Status: http.StatusNotFound}
	if j.version.Stateless() {
		j.r.Header.Del(sessionHeader) // it means nothing there, and must not mean something to the server
	}
	if bound := j.r.Header[sessionHeader]; len(bound) > 0 {
		id, ok := b.release(j.identity.Name, bound[0])
		if !ok || len(bound) > 1 {
			return unknown
		}
		j.r.Header[sessionHeader] = []string{id}
	}
	if j.r.URL == nil || j.r.URL.RawQuery == "" {
		return nil
	}
	query, ok := mapSessionParameter(j.r.URL.RawQuery, func(bound string) (string, bool) {
		return b.release(j.identity.Name, bound)
	})
	if !ok {
		return unknown
	}
	if query != j.r.URL.RawQuery {
		u := *j.r.URL
		u.RawQuery = query
		j.r.URL, j.r.RequestURI = &u, u.RequestURI()
	}
	return nil
}

// bindHeader binds the session id in the header of an answer.
func (j *judgement) bindHeader(h http.Header) {
	if ids := h[sessionHeader]; len(ids) == 1 {
		h[sessionHeader] = []string{j.s.sessions.bind(j.identity.Name, ids[0])}
	}
}

// bindEvent binds the session id in the "endpoint" event, by which the HTTP+SSE transport tells a client where to post.
//
// Source: MCP 2024-11-05, HTTP with SSE.
func (j *judgement) bindEvent(e sse.Event) (data []byte, changed bool) {
	path, query, ok := strings.Cut(string(e.Data), "?")
	if e.Type != "endpoint" || !ok || strings.ContainsAny(string(e.Data), "\r\n") {
		return nil, false
	}
	query, _ = mapSessionParameter(query, func(id string) (string, bool) {
		return j.s.sessions.bind(j.identity.Name, id), true
	})
	return []byte(path + "?" + query), true
}

// mapSessionParameter returns query with the decoded value of every session parameter changed by change. It is not ok if change
// says so for one of them, or if a value can't be decoded.
func mapSessionParameter(query string, change func(string) (string, bool)) (changed string, ok bool) {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if _, after, more := strings.Cut(pair, ";"); more && namesSession(after) {
			return "", false // for readers to whom a pair ends there
		}
		name, value, _ := strings.Cut(pair, "=")
		decoded, err := url.QueryUnescape(name)
		if err != nil || !isSessionParameter(decoded) {
			continue
		}
		id, err := url.QueryUnescape(value)
		if err != nil {
			return "", false
		}
		if id, ok = change(id); !ok {
			return "", false
		}
		pairs[i] = name + "=" + url.QueryEscape(id)
	}
	return strings.Join(pairs, "&"), true
}

func namesSession(query string) bool {
	for name := range queryNames(query) {
		if isSessionParameter(name) {
			return true
		}
	}
	return false
}

// repeatsSession reports whether a query names the session more than once: readers differ on which one counts, and some take ";" for
// an end, too.
//
// Source: RFC 3986, 3.4, which leaves the form of a query to its readers.
func repeatsSession(query string) bool {
	found := false
	for name := range queryNames(query) {
		if isSessionParameter(name) {
			if found {
				return true
			}
			found = true
		}
	}
	return false
}

// queryNames yields the decoded names of the pairs in a query, which end at "&" or, for some readers, at ";". Names that can't be
// decoded are passed over: checkRequest refuses them.
func queryNames(query string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for len(query) > 0 {
			pair := query
			if i := strings.IndexAny(query, "&;"); i >= 0 {
				pair, query = query[:i], query[i+1:]
			} else {
				query = ""
			}
			name, _, _ := strings.Cut(pair, "=")
			if decoded, err := url.QueryUnescape(name); err == nil && !yield(decoded) {
				return
			}
		}
	}
}

// isSessionParameter reports whether a query parameter is one of those in which MCP servers carry a session id, or becomes one where
// readers take brackets for arrays ("sessionId[]", "[sessionId]") and other marks for underscores, as those of Express and PHP do.
func isSessionParameter(name string) bool {
	name = strings.TrimLeft(name, "[ ")
	if i := strings.IndexAny(name, "[]"); i >= 0 {
		name = name[:i]
	}
	return strings.EqualFold(nameMarks.Replace(name), "sessionid")
}

var nameMarks = strings.NewReplacer("_", "", "-", "", ".", "", " ", "")

// compileSessions copies the keys, or returns every fault in them. Without keys there is no binding.
func compileSessions(keys [][]byte) (*sessionBinding, []error) {
	if len(keys) == 0 {
		return nil, nil
	}
	var errs []error
	if len(keys) > maxSessionKeys {
		errs = append(errs, configErrorf("Config.SessionKeys", "%d keys, at most %d", len(keys), maxSessionKeys))
	}
	b := &sessionBinding{keys: make([][]byte, len(keys))}
	for i, key := range keys {
		if len(key) < minSessionKey {
			errs = append(errs, configErrorf(configField("Config.SessionKeys", i), "must be at least %d random bytes", minSessionKey))
		}
		b.keys[i] = slices.Clone(key)
	}
	return b, errs
}
