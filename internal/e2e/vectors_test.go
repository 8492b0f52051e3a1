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
}
