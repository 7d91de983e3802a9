package scheduler

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/master/api/records"
	"troupe/messages/carrier"
	"troupe/messages/carrier/guard"
	calls "troupe/messages/mesos/scheduler"
	"troupe/messages/validate"
)

// streamHeader carries the id of a subscription.
const streamHeader = "Mesos-Stream-Id"

// defaultTimeout is how long the master may take for the answer to a call.
const defaultTimeout = 30 * time.Second

// Options are the settings of the scheduler API.
type Options struct {
	// Master is the actor of the master that leads, in the same system.
	Master actors.PID
	// Intake reads the calls; nil: one of its own.
	Intake *carrier.Intake
	// Stream bounds what waits for a scheduler; its Form and what it says of
	// heartbeats, which come from the master, do not count.
	Stream carrier.StreamOptions
	// Timeout is how long the master may take for the answer to a call; 30 s.
	Timeout time.Duration
}

// Router is where routes are mounted: an actor system.
type Router interface {
	Route(pattern, help string, h http.Handler)
}

// Mount serves the scheduler API of a master that leads.
func Mount(r Router, sys *actors.System, o Options) {
	h := NewHandler(sys, o)
	for _, path := range []string{"/api/v1/scheduler", "/master/api/v1/scheduler"} {
		r.Route(path, "calls of schedulers; SUBSCRIBE is answered by a stream of events", h)
	}
}

// NewHandler returns what Mount mounts.
func NewHandler(sys *actors.System, o Options) http.Handler {
	if o.Intake == nil {
		o.Intake = new(carrier.Intake)
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	return &server{sys: sys, options: o, subscriptions: subscriptions{byStream: make(map[string]*subscription)}}
}

// server answers requests.
type server struct {
	sys           *actors.System
	options       Options
	subscriptions subscriptions
}

// ServeHTTP checks a request in the order that clients can observe.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if carrier.IsBatch(r) {
		s.batch(w, r)
		return
	}
	call := new(calls.Call)
	form, err := s.read(w, r, call)
	if err != nil {
		carrier.Refuse(w, err)
		return
	}
	if call.GetType() == calls.Call_SUBSCRIBE {
		s.subscribe(w, r, form, call)
		return
	}
	s.forward(w, r, call)
}

// read reads a call, and which form the answer is to have, if that matters.
func (s *server) read(w http.ResponseWriter, r *http.Request, call *calls.Call) (carrier.Form, error) {
	if err := s.options.Intake.Read(w, r, call); err != nil {
		return carrier.JSON, err
	}
	err := validate.SchedulerCall(call)
	if err == nil {
		err = checkPrincipal(r, call)
	}
	if err != nil {
		return carrier.JSON, carrier.BadRequest("Failed to validate scheduler::Call: " + err.Error())
	}
	switch call.GetType() {
	case calls.Call_SUBSCRIBE, calls.Call_RECONCILE_OPERATIONS:
		return carrier.Negotiate(r)
	}
	return carrier.JSON, nil
}

// checkPrincipal is an error for a framework that subscribes as somebody else
// than it proved to be. Of later calls the master knows.
func checkPrincipal(r *http.Request, call *calls.Call) error {
	p, proved := guard.PrincipalOf(r.Context())
	info := call.GetSubscribe().GetFrameworkInfo()
	if !proved || info.GetPrincipal() == "" {
		return nil // the master fills it in
	}
	return validate.Caller(p.Name, info)
}

// subscribe answers by a stream, whatever the master says to the call.
func (s *server) subscribe(w http.ResponseWriter, r *http.Request, form carrier.Form, call *calls.Call) {
	if len(r.Header.Values(streamHeader)) > 0 {
		carrier.Refuse(w, carrier.BadRequest(streamHeader+": must not be set for SUBSCRIBE, whose answer names it"))
		return
	}
	o := s.options.Stream
	o.Form, o.Heartbeat = form, nil
	stream := carrier.NewStream(o)
	id := uuid.NewString()
	principal, _ := guard.PrincipalOf(r.Context())
	sub, err := s.open(id, principal.Name, stream, call)
	if err != nil {
		carrier.Refuse(w, &carrier.Problem{Status: http.StatusServiceUnavailable, Reason: err.Error()})
		return
	}
	defer s.sys.Do(sub.gateway, func(c *actors.Context) { c.Stop() })
	w.Header().Set(streamHeader, id)
	if stream.Serve(w, r) != nil {
		panic(http.ErrAbortHandler) // so that the client sees that it lacks the end
	}
}

