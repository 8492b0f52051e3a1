package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// record is one line of the reference data: a request, what should become of it and under which policy.
type record struct {
	ID, Class, Why, Expect, Layer, Delivery string
	Request                                 struct {
		Method, Path, Proto string
		Headers             [][2]string
		message
	}
	Response *struct {
		Status  int
		Headers [][2]string
		message
	}
	Context struct {
		Authenticated      bool
		AllowedTools       []string `json:"allowed_tools"`
		OriginAllowlist    []string `json:"origin_allowlist"`
		HostAllowlist      []string `json:"host_allowlist"`
		MinProtocolVersion string   `json:"min_protocol_version"`
	}
}

// message is a body, as text or in Base64.
type message struct {
	Body    string
	BodyB64 []byte `json:"body_b64"`
}

func (m *message) bytes() []byte {
	if m.BodyB64 != nil {
		return m.BodyB64
	}
	return []byte(m.Body)
}

// records reads a file of the reference data.
func records(t *testing.T, path string) []record {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var list []record
	for in := json.NewDecoder(file); ; {
		var r record
		if err := in.Decode(&r); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatalf("%s: record %d: %v", path, len(list)+1, err)
		}
		list = append(list, r)
	}
}

// latin1 turns the characters of the reference data's heads into the bytes that they stand for.
func latin1(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
	}
	return b.String()
}

// wire returns the request as it goes over a connection.
func (r *record) wire() []byte {
	var b strings.Builder
	b.WriteString(r.Request.Method + " " + latin1(r.Request.Path) + " " + r.Request.Proto + "\r\n")
	for _, h := range r.Request.Headers {
		b.WriteString(latin1(h[0]) + ": " + latin1(h[1]) + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(r.Request.bytes())
	return []byte(b.String())
}

// exchange sends bytes to the server at base and returns its answer with the body read, or nil if there was none.
func exchange(t *testing.T, base, method string, request []byte) (resp *http.Response, body []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(request); err != nil {
		t.Logf("the server closed the connection early: %v", err)
	}
	reader := bufio.NewReader(conn)
	resp, err = http.ReadResponse(reader, &http.Request{Method: method})
	if err == nil && resp.StatusCode == http.StatusContinue { // the server asked for the body; the answer follows
		resp, err = http.ReadResponse(reader, &http.Request{Method: method})
	}
	if err != nil {
		return nil, nil
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil
	}
	return resp, body
}
