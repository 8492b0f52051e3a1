package waf

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// TLSConfig says how a server proves who it is, and whether its clients must. It is passed by value; everything wrong is
// reported at once by [LoadTLS], each fault as a *[ConfigError].
type TLSConfig struct {
	_ [0]func() // keyed literals only; not comparable

	// CertFile and KeyFile hold the certificate chain and its private key, PEM, at most 1 MiB each.
	CertFile string
	KeyFile  string

	// ClientCAFile, if not "", holds the authorities (PEM, at most 1 MiB) of which every client must present a certificate: a
	// client without one gets no connection. Identities.ClientCertificates says who they are then.
	ClientCAFile string

	// MinVersion is tls.VersionTLS12 or tls.VersionTLS13; 0 = TLS 1.2. Of TLS 1.2 only ECDHE with AEAD is offered.
	MinVersion uint16

	// OnReload, if not nil, is called when a file changed: with nil if the new files are in use, otherwise with the reason, a
	// *ConfigError, for which the old ones stay in use. It is called during a handshake, which waits for it, and never concurrently.
	OnReload func(error)
}

const (
	tlsCheckEvery = time.Second
	maxPEMBytes   = 1 << 20
)

// LoadTLS returns a configuration for http.Server.TLSConfig or tls.NewListener, with HTTP/2 and HTTP/1.1. It may be used
// concurrently, and must not be changed.
//
// The files are looked at again during handshakes, at most once a second, and read when the time of change or the size of one
// of them differs. Connections that are open go on as they are. Files that don't fit together, as while they are being
// replaced one by one, change nothing until they do.
//
// Where clients need certificates, sessions are not resumed: a resumed one would be judged by the authorities of the past.
//
// Source: RFC 9325, 3.1.1 and 4.2; Go vulnerability CVE-2025-68121 for resumption.
func LoadTLS(cfg TLSConfig) (*tls.Config, error) {
	var errs []error
	if cfg.MinVersion == 0 {
		cfg.MinVersion = tls.VersionTLS12
	}
	if cfg.MinVersion != tls.VersionTLS12 && cfg.MinVersion != tls.VersionTLS13 {
		errs = append(errs, configErrorf("TLSConfig.MinVersion", "must be tls.VersionTLS12 or tls.VersionTLS13, or 0 for the former"))
	}
	f := &tlsFiles{cfg: cfg, checked: time.Now()}
	f.seen = f.stamps() // before they are read: a change in between is seen later
	loaded, err := f.load()
	if err = errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	f.current.Store(loaded)
	base := loaded.Clone()
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return f.config(), nil }
	return base, nil
}

// tlsFiles keeps the configuration that belongs to the files as they were last good.
type tlsFiles struct {
	cfg     TLSConfig
	current atomic.Pointer[tls.Config]

	mu      sync.Mutex // of the handshake that looks at the files; the others go on with what there is
	checked time.Time
	seen    [3]fileStamp
}

// fileStamp tells one state of a file from another. The zero fileStamp is a file that can't be seen.
type fileStamp struct {
	modified int64 // nanoseconds
	size     int64
}

func (f *tlsFiles) stamps() (list [3]fileStamp) {
	for i, file := range [...]string{f.cfg.CertFile, f.cfg.KeyFile, f.cfg.ClientCAFile} {
		if info, err := os.Stat(file); err == nil {
			list[i] = fileStamp{info.ModTime().UnixNano(), info.Size()}
		}
	}
	return list
}

// config returns what is in use, after a look at the files if one is due.
func (f *tlsFiles) config() *tls.Config {
	if f.mu.TryLock() {
		defer f.mu.Unlock()
		if now := time.Now(); now.Sub(f.checked) >= tlsCheckEvery {
			f.checked = now
			f.reload()
		}
	}
	return f.current.Load()
}

func (f *tlsFiles) reload() {
	now := f.stamps()
	if now == f.seen {
		return
	}
	f.seen = now
	loaded, err := f.load()
	if err == nil {
		f.current.Store(loaded)
	}
	if f.cfg.OnReload != nil {
		f.cfg.OnReload(err)
	}
}

// load reads the files, or returns every fault in them.
func (f *tlsFiles) load() (*tls.Config, error) {
	var errs []error
	read := func(field, file string) []byte {
		text, err := readPEM(file)
		if err != nil {
			errs = append(errs, tlsError(field, err))
		}
		return text
	}
	cert, key := read("CertFile", f.cfg.CertFile), read("KeyFile", f.cfg.KeyFile)
	cfg := &tls.Config{
		MinVersion:   f.cfg.MinVersion,
		CipherSuites: slices.Clone(tlsSuites),
		NextProtos:   []string{"h2", "http/1.1"},
	}
	if cert != nil && key != nil {
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			errs = append(errs, &ConfigError{Field: "TLSConfig.CertFile", Problem: "does not go with KeyFile: " + err.Error(), cause: err})
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	if f.cfg.ClientCAFile != "" {
		cfg.ClientAuth, cfg.SessionTicketsDisabled = tls.RequireAndVerifyClientCert, true
		if text := read("ClientCAFile", f.cfg.ClientCAFile); text != nil {
			var err error
			if cfg.ClientCAs, err = certPool(text); err != nil {
				errs = append(errs, tlsError("ClientCAFile", err))
			}
		}
	}
	return cfg, errors.Join(errs...)
}

// tlsSuites are those of TLS 1.2; the ones of TLS 1.3 are not a choice.
var tlsSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// tlsError says what is wrong with a file, without its name.
func tlsError(field string, err error) error {
	problem := err
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		problem = path.Err
	}
	return &ConfigError{Field: "TLSConfig." + field, Problem: problem.Error(), cause: err}
}

var (
	errPEMTooLarge = errors.New("is larger than 1 MiB")
	errPEMEmpty    = errors.New("is empty")
	errNoCert      = errors.New("holds no certificate")
	errNotOnlyCert = errors.New("holds something that is not a certificate")
)

func readPEM(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPEMBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxPEMBytes:
		return nil, errPEMTooLarge
	case len(text) == 0:
		return nil, errPEMEmpty
	}
	return text, nil
}

// certPool takes all certificates in text, or none: an authority must not be lost without a word.
func certPool(text []byte) (*x509.CertPool, error) {
	pool, n, begun := x509.NewCertPool(), 0, bytes.Count(text, []byte("-----BEGIN "))
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, errNotOnlyCert
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		pool.AddCert(cert)
		text, n = rest, n+1
	}
	switch {
	case n == 0:
		return nil, errNoCert
	case n != begun:
		return nil, errNotOnlyCert // pem.Decode passes over what is cut off or broken
	}
	return pool, nil
}
