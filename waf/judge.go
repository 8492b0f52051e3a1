package waf

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/sallyport/sallyport/mcpmsg"
	"github.com/sallyport/sallyport/validate"
)

// state is a compiled Config: immutable, shared by all requests that started under it.
type state struct {
	mode            [len(layerText)]Mode
	request         *validate.Request
	endpoints       *endpointTable
	proxies         proxies
	identities      *identities
	challenge       string          // WWW-Authenticate of a 401
	sessions        *sessionBinding // nil if ids are not bound
	messages        *mcpmsg.Validator
	maxBody         int
	unread          pathTable // paths of which bodies pass unread
	limits          Limits
	limiter         Limiter // nil if there is none
	strictDiscovery bool
	keepPoisoned    bool
	rules           *Ruleset // nil if left out
	ownRules        bool
	onEvent         func(Event)
	logValues       *logValues // nil if events carry no values
	onDeny          func(http.ResponseWriter, *http.Request, Denial)
}

func (s *state) close() error {
	if s.ownRules {
		return s.rules.Close()
	}
	return nil
}

// compileModes returns the mode of every layer.
func compileModes(cfg Config) (mode [len(layerText)]Mode, errs []error) {
	if cfg.Mode > DetectOnly {
		errs = append(errs, configErrorf("Config.Mode", "no such mode"))
	}
	for i := range mode {
		mode[i] = cfg.Mode
	}
	if faults := modeFaults("Config.Modes", cfg.Modes); len(faults) > 0 {
		return mode, append(errs, faults...)
	}
	for layer, m := range cfg.Modes {
		mode[layer] = m
	}
	return mode, errs
}

// modeFaults returns what is wrong with the modes of layers.
func modeFaults(field string, modes map[Layer]Mode) (errs []error) {
	for layer, m := range modes {
		if layer == LayerNone || int(layer) >= len(layerText) || m > DetectOnly {
			errs = append(errs, configErrorf(field, "no such layer or mode"))
		}
	}
	return errs
}

// compileChecks builds the header, target and message validators, and sets the bound of messages in cfg.
func (s *state) compileChecks(cfg *Config) (errs []error) {
	var err error
	request := cfg.Request
	// net/http takes Host from a target in absolute form, so that the two can't be compared any more.
	request.Target.RefuseAbsoluteForm = true
	if s.request, err = validate.NewRequest(request); err != nil {
		errs = append(errs, &ConfigError{Field: "Config.Request", Problem: err.Error(), cause: err})
	}
	if cfg.Message.MaxBytes == 0 {
		cfg.Message.MaxBytes = s.maxBody
	}
	if s.messages, err = mcpmsg.New(cfg.Message); err != nil {
		errs = append(errs, &ConfigError{Field: "Config.Message", Problem: err.Error(), cause: err})
	}
	return errs
}

// judgement is the way of one request through the steps. Each step returns the refusal it finds, or nil.
type judgement struct {
	s    *state
	id   string              // of the request: Event.RequestID
	ids  [1]string           // the field by which the handler finds it
	w    http.ResponseWriter // nil where Check decides alone; response, once there is one
	r    *http.Request       // with the replayed body and the verdict's context, once that is known
	load *load

	rules *Ruleset // held for this request; nil if left out or closed

	path       string // path of the target as it is on the wire
	endpoint   *endpoint
	ambiguous  bool           // readers could disagree on the endpoint
	metadata   bool           // a well-known document is asked for
	preflight  bool           // a CORS preflight: it carries no credentials and no message
	version    mcpmsg.Version // of MCP-Protocol-Version; 0 if the request has none
	reroutes   bool           // a field may name another path than the target, see noteFields
	overrides  bool           // a field may name another verb
	repeatsID  bool           // a field may be read as the one that carries id
	located    bool           // client and clientPort are known
	client     netip.Addr     // see clientAddr
	clientPort int
	identity   Identity
	recognised bool
	stream     string    // the caller under whom this stream is counted; "" if it is none
	response   *response // nil if nothing looks at the answer
	body       *replay   // nil if the request has no body, or it was not read
	message    *mcpmsg.Message

	parsed    mcpmsg.Message // what message points to
	replaying replay         // what body points to
	reading   watchedBody    // the body, while it is read
	verdict   verdict        // the request's context, once it is let through

	allowedBy accessDecision // of the policy, for the last message
	findings  *[]Denial      // takes what the steps find, in place of events; nil unless the request is only explained

	denial  *Denial // nil unless the request is refused
	event   *Event  // nil unless somebody wants to know
	start   time.Time
	stepped time.Time // when the last step ended
}

