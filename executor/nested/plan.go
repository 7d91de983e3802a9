package nested

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"troupe/executor/program"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/validate"
)

// containersFolder is where a sandbox has those of the containers below it, as
// Mesos has it.
const containersFolder = "containers"

// plan is what a launch is to do, off the host's queue.
type plan struct {
	base    program.Spec // without a program
	command *mesos.CommandInfo
	// The folder to make; nil for a session, which is a guest in its parent's.
	folder    *folder
	session   bool
	container *mesos.ContainerInfo // may be nil
	// in is the container that it is to be within; nil if it stands alone.
	in program.Container
	// id, isolation and amounts are for its own; a session has none.
	id        *mesos.ContainerID
	isolation []byte
	amounts   *cluster.ContainerAmounts
}

// plan says how to launch c, and finds its parent.
func (n *Nest) plan(c *cell, m *cluster.ContainerCall) (*plan, error) {
	l := validate.LaunchOf(m.GetCall())
	p := &plan{command: l.Command, session: l.Session, container: l.Container, id: c.id}
	if c.id.Parent == nil {
		p.isolation, p.amounts = m.GetIsolation(), program.Amounts(l.Resources, l.Limits)
		return p, p.alone(m)
	}
	below := 0
	for _, other := range n.cells {
		if other.root() == c.root() {
			below++
		}
	}
	if below >= maxBelow {
		return nil, field.Invalid("container_id", c.key, "is one too many: there are %d below %s; remove some that have ended", below, c.root())
	}
	parent, err := n.parentOf(c)
	if err != nil {
		return nil, err
	}
	p.amounts = program.AmountsOf(l.Container, l.Resources, l.Limits)
	p.within(parent, c.id.GetValue())
	return p, nil
}

// parentOf is what the parent runs.
func (n *Nest) parentOf(c *cell) (program.Spec, error) {
	key := validate.ContainerKey(c.id.Parent)
	if root := n.options.Root(key); root != nil && !root.Over() {
		return root.Spec(), nil
	}
	parent := n.cells[key]
	switch {
	case parent == nil || parent.exited || parent.doomed:
		return program.Spec{}, field.Invalid("container_id.parent", key, "does not run")
	case parent.spec.Guest:
		return program.Spec{}, field.Invalid("container_id.parent", key, "is a session, which has no containers below it")
	}
	c.parent = parent
	return parent.spec, nil
}

// alone is the plan for a container without a parent.
func (p *plan) alone(m *cluster.ContainerCall) error {
	if !filepath.IsAbs(m.GetSandbox()) {
		return field.Invalid("sandbox", m.GetSandbox(), "is not an absolute path")
	}
	p.base = program.Spec{Dir: m.GetSandbox(), Env: program.Merge(program.Environment(m.GetEnvironment()), "MESOS_SANDBOX="+m.GetSandbox())}
	if m.GetSwitchUser() {
		p.base.User = p.command.GetUser()
	}
	p.folder = &folder{within: filepath.Dir(m.GetSandbox()), dir: m.GetSandbox(), alone: true}
	return nil
}

// within is the plan for a container below another. A session shares all that
// its parent has; any other has a sandbox of its own, and of its parent's
// environment only where to find programs.
func (p *plan) within(parent program.Spec, name string) {
	p.base = program.Spec{Dir: parent.Dir, Within: cmp.Or(parent.Within, parent.Dir), Env: parent.Env, User: parent.User, Guest: p.session}
	if p.session {
		p.base.Container = parent.Container
		return
	}
	p.in = parent.Container
	p.base.Dir = filepath.Join(parent.Dir, containersFolder, name)
	p.base.Env = []string{"MESOS_SANDBOX=" + p.base.Dir}
	for _, v := range parent.Env {
		if strings.HasPrefix(v, "PATH=") || strings.HasPrefix(v, "MESOS_CONTAINER_IP=") {
			p.base.Env = append(p.base.Env, v)
		}
	}
	p.folder = &folder{within: p.base.Within, dir: p.base.Dir}
}

// run performs the plan; it is given up when ctx ends. Nothing is left of one that
// fails.
func (p *plan) run(ctx context.Context, l program.Containers) (s Started, made program.Container, err error) {
	base := p.base
	base.Secrets = p.contained() || p.session && base.Container != nil
	spec, err := program.ForCommand(base, p.command)
	if err != nil {
		return Started{}, nil, err
	}
	spec = program.OnTerminal(spec, p.container)
	if p.folder != nil {
		if err := p.folder.make(spec.User); err != nil {
			return Started{}, nil, fmt.Errorf("make the sandbox: %w", err)
		}
	}
	if made, err = p.contain(ctx, l, &spec); err == nil && made != nil {
		err = ctx.Err()
	}
	if err == nil {
		s, err = start(l, spec, p.session)
	}
	if err == nil {
		return s, made, nil
	}
	if made != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardWait)
		defer cancel()
		err = errors.Join(err, made.Destroy(undo))
	}
	if p.folder != nil {
		err = errors.Join(err, p.folder.remove())
	}
	return s, nil, err
}

// contained tells whether the program gets a container of its own.
func (p *plan) contained() bool { return !p.session && (p.id.Parent == nil || p.in != nil) }

// contain makes the container that the program is to run in; none for a session,
// and within one that is none itself.
func (p *plan) contain(ctx context.Context, l program.Containers, spec *program.Spec) (program.Container, error) {
	open := l.Open
	switch {
	case p.session:
		return nil, nil
	case p.id.Parent != nil && p.in == nil:
		if len(p.command.GetUris()) > 0 {
			return nil, field.Invalid("command.uris", nil, "cannot be fetched: its parent is in no container")
		}
		return nil, nil
	case p.in != nil:
		open = p.in.Nest
	}
	made, err := open(ctx, program.Contents{
		ID: p.id, Sandbox: spec.Dir, User: spec.User, Info: p.container, Command: p.command, Isolation: p.isolation, Amounts: p.amounts,
	})
	spec.Container = made
	return made, err
}
