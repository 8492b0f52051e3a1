package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// bodies are string bodies, good and bad, without the quotes.
var bodies = []string{
	"", "a", "abcdefg", "abcdefgh", "abcdefghi", strings.Repeat("x", 100), `\"`, `\\`, `\/\b\f\n\r\t`, `\u0041`, `\ud83d\ude00`, `\ud83d`, `\ude00`,
	`\ud83dx`, `\ud83d\u0041`, `\u004`, `\u00g0`, `\x41`, `\`, "\x00", "\x1f", "\x7f", "é", "日本語", "日本語日本語", "😀", "\xff", "\xc0\xaf", "\xed\xa0\x80",
	"\xe0\x80\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "\xe6\x97", "abc\xe6", "日本\xed\xa0\x80日", `\uD83D\uDE00é\n` + strings.Repeat("y", 40) + "\t",
	strings.Repeat("0123456789abcdef", 9) + `\n` + strings.Repeat("ü", 20),
}

// validBody is the oracle for [String]: encoding/json for the escapes, unicode/utf8 for the bytes, and no surrogate halves.
func validBody(body string) bool {
	var s string
	if !utf8.ValidString(body) || json.Unmarshal([]byte(`"`+body+`"`), &s) != nil {
		return false
	}
	// encoding/json puts U+FFFD for a half: it must not be there more often than written.
	return strings.Count(s, "\ufffd") == strings.Count(body, "\ufffd")+strings.Count(strings.ToLower(body), `\ufffd`)
}

func checkBody(t *testing.T, body string) {
	t.Helper()
	if strings.Contains(body, `"`) && body != `\"` {
		return // would end the string early
	}
	for _, before := range []int{0, 1, 5} { // alignments, and the end of the text near or far
		for _, after := range []int{0, 20} {
			b := []byte(strings.Repeat(" ", before) + `"` + body + `"` + strings.Repeat(" ", after))
			var wide bool
			end := String(b, before+1, &wide)
			if ok := validBody(body); ok != (end == before+len(body)+2) || !ok && end != -1 {
				t.Errorf("String(%q) = %d, valid: %v", body, end, ok)
			}
			kind, at := StringFault(b, before+1)
			if (kind == FaultNone) != (end > 0) || at < before || at > len(b) {
				t.Errorf("StringFault(%q) = %v, %d, but String says %d", body, kind, at, end)
			}
			if end < 0 {
				continue
			}
			var want string
			if err := json.Unmarshal([]byte(`"`+body+`"`), &want); err != nil {
				t.Fatal(err)
			}
			raw := b[before+1 : end-1]
			if got := string(AppendText(nil, raw)); got != want {
				t.Errorf("AppendText(%q) = %q, want %q", body, got, want)
			}
			if !Equal(raw, want) || Equal(raw, want+"x") || len(want) > 0 && Equal(raw, want[1:]) {
				t.Errorf("Equal(%q, %q) is wrong", body, want)
			}
			if !SameText(raw, raw) || SameText(raw, append([]byte("x"), raw...)) {
				t.Errorf("SameText(%q) is wrong", body)
			}
			if n := RuneCount(raw); n != utf8.RuneCountInString(want) {
				t.Errorf("RuneCount(%q) = %d, want %d", body, n, utf8.RuneCountInString(want))
			}
			if wide != (!isASCII(want) || strings.Contains(strings.ReplaceAll(body, `\\`, ``), `\u`)) {
				t.Errorf("String(%q) says wide: %v", body, wide)
			}
			end2, words, plain := Name(b, before+1, &wide)
			if end2 != end || plain && words != WordsOf(want) || plain != (want == body && isASCII(body)) {
				t.Errorf("Name(%q) = %d, %v, %v", body, end2, words, plain)
			}
		}
	}
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func TestString(t *testing.T) {
	for _, a := range bodies {
		checkBody(t, a)
		for _, b := range bodies {
			checkBody(t, a+b)
		}
	}
}

func FuzzString(f *testing.F) {
	for _, b := range bodies {
		f.Add(b)
	}
	f.Fuzz(checkBody)
}

