package host

import (
	"path/filepath"
	"syscall"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/executor/nested"
	"troupe/executor/program"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// handleVisits passes on what clients of the agent's HTTP API ask and say.
func (h *Host) handleVisits(c *actors.Context) {
	actors.Handle(c, func(_ *actors.Context, m *cluster.ContainerCall) {
		h.fromAgent(m, func() { h.visited(m) })
	})
	actors.Handle(c, func(c *actors.Context, m *cluster.ContainerOutputTaken) {
		h.fromAgent(m, func() { h.nest.Taken(c.Sender()) })
	})
	actors.Handle(c, func(c *actors.Context, m *cluster.ContainerInput) {
		h.fromAgent(m, func() { h.nest.Input(c.Sender(), m.GetIo()) })
	})
	actors.Handle(c, func(c *actors.Context, m *cluster.ContainerInputLeave) {
		h.fromAgent(m, func() { h.nest.Leave(c.Sender()) })
	})
}

// visited does what a visitor asks for, who must be of the agent's process.
func (h *Host) visited(m *cluster.ContainerCall) {
	visitor, err := address.Parse(m.GetVisitor())
	if err != nil || visitor.Address != h.options.Agent.Address {
		h.log.Warn("call for somebody who is not the agent's", zap.String("visitor", m.GetVisitor()))
		return
	}
	h.nest.Call(visitor, m)
}

// close ends what is below a container that has ended, before anybody is told.
func (h *Host) close(c *container, status *int32, message string) {
	if c.closing {
		return
	}
	c.closing = true
	h.nest.End(c.id.GetValue(), func() { h.end(c, status, message) })
}

func (h *Host) empty() bool { return len(h.containers) == 0 && h.nest.Empty() }

func (h *Host) removed(id *mesos.ContainerID) {
	h.send(&cluster.ContainerRemoved{ContainerId: id})
	if h.empty() && !h.linked {
		h.leave(ErrAgentGone)
	}
	h.leaveIfEmpty()
}

// root is the container of an executor as containers below it know it.
func (h *Host) root(id string) nested.Root {
	c := h.containers[id]
	if c == nil || c.end != nil {
		return nil
	}
	return c
}

// Spec implements nested.Root.
func (c *container) Spec() program.Spec { return c.spec }

// Over implements nested.Root: what has no process yet has no sandbox of its
// own to share either.
func (c *container) Over() bool {
	return c.end != nil || c.closing || c.doomed || c.process == nil && c.kill == nil
}

// Await implements nested.Root.
func (c *container) Await(then func(nested.End)) {
	c.waiters = append(c.waiters, then)
}

// Signal implements nested.Root. Executors of ours have no process to take any
// signal but SIGKILL.
func (c *container) Signal(s syscall.Signal) {
	if s == syscall.SIGKILL || c.process == nil {
		c.destroy()
		return
	}
	c.process.Signal(s)
}

// below is what containers below an executor's begin with: what its program, or
// that of its task, has.
func below(m *cluster.LaunchContainer) program.Spec {
	s := base(m)
	s.Env = program.Merge(s.Env, program.Environment(m.GetExecutor().GetCommand().GetEnvironment())...)
	return s
}

// crew launches the tasks of a container, and makes them known to those who look
// into it.
type crew struct {
	host      *Host
	container *container
}

// Launch implements program.Launcher. A guest is a check of a task.
func (l crew) Launch(s program.Spec) (program.Process, error) {
	if s.Guest {
		return l.host.options.Containers.Launch(s)
	}
	started, err := nested.Start(l.host.options.Containers, s)
	if err != nil {
		return nil, err
	}
	l.host.system.Do(l.host.context.Self(), func(*actors.Context) { l.host.nest.Adopt(l.idOf(s), started) })
	return started.Process, nil
}

// idOf is the container of a task: that of its executor, or, of a group's, one
// below it that has its sandbox there.
func (l crew) idOf(s program.Spec) *mesos.ContainerID {
	if s.Dir == l.container.spec.Dir {
		return l.container.id
	}
	name := filepath.Base(s.Dir)
	return &mesos.ContainerID{Value: &name, Parent: l.container.id}
}
