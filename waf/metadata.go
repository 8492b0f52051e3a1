package waf

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
)

const faultMetadata responseFault = "response_metadata"

// inspectMetadata looks at a well-known document. The addresses in OAuth metadata are opened by clients, some through a shell:
// they must be http or https URLs without characters that end a word there. Other documents pass as they are.
//
// Source: RFC 8414, 2; RFC 9728, 2; CVE-2025-6514 and CVE-2025-58444 are clients that opened what they were told.
func inspectMetadata(text []byte) ([]byte, error) {
	var document any
	if json.Unmarshal(text, &document) != nil {
		if looksLikeJSON(text) || bytes.IndexByte(text, 0) >= 0 {
			return nil, faultUnreadable // readers that drop a byte order mark, or take UTF-16, may find an address in it
		}
		return text, nil // a client finds no address in it either
	}
	object, ok := document.(map[string]any)
	if !ok {
		return text, nil
	}
	if repeatsMember(json.NewDecoder(bytes.NewReader(text))) {
		return nil, faultMetadata // readers that take the first one see another address
	}
	for name, value := range object {
		name = strings.ToLower(name)
		switch {
		case strings.HasSuffix(name, "_endpoint"), name == "issuer", name == "jwks_uri", name == "resource":
			if address, isText := value.(string); isText && !isWebAddress(address) {
				return nil, faultMetadata
			}
		case name == "authorization_servers":
			list, _ := value.([]any)
			for _, element := range list {
				if address, isText := element.(string); isText && !isWebAddress(address) {
					return nil, faultMetadata
				}
			}
		}
	}
	return text, nil
}

// isWebAddress reports whether an address is an http or https URL without characters that end a word in a shell.
func isWebAddress(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(address, " \t\r\n'\"`$;|()<>\\{}")
}
