package validate_test

import (
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/sallyport/sallyport/validate"
)

// unit is a byte of a target after one decoding.
type unit struct {
	b       byte
	escaped bool
}

// decode is the slow way to read escapes; incomplete ones stay and are counted.
func decode(s string) (units []unit, incomplete bool) {
	for s != "" {
		if s[0] == '%' {
			if len(s) >= 3 {
				if b, err := hex.DecodeString(s[1:3]); err == nil {
					units = append(units, unit{b[0], true})
					s = s[3:]
					continue
				}
			}
			incomplete = true
		}
		units = append(units, unit{s[0], false})
		s = s[1:]
	}
	return units, incomplete
}

func text(units []unit) string {
	b := make([]byte, len(units))
	for i, u := range units {
		b[i] = u.b
	}
	return string(b)
}

type codes map[validate.Code]bool

// common finds what path and query share.
func common(units []unit, incomplete bool, found codes) {
	if incomplete {
		found[validate.CodeURIPercentInvalid] = true
	}
	high := func(u unit) bool { return u.b >= 0x80 }
	for i := 0; i < len(units); i++ {
		u := units[i]
		if u.b >= 0x80 && !u.escaped {
			found[validate.CodeURINonASCII] = true
		}
		if !high(u) || i > 0 && high(units[i-1]) {
			continue
		}
		end := i
		for end < len(units) && high(units[end]) {
			end++
		}
		run := text(units[i:end])
		if !utf8.ValidString(run) {
			found[validate.CodeURIUTF8Invalid] = true
		}
		if strings.ContainsAny(run, "\u2044\u2215\u2216\u2024\u2025\u3002\ufe52\ufe68\uff0e\uff0f\uff3c\uff61") {
			found[validate.CodeURILookalike] = true
		}
	}
	for _, u := range units {
		switch {
		case !u.escaped:
		case u.b == 0:
			found[validate.CodeURINULEncoded] = true
		case strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", u.b) >= 0:
			found[validate.CodeURIUnreservedEncoded] = true
		}
	}
	for _, u := range units {
		if !u.escaped && u.b == '#' {
			found[validate.CodeURIFragment] = true
		}
		if !u.escaped && (u.b <= ' ' || u.b == 0x7f) {
			found[validate.CodeURIByteInvalid] = true
		}
		if !u.escaped && strings.IndexByte("[]{}|^`", u.b) >= 0 {
			found[validate.CodeURIDelimiterRaw] = true
		}
	}
}

// twice judges the escaped percent signs by decoding again and again.
func twice(units []unit, nested bool, found codes) {
	lead, leadEnd := byte(0), -1
	for i, u := range units {
		if !u.escaped || u.b != '%' {
			continue
		}
		rest := text(units[i:])
		times, length := 0, len(rest)
		for len(rest) >= 3 && rest[0] == '%' {
			b, err := hex.DecodeString(rest[1:3])
			if err != nil {
				break
			}
			rest = string(b) + rest[3:]
			times++
		}
		if times == 0 {
			continue
		}
		b, end := rest[0], i+length-len(rest)+1
		dangerous := strings.IndexByte(".\\\x00\r\n\xc0\xc1", b) >= 0 ||
			leadEnd == i && (lead == 0xe0 && b >= 0x80 && b < 0xa0 || lead == 0xf0 && b >= 0x80 && b < 0x90)
		if b == '/' {
			before, after := text(units[:i]), text(units[end:])
			dangerous = !nested || strings.HasSuffix(before, "..") || strings.HasPrefix(after, "..")
		}
		lead, leadEnd = b, end
		if dangerous {
			found[validate.CodeURIDoubleEncoded] = true
		} else {
			found[validate.CodeURIPercentEncoded] = true
		}
	}
}

