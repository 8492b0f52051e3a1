package waf

// unreadPath marks the paths of Config.DangerouslyUnreadBodies in their table.
var unreadPath = new(endpoint)

// isUnread reports whether the body is to pass as it comes. A path of which readers could disagree on where it leads is none of
// those that were listed.
func (j *judgement) isUnread() bool {
	return j.endpoint == nil && j.s.unread.find(j.path) != nil && !hasDotSegment(j.path)
}

// compileUnread returns the table of the paths, or every fault in them.
func compileUnread(paths []string, endpoints *endpointTable) (pathTable, []error) {
	t := pathTable{exact: make(map[string]*endpoint)}
	var errs []error
	if len(paths) > maxEndpoints {
		return t, append(errs, configErrorf("Config.DangerouslyUnreadBodies", "%d paths, at most %d", len(paths), maxEndpoints))
	}
	for i, path := range paths {
		field := configField("Config.DangerouslyUnreadBodies", i)
		if problem := pathProblem(path); problem != "" {
			errs = append(errs, configErrorf(field, "%s", problem))
			continue
		}
		if endpoints != nil {
			if ep, _ := endpoints.find(path); ep != nil {
				errs = append(errs, configErrorf(field, "leads to an endpoint, of which every body is read"))
			}
		}
		if t.add(path, unreadPath) != nil {
			errs = append(errs, configErrorf(field, "repeated"))
		}
	}
	return t, errs
}