func TestNumber(t *testing.T) {
	texts := []string{"0", "-0", "1", "-1", "10", "01", "-", "--1", "1.", "1.5", ".5", "1.50", "1e", "1e5", "1E+5", "1e-5", "1e+", "0e0", "0.0", "00", "1.e1", "-a", "9a"}
	for _, s := range texts {
		if s[0] != '-' && s[0]-'0' > 9 {
			continue
		}
		end, integer := Number([]byte(s), 0)
		if valid := json.Valid([]byte(s)); valid != (end == len(s)) {
			t.Errorf("Number(%q) = %d, valid: %v", s, end, valid)
		}
		if end == len(s) && integer != !strings.ContainsAny(s, ".eE") {
			t.Errorf("Number(%q) is an integer: %v", s, integer)
		}
	}
	for s, want := range map[string]int{"true": 4, "false": 5, "null": 4, "nul": -1, "True": -1, "fals": -1, "": -1, "truex": 4} {
		if got := Literal([]byte(s), 0); got != want {
			t.Errorf("Literal(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestFolded(t *testing.T) {
	for _, r := range []struct{ a, b string }{
		{"method", "METHOD"}, {"params", "param\u017f"}, {"taskId", "tas\u212aid"}, {"id", "\u0131d"}, {"id", "\u0130D"}, {"name", `name\u0000`},
		{"name", `n\u0061me\u0000\u0000x`}, {"name", "na\u200bme"}, {"name", "\ufeffname"}, {"name", "ｎame"}, {"_meta", "_META"},
	} {
		if a, b := string(AppendFolded(nil, []byte(r.a))), string(AppendFolded(nil, []byte(r.b))); a != b {
			t.Errorf("%q and %q fold to %q and %q", r.a, r.b, a, b)
		}
	}
	for _, s := range []string{"names", "näme", "`meta", "method "} {
		if a := string(AppendFolded(nil, []byte(s))); a == "name" || a == "_meta" || a == "method" {
			t.Errorf("%q folds to %q", s, a)
		}
	}
}

func TestMembers(t *testing.T) {
	in := []byte(`{ "a" : [1,{"b":"]}\""}] , "c":"x" , "d" :{}, "e":-1.5e3,"f":null }`)
	got := ""
	for name, value := range Members(in) {
		got += string(name) + "=" + string(value) + ";"
	}
	if want := `a=[1,{"b":"]}\""}];c="x";d={};e=-1.5e3;f=null;`; got != want {
		t.Errorf("Members: %s, want %s", got, want)
	}
	for range Members([]byte(`[1]`)) {
		t.Error("an array has a member")
	}
	for range Members(in) {
		break
	}
}

func TestElements(t *testing.T) {
	in := []byte(`[ 1 , {"b":[2,"]"]} ,"x\"",[ ] , null]`)
	got := ""
	for value := range Elements(in) {
		got += string(value) + ";"
	}
	if want := `1;{"b":[2,"]"]};"x\"";[ ];null;`; got != want {
		t.Errorf("Elements: %s, want %s", got, want)
	}
	for _, none := range []string{``, `[ ]`, `{"a":1}`, `"[1]"`} {
		for value := range Elements([]byte(none)) {
			t.Errorf("%s has the element %s", none, value)
		}
	}
	for range Elements(in) {
		break
	}
}

func TestMember(t *testing.T) {
	in := []byte(`x{ "a" : {"b":1} , "\u0062":[ ],"c": 2 }`)
	for name, want := range map[string]string{"a": `{"b":1} , `, "b": `[ ],"c": 2`, "c": `2 }`, "d": "", "": ""} {
		at := Member(in, 1, name)
		if at < 0 != (want == "") || at >= 0 && !strings.HasPrefix(string(in[at:]), want) {
			t.Errorf("Member of %q is %d", name, at)
		}
	}
	for _, none := range []string{`{ }`, `[1]`, `"a"`, `{"b":{"a":1}}`} {
		if at := Member([]byte(none), 0, "a"); at >= 0 {
			t.Errorf("%s has a member a at %d", none, at)
		}
	}
}
