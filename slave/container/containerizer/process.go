package containerizer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"troupe/messages/mesos"
	"troupe/slave/container"
	"troupe/slave/container/isolator"
	"troupe/slave/container/linux"
	"troupe/slave/container/plan"
)

// Process is a program in a container.
type Process struct {
	container.Process
	done  chan struct{}
	limit *isolator.Limit // valid after done
}

// Done is closed when the program and all it started are gone, and it is known
// whether a limit was the cause.
func (p *Process) Done() <-chan struct{} { return p.done }

// Limit is what its container, or one around that, had run into by its end; nil
// if nothing. Valid after Done is closed.
func (p *Process) Limit() *isolator.Limit { return p.limit }

// Launch starts a program in the container; see container.Launcher. A guest
// (container.Spec.Guest) runs beside the container's own program, in what that
// sees, and is held to the same.
func (c *Container) Launch(s container.Spec) (*Process, error) {
	with, where := c.plan, c.around
	if c.place() != nil || s.Guest && !c.bare() {
		// The namespaces are there, with all that was mounted.
		with.New, with.Mounts, with.Root, with.Hostname, with.Devices, where = 0, nil, "", "", nil, c.at
	}
	if s.Guest {
		if err := c.furnish(s, &with); err != nil {
			return nil, err
		}
	}
	if !s.Guest || c.bare() {
		return c.launch(s, with, where, func() error { return nil })
	}
	with.Logs = nil
	within, err := c.group(&with)
	if err != nil {
		return nil, err
	}
	p, err := c.launch(s, with, where, func() error { return c.ungroup(within) })
	if err != nil {
		return nil, errors.Join(err, c.ungroup(within))
	}
	return p, nil
}

// furnishWait bounds how long a guest waits for what it is to be given.
const furnishWait = 10 * time.Second

// furnish gives a guest the secrets of its own environment, which comes before the
// container's secrets.
func (c *Container) furnish(s container.Spec, with *plan.Plan) error {
	if s.Own == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), furnishWait)
	defer cancel()
	with.Env = slices.DeleteFunc(slices.Clone(with.Env), func(kv string) bool {
		return slices.ContainsFunc(s.Own.GetVariables(), func(v *mesos.Environment_Variable) bool { return v.GetName() == nameOf(kv) })
	})
	info := *c.told()
	info.Command = &mesos.CommandInfo{Environment: s.Own}
	return c.means.Isolators.Furnish(ctx, &info, with)
}

// bare tells that nothing of the container, and of what it is in, takes an init.
func (c *Container) bare() bool {
	for at := c; at != nil; at = at.parent {
		if !at.plan.Plain() {
			return false
		}
	}
	return true
}

// group gives a guest a group of its own in the container's, by which nothing of it
// escapes its end.
func (c *Container) group(with *plan.Plan) (*isolator.Container, error) {
	c.mu.Lock()
	c.guests++
	told, number := c.info, c.guests
	c.mu.Unlock()
	within := &isolator.Container{
		ID: append(slices.Clone(told.ID), "guest."+strconv.Itoa(number)), Parent: told, Sandbox: told.Sandbox, User: told.User, Shared: true,
	}
	with.Kill = ""
	return within, c.means.Isolators.Killers().Prepare(context.Background(), within, with)
}

// ungroup ends what is left of a guest.
func (c *Container) ungroup(within *isolator.Container) error {
	ctx, cancel := context.WithTimeout(context.Background(), undoWait)
	defer cancel()
	killers := c.means.Isolators.Killers()
	return errors.Join(killers.Kill(ctx, within), killers.Cleanup(ctx, within))
}

// aside starts a program that is not the container's own, but counts as its: it
// sees the machine as it is.
func (c *Container) aside(s container.Spec) (container.Process, error) {
	with := plan.Plan{Cgroups: c.plan.Cgroups, Kill: c.plan.Kill}
	p, err := c.launch(s, with, func() (*linux.Container, error) { return nil, nil }, func() error { return nil })
	if err != nil {
		return nil, err // not a nil *Process in an interface
	}
	return p, nil
}

