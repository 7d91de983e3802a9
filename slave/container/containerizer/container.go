package containerizer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/linux"
	"troupe/slave/container/plan"
)

// Container is one that was made. Safe for concurrent use.
type Container struct {
	containerizer *Containerizer
	means         Means
	parent        *Container
	plan          plan.Plan
	// abort gives the making of it up; unwatch ends what looks for limits, nil
	// before it began.
	abort, unwatch context.CancelFunc
	limited        chan struct{}     // closed once there is a limit
	groups         *mesos.CgroupInfo // of its status; nil if nothing is told of them
	turn           chan struct{}     // full while it is made or destroyed
	holding        chan struct{}     // full while somebody is made to hold its namespaces
	starting       sync.WaitGroup    // launches; none is added once ending

	mu    sync.Mutex
	info  *isolator.Container
	limit *isolator.Limit
	// inner is where programs beside the container's own run, and those within it
	// begin; nil before there is one.
	inner   *linux.Container
	guests  int // that were launched ever
	running map[*Process]bool
	below   map[*Container]bool
	ending  bool // nothing new may begin in it
	gone    bool // nothing of it is left
}

// Nest makes a container within this one; see Containerizer.Open. info's Parent
// is set.
func (c *Container) Nest(ctx context.Context, info *isolator.Container, progress func(doing string)) (*Container, error) {
	info.Parent = c.told()
	return c.containerizer.open(ctx, c.means, info, c, progress)
}

// Isolators are those that the container was made with.
func (c *Container) Isolators() *isolator.Set { return c.means.Isolators }

// Groups is what is told of its control groups; nil if nothing. Nobody may change
// it.
func (c *Container) Groups() *mesos.CgroupInfo { return c.groups }

func (c *Container) name() string { return strings.Join(c.told().ID, "/") }

// told is what isolators are told of the container. It is never changed: an update
// puts another in its place.
func (c *Container) told() *isolator.Container {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.info
}

// errEnding is why nothing begins any more.
var errEnding = errors.New("the container is being destroyed")

// admit makes a container known to the one it is in.
func (c *Container) admit(inner *Container) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return errEnding
	}
	c.below[inner] = true
	return nil
}

// vanish is called when nothing of a container is left.
func (c *Container) vanish() {
	c.mu.Lock()
	c.ending, c.gone = true, true
	c.mu.Unlock()
	if c.parent != nil {
		c.parent.mu.Lock()
		delete(c.parent.below, c)
		c.parent.mu.Unlock()
	}
}

// Update changes what the container may use, and the persistent volumes that it
// has.
func (c *Container) Update(a isolator.Amounts, volumes []isolator.Volume) error {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	info := *c.told()
	info.Amounts, info.Volumes = a, volumes
	c.mu.Lock()
	ending := c.ending
	c.info = &info
	c.mu.Unlock()
	if ending {
		return nil // it uses nothing much longer
	}
	return errors.Join(c.means.Isolators.Update(&info), c.holdBelow())
}

// holdBelow holds those within to their own amounts again: kernels take no limit
// above that of the container around, which may have been in the way.
func (c *Container) holdBelow() error {
	below, _, _ := c.rest()
	var failed error
	for _, inner := range below {
		select {
		case inner.turn <- struct{}{}:
			failed = errors.Join(failed, inner.hold())
			<-inner.turn
		default: // it is made, after which it does the same, or destroyed
		}
	}
	return failed
}

// hold is called by the one whose turn it is.
func (c *Container) hold() error {
	info := c.told()
	_, _, gone := c.rest()
	if gone || info.Parent == nil || info.Shared {
		return nil
	}
	return c.means.Isolators.Update(info)
}

// Volumes are the persistent volumes that it has by now.
func (c *Container) Volumes() []isolator.Volume { return c.told().Volumes }

// Limited is closed when the container has wanted more than it may have.
func (c *Container) Limited() <-chan struct{} { return c.limited }

// Limit is what it has run into; nil if nothing.
func (c *Container) Limit() *isolator.Limit {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.limit
}

// exceed is told of a limit; the first counts.
func (c *Container) exceed(l *isolator.Limit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit == nil && l != nil {
		c.limit = l
		close(c.limited)
	}
}

// Destroy ends every process in the container and in those within it, and removes
// what was made for it; see program.Container.
func (c *Container) Destroy(ctx context.Context) error {
	c.close()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
		return c.destroy(ctx)
	case <-ctx.Done():
		return fmt.Errorf("container %s is still being made or destroyed: %w", c.name(), ctx.Err())
	}
}

// destroy is called by the one whose turn it is.
func (c *Container) destroy(ctx context.Context) error {
	if err := c.started(ctx); err != nil {
		return err
	}
	below, running, gone := c.rest()
	if gone {
		return nil
	}
	var failed error
	for _, inner := range below {
		failed = errors.Join(failed, inner.Destroy(ctx))
	}
	if failed != nil {
		return failed
	}
	if err := c.kill(ctx, running); err != nil {
		return err
	}
	if inner := c.place(); inner != nil {
		inner.Close()
	}
	if c.unwatch != nil {
		c.unwatch()
	}
	if err := c.means.Isolators.Cleanup(ctx, c.told()); err != nil {
		return err
	}
	c.vanish()
	return nil
}

// started waits until no launch is under way. A file system that does not answer may
// hold one up for longer than ctx lasts.
func (c *Container) started(ctx context.Context) error {
	none := make(chan struct{})
	go func() {
		c.starting.Wait()
		close(none)
	}()
	select {
	case <-none:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("container %s: a program is still being launched: %w", c.name(), ctx.Err())
	}
}

// close lets nothing new begin in the container, or in those within it.
func (c *Container) close() {
	c.mu.Lock()
	c.ending = true
	below := keys(c.below)
	c.mu.Unlock()
	c.abort()
	for _, inner := range below {
		inner.close()
	}
}

func (c *Container) rest() (below []*Container, running []*Process, gone bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return keys(c.below), keys(c.running), c.gone
}

// kill ends the container's processes: those that were started here, and whatever
// they have become.
func (c *Container) kill(ctx context.Context, running []*Process) error {
	for _, p := range running {
		p.Kill(0)
	}
	err := c.means.Isolators.Kill(ctx, c.told())
	if err != nil {
		return err
	}
	for _, p := range running {
		select {
		case <-p.Done():
		case <-ctx.Done():
			return fmt.Errorf("container %s: process %d, though killed, has not ended: %w", c.name(), p.Pid(), ctx.Err())
		}
	}
	return nil
}

func keys[K comparable](set map[K]bool) []K { return slices.Collect(maps.Keys(set)) }
