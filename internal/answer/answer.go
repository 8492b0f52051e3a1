// Package answer writes refusals: the status, the header fields that keep an answer from being cached or sniffed, and
// either a JSON-RPC error or one line of text. It decides nothing.
package answer

import (
	"net/http"
	"strconv"
)

// Refusal is everything that a refusal tells the client.
type Refusal struct {
	Status int
	Header http.Header // further fields, such as Allow; copied into the answer
	Close  bool        // close the connection afterwards

	JSONRPC bool   // answer with a JSON-RPC error, else with Text
	ID      []byte // raw JSON id; nil leaves the member out
	Code    int    // JSON-RPC error code
	Message string // its message, fixed text
	Data    []byte // raw JSON of error.data; nil leaves the member out

	Text string // fixed text for other routes
}

// RPC returns the JSON-RPC error code and message that go with an HTTP status where no more exact ones are known: the
// protocol's own for a bad request and for our own failure, otherwise the status itself, which is outside the range that
// JSON-RPC reserves.
//
// Source: JSON-RPC 2.0, 5.1; MCP 2026-07-28, Base Protocol, error codes.
func RPC(status int) (code int, message string) {
	switch status {
	case http.StatusBadRequest:
		return -32600, "Invalid Request"
	case http.StatusInternalServerError:
		return -32603, "Internal error"
	default:
		return status, http.StatusText(status)
	}
}

// Write sends the refusal. It is never empty: an empty 400, 404 or 405 makes MCP clients fall back to an older protocol.
func Write(w http.ResponseWriter, f Refusal) {
	var body []byte
	h := w.Header()
	for name, values := range f.Header {
		h[name] = append([]string(nil), values...)
	}
	if f.JSONRPC {
		body = AppendError(make([]byte, 0, 128+len(f.ID)+len(f.Data)), f)
		h.Set("Content-Type", "application/json")
	} else {
		body = append(append(body, f.Text...), '\n')
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if f.Close {
		h.Set("Connection", "close")
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write(body) // the client may be gone; there is nobody else to tell
}

// AppendError appends the refusal's JSON-RPC error object to dst, in one line. Message is our own text and needs no escaping
// beyond quotes.
func AppendError(dst []byte, f Refusal) []byte {
	dst = append(dst, `{"jsonrpc":"2.0",`...)
	if f.ID != nil {
		dst = append(append(append(dst, `"id":`...), f.ID...), ',')
	}
	dst = append(dst, `"error":{"code":`...)
	dst = strconv.AppendInt(dst, int64(f.Code), 10)
	dst = append(dst, `,"message":`...)
	dst = strconv.AppendQuote(dst, f.Message)
	if f.Data != nil {
		dst = append(append(dst, `,"data":`...), f.Data...)
	}
	return append(dst, `}}`...)
}
