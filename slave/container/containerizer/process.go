package containerizer

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"troupe/slave/container"
	"troupe/slave/container/isolator"
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

// Launch starts a program in the container; see container.Launcher.
func (c *Container) Launch(s container.Spec) (*Process, error) {
	if c.means.Exits != "" && c.parent == nil && !s.Guest {
		s.Status = filepath.Join(c.means.Exits, c.name())
	}
	return c.launch(s, &c.plan)
}

// aside starts a program that is not the container's own, but counts as its: it
// sees the machine as it is.
func (c *Container) aside(s container.Spec) (container.Process, error) {
	p, err := c.launch(s, &plan.Plan{Cgroups: c.plan.Cgroups, Kill: c.plan.Kill})
	if err != nil {
		return nil, err // not a nil *Process in an interface
	}
	return p, nil
}

func (c *Container) launch(s container.Spec, with *plan.Plan) (*Process, error) {
	p := &Process{done: make(chan struct{})}
	c.mu.Lock()
	if c.ending {
		c.mu.Unlock()
		return nil, errEnding
	}
	c.starting.Add(1)
	c.mu.Unlock()
	defer c.starting.Done()
	var err error
	if with.Plain() {
		s.Env = override(s.Env, with.Env)
		p.Process, err = c.containerizer.options.Plain.Launch(s)
	} else {
		p.Process, err = c.containerizer.options.Confined.Launch(s, c.told(), with)
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.running[p] = true
	c.mu.Unlock()
	go c.await(p)
	return p, nil
}

// await finds out what a program ended for.
func (c *Container) await(p *Process) {
	<-p.Process.Done()
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
