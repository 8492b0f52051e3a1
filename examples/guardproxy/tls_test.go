package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// certificate makes a self-signed certificate for 127.0.0.1 that is an authority too, as PEM files and parsed.
func certificate(t *testing.T, name string) (certFile, keyFile string, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, URIs: []*url.URL{{Scheme: "spiffe", Host: "example.org", Path: "/" + name}},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	if pair, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	return write(t, name+".pem", string(certPEM)), write(t, name+".key", string(keyPEM)), pair
}

// tlsClient trusts the server's certificate and presents its own, if any.
func tlsClient(t *testing.T, server tls.Certificate, own ...tls.Certificate) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(server.Leaf)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: own}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestTLSSpeaksHTTP2(t *testing.T) {
	cert, key, pair := certificate(t, "server")
	p := launch(t, "-tls-cert", cert, "-tls-key", key)
	resp := p.call(t, tlsClient(t, pair), "/mcp", p.token(t), toolCall("add", `{"a":1,"b":2}`))
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
		t.Errorf("answer %s %d, want HTTP/2.0 200", resp.Proto, resp.StatusCode)
	}
}

func TestMutualTLS(t *testing.T) {
	serverCert, serverKey, server := certificate(t, "server")
	agentCert, _, agent := certificate(t, "agent")
	_, _, stranger := certificate(t, "stranger")
	policy := write(t, "policy.json", `{
		"identities": {"client_certificates": [{"name": "agent", "uri_san": "spiffe://example.org/agent"}]},
		"endpoints": [{"path": "/mcp"}]}`)
	p := launch(t, "-tls-cert", serverCert, "-tls-key", serverKey, "-client-ca", agentCert, "-policy", policy)
	if resp := p.call(t, tlsClient(t, server, agent), "/mcp", "", toolCall("add", `{"a":1,"b":2}`)); resp.StatusCode != http.StatusOK {
		t.Errorf("the agent gets %d, want 200", resp.StatusCode)
	}
	for name, client := range map[string]*http.Client{"stranger": tlsClient(t, server, stranger), "nobody": tlsClient(t, server)} {
		resp, err := client.Post(p.url+"/mcp", "application/json", strings.NewReader("{}"))
		if err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s gets %d, want no connection", name, resp.StatusCode)
		}
	}
}

func TestTLSRotation(t *testing.T) {
	oldCert, oldKey, old := certificate(t, "old")
	newCert, newKey, renewed := certificate(t, "new")
	p := launch(t, "-tls-cert", oldCert, "-tls-key", oldKey)
	connects := func(server tls.Certificate) bool {
		resp, err := tlsClient(t, server).Get(p.url + "/elsewhere")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil
	}
	if !connects(old) {
		t.Fatal("the first certificate is not presented")
	}
	move(t, newCert, oldCert)
	p.awaitLine(t, "TLS files not reloaded, the old ones stay: -tls-cert: does not go with -tls-key", func() { connects(old) })
	if !connects(old) {
		t.Error("half a change took the old certificate away")
	}
	move(t, newKey, oldKey)
	p.awaitLine(t, "TLS files reloaded\n", func() { connects(old) })
	if !connects(renewed) {
		t.Error("the new certificate is not presented")
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// awaitLine pokes the program until standard error holds the text.
func (p *instance) awaitLine(t *testing.T, text string, poke func()) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if said, _ := p.stderr.state(); strings.Contains(said, text) {
			return
		}
		poke()
	}
	t.Fatalf("standard error never holds %q", text)
}
