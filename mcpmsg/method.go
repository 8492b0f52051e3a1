package mcpmsg

import (
	"github.com/sallyport/sallyport/internal/jsonscan"
)

// Method is a method of the protocol, of any revision. The zero Method stands for none or an unknown one.
type Method uint16

// methodRow says who may send a method in one revision, and by which roots of the tables it is judged.
type methodRow struct {
	method       Method
	version      Version
	from         Direction
	notification bool
	required     bool // params must be there
	params       int
	result       int // -1: none
}

// revisionRow holds the roots of a revision that belong to no method.
type revisionRow struct{ result, failure int }

const numMethods = len(methodText)

// methodPlaces finds methods by a hash of their text. Where two have the same place the second takes the next free one.
var methodPlaces = func() (places [1 << 10]uint8) {
	for m := Method(1); int(m) < numMethods; m++ {
		p := methodPlace(jsonscan.WordsOf(methodText[m]))
		for places[p] != 0 {
			p = (p + 1) % uint64(len(places))
		}
		places[p] = uint8(m)
	}
	return places
}()

func methodPlace(w jsonscan.Words) uint64 { return w.Key() * 0x9e3779b97f4a7c15 >> 54 }

// methodRowOf holds the number of a row of methodRows plus one, by revision, direction and method.
var methodRowOf = func() (of [V20260728 + 1][FromServer + 1][numMethods]uint8) {
	for i, r := range methodRows {
		of[r.version][r.from][r.method] = uint8(i + 1)
	}
	return of
}()

// rowOf returns the row of a method, or nil if that side may not send it in that revision.
func rowOf(v Version, from Direction, m Method) *methodRow {
	if i := methodRowOf[v][from][m]; i != 0 {
		return &methodRows[i-1]
	}
	return nil
}

// ParseMethod returns the method that text names exactly, and whether there is one in any revision. It does not allocate.
func ParseMethod[T ~string | ~[]byte](text T) (Method, bool) {
	for p := methodPlace(jsonscan.WordsOf(text)); methodPlaces[p] != 0; p = (p + 1) % uint64(len(methodPlaces)) {
		if m := Method(methodPlaces[p]); methodText[m] == string(text) {
			return m, true
		}
	}
	return 0, false
}

// String returns the method's text, such as "tools/call", or "" for the zero Method.
func (m Method) String() string {
	if int(m) >= numMethods {
		return ""
	}
	return methodText[m]
}
