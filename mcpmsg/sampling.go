package mcpmsg

import (
	"hash/maphash"

	"github.com/sallyport/sallyport/internal/jsonscan"
)

// maxToolUses bounds the tools that one message of a conversation uses at once: each is looked for among their results.
const maxToolUses = 128

// conversations returns the index of a message that breaks a rule about tools in a conversation: that of sampling/createMessage, or
// of one among the inputRequests of a result; or -1.
func (c *check) conversations() int {
	if c.known == MethodSamplingCreateMessage {
		return c.unbalanced(c.part(capParams))
	}
	for _, request := range jsonscan.Members(c.part(capInputs)) {
		if !argument(request, methodPath).Is("sampling/createMessage") {
			continue
		}
		if at := c.unbalanced(argument(request, paramsPath)); at >= 0 {
			return at
		}
	}
	return -1
}

// unbalanced returns the index of a message of the conversation in the params of sampling/createMessage that breaks a rule
// about tools, or -1:
//
//   - a message of the user with results of tools holds nothing else;
//   - a message of the assistant with uses of tools is followed by one of the user with the results of exactly these.
//
// Results without a use before them pass: the beginning of a conversation may have been cut off.
//
// Source: MCP 2025-11-25 and 2026-07-28, Sampling, Message Content Constraints.
func (c *check) unbalanced(params Raw) int {
	uses := toolUses{c: c}
	last := -1
	for message := range jsonscan.Elements(argument(params, messagesPath)) {
		if last = c.place(message); !uses.goOn(message) {
			return last
		}
	}
	if uses.n > 0 {
		return last
	}
	return -1
}

var (
	messagesPath  = []string{"messages"}
	rolePath      = []string{"role"}
	contentPath   = []string{"content"}
	idPath        = []string{"id"}
	toolUseIDPath = []string{"toolUseId"}
)

// toolUses are the uses of tools in the last message of the assistant.
type toolUses struct {
	c        *check // for its scratch memory
	ids      [maxToolUses]Raw
	hashes   [maxToolUses]uint64
	answered [maxToolUses]bool
	n        int
}

// goOn reads the next message of the conversation. It returns false if that is against the rules.
func (u *toolUses) goOn(message Raw) bool {
	content := argument(message, contentPath)
	user := argument(message, rolePath).Is("user")
	t := turn{toolUses: u, user: user, waiting: u.n}
	if !user && u.n > 0 {
		return false
	}
	if content.Kind() == RawObject {
		return t.read(content) && t.end()
	}
	for block := range jsonscan.Elements(content) {
		if !t.read(block) {
			return false
		}
	}
	return t.end()
}

// turn is one message of a conversation.
type turn struct {
	*toolUses
	user            bool
	waiting         int // uses that wait for their results
	results, others int // blocks of the user's
}

// read reads a block of the message.
func (t *turn) read(block Raw) bool {
	kind := argument(block, typePath)
	switch {
	case !t.user:
		return !kind.Is("tool_use") || t.add(argument(block, idPath))
	case kind.Is("tool_result"):
		t.results++
		return t.waiting == 0 || t.answer(argument(block, toolUseIDPath))
	}
	t.others++
	return true
}

// end judges the whole message.
func (t *turn) end() bool {
	if !t.user {
		return true
	}
	t.n = 0
	return (t.results == 0 || t.others == 0) && (t.waiting == 0 || t.results == t.waiting)
}

// add notes a use. It returns false if there are too many, or two with one id, or if it has none.
func (u *toolUses) add(id Raw) bool {
	if id.Kind() != RawString || u.n == maxToolUses {
		return false
	}
	hash := u.c.hash(id.body())
	if u.find(id, hash) >= 0 {
		return false
	}
	u.ids[u.n], u.hashes[u.n], u.answered[u.n] = id, hash, false
	u.n++
	return true
}

// answer notes a result. It returns false if no use waits for it.
func (u *toolUses) answer(id Raw) bool {
	if id.Kind() != RawString {
		return false
	}
	i := u.find(id, u.c.hash(id.body()))
	if i < 0 || u.answered[i] {
		return false
	}
	u.answered[i] = true
	return true
}

// find returns the number of the use with an id, or -1.
func (u *toolUses) find(id Raw, hash uint64) int {
	for i, other := range u.ids[:u.n] {
		if u.hashes[i] == hash && jsonscan.SameText(other.body(), id.body()) {
			return i
		}
	}
	return -1
}

var textSeed = maphash.MakeSeed()

// hash is a hash of the decoded text of a string body that the sender can't predict.
func (c *check) hash(body []byte) uint64 {
	c.text = jsonscan.AppendText(c.text[:0], body)
	return maphash.Bytes(textSeed, c.text)
}
