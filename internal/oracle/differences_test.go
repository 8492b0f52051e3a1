package oracle

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport/mcpmsg"
)

// difference is a reason for which mcpmsg and the engine may differ.
type difference struct {
	name  string
	modes []mcpmsg.SchemaMode
	codes []mcpmsg.Code       // what mcpmsg says then: CodeOK where it accepts what the schema file refuses
	holds func(*subject) bool // whether the message is of that sort

	// An example of it.
	version  mcpmsg.Version
	from     mcpmsg.Direction
	resultOf string
	text     string
}

var (
	both      = []mcpmsg.SchemaMode{mcpmsg.Prose, mcpmsg.Published}
	prose     = []mcpmsg.SchemaMode{mcpmsg.Prose}
	published = []mcpmsg.SchemaMode{mcpmsg.Published}

	accepted = []mcpmsg.Code{mcpmsg.CodeOK}
	// A rule about a part of one of several alternatives shows as the lack of any that fits.
	noneFits = []mcpmsg.Code{mcpmsg.CodeSchemaAlternative, mcpmsg.CodeSchemaMissing, mcpmsg.CodeSchemaType, mcpmsg.CodeSchemaValue}
	badForm  = append([]mcpmsg.Code{mcpmsg.CodeSchemaForm}, noneFits...)
	strayed  = append([]mcpmsg.Code{mcpmsg.CodeSchemaMember}, badForm...)
	badName  = append([]mcpmsg.Code{mcpmsg.CodeSchemaName}, noneFits...)
)

