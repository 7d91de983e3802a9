// Package containerizer makes containers: it has a set of isolators prepare
// them, fetches what their commands want, starts programs in them, watches
// their limits, and ends them with all that they hold. Wiring imports it, for
// executor hosts.
package containerizer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"troupe/slave/container"
	"troupe/slave/container/isolator"
	"troupe/slave/container/linux"
	"troupe/slave/container/plan"
)

// Confiner starts programs as plans say; see linux.Launcher.
type Confiner interface {
	Launch(s container.Spec, p plan.Plan, in *linux.Container) (container.Process, error)
	Hold(sandbox string, p plan.Plan, in *linux.Container) (*linux.Container, error)
}

var _ Confiner = (*linux.Launcher)(nil)

// Fetcher gets what the command of a container wants from elsewhere.
type Fetcher interface {
	// Fetch puts it into the container's sandbox, for its user. The process that
	// does it is started by start, in the container. Progress is told what takes
	// its time. An error names the URI; nothing goes on when ctx has ended it.
	Fetch(ctx context.Context, c *isolator.Container, start func(container.Spec) (container.Process, error), progress func(doing string)) error
}

// Means are what containers are made with; those within others use the same.
type Means struct {
	Isolators *isolator.Set
	// Fetcher is nil where nothing can be fetched.
	Fetcher Fetcher
	// Record is the file in which an init records how the program of a container ends
	// that is within no other or, where task is not empty, that of a task of a group
	// in it; nil: none does.
	Record func(container, task string) string
}

// Options are what programs are started by.
type Options struct {
	// Plain starts those whose containers want nothing.
	Plain container.Launcher
	// Confined starts all others; nil where there is none.
	Confined Confiner
	// Report is told of what went wrong behind somebody's back, from any goroutine.
	Report func(error)
}

// Containerizer makes containers. Safe for concurrent use.
type Containerizer struct {
	options Options
}

// New makes a containerizer.
func New(o Options) *Containerizer { return &Containerizer{o} }

// Open makes a container for c, which stays the caller's until then and is not to
// be changed after it. Nothing is left of an attempt that fails, or that ctx ends;
// the container lives on after ctx.
func (z *Containerizer) Open(ctx context.Context, m Means, c *isolator.Container, progress func(doing string)) (*Container, error) {
	return z.open(ctx, m, c, nil, progress)
}

func (z *Containerizer) open(ctx context.Context, m Means, info *isolator.Container, parent *Container, progress func(doing string)) (*Container, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := &Container{
		containerizer: z, means: m, info: info, parent: parent, abort: stop, turn: make(chan struct{}, 1), holding: make(chan struct{}, 1),
		below: map[*Container]bool{}, running: map[*Process]bool{}, limited: make(chan struct{}),
	}
	c.turn <- struct{}{} // whoever destroys it waits until this attempt has come to its end
	defer func() { <-c.turn }()
	if parent != nil {
		if err := parent.admit(c); err != nil {
			return nil, err
		}
	}
	err := m.Isolators.Prepare(ctx, info, &c.plan)
	if err != nil {
		c.vanish()
		return nil, err
	}
	status, err := m.Isolators.Status(info)
	if err != nil { // it is held to all that it should be
		z.options.Report(fmt.Errorf("container %s: %w", c.name(), err))
	}
	c.groups = status.CgroupInfo
	if err = z.furnish(ctx, c, progress); err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = c.hold() // the one around may have been given more meanwhile
	}
	if err == nil {
		return c, nil
	}
	if l := c.Limit(); l != nil {
		err = &LimitError{l}
	}
	c.close()
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWait)
	defer cancel()
	return nil, errors.Join(err, c.destroy(undo))
}

// undoWait bounds how long what an attempt has made is taken back.
const undoWait = time.Minute

// LimitError says that a container was not made, as it has wanted more than it may
// have.
type LimitError struct{ Limit *isolator.Limit }

// Error is the limit's message.
func (e *LimitError) Error() string { return e.Limit.Message }

// furnish makes a prepared container ready for its program.
func (z *Containerizer) furnish(ctx context.Context, c *Container, progress func(doing string)) error {
	if !c.plan.Plain() && z.options.Confined == nil {
		return fmt.Errorf("container %s: its isolators (%v) want what no launcher here can do", c.name(), c.means.Isolators.Names())
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.unwatch = stop
	if err := c.means.Isolators.Watch(watching, c.told(), c.exceed); err != nil {
		return err
	}
	if len(c.told().Command.GetUris()) == 0 {
		return nil
	}
	if c.means.Fetcher == nil {
		return fmt.Errorf("command.uris[0] %q: nothing fetches here", c.told().Command.GetUris()[0].GetValue())
	}
	// A limit that is run into while something is fetched ends that, too.
	fetching, over := context.WithCancel(ctx)
	defer over()
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-c.limited:
			over()
		case <-done:
		}
	}()
	if progress == nil {
		progress = func(string) {}
	}
	return c.means.Fetcher.Fetch(fetching, c.told(), c.aside, progress)
}
