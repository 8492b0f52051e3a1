// Package rules holds a SecLang ruleset for the Model Context Protocol, embedded and read-only.
//
// The profile Portable loads unchanged in Coraza 3.8, libModSecurity 3.0.9 and ModSecurity 2.9.7; people without Go copy its
// folder. Coraza adds rules that need the operators of package waf/corazamcp; CRSPlugin is for the OWASP Core Rule Set. TABLE.md
// lists every rule with its class, advisories and known false positives. Nothing here is configured in Go: thresholds are
// variables, all of them set in one file, sallyport-00-setup.conf.
//
// The package imports nothing but embed, io/fs and strings. All functions are safe for concurrent use.
package rules

import (
	"embed"
	"io/fs"
	"strings"
)

// Profile names a set of files that belong together.
type Profile uint8

const (
	// Portable is the ruleset that every SecLang engine loads.
	Portable Profile = iota + 1

	// Coraza is Portable and the rules that need the operators and the body processor of package waf/corazamcp.
	Coraza

	// CRSPlugin is a plug-in for the OWASP Core Rule Set: exclusions that make that set usable in front of MCP, and the rules of
	// Portable with anomaly scores in place of refusals. It loads in all engines, and not together with the other profiles.
	CRSPlugin
)

// String returns the name of the profile's folder, or "unknown".
func (p Profile) String() string {
	switch p {
	case Portable:
		return "portable"
	case Coraza:
		return "coraza"
	case CRSPlugin:
		return "crsplugin"
	default:
		return "unknown"
	}
}

// root is the folder of every file of FS. The sign in its name tells our files from those of whoever includes them.
const root = "@sallyport"

//go:embed portable/*.conf coraza/*.conf crsplugin/*.conf
var embedded embed.FS

// FS returns the files of all profiles, named "@sallyport/PROFILE/FILE"; walk it from "@sallyport". The contents can't be changed
// through it.
//
// Coraza resolves a plain Include against the folder of the including file, so everything before "@sallyport" is ignored:
// "conf.d/@sallyport/portable/sallyport-00-setup.conf" is the same file, and one Include line works anywhere in a merged root.
func FS() fs.FS { return ruleFS{} }

// Directives returns one Include line for each file of the profile, in the order in which they have to be read. It is empty for an
// unknown profile. The lines name no pattern: an engine that finds nothing for a pattern goes on without a word.
//
// Of CRSPlugin the file mcp-after belongs behind the rules of the Core Rule Set, the others in front of them.
func Directives(p Profile) string {
	switch p {
	case Portable:
		return include(p,
			"sallyport-00-setup", "sallyport-10-classify", "sallyport-20-credentials", "sallyport-30-message", "sallyport-40-launch",
			"sallyport-50-arguments", "sallyport-60-web", "sallyport-70-answers")
	case Coraza:
		return Directives(Portable) + include(p, "sallyport-90-coraza")
	case CRSPlugin:
		return include(p, "mcp-config", "mcp-before", "mcp-exclusions-before", "mcp-after")
	default:
		return ""
	}
}

func include(p Profile, files ...string) string {
	var lines strings.Builder
	for _, f := range files {
		lines.WriteString("Include " + root + "/" + p.String() + "/" + f + ".conf\n")
	}
	return lines.String()
}

// ruleFS gives the embedded files their public names. embed.FS hands out copies, so no caller can change what the next one reads.
type ruleFS struct{}

// Open implements fs.FS.
func (ruleFS) Open(name string) (fs.File, error) {
	inner, err := embeddedName("open", name)
	if err != nil {
		return nil, err
	}
	return embedded.Open(inner)
}

// ReadFile implements fs.ReadFileFS.
func (ruleFS) ReadFile(name string) ([]byte, error) {
	inner, err := embeddedName("readfile", name)
	if err != nil {
		return nil, err
	}
	return embedded.ReadFile(inner)
}

// ReadDir implements fs.ReadDirFS.
func (ruleFS) ReadDir(name string) ([]fs.DirEntry, error) {
	inner, err := embeddedName("readdir", name)
	if err != nil {
		return nil, err
	}
	return embedded.ReadDir(inner)
}

// embeddedName returns what follows root in name, which is the name inside embedded.
func embeddedName(op, name string) (string, error) {
	_, inner, ok := strings.Cut("/"+name+"/", "/"+root+"/")
	if !ok || !fs.ValidPath(name) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	if inner == "" {
		return ".", nil
	}
	return strings.TrimSuffix(inner, "/"), nil
}