//go:noinline // into a frame that stays, see guardedHandler
func newJudgement(g *Guard, w http.ResponseWriter, r *http.Request) *judgement {
	return &judgement{id: newRequestID(), w: w, r: r, load: &g.load}
}

// refused takes the request through the steps until one refuses. Their order is part of the contract.
func (j *judgement) refused() bool {
	return j.refusedBy(LayerValidate, j.checkRequest()) ||
		j.refusedBy(LayerEndpoint, j.checkEndpoint()) ||
		j.refusedBy(LayerTransport, j.checkTransport()) ||
		j.refusedBy(LayerIdentity, j.checkIdentity()) ||
		j.refusedBy(LayerIdentity, j.checkSession()) ||
		j.refusedBy(LayerBody, j.checkBody()) ||
		j.refusedBy(LayerMessage, j.checkMessage()) ||
		j.refusedBy(LayerPolicy, j.checkCallerVersion()) ||
		j.refusedBy(LayerPolicy, j.checkPolicy()) ||
		j.refusedBy(LayerPolicy, j.checkStreams()) ||
		j.refusedBy(LayerPolicy, j.checkRate()) ||
		j.refusedBy(LayerRules, j.checkRules())
}

// refusedBy reports whether a step ends the request's way. The layer is the one whose time the step took.
func (j *judgement) refusedBy(layer Layer, d *Denial) bool {
	if j.event != nil {
		now := time.Now()
		j.event.took[layer] += max(now.Sub(j.stepped), 1) // 0 is a layer that was not reached, and some clocks are coarse
		j.stepped = now
	}
	if d == nil {
		return false
	}
	d.MCP = j.endpoint != nil
	if j.findings != nil || j.modeOf(d) == DetectOnly {
		j.report(ActionDetect, d)
		j.stepped = time.Now() // what hears of it takes its own time
		return false
	}
	d.RequestID = j.id
	j.denial = d
	return true
}

// run judges the request, and makes it the one that the handler gets if it is let through.
func (j *judgement) run() {
	if j.s.onEvent != nil || j.findings != nil {
		j.event, j.start = new(Event), time.Now()
	}
	j.path = targetPath(j.r)
	j.s.proxies.disarm(j.r)
	j.noteFields()
	j.endpoint, j.ambiguous = j.s.endpoints.find(j.path)
	if !j.ambiguous && isMetadata(j.r, j.path) {
		j.endpoint, j.metadata = nil, true
	}
	if j.stepped = j.start; j.refused() {
		j.addID()
		j.report(ActionDeny, j.denial)
		return
	}
	j.verdict = verdict{j.r.Context(), j.message, j.identity, j.recognised}
	j.r = j.r.WithContext(&j.verdict)
	if j.body != nil {
		j.r.Body = j.body
		j.r.GetBody = j.body.again
	}
	if j.r.Header == nil {
		j.r.Header = make(http.Header)
	}
	if j.repeatsID {
		deleteTwins(j.r.Header, requestIDHeader)
	}
	j.ids[0] = j.id
	j.r.Header[requestIDHeader] = j.ids[:]
	j.report(ActionAllow, &Denial{})
}

