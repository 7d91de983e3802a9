package executor

import (
	"net/http"
	"sync"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/mesos/executor"
	"troupe/messages/validate"
	"troupe/slave/state/view"
)

// Router is where routes are mounted: an actor system.
type Router interface {
	Route(pattern, help string, h http.Handler)
}

// View is the read side of the agent. Its methods do not wait for the agent.
type View interface {
	// Agent has no Info before the agent has begun.
	Agent() *view.Agent
	// Executor is nil when there is none of that id, or it has ended.
	Executor(f view.FrameworkID, e view.ExecutorID) *view.Executor
}

// System is the actor system that the agent's actor lives in.
type System interface {
	Spawn(name string, a actors.Actor, o ...actors.SpawnOption) (actors.PID, error)
	Do(to actors.PID, f func(*actors.Context)) bool
}

// server answers requests.
type server struct {
	system System
	agent  actors.PID
	view   View

	mu       sync.Mutex
	gateways map[key]*gateway // the newest subscriptions
}

// key names an executor of the agent.
type key struct {
	framework view.FrameworkID
	executor  view.ExecutorID
}

// Mount mounts the API at /api/v1/executor, and where Mesos has it as well,
// under the agent's name there.
func Mount(r Router, s System, agent actors.PID, v View) {
	h := &server{system: s, agent: agent, view: v, gateways: map[key]*gateway{}}
	for _, prefix := range []string{"", "/slave(1)"} {
		r.Route(prefix+"/api/v1/executor", "what executors say, and the stream of what they are told", h)
	}
}

func keyOf(c *executor.Call) key {
	return key{view.FrameworkID(c.GetFrameworkId().GetValue()), view.ExecutorID(c.GetExecutorId().GetValue())}
}
