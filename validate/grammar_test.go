package validate_test

import (
	"testing"

	"github.com/sallyport/sallyport/validate"
)

// check is a stateless check for both kinds of text.
type check struct {
	text  func(string) validate.Violation
	bytes func([]byte) validate.Violation
}

var checks = map[string]check{
	"FieldName":        {validate.FieldName[string], validate.FieldName[[]byte]},
	"FieldValue":       {validate.FieldValue[string], validate.FieldValue[[]byte]},
	"Method":           {validate.Method[string], validate.Method[[]byte]},
	"Host":             {validate.Host[string], validate.Host[[]byte]},
	"Origin":           {validate.Origin[string], validate.Origin[[]byte]},
	"ContentLength":    {validate.ContentLength[string], validate.ContentLength[[]byte]},
	"TransferEncoding": {validate.TransferEncoding[string], validate.TransferEncoding[[]byte]},
	"ContentType":      {validate.ContentType[string], validate.ContentType[[]byte]},
	"Accept":           {validate.Accept[string], validate.Accept[[]byte]},
	"Authorization":    {validate.Authorization[string], validate.Authorization[[]byte]},
	"Cookie":           {validate.Cookie[string], validate.Cookie[[]byte]},
	"Connection":       {validate.Connection[string], validate.Connection[[]byte]},
	"Expect":           {validate.Expect[string], validate.Expect[[]byte]},
	"Upgrade":          {validate.Upgrade[string], validate.Upgrade[[]byte]},
	"Trailer":          {validate.Trailer[string], validate.Trailer[[]byte]},
	"TE":               {validate.TE[string], validate.TE[[]byte]},
	"Range":            {validate.Range[string], validate.Range[[]byte]},
	"Forwarded":        {validate.Forwarded[string], validate.Forwarded[[]byte]},
	"ForwardedFor":     {validate.ForwardedFor[string], validate.ForwardedFor[[]byte]},
	"Traceparent":      {validate.Traceparent[string], validate.Traceparent[[]byte]},
	"SessionID":        {validate.SessionID[string], validate.SessionID[[]byte]},
	"ProtocolVersion":  {validate.ProtocolVersion[string], validate.ProtocolVersion[[]byte]},
	"MCPMethod":        {validate.MCPMethod[string], validate.MCPMethod[[]byte]},
	"MCPName":          {validate.MCPName[string], validate.MCPName[[]byte]},
	"LastEventID":      {validate.LastEventID[string], validate.LastEventID[[]byte]},
}

type fieldVector struct{ Check, Value, Code string }

func fieldVectors(t testing.TB) []fieldVector {
	rows := readVectors[fieldVector](t, "testdata/fields.jsonl")
	for i := range rows {
		rows[i].Value = latin1(rows[i].Value)
	}
	return rows
}

func TestFieldVectors(t *testing.T) {
	used := map[string]int{}
	for _, row := range fieldVectors(t) {
		c, ok := checks[row.Check]
		if !ok {
			t.Fatalf("no check %q", row.Check)
		}
		used[row.Check]++
		got := c.text(row.Value)
		if got.Code.String() != row.Code {
			t.Errorf("%s(%q) = %v, want %s", row.Check, row.Value, got, row.Code)
		}
		if b := c.bytes([]byte(row.Value)); b != got {
			t.Errorf("%s(%q): %v for a string, %v for bytes", row.Check, row.Value, got, b)
		}
		if got.Offset < 0 || got.Offset > len(row.Value) {
			t.Errorf("%s(%q): offset %d", row.Check, row.Value, got.Offset)
		}
	}
	for name := range checks {
		if used[name] < 5 {
			t.Errorf("%d vectors for %s", used[name], name)
		}
	}
}

func TestAllocChecks(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, row := range fieldVectors(t) {
		c, b := checks[row.Check], []byte(row.Value)
		noAllocs(t, row.Check+" "+row.Value, func() { sink = c.text(row.Value) })
		noAllocs(t, row.Check+" "+row.Value, func() { sink = c.bytes(b) })
	}
}

