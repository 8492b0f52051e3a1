package mcpmsg

import (
	"github.com/sallyport/sallyport/internal/jsonscan"
)

// maxInputs bounds the inputs that a server may ask for at once: each response is looked for among them.
const maxInputs = 64

// CheckRetry decides whether a request of 2026-07-28 goes on where a result with resultType input_required has stopped. Check
// must have accepted both.
//
//   - The id is another one than that of the first request, which the result has.
//   - requestState is the text that the result has, and absent where the result has none.
//   - A member of inputResponses for which the result asked is a result of the method by which it asked. Members for which
//     nobody asked pass, as servers ignore them, and so does their absence, as servers ask again.
//
// A result may ask for at most 64 inputs. Offsets count from the beginning of m.Raw. It does not allocate.
//
// Source: MCP 2026-07-28, Multi Round-Trip Requests, Client Requirements and Error Handling.
func (v *Validator) CheckRetry(m, result *Message) Violation {
	if v == nil || v.pool == nil || m == nil || result == nil || m.Kind != Request || result.Kind != Result ||
		!m.Version.Stateless() || !result.Version.Stateless() {
		return Violation{Code: CodeNotConfigured}
	}
	c := v.pool.Get().(*check)
	c.b, c.version = m.Raw, m.Version
	c.begin(0)
	c.end = len(m.Raw) // the envelope was read before
	if !c.retries(result) {
		c.bad.part = partParams
	}
	bad := c.bad
	c.reset()
	v.pool.Put(c)
	return bad
}

var (
	paramsPath       = []string{"params"}
	requestStatePath = []string{"params", "requestState"}
	responsesPath    = []string{"params", "inputResponses"}
	statePath        = []string{"requestState"}
	requestsPath     = []string{"inputRequests"}
	methodPath       = []string{"method"}
)

// retries judges the request c.b. It returns false with the violation in c.bad.
func (c *check) retries(result *Message) bool {
	id := argument(c.b, idPath)
	if first := (batchID{result.ID, jsonscan.HasEscape(result.ID)}); first.same(&batchID{id, jsonscan.HasEscape(id)}) {
		return c.refuse(CodeIDReused, c.place(id))
	}
	state, want := argument(c.b, requestStatePath), argument(result.Result, statePath)
	switch {
	case state == nil && want != nil:
		return c.refuse(CodeSchemaMissing, c.place(argument(c.b, paramsPath)))
	case state != nil && want == nil:
		return c.refuse(CodeSchemaMember, c.place(state))
	case state != nil && (state.Kind() != RawString || want.Kind() != RawString || !jsonscan.SameText(state.body(), want.body())):
		return c.refuse(CodeSchemaValue, c.place(state))
	}
	responses := argument(c.b, responsesPath)
	var asked inputs
	if n := asked.read(c, argument(result.Result, requestsPath)); n > maxInputs {
		at := responses
		if at == nil {
			at = argument(c.b, paramsPath)
		}
		return c.refuseSize(CodeTooManyMembers, c.place(at), maxInputs, n)
	}
	for name, response := range jsonscan.Members(responses) {
		if root := asked.root(c, name); root != 0 && c.walk.Walk(c.b, c.place(response), c.v.edges[root], 3) < 0 {
			c.stopped()
			return false
		}
	}
	return true
}

// inputs are what a result asked for.
type inputs struct {
	names  [maxInputs]Raw
	hashes [maxInputs]uint64
	roots  [maxInputs]int
	n      int
}

// read takes the inputRequests of a result, up to maxInputs, and returns how many there are.
func (in *inputs) read(c *check, requests Raw) (total int) {
	for name, request := range jsonscan.Members(requests) {
		if total++; in.n < maxInputs {
			in.names[in.n], in.hashes[in.n], in.roots[in.n] = name, c.hash(name), inputRoots[lookUp(argument(request, methodPath))]
			in.n++
		}
	}
	return total
}

// root returns the root by which to judge the response with a name, 0 if none was asked for.
func (in *inputs) root(c *check, name Raw) int {
	hash := c.hash(name)
	for i, other := range in.names[:in.n] {
		if in.hashes[i] == hash && jsonscan.SameText(other, name) {
			return in.roots[i]
		}
	}
	return 0
}
