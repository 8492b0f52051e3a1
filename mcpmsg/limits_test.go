package mcpmsg_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

// TestLimits: every limit admits what is as large as it says, and not one more.
func TestLimits(t *testing.T) {
	members := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"m%d":%d`, i, i)
		}
		return call + "{" + strings.TrimPrefix(b.String(), ",") + "}}}"
	}
	batch := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,{"jsonrpc":"2.0","id":%d,"method":"ping"}`, i)
		}
		return "[" + strings.TrimPrefix(b.String(), ",") + "]"
	}
	for _, r := range []struct {
		name  string
		cfg   mcpmsg.Config
		limit int // in force
		make  func(n int) string
		want  mcpmsg.Code
	}{
		{"bytes", mcpmsg.Config{}, 4 << 20, func(n int) string {
			const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
			return ping + strings.Repeat(" ", n-len(ping))
		}, mcpmsg.CodeMessageTooLong},
		{"bytes", mcpmsg.Config{MaxBytes: 50}, 50, func(n int) string {
			const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
			return ping + strings.Repeat(" ", n-len(ping))
		}, mcpmsg.CodeMessageTooLong},
		{"depth", mcpmsg.Config{}, 64, func(n int) string { // two are the envelope and the params
			return call + strings.Repeat(`{"a":`, n-3) + "[]" + strings.Repeat("}", n-3) + "}}"
		}, mcpmsg.CodeJSONDepth},
		{"depth", mcpmsg.Config{MaxDepth: 8}, 8, func(n int) string {
			return call + `{"a":` + strings.Repeat(`[`, n-3) + strings.Repeat("]", n-3) + "}}}"
		}, mcpmsg.CodeJSONDepth},
		{"depth of a batch", mcpmsg.Config{MaxDepth: 8}, 8, func(n int) string {
			return "[" + call + `{"a":` + strings.Repeat(`[`, n-4) + strings.Repeat("]", n-4) + "}}}]"
		}, mcpmsg.CodeJSONDepth},
		{"members", mcpmsg.Config{}, 1024, members, mcpmsg.CodeTooManyMembers},
		{"members", mcpmsg.Config{MaxMembers: 8}, 8, members, mcpmsg.CodeTooManyMembers},
		{"items", mcpmsg.Config{}, 100_000, func(n int) string {
			return call + `{"a":[0` + strings.Repeat(",0", n-1) + "]}}}"
		}, mcpmsg.CodeTooManyItems},
		{"string", mcpmsg.Config{MaxStringBytes: 80}, 80, func(n int) string {
			return call + `{"a":"` + strings.Repeat("x", n) + `"}}}`
		}, mcpmsg.CodeStringTooLong},
		{"name", mcpmsg.Config{}, 1024, func(n int) string {
			return call + `{"` + strings.Repeat("x", n) + `":1}}}`
		}, mcpmsg.CodeNameTooLong},
		{"inner name", mcpmsg.Config{MaxNameBytes: 64}, 64, func(n int) string {
			return call + `{"a":{"` + strings.Repeat("x", n) + `":1}}}}`
		}, mcpmsg.CodeNameTooLong},
		{"known object's name", mcpmsg.Config{MaxNameBytes: 64}, 64, func(n int) string {
			return `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"` + strings.Repeat("x", n) + `":1}}`
		}, mcpmsg.CodeNameTooLong},
		{"inner members", mcpmsg.Config{MaxMembers: 8}, 8, func(n int) string {
			return strings.Replace(members(n), `"arguments":{`, `"arguments":{"a":{`, 1) + "}"
		}, mcpmsg.CodeTooManyMembers},
		{"number", mcpmsg.Config{}, 100, func(n int) string {
			return call + `{"a":` + strings.Repeat("1", n) + `}}}`
		}, mcpmsg.CodeNumberTooLong},
		{"id", mcpmsg.Config{}, 256, func(n int) string {
			return `{"jsonrpc":"2.0","id":"` + strings.Repeat("i", n-2) + `","method":"ping"}`
		}, mcpmsg.CodeIDTooLong},
		{"tool", mcpmsg.Config{}, 1024, func(n int) string {
			return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + strings.Repeat("n", n-2) + `"}}`
		}, mcpmsg.CodeTargetTooLong},
		{"task", mcpmsg.Config{MaxTargetBytes: 20}, 20, func(n int) string {
			return `{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"` + strings.Repeat("n", n-2) + `"}}`
		}, mcpmsg.CodeTargetTooLong},
		{"uri", mcpmsg.Config{}, 8192, func(n int) string {
			return `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"` + strings.Repeat("n", n-2) + `"}}`
		}, mcpmsg.CodeTargetTooLong},
		{"batch", mcpmsg.Config{}, 100, batch, mcpmsg.CodeBatchTooLong},
		{"batch", mcpmsg.Config{MaxBatch: 3}, 3, batch, mcpmsg.CodeBatchTooLong},
	} {
		v := newValidator(t, r.cfg)
		if _, bad := v.Check([]byte(r.make(r.limit)), client(0)); !bad.OK() {
			t.Errorf("%s: %d is refused: %v", r.name, r.limit, bad.Err())
		}
		_, bad := v.Check([]byte(r.make(r.limit+1)), client(0))
		if bad.Code != r.want || bad.Limit != r.limit || bad.Got != r.limit+1 {
			t.Errorf("%s: %d gives %v with limit %d and got %d, want %v", r.name, r.limit+1, bad.Code, bad.Limit, bad.Got, r.want)
		}
	}
	// No method is as long as its limit, so that a long one is either too long or unknown.
	v := newValidator(t, mcpmsg.Config{})
	for n, want := range map[int]mcpmsg.Code{128: mcpmsg.CodeMethodUnknown, 129: mcpmsg.CodeMethodTooLong} {
		in := `{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("m", n-2) + `"}`
		if _, bad := v.Check([]byte(in), client(0)); bad.Code != want {
			t.Errorf("method of %d bytes gives %v, want %v", n, bad.Code, want)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	_, err := mcpmsg.New(mcpmsg.Config{MaxBytes: -1, MaxDepth: 3, MaxMembers: 1 << 30, Schema: 9})
	var one *mcpmsg.ConfigError
	if !errors.As(err, &one) || one.Field != "Config.MaxBytes" || one.Value != -1 {
		t.Errorf("the first error is %v", one)
	}
	for _, field := range []string{"MaxBytes", "MaxDepth", "MaxMembers", "Schema"} {
		if !strings.Contains(fmt.Sprint(err), "Config."+field) {
			t.Errorf("the error does not name %s: %v", field, err)
		}
	}
}

// TestConfigRanges: both ends of every range are admitted, and nothing beyond them.
func TestConfigRanges(t *testing.T) {
	for _, r := range []struct {
		field  string
		lo, hi int
		set    func(c *mcpmsg.Config) *int
	}{
		{"MaxBytes", 1, 1 << 30, func(c *mcpmsg.Config) *int { return &c.MaxBytes }},
		{"MaxDepth", 4, 1024, func(c *mcpmsg.Config) *int { return &c.MaxDepth }},
		{"MaxMembers", 8, 1 << 20, func(c *mcpmsg.Config) *int { return &c.MaxMembers }},
		{"MaxItems", 1, 1 << 24, func(c *mcpmsg.Config) *int { return &c.MaxItems }},
		{"MaxStringBytes", 64, 1 << 30, func(c *mcpmsg.Config) *int { return &c.MaxStringBytes }},
		{"MaxNameBytes", 64, 64 << 10, func(c *mcpmsg.Config) *int { return &c.MaxNameBytes }},
		{"MaxNumberBytes", 16, 4 << 10, func(c *mcpmsg.Config) *int { return &c.MaxNumberBytes }},
		{"MaxIDBytes", 8, 64 << 10, func(c *mcpmsg.Config) *int { return &c.MaxIDBytes }},
		{"MaxMethodBytes", 64, 4 << 10, func(c *mcpmsg.Config) *int { return &c.MaxMethodBytes }},
		{"MaxTargetBytes", 16, 64 << 10, func(c *mcpmsg.Config) *int { return &c.MaxTargetBytes }},
		{"MaxURIBytes", 64, 1 << 20, func(c *mcpmsg.Config) *int { return &c.MaxURIBytes }},
		{"MaxBatch", 1, 1000, func(c *mcpmsg.Config) *int { return &c.MaxBatch }},
	} {
		for _, n := range []int{0, r.lo, r.hi, r.lo - 1, r.hi + 1, -1} {
			var cfg mcpmsg.Config
			*r.set(&cfg) = n
			_, err := mcpmsg.New(cfg)
			var one *mcpmsg.ConfigError
			switch good := n == 0 || n >= r.lo && n <= r.hi; {
			case good && err != nil:
				t.Errorf("%s = %d: %v", r.field, n, err)
			case !good && (!errors.As(err, &one) || one.Field != "Config."+r.field || one.Value != n || one.Min != r.lo || one.Max != r.hi):
				t.Errorf("%s = %d: %v", r.field, n, err)
			}
		}
	}
}

// TestManyNames: repeats are found in objects of every size, and their absence too.
func TestManyNames(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{MaxMembers: 5000})
	for _, n := range []int{1, 2, 23, 24, 25, 26, 63, 64, 65, 300, 4000} {
		var b strings.Builder
		b.WriteString(call + "{")
		for i := range n {
			fmt.Fprintf(&b, `"k%d":{"k%d":1},`, i, i)
		}
		text := b.String()
		if _, bad := v.Check([]byte(text+`"k":1}}}`), client(0)); !bad.OK() {
			t.Errorf("%d names: %v", n, bad.Err())
		}
		for _, i := range []int{0, n / 2, n - 1} {
			for _, name := range []string{fmt.Sprintf("k%d", i), fmt.Sprintf(`\u006b%d`, i)} {
				if _, bad := v.Check([]byte(text+`"`+name+`":1}}}`), client(0)); bad.Code != mcpmsg.CodeDuplicateMember {
					t.Errorf("%d names and again %s: %v", n, name, bad.Code)
				}
			}
		}
	}
}
