package validate

import (
	"strings"

	"github.com/sallyport/sallyport/internal/scan"
)

// Authorization reports whether value is a scheme, alone or with either one token68 or a list of parameters. It allocates
// nothing. net/http does not check it. [Headers] applies a weaker form unless HeaderConfig.StrictAuthorization is set:
// Amazon's signatures and some issuers' tokens leave this grammar.
//
// Source: RFC 9110, 11.4 and 11.2; RFC 6750, 2.1.
func Authorization[T Text](value T) Violation {
	return authorizationProblem(value).in("Authorization")
}

func authorizationProblem[T Text](s T) problem {
	from, to := trimOWS(s)
	s = s[:to]
	end := scan.Not(s, from, scan.Token)
	if end == from || end < to && s[end] != ' ' {
		return problem{CodeAuthorizationInvalid, end}
	}
	for end < to && s[end] == ' ' {
		end++
	}
	if end == to {
		return problem{}
	}
	if isToken68(s[end:]) {
		return problem{}
	}
	for i := end; ; {
		i = skipOWS(s, i)
		if i == to {
			return problem{}
		}
		if s[i] == ',' {
			i++
			continue
		}
		p, at, ok := readParameter(s, i, true)
		if !ok {
			return problem{CodeAuthorizationInvalid, at}
		}
		if i = skipOWS(s, p.end); i < to && s[i] != ',' {
			return problem{CodeAuthorizationInvalid, i}
		}
	}
}

// isToken68 reports whether s is one or more of the class and then any number of "=", which stand nowhere else.
func isToken68[T Text](s T) bool {
	end := len(s)
	for end > 0 && s[end-1] == '=' {
		end--
	}
	for i := range end {
		if s[i] == '=' || !scan.Is(s[i], scan.Token68) {
			return false
		}
	}
	return end > 0
}

// credentialsProblem is the weaker form: a scheme that is a token, and if it is one whose credentials are a single word,
// no space within them, which is what joining two lines into one leaves behind. It leaves no byte of a value unread, unless
// they are settled.
func credentialsProblem(s string, settled bool) problem {
	const bearer = "Bearer "
	if strings.HasPrefix(s, bearer) && len(s) > len(bearer) {
		if settled && strings.IndexByte(s[len(bearer):], ' ') < 0 || !settled && scan.VisibleASCII(s[len(bearer):]) < 0 {
			return problem{} // what nearly all requests have
		}
	}
	if !settled {
		if p := valueProblem(scan.FieldValue(s)); p.code != CodeOK {
			return p
		}
	}
	from, to := trimOWS(s)
	s = s[:to]
	end := scan.Not(s, from, scan.Token)
	if end == from || end < to && s[end] != ' ' {
		return problem{CodeAuthorizationInvalid, end}
	}
	if end == to {
		return problem{}
	}
	rest := end
	for s[rest] == ' ' {
		rest++
	}
	if scheme := s[from:end]; scan.EqualFold(scheme, "Bearer") || scan.EqualFold(scheme, "Basic") || scan.EqualFold(scheme, "Negotiate") {
		if i := strings.IndexByte(s[rest:], ' '); i >= 0 {
			return problem{CodeAuthorizationInvalid, rest + i}
		}
	}
	return problem{}
}

// Cookie reports whether value is a list of name "=" value pairs, each separated by "; ", with names that are tokens and
// values of cookie-octets, bare or in double quotes. It allocates nothing. net/http does not check it. [Headers] checks it
// only when asked: browsers themselves send cookies outside this grammar.
//
// Source: RFC 6265, 4.2.1 and 4.1.1.
func Cookie[T Text](value T) Violation { return cookieProblem(value).in("Cookie") }

func cookieProblem[T Text](s T) problem {
	from, to := trimOWS(s)
	s = s[:to]
	for i := from; ; {
		name := i
		i = scan.Not(s, i, scan.Token)
		if i == name || i == to || s[i] != '=' {
			return problem{CodeCookieInvalid, i}
		}
		i++
		quoted := i < to && s[i] == '"'
		if quoted {
			i++
		}
		i = scan.Not(s, i, scan.CookieByte)
		if quoted {
			if i == to || s[i] != '"' {
				return problem{CodeCookieInvalid, i}
			}
			i++
		}
		if i == to {
			return problem{}
		}
		if s[i] != ';' || i+1 == to || s[i+1] != ' ' {
			return problem{CodeCookieInvalid, i}
		}
		i += 2
	}
}
