package validate_test

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/validate"
)

// requestCase is a request as a change to a plain one.
type requestCase struct {
	name   string
	change func(*validate.RequestView)
	want   validate.Code
}

func header(name string, values ...string) func(*validate.RequestView) {
	return func(v *validate.RequestView) { v.Header[name] = values }
}

// netHTTPCases are views as net/http makes them, over the version that base has.
func base(proto string) validate.RequestView {
	return validate.RequestView{
		Method: "POST", Target: "/mcp", Host: "mcp.example.com", Proto: proto, Parsed: true, ContentLength: 40,
		Header: map[string][]string{
			"Accept": {"application/json, text/event-stream"}, "Content-Type": {"application/json"}, "Content-Length": {"40"},
			"User-Agent": {"agent/1"}, "Authorization": {"Bearer abc"},
		},
	}
}

// http2Holes are what net/http passes over HTTP/2.
var http2Holes = []requestCase{
	{"plain", func(*validate.RequestView) {}, validate.CodeOK},
	{"method with space", func(v *validate.RequestView) { v.Method = "GET /admin HTTP/1.1" }, validate.CodeMethodInvalid},
	{"empty method", func(v *validate.RequestView) { v.Method = "" }, validate.CodeMethodInvalid},
	{"space in query", func(v *validate.RequestView) { v.Target = "/a?b HTTP/1.1" }, validate.CodeURIByteInvalid},
	{"space in path", func(v *validate.RequestView) { v.Target = "/a b" }, validate.CodeURIByteInvalid},
	{"fragment", func(v *validate.RequestView) { v.Target = "/a#b" }, validate.CodeURIFragment},
	{"absolute URL as path", func(v *validate.RequestView) { v.Target = "http://mcp.example.com/mcp" }, validate.CodeURIFormInvalid},
	{"no authority", func(v *validate.RequestView) { v.Host = "" }, validate.CodeHostMissing},
	{"authority with space", func(v *validate.RequestView) { v.Host = "a b" }, validate.CodeHostInvalid},
	{"authority with slash", func(v *validate.RequestView) { v.Host = "a/b" }, validate.CodeHostInvalid},
	{"authority with userinfo", func(v *validate.RequestView) { v.Host = "u@b" }, validate.CodeHostInvalid},
	{"host differs", header("Host", "other.example.com"), validate.CodeHostMismatch},
	{"host equals", header("Host", "MCP.example.com:443"), validate.CodeOK},
	{"host with other port", header("Host", "mcp.example.com:8080"), validate.CodeHostMismatch},
	{"two hosts", header("Host", "mcp.example.com", "mcp.example.com"), validate.CodeHeaderDuplicate},
	{"two lengths", header("Content-Length", "40", "41"), validate.CodeContentLengthDuplicate},
	{"two equal lengths", header("Content-Length", "40", "40"), validate.CodeContentLengthDuplicate},
	{"length zz", header("Content-Length", "zz"), validate.CodeContentLengthInvalid},
	{"length signed", header("Content-Length", "+40"), validate.CodeContentLengthInvalid},
	{"length negative", header("Content-Length", "-1"), validate.CodeContentLengthInvalid},
	{"length list", header("Content-Length", "40, 40"), validate.CodeContentLengthInvalid},
	{"length empty", header("Content-Length", ""), validate.CodeContentLengthInvalid},
	{"length without body", func(v *validate.RequestView) { v.ContentLength = 0 }, validate.CodeContentLengthMismatch},
	{"length differs", func(v *validate.RequestView) { v.ContentLength = 41 }, validate.CodeContentLengthMismatch},
	{"no length stated", func(v *validate.RequestView) { delete(v.Header, "Content-Length"); v.ContentLength = -1 }, validate.CodeOK},
	{"outer space", header("X-Note", " a"), validate.CodeHeaderValueSpace},
	{"outer tab", header("X-Note", "a\t"), validate.CodeHeaderValueSpace},
	{"transfer coding", header("Transfer-Encoding", "chunked"), validate.CodeTransferEncodingVersion},
	{"transfer coding found", func(v *validate.RequestView) {
		delete(v.Header, "Content-Length")
		v.ContentLength, v.TransferEncoding = -1, []string{"chunked"}
	}, validate.CodeTransferEncodingVersion},
	{"connection", header("Connection", "close"), validate.CodeHeaderConnectionSpecific},
	{"te", header("Te", "trailers"), validate.CodeOK},
	{"te other", header("Te", "gzip"), validate.CodeTEInvalid},
	{"http2-settings", header("Http2-Settings", "AAMAAABkAAQAAP__"), validate.CodeHeaderConnectionSpecific},
}

