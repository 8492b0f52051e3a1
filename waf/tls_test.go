package waf_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/sallyport/waf"
)

// testCert is a self-signed certificate that is an authority too.
type testCert struct {
	pair      tls.Certificate
	cert, key []byte // PEM
}

func newTestCert(t *testing.T, name string) testCert {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"mcp.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	c := testCert{
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}
	c.pair, err = tls.X509KeyPair(c.cert, c.key)
	require.NoError(t, err)
	return c
}

// tlsRig is a server with a configuration of LoadTLS, whose files a test can change.
type tlsRig struct {
	dir  string
	addr string

	mu       sync.Mutex
	reported []error
}

// newTLSRig serves with the certificate, and asks clients for one of the authorities in clientCA unless that is nil.
func newTLSRig(t *testing.T, server testCert, clientCA []byte, change func(*waf.TLSConfig)) *tlsRig {
	t.Helper()
	rig := &tlsRig{dir: t.TempDir()}
	rig.write(t, "cert", server.cert)
	rig.write(t, "key", server.key)
	cfg := waf.TLSConfig{CertFile: rig.path("cert"), KeyFile: rig.path("key"), OnReload: func(err error) {
		rig.mu.Lock()
		defer rig.mu.Unlock()
		rig.reported = append(rig.reported, err)
	}}
	if clientCA != nil {
		rig.write(t, "ca", clientCA)
		cfg.ClientCAFile = rig.path("ca")
	}
	if change != nil {
		change(&cfg)
	}
	loaded, err := waf.LoadTLS(cfg)
	require.NoError(t, err)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", loaded)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	rig.addr = listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if conn.(*tls.Conn).Handshake() == nil {
					_, _ = conn.Write([]byte("welcome"))
				}
			}()
		}
	}()
	return rig
}

func (rig *tlsRig) path(name string) string { return filepath.Join(rig.dir, name) }

func (rig *tlsRig) write(t *testing.T, name string, text []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(rig.path(name), text, 0o600))
}

func (rig *tlsRig) reports() []error {
	rig.mu.Lock()
	defer rig.mu.Unlock()
	return slices.Clone(rig.reported)
}

// dial shakes hands and reads the welcome, without which a client of TLS 1.3 does not know whether its certificate was taken.
func (rig *tlsRig) dial(change func(*tls.Config)) (tls.ConnectionState, error) {
	cfg := &tls.Config{ServerName: "mcp.example.com", InsecureSkipVerify: true, NextProtos: []string{"h2"}}
	if change != nil {
		change(cfg)
	}
	conn, err := tls.Dial("tcp", rig.addr, cfg)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, len("welcome"))); err != nil {
		return tls.ConnectionState{}, err
	}
	return conn.ConnectionState(), nil
}

func presents(c testCert) func(*tls.Config) {
	return func(cfg *tls.Config) { cfg.Certificates = []tls.Certificate{c.pair} }
}

// expect shakes hands until the server presents the certificate, which it must within some seconds.
func (rig *tlsRig) expect(t *testing.T, want testCert) {
	t.Helper()
	for range 400 {
		state, err := rig.dial(nil)
		require.NoError(t, err)
		if state.PeerCertificates[0].Equal(want.pair.Leaf) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("the server never presented the certificate")
}

// awaitReport shakes hands until there are n reports.
func (rig *tlsRig) awaitReport(t *testing.T, n int, change func(*tls.Config)) error {
	t.Helper()
	for range 400 {
		_, _ = rig.dial(change)
		if got := rig.reports(); len(got) >= n {
			return got[n-1]
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("report %d never came", n)
	return nil
}

func TestTLSHandshake(t *testing.T) {
	t.Parallel()
	rig := newTLSRig(t, newTestCert(t, "first"), nil, nil)
	state, err := rig.dial(nil)
	if err != nil || state.Version != tls.VersionTLS13 || state.NegotiatedProtocol != "h2" {
		t.Errorf("handshake: %x %q, %v, want TLS 1.3 and h2", state.Version, state.NegotiatedProtocol, err)
	}
	state, err = rig.dial(func(c *tls.Config) { c.MaxVersion, c.NextProtos = tls.VersionTLS12, []string{"http/1.1"} })
	if err != nil || state.Version != tls.VersionTLS12 || state.NegotiatedProtocol != "http/1.1" {
		t.Errorf("handshake: %x %q, %v, want TLS 1.2 and http/1.1", state.Version, state.NegotiatedProtocol, err)
	}
	for name, change := range map[string]func(*tls.Config){
		"TLS 1.1": func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 },
		"TLS 1.2 with CBC": func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		},
	} {
		if state, err := rig.dial(change); err == nil {
			t.Errorf("%s: shook hands with version %x, suite %x", name, state.Version, state.CipherSuite)
		}
	}
	rig = newTLSRig(t, newTestCert(t, "strict"), nil, func(c *waf.TLSConfig) { c.MinVersion = tls.VersionTLS13 })
	if _, err := rig.dial(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }); err == nil {
		t.Error("TLS 1.2 shook hands with a server of TLS 1.3")
	}
}

