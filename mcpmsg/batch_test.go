package mcpmsg_test

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
)

// TestBatchIDs: a batch passes if and only if no two of its ids are the same, wherever they stand and however they are written.
func TestBatchIDs(t *testing.T) {
	v := newValidator(t, mcpmsg.Config{})
	r := rand.New(rand.NewSource(7))
	passed, refused := 0, 0
	for range 3000 {
		seen := map[string]bool{}
		twice := false
		var messages []string
		for range 2 + r.Intn(30) {
			n := r.Intn(200)
			id := fmt.Sprint(n)
			switch r.Intn(8) {
			case 0:
				id = fmt.Sprintf(`"%d"`, n)
			case 1:
				id = fmt.Sprintf(`"long-name-of-a-request-%d"`, n)
			case 2:
				id = fmt.Sprintf(`"long-name-of-\u0061-request-%d"`, n)
			}
			var value any
			if err := json.Unmarshal([]byte(id), &value); err != nil {
				t.Fatal(err)
			}
			key := fmt.Sprintf("%T %v", value, value)
			twice = twice || seen[key]
			seen[key] = true
			messages = append(messages, `{"jsonrpc":"2.0","id":`+id+`,"method":"ping"}`)
		}
		text := "[" + strings.Join(messages, ",") + "]"
		_, bad := v.Check([]byte(text), client(mcpmsg.V20250326))
		switch {
		case !twice && bad.OK():
			passed++
		case twice && bad.Code == mcpmsg.CodeBatchDuplicateID:
			refused++
		default:
			t.Fatalf("Check(%s) = %v, an id is there twice: %v", text, bad.Code, twice)
		}
	}
	if passed < 500 || refused < 500 {
		t.Errorf("%d passed and %d refused: the maker has become one-sided", passed, refused)
	}
}
