package validate_test

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/sallyport/sallyport/validate"
)

// A middleware checks what net/http leaves open.
func ExampleRequest_Check() {
	request, err := validate.NewRequest(validate.Default())
	if err != nil {
		panic(err)
	}
	middleware := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v := request.Check(validate.RequestView{
				Method: r.Method, Target: r.RequestURI, Host: r.Host, Proto: r.Proto, Header: r.Header,
				ContentLength: r.ContentLength, TransferEncoding: r.TransferEncoding, Parsed: true,
			})
			if !v.OK() {
				http.Error(w, v.Code.String(), v.Status())
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	_ = middleware

	v := request.Check(validate.RequestView{Method: "GET", Target: "/static/..%2fmcp_message", Host: "mcp.example.com"})
	fmt.Println(v.Status(), v.Code, v.Offset)
	// Output: 400 uri_dot_segment_encoded 10
}

// A gateway that parses requests itself hands on the raw fields, and learns more.
func ExampleHeaders_CheckFields() {
	headers, err := validate.NewHeaders(validate.HeaderConfig{
		FieldLimits: []validate.FieldLimit{{Name: "X-Amzn-Oidc-Data", MaxBytes: 8192}},
	})
	if err != nil {
		panic(err)
	}
	v := headers.CheckFields([]validate.Field{
		{Name: "Host", Value: "mcp.example.com"},
		{Name: "Content-Length", Value: "4"},
		{Name: "Transfer-Encoding", Value: "chunked"},
	})
	fmt.Println(v.Err())
	// Output: validate: framing_conflict in "Transfer-Encoding" at byte 0
}

func ExampleTarget_Check() {
	target, err := validate.NewTarget(validate.TargetConfig{RefuseEncodedSlash: true})
	if err != nil {
		panic(err)
	}
	for _, s := range []string{"/files/a%20b", "/files/a%2fb", "/files/%252e%252e/b"} {
		fmt.Println(target.Check("GET", s).Code)
	}
	// Output:
	// ok
	// uri_slash_encoded
	// uri_double_encoded
}

// The likeliest misuse: the decoded path hides what the check is for.
func ExampleTarget_Check_incorrect() {
	target, err := validate.NewTarget(validate.TargetConfig{})
	if err != nil {
		panic(err)
	}
	r, err := http.NewRequest("GET", "http://a.example/files/..%2fadmin", nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(target.Check("GET", r.URL.EscapedPath()).Code, "for the bytes on the wire")
	fmt.Println(target.Check("GET", "/files/a%00b").Code, "and", target.Check("GET", "/files/ab").Code, "once something removed the NUL")
	// Output:
	// uri_dot_segment_encoded for the bytes on the wire
	// uri_nul_encoded and ok once something removed the NUL
}

func ExampleNewHeaders_errors() {
	_, err := validate.NewHeaders(validate.HeaderConfig{MaxFields: -1, RefuseNames: []string{"no name"}})
	var c *validate.ConfigError
	fmt.Println(errors.As(err, &c), c.Field)
	fmt.Println(err)
	// Output:
	// true HeaderConfig.MaxFields
	// validate: HeaderConfig.MaxFields: -1 is not in 1..10000
	// validate: HeaderConfig.RefuseNames: "no name" is no field name of at most 256 bytes
}

func ExampleFieldName() {
	fmt.Println(validate.FieldName("Mcp-Session-Id").OK(), validate.FieldName("Transfer-Encoding ").Code)
	// Output: true header_name_invalid
}

func ExampleFieldValue() {
	fmt.Println(validate.FieldValue("text/html").OK(), validate.FieldValue("a\r\nX-Admin: 1").Err())
	// Output: true validate: header_value_invalid at byte 1
}

func ExampleHost() {
	for _, host := range []string{"mcp.example.com:8443", "[2001:db8::1]", "127.1", "user@host"} {
		fmt.Println(host, validate.Host(host).Code)
	}
	// Output:
	// mcp.example.com:8443 ok
	// [2001:db8::1] ok
	// 127.1 host_invalid
	// user@host host_invalid
}

func ExampleOrigin() {
	fmt.Println(validate.Origin("https://app.example.com").OK(), validate.Origin("https://a, https://b").Status())
	// Output: true 403
}

// A guard of /mcp_message looks for paths that some router would take there.
func ExampleAppendRoute() {
	for _, path := range []string{"/mcp%5Fmessage", "/MCP_message/", "//mcp_message;v=1", "/mcp_messages"} {
		fmt.Println(string(validate.AppendRoute(nil, path)))
	}
	// Output:
	// /mcp_message
	// /mcp_message
	// /mcp_message
	// /mcp_messages
}
