package validate_test

import (
	"testing"

	"github.com/sallyport/sallyport/validate"
)

// TestRawCredentials: where no server has looked at the bytes before, credentials hold none that a field value may not.
func TestRawCredentials(t *testing.T) {
	h, err := validate.NewHeaders(validate.HeaderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		value string
		want  validate.Code
	}{
		{"Bearer abc", validate.CodeOK},
		{"Digest a=b, c=d", validate.CodeOK},
		{"Bearer ab\x00c", validate.CodeHeaderValueInvalid},
		{"Digest a=\nb", validate.CodeHeaderValueInvalid},
		{"Digest a=\r\n b", validate.CodeHeaderValueFolded},
	} {
		if bad := h.CheckFields([]validate.Field{{Name: "Authorization", Value: r.value}}); bad.Code != r.want {
			t.Errorf("%q: %v, want %v", r.value, bad.Code, r.want)
		}
	}
}
