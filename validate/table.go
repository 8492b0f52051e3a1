package validate

import (
	"math/bits"
	"strings"

	"github.com/sallyport/sallyport/internal/scan"
)

// grammar says which check beyond the byte set a field gets.
type grammar uint8

const (
	noGrammar grammar = iota
	hostGrammar
	contentLengthGrammar
	transferEncodingGrammar
	contentTypeGrammar
	acceptGrammar
	authorizationGrammar
	originGrammar
	cookieGrammar
	connectionGrammar
	expectGrammar
	upgradeGrammar
	trailerGrammar
	teGrammar
	rangeGrammar
	forwardedGrammar
	forwardedForGrammar
	forwardedProtoGrammar
	forwardedHostGrammar
	forwardedPortGrammar
	realIPGrammar
	sessionIDGrammar
	protocolVersionGrammar
	mcpMethodGrammar
	mcpNameGrammar
	mcpParamGrammar
)

// fieldFlags are the properties of a field that are no grammar.
type fieldFlags uint64

const (
	singleton  fieldFlags = 1 << iota // no list: may occur once (RFC 9110, 5.3)
	hopByHop                          // Connection may nominate it (RFC 9110, 7.6.1)
	mayTrail                          // may be a trailer field (RFC 9110, 6.5.1)
	forbidden                         // refused whatever its value
	connection                        // has no place in HTTP/2 and HTTP/3 (RFC 9113, 8.2.2)
	endToEnd                          // known and not hopByHop
	noTrailer                         // known and not mayTrail
	unread                            // its grammar leaves bytes of a value unread
	every                             // all rows have it
	once                              // this and the bits above: one for each field of which a second line needs a look
)

const anyOnce = ^(once - 1)

// bound says which limit of HeaderConfig holds for the value of a field.
type bound uint8

const (
	customBound bound = iota
	standardBound
	credentialsBound
	cookieBound
	sessionIDBound
	mcpNameBound
	lastEventIDBound
)

// knownField is a row of the field list.
type knownField struct {
	name    string // canonical
	flags   fieldFlags
	grammar grammar
	bound   bound
}

