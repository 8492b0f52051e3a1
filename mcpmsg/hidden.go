package mcpmsg

import (
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/jsonscan"
)

// describes reports whether the result of a method goes to a model as a description of what a server offers. Text that a person
// can't see in it is an instruction behind that person's back.
func describes(m Method) bool {
	switch m {
	case MethodToolsList, MethodPromptsList, MethodResourcesList, MethodResourcesTemplatesList, MethodInitialize, MethodServerDiscover:
		return true
	}
	return false
}

// speaks reports whether the result of a method is text for a model that may quote anything.
func speaks(m Method) bool { return m == MethodToolsCall || m == MethodPromptsGet }

// hiddenText returns the index in JSON text of a character that hides text from people, or -1:
//
//   - a tag character that is not part of a flag (U+1F3F4, some tags, U+E007F);
//   - the second of two variation selectors in a row, which carry bytes that way;
//   - the fourth of four characters without width in a row;
//   - an override of the writing direction, U+202D and U+202E;
//   - an escape or another control character by which terminals hide and move text: U+001B, U+0080 to U+009F.
//
// Without all only the first counts: text that is not about the server may quote anything else. Joiners, marks and isolates
// of honest scripts and emoji pass in any case.
//
// Source: Unicode Technical Standard 51, ED-14a (flags); public reports on poisoned tool descriptions.
func hiddenText(b []byte, all bool) int {
	const none, flag, tagged = 0, 1, 2
	state, selectors, blanks := none, 0, 0
	for i := 0; i < len(b); {
		if n := jsonscan.Plain(b, i); n > 0 || b[i] < utf8.RuneSelf && b[i] != '\\' {
			if state == tagged {
				return i // a flag without end
			}
			state, selectors, blanks = none, 0, 0
			i += max(n, 1)
			continue
		}
		r, n := jsonscan.Rune(b[i:])
		switch {
		case r == 0x1f3f4:
			state = flag
		case r == 0xe007f && state == tagged:
			state = none
		case 0xe0020 <= r && r < 0xe007f && state != none:
			state = tagged
		case 0xe0000 <= r && r <= 0xe007f, state == tagged, all && (r == 0x202d || r == 0x202e || r == 0x1b || 0x80 <= r && r < 0xa0):
			return i
		default:
			state = none
		}
		if selectors = count(selectors, 0xfe00 <= r && r <= 0xfe0f || 0xe0100 <= r && r <= 0xe01ef); selectors == 2 && all {
			return i
		}
		if blanks = count(blanks, 0x200b <= r && r <= 0x200d || 0x2060 <= r && r <= 0x2064 || r == 0xfeff); blanks == 4 && all {
			return i
		}
		i += n
	}
	return -1
}

func count(n int, more bool) int {
	if more {
		return n + 1
	}
	return 0
}
