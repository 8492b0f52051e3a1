package waf

import (
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		// names of secrets
		{"Authorization", "x", redacted},
		{"Proxy-Authorization", "x", redacted},
		{"X-Auth-Token", "x", redacted},
		{"Cookie", "x", redacted},
		{"Set-Cookie", "x", redacted},
		{"X-Api-Key", "x", redacted},
		{"X-Apikey-Name", "x", redacted},
		{"Mcp-Session-Id", "x", redacted},
		{"/password", "x", redacted},
		{"/dbPasswd", "x", redacted},
		{"/client/privateKey", "x", redacted},
		{"/keys/0", "x", redacted},
		{"/credentials/user", "x", redacted},
		{"/api_key", "x", redacted},
		{"/db_pass", "x", redacted},
		{"/user.pin", "1234", redacted},
		{"/login/otp", "123456", redacted},
		{"X-Goog-Iap-Jwt-Assertion", "x", redacted},
		{"X-Csrf", "x", redacted},
		{"/PHPSESSID", "x", redacted},
		// names that only look alike
		{"/passenger", "Ada", "Ada"},
		{"/spin", "up", "up"},
		{"/ping", "pong", "pong"},
		{"/side", "left", "left"},
		{"/author", "Ada", "Ada"},
		{"/keyword", "go", "go"},
		{"/keyboard", "qwerty", "qwerty"},
		{"X-Forwarded-For", "192.0.2.1", "192.0.2.1"},
		// values
		{"/q", "Bearer abc.def", "Bearer " + redacted},
		{"/q", "curl -H 'authorization: basic dXNlcjpwYXNz' x", "curl -H 'authorization: basic " + redacted + " x"},
		{"/q", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln and more", redacted + " and more"},
		{"/q", "my key is sk-proj-0123456789", "my key is " + redacted},
		{"/q", "ghp_0123456789abcdef", redacted},
		{"/q", "AKIAIOSFODNN7EXAMPLE", redacted},
		{"/q", "-----BEGIN PRIVATE KEY-----\nMIIE\n", redacted},
		{"/q", "https://user:hunter2@example.com/x", "https://" + redacted + "@example.com/x"[1:]},
		{"/q", "login?user=a&password=hunter2&x=1", "login?user=a&password=" + redacted + "&x=1"},
		{"/q", `{"password": "hunter2", "a": 1}`, `{\"password\": ` + redacted + `, \"a\": 1}`},
		{"/q", "API_KEY='hunter 2' run", "API_KEY=" + redacted + " run"},
		{"/q", "MY_DB_PASSWORD: hunter2", "MY_DB_PASSWORD: " + redacted},
		{"/q", "Endpoint=a;AccountKey=Zm9v/YmFy==;b", "Endpoint=a;AccountKey=" + redacted + ";b"},
		{"/q", "blob?se=1&sig=ab%2Fcd&sp=r", "blob?se=1&sig=" + redacted + "&sp=r"},
		{"/q", "DB_PASS=hunter2", "DB_PASS=" + redacted},
		{"/q", "go?next=%2Fa%3Fpassword%3Dhunter2", "go?next=%2Fa%3Fpassword%3D" + redacted},
		{"/q", `{\"token\": \"hunter 2\", \"a\": 1}`, `{\\\"token\\\": ` + redacted + `, \\\"a\\\": 1}`},
		{"/q", "0123456789abcdef0123456789abcdef", redacted},
		{"/q", "id 123e4567-e89b-12d3-a456-426614174000", "id " + redacted},
		// benign twins
		{"/q", "", ""},
		{"/q", "the bearer of this letter", "the bearer " + redacted + " this letter"}, // better one word too many
		{"/q", "sk-ip and gh_pages", "sk-ip and gh_pages"},
		{"/q", "https://example.com/a@b", "https://example.com/a@b"},
		{"/q", "what is a password?", "what is a password?"},
		{"/q", "compass: north", "compass: " + redacted},
		{"/q", "the design=flat, a passage", "the design=flat, a passage"},
		{"/q", "/docs/2026/some/long/path/to/a-file-with-a-name.md", "/docs/2026/some/long/path/to/a-file-with-a-name.md"},
		{"/q", "SELECT name FROM users WHERE id = 7", "SELECT name FROM users WHERE id = 7"},
		// characters
		{"/q", "a\nb\x1b[31m\u202e\xff", `a\nb\x1b[31m\u202e\ufffd`},
		{"/q", strings.Repeat("a b ", 100), strings.Repeat("a b ", 31) + "a..."},
		{"/q", strings.Repeat("a ", 2048) + "Bearer hunter2", strings.Repeat("a ", 62) + "a..."},
	} {
		if got := redact(tc.name, tc.value, 128); got != tc.want {
			t.Errorf("redact(%q, %q) = %q, want %q", tc.name, tc.value, got, tc.want)
		}
	}
	// A secret at the end of what is looked at, which no pattern knows before its end, is not in what is shown.
	for n := range 600 {
		text := "password=" + strings.Repeat("p", n) + " " + strings.Repeat("0123456789abcdef", 20)
		if got := redact("/q", text, 128); strings.Contains(got, "0123") || len(got) > 128 {
			t.Errorf("redact of a password of %d bytes and a key = %q", n, got)
		}
	}
	for n := 1; n < 6; n++ {
		if got := redact("/q", "abcdefgh", n); len(got) != n {
			t.Errorf("redact to %d bytes gives %q", n, got)
		}
	}
}

// Whatever is planted behind a mark of a secret does not come through, and what does is short and visible.
func FuzzRedact(f *testing.F) {
	for _, seed := range []string{"", "x", "Bearer ", "a=b&", "https://u:", "\xff\"", "'"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		for _, mark := range []string{" Bearer ", "\npassword=", " eyJ0.", "https://u:"} {
			text := before + mark + "hunter2hunter2" + map[bool]string{true: "@", false: " "}[strings.HasPrefix(mark, "https")] + after
			if strings.Contains(before, "hunter2") || strings.Contains(after, "hunter2") {
				return
			}
			got := redact("/q", text, 1024)
			if strings.Contains(got, "hunter2") {
				t.Errorf("redact(%q) = %q", text, got)
			}
			if len(got) > 1024 || strings.IndexFunc(got, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
				t.Errorf("redact(%q) = %q, which is too long or not visible ASCII", text, got)
			}
		}
	})
}
