package slave

import (
	"context"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/slave/state"
)

// performDevice performs what the outside world has a part in.
func (a *Agent) performDevice(c *actors.Context, effect state.Effect) {
	switch e := effect.(type) {
	case state.MakeSandbox:
		a.makeSandbox(c, e)
	case state.MakeVolumes:
		a.changeVolumes(c, e.Operation, func() error { return a.options.Volumes.Make(e.Volumes) })
	case state.RemoveVolumes:
		a.changeVolumes(c, e.Operation, func() error { return a.options.Volumes.Remove(e.Volumes) })
	case state.LinkVolumes:
		c.Go(func(context.Context) func() {
			err := a.options.Volumes.Link(e.Sandbox, e.Links)
			return func() { a.step(c, state.VolumesLinked{Container: e.Container, Launch: e.Launch, Err: err}) }
		})
	case state.RetireSandbox:
		a.options.Sandboxes.Retire(a.sandbox(e.Framework, e.Executor, e.Container), time.Now())
	case state.RetireStandalone:
		a.options.Sandboxes.Retire(a.options.Sandboxes.Standalone(string(e.Container)), time.Now())
	case state.ForgetExit:
		a.options.Sandboxes.ForgetExit(string(e.Container), string(e.Task))
	case state.RetireInner:
		a.retireInner(e)
	case state.StartHost:
		a.keep(c, e.Host, func() (HostProcess, error) {
			return a.options.Processes.StartHost(c.Self(), string(e.Host))
		})
	case state.WatchHost:
		a.keep(c, e.Host, func() (HostProcess, error) {
			return a.options.Processes.WatchHost(int(e.Pid), e.Started)
		})
	case state.KillHost:
		a.killHost(e.Host)
	default:
		a.performSweep(c, effect)
	}
}

func (a *Agent) retireInner(e state.RetireInner) {
	path := filepath.Join(e.Around, e.Inner)
	switch {
	case e.Reclaimed:
		a.options.Sandboxes.Reclaim(path)
	case e.Inner == "":
		a.options.Sandboxes.Reclaim(path) // else it would wait twice
		a.options.Sandboxes.Retire(path, e.Since)
	default:
		a.options.Sandboxes.RetireInner(e.Around, e.Inner, e.Since)
	}
}

// performSweep performs what concerns containers that have no host. What cannot be
// ended or removed nobody can, and the agent goes on.
func (a *Agent) performSweep(c *actors.Context, effect state.Effect) {
	switch e := effect.(type) {
	case state.Sweep:
		c.Go(func(ctx context.Context) func() {
			exits, err := a.options.Processes.Sweep(ctx, e.Containers)
			return func() {
				a.complain("Something of the containers of a lost host is left", err, zap.String("host", string(e.Host)))
				a.step(c, state.Swept{Host: e.Host, Exits: exits})
			}
		})
	case state.FindStrays:
		c.Go(func(ctx context.Context) func() {
			found, err := a.options.Processes.Strays(ctx)
			return func() {
				a.complain("Not all containers of earlier agents were found", err)
				a.step(c, state.StraysFound{Containers: found})
			}
		})
	case state.RemoveStrays:
		c.Go(func(ctx context.Context) func() {
			_, err := a.options.Processes.Sweep(ctx, e.Containers)
			return func() { a.complain("Something of containers that nobody has is left", err) }
		})
	}
}

func (a *Agent) complain(about string, err error, fields ...zap.Field) {
	if err != nil {
		a.log.Error(about, append(fields, zap.Error(err))...)
	}
}

func (a *Agent) sandbox(f state.FrameworkID, e state.ExecutorID, container state.ContainerID) string {
	return a.options.Sandboxes.Run(a.machine.ID(), string(f), string(e), string(container))
}

func (a *Agent) makeSandbox(c *actors.Context, e state.MakeSandbox) {
	agent := a.machine.ID()
	c.Go(func(context.Context) func() {
		_, err := a.options.Sandboxes.Make(agent, string(e.Framework), string(e.Executor), string(e.Container), e.User)
		return func() { a.step(c, state.SandboxMade{Container: e.Container, Err: err}) }
	})
}

func (a *Agent) changeVolumes(c *actors.Context, id state.OperationID, change func() error) {
	c.Go(func(context.Context) func() {
		err := change()
		return func() { a.step(c, state.VolumesChanged{Operation: id, Err: err}) }
	})
}

// keep spawns the keeper of a host.
func (a *Agent) keep(c *actors.Context, id state.HostID, start func() (HostProcess, error)) {
	ended := func(message string) {
		a.sys.Do(c.Self(), func(c *actors.Context) {
			delete(a.keepers, id)
			a.step(c, state.HostEnded{Host: id, Message: message})
		})
	}
	started := func(p HostProcess) {
		a.later(state.HostStarted{Host: id, Pid: int32(p.Pid()), Started: p.Started()})
	}
	k := &keeper{start: start, started: started, ended: ended}
	a.keepers[id] = k
	if _, err := c.Spawn(keepers+string(id), k); err != nil {
		ended(err.Error())
	}
}

// killHost has the keeper kill its host; one that nobody keeps has ended.
func (a *Agent) killHost(id state.HostID) {
	k := a.keepers[id]
	if k == nil || !a.sys.Do(a.sys.PID(keepers+string(id)), k.kill) {
		a.later(state.HostEnded{Host: id, Message: "nobody keeps it"})
	}
}
