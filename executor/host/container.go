package host

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor"
	"troupe/executor/command"
	"troupe/executor/nested"
	"troupe/executor/pod"
	"troupe/executor/program"
	"troupe/executor/volume"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

// container is one that the host holds, or whose end the agent has not yet
// acknowledged.
type container struct {
	id *mesos.ContainerID
	box
	// spec is what containers below it begin with.
	spec program.Spec
	// waiters are told of its end.
	waiters []func(nested.End)
	// process is that of a custom executor; nil before it runs, and for others.
	process program.Process
	// kill ends a built-in executor at once, and mute keeps it from telling of it.
	kill, mute func()
	// doomed: it is to end as soon as it runs.
	doomed bool
	// closing: it has ended, and what is below it is being ended.
	closing bool
	// unreported: nobody is to be told of its end.
	unreported bool
	// end is set once nothing of it is left.
	end *cluster.ContainerEnded
}

// pid is absent for executors without a process of their own.
func (c *container) pid() *int32 {
	if c.process == nil {
		return nil
	}
	return proto.Int32(int32(c.process.Pid()))
}

// groups is what its tasks are told of its control groups; nil if nothing.
func (c *container) groups() *mesos.CgroupInfo {
	if c.made == nil {
		return nil
	}
	return c.made.Groups()
}

// launched says that it runs.
func (c *container) launched() *cluster.ContainerLaunched {
	return &cluster.ContainerLaunched{ContainerId: c.id, Pid: c.pid(), CgroupInfo: c.groups()}
}

func (c *container) destroy() {
	c.doomed = true
	switch {
	case c.abort != nil:
		c.abort()
	case c.process != nil:
		c.process.Kill(0)
	case c.kill != nil:
		c.kill()
	}
}

// builtin is an executor of ours.
type builtin interface {
	executor.Handler
	Destroy()
}

func (h *Host) ids() []string { return slices.Sorted(maps.Keys(h.containers)) }

// launch starts a container, or says again what became of it.
func (h *Host) launch(m *cluster.LaunchContainer) {
	id := m.GetContainerId().GetValue()
	if c := h.containers[id]; c != nil {
		switch {
		case c.end != nil:
			h.send(c.end)
		case c.process != nil || c.kill != nil:
			h.send(c.launched())
		}
		return
	}
	c := &container{id: m.GetContainerId(), spec: below(m)}
	h.containers[id] = c
	err := check(m)
	if err == nil && h.leaving {
		err = fmt.Errorf("host %q is stopping", h.options.HostID)
	}
	if err != nil {
		h.end(c, nil, "launch container: "+err.Error())
		return
	}
	h.open(c, m)
}

// opened goes on with a container that was made.
func (h *Host) opened(c *container, m *cluster.LaunchContainer) {
	switch {
	case c.doomed:
		h.end(c, nil, "launch container: it was ended before it began")
	case m.GetKind() == cluster.LaunchContainer_CUSTOM:
		h.launchCustom(c, m)
	case m.GetKind() == cluster.LaunchContainer_DEFAULT:
		h.launchDefault(c, m)
	default:
		if err := h.launchBuiltIn(c, m); err != nil {
			h.end(c, nil, "launch container: "+err.Error())
		}
	}
}

// launchCustom runs a framework's executor as a child process.
func (h *Host) launchCustom(c *container, m *cluster.LaunchContainer) {
	spec := c.in(base(m))
	h.context.Go(func(context.Context) func() {
		started, err := h.startCustom(spec, m)
		if err != nil {
			return func() { h.end(c, nil, "launch executor: "+err.Error()) }
		}
		return func() {
			h.nest.Adopt(c.id, started)
			h.customLaunched(c, started.Process)
		}
	})
}

// startCustom is called off the host's queue.
func (h *Host) startCustom(spec program.Spec, m *cluster.LaunchContainer) (nested.Started, error) {
	if err := furnish(spec, m); err != nil {
		return nested.Started{}, err
	}
	spec.Secrets = spec.Container != nil
	spec, err := program.ForCommand(spec, m.GetExecutor().GetCommand())
	if err != nil {
		return nested.Started{}, err
	}
	return nested.Start(h.options.Containers, program.OnTerminal(spec, m.GetExecutor().GetContainer()))
}

// furnish makes what an executor's ContainerInfo asks for; that of a command
// task's is its task's, whose launch does it.
func furnish(in program.Spec, m *cluster.LaunchContainer) error {
	if program.Mounts(in) {
		return nil
	}
	return field.In("executor", volume.LinkIn(m.GetSandbox(), m.GetExecutor().GetContainer()))
}

