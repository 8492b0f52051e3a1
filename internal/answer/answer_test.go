package answer_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/answer"
)

func TestWrite(t *testing.T) {
	for _, tc := range []struct {
		name    string
		refusal answer.Refusal
		status  int
		body    string
		header  http.Header
	}{
		{
			name:    "JSON-RPC with id, code and data",
			refusal: answer.Refusal{Status: 400, JSONRPC: true, ID: []byte(`"a\"b"`), Code: -32022, Message: "Unsupported", Data: []byte(`{"supported":[]}`)},
			status:  400,
			body:    `{"jsonrpc":"2.0","id":"a\"b","error":{"code":-32022,"message":"Unsupported","data":{"supported":[]}}}`,
			header:  http.Header{"Content-Type": {"application/json"}},
		},
		{
			name:    "JSON-RPC without id",
			refusal: answer.Refusal{Status: 403, JSONRPC: true, Code: 403, Message: "Forbidden"},
			status:  403,
			body:    `{"jsonrpc":"2.0","error":{"code":403,"message":"Forbidden"}}`,
			header:  http.Header{"Content-Type": {"application/json"}},
		},
		{
			name:    "text on other routes, further fields, close",
			refusal: answer.Refusal{Status: 405, Header: http.Header{"Allow": {"POST"}}, Close: true, Text: "transport_verb"},
			status:  405,
			body:    "transport_verb\n",
			header:  http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "Allow": {"POST"}, "Connection": {"close"}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			answer.Write(rec, tc.refusal)
			if rec.Code != tc.status || rec.Body.String() != tc.body {
				t.Errorf("Write = %d %q, want %d %q", rec.Code, rec.Body, tc.status, tc.body)
			}
			if tc.refusal.JSONRPC && !json.Valid(rec.Body.Bytes()) {
				t.Errorf("Write wrote %q, which is not JSON", rec.Body)
			}
			tc.header.Set("Cache-Control", "no-store")
			tc.header.Set("X-Content-Type-Options", "nosniff")
			got := rec.Header().Clone()
			got.Del("Content-Length")
			if diff := cmp.Diff(tc.header, got); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
}

// An outer handler may write to the slices in the header map; that must not reach the next answer.
func TestWriteCopiesHeader(t *testing.T) {
	shared := http.Header{"Allow": {"POST"}}
	rec := httptest.NewRecorder()
	answer.Write(rec, answer.Refusal{Status: 405, Header: shared, Text: "x"})
	rec.Header()["Allow"][0] = "changed"
	if got := shared.Get("Allow"); got != "POST" {
		t.Errorf("the refusal's own header became %q, want POST", got)
	}
}

func TestRPC(t *testing.T) {
	for status, want := range map[int]int{400: -32600, 500: -32603, 401: 401, 403: 403, 413: 413, 415: 415} {
		code, message := answer.RPC(status)
		if code != want || message == "" || strings.ContainsAny(message, `"\`) {
			t.Errorf("RPC(%d) = %d %q, want code %d and plain text", status, code, message, want)
		}
	}
}
