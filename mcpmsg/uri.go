package mcpmsg

import "github.com/sallyport/sallyport/internal/jsonscan"

// isURI reports whether the text of a string body is a URI: a scheme, a colon, and then only characters of RFC 3986 and complete
// escapes. Where in a URI each character may stand is left to who takes it apart.
//
// Source: RFC 3986, 2 and 3.1; MCP, Resources.
func isURI(body []byte) bool {
	scheme, fragment, escape := 0, false, 0
	for at, i := jsonscan.NewCursor(body), 0; ; i++ {
		c, ok := at.Next()
		letter, digit := c|0x20-'a' < 26, c-'0' < 10
		switch {
		case !ok:
			return scheme > 0 && escape == 0
		case escape > 0:
			if escape--; !digit && c|0x20-'a' >= 6 {
				return false
			}
		case scheme == 0 && c == ':' && i > 0:
			scheme = i
		case letter, digit && i > 0, scheme == 0 && i > 0 && (c == '+' || c == '-' || c == '.'):
		case scheme == 0:
			return false
		case c == '%':
			escape = 2
		case c == '#' && !fragment:
			fragment = true
		case c >= 0x80 || !uriMark[c]:
			return false
		}
	}
}

// uriMark are the characters of a URI beside letters, digits, '%' and '#'.
var uriMark = func() (mark [0x80]bool) {
	for _, c := range "-._~:/?[]@!$&'()*+,;=" {
		mark[c] = true
	}
	return mark
}()
