package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport/sallyport/waf"
)

const (
	maxExplainBytes = 128 << 20 // of the file: twice the largest body that a policy can allow
	explainTimeout  = 30 * time.Second
)

// explain prints what the policy says about the HTTP/1.1 request in a file, and returns whether it would be let through. The
// request takes the way of every other one, over a connection to a server, because net/http settles a part of the question.
func explain(opts options, stdout io.Writer) (pass bool, err error) {
	request, err := readFile("-explain", opts.explain, maxExplainBytes)
	if err != nil {
		return false, err
	}
	guard, rules, err := (&policySource{opts: opts}).newGuard()
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, guard.Close(), closeRules(rules)) }()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return false, err
	}
	judged := make(chan waf.Explanation, 1)
	server := &http.Server{
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			e := guard.Explain(r)
			select {
			case judged <- e:
			default: // the file holds a second request
			}
		}),
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	defer server.Close()
	go func() { _ = server.Serve(listener) }()
	status, err := send(listener.Addr().String(), request)
	select {
	case e := <-judged:
		fmt.Fprint(stdout, e)
		return e.Verdict.Layer == waf.LayerNone, nil
	default:
		if err != nil {
			return false, err
		}
		fmt.Fprintf(stdout, "verdict    refused by the HTTP server, before the guard: %s\n", status)
		return false, nil
	}
}

// send writes a request to a connection of its own, and returns the status of the answer.
func send(addr string, request []byte) (status string, err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(explainTimeout))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = conn.Write(request)           // a server that refuses need not read all of it
		_ = conn.(*net.TCPConn).CloseWrite() // a body that is shorter than it says ends here
	}()
	answer, err := io.ReadAll(io.LimitReader(conn, 64<<10))
	_ = conn.Close()
	<-sent
	line, _, _ := strings.Cut(string(answer), "\r\n")
	_, status, ok := strings.Cut(line, " ")
	if !ok {
		return "", fmt.Errorf("-explain: the server gave no answer: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	return status, nil
}