func (h *Host) customLaunched(c *container, p program.Process) {
	c.process = p
	h.context.Go(func(ctx context.Context) func() {
		select {
		case <-p.Done():
			return func() {
				c.limited(p.Limit())
				h.close(c, proto.Int32(int32(p.Status())), tasks.Describe(p.Status()))
			}
		case <-ctx.Done():
			return nil
		}
	})
	if c.doomed {
		p.Kill(0)
		return
	}
	h.send(c.launched())
}

// launchDefault furnishes the container of an executor of ours before it begins.
func (h *Host) launchDefault(c *container, m *cluster.LaunchContainer) {
	spec := c.in(base(m))
	h.context.Go(func(context.Context) func() {
		err := furnish(spec, m)
		return func() {
			if err == nil {
				err = h.launchBuiltIn(c, m)
			}
			if err != nil {
				h.end(c, nil, "launch container: "+err.Error())
			} else if c.doomed {
				c.kill()
			}
		}
	})
}

// launchBuiltIn spawns an executor of ours.
func (h *Host) launchBuiltIn(c *container, m *cluster.LaunchContainer) error {
	var a *executor.Actor
	gone := func() {
		a.Stop()
		h.system.Do(h.context.Self(), func(*actors.Context) { h.close(c, proto.Int32(0), "") })
	}
	var x builtin
	if m.GetKind() == cluster.LaunchContainer_DEFAULT {
		x = pod.New(c.in(base(m)), crew{h, c}, gone)
	} else {
		x = command.New(c.in(base(m)), crew{h, c}, gone)
	}
	a, err := executor.NewActor(h.system, executor.Config{
		FrameworkID: m.GetFramework().GetId().GetValue(), ExecutorID: m.GetExecutor().GetExecutorId().GetValue(),
		Agent: h.options.Agent, Sandbox: m.GetSandbox(), ShutdownGracePeriod: executor.ShutdownGrace(m.GetEnvironment()),
		RecoveryTimeout: h.options.RecoveryTimeout, SubscriptionBackoffMax: h.options.ReconnectMax,
	}, x)
	if err != nil {
		return err
	}
	c.kill = func() { a.Driver().Do(x.Destroy) }
	c.mute = func() { a.Driver().Do(a.Mute) }
	if c.limit != nil {
		a.Mute() // it has not begun
	}
	if _, err := h.system.Spawn("executor/"+c.id.GetValue(), a); err != nil {
		c.kill = nil
		return err
	}
	h.send(c.launched())
	return nil
}

// destroy ends a container. One that is not there has ended.
func (h *Host) destroy(id *mesos.ContainerID) {
	c := h.containers[id.GetValue()]
	switch {
	case c == nil && h.nest.Dismiss(id):
	case c == nil:
		h.send(endOf(id, nil, "no such container"))
	case c.end != nil:
		h.send(c.end)
	default:
		c.destroy()
	}
}

// end removes what was made for a container in which nothing runs any more, and
// tells the agent that nothing of it is left, until it has heard.
func (h *Host) end(c *container, status *int32, message string) {
	c.closing = true
	h.discard(c, func() { h.tell(c, status, message) })
}

// tell is for one of which nothing is left.
func (h *Host) tell(c *container, status *int32, message string) {
	if c.end != nil {
		return
	}
	c.end = endOf(c.id, status, message)
	c.end.Limit = c.limit
	for _, tell := range c.waiters {
		tell(nested.End{Status: status, Message: message, Limit: c.limit})
	}
	c.waiters = nil
	if c.unreported {
		h.forget(c.id.GetValue())
		return
	}
	h.log.Debug("container has ended", zap.String("container", c.id.GetValue()), zap.String("message", message))
	if h.accepted {
		h.send(c.end)
	}
	if h.repeat == nil {
		h.repeat = h.context.Every(repeatEvery, h.repeatEnds)
	}
}

// repeatEnds says again what the agent has not acknowledged.
func (h *Host) repeatEnds() {
	open := false
	for _, id := range h.ids() {
		if c := h.containers[id]; c.end != nil {
			if h.accepted {
				h.send(c.end)
			}
			open = true
		}
	}
	if !open && h.repeat != nil {
		h.repeat.Stop()
		h.repeat = nil
	}
}

func (h *Host) acknowledged(id string) {
	if c := h.containers[id]; c != nil && c.end != nil {
		h.forget(id)
	}
}

func (h *Host) forget(id string) {
	delete(h.containers, id)
	if h.empty() && !h.linked {
		h.leave(fmt.Errorf("%w, and nothing is left of it", ErrAgentGone))
	}
	h.leaveIfEmpty()
}
