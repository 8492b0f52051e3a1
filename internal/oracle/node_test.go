package oracle

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// node is a process that reads messages with JSON.parse.
type node struct {
	mu  sync.Mutex
	in  *bufio.Writer
	out *bufio.Reader
}

const noNode = "no node of version 14 or newer is installed: what JSON.parse sees is not compared"

// startNode starts the process, or returns nil where there is noNode.
var startNode = sync.OnceValue(func() *node {
	path, err := exec.LookPath("node")
	if err != nil {
		return nil
	}
	version, err := exec.Command(path, "--print", "process.versions.node.split('.')[0]").Output()
	if err != nil {
		panic(err) // node is there and does not work
	}
	if major, err := strconv.Atoi(strings.TrimSpace(string(version))); err != nil || major < 14 {
		return nil
	}
	cmd := exec.Command(path, "testdata/reader.mjs")
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		panic(err) // node is there and can't be started
	}
	return &node{in: bufio.NewWriter(in), out: bufio.NewReader(out)} // it ends when its pipe does, with the tests
})

// read lets node read some messages.
func (n *node) read(msgs ...[]byte) (sights []sight, errs []error, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, msg := range msgs {
		n.in.Write(binary.BigEndian.AppendUint32(nil, uint32(len(msg))))
		n.in.Write(msg) // the writer keeps the first error for Flush
	}
	if err := n.in.Flush(); err != nil {
		return nil, nil, err
	}
	for range msgs {
		var length [4]byte
		if _, err := io.ReadFull(n.out, length[:]); err != nil {
			return nil, nil, err
		}
		answer := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(n.out, answer); err != nil {
			return nil, nil, err
		}
		var s sight
		lines := strings.Split(string(answer), "\n")
		if len(lines) != int(parts) {
			sights, errs = append(sights, s), append(errs, errors.New("JSON.parse refuses"))
			continue
		}
		copy(s[:], lines)
		sights, errs = append(sights, s), append(errs, nil)
	}
	return sights, errs, nil
}

func TestNode(t *testing.T) {
	n := startNode()
	if n == nil {
		t.Skip(noNode)
	}
	sights, errs, err := n.read([]byte(`{"id":1e400,"method":"\u0061\"","params":{"name":"é😀","__proto__":{"uri":"x"}}}`), []byte(`{`))
	if err != nil {
		t.Fatal(err)
	}
	want := sight{methodPart: `"a\u0022"`, idPart: "f7ff0000000000000", namePart: `"\u00e9\ud83d\ude00"`}
	got := sights[0]
	got[wholePart] = ""
	if got != want || errs[0] != nil || errs[1] == nil {
		t.Errorf("JSON.parse sees %q (%v), then %v", sights[0], errs[0], errs[1])
	}
	if want := `{"id":f7ff0000000000000,"method":"a\u0022","params":{"__proto__":{"uri":"x"},"name":"\u00e9\ud83d\ude00"}}`; sights[0][wholePart] != want {
		t.Errorf("JSON.parse sees the whole message as %s", sights[0][wholePart])
	}
}