const (
	client = mcpmsg.FromClient
	server = mcpmsg.FromServer

	request26 = `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
		`"io.modelcontextprotocol/clientCapabilities":`
)

// differences is the whole table. Each row gives its source in the specification, or the trap of the schema files.
var differences = []difference{
	{ // No schema knows names that only lax readers take for others. This is the purpose of mcpmsg.
		"member with a twin", both, []mcpmsg.Code{mcpmsg.CodeMemberTwin}, hasTwin,
		mcpmsg.V20250618, client, "", `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}`,
	},
	{ // JSON-RPC 2.0, 5: a response has no params. The schemas admit any further member.
		"response with params", both, []mcpmsg.Code{mcpmsg.CodeEnvelopeShape},
		func(s *subject) bool { return s.top("method") == nil && s.top("params") != nil },
		mcpmsg.V20250618, client, "", `{"jsonrpc":"2.0","id":1,"result":{},"params":{}}`,
	},
	{ // MCP 2026-07-28, Base Protocol: the revision is negotiated, or that of the header, which the body must confirm.
		"request that names another revision", both, []mcpmsg.Code{mcpmsg.CodeVersionMismatch, mcpmsg.CodeVersionUnsupported},
		func(s *subject) bool {
			v, ok := s.meta()[revisionKey].(string)
			return ok && v != s.version.String()
		},
		mcpmsg.V20250618, client, "", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"` + revisionKey + `":"2025-11-25"}}}`,
	},
	{ // A limit of the default configuration.
		"method of more than 128 bytes", both, []mcpmsg.Code{mcpmsg.CodeMethodTooLong},
		func(s *subject) bool {
			t, err := parse(s.text)
			return err == nil && t.get("method") != nil && len(t.get("method").text) > 128
		},
		mcpmsg.V20250618, client, "", `{"jsonrpc":"2.0","method":` + escaped(`"notifications/initialized"`) + `}`,
	},
	{ // JSON Schema takes 1.0 and 1e3 for integers, and bounds none. Readers spell these anew, or round them.
		"id that readers change", both, []mcpmsg.Code{mcpmsg.CodeIDType},
		func(s *subject) bool { return isChanged(s.top("id")) },
		mcpmsg.V20250618, client, "", `{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`,
	},
	{ // The same, where a message refers to an id.
		"reference to an id that readers change", both, append([]mcpmsg.Code{mcpmsg.CodeSchemaRange}, badForm...),
		func(s *subject) bool {
			return s.any(func(name string, v any) bool {
				return (name == "requestId" || name == "progressToken" || strings.HasSuffix(name, "/subscriptionId")) && isChanged(v)
			})
		},
		mcpmsg.V20250618, client, "", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1e0}}`,
	},
	{ // Readers make infinity, an error or a bignum of it.
		"number beyond the doubles", both, []mcpmsg.Code{mcpmsg.CodeNumberOverflow},
		func(s *subject) bool {
			return s.any(func(_ string, v any) bool {
				n, ok := v.(json.Number)
				f, _ := strconv.ParseFloat(n.String(), 64) // an infinity where it is out of range
				return ok && math.Abs(f) >= math.MaxFloat64
			})
		},
		mcpmsg.V20250618, client, "", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"n":-1e309}}}`,
	},
	{ // The definitions of single errors are no part of the general one, which is all that the schema file refers to.
		"error of a code with a definition of its own", published, accepted,
		func(s *subject) bool {
			return slices.Contains([]string{"-32042", "-32020", "-32021", "-32022"}, s.errorCode())
		},
		mcpmsg.V20260728, server, "", `{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":""}}`,
	},
	{ // MCP 2026-07-28, Base Protocol: codes that are reserved or no longer sent.
		"error of a reserved code", prose, []mcpmsg.Code{mcpmsg.CodeErrorCode},
		func(s *subject) bool {
			n, err := strconv.Atoi(s.errorCode())
			return s.version == mcpmsg.V20260728 && err == nil && (n == -32002 || n == -32042 || n <= -32020 && n >= -32099)
		},
		mcpmsg.V20260728, server, "", `{"jsonrpc":"2.0","id":1,"error":{"code":-32050,"message":""}}`,
	},
	{ // MCP 2025-03-26 and 2025-06-18, Transports: the body of an HTTP error may have no id. The schema file requires one.
		"error without id", prose, accepted,
		func(s *subject) bool {
			return (s.version == mcpmsg.V20250326 || s.version == mcpmsg.V20250618) && s.any(func(name string, v any) bool {
				o, _ := v.(object)
				_, has := o["id"]
				return name == "" && o["error"] != nil && !has
			})
		},
		mcpmsg.V20250618, server, "", `{"jsonrpc":"2.0","error":{"code":-32000,"message":"no session"}}`,
	},
	{ // MCP 2025-06-18 and later, Base Protocol, _meta: the form of keys.
		"key of _meta in another form", prose, badName,
		func(s *subject) bool {
			return s.version >= mcpmsg.V20250618 && s.anyKey("_meta", func(key string) bool { return !metaKey.MatchString(key) })
		},
		mcpmsg.V20250618, client, "", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"a b":1}}}`,
	},
	{ // MCP 2026-07-28, Versioning: the same form, with a prefix.
		"key of an extension in another form", prose, badName,
		func(s *subject) bool {
			return s.version == mcpmsg.V20260728 && s.anyKey("extensions", func(key string) bool {
				return !metaKey.MatchString(key) || !strings.Contains(key, "/")
			})
		},
		mcpmsg.V20260728, client, "", request26 + `{"extensions":{"x":{}}}}}}`,
	},
	{ // Stricter than the text: a name that shows something else than it is can't be judged by a person or a list.
		"name, address or trace with characters that mislead", prose, badForm,
		func(s *subject) bool {
			return s.any(func(name string, v any) bool {
				text, _ := v.(string)
				return slices.Contains([]string{"name", "uri", "tracestate", "baggage"}, name) && misleads(text)
			})
		},
		mcpmsg.V20250618, client, "", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a\u200bb"}}`,
	},
	{ // MCP 2026-07-28, Base Protocol: the values follow W3C Trace Context.
		"traceparent in another form", prose, badForm,
		func(s *subject) bool {
			return s.version == mcpmsg.V20260728 && s.any(func(name string, v any) bool {
				text, isText := v.(string)
				return name == "traceparent" && !(isText && traceparent.MatchString(text))
			})
		},
		mcpmsg.V20260728, client, "", request26 + `{},"traceparent":"00-00"}}}`,
	},
	{ // The same.
		"tracestate or baggage in another form", prose, badForm,
		func(s *subject) bool {
			return s.version == mcpmsg.V20260728 && s.any(func(name string, v any) bool {
				text, isText := v.(string)
				return isText && (name == "tracestate" && !tracestate.MatchString(text) || name == "baggage" && !baggage.MatchString(text))
			})
		},
		mcpmsg.V20260728, client, "", request26 + `{},"baggage":"a"}}}`,
	},
	{ // MCP, Prompts and Resources: content is Base64. The schema says so by a format that no engine knows.
		"content that is not Base64", prose, badForm,
		func(s *subject) bool {
			return s.any(func(name string, v any) bool {
				text, isText := v.(string)
				_, err := base64.StdEncoding.DecodeString(text)
				return (name == "data" || name == "blob") && isText && (err != nil || strings.ContainsAny(text, "\r\n"))
			})
		},
		mcpmsg.V20250618, server, "tools/call", `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"image","mimeType":"image/png","data":"AAA"}]}}`,
	},
	{ // MCP, Roots: a root is a file URI.
		"root that is no file", prose, badForm,
		func(s *subject) bool { return s.anyAddress("uri", "file") },
		mcpmsg.V20250618, client, "roots/list", `{"jsonrpc":"2.0","id":1,"result":{"roots":[{"uri":"https://example.org/"}]}}`,
	},
	{ // MCP 2025-11-25 and later, Base Protocol: unsafe schemes of icons must be rejected.
		"icon from elsewhere than the web", prose, badForm,
		func(s *subject) bool {
			return s.version >= mcpmsg.V20251125 && s.anyAddress("src", "http", "https", "data")
		},
		mcpmsg.V20251125, server, "tools/list",
		`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"t","inputSchema":{"type":"object"},"icons":[{"src":"javascript:x"}]}]}}`,
	},
	{ // MCP 2025-11-25 and later, Elicitation: a valid URL. What a person is sent to is a web page.
		"elicitation at elsewhere than the web", prose, badForm,
		func(s *subject) bool { return s.version >= mcpmsg.V20251125 && s.anyAddress("url", "http", "https") },
		mcpmsg.V20251125, server, "",
		`{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"mode":"url","message":"m","elicitationId":"1","url":"file:///a"}}`,
	},
	{ // MCP 2026-07-28, Base Protocol: anything but the two values is invalid.
		"unknown resultType", prose, noneFits,
		func(s *subject) bool {
			v, ok := s.member("result", "resultType").(string)
			return s.version == mcpmsg.V20260728 && ok && v != "complete" && v != "input_required"
		},
		mcpmsg.V20260728, server, "", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"other"}}`,
	},
	{ // MCP 2026-07-28, Multi Round-Trip Requests. The schema admits InputRequiredResult beside the result, which any object fits.
		"result chosen by resultType", prose, append([]mcpmsg.Code{mcpmsg.CodeSchemaRange}, badForm...),
		func(s *subject) bool {
			v := s.member("result", "resultType")
			several := s.resultOf == "tools/call" || s.resultOf == "prompts/get" || s.resultOf == "resources/read"
			return s.version == mcpmsg.V20260728 && (v == "input_required" || v == "complete" && several)
		},
		mcpmsg.V20260728, server, "tools/call", `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}}`,
	},
	{ // The schema file was generated too narrow: schema.ts has any JSON value.
		"null or fraction in an open value of 2026-07-28", prose, accepted,
		func(s *subject) bool {
			open := []string{"capabilities", "io.modelcontextprotocol/clientCapabilities", "requiredCapabilities", "metadata"}
			return s.version == mcpmsg.V20260728 && s.any(func(name string, v any) bool {
				return slices.Contains(open, name) && anyValue("", v, func(_ string, v any) bool { return v == nil || isNotPlain(v) })
			})
		},
		mcpmsg.V20260728, client, "", request26 + `{"experimental":{"x":{"y":[null,0.5]}}}}}}`,
	},
	{ // The schema file was generated too narrow: schema.ts has a number.
		"fraction in what a person entered", prose, accepted,
		func(s *subject) bool {
			return s.version >= mcpmsg.V20250618 && s.any(func(name string, v any) bool {
				values, _ := v.(object)
				return name == "content" && slices.ContainsFunc(slices.Collect(maps.Values(values)), isNotPlain)
			})
		},
		mcpmsg.V20250618, client, "elicitation/create", `{"jsonrpc":"2.0","id":1,"result":{"action":"accept","content":{"x":0.5}}}`,
	},
	{ // The official conformance suite sends it, and servers take it.
		"inputResponses is null", prose, accepted,
		func(s *subject) bool {
			o, _ := s.top("params").(object)
			v, has := o["inputResponses"]
			return s.version == mcpmsg.V20260728 && has && v == nil
		},
		mcpmsg.V20260728, client, "", strings.Replace(request26, "server/discover", "tools/call", 1) + `{}},"name":"t","inputResponses":null}}`,
	},
	{ // MCP, Prompts and Tools: with a valid MIME type.
		"media type that is none", prose, badForm,
		func(s *subject) bool {
			return s.any(func(name string, v any) bool {
				text, isText := v.(string)
				return name == "mimeType" && isText && !mediaType.MatchString(text)
			})
		},
		mcpmsg.V20250618, server, "tools/call", `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"image","mimeType":"image","data":""}]}}`,
	},
	{ // schema.ts: text only where the item is text. The schema file has no tag, so that one alternative hides the other.
		"resource with text and blob", prose, strayed,
		func(s *subject) bool { return s.anyPair("text", "blob") },
		mcpmsg.V20250618, server, "resources/read", `{"jsonrpc":"2.0","id":1,"result":{"contents":[{"uri":"a:b","text":"","blob":7}]}}`,
	},
	{ // MCP 2025-06-18 and later, Elicitation: a form. The schema file has no tag, so that a broken choice is free text.
		"choice of a form that is none", prose, strayed,
		func(s *subject) bool {
			return s.version >= mcpmsg.V20250618 && (s.anyPair("type", "enum") || s.anyPair("type", "oneOf"))
		},
		mcpmsg.V20250618, server, "",
		`{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"message":"","requestedSchema":{"type":"object","properties":{"a":{"type":"string","enum":7}}}}}`,
	},
	{ // MCP 2026-07-28, Multi Round-Trip Requests: a response is the result of one method. The schema file has no tag.
		"response with members of two methods", prose, strayed,
		func(s *subject) bool {
			mixed := s.anyPair("roots", "action") || s.anyPair("roots", "content") || s.anyPair("action", "model") || s.anyPair("action", "role") ||
				s.anyPair("roots", "model") || s.anyPair("roots", "role")
			_, has := s.params()["inputResponses"]
			return s.version == mcpmsg.V20260728 && has && mixed
		},
		mcpmsg.V20260728, client, "", strings.Replace(request26, "server/discover", "tools/call", 1) + `{}},"name":"t","inputResponses":{"a":{"roots":[],"action":7}}}}`,
	},
	{ // MCP 2025-11-25, Tasks, Creating Tasks: the answer is the result or a task. The schema file has no tag.
		"result and task in one", prose, strayed,
		func(s *subject) bool {
			_, task := s.result()["task"]
			return s.version == mcpmsg.V20251125 && task && slices.ContainsFunc([]string{"content", "structuredContent", "isError", "role", "model", "action"},
				func(name string) bool { _, has := s.result()[name]; return has })
		},
		mcpmsg.V20251125, server, "tools/call", `{"jsonrpc":"2.0","id":1,"result":{"content":[],"task":{}}}`,
	},
	{ // MCP 2025-11-25 and later, Sampling, Message Content Constraints. No schema can say it.
		"conversation without balance", prose, []mcpmsg.Code{mcpmsg.CodeToolBalance},
		func(s *subject) bool {
			return s.any(func(name string, v any) bool { return name == "messages" && isUnbalanced(v) })
		},
		mcpmsg.V20251125, server, "", `{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"maxTokens":1,"messages":[{"role":"assistant",` +
			`"content":{"type":"tool_use","id":"1","name":"t","input":{}}}]}}`,
	},
	{ // MCP 2025-11-25, Base Protocol: every request may have _meta. The four definitions about tasks left it out.
		"_meta of a request about tasks", both, noneFits,
		func(s *subject) bool {
			method, _ := s.top("method").(string)
			_, has := s.params()["_meta"]
			return s.version == mcpmsg.V20251125 && strings.HasPrefix(method, "tasks/") && has
		},
		mcpmsg.V20251125, client, "", `{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"1","_meta":{"progressToken":{}}}}`,
	},
}

// TestDifferences keeps the table honest: the example of each row must still show the difference, and be explained by it.
func TestDifferences(t *testing.T) {
	c := newComparison(t)
	for _, d := range differences {
		s := c.engines[d.version].subject([]byte(d.text), d.from, d.resultOf)
		want, why := s.accepts(s)
		occurs := false
		for _, mode := range d.modes {
			_, bad := c.modes[mode].Check(s.text, s.context())
			if bad.OK() == want {
				continue
			}
			occurs = true
			if row := explain(s, mode, bad); row != d.name {
				t.Errorf("%s, mode %d: mcpmsg says %v, the engine %v (%s), which %q explains", d.name, mode, bad.Code, want, why, row)
			}
		}
		if !occurs {
			t.Errorf("%s: both say %v (%s) of the example: take the row out", d.name, want, why)
		}
	}
}

// explain names the row that explains why mcpmsg says bad where the engine says the opposite, or "".
func explain(s *subject, mode mcpmsg.SchemaMode, bad mcpmsg.Violation) string {
	for _, d := range differences {
		if slices.Contains(d.modes, mode) && slices.Contains(d.codes, bad.Code) && slices.ContainsFunc(s.messages(), d.holds) {
			return d.name
		}
	}
	return ""
}

var (
	traceparent = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-|$)`)
	tracestate  = regexp.MustCompile(`^([ \t]*([a-z0-9][a-z0-9_*/@-]*=[^,=\x00-\x1f\x7f-\x{10ffff}]+)?[ \t]*(,|$))*$`)
	baggage     = regexp.MustCompile(`^([^ ,;=]+[ \t]*=[ \t]*[^ ,;"\\\x00-\x1f\x7f-\x{10ffff}]*[ \t]*(;[^,]*)?(,[ \t]*|$))+$`)
	mediaType   = regexp.MustCompile(`^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(;[ -~]*)?$`)
	metaLabel   = `[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?`
	metaKey     = regexp.MustCompile(`^(` + metaLabel + `(\.` + metaLabel + `)*/)?([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$`)
)

