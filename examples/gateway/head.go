package main

import (
	"bufio"
	"errors"
	"net/textproto"
	"strings"

	"github.com/sallyport/sallyport/validate"
)

// readHead splits a request's head and judges nothing: validate sees every line as it came. The head must fit in.
func readHead(in *bufio.Reader) (view validate.RequestView, header map[string][]string, err error) {
	line, err := readLine(in)
	if err != nil {
		return view, nil, err
	}
	parts := strings.Split(line, " ")
	if len(parts) != 3 {
		return view, nil, errors.New("not a request line")
	}
	view.Method, view.Target, view.Proto = parts[0], parts[1], parts[2]
	header = map[string][]string{}
	for read := len(line); ; {
		if line, err = readLine(in); err != nil || line == "" {
			return view, header, err
		}
		if read += len(line); read > maxHead {
			return view, nil, errors.New("the head is too long")
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return view, nil, errors.New("not a field line")
		}
		view.Fields = append(view.Fields, validate.Field{Name: name, Value: value})
		key := textproto.CanonicalMIMEHeaderKey(name)
		header[key] = append(header[key], strings.Trim(value, " \t"))
	}
}

func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n') // no longer than in's buffer
	if err != nil {
		return "", err
	}
	text, ok := strings.CutSuffix(string(line), "\r\n")
	if !ok {
		return "", errors.New("a line ends without CR")
	}
	return text, nil
}
