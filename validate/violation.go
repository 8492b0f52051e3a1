package validate

import (
	"log/slog"
	"strconv"

	"github.com/sallyport/sallyport/internal/scan"
)

// Violation is the verdict of a check: what is wrong, where, and by how much. The zero Violation means that nothing is.
// It is a value, so that refusing costs no allocation, and it never holds a value of the request. Keep it only as long as
// the request, or drop Name: Name pins the request's memory.
type Violation struct {
	Code   Code
	Name   string // field name as received or as the standard writes it; "" if the violation is not about one field
	Offset int    // 0-based byte offset in the checked part: the name, value, host or target that Code is about
	Limit  int    // the configured bound; 0 if the check has none
	Got    int    // observed size or count in the unit of Limit; 0 if Limit is 0
}

// OK reports whether nothing is wrong.
func (v Violation) OK() bool { return v.Code == CodeOK }

// Err returns nil if nothing is wrong, otherwise an *[Error]. It is the only method that allocates.
func (v Violation) Err() error {
	if v.OK() {
		return nil
	}
	return &Error{v}
}

// Status returns the HTTP status that a refusal for this violation should carry, or 200 if nothing is wrong.
func (v Violation) Status() int { return v.Code.Status() }

// LogValue gives code, offset, limit and got: a structured log cannot leak a name or a value by accident.
func (v Violation) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("code", v.Code.String()),
		slog.Int("offset", v.Offset),
		slog.Int("limit", v.Limit),
		slog.Int("got", v.Got),
	)
}

// Error is a [Violation] as an error. errors.Is(err, CodeHeaderDuplicate) works, as does errors.As.
type Error struct{ Violation Violation }

// maxQuotedName bounds the part of a field name that a message shows: whoever sends the request picks it.
const maxQuotedName = 48

// Error returns code, field name (ASCII, at most 48 bytes of it), offset, observed size and limit, in that order.
func (e *Error) Error() string {
	v := e.Violation
	b := append([]byte("validate: "), v.Code.String()...)
	if v.Name != "" {
		b = append(b, " in "...)
		b = strconv.AppendQuoteToASCII(b, v.Name[:min(len(v.Name), maxQuotedName)])
	}
	b = append(b, " at byte "...)
	b = strconv.AppendInt(b, int64(v.Offset), 10)
	if v.Limit != 0 {
		b = append(b, ": got "...)
		b = strconv.AppendInt(b, int64(v.Got), 10)
		b = append(b, ", limit "...)
		b = strconv.AppendInt(b, int64(v.Limit), 10)
	}
	return string(b)
}

// Unwrap returns the code, so that errors.Is finds it.
func (e *Error) Unwrap() error { return e.Violation.Code }

// Text is what a stateless check reads: a string or a byte slice, which it neither changes nor keeps.
type Text = scan.Text

// problem is what a grammar finds: a code and the byte at which it shows. The zero problem means none.
type problem struct {
	code Code
	at   int
}

// in turns the problem into the violation of the named part.
func (p problem) in(name string) Violation {
	if p.code == CodeOK {
		return Violation{}
	}
	return Violation{Code: p.code, Name: name, Offset: p.at}
}

// tooLong returns the violation of a bound on the bytes of the checked part: the offset is that of the first byte too many.
func tooLong(c Code, name string, limit, got int) Violation {
	return Violation{Code: c, Name: name, Offset: limit, Limit: limit, Got: got}
}

// tooMany returns the violation of a bound on a number or a sum.
func tooMany(c Code, name string, limit, got int) Violation {
	return Violation{Code: c, Name: name, Limit: limit, Got: got}
}
