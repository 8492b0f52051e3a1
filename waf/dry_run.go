package waf

import (
	"cmp"
	"net/http"

	"github.com/sallyport/sallyport/mcpmsg"
)

// compareDryRun reports a message on which the lists to try out disagree with those in force, which refuse it with code, or
// allow it if that is "".
func (j *judgement) compareDryRun(m *mcpmsg.Message, code string) {
	if j.endpoint.dryRun == nil {
		return
	}
	dry, _ := j.endpoint.dryRun.refuses(j.identity.Name, m)
	if (dry == "") == (code == "") {
		return
	}
	action := ActionDryAllow
	if dry != "" {
		action = ActionDryDeny
	}
	j.report(action, Denial{Layer: LayerPolicy, Code: cmp.Or(dry, code), Status: http.StatusForbidden})
}
