// Package schema checks a JSON text against a graph compiled from JSON Schemas, in one pass over the raw bytes, with an
// explicit bounded stack, without recursion, reflection or allocation.
//
// # How it works
//
// A schema is compiled to atoms: a single schema object without its anyOf, allOf, oneOf and $ref. A [Node] stands for a
// place of the message and holds all atoms that the schemas of that place need, at most 64. While a value is read every
// atom is judged side by side, one bit each; what combines them (gates) and what a member's verdict means for the object
// around it (maps) are bit masks worked out at compile time. So alternatives need neither a second scan nor backtracking,
// wherever the member stands that tells them apart. A place with one atom, the usual case, fails at the first fault.
//
// Besides the schema the walk enforces one meaning: exact JSON, no repeated member in any object, no twin (see
// [jsonscan.AppendFolded]) of a member that the schema defines for the object, and the [Limits].
package schema
