package mcpmsg

import "github.com/sallyport/sallyport/internal/jsonscan"

// matcher compares the decoded text of a string with bytes that come one by one.
type matcher struct {
	text jsonscan.Cursor
	bad  bool
}

func newMatcher(r Raw) matcher { return matcher{text: jsonscan.NewCursor(r.body())} }

// next compares the next byte.
func (m *matcher) next(c byte) {
	d, ok := m.text.Next()
	m.bad = m.bad || !ok || c != d
}

// done reports whether all bytes were equal and none are left.
func (m *matcher) done() bool {
	_, more := m.text.Next()
	return !m.bad && !more
}
