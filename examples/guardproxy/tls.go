package main

import (
	"crypto/tls"
	"errors"
	"strings"

	"github.com/sallyport/sallyport/waf"
)

// tlsConfig returns nil if no certificate was given. Files that change are loaded again, and the log says how that went.
func tlsConfig(opts options, log *lineLog) (*tls.Config, error) {
	if opts.tlsCert == "" {
		return nil, nil
	}
	cfg, err := waf.LoadTLS(waf.TLSConfig{
		CertFile: opts.tlsCert, KeyFile: opts.tlsKey, ClientCAFile: opts.clientCA,
		OnReload: func(err error) {
			if err != nil {
				log.line("TLS files not reloaded, the old ones stay: " + flagNames.Replace(err.Error()))
				return
			}
			log.line("TLS files reloaded")
		},
	})
	if err != nil {
		return nil, errors.New(flagNames.Replace(err.Error()))
	}
	return cfg, nil
}

// flagNames says settings as the user of the program knows them.
var flagNames = strings.NewReplacer("waf: TLSConfig.CertFile", "-tls-cert", "waf: TLSConfig.KeyFile", "-tls-key",
	"waf: TLSConfig.ClientCAFile", "-client-ca", "KeyFile", "-tls-key")
