package waf

import (
	"bytes"
	"strings"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/waf/corazamcp"
)

// corazaMaxShortBytes bounds the arguments of one message, taken together, that are short by nature: paths, addresses, names. Many
// expressions of the rules look at each of them, at microseconds a byte; without the bound one message could cost a minute. Texts of
// Base64, of which most expressions make nothing, count by a share where the sieve can settle the message (ruleset_sieve_coded.go).
const corazaMaxShortBytes = 64 << 10

// corazaShortNames are the ends of the names that such arguments have, in lower case and without a plural s. One with a dot in front is
// the whole name.
var corazaShortNames = [...]string{
	"path", "file", "filename", "dir", "directory", "folder", "url", "uri", "href", "host", "name", "ref", "branch", "tag", "revision",
	"package", "interface", "key", "id",
	".cwd", ".root", ".dst", ".dest", ".destination", ".slug", ".target", ".site", ".website", ".feed", ".link", ".proxy", "callback", "webhook",
	".notify", ".app", ".application", ".shortcut", ".device", "container", ".commit", "bundleidentifier",
}

// corazaTooLong reports whether the short arguments of a message are over the bound for the engine, which looks at all of them with every
// expression.
func corazaTooLong(m *mcpmsg.Message) bool {
	if m == nil || len(m.Raw) <= corazaMaxShortBytes {
		return false
	}
	total := 0
	err := corazamcp.EachLeaf(m, 0, func(name []byte, value mcpmsg.Raw) {
		if corazaIsShort(name) {
			total += len(value)
		}
	})
	return err != nil || total > corazaMaxShortBytes
}

// corazaIsShort looks at the last part of a name that is no index, such as "paths" in "json.params.arguments.paths.12".
func corazaIsShort(name []byte) bool {
	for {
		i := bytes.LastIndexByte(name, '.')
		last := name[i+1:]
		if i >= 0 && len(bytes.Trim(last, "0123456789")) == 0 {
			name = name[:i]
			continue
		}
		part := "." + strings.TrimSuffix(strings.ToLower(string(last)), "s")
		for _, end := range corazaShortNames {
			if strings.HasSuffix(part, end) {
				return true
			}
		}
		return false
	}
}
