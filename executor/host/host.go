package host

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor/nested"
	"troupe/executor/program"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// Name is the name of a host's actor in its system.
const Name = "host"

const (
	// reconnectMax bounds the wait before each attempt to reach a lost agent.
	reconnectMax = 2 * time.Second
	// greetEvery is the pace of HostReady, until the agent has taken the host in.
	greetEvery = time.Second
	// repeatEvery is the pace at which the news of ended containers is repeated.
	repeatEvery = 5 * time.Second
)

// ErrAgentGone ends a host whose agent did not come back in time.
var ErrAgentGone = errors.New("agent is gone")

// Host is the actor that an agent gives containers to.
type Host struct {
	options    Options
	system     *actors.System
	context    *actors.Context
	log        *zap.Logger
	containers map[string]*container
	nest       *nested.Nest
	// done is told, once, that the host has ended.
	done func(error)

	linked   bool
	accepted bool          // the agent has taken the host in, on this link
	recovery *actors.Timer // runs while the agent is away
	greeting *actors.Timer // runs while the agent has not answered HostReady
	repeat   *actors.Timer // runs while news of ended containers is not acknowledged
	leaving  bool          // ends once no container is left
	reason   error         // why it leaves
	ended    bool
}

// New makes a host for s to spawn as Name. done is called once, in the host's
// queue, when the host has ended and holds no process any more.
func New(s *actors.System, o Options, done func(error)) *Host {
	return &Host{options: o.withDefaults(), system: s, containers: map[string]*container{}, done: done}
}

// Init connects to the agent. It is called by the system.
func (h *Host) Init(c *actors.Context) {
	h.context, h.log = c, c.Log()
	h.nest = nested.New(c, nested.Options{System: h.system, Containers: h.options.Containers, Root: h.root, Removed: h.removed, Retired: func(r *cluster.SandboxRetired) { h.send(r) }})
	actors.Handle(c, func(_ *actors.Context, m *cluster.HostReadyAck) {
		h.fromAgent(m, h.takenIn)
	})
	actors.Handle(c, func(_ *actors.Context, m *cluster.LaunchContainer) {
		h.fromAgent(m, func() { h.launch(m) })
	})
	actors.Handle(c, func(_ *actors.Context, m *cluster.UpdateContainer) {
		h.fromAgent(m, func() { h.update(m.GetContainerId(), m.GetAmounts()) })
	})
	actors.Handle(c, func(_ *actors.Context, m *cluster.DestroyContainer) {
		h.fromAgent(m, func() { h.destroy(m.GetContainerId()) })
	})
	actors.Handle(c, func(_ *actors.Context, m *cluster.ContainerEndedAck) {
		h.fromAgent(m, func() { h.acknowledged(m.GetContainerId().GetValue()) })
	})
	actors.Handle(c, func(_ *actors.Context, m *cluster.StopHost) {
		h.fromAgent(m, func() { h.leave(nil) })
	})
	h.handleVisits(c)
	c.HandleExited(func(_ *actors.Context, e actors.Exited) {
		if e.PID == h.options.Agent {
			h.agentLost(e.Reason)
		} else {
			h.nest.Gone(e.PID)
		}
	})
	h.connect()
}

// fromAgent obeys a message of the agent's system and drops any other.
func (h *Host) fromAgent(m proto.Message, obey func()) {
	if from := h.context.Sender(); from.Address != h.options.Agent.Address {
		h.log.Warn("order from somebody who is not the agent",
			zap.Stringer("from", from), zap.String("type", string(m.ProtoReflect().Descriptor().Name())))
		return
	}
	h.reconnected()
	obey()
}

// connect reaches for the agent, and says who the host is and what it holds.
func (h *Host) connect() {
	if h.ended {
		return
	}
	h.linked, h.accepted = true, false
	h.context.Link(h.options.Agent)
	h.greeting.Stop()
	h.greeting = h.context.Every(greetEvery, h.greet)
	h.greet()
}

