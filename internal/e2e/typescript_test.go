package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"testing"
	"time"
)

// tsDriver is a process in which clients of one TypeScript SDK live; node/client.mjs is its other end.
type tsDriver struct {
	t  *testing.T
	in io.WriteCloser

	mu       sync.Mutex
	last     int                        // id of the last command, number of the last session
	commands map[int]chan tsSays        // who waits for an answer, by id
	sessions map[int]*typeScriptSession // who hears notifications, by number
}

// tsCommand is a line to the process.
type tsCommand struct {
	ID       int            `json:"id"`
	Do       string         `json:"do"`
	Session  int            `json:"session,omitempty"`
	URL      string         `json:"url,omitempty"`
	Legacy   bool           `json:"legacy,omitempty"`
	Revision string         `json:"revision,omitempty"`
	Token    string         `json:"token,omitempty"`
	Issuer   string         `json:"issuer,omitempty"`
	Name     string         `json:"name,omitempty"`
	URI      string         `json:"uri,omitempty"`
	Tool     string         `json:"tool,omitempty"`
	Args     map[string]any `json:"args,omitempty"`
	Progress bool           `json:"progress,omitempty"`
}

// tsSays is a line from it.
type tsSays struct {
	ID       int
	Result   *string
	Error    string
	Progress int
	Session  int
	Heard    string
}

// startTypeScript starts the process for the SDK of a file, until the test ends.
func startTypeScript(t *testing.T, sdk string) *tsDriver {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	cmd := node(ctx, t, "node/client.mjs", sdk)
	d := &tsDriver{t: t, commands: map[int]chan tsSays{}, sessions: map[int]*typeScriptSession{}}
	var err error
	if d.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	complaints := new(syncBuffer)
	cmd.Stderr = complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		d.listen(out)
	}()
	t.Cleanup(func() {
		_ = d.in.Close() // it exits by itself then
		deadline := time.AfterFunc(patience, stop)
		<-listening
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Logf("%s: %v\n%s", sdk, err, complaints)
		}
		deadline.Stop()
		stop()
	})
	return d
}

// listen hands out what the process says until it ends.
func (d *tsDriver) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var says tsSays
		if err := json.Unmarshal(lines.Bytes(), &says); err != nil {
			d.t.Errorf("the client said %q", lines.Bytes())
			continue
		}
		d.mu.Lock()
		command, session := d.commands[says.ID], d.sessions[says.Session]
		d.mu.Unlock()
		switch {
		case says.Heard != "" && session != nil:
			session.changed()
		case command != nil:
			command <- says
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, command := range d.commands {
		close(command)
		delete(d.commands, id)
	}
	d.commands = nil
}

var errClientGone = errors.New("the client's process has ended")

// do gives a command and waits for its end. When ctx ends first the command is cancelled, and awaited all the same.
func (d *tsDriver) do(ctx context.Context, c tsCommand, progress func(int)) (string, error) {
	answer := make(chan tsSays, 16)
	d.mu.Lock()
	if d.commands == nil {
		d.mu.Unlock()
		return "", errClientGone
	}
	d.last++
	c.ID = d.last
	d.commands[c.ID] = answer
	d.mu.Unlock()
	if err := d.send(c); err != nil {
		return "", err
	}
	done := ctx.Done()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		select {
		case says, open := <-answer:
			switch {
			case !open:
				return "", errClientGone
			case says.Progress != 0:
				progress(says.Progress)
				continue
			}
			d.mu.Lock()
			delete(d.commands, c.ID)
			d.mu.Unlock()
			if says.Result == nil {
				return "", errors.New(says.Error)
			}
			return *says.Result, nil
		case <-done:
			done = nil
			if err := d.send(tsCommand{ID: c.ID, Do: "cancel"}); err != nil {
				return "", err
			}
		case <-late.C:
			return "", errors.New("the client does not answer")
		}
	}
}

func (d *tsDriver) send(c tsCommand) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err = d.in.Write(append(line, '\n'))
	return err
}

// typeScriptSession is a client in that process.
type typeScriptSession struct {
	driver  *tsDriver
	number  int
	spoken  string
	changed func()
}

// connect is a connector for sessions of this SDK.
func (d *tsDriver) connect(ctx context.Context, _ *testing.T, to server) (session, error) {
	s := &typeScriptSession{driver: d, changed: to.changed}
	d.mu.Lock()
	d.last++
	s.number = d.last
	d.sessions[s.number] = s
	d.mu.Unlock()
	var err error
	c := tsCommand{Do: "connect", Session: s.number, URL: to.url, Legacy: to.legacy, Revision: to.revision, Token: token}
	if to.issuer != "" {
		c.Token, c.Issuer = "", to.issuer
	}
	s.spoken, err = d.do(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *typeScriptSession) revision() string { return s.spoken }

func (s *typeScriptSession) lists(ctx context.Context) (string, error) {
	return s.driver.do(ctx, tsCommand{Do: "lists", Session: s.number}, nil)
}

func (s *typeScriptSession) prompt(ctx context.Context, name string) (string, error) {
	return s.driver.do(ctx, tsCommand{Do: "prompt", Session: s.number, Name: name}, nil)
}

func (s *typeScriptSession) read(ctx context.Context, uri string) (string, error) {
	return s.driver.do(ctx, tsCommand{Do: "read", Session: s.number, URI: uri}, nil)
}

func (s *typeScriptSession) call(ctx context.Context, tool string, args map[string]any, progress func(int)) (string, error) {
	return s.driver.do(ctx, tsCommand{Do: "call", Session: s.number, Tool: tool, Args: args, Progress: progress != nil}, progress)
}

func (s *typeScriptSession) end() error {
	_, err := s.driver.do(context.Background(), tsCommand{Do: "end", Session: s.number}, nil)
	s.driver.mu.Lock()
	delete(s.driver.sessions, s.number)
	s.driver.mu.Unlock()
	return err
}

// syncBuffer is what a process writes into while the test may read it.
type syncBuffer struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	return len(p), nil
}

// String implements fmt.Stringer.
func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}
