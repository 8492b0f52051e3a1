package waf

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/rules"
)

// upload returns n bytes of Base64, the same for the same seed.
func upload(seed uint64, n int) string {
	random := rand.New(rand.NewPCG(seed, 1))
	file := make([]byte, n/4*3)
	for i := range file {
		file[i] = byte(random.Uint32())
	}
	return base64.StdEncoding.EncodeToString(file)
}

func uploadCall(argument, text string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"upload","arguments":{%q:%q}}}`, argument, text)
}

// An upload in Base64 passes under a name of something short, however long it is, and is refused with a byte that rules look for.
func TestCodedUpload(t *testing.T) {
	size := 300 << 10
	if testing.Short() {
		size = 68 << 10
		t.Logf("-short: uploads of %d bytes, for the race detector makes expressions slow", size)
	}
	file := upload(1, size)
	image := "/9j/4AAQSkZJRgABAQ//" + file // as every JPEG begins
	for _, p := range []rules.Profile{rules.Portable, rules.Coraza} {
		rs := corazaLoad(t, RulesConfig{Profiles: []rules.Profile{p}})
		engine := &Ruleset{waf: rs.waf, args: rs.args}
		for _, argument := range []string{"file", "path", "key", "public_key", "name", "id", "url", "host", "branch", "package", "content"} {
			url := argument == "url" // of which too many rules make something without a dot or a colon, and which is no place for a file
			for _, tc := range []struct {
				name, text string
				refused    bool
			}{
				{"file", file, url},
				{"image", image, url},
				{"for URLs", strings.NewReplacer("+", "-", "/", "_", "=", "").Replace("A" + file), url},
				{"with a dot", file[:size/2] + "." + file[size/2:], argument != "content"},
				{"behind a path", "../../etc/passwd/" + file, argument != "content"},
				{"before a path", file + "/../../etc/passwd", argument != "content"},
			} {
				in := corazaInput("POST", "/mcp", uploadCall(argument, tc.text), "Content-Type", "application/json", "Authorization", "Bearer t")
				in.MCP, in.Authenticated = true, true
				if !sieveParse(&in) {
					t.Fatal("not a message")
				}
				v := rs.evaluate(in)
				if v.Denied != tc.refused || v.Err != nil || tc.refused && v.Status != http.StatusRequestEntityTooLarge {
					t.Errorf("%v, %s as %s: %+v, want a refusal: %v", p, tc.name, argument, v, tc.refused)
				}
				if v := engine.evaluate(in); argument != "content" && v.Status != http.StatusRequestEntityTooLarge {
					t.Errorf("%v, %s as %s: without the sieve %+v, want 413", p, tc.name, argument, v)
				}
			}
		}
	}
}

// Longer ones than 4 MiB, of all leaves together, are over the bound too.
func TestCodedUploadBound(t *testing.T) {
	messages, err := mcpmsg.New(mcpmsg.Config{MaxBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	rs := corazaLoad(t, RulesConfig{MaxBodyBytes: 8 << 20})
	for size, refused := range map[int]bool{3 << 20: false, 5 << 20: true} {
		half := upload(1, size/2)
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"upload","arguments":{"key":%q,"keys":[%q]}}}`, half, half)
		m, bad := messages.Check([]byte(body), mcpmsg.Context{Direction: mcpmsg.FromClient})
		if !bad.OK() {
			t.Fatal(bad.Err())
		}
		in := corazaInput("POST", "/mcp", body, "Content-Type", "application/json", "Authorization", "Bearer t")
		in.MCP, in.Authenticated, in.Message = true, true, &m
		if v := rs.evaluate(in); v.Denied != refused || v.Err != nil {
			t.Errorf("%d bytes: %+v, want a refusal: %v", size, v, refused)
		}
	}
}