// messages are the messages of a batch, or the message itself.
func (s *subject) messages() []*subject {
	list, _ := s.doc.([]any)
	if len(list) == 0 {
		return []*subject{s}
	}
	var texts []json.RawMessage
	if err := json.Unmarshal(s.text, &texts); err != nil {
		panic(err) // the engine has read it
	}
	var all []*subject
	for i, doc := range list {
		one := *s
		one.doc, one.text = doc, texts[i]
		all = append(all, &one)
	}
	return all
}

// top returns a member of the message.
func (s *subject) top(name string) any {
	o, _ := s.doc.(object)
	return o[name]
}

// member returns a member of a member of the message.
func (s *subject) member(outer, name string) any {
	o, _ := s.top(outer).(object)
	return o[name]
}

func (s *subject) params() object {
	o, _ := s.top("params").(object)
	return o
}

func (s *subject) result() object {
	o, _ := s.top("result").(object)
	return o
}

func (s *subject) meta() object {
	o, _ := s.params()["_meta"].(object)
	return o
}

// errorCode returns the code of an error response as text, or "".
func (s *subject) errorCode() string {
	code, _ := s.member("error", "code").(json.Number)
	return code.String()
}

// anyKey reports whether wrong holds for a name in any object that is a member of the given name.
func (s *subject) anyKey(member string, wrong func(string) bool) bool {
	return s.any(func(name string, v any) bool {
		o, _ := v.(object)
		return name == member && slices.ContainsFunc(slices.Collect(maps.Keys(o)), wrong)
	})
}