func (h *Host) greet() {
	ready := &cluster.HostReady{HostId: proto.String(h.options.HostID), Pid: proto.Int32(int32(os.Getpid()))}
	for _, id := range h.ids() {
		if c := h.containers[id]; c.end == nil {
			ready.Containers = append(ready.Containers, &cluster.HostedContainer{ContainerId: c.id, Pid: c.pid(), CgroupInfo: c.groups()})
		} else {
			ready.Ended = append(ready.Ended, c.end)
		}
	}
	for _, id := range h.nest.Standalone() {
		ready.Containers = append(ready.Containers, &cluster.HostedContainer{ContainerId: id, Standalone: proto.Bool(true)})
	}
	ready.Retired = h.nest.Retired()
	h.send(ready)
}

// takenIn: from here on the agent is told of ends as they come.
func (h *Host) takenIn() {
	h.accepted = true
	h.greeting.Stop()
	h.repeatEnds()
}

func (h *Host) agentLost(reason string) {
	h.linked, h.accepted = false, false
	h.greeting.Stop()
	if h.empty() {
		h.leave(fmt.Errorf("%w: %s", ErrAgentGone, reason))
		return
	}
	if h.recovery == nil {
		h.log.Warn("the agent is gone; waiting for it", zap.String("reason", reason),
			zap.Duration("for", h.options.RecoveryTimeout), zap.Int("containers", len(h.containers)))
		h.recovery = h.context.After(h.options.RecoveryTimeout, h.giveUp)
	}
	h.context.After(rand.N(h.options.ReconnectMax), h.connect)
}

// reconnected takes back that the agent is away.
func (h *Host) reconnected() {
	if !h.linked || h.recovery == nil {
		return
	}
	h.recovery.Stop()
	h.recovery = nil
	h.log.Info("the agent is back")
}

func (h *Host) giveUp() {
	if h.ended {
		return
	}
	h.log.Error("the agent did not come back; killing what it left", zap.Int("containers", len(h.containers)))
	h.Abort(fmt.Errorf("%w: it did not come back within %s", ErrAgentGone, h.options.RecoveryTimeout))
}

// Abort kills everything and ends the host. It is called in the host's queue.
func (h *Host) Abort(reason error) {
	for _, id := range h.ids() {
		c := h.containers[id]
		if c.end != nil {
			h.forget(id)
			continue
		}
		c.unreported = true
		c.destroy()
	}
	for _, id := range h.nest.Standalone() {
		h.nest.Dismiss(id)
	}
	h.leave(reason)
}

// leave ends the host once no container is left.
func (h *Host) leave(reason error) {
	if !h.leaving {
		h.leaving, h.reason = true, reason
	}
	h.leaveIfEmpty()
}

func (h *Host) leaveIfEmpty() {
	if h.leaving && !h.ended && h.empty() {
		h.ended = true
		h.recovery.Stop()
		h.greeting.Stop()
		h.done(h.reason)
	}
}

func (h *Host) send(m proto.Message) { h.context.Send(h.options.Agent, m) }

// check says what is wrong with an order to launch.
func check(m *cluster.LaunchContainer) error {
	if err := names.CheckID("container_id", m.GetContainerId().GetValue()); err != nil {
		return err
	}
	if !filepath.IsAbs(m.GetSandbox()) {
		return field.Invalid("sandbox", m.GetSandbox(), "is not an absolute path")
	}
	if m.GetKind() == cluster.LaunchContainer_CUSTOM && m.GetExecutor().GetCommand() == nil {
		return field.Missing("executor.command")
	}
	return nil
}

// base is what all programs of a container have in common.
func base(m *cluster.LaunchContainer) program.Spec {
	return program.Spec{
		Dir: m.GetSandbox(), User: m.GetUser(), Env: program.Environment(m.GetEnvironment()),
	}
}

// endOf is the news of a container's end.
func endOf(id *mesos.ContainerID, status *int32, message string) *cluster.ContainerEnded {
	e := &cluster.ContainerEnded{ContainerId: id, Status: status}
	if message != "" {
		e.Message = &message
	}
	return e
}