// http1Cases are what net/http passes over HTTP/1.1.
var http1Cases = []requestCase{
	{"plain", func(*validate.RequestView) {}, validate.CodeOK},
	{"chunked", func(v *validate.RequestView) {
		delete(v.Header, "Content-Length")
		v.ContentLength, v.TransferEncoding = -1, []string{"chunked"}
	}, validate.CodeOK},
	{"chunked and length", func(v *validate.RequestView) { v.TransferEncoding = []string{"chunked"} }, validate.CodeFramingConflict},
	{"two codings", func(v *validate.RequestView) { v.TransferEncoding = []string{"gzip", "chunked"} }, validate.CodeTransferEncodingInvalid},
	{"other coding", func(v *validate.RequestView) {
		delete(v.Header, "Content-Length")
		v.TransferEncoding = []string{"gzip"}
	}, validate.CodeTransferEncodingUnsupported},
	{"absolute", func(v *validate.RequestView) { v.Target = "http://mcp.example.com/mcp" }, validate.CodeOK},
	{"absolute, other server", func(v *validate.RequestView) { v.Target = "http://b.example/mcp" }, validate.CodeHostMismatch},
	{"connect", func(v *validate.RequestView) { v.Method, v.Target = "CONNECT", "mcp.example.com:443" }, validate.CodeOK},
	{"connect, other server", func(v *validate.RequestView) { v.Method, v.Target = "CONNECT", "b.example:443" }, validate.CodeHostMismatch},
	{"empty host", func(v *validate.RequestView) { v.Host = "" }, validate.CodeHostMissing},
	{"host with two ports", func(v *validate.RequestView) { v.Host = "a:80:80" }, validate.CodeHostPortInvalid},
	{"host with big port", func(v *validate.RequestView) { v.Host = "a:99999" }, validate.CodeHostPortInvalid},
	{"host list", func(v *validate.RequestView) { v.Host = "a,b" }, validate.CodeHostInvalid},
	{"number as host", func(v *validate.RequestView) { v.Host = "0x7f0000ff" }, validate.CodeHostInvalid},
	{"short address as host", func(v *validate.RequestView) { v.Host = "127.000.1" }, validate.CodeHostInvalid},
	{"joined credentials", header("Authorization", "Bearer abc, Bearer def"), validate.CodeAuthorizationInvalid},
	{"two words", header("Authorization", "basic abc def"), validate.CodeAuthorizationInvalid},
	{"no scheme", header("Authorization", "=abc"), validate.CodeAuthorizationInvalid},
	{"signature", header("Authorization", "AWS4-HMAC-SHA256 Credential=A/2025/s3, SignedHeaders=host;x-amz-date, Signature=ab"), validate.CodeOK},
	{"long host", func(v *validate.RequestView) { v.Host = strings.Repeat("a.", 140) }, validate.CodeHostTooLong},
	{"underscore twin", header("Transfer_encoding", "chunked"), validate.CodeHeaderNameTwin},
	{"underscore twin of MCP", header("Mcp_session_id", "x"), validate.CodeHeaderNameTwin},
	{"underscore twin of a parameter", header("Mcp_param_region", "x"), validate.CodeHeaderNameTwin},
	{"underscore", header("X_note", "x"), validate.CodeOK},
	{"nominated credentials", header("Connection", "close, Authorization"), validate.CodeConnectionNominates},
	{"nominated session", header("Connection", "mcp-session-id"), validate.CodeConnectionNominates},
	{"nominated parameter", header("Connection", "Mcp-Param-Region"), validate.CodeConnectionNominates},
	{"nominated forwarded", header("Connection", "X-Forwarded-For"), validate.CodeConnectionNominates},
	{"nominated field of MCP", header("Connection", "Mcp-New"), validate.CodeConnectionNominates},
	{"nominated field of a proxy", header("Connection", "x-forwarded-new"), validate.CodeConnectionNominates},
	{"trailer of MCP", header("Trailer", "mcp-new"), validate.CodeTrailerForbidden},
	{"upgrade", func(v *validate.RequestView) {
		v.Header["Connection"], v.Header["Upgrade"] = []string{"keep-alive, Upgrade"}, []string{"websocket"}
	}, validate.CodeOK},
	{"h2c", header("Upgrade", "h2c"), validate.CodeUpgradeH2C},
	{"h2c in a list", header("Upgrade", "websocket, H2C"), validate.CodeUpgradeH2C},
	{"expect", header("Expect", "100-Continue"), validate.CodeOK},
	{"odd expect", header("Expect", "y 100-continue"), validate.CodeExpectUnsupported},
	{"trailer", header("Trailer", "X-Checksum"), validate.CodeOK},
	{"trailer authorization", header("Trailer", "X-Checksum, Authorization"), validate.CodeTrailerForbidden},
	{"two types", header("Content-Type", "application/json", "text/plain"), validate.CodeHeaderDuplicate},
	{"two parameters", header("Mcp-Param-Region", "a", "b"), validate.CodeHeaderDuplicate},
	{"parameters in two cases", func(v *validate.RequestView) {
		v.Header["Mcp-Param-Region"], v.Header["MCP-Param-Region"] = []string{"a"}, []string{"b"}
	}, validate.CodeHeaderDuplicate},
	{"proxy", header("Proxy", "http://evil.example"), validate.CodeHeaderForbidden},
	{"version", func(v *validate.RequestView) { v.Proto = "HTTP/1.2" }, validate.CodeVersionUnsupported},
}

