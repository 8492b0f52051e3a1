package mcpmsg_test

import (
	"fmt"

	"github.com/sallyport/sallyport/mcpmsg"
)

func Example() {
	v, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		panic(err)
	}
	body := []byte(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search","arguments":{"q":"x"}}}`)
	m, bad := v.Check(body, mcpmsg.Context{Version: mcpmsg.V20250618, Direction: mcpmsg.FromClient})
	if !bad.OK() {
		fmt.Println(bad.Err())
		return
	}
	bad = v.CheckMirror(&m, map[string][]string{"Mcp-Method": {"tools/list"}})
	fmt.Println(m.Kind, m.Method, m.Name.Is("search"), bad.Code)
	// Output: request tools/call true mirror_mismatch
}

func ExampleViolation_AppendRPC() {
	v, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		panic(err)
	}
	m, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":"a","method":"ping","Method":"tools/call"}`), mcpmsg.Context{Direction: mcpmsg.FromClient})
	fmt.Println(bad.Code)
	fmt.Printf("%s\n", bad.AppendRPC(nil, m.ID))
	// Output:
	// member_case_twin
	// {"jsonrpc":"2.0","id":"a","error":{"code":-32600,"message":"Invalid Request"}}
}

// Config.Tools makes Check judge arguments by the tool's own schema.
func ExampleCompileSchema() {
	s, err := mcpmsg.CompileSchema([]byte(`{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"required":["n"]}`))
	if err != nil {
		panic(err)
	}
	v, err := mcpmsg.New(mcpmsg.Config{Tools: []mcpmsg.ToolRule{{Name: "roll", InputSchema: s}}})
	if err != nil {
		panic(err)
	}
	body := []byte(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"roll","arguments":{"n":0}}}`)
	_, bad := v.Check(body, mcpmsg.Context{Direction: mcpmsg.FromClient})
	fmt.Println(bad.Err(), bad.Pointer(body))
	// Output: mcpmsg: schema_range at byte 87 /params/arguments/n
}

// A Context without a direction is refused: whose message it is decides which methods there are.
func ExampleValidator_Check_incorrect() {
	v, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		panic(err)
	}
	_, bad := v.Check([]byte(`{"jsonrpc":"2.0","id":7,"method":"ping"}`), mcpmsg.Context{})
	fmt.Println(bad.Code)
	// Output: not_configured
}