// pathCodes is the slow oracle of a path.
func pathCodes(path string) codes {
	found := codes{}
	units, incomplete := decode(path)
	common(units, incomplete, found)
	twice(units, false, found)
	for _, u := range units {
		switch {
		case u.escaped && u.b == '\\':
			found[validate.CodeURIBackslashEncoded] = true
		case u.escaped && u.b != 0 && (u.b < ' ' || u.b == 0x7f):
			found[validate.CodeURIControlEncoded] = true
		case !u.escaped && strings.IndexByte("\\\"<>?", u.b) >= 0:
			found[validate.CodeURIByteInvalid] = true
		}
	}
	start, startEscaped := 1, false
	for i := 1; i <= len(units); i++ {
		if i < len(units) && units[i].b != '/' {
			continue
		}
		segment := units[start:i]
		whole := text(segment)
		name, _, parameter := strings.Cut(whole, ";")
		isDots := name == "." || name == ".."
		escapedDot := slices.ContainsFunc(segment, func(u unit) bool { return u.b == '.' && u.escaped })
		endEscaped := i < len(units) && units[i].escaped
		switch {
		case isDots && parameter:
			found[validate.CodeURIDotSegmentParameter] = true
		case isDots && (escapedDot || startEscaped || endEscaped):
			found[validate.CodeURIDotSegmentEncoded] = true
		case isDots:
			found[validate.CodeURIDotSegment] = true
		}
		if endEscaped && (!isDots || parameter) {
			found[validate.CodeURISlashEncoded] = true
		}
		if i+1 < len(units) && !endEscaped && units[i].b == '/' && units[i+1] == (unit{'/', false}) && (!isDots || parameter) {
			found[validate.CodeURISegmentEmpty] = true
		}
		for k, u := range segment {
			if u == (unit{';', false}) {
				if before := text(segment[:k]); before != "." && before != ".." {
					found[validate.CodeURIParameter] = true
				}
			}
		}
		start, startEscaped = i+1, endEscaped
	}
	if strings.HasPrefix(path, "//") {
		found[validate.CodeURIPathAmbiguous] = true
	}
	return found
}

// queryCodes is the slow oracle of a query.
func queryCodes(query string, strict bool) codes {
	found := codes{}
	units, incomplete := decode(query)
	common(units, incomplete, found)
	twice(units, !strict, found)
	name := true
	for _, u := range units {
		switch {
		case !u.escaped && u.b == '&':
			name = true
		case !u.escaped && u.b == '=':
			name = false
		case !u.escaped && u.b == ';':
			found[validate.CodeURISemicolon] = true
		case !u.escaped && strings.IndexByte("\\\"<>", u.b) >= 0:
			found[validate.CodeURIDelimiterRaw] = true
		case u.escaped && u.b != 0 && (u.b < ' ' || u.b == 0x7f) && (strict || name && (u.b == '\r' || u.b == '\n')):
			found[validate.CodeURIControlEncoded] = true
		}
	}
	return found
}

// options are the codes that only a strict configuration refuses.
var options = []validate.Code{
	validate.CodeURIDelimiterRaw, validate.CodeURINonASCII, validate.CodeURISlashEncoded, validate.CodeURIUnreservedEncoded,
	validate.CodeURIPercentEncoded, validate.CodeURISegmentEmpty, validate.CodeURIParameter, validate.CodeURISemicolon, validate.CodeURILookalike,
}

var openTarget = validate.TargetConfig{
	MaxBytes: 1 << 20, MaxSegments: 100_000, MaxSegmentBytes: 1 << 20, MaxQueryBytes: 1 << 20, MaxPairs: 100_000,
	MaxPairNameBytes: 1 << 20, MaxPairValueBytes: 1 << 20,
}

func openStrictTarget() validate.TargetConfig {
	cfg := validate.Strict().Target
	cfg.MaxBytes, cfg.MaxSegments, cfg.MaxSegmentBytes, cfg.MaxQueryBytes = 1<<20, 100_000, 1<<20, 1<<20
	cfg.MaxPairs, cfg.MaxPairNameBytes, cfg.MaxPairValueBytes = 100_000, 1<<20, 1<<20
	return cfg
}

