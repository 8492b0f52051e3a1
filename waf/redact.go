package waf

import (
	"regexp"
	"strconv"
	"strings"
)

const redacted = "[redacted]"

// A value is looked at up to twice as far as it may be shown, and lookAhead further, so that no secret is cut in what is shown. Where
// redacting brings the end of that into sight, partBytes of it stay away: it may be a part of a secret that no pattern knows.
const (
	lookAhead = 256
	partBytes = 64
)

// secretName matches the names of values that are secrets whatever they look like.
var secretName = regexp.MustCompile(`(?i)auth(?:oriz|entic|[-_]|$)|cookie|token|secret|passw|passphrase|passcode|pass$|pwd|credential|session|sessid|signature|assertion|[cx]srf|api[-_]?key|keys?$|keys?[-_./]|` +
	`(?:^|[-_./])(?:pw|pin|otp|totp|jwt|sid|bearer|mnemonic|cvc|cvv)$`)

// secretValues match secrets within values. The first group, if there is one, is kept: it says what was there.
var secretValues = []*regexp.Regexp{
	regexp.MustCompile(`(?i)()-----BEGIN[\s\S]*`),
	regexp.MustCompile(`(?i)(\b(?:(?:bearer|basic|digest|negotiate)\s+)+)\S+`),
	regexp.MustCompile(`()\beyJ[\w-]+\.[\w.-]*`),
	regexp.MustCompile(`()\b(?:sk|pk|rk|gh[pousr]|github_pat|glpat|xox[a-z]|hf|npm|dop_v1|whsec)[-_][\w-]{8,}`),
	regexp.MustCompile(`()\b(?:AKIA|ASIA|AIza)[\w-]{12,}`),
	regexp.MustCompile(`(\w://)[^/\s@]+@`),
	regexp.MustCompile(`(?i)([\w-]*(?:passw(?:or)?d|passphrase|pass|pwd|secret|token|(?:api|access|account|private|secret)[-_]?key|credential|cookie|session(?:[-_]?id)?|\bsig|signature)\\*["']?\s*(?:[=:]|%3[ad])\s*)(?:\\*"[^"]*"?|\\*'[^']*'?|[^\s&,;]+)`),
	regexp.MustCompile(`()[A-Za-z0-9+_=-]{32,}`),
}

// redact returns a value for an event: without what looks like a secret, in visible ASCII and spaces, of at most maxBytes bytes.
func redact(name, value string, maxBytes int) string {
	if secretName.MatchString(name) {
		return redacted
	}
	end := min(len(value), 2*maxBytes+lookAhead)
	cut := end < len(value)
	value = strings.ToValidUTF8(value[:end], "\ufffd")
	for _, secret := range secretValues {
		value = secret.ReplaceAllString(value, "${1}"+redacted)
	}
	if cut && len(value) < maxBytes+partBytes {
		value = strings.ToValidUTF8(value[:max(0, len(value)-partBytes)], "")
	}
	if strings.IndexFunc(value, func(r rune) bool { return r < ' ' || r >= 0x7f || r == '"' || r == '\\' }) >= 0 {
		quoted := strconv.QuoteToASCII(value)
		value = quoted[1 : len(quoted)-1]
	}
	if cut || len(value) > maxBytes {
		const mark = "..."
		value = value[:min(len(value), max(0, maxBytes-len(mark)))] + mark[:min(len(mark), maxBytes)]
	}
	return value
}
