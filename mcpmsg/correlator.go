package mcpmsg

import (
	"fmt"
	"sync"

	"github.com/sallyport/sallyport/internal/jsonscan"
	"github.com/sallyport/sallyport/internal/schema"
)

// Correlator remembers which method each unanswered request of one side of a connection has, and whether it asks for a task, so that
// its result can be judged by the right definition. The zero Correlator remembers nothing; make one with [NewCorrelator]. It is safe
// for concurrent use.
//
// Requests and their results travel in opposite directions: a connection whose two sides send requests needs two.
type Correlator struct {
	mu   sync.Mutex
	max  int
	open map[string]asked
	made [len(taskCapabilities)]bool // the receiver has declared that it makes tasks
}

// asked is an unanswered request.
type asked struct {
	method Method
	from   Direction
	task   bool
}

// taskCapabilities are the places in capabilities where the receiver of a request declares that it makes tasks of it.
//
// Source: MCP 2025-11-25, Tasks, Capabilities.
var taskCapabilities = [...]struct {
	method Method
	path   []string
}{
	{MethodToolsCall, []string{"tasks", "requests", "tools", "call"}},
	{MethodSamplingCreateMessage, []string{"tasks", "requests", "sampling", "createMessage"}},
	{MethodElicitationCreate, []string{"tasks", "requests", "elicitation", "create"}},
}

// NewCorrelator returns a Correlator for up to max unanswered requests, 1 to 1048576.
func NewCorrelator(max int) (*Correlator, error) {
	if max < 1 || max > 1<<20 {
		return nil, fmt.Errorf("mcpmsg: NewCorrelator: max is %d, want 1 to %d", max, 1<<20)
	}
	return &Correlator{max: max, open: map[string]asked{}}, nil
}

// Sent notes an accepted request, and the requests of a batch. Other messages are passed over. It returns false, and notes
// nothing, if an unanswered request has the same id, or if there are max of them already. It allocates a copy of the id.
func (c *Correlator) Sent(m *Message) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	requests := 0
	for one := range m.Each() {
		if one.Kind != Request {
			continue
		}
		if _, taken := c.open[string(appendIDKey(nil, one.ID))]; taken {
			return false
		}
		requests++
	}
	if len(c.open)+requests > c.max {
		return false
	}
	for one := range m.Each() {
		if one.Kind == Request {
			c.open[string(appendIDKey(nil, one.ID))] = asked{one.Method, one.From, one.AsksForTask()}
		}
	}
	return true
}

// Declare notes what the receiver of the requests has declared in initialize: capabilities is result.capabilities where the client
// sends them, params.capabilities where the server does. It holds until the next call, and does not allocate.
func (c *Correlator) Declare(capabilities Raw) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range taskCapabilities {
		c.made[i] = argument(capabilities, taskCapabilities[i].path) != nil
	}
}

// Context returns what is known about the answer to the unanswered request with the id, but for the revision, and whether there is such
// a request. Without [Correlator.Declare] a request that asks for a task may be answered either way, because receivers that make none
// must ignore the wish. It allocates only for an id of more than 256 bytes.
func (c *Correlator) Context(id Raw) (Context, bool) {
	var buf [256]byte
	key := appendIDKey(buf[:0], id)
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.open[string(key)]
	if !ok {
		return Context{}, false
	}
	ctx := Context{Direction: r.from.other(), ResultOf: r.method, Task: TaskNone}
	if r.task {
		ctx.Task = TaskPossible
		for i := range taskCapabilities {
			if c.made[i] && taskCapabilities[i].method == r.method {
				ctx.Task = TaskExpected
			}
		}
	}
	return ctx, true
}

// Method returns the method of the unanswered request with the id, and whether there is one, as [Correlator.Context] does.
func (c *Correlator) Method(id Raw) (Method, bool) {
	ctx, ok := c.Context(id)
	return ctx.ResultOf, ok
}

// Done forgets the request with the id, once it is answered or cancelled, and returns whether there was one.
func (c *Correlator) Done(id Raw) bool {
	var buf [256]byte
	key := appendIDKey(buf[:0], id)
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.open[string(key)]
	delete(c.open, string(key))
	return ok
}

// Len returns the number of unanswered requests.
func (c *Correlator) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

// appendIDKey appends a text that two ids share exactly if they are the same: a string is never the same as a number.
func appendIDKey(dst []byte, id Raw) []byte {
	if id.Kind() == RawString {
		return id.AppendText(append(dst, '"'))
	}
	return append(dst, id...)
}

// IDOf returns the id of a message that need not be valid, such as a response before its method is known: the value of the
// only member of that name in the outermost object of a text that is JSON within the limits, or nil. It does not allocate.
func (v *Validator) IDOf(msg []byte) Raw {
	if v == nil || v.pool == nil || len(msg) > v.lim.bytes {
		return nil
	}
	c := v.pool.Get().(*check)
	defer v.pool.Put(c)
	c.b = msg
	from := jsonscan.Space(msg, 0)
	c.begin(from)
	var id Raw
	if from < len(msg) && msg[from] == '{' {
		end, start, to, times := c.walk.ReadMember(msg, from, "id")
		id = c.idIf(end >= 0 && times == 1 && jsonscan.Space(msg, end) == len(msg), at(msg, schema.Span{From: int32(start), To: int32(to)}))
	}
	c.reset()
	return id
}
