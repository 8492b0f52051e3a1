package waf

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/mcpmsg"
)

// PolicyError is one fault in a policy file. [ParsePolicy] joins all of them; find one with errors.As.
type PolicyError struct {
	Line    int    // 1-based
	Column  int    // 1-based, in bytes
	Message string // the path of the member, such as "endpoints[0].path", and what is wrong; of the file no more than names in a JSON Schema
}

// Error returns the place and the message.
func (e *PolicyError) Error() string {
	return fmt.Sprintf("waf: policy:%d:%d: %s", e.Line, e.Column, e.Message)
}

// ParsePolicy reads a policy file into the settings of a [Config] that a file can hold; the caller adds the others, such as
// Rules and OnEvent, and calls [New] or [Guard.Reload].
//
// The file is one JSON object, UTF-8 without a byte order mark, of at most 1 MiB and 32 levels. Every member is optional at
// the top, and reading is strict: an unknown or repeated member, another case, a wrong type, a value out of range and
// anything after the object are errors. So is whatever New would refuse in these settings. All faults are returned at once,
// at most 100, in the order of the file, each as a *[PolicyError]; nothing of the file is in them but names in a JSON Schema.
//
// The members of the file:
//
//	mode               "enforce" (default) or "detect"
//	modes              {layer: mode}, for single layers: validate, endpoint, transport, identity, body, message, policy, rules, response
//	identities         trusted_header {name, from: [network]}, bearer [{name, sha256: 64 hex digits}],
//	                   client_certificates [{name, uri_san, dns_san, subject}]
//	endpoints          [endpoint]; absent = WellKnownEndpoints
//	strict_discovery   true or false (default)
//	trusted_proxies    [network]
//	resource_metadata  URL
//	limits             body_bytes, header_value_bytes, custom_header_value_bytes, and of all requests together bodies,
//	                   bodies_bytes, body_seconds (for reading one), streams (of one caller); absent = the defaults
//	log_values         headers [name], arguments [JSON Pointer], value_bytes
//	dangerously_unread_bodies    [path], as Config.DangerouslyUnreadBodies says
//
// Those of an endpoint, for which [Endpoint] says more:
//
//	path               required
//	transport          "streamable-http" or "http+sse", then with sse_path; absent = any
//	versions           ["2025-11-25", …], or min_version "2025-06-18"; absent = all
//	min_versions       [{identity, version}]
//	anonymous          true or false (default)
//	allow_origins      [origin]
//	allow_hosts        [host]
//	methods, tools     [rule]
//	prompts, resources [rule]
//	dry_run            {methods, tools, prompts, resources}
//	mode, modes        as at the top, for this endpoint
//
// Those of a rule, for which [AccessRule] says more; the last two for tools only:
//
//	identity           required
//	allow, deny        [pattern]
//	arguments          [{path, and equals: value, one_of: [value] or prefixes: [text], and optional: true or false (default)}]
//	argument_schema    a JSON Schema
//
// An absent list is nil in the Config, an empty one is empty and not nil: [Endpoint] says what each means.
func ParsePolicy(data []byte) (Config, error) {
	r := policyReader{data: data, places: make(map[string]policyPlace)}
	root, fault := parsePolicyTree(data)
	if fault != nil {
		r.faults = append(r.faults, *fault)
		return Config{}, r.err()
	}
	cfg := r.config(policyValue{&root, "", rootField})
	probe := cfg
	probe.DangerouslyNoRules = true // the file says nothing of rules, and loading them takes long
	_, err := compile(probe)
	r.locate(err)
	if err := r.err(); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

func (r *policyReader) config(v policyValue) (cfg Config) {
	r.places[v.field] = policyPlace{v.path, v.offset, false}
	r.object(v,
		policyField{name: "mode", field: "Mode", read: func(v policyValue) { cfg.Mode = choice(r, v, parseMode, "enforce", "detect") }},
		policyField{name: "modes", field: "Modes", read: func(v policyValue) { cfg.Modes = r.modes(v) }},
		policyField{name: "identities", field: "Identities", read: func(v policyValue) { cfg.Identities = r.identities(v) }},
		policyField{name: "endpoints", field: "Endpoints", read: func(v policyValue) { cfg.Endpoints = list(r, v, r.endpoint) }},
		policyField{name: "limits", field: "Request", read: func(v policyValue) { r.limits(v, &cfg) }},
		policyField{name: "strict_discovery", field: "StrictDiscovery", read: func(v policyValue) { cfg.StrictDiscovery = r.boolean(v) }},
		policyField{name: "trusted_proxies", field: "TrustedProxies", read: func(v policyValue) { cfg.TrustedProxies = list(r, v, r.network) }},
		policyField{name: "resource_metadata", field: "ResourceMetadata", read: func(v policyValue) { cfg.ResourceMetadata = r.given(v) }},
		policyField{name: "log_values", field: "LogValues", read: func(v policyValue) { cfg.LogValues = r.logValues(v) }},
		policyField{name: "dangerously_unread_bodies", field: "DangerouslyUnreadBodies", read: func(v policyValue) {
			cfg.DangerouslyUnreadBodies = list(r, v, r.text)
		}},
	)
	return cfg
}

// modes reads an object with a mode for some layers.
func (r *policyReader) modes(v policyValue) map[Layer]Mode {
	modes := make(map[Layer]Mode)
	var fields []policyField
	for layer := LayerValidate; int(layer) < len(layerText); layer++ {
		name := layer.String()
		fields = append(fields, policyField{name: name, field: name, read: func(v policyValue) {
			modes[layer] = choice(r, v, parseMode, "enforce", "detect")
		}})
	}
	r.object(v, fields...)
	return modes
}

func (r *policyReader) identities(v policyValue) (ids Identities) {
	r.object(v,
		policyField{name: "trusted_header", field: "TrustedHeader", read: func(v policyValue) { ids.TrustedHeader = r.trustedHeader(v) }},
		policyField{name: "bearer", field: "Bearer", read: func(v policyValue) { ids.Bearer = list(r, v, r.bearer) }},
		policyField{name: "client_certificates", field: "ClientCertificates", read: func(v policyValue) {
			ids.ClientCertificates = list(r, v, r.clientCertificate)
		}},
	)
	return ids
}

func (r *policyReader) trustedHeader(v policyValue) *TrustedHeader {
	h := new(TrustedHeader)
	r.object(v,
		policyField{name: "name", field: "Name", required: true, read: func(v policyValue) { h.Name = r.text(v) }},
		policyField{name: "from", field: "From", required: true, read: func(v policyValue) { h.From = list(r, v, r.network) }},
	)
	return h
}

// network reads a prefix that says exactly what it covers: no bits beyond its length, and IPv4 written as such.
func (r *policyReader) network(v policyValue) netip.Prefix {
	text, _ := v.token.(string)
	p, err := netip.ParsePrefix(text)
	if err != nil || p != p.Masked() || p.Addr().Is4In6() {
		r.fault(v, `must be a network such as "10.0.0.0/8" or "fd00::/8", without bits beyond its length`)
		return netip.Prefix{}
	}
	return p
}

func (r *policyReader) bearer(v policyValue) (b BearerToken) {
	r.object(v,
		policyField{name: "name", field: "Name", required: true, read: func(v policyValue) { b.Name = r.text(v) }},
		policyField{name: "sha256", field: "SHA256", required: true, read: func(v policyValue) {
			text, _ := v.token.(string)
			sum, err := hex.DecodeString(text)
			if err != nil || len(sum) != len(b.SHA256) {
				r.fault(v, "must be a SHA-256 sum: 64 hexadecimal digits")
				return
			}
			b.SHA256 = [32]byte(sum)
		}},
	)
	return b
}

func (r *policyReader) clientCertificate(v policyValue) (c ClientCertificate) {
	r.object(v,
		policyField{name: "name", field: "Name", required: true, read: func(v policyValue) { c.Name = r.text(v) }},
		policyField{name: "uri_san", field: "URISAN", read: func(v policyValue) { c.URISAN = r.given(v) }},
		policyField{name: "dns_san", field: "DNSSAN", read: func(v policyValue) { c.DNSSAN = r.given(v) }},
		policyField{name: "subject", field: "Subject", read: func(v policyValue) { c.Subject = r.given(v) }},
	)
	isWhat := func(m policyMember) bool { return m.name == "uri_san" || m.name == "dns_san" || m.name == "subject" }
	if v.token == json.Delim('{') && !slices.ContainsFunc(v.members, isWhat) {
		r.fault(v, "needs uri_san, dns_san or subject")
	}
	return c
}

func (r *policyReader) endpoint(v policyValue) (e Endpoint) {
	var modes map[Layer]Mode
	fields := []policyField{
		{name: "path", field: "Path", required: true, read: func(v policyValue) { e.Path = r.text(v) }},
		{name: "transport", field: "Transport", read: func(v policyValue) {
			e.Transport = choice(r, v, parseTransport, "streamable-http", "http+sse")
		}},
		{name: "sse_path", field: "SSEPath", read: func(v policyValue) { e.SSEPath = r.given(v) }},
		{name: "versions", field: "Versions", read: func(v policyValue) {
			if e.Versions = list(r, v, r.version); e.Versions != nil && len(e.Versions) == 0 {
				r.fault(v, "must not be empty: without the member all revisions are served")
			}
		}},
		{name: "min_version", field: "MinVersion", read: func(v policyValue) { e.MinVersion = r.version(v) }},
		{name: "min_versions", field: "MinVersions", read: func(v policyValue) { e.MinVersions = list(r, v, r.minVersion) }},
		{name: "mode", field: "Modes", read: func(v policyValue) { e.Modes = AllLayers(choice(r, v, parseMode, "enforce", "detect")) }},
		{name: "modes", field: "Modes", read: func(v policyValue) { modes = r.modes(v) }},
		{name: "anonymous", field: "Anonymous", read: func(v policyValue) { e.Anonymous = r.boolean(v) }},
		{name: "allow_origins", field: "AllowOrigins", read: func(v policyValue) { e.AllowOrigins = list(r, v, r.text) }},
		{name: "allow_hosts", field: "AllowHosts", read: func(v policyValue) { e.AllowHosts = list(r, v, r.text) }},
	}
	fields = append(fields, r.accessFields(&e.Methods, &e.Tools, &e.Prompts, &e.Resources)...)
	fields = append(fields, policyField{name: "dry_run", field: "DryRun", read: func(v policyValue) {
		e.DryRun = new(AccessLists)
		r.object(v, r.accessFields(&e.DryRun.Methods, &e.DryRun.Tools, &e.DryRun.Prompts, &e.DryRun.Resources)...)
	}})
	r.object(v, fields...)
	if e.Modes == nil {
		e.Modes = modes
	}
	maps.Copy(e.Modes, modes) // single layers go before the mode of all
	return e
}

func (r *policyReader) accessFields(methods, tools, prompts, resources *[]AccessRule) []policyField {
	field := func(name, field string, rules *[]AccessRule, rule func(policyValue) AccessRule) policyField {
		return policyField{name: name, field: field, read: func(v policyValue) { *rules = list(r, v, rule) }}
	}
	return []policyField{
		field("methods", "Methods", methods, r.accessRule), field("tools", "Tools", tools, r.toolRule),
		field("prompts", "Prompts", prompts, r.accessRule), field("resources", "Resources", resources, r.accessRule),
	}
}

func (r *policyReader) version(v policyValue) mcpmsg.Version {
	var known []string
	for version := mcpmsg.V20241105; version <= mcpmsg.V20260728; version++ {
		known = append(known, version.String())
	}
	return choice(r, v, mcpmsg.ParseVersion[string], known...)
}

func (r *policyReader) minVersion(v policyValue) (rule MinVersion) {
	r.object(v,
		policyField{name: "identity", field: "Identity", required: true, read: func(v policyValue) { rule.Identity = r.text(v) }},
		policyField{name: "version", field: "Version", required: true, read: func(v policyValue) { rule.Version = r.version(v) }},
	)
	return rule
}

func (r *policyReader) accessRule(v policyValue) (rule AccessRule) {
	r.object(v, r.ruleFields(&rule)...)
	return rule
}

// toolRule reads a rule that may have conditions on arguments.
func (r *policyReader) toolRule(v policyValue) (rule AccessRule) {
	r.object(v, append(r.ruleFields(&rule),
		policyField{name: "arguments", field: "Arguments", read: func(v policyValue) {
			if rule.Arguments = list(r, v, r.argumentRule); rule.Arguments != nil && len(rule.Arguments) == 0 {
				r.fault(v, "must not be empty: without the member any arguments are allowed")
			}
		}},
		policyField{name: "argument_schema", field: "ArgumentSchema", read: func(v policyValue) { rule.ArgumentSchema = r.schema(v) }},
	)...)
	return rule
}

func (r *policyReader) ruleFields(rule *AccessRule) []policyField {
	return []policyField{
		{name: "identity", field: "Identity", required: true, read: func(v policyValue) { rule.Identity = r.text(v) }},
		{name: "allow", field: "Allow", read: func(v policyValue) { rule.Allow = list(r, v, r.text) }},
		{name: "deny", field: "Deny", read: func(v policyValue) { rule.Deny = list(r, v, r.text) }},
	}
}

func (r *policyReader) argumentRule(v policyValue) (rule ArgumentRule) {
	conditions := 0
	one := func(read func(policyValue)) func(policyValue) {
		return func(v policyValue) {
			conditions++
			read(v)
		}
	}
	r.object(v,
		policyField{name: "path", field: "Path", required: true, read: func(v policyValue) { rule.Path = r.text(v) }},
		policyField{name: "equals", field: "OneOf[0]", read: one(func(v policyValue) { rule.OneOf = []any{r.scalar(v)} })},
		policyField{name: "one_of", field: "OneOf", read: one(func(v policyValue) { rule.OneOf = list(r, v, r.scalar) })},
		policyField{name: "prefixes", field: "Prefixes", read: one(func(v policyValue) { rule.Prefixes = list(r, v, r.text) })},
		policyField{name: "optional", field: "Optional", read: func(v policyValue) { rule.Optional = r.boolean(v) }},
	)
	if v.token == json.Delim('{') && conditions != 1 {
		r.fault(v, "needs exactly one of equals, one_of and prefixes")
	}
	return rule
}

// schema reads a JSON Schema. What is wrong in it is reported in the words of mcpmsg, which name its keywords and properties.
func (r *policyReader) schema(v policyValue) *mcpmsg.Schema {
	if v.token != json.Delim('{') {
		r.fault(v, "must be an object")
		return nil
	}
	schema, err := mcpmsg.CompileSchema(r.data[v.offset:v.end])
	var violation *mcpmsg.Error
	switch {
	case errors.As(err, &violation):
		at := *v.policyNode
		at.offset += violation.Violation.Offset
		r.fault(policyValue{&at, v.path, v.field}, "schema: "+violation.Violation.Code.String())
	case err != nil:
		r.fault(v, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return schema
}

func (r *policyReader) logValues(v policyValue) (l LogValues) {
	r.object(v,
		policyField{name: "headers", field: "Headers", read: func(v policyValue) { l.Headers = list(r, v, r.text) }},
		policyField{name: "arguments", field: "Arguments", read: func(v policyValue) { l.Arguments = list(r, v, r.text) }},
		policyField{name: "value_bytes", field: "MaxBytes", read: func(v policyValue) { l.MaxBytes = r.integer(v, maxLoggedBytes) }},
	)
	return l
}

// limits stands for Config.Request, of which New reports all faults as one, and for Config.Limits.
func (r *policyReader) limits(v policyValue, cfg *Config) {
	r.places[rootField+".Limits"] = policyPlace{v.path, v.offset, false}
	headers := &cfg.Request.Headers
	r.object(v,
		policyField{name: "body_bytes", field: "Body", read: func(v policyValue) { cfg.MaxBodyBytes = r.integer(v, maxBodyBytes) }},
		policyField{name: "bodies", field: "Bodies", read: func(v policyValue) { cfg.Limits.MaxBodies = r.integer(v, 1_000_000) }},
		policyField{name: "bodies_bytes", field: "BodiesSize", read: func(v policyValue) { cfg.Limits.MaxBodiesSize = int64(r.integer(v, math.MaxInt32)) }},
		policyField{name: "body_seconds", field: "BodyTimeout", read: func(v policyValue) {
			cfg.Limits.BodyTimeout = time.Duration(r.integer(v, 3600)) * time.Second
		}},
		policyField{name: "streams", field: "Streams", read: func(v policyValue) { cfg.Limits.MaxStreams = r.integer(v, 1_000_000) }},
		policyField{name: "header_value_bytes", field: "Value", read: func(v policyValue) {
			headers.MaxValueBytes = r.integer(v, maxHeaderValueBytes)
		}},
		policyField{name: "custom_header_value_bytes", field: "CustomValue", read: func(v policyValue) {
			headers.MaxCustomValueBytes = r.integer(v, maxHeaderValueBytes)
		}},
	)
}

const maxHeaderValueBytes = 1 << 20

func parseMode(text string) (Mode, bool) {
	switch text {
	case "enforce":
		return Enforce, true
	case "detect":
		return DetectOnly, true
	}
	return 0, false
}

func parseTransport(text string) (Transport, bool) {
	switch text {
	case "streamable-http":
		return TransportStreamableHTTP, true
	case "http+sse":
		return TransportHTTPSSE, true
	}
	return 0, false
}
