package e2e

import (
	"context"
	"errors"
)

// stage is what the tools of a test server share with the test.
type stage struct {
	seen    chan struct{} // the client saw a progress event: count sends the next one only then
	waiting chan struct{} // wait has begun
	ended   chan struct{} // wait was cancelled
	over    chan struct{} // the test is over: no tool may run on
	addTool func()        // makes the server offer toolLate, too
}

func newStage() *stage {
	return &stage{
		seen: make(chan struct{}), waiting: make(chan struct{}, 1), ended: make(chan struct{}, 1), over: make(chan struct{}),
	}
}

// end lets tools that still run return, so that their servers can be closed.
func (s *stage) end() { close(s.over) }

// count reports progress three times, each time waiting until the client has seen it.
func (s *stage) count(ctx context.Context, report func(n int) error) (string, error) {
	for n := 1; n <= 3; n++ {
		if err := report(n); err != nil {
			return "", err
		}
		if err := s.wasSeen(ctx); err != nil {
			return "", err
		}
	}
	return "counted", nil
}

// wasSeen returns when the client has seen a progress event.
func (s *stage) wasSeen(ctx context.Context) error {
	select {
	case <-s.seen:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.over:
		return errOver
	}
}

// wait runs until it is cancelled.
func (s *stage) wait(ctx context.Context) error {
	s.waiting <- struct{}{}
	select {
	case <-ctx.Done():
		s.ended <- struct{}{}
		return ctx.Err()
	case <-s.over:
		return errOver
	}
}

// What both servers have.
const (
	toolEcho   = "echo"   // returns its message
	toolCount  = "count"  // see stage.count
	toolWait   = "wait"   // see stage.wait
	toolAsk    = "ask"    // asks the user and the model of the client, and returns both answers
	toolDelete = "delete" // the Guard denies it
	toolLate   = "late"   // comes while a session is open

	promptHello = "hello"
	resourceURI = "test://note"
	templateURI = "test://notes/{name}"
	someText    = "some text"
)

// toolResume reports progress, ends the stream before its result and returns. Only the Go SDK's server has it.
const toolResume = "resume"

var (
	errNoToken = errors.New("the call has no progress token")
	errOver    = errors.New("the test is over")
)

type echoArgs struct {
	Message string `json:"message"`
}
