package rules

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

const generatedConf = "# Code generated from the profile Portable by `go test ./rules -run TestCRSPlugin -update`. DO NOT EDIT.\n\n"

// hardDenials stay refusals in the plug-in, behind the rules of the Core Rule Set: a body that was not read has no score.
var hardDenials = regexp.MustCompile(`"id:(?:9599220|9599221|9599317),`)

var (
	refusing = regexp.MustCompile(`phase:\d,deny,status:\d+`)
	phase1   = regexp.MustCompile(`phase:1,`)
)

// scored turns a refusing rule into one that counts. Scores of phase 1 are reset by the Core Rule Set, so everything counts in
// phase 2. The score is given where the chain ends: an action in front happens before the chain is through.
func scored(rule string) string {
	if !refusing.MatchString(rule) {
		return phase1.ReplaceAllString(rule, "phase:2,")
	}
	rule = refusing.ReplaceAllString(rule, "phase:2,block")
	return strings.TrimSuffix(rule, `"`) + ",setvar:'tx.inbound_anomaly_score_pl1=+%{tx.critical_anomaly_score}'\""
}

// The plug-in's files are written from the portable ones.
func TestCRSPlugin(t *testing.T) {
	files := map[string]*strings.Builder{"mcp-config": {}, "mcp-before": {}, "mcp-after": {}}
	for _, b := range files {
		b.WriteString(generatedConf)
	}
	for line := range strings.Lines(Directives(Portable)) {
		name := strings.TrimSpace(strings.TrimPrefix(line, "Include "))
		if strings.HasSuffix(name, "-answers.conf") {
			continue // the plug-in is about requests
		}
		data, err := fs.ReadFile(FS(), name)
		if err != nil {
			t.Fatal(err)
		}
		for block := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n\n") {
			out := files["mcp-before"]
			switch {
			case strings.HasSuffix(name, "-setup.conf"):
				out = files["mcp-config"]
			case strings.HasSuffix(name, "-classify.conf"):
			case hardDenials.MatchString(block):
				out = files["mcp-after"]
			default:
				block = scored(block)
			}
			out.WriteString(block + "\n\n")
		}
	}
	for name, b := range files {
		path, want := "crsplugin/"+name+".conf", strings.TrimSuffix(b.String(), "\n")
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(path); err != nil || string(have) != want {
			t.Errorf("%s is not what the portable files say (%v); refresh it with -update", path, err)
		}
	}
}