func TestTLSRotation(t *testing.T) {
	t.Parallel()
	first, second, third := newTestCert(t, "first"), newTestCert(t, "second"), newTestCert(t, "third")
	rig := newTLSRig(t, first, nil, nil)
	rig.expect(t, first)
	if got := rig.reports(); len(got) > 0 {
		t.Errorf("reports before any change: %v", got)
	}

	rig.write(t, "cert", second.cert)
	rig.write(t, "key", second.key)
	rig.expect(t, second)
	n := len(rig.reports()) // one, or two if the files were looked at between the writes
	if got := rig.reports(); n == 0 || got[n-1] != nil {
		t.Errorf("reports after a rotation: %v, want nil as the last", got)
	}

	for _, bad := range []struct {
		name, file, field string
		text              []byte
	}{
		{"key of another", "key", "TLSConfig.CertFile", third.key},
		{"endless", "key", "TLSConfig.KeyFile", bytes.Repeat([]byte("x"), 1<<20+1)},
	} {
		n++
		rig.write(t, bad.file, bad.text)
		err := rig.awaitReport(t, n, nil)
		var fault *waf.ConfigError
		if !errors.As(err, &fault) || fault.Field != bad.field {
			t.Errorf("%s: reported %v, want a *ConfigError of %s", bad.name, err, bad.field)
		}
		rig.expect(t, second) // the old one stays
	}
	require.NoError(t, os.Remove(rig.path("cert")))
	if err := rig.awaitReport(t, n+1, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that vanished: reported %v, want fs.ErrNotExist", err)
	}
	rig.write(t, "cert", third.cert)
	rig.write(t, "key", third.key)
	rig.expect(t, third)
}

func TestTLSClientCertificates(t *testing.T) {
	t.Parallel()
	server, agent, other, stranger := newTestCert(t, "server"), newTestCert(t, "agent"), newTestCert(t, "other"), newTestCert(t, "stranger")
	rig := newTLSRig(t, server, slices.Concat(agent.cert, []byte("a comment\n"), other.cert), nil)
	for name, client := range map[string]testCert{"agent": agent, "other": other} {
		if _, err := rig.dial(presents(client)); err != nil {
			t.Errorf("%s: %v, want a connection", name, err)
		}
	}
	for name, change := range map[string]func(*tls.Config){
		"no certificate": nil, "stranger": presents(stranger),
		"no certificate, TLS 1.2": func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
	} {
		if _, err := rig.dial(change); err == nil {
			t.Errorf("%s: connected", name)
		}
	}
}

// A client whose authority is taken away gets no connection any more, not even by resuming a session.
func TestTLSAuthorityRotation(t *testing.T) {
	t.Parallel()
	server, agent, other := newTestCert(t, "server"), newTestCert(t, "agent"), newTestCert(t, "other")
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := newTLSRig(t, server, agent.cert, nil)
			cache := tls.NewLRUClientSessionCache(4)
			asAgent := func(c *tls.Config) {
				presents(agent)(c)
				c.MinVersion, c.MaxVersion, c.ClientSessionCache = version, version, cache
			}
			for range 3 {
				state, err := rig.dial(asAgent)
				if err != nil || state.DidResume {
					t.Fatalf("the agent: %v, resumed %v, want a full handshake", err, state.DidResume)
				}
			}
			rig.write(t, "ca", []byte("nonsense"))
			if err := rig.awaitReport(t, 1, asAgent); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
				t.Errorf("reported %v, want that the file holds no certificate", err)
			}
			if _, err := rig.dial(asAgent); err != nil {
				t.Errorf("the agent after a bad change: %v, want a connection", err)
			}
			rig.write(t, "ca", other.cert)
			if err := rig.awaitReport(t, 2, asAgent); err != nil {
				t.Fatal(err)
			}
			if _, err := rig.dial(asAgent); err == nil {
				t.Error("the agent is connected though its authority is gone")
			}
			if _, err := rig.dial(presents(other)); err != nil {
				t.Errorf("a client of the new authority: %v", err)
			}
		})
	}
}