// setSince sets d to the time since begin.
func setSince(d *time.Duration, begin time.Time) { *d = time.Since(begin) }

// modeOf returns the mode that is in force for a refusal.
func (j *judgement) modeOf(d *Denial) Mode {
	if d.beyond {
		return j.s.mode[d.Layer]
	}
	return j.modeOfLayer(d.Layer)
}

// modeOfLayer returns the mode that is in force for a layer where the request leads.
func (j *judgement) modeOfLayer(layer Layer) Mode {
	if j.endpoint != nil {
		if m, ok := j.endpoint.Modes[layer]; ok {
			return m
		}
	}
	return j.s.mode[layer]
}

// letGo ends what Guard.hold began.
func (j *judgement) letGo() {
	if j.rules != nil {
		_ = j.rules.release() // what fails to close then belongs to a state that is no longer in force
	}
}

// finish ends the answer after the handler returned.
func (j *judgement) finish() {
	if j.response != nil {
		j.response.finish()
	}
}

// end gives back what the request held, also after a panic.
func (j *judgement) end() {
	if j.response != nil {
		j.response.close()
	}
	if j.body != nil {
		j.body.release()
	}
	if j.stream != "" {
		j.load.dropStream(j.stream)
	}
}

// report sends an event about the decision d.
func (j *judgement) report(action Action, d *Denial) {
	if j.findings != nil {
		if action == ActionDetect {
			*j.findings = append(*j.findings, *d)
		}
		return
	}
	if j.s.onEvent == nil {
		return
	}
	e := *j.event
	e.RequestID = j.id
	e.Time, e.Action, e.Layer, e.Code, e.Status, e.RuleIDs = time.Now(), action, d.Layer, d.Code, d.Status, d.RuleIDs
	e.Total = e.Time.Sub(j.start) - e.ReadBody
	e.Identity = j.identity.Name
	if j.endpoint != nil {
		e.Endpoint = j.endpoint.Path
	}
	if m := j.message; m != nil {
		e.Tool = quoteName(m.Name)
		if m.Method != 0 {
			e.Method = m.Method.String()
		}
	}
	if d.name != "" {
		e.Tool = d.name
	}
	if j.s.logValues != nil {
		j.s.logValues.add(&e, j.r.Header, j.message)
	}
	j.s.onEvent(e)
}

// checkRequest is step 1: framing, header fields, Host, request target.
//
// CONNECT asks for a tunnel, in which nothing could be judged. A field that names another path for routers to go by must not
// lead to an endpoint behind the back of the target.
func (j *judgement) checkRequest() *Denial {
	r := j.r
	if r.Method == http.MethodConnect {
		return &Denial{Layer: LayerValidate, Code: "method_connect", Status: http.StatusMethodNotAllowed, Close: true}
	}
	if j.isRerouted() {
		return &Denial{Layer: LayerValidate, Code: "header_reroutes", Status: http.StatusBadRequest, beyond: true}
	}
	v := j.s.request.Check(validate.RequestView{
		Method: r.Method, Target: requestTarget(r), Host: r.Host, Proto: r.Proto, Header: r.Header,
		ContentLength: r.ContentLength, TransferEncoding: r.TransferEncoding, Parsed: true,
	})
	if v.OK() {
		return nil
	}
	d := &Denial{Layer: LayerValidate, Code: v.Code.String(), Status: v.Code.Status(), Close: true}
	switch v.Code {
	case validate.CodeProtocolVersionInvalid:
		if d.Close = false; j.endpoint != nil {
			j.endpoint.versions.tell(d, r.Header.Get("Mcp-Protocol-Version"))
		}
	case validate.CodeMCPMethodInvalid, validate.CodeMCPNameInvalid, validate.CodeMCPParamInvalid, validate.CodeMCPEncodingInvalid:
		d.RPCCode, d.RPCText, d.Close = rpcHeaderMismatch, "Header mismatch", false
	}
	return d
}