// open starts the gateway of a stream, which speaks for who subscribes.
func (s *server) open(id, principal string, stream *carrier.Stream, call *calls.Call) (*subscription, error) {
	sub := &subscription{principal: principal, over: make(chan struct{})}
	table := &s.subscriptions
	g := &gateway{
		master: s.options.Master, subscribe: call, stream: stream,
		subscribed: func(framework string) {
			table.mu.Lock()
			defer table.mu.Unlock()
			sub.framework = framework
		},
		ended: func() {
			table.mu.Lock()
			defer table.mu.Unlock()
			delete(table.byStream, id)
			close(sub.over)
		},
	}
	pid, err := s.sys.Spawn(records.Gateway+table.add(id, sub), g, actors.SpeakingFor(principal))
	if err != nil {
		table.remove(id)
		return nil, err
	}
	table.mu.Lock()
	defer table.mu.Unlock()
	sub.gateway = pid
	return sub, nil
}

// forward answers a call as the master does.
func (s *server) forward(w http.ResponseWriter, r *http.Request, call *calls.Call) {
	ctx, cancel := context.WithTimeout(r.Context(), s.options.Timeout)
	defer cancel()
	stream := r.Header.Get(streamHeader)
	answer, err := s.ask(ctx, stream, call)
	result := s.resultOf(stream, call, outcome{answer, err})
	if result.Error != nil {
		carrier.Refuse(w, &carrier.Problem{Status: int(result.GetStatusCode()), Reason: result.GetError()})
		return
	}
	w.WriteHeader(int(result.GetStatusCode()))
}

// resultOf is what a client is told of a call.
func (s *server) resultOf(stream string, call *calls.Call, o outcome) *calls.APIResult {
	result, ok := o.answer.(*calls.APIResult)
	switch {
	case o.err != nil:
		return refusal(&carrier.Problem{Status: http.StatusServiceUnavailable, Reason: "the master did not answer: " + o.err.Error()})
	case !ok:
		return refusal(&carrier.Problem{Status: http.StatusServiceUnavailable, Reason: "No leader elected"})
	case result.GetStatusCode() == http.StatusMisdirectedRequest:
		return refusal(s.misdirected(stream, call.GetFrameworkId().GetValue()))
	}
	return result
}

func refusal(p *carrier.Problem) *calls.APIResult {
	return &calls.APIResult{StatusCode: proto.Uint32(uint32(p.Status)), Error: &p.Reason}
}

// misdirected says why a call is not of the framework's subscription.
func (s *server) misdirected(stream, framework string) *carrier.Problem {
	switch {
	case !s.subscriptions.of(framework):
		return &carrier.Problem{Status: http.StatusForbidden, Reason: "Framework is not connected via HTTP"}
	case stream == "":
		return carrier.BadRequest(streamHeader + ": is absent: every call but SUBSCRIBE has to name its subscription")
	}
	return carrier.BadRequest(fmt.Sprintf("%s: %q: is not the subscription of framework %s", streamHeader, stream, framework))
}

// ask asks the master for a call, through the gateway of a stream. Without one,
// or with one of somebody else, the master is asked all the same: only it knows
// what is wrong first.
func (s *server) ask(ctx context.Context, stream string, call *calls.Call) (proto.Message, error) {
	principal, _ := guard.PrincipalOf(ctx)
	if sub := s.subscriptions.find(stream); sub != nil && sub.principal == principal.Name {
		answer, err, asked := s.askThrough(ctx, sub, call)
		if asked {
			return answer, err
		}
	}
	return s.sys.Ask(actors.AskedFor(ctx, principal.Name), s.options.Master, call)
}

// outcome is what a question came to.
type outcome struct {
	answer proto.Message
	err    error
}

// askThrough asks the master in the name of a subscription; asked is false when
// that ended first. TEARDOWN ends the stream.
func (s *server) askThrough(ctx context.Context, sub *subscription, call *calls.Call) (answer proto.Message, err error, asked bool) {
	result := make(chan outcome, 1)
	ok := s.sys.Do(sub.gateway, func(c *actors.Context) {
		c.Ask(s.options.Master, call, s.options.Timeout, func(answer proto.Message, err error) {
			result <- outcome{answer, err}
			stopAfter(c, call, answer)
		})
	})
	if !ok {
		return nil, nil, false
	}
	select {
	case o := <-result:
		return o.answer, o.err, true
	case <-ctx.Done():
		return nil, context.Cause(ctx), true
	case <-sub.over:
	}
	select { // the last it did may have been to answer
	case o := <-result:
		return o.answer, o.err, true
	default:
		return nil, nil, false
	}
}
