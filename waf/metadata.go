package waf

import (
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
		return text, nil // a client finds no address in it either
	}
	object, ok := document.(map[string]any)
	if !ok {
		return text, nil
	}
	for name, value := range object {
		address, isText := value.(string)
		name = strings.ToLower(name)
		if !isText || !strings.HasSuffix(name, "_endpoint") && name != "issuer" && name != "jwks_uri" && name != "resource" {
			continue
		}
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsAny(address, " \t\r\n'\"`$;|()<>\\{}") {
			return nil, faultMetadata
		}
	}
	return text, nil
}