func TestMCPParam(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        validate.Code
	}{
		{"Mcp-Param-Region", "us-west1", validate.CodeOK},
		{"mcp-param-x", "", validate.CodeOK},
		{"MCP-PARAM-X", "=?base64?YQ==?=", validate.CodeOK},
		{"Mcp-Param-", "x", validate.CodeMCPParamInvalid},
		{"Mcp-Param", "x", validate.CodeMCPParamInvalid},
		{"Mcp-Param-a b", "x", validate.CodeMCPParamInvalid},
		{"Mcp-Param-X", "\xe9", validate.CodeMCPParamInvalid},
		{"Mcp-Param-X", "=?base64?YQ?=", validate.CodeMCPEncodingInvalid},
	} {
		if got := validate.MCPParam(c.name, c.value); got.Code != c.want {
			t.Errorf("MCPParam(%q, %q) = %v, want %v", c.name, c.value, got, c.want)
		}
	}
}

func TestAcceptMCP(t *testing.T) {
	for _, c := range []struct {
		values    []string
		wildcards bool
		want      validate.Code
	}{
		{[]string{"application/json, text/event-stream"}, false, validate.CodeOK},
		{[]string{"application/json", "Text/Event-Stream"}, false, validate.CodeOK},
		{[]string{"text/event-stream;q=0.1, application/json;q=1.0"}, false, validate.CodeOK},
		{nil, true, validate.CodeAcceptUnsatisfied},
		{[]string{"application/json"}, false, validate.CodeAcceptUnsatisfied},
		{[]string{"application/json, text/event-stream;q=0"}, false, validate.CodeAcceptUnsatisfied},
		{[]string{"application/json, text/event-stream;q=0.000"}, false, validate.CodeAcceptUnsatisfied},
		{[]string{"*/*"}, false, validate.CodeAcceptUnsatisfied},
		{[]string{"*/*"}, true, validate.CodeOK},
		{[]string{"application/*, text/*"}, true, validate.CodeOK},
		{[]string{"application/*"}, true, validate.CodeAcceptUnsatisfied},
		{[]string{"*/*", "text"}, true, validate.CodeAcceptInvalid},
	} {
		if got := validate.AcceptMCP(c.values, c.wildcards); got.Code != c.want {
			t.Errorf("AcceptMCP(%q, %v) = %v, want %v", c.values, c.wildcards, got, c.want)
		}
	}
}

func TestIsMediaType(t *testing.T) {
	for value, want := range map[string]bool{
		"application/json": true, "Application/JSON;charset=utf-8": true, " application/json ": true,
		"application/jsonx": false, "application/json-patch+json": false, "": false, "text/plain;a=application/json": false,
	} {
		if got := validate.IsMediaType(value, "application/json"); got != want {
			t.Errorf("IsMediaType(%q) = %v, want %v", value, got, want)
		}
	}
}

func TestRoute(t *testing.T) {
	for path, want := range map[string]string{
		"/mcp": "/mcp", "/mcp%5Fmessage": "/mcp_message", "/MCP_Message/": "/mcp_message", "//mcp///x/": "/mcp/x", "/": "/", "//": "/",
		"/mcp;v=2/x;y": "/mcp/x", "/a%2Fb": "/a/b", "/a\\b": "/a/b", "/mcp?x=/y": "/mcp", "/%6dcp": "/mcp", "/a%": "/a%", "/a%zz": "/a%zz",
		"": "", "/a%3Bb/c": "/a/c", "/mcp/%2f": "/mcp", "/mcp%3Fx": "/mcp?x",
	} {
		if got := string(validate.AppendRoute([]byte("x"), path)); got != "x"+want {
			t.Errorf("AppendRoute(%q) = %q, want %q", path, got[1:], want)
		}
	}
	for path, want := range map[string]bool{
		"/mcp%5fmessage": true, "/%41": true, "/mcp%2fx": false, "/a%20b": false, "/mcp?a=%41": false, "/%": false, "/%c3%a9": false, "/a%2D": true,
	} {
		if got := validate.HasEscapedUnreserved(path); got != want {
			t.Errorf("HasEscapedUnreserved(%q) = %v, want %v", path, got, want)
		}
	}
}
