package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/waf"
)

// fails is what a play notes of a step that fails. The reason, which names ports, is in the log only.
const fails = "fails"

func failed(line string) bool { return strings.HasSuffix(line, ": "+fails) }

// play is what one client does with one host.
type play struct {
	client   string
	connect  connector
	host     *host
	revision string
	protocol string // of HTTP
}

// run plays against a fresh host and returns what was seen, line by line. Behind a Guard, whose events are in seen, a call is
// refused on the way.
func (p *play) run(t *testing.T, seen *events, wrap func(http.Handler) http.Handler) (script []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	note := func(step, got string, err error) {
		if err != nil {
			got = fails
			t.Logf("%s: %v", step, err)
		}
		script = append(script, step+": "+got)
	}

	stage, requests := newStage(), &witness{stream: make(chan struct{}), seen: map[string]int{}, anyGET: p.host.stateless()}
	defer stage.end()
	handler := requests.before(p.host.handler(stage))
	if wrap != nil {
		handler = wrap(handler)
	}
	base, _ := path{protocol: p.protocol}.listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Proto != p.protocol {
			t.Errorf("%s %s by %s, want %s", r.Method, r.URL, r.Proto, p.protocol)
		}
		handler.ServeHTTP(w, r)
	}), nil)
	changed := make(chan struct{}, 16)
	s, err := p.connect(ctx, t, server{
		url: base + "/mcp", legacy: p.host.legacy(), revision: p.revision,
		changed: func() { changed <- struct{}{} },
	})
	if err != nil {
		note("connect", "", err)
		return script
	}
	note("connect", s.revision(), nil)
	if s.revision() != p.revision && p.client != "ts-v1" {
		t.Errorf("revision %s, want %s", s.revision(), p.revision)
	}

	got, err := s.lists(ctx)
	note("lists", strings.Replace(got, toolDelete+" ", "", 1), err) // which the Guard takes off
	got, err = s.prompt(ctx, promptHello)
	note("prompt", got, err)
	got, err = s.read(ctx, resourceURI)
	note("read", got, err)
	const message = `quotes " and ' , <b>tags</b>, ../../paths; SELECT * FROM t -- ünï`
	got, err = s.call(ctx, toolEcho, map[string]any{"message": message}, nil)
	note("echo", got, err)

	var order []int
	report := func(n int) {
		order = append(order, n)
		select {
		case stage.seen <- struct{}{}:
		case <-ctx.Done():
		}
	}
	got, err = s.call(ctx, toolCount, map[string]any{}, report)
	note("count", fmt.Sprint(got, " ", order), err)
	if p.resumes() {
		order = nil
		got, err = s.call(ctx, toolResume, map[string]any{}, report)
		note("resume", fmt.Sprint(got, " ", order), err)
	}
	if p.asks() {
		got, err = s.call(ctx, toolAsk, map[string]any{}, nil)
		note("ask", got, err)
	}
	if p.cancels() {
		note("cancel", "the tool has ended", cancelCall(ctx, s, stage))
	}
	if p.hears() {
		select { // else mcp-go's server tells nobody
		case <-requests.stream:
		case <-ctx.Done():
		}
		stage.addTool()
		select {
		case <-changed:
			note("tools", "changed", nil)
		case <-ctx.Done():
			note("tools", "", ctx.Err())
		}
	}
	if seen != nil {
		if refused := refusals(seen.take()); len(refused) > 0 {
			t.Errorf("refused on the way: %v", refused)
		}
		requests.pause(true)
		refuseAndGoOn(ctx, t, s, seen)
		requests.pause(false)
	}
	requests.ignoreGET() // where the stream ends well before the answer to DELETE, clients ask for it again
	note("end", "left", leave(t, s))
	for _, r := range requests.take() {
		note("the server saw", r, nil)
	}
	return script
}

// cancelCall cancels a call while its tool runs. It returns an error if one of them goes on.
func cancelCall(ctx context.Context, s session, stage *stage) error {
	callCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-stage.waiting:
		case <-ctx.Done():
		}
		cancel()
	}()
	if got, err := s.call(callCtx, toolWait, map[string]any{}, nil); err == nil {
		return fmt.Errorf("the call returned %q", got)
	}
	select {
	case <-stage.ended:
		return nil
	case <-ctx.Done():
		return errors.New("the tool runs on")
	}
}