// around is where the container's own program begins: in what the container is in.
func (c *Container) around() (*linux.Container, error) {
	if c.parent == nil {
		return nil, nil
	}
	return c.parent.at()
}

// at is where what is in the container begins. One that has namespaces and no
// program yet has somebody hold them.
func (c *Container) at() (*linux.Container, error) {
	c.holding <- struct{}{}
	defer func() { <-c.holding }()
	if inner := c.place(); inner != nil || c.plan.New == 0 {
		if inner != nil {
			return inner, nil
		}
		return c.around()
	}
	in, err := c.around()
	if err != nil {
		return nil, err
	}
	held, err := c.containerizer.options.Confined.Hold(c.told().Sandbox, c.plan, in)
	if err != nil {
		return nil, err
	}
	c.settle(held)
	return held, nil
}

func (c *Container) place() *linux.Container {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inner
}

// settle knows where the container is; the first counts.
func (c *Container) settle(inner *linux.Container) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		c.inner = inner
	}
}

func (c *Container) launch(s container.Spec, with plan.Plan, where func() (*linux.Container, error), after func() error) (*Process, error) {
	c.mu.Lock()
	if c.ending {
		c.mu.Unlock()
		return nil, errEnding
	}
	c.starting.Add(1)
	c.mu.Unlock()
	defer c.starting.Done()
	p := &Process{done: make(chan struct{})}
	var err error
	if c.containerizer.options.Confined == nil {
		s.Env = override(s.Env, with.Env)
		p.Process, err = c.containerizer.options.Plain.Launch(s)
	} else {
		p.Process, err = c.confine(s, with, where)
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.running[p] = true
	c.mu.Unlock()
	go c.await(p, after)
	return p, nil
}

func (c *Container) confine(s container.Spec, with plan.Plan, where func() (*linux.Container, error)) (container.Process, error) {
	in, err := where()
	if err != nil {
		return nil, err
	}
	if !s.Guest && !with.Plain() {
		if s.Status, err = c.record(); err != nil {
			return nil, err
		}
	}
	p, err := c.containerizer.options.Confined.Launch(s, with, in)
	if err != nil {
		return nil, err
	}
	if under, is := p.(*linux.Process); is && !s.Guest && with.New != 0 {
		c.settle(under.Container())
	}
	return p, nil
}

// record is where the init of the container's own program records how that ends;
// empty for nowhere.
func (c *Container) record() (string, error) {
	told := c.told()
	if c.means.Record == nil || c.parent != nil && told.Task == "" {
		return "", nil
	}
	path := c.means.Record(told.ID[0], told.Task)
	if told.Task == "" {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("record of how task %q ends: %w", told.Task, err)
	}
	return path, nil
}

// await goes on when a program has ended, and finds out what for.
func (c *Container) await(p *Process, after func() error) {
	<-p.Process.Done()
	if err := after(); err != nil {
		c.containerizer.options.Report(fmt.Errorf("container %s: %w", c.name(), err))
	}
	p.limit = c.cause(p.Exit().Status)
	c.mu.Lock()
	delete(c.running, p)
	c.mu.Unlock()
	close(p.done)
}

// cause is the limit that a program's end is due to. One that ended well has run
// into none; for others the kernel is asked, whose news may be on its way only.
func (c *Container) cause(status int) *isolator.Limit {
	for at := c; at != nil && status != 0; at = at.parent {
		if at.Limit() == nil {
			l, err := at.means.Isolators.Check(at.told())
			if err != nil {
				c.containerizer.options.Report(fmt.Errorf("container %s: %w", at.name(), err))
			}
			at.exceed(l)
		}
		if l := at.Limit(); l != nil {
			return l
		}
	}
	return nil
}

// override puts variables on top of env, which is not changed.
func override(env, variables []string) []string {
	if len(variables) == 0 {
		return env
	}
	out := make([]string, 0, len(env)+len(variables))
	for _, kv := range env {
		if !slices.ContainsFunc(variables, func(v string) bool { return nameOf(v) == nameOf(kv) }) {
			out = append(out, kv)
		}
	}
	return append(out, variables...)
}

func nameOf(kv string) string {
	name, _, _ := strings.Cut(kv, "=")
	return name
}
