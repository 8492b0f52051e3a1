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

// revisionRow holds the roots of a revision that belong to no method: those of any result, of a result with a resultType of an
// extension, of an error, and of the params of requests and notifications that only a configuration knows.
type revisionRow struct{ result, openResult, failure, request, notification int }

const numMethods = len(methodText)

// methodPlaces finds methods by a hash of their text. Where two have the same place the second takes the next free one.
var methodPlaces = func() (places [1 << 10]methodPlace) {
	for m := Method(1); int(m) < numMethods; m++ {
		words := jsonscan.WordsOf(methodText[m])
		p := placeOf(words)
		for places[p].method != 0 {
			p = (p + 1) % uint64(len(places))
		}
		places[p] = methodPlace{words, methodText[m], m}
	}
	return places
}()

type methodPlace struct {
	words  jsonscan.Words
	text   string
	method Method
}

func placeOf(w jsonscan.Words) uint64 { return w.Key() * 0x9e3779b97f4a7c15 >> 54 }

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
	m := methodByWords(jsonscan.WordsOf(text), text)
	return m, m != 0
}

func methodByWords[T ~string | ~[]byte](words jsonscan.Words, text T) Method {
	for p := placeOf(words); ; p = (p + 1) % uint64(len(methodPlaces)) {
		at := &methodPlaces[p]
		if at.words == words && (words.Len <= 16 || at.text == string(text)) {
			return at.method
		}
		if at.method == 0 {
			return 0
		}
	}
}

// lookUp returns the method that a string names, or 0.
func lookUp(r Raw) Method {
	body := r.body()
	m, ok := ParseMethod(body) // no method has a character that must be escaped
	if ok || !jsonscan.HasEscape(body) {
		return m
	}
	var buf [maxMethodText + 1]byte
	text := buf[:0]
	for at := jsonscan.NewCursor(body); len(text) < len(buf); {
		c, ok := at.Next()
		if !ok {
			break
		}
		text = append(text, c)
	}
	m, _ = ParseMethod(text)
	return m
}

// maxMethodText is more than the length of every method.
const maxMethodText = 63

// String returns the method's text, such as "tools/call", or "" for the zero Method.
func (m Method) String() string {
	if int(m) >= numMethods {
		return ""
	}
	return methodText[m]
}
