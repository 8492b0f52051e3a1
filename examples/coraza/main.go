// Coraza shows the MCP ruleset in a program that runs Coraza already, with its middleware and its own rules.
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/corazawaf/coraza/v3"
	corazahttp "github.com/corazawaf/coraza/v3/http"
	"github.com/corazawaf/coraza/v3/types"

	"github.com/sallyport/sallyport/rules"
	"github.com/sallyport/sallyport/waf/corazamcp"
)

// own is the program's configuration as it was. The ruleset sets no engine directive: these are the ones it needs.
const own = `
SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 4194304
SecRequestBodyLimitAction Reject
SecRule REQUEST_HEADERS:X-Debug "@unconditionalMatch" "id:1000,phase:1,deny,status:403,log,t:none,msg:'Debug header'"
`

func main() {
	listen := flag.String("listen", "127.0.0.1:8082", "`address` to listen on")
	flag.Parse()
	handler, err := protect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "served\n")
	}))
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on ", listener.Addr())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	log.Fatal(server.Serve(listener))
}

// protect puts Coraza with both rule sets in front of next. The program gains the MCP rules by three lines: Register, the root of their files,
// and their directives.
func protect(next http.Handler) (http.Handler, error) {
	corazamcp.Register() // the body processor and operators that the profile Coraza needs
	engine, err := coraza.NewWAF(coraza.NewWAFConfig().
		WithRootFS(rules.FS()).
		WithDirectives(own + rules.Directives(rules.Coraza)).
		WithErrorCallback(func(match types.MatchedRule) { log.Println("matched rule", match.Rule().ID()) }))
	if err != nil {
		return nil, err
	}
	return corazahttp.WrapHandler(engine, next), nil
}