func TestRequestNetHTTP(t *testing.T) {
	r := newRequest(t, validate.Default())
	for proto, cases := range map[string][]requestCase{"HTTP/1.1": http1Cases, "HTTP/2.0": http2Holes} {
		for _, c := range cases {
			v := base(proto)
			c.change(&v)
			if got := r.Check(v); got.Code != c.want {
				t.Errorf("%s %s: parsed Check = %v, want %v", proto, c.name, got.Code, c.want)
			}
			v.Parsed = false
			if got := r.Check(v); got.Code != c.want && c.name != "length without body" { // 0 is "not stated" there
				t.Errorf("%s %s: Check = %v, want %v", proto, c.name, got.Code, c.want)
			}
		}
	}
}

func fields(pairs ...string) []validate.Field {
	var f []validate.Field
	for i := 0; i+1 < len(pairs); i += 2 {
		f = append(f, validate.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return f
}

func TestRequestFields(t *testing.T) {
	r := newRequest(t, validate.Default())
	for _, c := range []struct {
		name, proto string
		fields      []validate.Field
		want        validate.Code
	}{
		{"plain", "HTTP/1.1", fields("Host", "a"), validate.CodeOK},
		{"outer space in HTTP/1.1", "HTTP/1.1", fields("Host", " a ", "Content-Length", " 3 ", "X-A", "\tb\t"), validate.CodeOK},
		{"tab before a length", "HTTP/1.1", fields("Host", "a", "Content-Length", "\t3"), validate.CodeHeaderValueSpace},
		{"tab after a coding", "HTTP/1.1", fields("Host", "a", "Transfer-Encoding", "chunked\t"), validate.CodeHeaderValueSpace},
		{"space and tab before a coding", "HTTP/1.1", fields("Host", "a", "Transfer-Encoding", " \tchunked"), validate.CodeHeaderValueSpace},
		{"vertical tab before a coding", "HTTP/1.1", fields("Host", "a", "Transfer-Encoding", "\vchunked"), validate.CodeHeaderValueInvalid},
		{"no host", "HTTP/1.1", fields("Accept", "*/*"), validate.CodeHostMissing},
		{"no host in HTTP/1.0", "HTTP/1.0", fields("Accept", "*/*"), validate.CodeOK},
		{"empty host", "HTTP/1.1", fields("Host", ""), validate.CodeHostMissing},
		{"two hosts in two cases", "HTTP/1.1", fields("Host", "a", "hOST", "a"), validate.CodeHeaderDuplicate},
		{"length and coding", "HTTP/1.1", fields("Host", "a", "Content-Length", "3", "transfer-encoding", "Chunked"), validate.CodeFramingConflict},
		{"coding in HTTP/1.0", "HTTP/1.0", fields("Host", "a", "Transfer-Encoding", "chunked"), validate.CodeTransferEncodingVersion},
		{"two codings", "HTTP/1.1", fields("Host", "a", "Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"), validate.CodeTransferEncodingInvalid},
		{"chunked twice", "HTTP/1.1", fields("Host", "a", "Transfer-Encoding", "chunked, chunked"), validate.CodeTransferEncodingInvalid},
		{"empty list of codings", "HTTP/1.1", fields("Host", "a", "Transfer-Encoding", ",chunked"), validate.CodeTransferEncodingInvalid},
		{"folded", "HTTP/1.1", fields("Host", "a", "X-A", "b\r\n c"), validate.CodeHeaderValueFolded},
		{"folded at a bare line feed", "HTTP/1.1", fields("Host", "a", "X-A", "b\n\tc"), validate.CodeHeaderValueFolded},
		{"bare line feed", "HTTP/1.1", fields("Host", "a", "X-A", "b\nc"), validate.CodeHeaderValueInvalid},
		{"upper case in HTTP/2", "HTTP/2", fields("host", "a", "X-A", "b"), validate.CodeHeaderNameUppercase},
		{"lower case in HTTP/2", "HTTP/2", fields("host", "a", "x-a", "b"), validate.CodeOK},
		{"connection in HTTP/2", "HTTP/2", fields("host", "a", "keep-alive", "1"), validate.CodeHeaderConnectionSpecific},
		{"outer space in HTTP/2", "HTTP/2", fields("host", "a", "x-a", "b "), validate.CodeHeaderValueSpace},
		{"parameter twice in two cases", "HTTP/1.1", fields("Host", "a", "Mcp-Param-A", "b", "mcp-param-a", "b"), validate.CodeHeaderDuplicate},
		{"parameter without name", "HTTP/1.1", fields("Host", "a", "Mcp-Param-", "b"), validate.CodeMCPParamInvalid},
		{"pseudo-field", "HTTP/2", fields("host", "a", ":path", "/"), validate.CodeHeaderNameInvalid},
	} {
		if got := r.Check(validate.RequestView{Method: "POST", Target: "/", Proto: c.proto, Fields: c.fields}); got.Code != c.want {
			t.Errorf("%s: Check = %v, want %v", c.name, got.Code, c.want)
		}
	}
}

func TestZeroValuesRefuse(t *testing.T) {
	var h validate.Headers
	var target validate.Target
	var r validate.Request
	for name, v := range map[string]validate.Violation{
		"Headers.Check":       h.Check(nil),
		"Headers.CheckFields": h.CheckFields(nil),
		"Target.Check":        target.Check("GET", "/"),
		"Target.Path":         target.Path("/"),
		"Target.Query":        target.Query(""),
		"Request.Check":       r.Check(base("HTTP/1.1")),
	} {
		if v.Code != validate.CodeNotCompiled {
			t.Errorf("zero %s = %v, want %v", name, v.Code, validate.CodeNotCompiled)
		}
	}
}
