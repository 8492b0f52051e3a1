package waf

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestIsJSON(t *testing.T) {
	for _, tc := range []struct {
		values []string
		want   bool
	}{
		{[]string{"application/json"}, true},
		{[]string{"Application/JSON"}, true},
		{[]string{"application/json;charset=utf-8"}, true},
		{[]string{`application/json; charset="UTF-8"`}, true},
		{[]string{"application/json; profile=x"}, true},
		{nil, false},
		{[]string{""}, false},
		{[]string{"application/json", "application/json"}, false},
		{[]string{"application/json, text/plain"}, false},
		{[]string{"text/plain"}, false},
		{[]string{"application/jsonx"}, false},
		{[]string{"application/vnd.x+json"}, false},
		{[]string{"text/json"}, false},
		{[]string{"application/json; charset=utf-16"}, false},
		{[]string{"application/json; charset=utf-8; charset=utf-16"}, false},
		{[]string{"application/json; charset"}, false},
	} {
		if got := isJSON(tc.values); got != tc.want {
			t.Errorf("isJSON(%q) = %v, want %v", tc.values, got, tc.want)
		}
	}
}

func TestAcceptsAnswer(t *testing.T) {
	for _, tc := range []struct {
		method string
		values []string
		want   bool
	}{
		{"POST", nil, true},
		{"POST", []string{""}, true},
		{"POST", []string{"application/json, text/event-stream"}, true},
		{"POST", []string{"text/event-stream", "application/json"}, true},
		{"POST", []string{"application/json;q=0.9"}, true},
		{"POST", []string{"*/*"}, true},
		{"POST", []string{"Application/*"}, true},
		{"POST", []string{"text/html"}, false},
		{"POST", []string{"application/json;q=0"}, false},
		{"POST", []string{"application/json; q=0.000, text/html"}, false},
		{"POST", []string{"application/json;q=0.001"}, true},
		{"GET", []string{"text/event-stream"}, true},
		{"GET", []string{"application/json, text/event-stream"}, true},
		{"GET", []string{"application/json"}, false},
		{"GET", nil, true},
	} {
		if got := acceptsAnswer(tc.values, tc.method); got != tc.want {
			t.Errorf("acceptsAnswer(%q, %s) = %v, want %v", tc.values, tc.method, got, tc.want)
		}
	}
}

func TestTargetPath(t *testing.T) {
	for target, want := range map[string]string{
		"/mcp":                       "/mcp",
		"/mcp?a=/b":                  "/mcp",
		"/mcp#x":                     "/mcp",
		"/":                          "/",
		"http://a.example/mcp?x":     "/mcp",
		"http://a.example":           "",
		"http://a.example?x=/mcp":    "",
		"http://a.example/x?u=://mc": "/x",
		"*":                          "*",
		"//b/mcp":                    "//b/mcp",
		"/x?u=http://b/mcp":          "/x",
		"/a%2fb":                     "/a%2fb",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RequestURI = target
		if got := targetPath(r); got != want {
			t.Errorf("targetPath(%q) = %q, want %q", target, got, want)
		}
	}
	made, err := http.NewRequest(http.MethodGet, "http://a.example/mcp?x", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := targetPath(made); got != "/mcp" {
		t.Errorf("targetPath of a request without a wire target = %q, want /mcp", got)
	}
}

func TestIsMetadata(t *testing.T) {
	for _, tc := range []struct {
		method, path, accept string
		want                 bool
	}{
		{"GET", "/.well-known/oauth-protected-resource/mcp", "*/*", true},
		{"HEAD", "/.well-known/oauth-authorization-server", "*/*", true},
		{"GET", "/mcp/.well-known/openid-configuration", "application/json", true},
		{"POST", "/.well-known/oauth-protected-resource/mcp", "*/*", false},
		{"GET", "/mcp/.well-known/openid-configuration", "application/json, text/event-stream", false},
		{"GET", "/mcp/.well-known/openid-configuration", "*/*", false},
		{"GET", "/mcp/.well-known/openid-configuration", "", false},
		{"GET", "/mcp/.well-known/other", "application/json", false},
		{"GET", "/.well-knownx/mcp", "*/*", false},
	} {
		r := httptest.NewRequest(tc.method, "/", nil)
		if tc.accept != "" {
			r.Header.Set("Accept", tc.accept)
		}
		if got := isMetadata(r, tc.path); got != tc.want {
			t.Errorf("isMetadata(%s, %q, Accept %q) = %v, want %v", tc.method, tc.path, tc.accept, got, tc.want)
		}
	}
}

func TestRepeatsSession(t *testing.T) {
	for query, want := range map[string]bool{
		"":                                false,
		"sessionId=a":                     false,
		"session_id=a&x=1":                false,
		"sessionId=a&user_session_id=a":   false,
		"x=sessionId&y=sessionId":         false,
		"sessionId=session_id%3Db":        false,
		"sessionId=a%26sessionId=b":       false,
		"sessionId=a&sessionId=b":         true,
		"sessionId=a&sessionId[]=b":       true,
		"sessionIds[]=a&sessionId=b":      false,
		"sessionId=a&sessionId=a":         true,
		"sessionId=a&x=1&sessionid=b":     true,
		"sessionId=a&session_id=b":        true,
		"sessionId=a&session%49d=b":       true,
		"sessionId=a&%73essionId":         true,
		"sessionId=a;sessionId=b":         true,
		"sessionId&sessionId":             true,
		"a=%zz&sessionId=a&&;SESSION_ID=": true,
	} {
		if got := repeatsSession(query); got != want {
			t.Errorf("repeatsSession(%q) = %v, want %v", query, got, want)
		}
	}
}

func TestHoldsToken(t *testing.T) {
	for query, want := range map[string]bool{
		"":                          false,
		"sessionId=a&code=b&token=": false,
		"x=access_token":            false,
		"access_tokens=1":           false,
		"access_token=x":            true,
		"a=1&ACCESS_TOKEN":          true,
		"a=1;access%5ftoken=x":      true,
		"accessToken=x":             true,
		"id_token=x":                true,
		"refresh-token=x":           true,
		"Authorization=Bearer%20x":  true,
	} {
		if got := holdsToken(query); got != want {
			t.Errorf("holdsToken(%q) = %v, want %v", query, got, want)
		}
	}
}