// anyPair reports whether any object has both members.
func (s *subject) anyPair(a, b string) bool {
	return s.any(func(_ string, v any) bool {
		o, _ := v.(object)
		_, has := o[a]
		_, also := o[b]
		return has && also
	})
}

// isUnbalanced judges a conversation by its text alone: the ids that each message uses must be those of the results in the next.
func isUnbalanced(v any) bool {
	list, _ := v.([]any)
	var waiting []string
	for _, message := range list {
		o, _ := message.(object)
		blocks, ok := o["content"].([]any)
		if !ok {
			blocks = []any{o["content"]}
		}
		var uses, results []string
		for _, b := range blocks {
			switch block, _ := b.(object); block["type"] {
			case "tool_use":
				uses = append(uses, fmt.Sprint(block["id"]))
			case "tool_result":
				results = append(results, fmt.Sprint(block["toolUseId"]))
			}
		}
		if o["role"] == "user" {
			alone := len(results) == 0 || len(results) == len(blocks)
			slices.Sort(results)
			if !alone || waiting != nil && !slices.Equal(results, waiting) {
				return true
			}
			waiting = nil
			continue
		}
		slices.Sort(uses)
		if waiting != nil || len(slices.Compact(slices.Clone(uses))) != len(uses) {
			return true
		}
		waiting = uses
	}
	return waiting != nil
}

