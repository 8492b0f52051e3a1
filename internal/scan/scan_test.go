package scan_test

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/scan"
)

// TestClasses compares every class with an independent list.
func TestClasses(t *testing.T) {
	const alnum = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	in := func(list string) func(int) bool {
		return func(c int) bool { return c < 0x80 && strings.IndexByte(list, byte(c)) >= 0 }
	}
	for name, class := range map[string]struct {
		class scan.Class
		want  func(int) bool
	}{
		"Token":      {scan.Token, in(alnum + "!#$%&'*+-.^_`|~")},
		"Token68":    {scan.Token68, in(alnum + "-._~+/=")},
		"Digit":      {scan.Digit, in("0123456789")},
		"Alpha":      {scan.Alpha, in(alnum[10:])},
		"HexDigit":   {scan.HexDigit, in("0123456789abcdefABCDEF")},
		"Value":      {scan.Value, func(c int) bool { return c == '\t' || c >= ' ' && c != 0x7f }},
		"Visible":    {scan.Visible, func(c int) bool { return c > ' ' && c < 0x7f }},
		"CookieByte": {scan.CookieByte, func(c int) bool { return c > ' ' && c < 0x7f && !in(`",;\`)(c) }},
		"Unreserved": {scan.Unreserved, in(alnum + "-._~")},
		"LDH":        {scan.LDH, in(alnum + "-")},
		"RegName":    {scan.RegName, in(alnum + "-._~!$&'()*+;=")},
		"Quoted":     {scan.Quoted, func(c int) bool { return c == '\t' || c >= ' ' && c != 0x7f && c != '"' && c != '\\' }},
		"Scheme":     {scan.Scheme, in(alnum + "+-.")},
	} {
		for c := range 256 {
			if got := scan.Is(byte(c), class.class); got != class.want(c) {
				t.Errorf("Is(%#x, %s) = %v", c, name, got)
			}
		}
	}
	for c := range 256 {
		if got, want := scan.Lower(byte(c)), byte(c); c >= 'A' && c <= 'Z' && got != want+32 || (c < 'A' || c > 'Z') && got != want {
			t.Errorf("Lower(%#x) = %#x", c, got)
		}
		if got, want := int(scan.Hex(byte(c))), strings.IndexByte("0123456789abcdef", scan.Lower(byte(c))); want >= 0 && got != want || want < 0 && got != 0xff {
			t.Errorf("Hex(%#x) = %#x", c, got)
		}
	}
}

// TestWords puts every byte into every position of texts up to 40 bytes.
func TestWords(t *testing.T) {
	first := func(s string, ok func(byte) bool) int {
		for i := range len(s) {
			if !ok(s[i]) {
				return i
			}
		}
		return -1
	}
	for n := 1; n <= 40; n++ {
		b := []byte(strings.Repeat("a", n))
		for i := range b {
			for c := range 256 {
				b[i] = byte(c)
				s := string(b)
				if got, want := scan.VisibleASCII(s), first(s, func(c byte) bool { return c > ' ' && c < 0x7f }); got != want {
					t.Fatalf("VisibleASCII(%q) = %d, want %d", s, got, want)
				}
				if got, want := scan.PrintableASCII(s), first(s, func(c byte) bool { return c == '\t' || c >= ' ' && c < 0x7f }); got != want {
					t.Fatalf("PrintableASCII(%q) = %d, want %d", s, got, want)
				}
				want := first(s, func(c byte) bool { return scan.Is(c, scan.Value) })
				got, fault := scan.FieldValue(s)
				if want >= 0 && (got != want || fault != scan.Invalid) || want < 0 && (got != 0 || fault != scan.NoFault) {
					t.Fatalf("FieldValue(%q) = %d, %v, want %d", s, got, fault, want)
				}
				if got, want := scan.FieldName(s), first(s, func(c byte) bool { return scan.Is(c, scan.Token) }); got != want {
					t.Fatalf("FieldName(%q) = %d, want %d", s, got, want)
				}
				if n < 8 {
					continue
				}
				if got, want := scan.HostName(s), first(s, func(c byte) bool { return c == '.' || scan.Is(c, scan.LDH) }) < 0; got != want {
					t.Fatalf("HostName(%q) = %v, want %v", s, got, want)
				}
			}
			b[i] = 'a'
		}
	}
}

func TestUTF8(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	leads := []byte{0, 'a', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff}
	for range 300_000 {
		b := make([]byte, r.IntN(6))
		for i := range b {
			b[i] = leads[r.IntN(len(leads))]
		}
		var u scan.UTF8
		got := true
		for _, c := range b {
			got = got && u.Next(c)
		}
		if want := utf8.Valid(b); got && u.Done() != want || !got && want {
			t.Fatalf("UTF8 of %x: %v, %v, want %v", b, got, u.Done(), want)
		}
	}
}

// TestBase64 compares with the strict decoder of the standard library.
func TestBase64(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const letters = "AQgwYZaz09+/=-_ \n\xe9"
	strict := base64.StdEncoding.Strict()
	for i := range 300_000 {
		b := make([]byte, r.IntN(13))
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		s := string(b)
		if i%2 == 0 {
			s = base64.StdEncoding.EncodeToString(b)
		}
		decoded, err := strict.DecodeString(s)
		want := err == nil && utf8.Valid(decoded) && !strings.ContainsAny(s, "\r\n") // the standard library skips line ends
		at := scan.Base64(s)
		if (at < 0) != want || at > len(s) {
			t.Fatalf("Base64(%q) = %d, want it accepted: %v (%v)", s, at, want, err)
		}
	}
}

func TestSentinel(t *testing.T) {
	for s, want := range map[string]string{
		"=?base64?YQ==?=": "YQ==", "=?base64??=": "", "=?base64?=": "-", "=?base64?YQ==": "-", "=?Base64?YQ==?=": "-", "": "-", "x=?base64?YQ==?=": "-",
	} {
		from, to, ok := scan.Sentinel(s)
		if got := s[from:to]; ok != (want != "-") || ok && got != want {
			t.Errorf("Sentinel(%q) = %q, %v, want %q", s, got, ok, want)
		}
	}
}

func TestFold(t *testing.T) {
	if !scan.EqualFold("aBc-1", "AbC-1") || scan.EqualFold("a", "ab") || scan.EqualFold("@", "`") || scan.EqualFold("[", "{") || scan.EqualFold("-", "\r") {
		t.Error("EqualFold is wrong")
	}
	if !scan.HasPrefixFold("mcp-param-x", "Mcp-Param-") || scan.HasPrefixFold("mcp", "Mcp-Param-") {
		t.Error("HasPrefixFold is wrong")
	}
}

func TestFolded(t *testing.T) {
	for _, before := range []string{"", "a", strings.Repeat("a", 31), strings.Repeat("a", 77)} {
		for s, want := range map[string]bool{
			"\r\n x": true, "\r\n\tx": true, "\n x": true, "\n\t": true, "\r\n ": true,
			"\r\nx": false, "\nx": false, "\n": false, "\r": false, "\r\n": false, "\r x": false, "\x00\n x": false,
		} {
			if at, fault := scan.FieldValue(before + s); at != len(before) || fault == scan.NoFault || (fault == scan.Folded) != want {
				t.Errorf("FieldValue(%q) = %d, %v, want %d, %v", before+s, at, fault, len(before), want)
			}
		}
	}
	if at, fault := scan.FieldValue("a \t b\xff"); at != 0 || fault != scan.NoFault {
		t.Errorf("good text: %d, %v", at, fault)
	}
}