// noteFields notes which fields there are, in any spelling, that only few requests have and that need a closer look.
func (j *judgement) noteFields() {
	for name := range j.r.Header {
		if len(name) < len("X-Request-Id") || name[0]|0x20 != 'x' {
			continue
		}
		j.reroutes = j.reroutes || namesPath(name)
		j.overrides = j.overrides || namesVerb(name)
		j.repeatsID = j.repeatsID || name != requestIDHeader && isSpelling(name, requestIDHeader)
	}
}

// namesPath reports whether some frameworks replace the path of the target by what the field says.
func namesPath(name string) bool {
	return isSpelling(name, "X-Original-Url") || isSpelling(name, "X-Rewrite-Url")
}

// namesVerb reports whether some frameworks replace the verb by what the field says.
func namesVerb(name string) bool {
	return isSpelling(name, "X-Http-Method-Override") || isSpelling(name, "X-Http-Method") || isSpelling(name, "X-Method-Override")
}

// isRerouted reports whether a field by which some frameworks replace the path of the target leads to an endpoint, or away from
// this one, or in a way that they may take for either.
func (j *judgement) isRerouted() bool {
	if !j.reroutes {
		return false
	}
	for name, values := range j.r.Header {
		if !namesPath(name) {
			continue
		}
		for _, target := range values {
			path := pathOf(target)
			ep, ambiguous := j.s.endpoints.find(path)
			if ambiguous || ep != j.endpoint && (ep == nil || j.endpoint == nil || ep.group != j.endpoint.group) ||
				path != "" && path[0] != '/' || strings.HasPrefix(path, "//") || hasDotSegment(path) {
				return true
			}
		}
	}
	return false
}

// checkEndpoint is step 2: a path that readers could take to endpoints with different settings has no endpoint. Neither has one that
// goes on after a "#", for readers to whom that is no fragment, nor one that is only nearly an endpoint's, where a stream is asked for.
func (j *judgement) checkEndpoint() *Denial {
	path, _, _ := strings.Cut(requestTarget(j.r), "?")
	switch {
	case j.ambiguous, j.endpoint != nil && strings.IndexByte(path, '#') >= 0:
		return ambiguousDenial()
	case j.endpoint == nil && j.r.Method == http.MethodGet && namesEvents(j.r.Header["Accept"]) && !j.metadata && j.s.endpoints.nearly(j.path):
		return ambiguousDenial()
	}
	return nil
}

func ambiguousDenial() *Denial {
	return &Denial{Layer: LayerEndpoint, Code: "endpoint_ambiguous", Status: http.StatusBadRequest, beyond: true}
}

// checkRules is step 7.
func (j *judgement) checkRules() *Denial {
	if j.s.rules == nil {
		return nil
	}
	if j.rules == nil {
		return &Denial{Layer: LayerRules, Code: "rules_closed", Status: http.StatusInternalServerError}
	}
	if j.event != nil {
		defer setSince(&j.event.RulesTime, time.Now())
	}
	body, _ := j.bytes()
	in := ruleInput{Request: j.r, Body: body, Message: j.message, Identity: j.identity.Name, MCP: j.endpoint != nil}
	in.ClientIP, in.ClientPort = j.clientAddr()
	in.Authenticated = j.recognised || j.endpoint != nil // the identity step let it pass
	verdict := j.rules.evaluate(in)
	if j.event != nil {
		j.event.RuleIDs = verdict.RuleIDs
	}
	d := &Denial{Layer: LayerRules, RuleIDs: verdict.RuleIDs}
	switch {
	case verdict.Err != nil:
		d.Code, d.Status = "rules_failed", http.StatusInternalServerError
	case verdict.Denied:
		d.Code, d.Status = "rules_matched", verdict.Status
	default:
		return nil
	}
	if j.message != nil {
		d.RPCID = j.message.ID
	}
	return d
}