// anyAddress reports whether any member of the given name is a string that is no URI of one of the schemes.
func (s *subject) anyAddress(member string, schemes ...string) bool {
	return s.any(func(name string, v any) bool {
		text, isText := v.(string)
		u, err := url.Parse(text)
		return name == member && isText && (err != nil || !slices.Contains(schemes, strings.ToLower(u.Scheme)) || strings.ContainsAny(text, " \x7f"))
	})
}

// misleads reports whether a text has characters that show nothing, that are none, or that show as part of others.
func misleads(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return unicode.Is(unicode.M, first) || strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Zs)
	})
}

// any reports whether visit holds for any value of the message. It is told the name of a member, "[]" for an element and
// "" for the message.
func (s *subject) any(visit func(name string, v any) bool) bool { return anyValue("", s.doc, visit) }

func anyValue(name string, v any, visit func(string, any) bool) bool {
	if visit(name, v) {
		return true
	}
	switch v := v.(type) {
	case object:
		for name, inner := range v {
			if anyValue(name, inner, visit) {
				return true
			}
		}
	case []any:
		for _, inner := range v {
			if anyValue("[]", inner, visit) {
				return true
			}
		}
	}
	return false
}

// isChanged reports whether a value is a number that is no plain integer, one that a float64 does not keep, or a string that
// readers in C cut.
func isChanged(v any) bool {
	n, ok := v.(json.Number)
	f, _ := strconv.ParseFloat(n.String(), 64) // an infinity where it is out of range
	text, _ := v.(string)
	return ok && (isNotPlain(v) || n == "-0" || math.Abs(f) >= 1<<53) || strings.Contains(text, "\x00")
}

func isNotPlain(v any) bool {
	n, ok := v.(json.Number)
	return ok && strings.ContainsAny(n.String(), ".eE")
}

// folded is a name as lax readers see it.
func folded(name string) string {
	name, _, _ = strings.Cut(name, "\x00")
	return strings.ToLower(strings.NewReplacer("\u017f", "s", "\u212a", "k", "-", "", "_", "").Replace(name))
}

// hasTwin reports whether some member has a name that only lax readers take for one of the protocol, or that may become
// one: none of its members holds a NUL.
func hasTwin(s *subject) bool {
	return s.any(func(_ string, v any) bool {
		o, _ := v.(object)
		for name := range o {
			if !s.names[name] && (s.foldedNames[folded(name)] || strings.Contains(name, "\x00")) {
				return true
			}
		}
		return false
	})
}
