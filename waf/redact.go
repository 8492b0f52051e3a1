package waf

import (
	"regexp"
	"strconv"
	"strings"
)

const redacted = "[redacted]"

// redactBytes is how much of a value is looked at. It is more than is ever shown, so that no pattern is cut in what is.
const redactBytes = 4096

// secretName matches the names of values that are secrets whatever they look like.
var secretName = regexp.MustCompile(`(?i)auth(?:oriz|entic|[-_]|$)|cookie|token|secret|passw|passphrase|pwd|credential|session|signature|api[-_]?key|keys?$|keys?[-_./]`)

// secretValues match secrets within values. The first group, if there is one, is kept: it says what was there.
var secretValues = []*regexp.Regexp{
	regexp.MustCompile(`(?i)()-----BEGIN[\s\S]*`),
	regexp.MustCompile(`(?i)(\b(?:(?:bearer|basic|digest|negotiate)\s+)+)\S+`),
	regexp.MustCompile(`()\beyJ[\w-]+\.[\w.-]*`),
	regexp.MustCompile(`()\b(?:sk|pk|rk|gh[pousr]|github_pat|glpat|xox[a-z]|hf|npm|dop_v1|whsec)[-_][\w-]{8,}`),
	regexp.MustCompile(`()\b(?:AKIA|ASIA|AIza)[\w-]{12,}`),
	regexp.MustCompile(`(\w://)[^/\s@]+@`),
	regexp.MustCompile(`(?i)([\w-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential|cookie|session(?:[-_]?id)?|signature)["']?\s*[=:]\s*)(?:"[^"]*"?|'[^']*'?|[^\s&,;]+)`),
	regexp.MustCompile(`()[A-Za-z0-9+_=-]{32,}`),
}

// redact returns a value for an event: without what looks like a secret, in visible ASCII and spaces, of at most maxBytes bytes.
func redact(name, value string, maxBytes int) string {
	if secretName.MatchString(name) {
		return redacted
	}
	value = strings.ToValidUTF8(value[:min(len(value), redactBytes)], "\ufffd")
	for _, secret := range secretValues {
		value = secret.ReplaceAllString(value, "${1}"+redacted)
	}
	if strings.IndexFunc(value, func(r rune) bool { return r < ' ' || r >= 0x7f || r == '"' || r == '\\' }) >= 0 {
		quoted := strconv.QuoteToASCII(value)
		value = quoted[1 : len(quoted)-1]
	}
	if len(value) > maxBytes {
		const mark = "..."
		value = value[:max(0, maxBytes-len(mark))] + mark[:min(len(mark), maxBytes)]
	}
	return value
}
