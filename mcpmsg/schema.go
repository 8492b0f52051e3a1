package mcpmsg

import (
	"errors"
	"fmt"

	"github.com/sallyport/sallyport/internal/schema"
)

// Schema is a compiled JSON Schema, such as the inputSchema of a tool. It is immutable and safe for concurrent use.
type Schema struct {
	root    *schema.Edge
	headers []paramHeader
}

// maxSchemaBytes and maxSchemaDepth bound what CompileSchema reads, because tool schemas come from servers.
//
// Source: MCP 2026-07-28, Base Protocol, JSON Schema usage: depth and number of subschemas SHOULD be bounded.
const (
	maxSchemaBytes = 1 << 20
	maxSchemaDepth = 64
)

// toolDialect is what CompileSchema understands.
var toolDialect = schema.Dialect{
	Keywords: []string{
		"type", "const", "enum", "properties", "required", "items", "additionalProperties", "anyOf", "allOf", "oneOf", "$ref",
		"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern",
		"minItems", "maxItems", "minProperties", "maxProperties",
	},
	Notes: []string{
		"$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default", "examples", "deprecated",
		"readOnly", "writeOnly", "format", "contentEncoding", "contentMediaType", "x-mcp-header",
	},
}

// CompileSchema compiles the inputSchema of a tool, or another JSON Schema of draft-07 or 2020-12. A keyword that it can't
// honour is an error that names it: not, if, uniqueItems, multipleOf, patternProperties, propertyNames, dependent*, prefixItems,
// unevaluated*, and enum or const with an object or array. format is a note, as in 2020-12. pattern is read as RE2, which
// refuses backreferences and lookaround, and where \d, \w and \s mean ASCII. A $ref leads to a part of the same schema; nothing
// is ever fetched. An $id stands at the root only, and in draft-07 nothing but notes beside a $ref, because readers disagree on what that
// means. Marks x-mcp-header must be as 2026-07-28 asks, and differ in more than case, hyphens and underscores.
//
// Schemas come from servers, so everything has a bound, and a schema beyond it is an error: 1 MiB, a depth of 64, 64 alternatives
// in one place, 64 required members of an object, 256 numbers in an enum, 4 KiB and 4,096 instructions of a pattern, and 262,144
// members, elements and instructions in all, once references are written out. A message is refused whose strings are too much
// work for the patterns: more than 8,388,608 bytes times instructions.
func CompileSchema(inputSchema []byte) (*Schema, error) {
	if len(inputSchema) > maxSchemaBytes {
		return nil, fmt.Errorf("mcpmsg: schema has %d bytes, more than %d", len(inputSchema), maxSchemaBytes)
	}
	// The text must be as unambiguous as a message: a repeated keyword has two meanings.
	w := schema.NewWalker(schema.Limits{
		Depth: maxSchemaDepth, Members: 10_000, Items: 10_000, StringBytes: maxSchemaBytes, NameBytes: 4096, NumberBytes: 100,
	})
	if end := w.Walk(inputSchema, 0, &schema.Edge{Node: schema.Free}, 0); end < 0 {
		return nil, fmt.Errorf("mcpmsg: schema: %w", &Error{Violation{Code: codeOf[w.Fault.Reason], Offset: w.Fault.Offset}})
	}
	doc, err := schema.Decode(inputSchema)
	if err != nil {
		return nil, err
	}
	if s, ok := doc["$schema"]; ok && !isDraft07(s) && s != draft2020 && s != draft2020+"#" {
		return nil, errors.New("mcpmsg: schema: $schema is neither draft-07 nor 2020-12")
	}
	dialect := toolDialect
	dialect.RefAlone = isDraft07(doc["$schema"])
	root, err := schema.NewCompiler(doc, dialect).Compile(doc)
	if err != nil {
		return nil, err
	}
	headers, err := paramHeaders(doc)
	if err != nil {
		return nil, err
	}
	return &Schema{root, headers}, nil
}

const draft2020 = "https://json-schema.org/draft/2020-12/schema"

func isDraft07(s any) bool {
	return s == "http://json-schema.org/draft-07/schema#" || s == "http://json-schema.org/draft-07/schema"
}