// fieldList has the request fields of the IANA registry that are in use, the fields of W3C and WHATWG, those of MCP, and the
// de-facto standards of proxies. Everything else is a custom field.
var fieldList = [...]knownField{
	{name: "Accept", grammar: acceptGrammar},
	{name: "Accept-Charset"},
	{name: "Accept-Encoding"},
	{name: "Accept-Language"},
	{name: "Access-Control-Request-Headers"},
	{name: "Access-Control-Request-Method", flags: singleton},
	{name: "Access-Control-Request-Private-Network", flags: singleton},
	{name: "Alt-Used", flags: singleton},
	{name: "Authorization", flags: singleton, grammar: authorizationGrammar, bound: credentialsBound},
	{name: "Baggage"},
	{name: "Cache-Control"},
	{name: "Close", flags: hopByHop},
	{name: "Connection", flags: hopByHop | connection, grammar: connectionGrammar},
	{name: "Content-Digest", flags: mayTrail},
	{name: "Content-Disposition", flags: singleton},
	{name: "Content-Encoding"},
	{name: "Content-Language"},
	{name: "Content-Length", flags: singleton, grammar: contentLengthGrammar},
	{name: "Content-Location", flags: singleton},
	{name: "Content-Md5", flags: singleton | mayTrail},
	{name: "Content-Range", flags: singleton},
	{name: "Content-Type", flags: singleton, grammar: contentTypeGrammar},
	{name: "Cookie", grammar: cookieGrammar, bound: cookieBound},
	{name: "Date", flags: singleton | mayTrail},
	{name: "Depth", flags: singleton},
	{name: "Destination", flags: singleton},
	{name: "Dnt", flags: singleton},
	{name: "Dpop", flags: singleton},
	{name: "Early-Data", flags: singleton},
	{name: "Expect", flags: singleton, grammar: expectGrammar},
	{name: "Forwarded", grammar: forwardedGrammar},
	{name: "From", flags: singleton},
	{name: "Host", flags: singleton, grammar: hostGrammar},
	{name: "Http2-Settings", flags: singleton | hopByHop | connection},
	{name: "If", flags: singleton},
	{name: "If-Match"},
	{name: "If-Modified-Since", flags: singleton},
	{name: "If-None-Match"},
	{name: "If-Range", flags: singleton},
	{name: "If-Unmodified-Since", flags: singleton},
	{name: "Keep-Alive", flags: hopByHop | connection},
	{name: "Last-Event-Id", flags: singleton, bound: lastEventIDBound},
	{name: "Link", flags: mayTrail},
	{name: "Lock-Token", flags: singleton},
	{name: "Max-Forwards", flags: singleton},
	{name: "Mcp-Method", flags: singleton, grammar: mcpMethodGrammar, bound: mcpNameBound},
	{name: "Mcp-Name", flags: singleton, grammar: mcpNameGrammar, bound: mcpNameBound},
	{name: "Mcp-Protocol-Version", flags: singleton, grammar: protocolVersionGrammar},
	{name: "Mcp-Session-Id", flags: singleton, grammar: sessionIDGrammar, bound: sessionIDBound},
	{name: "Origin", flags: singleton, grammar: originGrammar},
	{name: "Overwrite", flags: singleton},
	{name: "Pragma"},
	{name: "Prefer"},
	{name: "Priority"},
	{name: "Proxy", flags: forbidden},
	{name: "Proxy-Authorization", flags: singleton | hopByHop, grammar: authorizationGrammar, bound: credentialsBound},
	{name: "Proxy-Connection", flags: hopByHop | connection},
	{name: "Range", flags: singleton, grammar: rangeGrammar},
	{name: "Referer", flags: singleton},
	{name: "Repr-Digest", flags: mayTrail},
	{name: "Save-Data", flags: singleton},
	{name: "Sec-Ch-Ua"},
	{name: "Sec-Ch-Ua-Arch"},
	{name: "Sec-Ch-Ua-Bitness"},
	{name: "Sec-Ch-Ua-Full-Version-List"},
	{name: "Sec-Ch-Ua-Mobile"},
	{name: "Sec-Ch-Ua-Model"},
	{name: "Sec-Ch-Ua-Platform"},
	{name: "Sec-Ch-Ua-Platform-Version"},
	{name: "Sec-Fetch-Dest", flags: singleton},
	{name: "Sec-Fetch-Mode", flags: singleton},
	{name: "Sec-Fetch-Site", flags: singleton},
	{name: "Sec-Fetch-User", flags: singleton},
	{name: "Sec-Gpc", flags: singleton},
	{name: "Sec-Purpose", flags: singleton},
	{name: "Sec-Websocket-Extensions"},
	{name: "Sec-Websocket-Key", flags: singleton},
	{name: "Sec-Websocket-Protocol"},
	{name: "Sec-Websocket-Version", flags: singleton},
	{name: "Signature", flags: mayTrail},
	{name: "Signature-Input", flags: mayTrail},
	{name: "Soapaction", flags: singleton},
	{name: "Te", flags: hopByHop, grammar: teGrammar},
	{name: "Timeout"},
	{name: "Traceparent"},
	{name: "Tracestate"},
	{name: "Trailer", flags: hopByHop, grammar: trailerGrammar},
	{name: "Transfer-Encoding", flags: singleton | connection, grammar: transferEncodingGrammar},
	{name: "Upgrade", flags: hopByHop | connection, grammar: upgradeGrammar},
	{name: "Upgrade-Insecure-Requests", flags: singleton},
	{name: "User-Agent", flags: singleton},
	{name: "Via"},
	{name: "X-Forwarded-For", grammar: forwardedForGrammar},
	{name: "X-Forwarded-Host", flags: singleton, grammar: forwardedHostGrammar},
	{name: "X-Forwarded-Port", flags: singleton, grammar: forwardedPortGrammar},
	{name: "X-Forwarded-Prefix", flags: singleton},
	{name: "X-Forwarded-Proto", flags: singleton, grammar: forwardedProtoGrammar},
	{name: "X-Forwarded-Server"},
	{name: "X-Real-Ip", flags: singleton, grammar: realIPGrammar},
}

// overrideNames are fields by which some servers choose another method or target than the request line's.
var overrideNames = [...]string{
	"X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Original-Url", "X-Rewrite-Url", "X-Middleware-Subrequest",
}

// maxNamed bounds the names that one configuration adds to the table.
const maxNamed = 64

