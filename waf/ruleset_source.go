package waf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A rulesetMount is one place that rule files come from. Names are slash-separated and relative to the mount.
type rulesetMount struct {
	prefix string // first element of the name in the merged root
	read   func(name string) ([]byte, error)
	glob   func(pattern string) ([]string, error)
}

// Prefixes of the mounts inside the merged root.
const (
	rulesetMountOwn  = "sallyport"
	rulesetMountCRS  = "crs"
	rulesetMountFS   = "fs"
	rulesetMountOS   = "os"
	rulesetMountText = "text"
)

func rulesetMountOf(prefix string, fsys fs.FS) rulesetMount {
	return rulesetMount{
		prefix: prefix,
		read:   func(name string) ([]byte, error) { return fs.ReadFile(fsys, name) },
		glob:   func(pattern string) ([]string, error) { return fs.Glob(fsys, pattern) },
	}
}

// rulesetMountOfOS serves absolute paths of the operating system, written without the leading slash.
func rulesetMountOfOS() rulesetMount {
	native := func(name string) string {
		if filepath.Separator == '/' {
			return "/" + name
		}
		return filepath.FromSlash(name)
	}
	return rulesetMount{
		prefix: rulesetMountOS,
		read:   func(name string) ([]byte, error) { return os.ReadFile(native(name)) },
		glob: func(pattern string) ([]string, error) {
			found, err := filepath.Glob(native(pattern))
			for i, f := range found {
				found[i] = rulesetOSName(f)
			}
			return found, err
		},
	}
}

// rulesetOSName turns an absolute path of the operating system into a name of the OS mount.
func rulesetOSName(abs string) string { return strings.TrimPrefix(filepath.ToSlash(abs), "/") }

// A rulesetFile is a file of the merged root.
type rulesetFile struct {
	mount *rulesetMount
	name  string // relative to the mount
	text  string // inline text, for the text mount
}

// display is the name that errors show.
func (f rulesetFile) display() string {
	if f.mount.prefix == rulesetMountOS && filepath.Separator == '/' {
		return "/" + f.name
	}
	return f.name
}

func (f rulesetFile) data() (string, error) {
	if f.mount.prefix == rulesetMountText {
		return f.text, nil
	}
	b, err := f.mount.read(f.name)
	return string(b), err
}

// A rulesetRoot is the one file system that the engine reads: the parts that LoadRules has checked under made-up names, and beside
// them the data files (@pmFromFile) of every mount under their own.
type rulesetRoot struct {
	mounts map[string]*rulesetMount
	parts  map[string]string
}

var errRulesetOpen = errors.New("the merged root serves whole files only")

// Open implements fs.FS for the sake of the interface; the engine uses ReadFile.
func (r *rulesetRoot) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: errRulesetOpen}
}

// ReadFile implements fs.ReadFileFS. An absolute name is a file of the operating system, readable only if Files were configured.
func (r *rulesetRoot) ReadFile(name string) ([]byte, error) {
	if text, ok := r.parts[name]; ok {
		return []byte(text), nil
	}
	prefix, rest, _ := strings.Cut(name, "/")
	if filepath.IsAbs(filepath.FromSlash(name)) {
		prefix, rest = rulesetMountOS, rulesetOSName(name)
	}
	m := r.mounts[prefix]
	if m == nil {
		return nil, &fs.PathError{Op: "readfile", Path: name, Err: fs.ErrNotExist}
	}
	return m.read(rest)
}

// ReadDir implements fs.ReadDirFS: there is nothing to list, so a glob can never load a file behind the manifest's back.
func (r *rulesetRoot) ReadDir(name string) ([]fs.DirEntry, error) {
	return nil, &fs.PathError{Op: "readdir", Path: name, Err: errRulesetOpen}
}
