package waf

import (
	"slices"
	"strings"
	"unicode"
)

// speaksPastUser reports whether a text holds what poisoned descriptions use to talk past the user to the model: a block in tags
// that claim authority (in tags that honest descriptions use, too, only if it speaks of secrets), an order to keep what is done
// from the user, an order to forget other orders.
//
// False positives: a description that quotes such an order in full. That a text is IMPORTANT, shows other tags, or says which
// data to show to the user, is none. Time is linear in the text.
func speaksPastUser(text string) bool {
	folded := foldText(text)
	return hasTaggedOrder(folded) || hasOrder(folded)
}

// foldText returns text in lower case, with one space for every run of white space and without what has no width, so that
// phrases can be compared.
func foldText(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	spaced := false
	for _, r := range text {
		switch {
		case r == ' ' || r >= '\t' && r <= '\r' || r >= 0x80 && unicode.IsSpace(r):
			if !spaced {
				b.WriteByte(' ')
			}
			spaced = true
			continue
		case 'A' <= r && r <= 'Z':
			r += 'a' - 'A'
		case r < 0x80:
		case r == 0xad || unicode.Is(unicode.Cf, r):
			continue
		case r == '\u017f':
			r = 's'
		case r == '\u2019':
			r = '\''
		default:
			r = unicode.ToLower(r) // the Kelvin sign becomes a k
		}
		spaced = false
		b.WriteRune(r)
	}
	return b.String()
}

const (
	orderBytes  = 16   // a block in tags that claim authority is an order if it is as long as this
	secretBytes = 1000 // how far after another tag its block is looked at
)

// hasTaggedOrder looks for blocks in tags.
func hasTaggedOrder(s string) bool {
	claimed := -1    // where the first block begins that claims authority
	from, to := 0, 0 // what the other tags before here are about
	for i := 0; ; i++ {
		next := strings.IndexByte(s[i:], '<')
		if next < 0 {
			return speaksOfSecrets(s[from:to])
		}
		i += next
		name, closing, size := cutTag(s[i:])
		end := i + size
		switch name {
		case "system", "secret", "hidden", "admin":
			if closing && claimed >= 0 && i-claimed >= orderBytes {
				return true
			}
			if !closing && claimed < 0 {
				claimed = end
			}
		case "important", "critical", "instruction", "instructions":
			if closing {
				break
			}
			if end > to {
				if speaksOfSecrets(s[from:to]) {
					return true
				}
				from = end
			}
			to = min(end+secretBytes, len(s))
		}
	}
}

// cutTag returns the name and the length of the tag that s begins with, such as "<important>" or "< / system >". The name is ""
// if it is none.
func cutTag(s string) (name string, closing bool, size int) {
	rest := strings.TrimPrefix(s[1:], " ")
	if after, ok := strings.CutPrefix(rest, "/"); ok {
		rest, closing = strings.TrimPrefix(after, " "), true
	}
	n := 0
	for n < len(rest) && 'a' <= rest[n] && rest[n] <= 'z' {
		n++
	}
	name, rest = rest[:n], strings.TrimPrefix(rest[n:], " ")
	if !strings.HasPrefix(rest, ">") {
		return "", false, 0
	}
	return name, closing, len(s) - len(rest) + 1
}

// speaksOfSecrets reports whether a block speaks of what is secret, or of doing something other than it says.
func speaksOfSecrets(s string) bool {
	for _, mark := range [...]string{
		"~/", `~\`, ".ssh", "id_rsa", "mcp.json", "credential", "password", "secret", "token", "api key", "api_key", "api-key", "apikey", "sidenote",
	} {
		if strings.Contains(s, mark) {
			return true
		}
	}
	for word, rest := nextWord(s); word != ""; word, rest = nextWord(rest) {
		before := s[:len(s)-len(rest)-len(word)]
		word, _, _ = strings.Cut(word, "'")
		if word == "ignore" || word == "disregard" || word == "env" && strings.HasSuffix(before, ".") {
			return true
		}
	}
	return false
}

// hasOrder looks for orders in words.
func hasOrder(s string) bool {
	for word, rest := nextWord(s); word != ""; word, rest = nextWord(rest) {
		if isOrder(word, rest) {
			return true
		}
	}
	return false
}

// isOrder reports whether a word and the text after it begin with an order to keep something from the user, or to forget other
// orders.
func isOrder(word, rest string) bool {
	switch word {
	case "do", "must":
		if !skip(&rest, "not") {
			return false
		}
	case "don't", "never", "without":
	case "ignore", "disregard", "forget":
		skip(&rest, "all", "any")
		skip(&rest, "of")
		skip(&rest, "the", "your")
		return skip(&rest, "previous", "prior", "earlier", "above", "other") &&
			skip(&rest, "instruction", "instructions", "prompt", "prompts", "rule", "rules", "tools")
	default:
		return false
	}
	word, rest = cutWord(rest)
	switch strings.TrimSuffix(word, "ing") {
	case "tell", "inform", "alert":
		skip(&rest, "this", "it", "that", "anything")
		skip(&rest, "to")
	case "mention", "reveal", "show":
		if !skip(&rest, "this", "it", "that", "anything") || !skip(&rest, "to") {
			return false
		}
	default:
		return false
	}
	skip(&rest, "the", "any")
	return skip(&rest, "user", "human")
}

// skip takes the next word off s if it is one of words, with or without an apostrophe and more behind it.
func skip(s *string, words ...string) bool {
	word, rest := cutWord(*s)
	word, _, _ = strings.Cut(word, "'")
	if !slices.Contains(words, word) {
		return false
	}
	*s = rest
	return true
}

// nextWord returns the first word of s and what follows it; the word is "" if there is none.
func nextWord(s string) (word, rest string) {
	i := strings.IndexFunc(s, startsWord)
	if i < 0 {
		return "", ""
	}
	return cutWord(s[i:])
}

// cutWord returns the word that s begins with, after spaces, quotation marks and marks of emphasis, and what follows it. The word is "" if
// something else comes first, such as the end of a sentence.
func cutWord(s string) (word, rest string) {
	s = strings.TrimLeft(s, " *_`'\"")
	n := 0
	for n < len(s) && (startsWord(rune(s[n])) || s[n] == '\'') {
		n++
	}
	return s[:n], s[n:]
}

func startsWord(r rune) bool { return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' }