// field is a row of a compiled table. With words of 64 bits it fills a cache line.
type field struct {
	name    string
	words   nameWords // of name
	limit   int
	flags   fieldFlags
	grammar grammar
	bound   bound
}

// fieldTable finds fields by name in any case.
type fieldTable struct {
	rows   [1 << slotBits]field // open addressing, at most 2/5 full; a row without a name ends a search
	custom field                // every field that has no row
	param  field                // Mcp-Param-*
}

// maxFieldName bounds the names that a configuration may add, and so the names that can have a twin.
const maxFieldName = 256

var knownFields = newFieldTable()

func newFieldTable() *fieldTable {
	t := new(fieldTable)
	t.custom.flags = every
	t.param.grammar, t.param.flags = mcpParamGrammar, every|once
	own := once
	for _, k := range fieldList {
		f := t.add(k.name)
		f.flags |= k.flags
		f.grammar, f.bound = k.grammar, max(k.bound, standardBound)
		if f.flags&hopByHop == 0 {
			f.flags |= endToEnd
		}
		if f.flags&mayTrail == 0 {
			f.flags |= noTrailer
		}
		if isUnread(f.grammar) {
			f.flags |= unread
		}
		if f.flags&singleton != 0 {
			own <<= 1 // a test sees to it that there are enough
			f.flags |= own
		}
	}
	return t
}

// isUnread reports whether a value that g accepts can hold a byte that a field value may not.
func isUnread(g grammar) bool {
	switch g {
	case acceptGrammar, cookieGrammar, rangeGrammar, forwardedForGrammar:
		return true
	}
	return false
}

// add returns the row of name, which it makes if there is none.
func (t *fieldTable) add(name string) *field {
	if f := find(t, name); f != &t.custom {
		return f
	}
	words := wordsOf(name)
	i := words.slot()
	for t.rows[i].name != "" {
		i = (i + 1) % uint32(len(t.rows))
	}
	f := &t.rows[i]
	f.name, f.words, f.flags = name, words, every
	return f
}

// nameWords are the first and the last eight bytes of a name, or four if it is shorter than eight, and those after the first
// eight if it is longer than 16. They and the length tell names of 4 to 24 bytes apart without comparing them byte by byte.
type nameWords struct{ head, middle, tail uint64 }

func wordsOf[T Text](name T) nameWords {
	switch n := len(name); {
	case n > 16:
		return nameWords{scan.Load64(name[:8]), scan.Load64(name[8:16]), scan.Load64(name[n-8:])}
	case n >= 8:
		return nameWords{scan.Load64(name[:8]), 0, scan.Load64(name[n-8:])}
	case n >= 4:
		return nameWords{uint64(scan.Load32(name[:4])), 0, uint64(scan.Load32(name[n-4:]))}
	case n > 0:
		return nameWords{uint64(name[0]), 0, uint64(name[n/2])<<8 | uint64(name[n-1])}
	}
	return nameWords{}
}

// slot hashes the ends, letters in either case alike. The multiplier gives each name in the lists above a slot of its own.
func (w nameWords) slot() uint32 {
	const lower = 0x2020202020202020
	return uint32(((w.head | lower) + bits.RotateLeft64(w.tail|lower, 7)) * slotFactor >> (64 - slotBits))
}

const (
	slotBits   = 9
	slotFactor = 0xfb1cf1b1f178ebd9
)

// find returns the row of name in any case, or that of custom fields.
func find[T Text](t *fieldTable, name T) *field {
	for i := wordsOf(name).slot(); ; i = (i + 1) % uint32(len(t.rows)) {
		switch f := &t.rows[i]; {
		case f.name == "":
			return &t.custom
		case string(name) == f.name || scan.EqualFold(name, f.name):
			return f
		}
	}
}

// isTwin reports whether name, which holds an underscore, becomes a known name when "_" is read as "-", as CGI, WSGI and
// many frameworks do when they make variables of fields.
func (t *fieldTable) isTwin(name string) bool {
	if len(name) > maxFieldName || strings.IndexByte(name, '_') < 0 {
		return false
	}
	var buf [maxFieldName]byte
	b := append(buf[:0], name...)
	for i, c := range b {
		if c == '_' {
			b[i] = '-'
		}
	}
	return find(t, b) != &t.custom || isMCPParam(b)
}
