package mcpmsg

import (
	"errors"
	"fmt"

	"github.com/sallyport/sallyport/internal/schema"
)

// SchemaMode says what the schema.json files are worth where the text of the protocol says something else.
type SchemaMode uint8

const (
	// Prose accepts what either schema.json or schema.ts admits, and refuses what the text forbids with MUST and one
	// message shows.
	Prose SchemaMode = iota
	// Published checks the schema.json files to the letter, and nothing beside them but JSON-RPC and one meaning.
	Published
)

// Config configures a [Validator]. The zero Config is the recommended one.
type Config struct {
	_ [0]func() // keyed literals only; not comparable

	MaxBytes       int // of a message; 0 = 4194304; 1..1073741824
	MaxDepth       int // objects and arrays inside one another; 0 = 64; 4..1024
	MaxMembers     int // of one object; 0 = 1024; 8..1048576
	MaxItems       int // of one array; 0 = 100000; 1..16777216
	MaxStringBytes int // of one string as written; 0 = MaxBytes; 64..1073741824
	MaxNameBytes   int // of one member name as written; 0 = 1024; 64..65536
	MaxNumberBytes int // of one number as written; 0 = 100; 16..4096
	MaxIDBytes     int // of an id as written, with its quotes; 0 = 256; 8..65536
	MaxMethodBytes int // of a method as written, with its quotes; 0 = 128; 64..4096
	MaxTargetBytes int // of the name of a tool, prompt or task as written, with its quotes; 0 = 1024; 16..65536
	MaxURIBytes    int // of params.uri as written, with its quotes; 0 = 8192; 64..1048576
	MaxBatch       int // messages of a batch; 0 = 100; 1..1000

	Schema SchemaMode // 0 = Prose

	Methods []MethodRule // methods beside those of the protocol; nil = none. See [TasksExtension].
	Tools   []ToolRule   // more about single tools; nil = arguments are any object, in which only exact repeats are refused

	// ResultTypes are the values of resultType that extensions add to "complete" and "input_required", such as "task"; nil = none.
	// A result with one is judged by what all results share.
	ResultTypes []string

	// DangerouslyAllowHiddenText admits characters that hide text from people in results that reach a model: lists of tools,
	// prompts and resources, initialize and server/discover; of them, tag characters in tools/call and prompts/get too. The schema
	// mode Published implies it.
	DangerouslyAllowHiddenText bool

	// RefuseReservedMeta refuses keys of _meta whose prefix the protocol reserves for itself and that it does not define: any label
	// mcp or modelcontextprotocol before the last one in 2025-06-18, such a second label from 2025-11-25 on. false = they pass, as
	// later revisions and official extensions may define them.
	RefuseReservedMeta bool

	// WholeBase64 looks at every character of images, audio and blobs. false = of those of more than 64 KiB at the first and the
	// last 4 KiB only: the rest would take as long again as all else, and decides nothing about the message.
	WholeBase64 bool

	// StrictToolNames refuses calls of tools whose name is not 1 to 128 letters, digits, hyphens, underscores and dots, which the
	// protocol says a name SHOULD be (MCP 2025-11-25, Tools). false = every visible character, as real servers use.
	StrictToolNames bool

	// StrictURIs refuses requests about a resource whose uri is none by RFC 3986: a scheme, then only characters that a URI may have,
	// and complete escapes. Servers MUST validate it (MCP, Resources, Security Considerations). false = every visible character, as
	// real servers have names of files in it.
	StrictURIs bool
}

// ConfigError is one field of a config that is out of its range.
type ConfigError struct {
	Field           string
	Value, Min, Max int
}

// Error names the field and its range.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("mcpmsg: %s is %d, want 0 or %d to %d", e.Field, e.Value, e.Min, e.Max)
}

// limits are the bounds that the walk itself does not keep.
type limits struct{ bytes, id, method, target, uri, batch int }

func (c *Config) limits() (l limits, s schema.Limits, err error) {
	var errs []error
	bound := func(field string, value, usual, lo, hi int) int {
		if value == 0 {
			return usual
		}
		if value < lo || value > hi {
			errs = append(errs, &ConfigError{"Config." + field, value, lo, hi})
		}
		return value
	}
	l.bytes = bound("MaxBytes", c.MaxBytes, 4<<20, 1, 1<<30)
	l.id = bound("MaxIDBytes", c.MaxIDBytes, 256, 8, 64<<10)
	l.method = bound("MaxMethodBytes", c.MaxMethodBytes, 128, 64, 4<<10)
	l.target = bound("MaxTargetBytes", c.MaxTargetBytes, 1024, 16, 64<<10)
	l.uri = bound("MaxURIBytes", c.MaxURIBytes, 8<<10, 64, 1<<20)
	l.batch = bound("MaxBatch", c.MaxBatch, 100, 1, 1000)
	s.Depth = bound("MaxDepth", c.MaxDepth, 64, 4, 1024)
	s.Members = bound("MaxMembers", c.MaxMembers, 1024, 8, 1<<20)
	s.Items = bound("MaxItems", c.MaxItems, 100_000, 1, 1<<24)
	s.StringBytes = bound("MaxStringBytes", c.MaxStringBytes, l.bytes, 64, 1<<30)
	s.NameBytes = bound("MaxNameBytes", c.MaxNameBytes, 1024, 64, 64<<10)
	s.NumberBytes = bound("MaxNumberBytes", c.MaxNumberBytes, 100, 16, 4<<10)
	if c.Schema > Published {
		errs = append(errs, &ConfigError{"Config.Schema", int(c.Schema), int(Prose), int(Published)})
	}
	return l, s, errors.Join(errs...)
}
