package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/examples/internal/selfrun"
)

func TestMain(m *testing.M) { selfrun.Main(m, main) }

const (
	host     = "mcp.example.com"
	resource = "http://" + host + "/mcp"
)

// issuer is an authorization server that publishes one key at a time.
type issuer struct {
	url string

	mu      sync.Mutex
	key     *ecdsa.PrivateKey
	keyID   string
	fetches int
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	is := &issuer{}
	is.rotate(t, "first")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"issuer": is.url, "jwks_uri": is.url + "/keys"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		is.mu.Lock()
		defer is.mu.Unlock()
		is.fetches++
		point, err := is.key.PublicKey.Bytes()
		if err != nil {
			t.Error(err)
		}
		writeJSON(w, map[string]any{"keys": []any{map[string]string{
			"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": is.keyID, "x": encode(point[1:33]), "y": encode(point[33:]),
		}}})
	})
	server := httptest.NewUnstartedServer(mux)
	t.Cleanup(server.Close)
	is.url = "http://" + server.Listener.Addr().String()
	server.Start()
	return is
}

// rotate replaces the key.
func (is *issuer) rotate(t *testing.T, keyID string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	is.mu.Lock()
	defer is.mu.Unlock()
	is.key, is.keyID = key, keyID
}

func (is *issuer) fetched() int {
	is.mu.Lock()
	defer is.mu.Unlock()
	return is.fetches
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token signs the claims of a good token with some of them changed; nil takes one out.
func (is *issuer) token(t *testing.T, change map[string]any) string {
	t.Helper()
	is.mu.Lock()
	defer is.mu.Unlock()
	return sign(t, is.key, map[string]any{"alg": "ES256", "typ": "at+jwt", "kid": is.keyID}, is.claims(change))
}

func (is *issuer) claims(change map[string]any) map[string]any {
	now := time.Now()
	claims := map[string]any{
		"iss": is.url, "sub": "agent-1", "aud": []string{resource}, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// sign makes a JWT with ES256, whatever the header claims.
func sign(t *testing.T, key *ecdsa.PrivateKey, header, claims map[string]any) string {
	t.Helper()
	input := unsigned(t, header, claims)
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return input + "." + encode(signature)
}

func unsigned(t *testing.T, header, claims map[string]any) string {
	t.Helper()
	h, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	c, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return encode(h) + "." + encode(c)
}

func TestTokens(t *testing.T) {
	is := newIssuer(t)
	program := selfrun.Start(t, "-listen", "127.0.0.1:0", "-issuer", is.url, "-resource", resource)
	header := map[string]any{"alg": "ES256", "kid": "first"}
	with := func(name string, value any) map[string]any {
		changed := maps.Clone(header)
		changed[name] = value
		return changed
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	hashed := unsigned(t, with("alg", "HS256"), is.claims(nil))
	point, err := is.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, point)
	mac.Write([]byte(hashed))
	good := is.token(t, nil)
	hour := time.Hour / time.Second
	for _, tc := range []struct {
		name   string
		header []string
		tool   string
		want   int
		answer string
	}{
		{"good", []string{"Bearer " + good}, "search_docs", 200, "agent-1 called search_docs"},
		{"scheme in lower case", []string{"bearer " + good}, "search_docs", 200, "agent-1 called search_docs"},
		{"one audience as a string", []string{"Bearer " + is.token(t, map[string]any{"aud": resource})}, "search_docs", 200, "agent-1"},
		{"tool not allowed", []string{"Bearer " + good}, "delete_docs", 403, "error"},
		{"subject without rules", []string{"Bearer " + is.token(t, map[string]any{"sub": "agent-2"})}, "search_docs", 403, "error"},

		{"no token", nil, "search_docs", 401, "error"},
		{"two tokens", []string{"Bearer " + good, "Bearer " + good}, "search_docs", 400, "error"},
		{"another scheme", []string{"Basic " + good}, "search_docs", 401, "error"},
		{"not a JWT", []string{"Bearer planted"}, "search_docs", 401, "error"},
		{"expired", []string{"Bearer " + is.token(t, map[string]any{"exp": time.Now().Unix() - 1})}, "search_docs", 401, "error"},
		{"without an end", []string{"Bearer " + is.token(t, map[string]any{"exp": nil})}, "search_docs", 401, "error"},
		{"not yet valid", []string{"Bearer " + is.token(t, map[string]any{"nbf": time.Now().Unix() + int64(hour)})}, "search_docs", 401, "error"},
		{"for another resource", []string{"Bearer " + is.token(t, map[string]any{"aud": resource + "/"})}, "search_docs", 401, "error"},
		{"for nobody", []string{"Bearer " + is.token(t, map[string]any{"aud": nil})}, "search_docs", 401, "error"},
		{"of another issuer", []string{"Bearer " + is.token(t, map[string]any{"iss": is.url + "/"})}, "search_docs", 401, "error"},
		{"no subject", []string{"Bearer " + is.token(t, map[string]any{"sub": nil})}, "search_docs", 401, "error"},
		{"everybody as subject", []string{"Bearer " + is.token(t, map[string]any{"sub": "*"})}, "search_docs", 401, "error"},
		{"subject with a line feed", []string{"Bearer " + is.token(t, map[string]any{"sub": "agent-1\nroot"})}, "search_docs", 401, "error"},
		{"subject too long", []string{"Bearer " + is.token(t, map[string]any{"sub": strings.Repeat("a", 257)})}, "search_docs", 401, "error"},
		{"signed by another key", []string{"Bearer " + sign(t, other, header, is.claims(nil))}, "search_docs", 401, "error"},
		{"algorithm none", []string{"Bearer " + unsigned(t, with("alg", "none"), is.claims(nil)) + "."}, "search_docs", 401, "error"},
		{"public key as a secret", []string{"Bearer " + hashed + "." + encode(mac.Sum(nil))}, "search_docs", 401, "error"},
		{"changed claims", []string{"Bearer " + unsigned(t, header, is.claims(map[string]any{"sub": "root"})) + good[strings.LastIndex(good, "."):]}, "search_docs", 401, "error"},
	} {
		resp, text := program.CallTool(t, host, tc.tool, tc.header...)
		if resp.StatusCode != tc.want || !strings.Contains(text, tc.answer) {
			t.Errorf("%s: answer %d %s, want %d with %q", tc.name, resp.StatusCode, text, tc.want, tc.answer)
		}
		const challenge = `Bearer resource_metadata="http://mcp.example.com/.well-known/oauth-protected-resource/mcp"`
		if got := resp.Header.Get("WWW-Authenticate"); tc.want == 401 && got != challenge {
			t.Errorf("%s: challenge %q, want %q", tc.name, got, challenge)
		}
	}
	if said := program.Stop(); strings.Contains(said, good) || strings.Contains(said, "planted") {
		t.Error("tokens are logged")
	}
}

func TestKeyRotationAndMadeUpKeys(t *testing.T) {
	is := newIssuer(t)
	program := selfrun.Start(t, "-listen", "127.0.0.1:0", "-issuer", is.url, "-resource", resource)
	expect := func(when, token string, want int) {
		t.Helper()
		if resp, text := program.CallTool(t, host, "search_docs", "Bearer "+token); resp.StatusCode != want {
			t.Errorf("%s: answer %d %s, want %d", when, resp.StatusCode, text, want)
		}
	}
	first := is.token(t, nil)
	expect("at first", first, 200)
	is.rotate(t, "second")
	expect("after a rotation", is.token(t, nil), 200)
	expect("the old key", first, 401)

	before := is.fetched()
	for range 50 {
		expect("a made-up key", sign(t, is.key, map[string]any{"alg": "ES256", "kid": rand.Text()}, is.claims(nil)), 401)
	}
	expect("a good token meanwhile", is.token(t, nil), 200)
	if n := is.fetched() - before; n > 5 {
		t.Errorf("50 made-up tokens made %d fetches", n)
	}
}

func TestMetadata(t *testing.T) {
	is := newIssuer(t)
	program := selfrun.Start(t, "-listen", "127.0.0.1:0", "-issuer", is.url, "-resource", resource)
	resp, err := http.Get("http://" + program.Addr + "/.well-known/oauth-protected-resource/mcp")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct {
		Resource             string
		AuthorizationServers []string `json:"authorization_servers"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got.Resource != resource || len(got.AuthorizationServers) != 1 || got.AuthorizationServers[0] != is.url {
		t.Errorf("metadata %+v, %v, want the resource and the issuer", got, err)
	}
}

func TestBadSettings(t *testing.T) {
	is := newIssuer(t)
	for _, tc := range []struct{ issuer, resource string }{
		{"", resource}, {is.url + "/other", resource}, {is.url, ""}, {is.url, "http://mcp.example.com"}, {is.url, "/mcp"},
		{is.url, resource + "/{"}, {is.url, resource + "/{id}"}, {is.url, resource + "/%7Bid}"}, {is.url, resource + "/*"}, {is.url, resource + "/a%20b"},
		{is.url, resource + "/a b"}, {is.url, resource + "//a"}, {is.url, resource + "/../a"}, {is.url, resource + "/"}, {is.url, resource + "?a=b"},
		{is.url, resource + "#a"}, {is.url, "mailto:mcp@example.com"},
	} {
		if _, err := newHandler(t.Context(), tc.issuer, tc.resource); err == nil {
			t.Errorf("newHandler(%q, %q) took bad settings", tc.issuer, tc.resource)
		}
	}
	for _, good := range []string{"http://mcp.example.com/", "https://mcp.example.com:8443/team-a/v1.2/mcp_x~y"} {
		if _, err := newHandler(t.Context(), is.url, good); err != nil {
			t.Errorf("newHandler(%q): %v", good, err)
		}
	}
}
