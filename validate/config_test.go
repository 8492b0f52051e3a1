package validate_test

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/validate"
)

func TestPresetsCompile(t *testing.T) {
	for name, cfg := range map[string]validate.RequestConfig{
		"Default": validate.Default(), "Strict": validate.Strict(), "Lenient": validate.Lenient(),
	} {
		if _, err := validate.NewRequest(cfg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestConfigErrors sets every number of a configuration out of its range and wants one error for each.
func TestConfigErrors(t *testing.T) {
	for _, value := range []int{-1, 1 << 30} {
		var cfg validate.RequestConfig
		want := map[string]bool{}
		for _, part := range []reflect.Value{
			reflect.ValueOf(&cfg).Elem(), reflect.ValueOf(&cfg.Headers).Elem(), reflect.ValueOf(&cfg.Target).Elem(),
		} {
			for i := range part.NumField() {
				if part.Field(i).Kind() == reflect.Int {
					part.Field(i).SetInt(int64(value))
					want[part.Type().Name()+"."+part.Type().Field(i).Name] = true
				}
			}
		}
		_, err := validate.NewRequest(cfg)
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Fatalf("NewRequest with %d: %v", value, err)
		}
		for _, e := range joined.Unwrap() {
			var c *validate.ConfigError
			if !errors.As(e, &c) {
				t.Errorf("%v is no *ConfigError", e)
				continue
			}
			if !want[c.Field] || c.Value != fmt.Sprint(value) || c.Min != 1 || c.Max < 1 {
				t.Errorf("unexpected %+v", c)
			}
			delete(want, c.Field)
		}
		for field := range want {
			t.Errorf("no error for %s = %d", field, value)
		}
	}
}

func TestConfigErrorReasons(t *testing.T) {
	for _, c := range []struct {
		cfg  validate.RequestConfig
		want string
	}{
		{validate.RequestConfig{Methods: []string{"GET", "P T"}}, "RequestConfig.Methods"},
		{validate.RequestConfig{Methods: make([]string, 65)}, "RequestConfig.Methods: 65 is not in 0..64"},
		{validate.RequestConfig{Headers: validate.HeaderConfig{RefuseNames: []string{"a b"}}}, "HeaderConfig.RefuseNames"},
		{validate.RequestConfig{Headers: validate.HeaderConfig{RefuseNames: make([]string, 65)}}, "65 is not in 0..64"},
		{validate.RequestConfig{Headers: validate.HeaderConfig{FieldLimits: []validate.FieldLimit{{Name: "X-A"}}}}, "HeaderConfig.FieldLimits"},
		{validate.RequestConfig{Headers: validate.HeaderConfig{FieldLimits: []validate.FieldLimit{{Name: "mcp-param-Region", MaxBytes: 9}}}}, "HeaderConfig.FieldLimits"},
		{validate.RequestConfig{Headers: validate.HeaderConfig{FieldLimits: []validate.FieldLimit{{Name: "Mcp_Param_Region", MaxBytes: 9}}}}, "HeaderConfig.FieldLimits"},
		{validate.RequestConfig{Headers: validate.HeaderConfig{FieldLimits: []validate.FieldLimit{{Name: "Content_Length", MaxBytes: 9}}}}, "HeaderConfig.FieldLimits"},
		{validate.RequestConfig{Headers: validate.HeaderConfig{FieldLimits: []validate.FieldLimit{{Name: "X_A", MaxBytes: 9}, {Name: "X-A", MaxBytes: 9}}}}, "HeaderConfig.FieldLimits"},
		{validate.RequestConfig{Headers: validate.HeaderConfig{RefuseUnderscores: true, FieldLimits: []validate.FieldLimit{{Name: "X_A", MaxBytes: 9}}}}, "HeaderConfig.FieldLimits"},
		{validate.RequestConfig{Headers: validate.HeaderConfig{DangerouslyAllowDuplicates: []string{"Content-Length"}}}, "DangerouslyAllowDuplicates"},
		{validate.RequestConfig{Headers: validate.HeaderConfig{DangerouslyAllowDuplicates: []string{"Accept"}}}, "DangerouslyAllowDuplicates"},
		{validate.RequestConfig{Headers: validate.HeaderConfig{DangerouslyIgnoreGrammar: []string{"host"}}}, "DangerouslyIgnoreGrammar"},
		{validate.RequestConfig{Headers: validate.HeaderConfig{DangerouslyIgnoreGrammar: []string{"X-Unknown"}}}, "DangerouslyIgnoreGrammar"},
		{validate.RequestConfig{Target: validate.TargetConfig{UniqueNames: []string{""}}}, "TargetConfig.UniqueNames"},
		{validate.RequestConfig{Target: validate.TargetConfig{UniqueNames: make([]string, 65)}}, "TargetConfig.UniqueNames"},
	} {
		if _, err := validate.NewRequest(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("NewRequest: %v, want %q", err, c.want)
		}
	}
}

func TestConfigExceptions(t *testing.T) {
	cfg := validate.Default()
	cfg.Headers.RefuseNames = []string{"x-debug", "Via"}
	cfg.Headers.FieldLimits = []validate.FieldLimit{{Name: "x-big", MaxBytes: 5000}, {Name: "User-Agent", MaxBytes: 4}, {Name: "x_big_2", MaxBytes: 5}}
	cfg.Headers.DangerouslyAllowDuplicates = []string{"referer"}
	cfg.Headers.DangerouslyIgnoreGrammar = []string{"origin", "Accept"}
	r := newRequest(t, cfg)
	for _, c := range []struct {
		name   string
		fields []validate.Field
		want   validate.Code
	}{
		{"refused", fields("X-DEBUG", "1"), validate.CodeHeaderForbidden},
		{"refused standard field", fields("Via", "1"), validate.CodeHeaderForbidden},
		{"at the raised limit", fields("X-Big", strings.Repeat("a", 5000)), validate.CodeOK},
		{"over the raised limit", fields("X-Big", strings.Repeat("a", 5001)), validate.CodeHeaderValueTooLong},
		{"twin of a named field", fields("X_Big", "1"), validate.CodeHeaderNameTwin},
		{"at the lowered limit", fields("User-Agent", "abcd"), validate.CodeOK},
		{"over the lowered limit", fields("User-Agent", "abcde"), validate.CodeHeaderValueTooLong},
		{"duplicate allowed", fields("Referer", "a", "Referer", "b"), validate.CodeOK},
		{"grammar ignored", fields("Origin", "whatever it is"), validate.CodeOK},
		{"grammar ignored, bytes not", fields("Origin", "what\x00ever"), validate.CodeHeaderValueInvalid},
	} {
		f := append(fields("Host", "a"), c.fields...)
		if got := r.Check(validate.RequestView{Method: "GET", Target: "/", Fields: f}); got.Code != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRequestOptions(t *testing.T) {
	cfg := validate.Default()
	cfg.Methods = []string{"GET", "POST"}
	cfg.RefuseNumericHost = true
	cfg.RefuseUnusualHost = true
	cfg.MaxHostBytes = 20
	r := newRequest(t, cfg)
	for _, c := range []struct {
		method, host string
		want         validate.Code
	}{
		{"GET", "a.example", validate.CodeOK},
		{"get", "a.example", validate.CodeMethodNotAllowed},
		{"PUT", "a.example", validate.CodeMethodNotAllowed},
		{"GET", "127.0.0.1:80", validate.CodeHostNumeric},
		{"GET", "[::1]", validate.CodeHostNumeric},
		{"GET", "a_b", validate.CodeHostUnusual},
		{"GET", "a:", validate.CodeHostUnusual},
		{"GET", "a..b", validate.CodeHostUnusual},
		{"GET", "-a.b", validate.CodeHostUnusual},
		{"GET", strings.Repeat("a", 20), validate.CodeOK},
		{"GET", strings.Repeat("a", 21), validate.CodeHostTooLong},
	} {
		if got := r.Check(validate.RequestView{Method: c.method, Target: "/", Host: c.host}); got.Code != c.want {
			t.Errorf("%s to %q: %v, want %v", c.method, c.host, got, c.want)
		}
	}
	long := strings.Repeat("a", 63)
	cfg.MaxHostBytes = 0
	r = newRequest(t, cfg)
	for host, want := range map[string]validate.Code{
		long + ".example": validate.CodeOK, "a" + long + ".example": validate.CodeHostUnusual, "b." + long: validate.CodeOK, "b.x" + long: validate.CodeHostUnusual,
	} {
		if got := r.Check(validate.RequestView{Method: "GET", Target: "/", Host: host}); got.Code != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}

func TestStrictFields(t *testing.T) {
	strict, normal := newRequest(t, validate.Strict()), newRequest(t, validate.Default())
	for _, c := range []struct {
		name, value string
		want        validate.Code
	}{
		{"X_Note", "a", validate.CodeHeaderNameUnderscore},
		{"X-Note", "caf\xc3\xa9", validate.CodeHeaderValueObsText},
		{"X-Note", " a", validate.CodeHeaderValueSpace},
		{"X-Original-URL", "/admin", validate.CodeHeaderForbidden},
		{"x-http-method-override", "DELETE", validate.CodeHeaderForbidden},
		{"Accept", "*; q=.2", validate.CodeAcceptInvalid},
		{"Authorization", "Bearer 12|abc", validate.CodeAuthorizationInvalid},
		{"Cookie", "a b", validate.CodeCookieInvalid},
		{"Connection", "close, X-Auth", validate.CodeConnectionNominates},
		{"X-Forwarded-For", "localhost", validate.CodeForwardedInvalid},
	} {
		v := validate.RequestView{Method: "GET", Target: "/", Fields: fields("Host", "a", c.name, c.value)}
		if got := strict.Check(v); got.Code != c.want {
			t.Errorf("strict %s: %q: %v, want %v", c.name, c.value, got, c.want)
		}
		if got := normal.Check(v); !got.OK() {
			t.Errorf("default %s: %q: %v, want ok", c.name, c.value, got)
		}
	}
}

func TestUniqueNames(t *testing.T) {
	target := newTarget(t, validate.TargetConfig{UniqueNames: []string{"sessionId", "a b"}})
	for s, want := range map[string]validate.Code{
		"/?sessionId=1&x=2":               validate.CodeOK,
		"/?x=1&x=2":                       validate.CodeOK,
		"/?sessionId=1&sessionId=2":       validate.CodeURIPairRepeated,
		"/?sessionId=1&x&sessionid":       validate.CodeURIPairRepeated,
		"/?sessionId=1&sess%69onId=2":     validate.CodeURIPairRepeated,
		"/?a+b=1&a%20b=2":                 validate.CodeURIPairRepeated,
		"/?sessionId=1&sessionId2=2":      validate.CodeOK,
		"/?sessionId=sessionId&session=1": validate.CodeOK,
	} {
		if got := target.Check("GET", s); got.Code != want {
			t.Errorf("Check(%q) = %v, want %v", s, got, want)
		}
	}
}

func TestViolation(t *testing.T) {
	r := newRequest(t, validate.Default())
	v := r.Check(validate.RequestView{Method: "GET", Target: "/", Fields: fields("Host", "a", "User-Agent", strings.Repeat("s3cret", 2000))})
	err := v.Err()
	const want = `validate: header_value_too_long in "User-Agent" at byte 8192: got 12000, limit 8192`
	if err == nil || err.Error() != want {
		t.Errorf("Err() = %v, want %s", err, want)
	}
	if !errors.Is(err, validate.CodeHeaderValueTooLong) || errors.Is(err, validate.CodeHeaderDuplicate) {
		t.Error("errors.Is does not find the code")
	}
	var e *validate.Error
	if !errors.As(fmt.Errorf("wrapped: %w", err), &e) || e.Violation != v {
		t.Error("errors.As does not find the violation")
	}
	if v.Status() != 431 || (validate.Violation{}).Status() != 200 || validate.Code(60000).Status() != 500 {
		t.Error("Status is wrong")
	}
	if (validate.Violation{}).Err() != nil {
		t.Error("the zero Violation is an error")
	}
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
	if s := b.String(); !strings.Contains(s, "v.code=header_value_too_long v.offset=8192 v.limit=8192 v.got=12000") || strings.Contains(s, "User-Agent") {
		t.Errorf("LogValue: %s", s)
	}
	v = r.Check(validate.RequestView{Method: "GET", Target: "/", Fields: fields("Host", "a", "na\x1b[31m\xe9\xffme"+strings.Repeat("x", 90), "")})
	if s := v.Err().Error(); strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) || len(s) > 200 {
		t.Errorf("message with a raw or long name: %q", s)
	}
}

// TestAll wants every violation of a bad request, and no more after a limit.
func TestAll(t *testing.T) {
	r := newRequest(t, validate.Default())
	var got []string
	for v := range r.All(validate.RequestView{
		Method: "G T", Target: "/../a%00b%zz?%c0#", Proto: "HTTP/9",
		Fields: fields("X Note", "1", "X-A", "a\x00", "Content-Length", "3", "Content-Length", "4", "Transfer-Encoding", "chunked", "Origin", "x y"),
	}) {
		got = append(got, v.Code.String())
	}
	want := "version_unsupported method_invalid uri_dot_segment uri_nul_encoded uri_percent_invalid uri_utf8_invalid uri_fragment " +
		"header_name_invalid header_value_invalid content_length_duplicate origin_invalid framing_conflict host_missing"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("All:\n got %s\nwant %s", s, want)
	}
	headers, err := validate.NewHeaders(validate.HeaderConfig{MaxFields: 2})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for v := range headers.AllFields(fields("A", "\x00", "B", "\x00", "C", "\x00")) {
		n++
		if v.Code != validate.CodeHeaderTooMany {
			t.Errorf("AllFields = %v", v)
		}
	}
	for range headers.All(map[string][]string{"A": {"\x00"}, "B": {"\x00"}}) {
		n++
		break
	}
	for range newTarget(t, validate.TargetConfig{}).All("GET", "/%00%zz") {
		n++
		break
	}
	if n != 3 {
		t.Errorf("%d violations, want 3", n)
	}
}

func TestAllowedDots(t *testing.T) {
	target := newTarget(t, validate.TargetConfig{DangerouslyAllowDotSegments: true})
	for s, want := range map[string]validate.Code{
		"/a/../b":        validate.CodeOK,
		"/a/./b/..":      validate.CodeOK,
		"/a/b/../../c":   validate.CodeOK,
		"/..":            validate.CodeURIAboveRoot,
		"/a/../../b":     validate.CodeURIAboveRoot,
		"/a/./../..":     validate.CodeURIAboveRoot,
		"/a//../../b":    validate.CodeURIAboveRoot,
		"/a/%2e%2e/b":    validate.CodeURIDotSegmentEncoded,
		"/a/..;/b":       validate.CodeURIDotSegmentParameter,
		"/a/..%2fb":      validate.CodeURIDotSegmentEncoded,
		"/a/b?../../../": validate.CodeOK,
	} {
		if got := target.Check("GET", s); got.Code != want {
			t.Errorf("Check(%q) = %v, want %v", s, got, want)
		}
	}
}

func TestLatin1(t *testing.T) {
	target := newTarget(t, validate.TargetConfig{DangerouslyAllowLatin1: true})
	raw := newTarget(t, validate.TargetConfig{DangerouslyAllowLatin1: true, RefuseRawNonASCII: true, RefuseLookalikes: true})
	for s, want := range map[string][2]validate.Code{
		"/caf%e9":            {validate.CodeOK, validate.CodeOK},
		"/caf\xe9":           {validate.CodeOK, validate.CodeURINonASCII},
		"/x?q=\xe9":          {validate.CodeOK, validate.CodeURINonASCII},
		"/%e9%ef%bc%8f":      {validate.CodeOK, validate.CodeURILookalike},
		"/%e9/..":            {validate.CodeURIDotSegment, validate.CodeURIDotSegment},
		"/.%e9%2e%2e/%2e%2e": {validate.CodeURIDotSegmentEncoded, validate.CodeURIDotSegmentEncoded},
		"/%e9%00":            {validate.CodeURINULEncoded, validate.CodeURINULEncoded},
	} {
		if got := target.Check("GET", s); got.Code != want[0] {
			t.Errorf("Check(%q) = %v, want %v", s, got, want[0])
		}
		if got := raw.Check("GET", s); got.Code != want[1] {
			t.Errorf("raw refused: Check(%q) = %v, want %v", s, got, want[1])
		}
	}
}
