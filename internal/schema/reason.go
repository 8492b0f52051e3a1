package schema

// Reason says why a text was refused.
type Reason uint8

// The reasons. Order and values are internal to the module; public codes are made from them.
const (
	OK Reason = iota
	Empty
	Syntax
	BOM
	Control
	Surrogate
	UTF8
	Trailing
	Depth
	LongString
	LongName
	LongNumber
	ManyMembers
	ManyItems
	Duplicate
	Twin
	Type
	Value // not one of the constants
	Range
	Overflow // a number beyond the doubles
	Length
	Count
	Pattern
	Form // a string that breaks the rule for its place
	Missing
	Unknown // a member where the schema admits none
	NameForm
	OneOf
	NumReasons
)

// NotText reports whether the reason is that the bytes are no JSON text: nothing after the fault can be believed.
func (r Reason) NotText() bool { return r != OK && r <= Depth }

// Fault is a refusal: why, where, and for limits the bound and what was found.
type Fault struct {
	Reason     Reason
	Offset     int
	Limit, Got int
}
