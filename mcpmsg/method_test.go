package mcpmsg_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/sallyport/sallyport/internal/reference"
	"github.com/sallyport/sallyport/mcpmsg"
)

func TestParseMethod(t *testing.T) {
	n := 0
	for m := mcpmsg.Method(1); m.String() != ""; m++ {
		if got, ok := mcpmsg.ParseMethod(m.String()); got != m || !ok {
			t.Errorf("ParseMethod(%q) = %d, %v, want %d", m, got, ok, m)
		}
		for _, text := range []string{m.String() + "x", m.String()[1:], " " + m.String()} {
			if got, ok := mcpmsg.ParseMethod([]byte(text)); ok {
				t.Errorf("ParseMethod(%q) = %v", text, got)
			}
		}
		n++
	}
	if n < 30 {
		t.Errorf("only %d methods", n)
	}
	if _, ok := mcpmsg.ParseMethod(""); ok || mcpmsg.Method(0).String() != "" || mcpmsg.Method(9999).String() != "" {
		t.Error("there is a method without text")
	}
}

// TestMethodTable compares which side may send what in which revision with an independent list.
func TestMethodTable(t *testing.T) {
	text, err := os.ReadFile(reference.Path(t, "mcp", "methods.json"))
	if err != nil {
		t.Fatal(err)
	}
	type entry struct {
		ParamsRequired bool `json:"params_required"`
	}
	var table map[string]struct {
		Direction map[string]map[string]map[string]entry
	}
	if err := json.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	v := newValidator(t, mcpmsg.Config{})
	for version := mcpmsg.V20241105; version <= mcpmsg.V20260728; version++ {
		for side, from := range map[string]mcpmsg.Direction{"client": mcpmsg.FromClient, "server": mcpmsg.FromServer} {
			table := table[version.String()].Direction[side]
			for m := mcpmsg.Method(1); m.String() != ""; m++ {
				for sort, id := range map[string]string{"requests": `"id":1,`, "notifications": ""} {
					in := []byte(`{"jsonrpc":"2.0",` + id + `"method":"` + m.String() + `"}`)
					_, bad := v.Check(in, mcpmsg.Context{Version: version, Direction: from})
					e, known := table[sort][m.String()]
					switch {
					case known && e.ParamsRequired && bad.Code != mcpmsg.CodeParamsMissing,
						known && !e.ParamsRequired && !bad.OK(),
						!known && bad.Code != mcpmsg.CodeMethodUnknown && bad.Code != mcpmsg.CodeIDMissing && bad.Code != mcpmsg.CodeIDForbidden:
						t.Errorf("%v %s %s %s: %v", version, side, sort, m, bad.Code)
					}
				}
			}
		}
	}
}