// Rules of which several match coded texts keep the bound for the arguments that they look at.
func TestCodedUploadManyRules(t *testing.T) {
	for n, refused := range map[int]bool{sieveCodedLinks: false, sieveCodedLinks + 1: true} {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, "SecRule ARGS:/arguments/ \"@rx attack%d\" \"id:%d,phase:2,deny\"\n", i, 1000+i)
		}
		for i := range 50 {
			fmt.Fprintf(&text, "SecRule ARGS:/arguments/ \"@rx [.]attack%d\" \"id:%d,phase:2,deny\"\n", i, 2000+i)
		}
		rs := corazaInline(t, text.String())
		in := corazaInput("POST", "/mcp", uploadCall("file", upload(2, 100<<10)))
		if !sieveParse(&in) {
			t.Fatal("not a message")
		}
		if v := rs.evaluate(in); v.Denied != refused {
			t.Errorf("%d rules: %+v, want a refusal: %v", n, v, refused)
		}
		in = corazaInput("POST", "/mcp", uploadCall("file", upload(3, 1<<10)+"attack1"))
		if !sieveParse(&in) || !rs.evaluate(in).Denied {
			t.Errorf("%d rules: an attack without a foreign byte passes", n)
		}
	}
}

// What is foreign to coded texts matches none of them, whatever the transformations make of them.
func TestSieveForeign(t *testing.T) {
	transforms := [][]string{
		nil, {"removenulls"}, {"lowercase"}, {"urldecodeuni", "removewhitespace"}, {"urldecodeuni", "trim", "normalizepathwin"}, {"urldecodeuni", "urldecodeuni"},
	}
	texts := []string{"", "a", "+", "a+b", "/etc/passwd", "//etc//passwd/", "-a", "_", "a=", "+-x", "a+", "sh+-c", "kKsS", "AAAA////", "/+/", "-+-"}
	for i := range uint64(200) {
		texts = append(texts, upload(i, int(i%40)))
	}
	foreign := 0
	for pattern, want := range map[string]bool{
		`\.`: true, `[^a-z0-9+/_=-]`: false, `(?i)[^a-z0-9+/_= -]`: true, ` `: true, `\s`: true, `\.\.|:`: true, `\.|a`: false, `a.b`: false, `a\.b`: true,
		`(?i)k`: false, `(?i)\x{212a}`: false, `\x{212a}`: true, `(\.)+`: true, `(\.)*`: false, `(\.)?a`: false, `\A-`: false, `\A\s*-`: false, `(?:x|y)\$`: true,
		`/dev/tcp/`: false, `\$\(|/dev/tcp/`: false, `[.:]`: true, `[.a]`: false, `[[:^alnum:]]`: false, `\W\.`: true, `[^\x00-\x7f]`: true, `é`: true, `\x00`: true, ``: false,
		`%`: true, `%2e|\+`: false, `\bnc\s+-e`: true, `.`: false, `.:`: true, `(?:\.\.;|\xe2\x80\xa5)`: true, `\.{2,}`: true, `\.{0,2}x`: false,
	} {
		re, tree := sievePattern(pattern)
		for _, names := range transforms {
			got := sieveForeign(tree, names)
			if got != want && names == nil {
				t.Errorf("%s: foreign = %v, want %v", pattern, got, want)
			}
			if !got || re == nil {
				continue
			}
			foreign++
			for _, text := range texts {
				known := true
				for _, name := range names {
					if text, known = sieveTransforms[name](text); !known {
						t.Fatalf("%s is not known of %q", name, text)
					}
				}
				if re.MatchString(text) {
					t.Errorf("%s after %v matches %q, though it is foreign", pattern, names, text)
				}
			}
		}
	}
	if foreign < 20 {
		t.Errorf("%d patterns are foreign: the test looks at nothing", foreign)
	}
	kelvin := &syntax.Regexp{Op: syntax.OpLiteral, Flags: syntax.FoldCase, Rune: []rune{0x212a}} // a relative of k, however it is written
	if sieveForeign(kelvin, nil) {
		t.Error("the Kelvin sign is foreign where case does not matter")
	}
	if _, tree := sievePattern(`\.`); sieveForeign(tree, []string{"base64decode"}) || sieveForeign(tree, []string{"length"}) {
		t.Error("a transformation that makes other texts is taken for one that does not")
	}
}

