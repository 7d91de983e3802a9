package executor

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"troupe/actors"
	"troupe/messages/carrier"
	"troupe/messages/carrier/guard"
	"troupe/messages/mesos/executor"
	"troupe/messages/validate"
	"troupe/slave/state/view"
)

// heartbeatEvery is the pace of HEARTBEAT events unless Options say another.
const heartbeatEvery = 30 * time.Minute

// Options are how executors are served. The zero value serves them as Mesos does.
type Options struct {
	// Heartbeat is the time between HEARTBEAT events; 0: 30 minutes.
	Heartbeat time.Duration
}

// System is the actor system that the agent's actor lives in, and that serves
// its port.
type System interface {
	Route(pattern, help string, h http.Handler)
	Spawn(name string, a actors.Actor, o ...actors.SpawnOption) (actors.PID, error)
	Do(to actors.PID, f func(*actors.Context)) bool
}

// View is the read side of the agent. Its methods do not wait for the agent.
type View interface {
	// Agent has no Info before the agent has begun.
	Agent() *view.Agent
	// Framework is nil when the agent has nothing of one of that id.
	Framework(f view.FrameworkID) *view.Framework
	// Executor is nil when there is none of that id, or it has ended.
	Executor(f view.FrameworkID, e view.ExecutorID) *view.Executor
}

// server answers requests.
type server struct {
	system System
	agent  actors.PID
	view   View
	intake carrier.Intake
	// heartbeat is the time between HEARTBEAT events.
	heartbeat time.Duration

	mu       sync.Mutex
	gateways map[key]actors.PID // of the newest subscriptions
}

// key names an executor of the agent.
type key struct {
	framework view.FrameworkID
	executor  view.ExecutorID
}

func keyOf(c *executor.Call) key {
	return key{view.FrameworkID(c.GetFrameworkId().GetValue()), view.ExecutorID(c.GetExecutorId().GetValue())}
}

// Mount mounts the API for the executors of an agent, at /api/v1/executor and,
// as Mesos has it too, under the name of the agent's actor there.
func Mount(s System, agent actors.PID, v View, o Options) {
	h := &server{system: s, agent: agent, view: v, heartbeat: cmp.Or(o.Heartbeat, heartbeatEvery), gateways: map[key]actors.PID{}}
	for _, prefix := range []string{"", "/slave(1)"} {
		s.Route(prefix+"/api/v1/executor", "what executors say, and a stream of what they are told", h)
	}
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.serve(w, r); err != nil {
		carrier.Refuse(w, err)
	}
}

// serve checks in the order that clients can observe.
func (s *server) serve(w http.ResponseWriter, r *http.Request) error {
	if s.view.Agent().Info == nil {
		return recovering()
	}
	call := new(executor.Call)
	if err := s.intake.Read(w, r, call); err != nil {
		return err
	}
	if err := validate.ExecutorCall(call); err != nil {
		return carrier.BadRequest("mesos.v1.executor.Call: " + err.Error())
	}
	switch call.GetType() {
	case executor.Call_SUBSCRIBE:
		form, err := carrier.Negotiate(r)
		if err != nil {
			return err
		}
		return s.subscribe(w, r, form, call)
	case executor.Call_HEARTBEAT:
		w.WriteHeader(http.StatusAccepted) // its ids need not name anybody
		return nil
	}
	if err := s.forward(r.Context(), call); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// forward gives a call to the agent, by the gateway of its executor. One that
// has subscribed is heard while the agent still waits for hosts.
func (s *server) forward(ctx context.Context, call *executor.Call) error {
	s.mu.Lock()
	gateway, subscribed := s.gateways[keyOf(call)]
	s.mu.Unlock()
	if !subscribed && s.view.Agent().Recovering {
		return recovering()
	}
	if err := s.known(ctx, call); err != nil {
		return err
	}
	if t := call.GetType(); subscribed && t != executor.Call_UPDATE && t != executor.Call_MESSAGE {
		return &carrier.Problem{Status: http.StatusNotImplemented, Reason: "type: " + t.String() + ": is no call that agents know"}
	}
	if !subscribed || !s.system.Do(gateway, func(c *actors.Context) { c.Send(s.agent, call) }) {
		return &carrier.Problem{Status: http.StatusForbidden, Reason: "Executor is not subscribed"}
	}
	return nil
}

func recovering() error {
	return &carrier.Problem{Status: http.StatusServiceUnavailable, Reason: "Agent has not finished recovery"}
}

// known checks that there is the executor of a call, and that it is the one
// that calls.
func (s *server) known(ctx context.Context, call *executor.Call) error {
	k := keyOf(call)
	e := s.view.Executor(k.framework, k.executor)
	switch {
	case e == nil && s.view.Framework(k.framework) == nil:
		return carrier.BadRequest("framework_id: " + string(k.framework) + ": Framework cannot be found")
	case e == nil:
		return carrier.BadRequest("executor_id: " + string(k.executor) + ": Executor cannot be found, of framework " + string(k.framework))
	}
	if p, proved := guard.PrincipalOf(ctx); proved {
		return checkClaims(p, e)
	}
	return nil
}

// checkClaims is a *carrier.Problem, 403, unless who calls is the executor.
func checkClaims(p guard.Principal, e *view.Executor) error {
	why := ""
	switch {
	case p.Claims["fid"] != string(e.Framework):
		why = "an 'fid' claim with the framework ID " + string(e.Framework) + ", which is set in the call"
	case p.Claims["eid"] != string(e.ID):
		why = "an 'eid' claim with the executor ID " + string(e.ID) + ", which is set in the call"
	case p.Claims["cid"] != string(e.Container):
		why = "a 'cid' claim with the correct active ContainerID"
	default:
		return nil
	}
	return &carrier.Problem{
		Status: http.StatusForbidden, Reason: "Authenticated principal '" + p.String() + "' does not contain " + why,
	}
}

// subscribe answers with the stream of a new gateway, which takes the place of
// an earlier one of the same executor.
func (s *server) subscribe(w http.ResponseWriter, r *http.Request, form carrier.Form, call *executor.Call) error {
	if err := s.known(r.Context(), call); err != nil {
		return err
	}
	k := keyOf(call)
	stream := carrier.NewStream(carrier.StreamOptions{
		Form: form, Heartbeat: event(executor.Event_HEARTBEAT), Interval: s.heartbeat, TooSlow: tooSlow(),
	})
	gateway, err := s.open(k, &gateway{agent: s.agent, subscribe: call, stream: stream})
	if err != nil {
		return err
	}
	defer s.close(k, gateway)
	if stream.Serve(w, r) != nil {
		panic(http.ErrAbortHandler) // so that the client sees that it lacks the end
	}
	return nil
}

// open spawns a gateway. The agent hears gateways in the order in which they
// take each other's place.
func (s *server) open(k key, g *gateway) (actors.PID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pid, err := s.system.Spawn("", g)
	if err != nil {
		return pid, err
	}
	if before, ok := s.gateways[k]; ok {
		s.stop(before)
	}
	s.gateways[k] = pid
	return pid, nil
}

// close ends a gateway whose stream has ended: to the agent the link to an
// executor broke.
func (s *server) close(k key, gateway actors.PID) {
	s.stop(gateway)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gateways[k] == gateway {
		delete(s.gateways, k)
	}
}

// stop does nothing to a gateway that has stopped.
func (s *server) stop(gateway actors.PID) {
	s.system.Do(gateway, func(c *actors.Context) { c.Stop() })
}
