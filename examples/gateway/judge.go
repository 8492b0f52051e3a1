package main

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/validate"
)

const maxHead, maxBody = 32 << 10, 1 << 20 // bytes

type gateway struct {
	requests *validate.Request
	messages *mcpmsg.Validator
}

func newGateway() (*gateway, error) {
	requests, err1 := validate.NewRequest(validate.Default())
	messages, err2 := mcpmsg.New(mcpmsg.Config{MaxBytes: maxBody})
	return &gateway{requests, messages}, errors.Join(err1, err2)
}

// judge reads one request. The verdict names codes and methods, never what the client wrote.
func (g *gateway) judge(in *bufio.Reader) (status int, verdict string) {
	view, header, err := readHead(in)
	if err != nil {
		return 400, "unreadable"
	}
	if v := g.requests.Check(view); !v.OK() {
		return v.Status(), v.Code.String()
	}
	length, err := strconv.Atoi(strings.Join(header["Content-Length"], "")) // one field of digits, says validate
	if err != nil || length > maxBody {
		return 413, "no_length_or_too_long"
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(in, body); err != nil {
		return 400, "body_short"
	}
	message, v := g.messages.Check(body, mcpmsg.Context{Direction: mcpmsg.FromClient})
	if v.OK() {
		v = g.messages.CheckMirror(&message, header)
	}
	if !v.OK() {
		return 400, v.Code.String()
	}
	return 200, "would forward " + message.Method.String()
}