// compareTarget compares Check and All with the oracle.
func compareTarget(t *testing.T, normal, strict *validate.Target, s string) {
	t.Helper()
	path, query, hasQuery := strings.Cut(s, "?")
	for _, c := range []struct {
		name   string
		target *validate.Target
		strict bool
	}{{"default", normal, false}, {"strict", strict, true}} {
		want := pathCodes(path)
		if hasQuery {
			maps.Copy(want, queryCodes(query, c.strict))
		}
		if !c.strict {
			for _, code := range options {
				delete(want, code)
			}
		}
		got := codes{}
		for v := range c.target.All("GET", s) {
			got[v.Code] = true
			if v.Offset < 0 || v.Offset > len(s) {
				t.Errorf("%s: All(%q) = %v: offset outside", c.name, s, v)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: All(%q) = %v, want %v", c.name, s, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
		if v := c.target.Check("GET", s); v.OK() != (len(want) == 0) || !v.OK() && !want[v.Code] {
			t.Errorf("%s: Check(%q) = %v, want one of %v", c.name, s, v, slices.Sorted(maps.Keys(want)))
		}
		if hasQuery && !c.target.Path(path).OK() && c.target.Check("GET", s).OK() {
			t.Errorf("%s: %q passes, its path does not", c.name, s)
		}
		if hasQuery && !c.target.Query(query).OK() && c.target.Check("GET", s).OK() {
			t.Errorf("%s: %q passes, its query does not", c.name, s)
		}
	}
}

// randomTarget builds targets of pieces that mean something.
func randomTarget(r *rand.Rand) string {
	pieces := []string{
		"a", "abc", "segment-abc", "/", "/", "/", ".", "..", "...", "%2e", "%2E", "%2f", "%5c", ";", "%3b", "?", "&", "=", "%", "%4", "%zz", "%41", "%5F",
		"%25", "%252e", "%252f", "%25%32%65", "%2525", "%2500", "%25c0%25af", "%25e0%2580", "%25f0%2590", "%c3%a9", "%c3", "%a9", "\xc3", "\xa9",
		"%ef%bc%8f", "\xef\xbc\x8f", "%00", "%0d", "%0a", "%1b", "%7f", "#", "\\", "\"", "<", "[", "`", "{", "|", " ", "\x00", "\x7f", "+", "_", "~", ":", "@",
		"%20", "%f4%8f%bf%bf", "%ed%a0%80", "%e2%88%95", "25", "2e", "%252525", "!", "$", "'", ",",
	}
	var b strings.Builder
	b.WriteByte('/')
	for range r.IntN(12) {
		if r.IntN(3) == 0 {
			b.WriteString(strings.Repeat("x", r.IntN(20)))
		}
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

func TestTargetOracle(t *testing.T) {
	normal, strict := newTarget(t, openTarget), newTarget(t, openStrictTarget())
	for _, row := range targetVectors(t) {
		if strings.HasPrefix(row.Target, "/") && row.Method == "GET" {
			compareTarget(t, normal, strict, row.Target)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 40_000 {
		compareTarget(t, normal, strict, randomTarget(r))
		if t.Failed() {
			return
		}
	}
}

// TestTargetBytes puts every byte, raw and escaped, into every position of a path and a query of 20 bytes.
func TestTargetBytes(t *testing.T) {
	normal, strict := newTarget(t, openTarget), newTarget(t, openStrictTarget())
	const path, query = "/ab.cd/ef_gh/ijk-lm/", "/?ab.cd=ef_gh&ijk-lm"
	for c := range 256 {
		for i := 1; i <= len(path); i++ {
			for _, s := range []string{string([]byte{byte(c)}), fmt.Sprintf("%%%02x", c), fmt.Sprintf("%%%02X", c)} {
				if s != "?" {
					compareTarget(t, normal, strict, path[:i]+s+path[i:])
				}
				if i > 1 {
					compareTarget(t, normal, strict, query[:i]+s+query[i:])
				}
			}
		}
		if t.Failed() {
			return
		}
	}
}

// TestFieldBytes puts every byte into every position of names and values up to 42 bytes, against httpguts.
func TestFieldBytes(t *testing.T) {
	for n := 1; n <= 42; n++ {
		b := []byte(strings.Repeat("a", n))
		for i := range b {
			for c := range 256 {
				b[i] = byte(c)
				s := string(b)
				if got, want := validate.FieldValue(s), httpguts.ValidHeaderFieldValue(s); got.OK() != want || !want && got.Offset != i {
					t.Fatalf("FieldValue(%q) = %v, want %v", s, got, want)
				}
				if validate.IsFieldValue(s) != validate.FieldValue(s).OK() {
					t.Fatalf("IsFieldValue(%q) differs", s)
				}
				if got, want := validate.FieldName(s), httpguts.ValidHeaderFieldName(s); got.OK() != want || !want && got.Offset != i {
					t.Fatalf("FieldName(%q) = %v, want %v", s, got, want)
				}
				if n < 9 {
					if got, want := validate.SessionID(s).OK(), c > ' ' && c < 0x7f; got != want {
						t.Fatalf("SessionID(%q) = %v, want %v", s, got, want)
					}
				}
			}
			b[i] = 'a'
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		b := make([]byte, r.IntN(100))
		for i := range b {
			if b[i] = byte(0x20 + r.IntN(0x5f)); r.IntN(8) == 0 {
				b[i] = byte(r.IntN(256))
			}
		}
		s := string(b)
		if got, want := validate.FieldValue(s).OK(), httpguts.ValidHeaderFieldValue(s); got != want {
			t.Fatalf("FieldValue(%q) = %v, want %v", s, got, want)
		}
		if got, want := validate.FieldName(s).OK(), httpguts.ValidHeaderFieldName(s); got != want {
			t.Fatalf("FieldName(%q) = %v, want %v", s, got, want)
		}
		visible := s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
		if got := validate.SessionID(s).OK(); got != visible {
			t.Fatalf("SessionID(%q) = %v, want %v", s, got, visible)
		}
		printable := s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f })
		if got := validate.MCPMethod(s).OK(); got != printable {
			t.Fatalf("MCPMethod(%q) = %v, want %v", s, got, printable)
		}
	}
}

// TestGrammarBytes replaces and inserts every byte in a good value of each grammar. A check may accept the result only if
// an independent description of the grammar does.
func TestGrammarBytes(t *testing.T) {
	token := "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
	quoted := `"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"`
	parameter := token + "=(?:" + token + "|" + quoted + ")"
	parameters := `(?:[ \t]*;[ \t]*(?:` + parameter + `)?)*`
	list := func(member string) string {
		return `(?:[ \t,]*` + member + `[ \t]*(?:,[ \t]*(?:` + member + `)?[ \t]*)*)?[ \t,]*`
	}
	for name, c := range map[string]struct{ good, pattern string }{
		"ContentLength":   {"1234567890", `[0-9]+`},
		"Expect":          {"100-continue", `(?i:100-continue)`},
		"Traceparent":     {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", `00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}|(?:[1-9a-f][0-9a-f]|0[1-9a-f])-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]*)?`},
		"ProtocolVersion": {"2025-06-18", `[0-9]{4}-[0-9]{2}-[0-9]{2}`},
		"ContentType":     {"text/plain;a=b;cd=\"ef\"", `[ \t]*` + token + "/" + token + parameters + `[ \t]*`},
		"Accept":          {"text/html;a=b, */*", list(`(?:\*/\*|` + token + "/" + token + `)` + parameters)},
		"Authorization":   {"Bearer abc.def==", `[ \t]*` + token + `(?: +(?:[0-9A-Za-z\-._~+/]+=*|` + list(token+`[ \t]*=[ \t]*(?:`+token+"|"+quoted+`)`) + `))?[ \t]*`},
		"Cookie":          {"ab=cd; e=\"f\"", `[ \t]*` + token + `=(?:"[!#-+\--:<-\[\]-~]*"|[!#-+\--:<-\[\]-~]*)(?:; ` + token + `=(?:"[!#-+\--:<-\[\]-~]*"|[!#-+\--:<-\[\]-~]*))*[ \t]*`},
		"Upgrade":         {"websocket, a/1", list(token + "(?:/" + token + ")?")},
		"Trailer":         {"x-one, x-two", list(token)},
		"Connection":      {"close, x-two", list(token)},
		"TE":              {"trailers, a;b=c", list(token + `(?:[ \t]*;[ \t]*` + token + `[ \t]*=[ \t]*(?:` + token + "|" + quoted + `))*`)},
		"Range":           {"bytes=0-1, 5-", `(?i:bytes)=[ \t]*(?:[0-9]+-[0-9]*|-[0-9]+)[ \t]*(?:,[ \t]*(?:[0-9]+-[0-9]*|-[0-9]+)[ \t]*)*|` + token + `=[\t -~\x80-\xff]*`},
		"Origin":          {"https://a.example:80", `null|[A-Za-z][A-Za-z0-9+.\-]*://[^/?#@,\s\\%]+`},
		"MCPName":         {"=?base64?YWI=?=", `[\t -~]+`},
		"LastEventID":     {"event 1", "[^\x00\r\n]*"},
		"Forwarded":       {"for=1.2.3.4;x=y, by=_a", list(`(?:` + parameter + `)?(?:[ \t]*;[ \t]*(?:` + parameter + `)?)*`)},
		"ForwardedFor":    {"1.2.3.4:5, ::1", list(`[0-9A-Za-z._:\[\]~\-]+`)},
	} {
		re := regexp.MustCompile(`^(?:` + latin1Pattern(c.pattern) + `)$`)
		check := checks[name].text
		try := func(s string) {
			matches := re.MatchString(latin1Text(s))
			if check(s).OK() && !matches {
				t.Errorf("%s(%q) passes, the grammar does not have it", name, s)
			}
		}
		if !check(c.good).OK() {
			t.Errorf("%s(%q) = %v", name, c.good, check(c.good))
		}
		for b := range 256 {
			for i := 0; i <= len(c.good); i++ {
				try(c.good[:i] + string([]byte{byte(b)}) + c.good[i:])
				if i < len(c.good) {
					try(c.good[:i] + string([]byte{byte(b)}) + c.good[i+1:])
				}
			}
		}
	}
}

// latin1Text lets regexp see bytes as characters, which latin1Pattern expects.
func latin1Text(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

func latin1Pattern(p string) string { return strings.ReplaceAll(p, `\xff`, `\x{ff}`) }

// hostOracle is the description of a host by regexp and netip.
func hostOracle(s string) bool {
	m := regexp.MustCompile(`^(\[[^\]]*\]|[A-Za-z0-9\-._~!$&'()*+;=]+)(?::([1-9][0-9]{0,4})?)?$`).FindStringSubmatch(s)
	if m == nil || len(s) > 261 {
		return false
	}
	if port, err := strconv.Atoi(m[2]); m[2] != "" && (err != nil || port > 65535) {
		return false
	}
	host := m[1]
	if host[0] == '[' {
		a, err := netip.ParseAddr(host[1 : len(host)-1])
		return err == nil && a.Is6() && a.Zone() == ""
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if last := labels[len(labels)-1]; regexp.MustCompile(`^([0-9]+|0[xX][0-9a-fA-F]*)$`).MatchString(last) {
		a, err := netip.ParseAddr(host)
		return err == nil && a.Is4()
	}
	return true
}

func TestHostOracle(t *testing.T) {
	pieces := []string{"a", "example", "com", ".", "..", ":", "::", "1", "127", "255", "256", "0", "01", "0x", "0x1f", "f", "ffff", "[", "]", "%", "@", ",", "_", "-", "80", "65535", "65536", "v1", "/", " ", "~", "x"}
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 100_000 {
		var b strings.Builder
		if i%3 == 0 {
			b.WriteByte('[')
		}
		for range 1 + r.IntN(12) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		if i%3 == 0 {
			b.WriteByte(']')
		}
		s := b.String()
		if got, want := validate.Host(s), hostOracle(s); got.OK() != want {
			t.Fatalf("Host(%q) = %v, want %v", s, got, want)
		}
	}
	for _, row := range fieldVectors(t) {
		if row.Check == "Host" {
			if got, want := validate.Host(row.Value).OK(), hostOracle(row.Value); got != want {
				t.Errorf("Host(%q) = %v, want %v", row.Value, got, want)
			}
		}
	}
	for range 20_000 {
		var a [16]byte
		for i := range a {
			if r.IntN(2) == 0 {
				a[i] = byte(r.IntN(256))
			}
		}
		if s := "[" + netip.AddrFrom16(a).String() + "]"; !validate.Host(s).OK() {
			t.Fatalf("Host(%q) = %v", s, validate.Host(s))
		}
	}
}
