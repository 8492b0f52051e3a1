package e2e

import "testing"

// TestVectors replays our own cases, which have the form of the corpora: further attacks of every class that THREATS lists, and
// further honest requests, one step away from them.
func TestVectors(t *testing.T) {
	var score score
	for _, file := range []string{"attacks", "benign"} {
		score.replay(t, "testdata/vectors/"+file+".jsonl", misjudged)
	}
	score.log(t)
}

// misjudged are the cases that are judged wrongly today, by id, and the reason. One that is judged right must leave this list: the
// test says so.
var misjudged = map[string]string{
	// net/http settles these before a handler runs, and what it makes of them has one meaning.
	"R-A-437": "Content-Length beside Transfer-Encoding, hidden by net/http",
	"R-A-438": "Content-Length beside Transfer-Encoding, hidden by net/http",
	"R-A-475": "obs-fold, hidden by net/http",

	// Rules that are keyed on another path, name or separator.
	"R-A-053": "the index of routes, asked for by a parameter",
	"R-A-106": "a server definition as a form",
	"R-A-598": "redirection in a path",
	"R-A-599": "braces in a package name",
	"R-A-600": "a lone ampersand in a package name",
	"R-A-619": "option in a time",
	"R-A-623": "short option in a URL",
	"R-A-625": "option in the name of a cluster object",
	"R-A-660": "NUL in a path",
	"R-A-663": "two-dot leader",
	"R-A-667": "dot segment with a parameter in a path",
	"R-A-675": "file URI of a Windows system file",
	"R-A-736": "loopback address as a callback",
	"R-A-934": "backslash between two authorities, which readers divide differently",
	"R-A-753": "double quote in an identifier",
	"R-A-780": "two session ids under two names",
	"R-A-854": "two redirect targets",
	"R-A-913": "the tool's name is an argument of another tool",
	"R-A-915": "the tool's name is an argument of another tool",

	// Answers of the server.
	"R-A-828": "case variant of a member in a list that nothing restricts",

	// Honest requests that are refused.
	"R-B-213": "more than a thousand argument leaves",
}
