package waf

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/answer"
	"github.com/sallyport/sallyport/internal/sse"
)

// response stands between the handler and the server's writer where an answer has to be looked at or changed. Requests that
// need none of it get the server's own writer.
//
// An event stream passes event by event, each one as soon as it is whole. Another answer is held until the handler returns. An
// answer to inspect that holds JSON or events under another label, that is compressed, too large or can't be read is not passed on.
type response struct {
	http.ResponseWriter
	j *judgement

	header  func(http.Header)                      // changes the header before it leaves; nil if there is nothing to change
	message func(text []byte) ([]byte, error)      // changes one JSON-RPC text; nil if there is nothing to change
	event   func(sse.Event) (data []byte, ok bool) // changes an event that holds no message; nil likewise

	asks bool               // the client names event streams among what it accepts
	stop context.CancelFunc // ends the handler's context

	lock    chan struct{} // held while a stream is written to: the refusal of another request may write to it, too
	closed  bool          // the handler has returned
	session streamKey     // the HTTP+SSE session whose stream this is

	form   responseForm
	status int
	head   http.Header // of an answer that is held, as it was when the handler wrote the status
	json   []byte
	events *sse.Splitter
	out    []byte
	err    error
}

// inspector returns the writer for an answer that has to be looked at or changed, or nil.
func (j *judgement) inspector(w http.ResponseWriter) *response {
	if j.preflight || j.modeOfLayer(LayerResponse) == DetectOnly {
		return nil
	}
	var (
		header  func(http.Header)
		message func([]byte) ([]byte, error)
		opens   bool // the stream of an HTTP+SSE session
	)
	switch {
	case j.metadata && !j.s.keepPoisoned:
		message = inspectMetadata
	case j.endpoint == nil:
		return nil
	default:
		if j.s.sessions != nil {
			header = j.bindHeader
		}
		opens = j.r.Method == http.MethodGet && j.endpoint.Transport != TransportStreamableHTTP
		if j.needsListFilter() {
			message = j.filterLists
		}
	}
	if header == nil && message == nil && !opens {
		return nil
	}
	rw := &response{ResponseWriter: w, j: j, header: header, message: message, lock: make(chan struct{}, 1)}
	rw.asks = namesEvents(j.r.Header["Accept"])
	if opens {
		rw.event = rw.opened
	}
	if rw.event != nil || rw.message != nil {
		j.r.Header.Del("Accept-Encoding") // an answer that is compressed can't be read
	}
	var ctx context.Context
	ctx, rw.stop = context.WithCancel(j.r.Context())
	j.r = j.r.WithContext(ctx)
	return rw
}

type responseForm uint8