func TestTLSFaults(t *testing.T) {
	c, other := newTestCert(t, "server"), newTestCert(t, "other")
	dir := t.TempDir()
	file := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, text, 0o600))
		return path
	}
	cert, key, missing := file("cert", c.cert), file("key", c.key), filepath.Join(dir, "missing")
	cut := c.cert[:len(c.cert)/2]
	for _, tc := range []struct {
		name string
		cfg  waf.TLSConfig
		want []string // fields, in order
	}{
		{"nothing", waf.TLSConfig{}, []string{"TLSConfig.CertFile", "TLSConfig.KeyFile"}},
		{"everything", waf.TLSConfig{CertFile: missing, KeyFile: missing, ClientCAFile: missing, MinVersion: tls.VersionTLS11},
			[]string{"TLSConfig.MinVersion", "TLSConfig.CertFile", "TLSConfig.KeyFile", "TLSConfig.ClientCAFile"}},
		{"key of another", waf.TLSConfig{CertFile: cert, KeyFile: file("other", other.key)}, []string{"TLSConfig.CertFile"}},
		{"certificate is a key", waf.TLSConfig{CertFile: key, KeyFile: key}, []string{"TLSConfig.CertFile"}},
		{"authority is a key", waf.TLSConfig{CertFile: cert, KeyFile: key, ClientCAFile: key}, []string{"TLSConfig.ClientCAFile"}},
		{"authority is empty", waf.TLSConfig{CertFile: cert, KeyFile: key, ClientCAFile: file("empty", nil)}, []string{"TLSConfig.ClientCAFile"}},
		{"authority and key", waf.TLSConfig{CertFile: cert, KeyFile: key, ClientCAFile: file("both", slices.Concat(c.cert, c.key))}, []string{"TLSConfig.ClientCAFile"}},
		{"second authority cut off", waf.TLSConfig{CertFile: cert, KeyFile: key, ClientCAFile: file("cut", slices.Concat(c.cert, cut))}, []string{"TLSConfig.ClientCAFile"}},
		{"first authority cut off", waf.TLSConfig{CertFile: cert, KeyFile: key, ClientCAFile: file("cut2", slices.Concat(cut, []byte("\n"), c.cert))}, []string{"TLSConfig.ClientCAFile"}},
		{"authority is no X.509", waf.TLSConfig{CertFile: cert, KeyFile: key, ClientCAFile: file("junk",
			pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("junk")}))}, []string{"TLSConfig.ClientCAFile"}},
	} {
		loaded, err := waf.LoadTLS(tc.cfg)
		var got []string
		for _, fault := range faults(err) {
			got = append(got, fault.Field)
			if strings.Contains(fault.Error(), dir) {
				t.Errorf("%s: the error names the file: %v", tc.name, fault)
			}
		}
		if loaded != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: faults of %q, want %q (%v)", tc.name, got, tc.want, err)
		}
	}
	if _, err := waf.LoadTLS(waf.TLSConfig{CertFile: cert, KeyFile: key, ClientCAFile: cert}); err != nil {
		t.Errorf("a good configuration: %v", err)
	}
}

// faults returns the ConfigErrors that err joins.
func faults(err error) (list []*waf.ConfigError) {
	switch err := err.(type) {
	case nil:
	case *waf.ConfigError:
		list = append(list, err)
	case interface{ Unwrap() []error }:
		for _, e := range err.Unwrap() {
			list = append(list, faults(e)...)
		}
	}
	return list
}
