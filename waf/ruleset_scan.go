package waf

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of what LoadRules reads. The line bound is the engine's: its scanner stops at a longer line without saying so.
const (
	rulesetMaxFileBytes = 8 << 20
	rulesetMaxLineBytes = 64<<10 - 2
	rulesetMaxFiles     = 1000
	rulesetMaxDepth     = 20
)

// A rulesetDirective is one SecLang directive with the place where it starts.
type rulesetDirective struct {
	file rulesetFile
	line int
	name string // in lower case
	args string // what follows the name, continued lines joined
	raw  string // the physical lines
}

func (d *rulesetDirective) fail(reason RulesReason, detail string) *RulesError {
	return &RulesError{File: d.file.display(), Line: d.line, Reason: reason, Detail: detail}
}

// rulesetScan splits a file into directives exactly as the engine does, and reports every line that the engine would lose.
func rulesetScan(f rulesetFile, data string) (ds []rulesetDirective, errs []error) {
	var cur rulesetDirective
	var joined strings.Builder
	dataset := false // inside the backticks of SecDataset
	flush := func() {
		name, args, _ := strings.Cut(joined.String(), " ")
		cur.name, cur.args = strings.ToLower(name), strings.TrimSpace(args)
		ds = append(ds, cur)
		cur = rulesetDirective{}
		joined.Reset()
	}
	n := 0
	for raw := range strings.Lines(data) {
		n++
		at := rulesetDirective{file: f, line: n}
		if len(raw) > rulesetMaxLineBytes {
			errs = append(errs, at.fail(RulesLineTooLong, "64 KiB is the most that the engine reads"))
		}
		line := strings.TrimSpace(raw)
		if line == "" || line[0] == '#' {
			continue
		}
		opened := joined.Len() > 0
		if !opened {
			cur = at
		} else if !dataset && rulesetStartsDirective(line) {
			errs = append(errs, at.fail(RulesLineSwallowed, "the line before it ends in a backslash"))
		}
		cur.raw += line + "\n"
		switch {
		case dataset && line[0] == '`':
			dataset = false
			joined.WriteString(line)
			flush()
		case dataset:
			joined.WriteString(line + "\n")
		case strings.HasSuffix(line, "`"):
			if opened || !strings.HasPrefix(strings.ToLower(line), "secdataset ") {
				errs = append(errs, at.fail(RulesBacktick, "only SecDataset may end a line in one"))
				joined.WriteString(line)
				flush()
				continue
			}
			dataset = true
			joined.WriteString(line + "\n")
		case strings.HasSuffix(line, `\`):
			joined.WriteString(strings.TrimSuffix(line, `\`))
			if joined.Len() == 0 {
				joined.WriteByte(' ') // a lone backslash still opens a line
			}
		default:
			joined.WriteString(line)
			flush()
		}
	}
	if joined.Len() > 0 {
		errs = append(errs, cur.fail(RulesLineOpen, "the directive that starts here has no end"))
	}
	return ds, errs
}

// rulesetStartsDirective tells whether a line looks like the first line of a directive.
func rulesetStartsDirective(line string) bool {
	word, _, _ := strings.Cut(line, " ")
	switch word = strings.ToLower(word); word {
	case "include", "secrule", "secaction", "secmarker":
		return true
	default:
		return strings.HasPrefix(word, "secrule") || strings.HasPrefix(word, "secdefaultaction")
	}
}

// A rulesetReader follows Include lines and collects the directives of all files in reading order.
type rulesetReader struct {
	mounts     map[string]*rulesetMount
	bodyBytes  int
	files      int
	directives []rulesetDirective
	errs       []error
}

// read adds a file and all that it includes. A problem is noted at the directive that asked for the file.
func (r *rulesetReader) read(f rulesetFile, by *rulesetDirective, depth int) {
	fail := func(reason RulesReason, detail string, err error) {
		e := &RulesError{File: f.display(), Reason: reason, Detail: detail, Err: err}
		if by != nil {
			e = by.fail(reason, detail)
			e.Err = err
		}
		r.errs = append(r.errs, e)
	}
	if r.files++; r.files > rulesetMaxFiles || depth > rulesetMaxDepth {
		fail(RulesTooManyFiles, "a file that includes itself never ends", nil)
		return
	}
	data, err := f.data()
	switch {
	case err != nil && by != nil:
		fail(RulesIncludeUnknown, f.display(), err)
		return
	case err != nil:
		fail(RulesUnreadable, "", err)
		return
	case len(data) > rulesetMaxFileBytes:
		fail(RulesFileTooBig, "8 MiB is the most", nil)
		return
	}
	ds, errs := rulesetScan(f, data)
	r.errs = append(r.errs, errs...)
	for i := range ds {
		d := &ds[i]
		if d.name != "include" {
			r.directives = append(r.directives, *d)
			continue
		}
		if r.files > rulesetMaxFiles {
			return
		}
		for _, inc := range r.resolve(d) {
			r.read(inc, d, depth+1)
		}
	}
}

// resolve finds the files that an Include means: relative names and patterns both start at the folder of the including file, names
// with "@sallyport" or "@owasp_crs" lead to our files and to the Core Rule Set from anywhere.
func (r *rulesetReader) resolve(d *rulesetDirective) []rulesetFile {
	arg := strings.Trim(d.args, `"`)
	mount, name := d.file.mount, path.Join(path.Dir(d.file.name), arg)
	if own := r.mounts[rulesetMountOwn]; strings.HasPrefix(arg, "@sallyport/") {
		mount, name = own, arg
	} else if crs := r.mounts[rulesetMountCRS]; crs != nil && strings.HasPrefix(arg, "@") {
		mount, name = crs, arg
	} else if filepath.IsAbs(filepath.FromSlash(arg)) {
		if r.mounts[rulesetMountOS] == nil {
			r.errs = append(r.errs, d.fail(RulesIncludeUnknown, "absolute paths need RulesConfig.Files"))
			return nil
		}
		mount, name = r.mounts[rulesetMountOS], rulesetOSName(arg)
	}
	if mount.prefix == rulesetMountText {
		r.errs = append(r.errs, d.fail(RulesIncludeUnknown, "inline text has no folder; use an absolute path or @sallyport"))
		return nil
	}
	return r.expand(mount, name, d)
}

// expand returns the files that a name or pattern stands for, sorted. by is the Include behind it, nil for a configured name.
func (r *rulesetReader) expand(mount *rulesetMount, name string, by *rulesetDirective) []rulesetFile {
	if !strings.ContainsAny(name, "*?[") {
		return []rulesetFile{{mount: mount, name: name}}
	}
	found, err := mount.glob(name)
	if err != nil || len(found) == 0 {
		e := &RulesError{File: rulesetFile{mount: mount, name: name}.display(), Reason: RulesGlobEmpty, Err: err}
		if by != nil {
			e = by.fail(RulesGlobEmpty, name)
			e.Err = err
		}
		r.errs = append(r.errs, e)
		return nil
	}
	slices.Sort(found)
	files := make([]rulesetFile, len(found))
	for i, f := range found {
		files[i] = rulesetFile{mount: mount, name: f}
	}
	return files
}
