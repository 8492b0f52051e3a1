// Gateway shows the validators in a program that parses HTTP itself: validate judges the raw fields and the target, mcpmsg the
// body, and nothing of net/http is involved. It answers with the verdict; a real one would forward.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"net"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8083", "`address` to listen on")
	flag.Parse()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	g, err := newGateway()
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on ", listener.Addr())
	log.Fatal(g.serve(listener))
}

func (g *gateway) serve(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			status, verdict := g.judge(bufio.NewReaderSize(conn, maxHead))
			fmt.Fprintf(conn, "HTTP/1.1 %d \r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", status, len(verdict), verdict)
		}()
	}
}