const (
	formUndecided responseForm = iota // the handler has written no status yet
	formPass                          // nothing to inspect: straight through
	formJSON                          // held until the handler returns
	formOther                         // held likewise: neither JSON nor events, and passed on if no client can read JSON or events in it
	formEvents                        // cut into events
	formRefused                       // answered by us; what the handler writes goes nowhere
)

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	if w.form != formUndecided {
		return
	}
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.status = status
	h := w.Header()
	if w.header != nil {
		w.header(h)
	}
	mediaType, _, _ := strings.Cut(strings.ToLower(strings.Join(h["Content-Type"], ",")), ";")
	switch mediaType = strings.TrimSpace(mediaType); {
	case w.message == nil && w.event == nil, status == http.StatusNoContent, status == http.StatusAccepted, status >= 300:
		w.form = formPass // nothing to inspect, or nothing that a client takes for an answer
	case w.onlyEvents() && mediaType != "text/event-stream":
		w.form = formPass
	case !isIdentityCoding(h["Content-Encoding"]):
		w.refuse("response_encoded")
		return
	case mediaType == "text/event-stream" && w.j.metadata:
		w.refuse("response_media_type") // the endpoint's stream is none of the documents that nobody needs a token for
		return
	case mediaType == "text/event-stream":
		w.form, w.events = formEvents, sse.NewSplitter(w.j.s.maxBody)
		h.Del("Content-Length")
	case mediaType == "application/json", w.j.metadata && strings.HasSuffix(mediaType, "+json"):
		w.form, w.head = formJSON, h.Clone()
		return
	default:
		w.form, w.head = formOther, h.Clone()
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// onlyEvents reports whether nothing but an event stream matters as the answer to a GET. Some clients that ask for one read it whatever
// its label.
func (w *response) onlyEvents() bool {
	return w.j.message == nil && !w.j.metadata && !w.j.endpoint.restricted() && !w.asks
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if w.form == formUndecided {
		w.WriteHeader(http.StatusOK)
	}
	switch w.form {
	case formPass:
		return w.ResponseWriter.Write(p)
	case formJSON, formOther:
		if len(w.json)+len(p) > w.j.s.maxBody {
			w.refuse("response_too_large")
			return 0, w.err
		}
		w.json = append(w.json, p...)
		return len(p), nil
	case formEvents:
		if w.err == nil {
			w.err = w.events.Split(p, w.pass)
		}
		if w.err != nil {
			return 0, w.err
		}
		return len(p), nil
	default:
		return 0, w.err
	}
}

// pass sends one event on, changed where it has to be.
func (w *response) pass(event []byte) error {
	e := sse.Parse(event)
	data, changed := []byte(nil), false
	switch {
	case len(e.Data) == 0:
	case e.Type != "" && e.Type != "message" && !looksLikeJSON(e.Data):
		if w.event != nil {
			data, changed = w.event(e)
		}
	case w.message != nil:
		var err error
		if data, err = w.message(e.Data); err != nil {
			w.report(faultCode(err))
			if w.j.message == nil || w.j.message.ID == nil {
				return nil // not passed on; the stream goes on
			}
			data = answer.AppendError(nil, badGateway(w.j.message.ID)) // so that the client does not wait for it
		}
		changed = !bytes.Equal(data, e.Data)
	}
	switch {
	case changed:
		w.out = sse.AppendWithData(w.out[:0], event, data)
		event = w.out
	case e.Odd:
		w.out = sse.AppendPlain(w.out[:0], event) // so that the client reads what was inspected
		event = w.out
	}
	return w.send(event)
}

// looksLikeJSON reports whether data may be a message for a client that does not look at its label.
func looksLikeJSON(data []byte) bool {
	data = bytes.TrimLeft(data, "\ufeff \t\r\n")
	return len(data) > 0 && (data[0] == '{' || data[0] == '[')
}

// send writes to a stream that others may write to.
func (w *response) send(p []byte) error {
	w.lock <- struct{}{}
	defer func() { <-w.lock }()
	_, err := w.ResponseWriter.Write(p)
	return err
}

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is what http.ResponseController calls.
func (w *response) FlushError() error {
	if w.form == formUndecided {
		w.WriteHeader(http.StatusOK)
	}
	if w.form == formJSON || w.form == formOther || w.form == formRefused {
		return nil
	}
	w.lock <- struct{}{}
	defer func() { <-w.lock }()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// close ends the use of the server's writer by anybody but the server.
func (w *response) close() {
	w.stop()
	if w.session.session != "" {
		w.j.load.sessions.remove(w.session, w)
	}
	w.lock <- struct{}{}
	w.closed = true
	<-w.lock
}

// Unwrap lets http.ResponseController reach the server's own writer, for deadlines and full duplex.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// finish ends the answer after the handler returned.
func (w *response) finish() {
	switch w.form {
	case formUndecided:
		w.WriteHeader(http.StatusOK)
		w.finish()
	case formEvents:
		if w.err == nil {
			w.err = w.pass(w.events.Rest()) // no whole event, but not every client drops it
		}
		if errors.Is(w.err, sse.ErrEventTooLarge) {
			w.report("response_too_large")
			panic(http.ErrAbortHandler) // the stream has begun: cutting it is the only way to say that it is not whole
		}
	case formJSON:
		if w.message != nil && len(w.json) > 0 {
			changed, err := w.message(w.json)
			if err != nil {
				w.refuse(faultCode(err))
				return
			}
			w.json = changed
		}
		w.sendHeld()
	case formOther:
		if looksLikeJSON(w.json) || len(sse.Parse(w.json).Data) > 0 {
			w.refuse("response_media_type") // some clients read it whatever its label
			return
		}
		w.sendHeld()
	}
}

// sendHeld sends an answer that was held. What the handler did to the header after it wrote the status is for the trailers.
func (w *response) sendHeld() {
	h := w.Header()
	after := maps.Clone(h)
	trailers := len(w.head["Trailer"]) > 0
	for name := range after {
		trailers = trailers || strings.HasPrefix(name, http.TrailerPrefix)
	}
	clear(h)
	maps.Copy(h, w.head)
	if trailers {
		h.Del("Content-Length") // after which there are none in HTTP/1.1
	} else {
		h.Set("Content-Length", strconv.Itoa(len(w.json)))
	}
	w.ResponseWriter.WriteHeader(w.status)
	if trailers {
		_ = http.NewResponseController(w.ResponseWriter).Flush() // or the server counts a short answer itself
	}
	_, _ = w.ResponseWriter.Write(w.json) // the client may be gone
	for name, values := range after {
		if _, sent := w.head[name]; !sent {
			h[name] = values
		}
	}
}

var errResponseRefused = errors.New("waf: the answer was not passed on")

// refuse answers in the handler's place and ends its context.
func (w *response) refuse(code string) {
	w.form, w.err, w.json = formRefused, errResponseRefused, nil
	w.report(code)
	h := w.Header()
	for _, name := range [...]string{"Content-Encoding", "Etag", "Last-Modified", "Trailer"} {
		h.Del(name) // they describe what is not sent
	}
	setRequestID(h, w.j.id)
	var id []byte
	if w.j.message != nil {
		id = w.j.message.ID
	}
	f := badGateway(id)
	f.JSONRPC, f.Text = w.j.endpoint != nil, f.Message
	answer.Write(w.ResponseWriter, f)
	_ = http.NewResponseController(w.ResponseWriter).Flush() // the handler may go on for long; the client need not wait for it
	w.stop()
}

// badGateway is the refusal that stands for an answer which was not passed on.
func badGateway(id []byte) answer.Refusal {
	code, text := answer.RPC(http.StatusBadGateway)
	return answer.Refusal{Status: http.StatusBadGateway, JSONRPC: true, ID: id, Code: code, Message: text}
}

// faultCode returns the code of an error of a message hook.
func faultCode(err error) string {
	var fault responseFault
	if errors.As(err, &fault) {
		return string(fault)
	}
	return string(faultUnreadable)
}

// report sends an event about an answer that was not passed on.
func (w *response) report(code string) {
	w.j.report(ActionDeny, &Denial{Layer: LayerResponse, Code: code, Status: http.StatusBadGateway})
}
