package waf_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/sallyport/waf"
)

// authority issues certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert, key}
}

func (a *authority) issue(t *testing.T, template x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template.SerialNumber, template.NotAfter = big.NewInt(2), time.Now().Add(time.Hour)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, &template, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestClientCertificates(t *testing.T) {
	g := newGuarded(t, func(c *waf.Config) {
		c.Endpoints[0].AllowHosts = nil
		c.Identities.ClientCertificates = []waf.ClientCertificate{
			{Name: "agent", URISAN: "spiffe://example.org/agent"},
			{Name: "both", DNSSAN: "both.example.org", Subject: "CN=both"},
		}
	})
	trusted, foreign := newAuthority(t), newAuthority(t)
	server := httptest.NewUnstartedServer(g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := waf.IdentityFrom(r.Context())
		w.Header().Set("X-Identity", id.Name+" by "+id.Method)
	})))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // a failed handshake is part of the test
	pool := x509.NewCertPool()
	pool.AddCert(trusted.cert)
	server.TLS = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool, MinVersion: tls.VersionTLS13}
	server.StartTLS()
	t.Cleanup(server.Close)

	spiffe := func(path string) []*url.URL { return []*url.URL{{Scheme: "spiffe", Host: "example.org", Path: path}} }
	for _, tc := range []struct {
		name     string
		cert     *tls.Certificate
		status   int
		identity string
	}{
		{"URI SAN", ref(trusted.issue(t, x509.Certificate{URIs: spiffe("/agent")})), 200, "agent by client-certificate"},
		{"another URI SAN", ref(trusted.issue(t, x509.Certificate{URIs: spiffe("/agent2")})), 401, ""},
		{"URI as a common name", ref(trusted.issue(t, x509.Certificate{Subject: pkix.Name{CommonName: "spiffe://example.org/agent"}})), 401, ""},
		{"all fields match", ref(trusted.issue(t, x509.Certificate{DNSNames: []string{"x", "both.example.org"}, Subject: pkix.Name{CommonName: "both"}})), 200, "both by client-certificate"},
		{"one field does not", ref(trusted.issue(t, x509.Certificate{DNSNames: []string{"both.example.org"}, Subject: pkix.Name{CommonName: "other"}})), 401, ""},
		{"no certificate", nil, 401, ""},
		{"unknown authority", ref(foreign.issue(t, x509.Certificate{URIs: spiffe("/agent")})), 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			transport := server.Client().Transport.(*http.Transport).Clone()
			defer transport.CloseIdleConnections()
			if tc.cert != nil {
				// Offered whatever authorities the server names, as an attacker would.
				transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return tc.cert, nil }
			}
			request, err := http.NewRequest(http.MethodPost, server.URL+"/mcp", strings.NewReader(call))
			require.NoError(t, err)
			request.Header.Set("Content-Type", "application/json")
			response, err := transport.RoundTrip(request)
			if tc.status == 0 {
				if err == nil {
					response.Body.Close()
					t.Errorf("status %d, want the handshake to fail", response.StatusCode)
				}
				return
			}
			require.NoError(t, err)
			defer response.Body.Close()
			if got := response.Header.Get("X-Identity"); response.StatusCode != tc.status || got != tc.identity {
				t.Errorf("status %d, identity %q, want %d, %q", response.StatusCode, got, tc.status, tc.identity)
			}
		})
	}
}

func ref[T any](v T) *T { return &v }
