package mcpmsg

import (
	"iter"

	"github.com/sallyport/sallyport/internal/jsonscan"
)

// Direction says who sent a message.
type Direction uint8

// The two sides. A [Context] must name one.
const (
	FromClient Direction = iota + 1
	FromServer
)

// String returns "client" or "server", or "unknown".
func (d Direction) String() string {
	switch d {
	case FromClient:
		return "client"
	case FromServer:
		return "server"
	}
	return "unknown"
}

// Kind is the sort of a message by the members it has.
type Kind uint8

// The sorts of messages.
const (
	Request       Kind = iota + 1 // method and id
	Notification                  // method without id
	Result                        // result and id
	ErrorResponse                 // error; the id may be absent from 2025-03-26 on
	Batch                         // an array of the others, in 2025-03-26 only
)

// String returns the kind in words, such as "request", or "unknown".
func (k Kind) String() string {
	switch k {
	case Request:
		return "request"
	case Notification:
		return "notification"
	case Result:
		return "result"
	case ErrorResponse:
		return "error response"
	case Batch:
		return "batch"
	}
	return "unknown"
}

// Message is a view of an accepted message: every Raw aliases the bytes that were checked. After a refusal only ID may be
// set.
type Message struct {
	Kind       Kind
	Version    Version // the revision by which the message was judged
	From       Direction
	Method     Method // 0 for responses, and for methods that only the configuration knows
	MethodText Raw    // nil for responses
	ID         Raw    // a string or a plain integer; nil for notifications
	Name       Raw    // of the tool, the prompt or the task: params.name or params.taskId, where the method has one
	URI        Raw    // params.uri, where the method has one
	Params     Raw
	Arguments  Raw // params.arguments of tools/call and prompts/get
	Meta       Raw // params._meta
	Result     Raw
	Error      Raw
	Raw        Raw // the whole message
}

// Each yields the messages of a batch in their order, and a message that is no batch as itself. It does not allocate, and
// reads each message again as it comes to it.
func (m *Message) Each() iter.Seq[Message] {
	return func(yield func(Message) bool) {
		if m.Kind != Batch {
			yield(*m)
			return
		}
		b := m.Raw
		for i := jsonscan.Space(b, 1); i < len(b) && b[i] != ']'; {
			end := jsonscan.Skip(b, i)
			if !yield(viewOf(b[i:end], m)) {
				return
			}
			if i = jsonscan.Space(b, end); b[i] == ',' {
				i = jsonscan.Space(b, i+1)
			}
		}
	}
}

// viewOf makes the view of one message of a batch that was accepted.
func viewOf(b []byte, batch *Message) Message {
	m := Message{Version: batch.Version, From: batch.From, Raw: b}
	for name, value := range jsonscan.Members(b) {
		switch {
		case jsonscan.Equal(name, "id"):
			m.ID = value
		case jsonscan.Equal(name, "method"):
			m.MethodText = value
		case jsonscan.Equal(name, "params"):
			m.Params = value
		case jsonscan.Equal(name, "result"):
			m.Result = value
		case jsonscan.Equal(name, "error"):
			m.Error = value
		}
	}
	m.Kind = kindOf(m.MethodText != nil, m.ID != nil, m.Result != nil, m.Error != nil)
	if m.MethodText == nil {
		return m
	}
	m.Method = lookUp(m.MethodText)
	row := rowOf(m.Version, m.From, m.Method)
	if row == nil {
		m.Method = 0 // of another revision: here only the configuration knows it
	}
	for name, value := range jsonscan.Members(m.Params) {
		switch {
		case jsonscan.Equal(name, "_meta"):
			m.Meta = value
		case row == nil || row.notification:
		case jsonscan.Equal(name, "name") && hasName(m.Method):
			m.Name = value
		case jsonscan.Equal(name, "arguments") && hasName(m.Method):
			m.Arguments = value
		case jsonscan.Equal(name, "uri") && hasURI(m.Method):
			m.URI = value
		}
	}
	return m
}

// AsksForTask reports whether the message is a request of 2025-11-25 that asks for a task in place of its result: one of tools/call,
// sampling/createMessage and elicitation/create with params.task. It reads the params and does not allocate.
//
// Source: MCP 2025-11-25, Tasks, Creating Tasks.
func (m *Message) AsksForTask() bool {
	return m.Kind == Request && m.Version == V20251125 && int(m.Method) < numMethods && taskRoots[m.Method].task != 0 && argument(m.Params, taskPath) != nil
}

var taskPath = []string{"task"}

func hasName(m Method) bool { return m == MethodToolsCall || m == MethodPromptsGet }

func hasURI(m Method) bool {
	return m == MethodResourcesRead || m == MethodResourcesSubscribe || m == MethodResourcesUnsubscribe
}

// kindOf classifies a message by the members it has. 0 is none of the kinds.
//
// Source: JSON-RPC 2.0, 4 and 5. The schemas alone accept mixtures.
func kindOf(method, id, result, failure bool) Kind {
	switch {
	case method && !result && !failure:
		if id {
			return Request
		}
		return Notification
	case method || result && failure:
		return 0
	case result && id:
		return Result
	case failure:
		return ErrorResponse
	}
	return 0
}