// refuseAndGoOn has one call refused and makes the next one, in the same session.
func refuseAndGoOn(ctx context.Context, t *testing.T, s session, seen *events) {
	t.Helper()
	if got, err := s.call(ctx, toolDelete, map[string]any{}, nil); err == nil {
		t.Errorf("delete: %q, want a refusal", got)
	}
	refused := refusals(seen.take())
	if len(refused) != 1 || refused[0].Layer != waf.LayerPolicy || refused[0].Tool != toolDelete || refused[0].Identity != "e2e" {
		t.Errorf("refusals %+v, want one by the policy", refused)
	}
	got, err := s.call(ctx, toolEcho, map[string]any{"message": "still here"}, nil)
	if err != nil || got != "still here" {
		t.Errorf("echo after the refusal: %q, %v; refused: %v", got, err, refusals(seen.take()))
	}
}

// What follows is what clients and hosts can do where there is no Guard.

// cancels says whether a cancelled call ends the tool. Before 2026-07-28 a client has to send a notification: mcp-go's does not
// over HTTP, and a host without sessions cannot tell which call is meant. In 2026-07-28 the Go SDK's client sends one beside ending
// the stream; mcp-go's server answers it 400, for want of _meta, which ends the session.
func (p *play) cancels() bool {
	if p.revision == "2026-07-28" {
		return p.client != "gosdk" || p.host.name == "gosdk-stateless"
	}
	return p.client != "mcpgo" && !p.host.stateless()
}

// asks says whether a tool can ask the client. Before 2026-07-28 it takes a session, and over HTTP+SSE mcp-go's server does not
// ask, nor does its client answer.
func (p *play) asks() bool {
	if p.revision == "2026-07-28" {
		return true
	}
	return !p.host.stateless() && (!p.host.legacy() || p.host.name == "gosdk-legacy" && p.client != "mcpgo")
}

// hears says whether the client is told of changes. Before 2026-07-28 it takes a session, and mcp-go's client does not subscribe
// by itself in 2026-07-28.
func (p *play) hears() bool {
	if p.revision == "2026-07-28" {
		return p.client != "mcpgo"
	}
	return !p.host.stateless()
}

// resumes says whether a stream that ended before its result is taken up again. Before 2025-11-25 it takes clients a second.
func (p *play) resumes() bool { return p.host.name == "gosdk-stateful" && p.revision != "2025-03-26" }

// witness notes what requests reach a server.
type witness struct {
	mu     sync.Mutex
	begun  sync.Once
	stream chan struct{} // is closed when the stream on which a client hears of changes has begun
	seen   map[string]int
	paused bool
	anyGET bool // GET does not count: without a session to listen to it is refused, and clients ask again in their own time
}

func (w *witness) pause(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused = yes
}

func (w *witness) ignoreGET() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.anyGET = true
}

func (w *witness) before(server http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		what := r.Method
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			var message struct{ Method string }
			_ = json.Unmarshal(body, &message)
			what += " " + cmp.Or(message.Method, "an answer")
		}
		w.mu.Lock()
		if !w.paused && (what != http.MethodGet || !w.anyGET) && what != "POST notifications/cancelled" { // that the stream has ended may overtake it
			w.seen[what]++
		}
		w.mu.Unlock()
		if what == http.MethodGet || what == "POST subscriptions/listen" {
			rw = &beginning{rw, func() { w.begun.Do(func() { close(w.stream) }) }}
		}
		server.ServeHTTP(rw, r)
	})
}

// beginning tells when an answer begins.
type beginning struct {
	http.ResponseWriter
	tell func()
}

// Flush implements http.Flusher, which mcp-go's server wants.
func (b *beginning) Flush() {
	_ = http.NewResponseController(b.ResponseWriter).Flush()
	b.tell()
}

// Unwrap lets http.ResponseController reach the server's own writer.
func (b *beginning) Unwrap() http.ResponseWriter { return b.ResponseWriter }

func (w *witness) take() (lines []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(w.seen)) {
		lines = append(lines, fmt.Sprintf("%d × %s", w.seen[what], what))
	}
	return lines
}
