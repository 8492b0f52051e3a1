package waf

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/reference"
	"github.com/sallyport/sallyport/mcpmsg"
)

// paranoiaCount is how many cases of a class the rules refuse at levels 1 to 3.
type paranoiaCount struct {
	total   int
	refused [3]int
}

// At paranoia level 1 no passing request is refused, at level 2 at most one in a hundred. The log shows all classes.
func TestParanoia(t *testing.T) {
	messages, err := mcpmsg.New(mcpmsg.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var levels [3]*Ruleset
	for i := range levels {
		levels[i] = corazaLoad(t, RulesConfig{Setup: fmt.Sprintf(`SecAction "id:1,phase:1,pass,nolog,setvar:tx.sallyport_paranoia_level=%d"`, i+1)})
	}
	count := func(file, layer string, sum *paranoiaCount, classes map[string]*paranoiaCount) {
		for _, c := range corpusCases(t, file) {
			in, ok := c.input(t, true)
			if !ok || c.Response != nil || in.Request.Header.Get("Transfer-Encoding") != "" || (layer != "" && c.Layer != layer) {
				continue // an answer, a body that net/http has still to put together, or nothing for the rules
			}
			if m, bad := messages.Check(in.Body, mcpmsg.Context{Direction: mcpmsg.FromClient}); in.MCP && bad.OK() {
				in.Message = &m
			}
			class := classes[c.Class]
			if class == nil {
				class = &paranoiaCount{}
				classes[c.Class] = class
			}
			class.total++
			sum.total++
			for i, rs := range levels {
				v := rs.evaluate(in)
				if v.Err != nil {
					t.Errorf("%s at level %d: %v", c.ID, i+1, v.Err)
				}
				if !v.Denied {
					continue
				}
				class.refused[i]++
				sum.refused[i]++
				if layer == "" && i < 2 {
					t.Logf("%s (%s) refused at level %d by %v: %s", c.ID, c.Class, i+1, v.RuleIDs, c.Why)
				}
			}
		}
	}
	var benign, attacks paranoiaCount
	passing, hostile := map[string]*paranoiaCount{}, map[string]*paranoiaCount{}
	files, err := filepath.Glob("../internal/e2e/testdata/vectors/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, f := range append(files, reference.Path(t, "corpus", "benign.jsonl"), reference.Path(t, "corpus", "attacks.jsonl")) {
		if strings.HasPrefix(filepath.Base(f), "attacks") {
			count(f, "rules", &attacks, hostile)
		} else {
			count(f, "", &benign, passing)
		}
	}
	table := func(name string, sum paranoiaCount, classes map[string]*paranoiaCount) string {
		var b strings.Builder
		fmt.Fprintf(&b, "\n%-28s %6s %8s %8s %8s\n", name, "cases", "level 1", "level 2", "level 3")
		for _, class := range slices.Sorted(maps.Keys(classes)) {
			c := classes[class]
			fmt.Fprintf(&b, "%-28s %6d %8d %8d %8d\n", class, c.total, c.refused[0], c.refused[1], c.refused[2])
		}
		fmt.Fprintf(&b, "%-28s %6d %8d %8d %8d", "all", sum.total, sum.refused[0], sum.refused[1], sum.refused[2])
		return b.String()
	}
	t.Log(table("passing, refused", benign, passing))
	t.Log(table("attacks of the rules, refused", attacks, hostile))
	if benign.refused[0] != 0 || benign.refused[1]*100 > benign.total {
		t.Errorf("%d of %d passing requests are refused at level 1, want none, and %d at level 2, want at most 1 %%", benign.refused[0], benign.total, benign.refused[1])
	}
	for i := range levels {
		if i > 0 && attacks.refused[i] < attacks.refused[i-1] {
			t.Errorf("level %d refuses fewer attacks than level %d", i+1, i)
		}
	}
}
