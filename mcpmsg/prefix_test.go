package mcpmsg_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

// TestPrefix: messages that begin in the usual way, and differ from it by little, get the verdict of the same messages with
// white space at the front of the object, which are read member by member.
func TestPrefix(t *testing.T) {
	heads := []string{`{"jsonrpc":"2.0",`, `{"jsonrpc":"2.0" ,`, `{"jsonrpc":"2.1",`, `{"jsonrpc":"2.0"`}
	ids := []string{``, `"id":1,`, `"id":-0,`, `"id":01,`, `"id":1.5,`, `"id":1e3,`, `"id":"abc",`, `"id":"abcdefghijk",`, `"id":"a\n",`, `"id":"é",`, `"id":"a b",`,
		`"id":"\x",`, `"id":null,`, `"id":1 ,`, `"id": 1,`, `"id":1,"id":1,`, `"Id":1,`, `"id":"` + strings.Repeat("i", 64) + `",`, `"id":"` + strings.Repeat("i", 65) + `",`,
		`"id":"` + strings.Repeat("i", 254) + `",`, `"id":"` + strings.Repeat("i", 255) + `",`,
		`"id":` + strings.Repeat("1", 100) + `,`, `"id":` + strings.Repeat("1", 101) + `,`, `"id":"x`, `"id":`, `"id":-,`}
	methods := []string{`"method":"ping"`, `"method":"tools/list"`, `"method":"tools\/list"`, `"method":"notifications/initialized"`, `"method":"nope"`, `"method":""`,
		`"method":7`, `"Method":"ping"`, `"method" :"ping"`, `"method":"ping`, `"method":"tools/call"`, `"result":{}`}
	tails := []string{`}`, `,"method":"ping"}`, `,"id":2}`, `,"jsonrpc":"2.0"}`, `,"params":{}}`, `,"params":{"name":"t"}}`, `,"ID":1}`, `,"result":{}}`, ` , "params" : {} } `, `,}`, `}}`, ``, `,"x":1}`, `]`,
		`,"params":{]`, `,"params":`, `,"params":{"_meta":1}}`, `,"params":{"name":7}}`, `,"params": {"name":"t"}}`, `,"params":{"name":"t","_meta":{"progressToken":1.5}}}`,
		`,"params":{},"params":{}}`, `,"params":{"name":"t","arguments":{"a":1,"a":2}},"id":2}`, `,"params":{"name":"t"},"Params":1}`, `,"params":[]}`, `,"params":{"name":"t"},"result":"\x"}`}
	validators := []*mcpmsg.Validator{newValidator(t, mcpmsg.Config{}), newValidator(t, mcpmsg.Config{MaxStringBytes: 64})}
	n := 0
	for _, head := range heads {
		for _, id := range ids {
			for _, method := range methods {
				for _, tail := range tails {
					short := head + id + method + tail
					long := "{ " + short[1:]
					for _, ctx := range []mcpmsg.Context{client(mcpmsg.V20250618), client(0), server(mcpmsg.V20251125, 0)} {
						for _, v := range validators {
							m1, bad1 := v.Check([]byte(short), ctx)
							m2, bad2 := v.Check([]byte(long), ctx)
							if bad2.Offset > 0 {
								bad2.Offset--
							}
							m1.Raw, m2.Raw = nil, nil
							if bad1 != bad2 || fmt.Sprintf("%+v", m1) != fmt.Sprintf("%+v", m2) {
								t.Fatalf("Check(%s) = %+v %+v, but with a space %+v %+v", short, m1, bad1, m2, bad2)
							}
							n++
						}
					}
				}
			}
		}
	}
	t.Logf("%d messages", n)
}