// Sieve and engine agree on texts of Base64 with and without what rules look for, under every name that matters.
func TestSieveOfCodedTexts(t *testing.T) {
	all := sieveRulesets(t)
	passed := 0
	for i, add := range []string{"", "/etc/passwd", "/dev/tcp/", "+", "//", "..", "../", "169.254.169.254", "-x", "${a}", ";id", "metadata", "etc/shadow", " "} {
		for k, argument := range []string{"path", "file", "url", "name", "id", "content", "branch", "table", "ARGS", "0"} {
			file := upload(uint64(100*i+k), 400)
			for _, text := range []string{file + add, add + file, file[:200] + add + file[200:]} {
				in, ok := sieveRequest("/mcp", "", "", "upload", argument, text, true)
				if !ok || !sieveParse(&in) {
					t.Fatal("not a message")
				}
				for _, rs := range all {
					if sieveCompare(t, rs, &in) {
						passed++
					}
				}
			}
		}
	}
	if passed == 0 {
		t.Error("the sieve knows nothing")
	}
}

// Cleaning leaves one slash of several, as that of the engine does.
func TestSieveCleanPath(t *testing.T) {
	for text, want := range map[string]string{
		"/": "//", "//": "//", "///": "//", "a": "a", "a/": "a/", "a//": "a/", "//a": "/a", "/a//b///c": "/a/b/c", ".a/b": ".a/b", "a b//c d": "a b/c d",
		"a /b": "a/b", "a/ ": "a", " /a": "a", "/ /a": "/a", "/ //a /": "/a/", "a/ /": "a/", " a": " a", "a  / / b ": "a/ b", "/ /": "/",
	} {
		if got, ok := sieveCleanPath(text); !ok || got != want {
			t.Errorf("sieveCleanPath(%q) = %q, %v, want %q", text, got, ok, want)
			continue
		}
		rs := corazaInline(t, fmt.Sprintf(`SecRule ARGS:/a\z/ "@rx \A%s\z" "id:1000,phase:2,deny,t:none,t:normalizePathWin"`, regexp.QuoteMeta(want)))
		in := corazaInput("POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":"`+text+`"}}}`)
		if !sieveParse(&in) {
			t.Fatal("not a message")
		}
		engine := &Ruleset{waf: rs.waf, args: rs.args}
		if v := engine.evaluate(in); !v.Denied {
			t.Errorf("the engine makes something else than %q of %q", want, text)
		}
	}
	for _, text := range []string{"..", "a/..", "./a", "a/.", "a\\b", "c:a", ".//a", "a.//b", "a. /b", "a.b c", "a /..", "a. "} {
		if _, ok := sieveCleanPath(text); ok {
			t.Errorf("sieveCleanPath knows %q", text)
		}
	}
}

// The cost of 1 MiB under a name of something short: an upload, what comes near to matching a rule again and again, and a text that no
// upload is, which is refused after one look.
func BenchmarkCodedUpload(b *testing.B) {
	rs, err := LoadRules(RulesConfig{})
	if err != nil {
		b.Fatal(err)
	}
	defer rs.Close()
	const size = 1 << 20
	file := upload(1, size)
	for _, bm := range []struct {
		name, argument, text string
		refused              bool
	}{
		{"upload", "file", file, false},
		{"upload as content", "content", file, false},
		{"hostile", "file", strings.Repeat("/dev/tcp", size/8), false},
		{"hostile as data", "data", strings.Repeat("/dev/tcp", size/8), false},
		{"hostile at the bound of others", "file", strings.Repeat("/dev/tcp.", (corazaMaxShortBytes-100)/9), false},
		{"refused", "file", strings.Repeat("/dev/tcp", size/8) + ".", true},
	} {
		b.Run(bm.name, func(b *testing.B) {
			in := corazaInput("POST", "/mcp", uploadCall(bm.argument, bm.text), "Content-Type", "application/json", "Authorization", "Bearer t")
			if in.MCP, in.Authenticated = true, true; !sieveParse(&in) {
				b.Fatal("not a message")
			}
			b.SetBytes(size)
			for b.Loop() {
				if v := rs.evaluate(in); v.Denied != bm.refused || v.Err != nil {
					b.Fatal(v)
				}
			}
		})
	}
}
