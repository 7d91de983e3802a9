package nested

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"syscall"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor/program"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/validate"
)

// cell is one container.
type cell struct {
	id     *mesos.ContainerID
	key    string
	parent *cell // nil below an executor's, and alone
	below  int   // that are not over
	number uint64
	// outlet is what runs: no process until it does. Its spec is also what
	// containers below begin with.
	outlet
	// folder is the sandbox that was made for it, and goes with it; nil if none was.
	folder *folder
	// adopted: somebody else launched it, and looks after it.
	adopted bool
	doomed  bool // to be ended as soon as it runs
	exited  bool // its process, or it never ran
	over    bool
	end     End
	waiters []func(End)
	// made holds its programs to what they may use; nil for sessions, and what was
	// adopted. abort gives up its launch; nil unless that is under way.
	made       program.Container
	abort      func()
	discarding bool
}

// inOrder lists the cells as they came.
func (n *Nest) inOrder() []*cell {
	return slices.SortedFunc(maps.Values(n.cells), func(a, b *cell) int { return cmp.Compare(a.number, b.number) })
}

// root is the key of the outermost container.
func (c *cell) root() string { return rootOf(c.id) }

func (c *cell) signal(s syscall.Signal) {
	switch {
	case s == syscall.SIGKILL:
		c.destroy()
	case c.process != nil:
		c.process.Signal(s)
	}
}

// destroy ends the container as soon as that can be.
func (c *cell) destroy() {
	c.doomed = true
	if c.abort != nil {
		c.abort()
	}
	if c.process != nil {
		c.process.Kill(0)
	}
}

// launch starts a container, off the host's queue.
func (n *Nest) launch(visitor actors.PID, id *mesos.ContainerID, m *cluster.ContainerCall) {
	key := validate.ContainerKey(id)
	if n.cells[key] != nil || n.options.Root(key) != nil {
		n.answer(visitor, cluster.ContainerAnswer_ALREADY, "")
		return
	}
	c := &cell{id: id, key: key}
	plan, err := n.plan(c, m)
	if err != nil {
		n.answer(visitor, cluster.ContainerAnswer_INVALID, err.Error())
		if id.Parent == nil {
			n.options.Removed(id)
		}
		return
	}
	n.born++
	c.number, c.folder, c.spec = n.born, plan.folder, plan.base
	n.cells[key] = c
	if c.parent != nil {
		c.parent.below++
	}
	if plan.session {
		n.visitedBy(visitor, func() { n.destroyTree(c) })
	}
	launching, abort := context.WithCancel(context.Background())
	c.abort = abort
	n.context.Go(func(ctx context.Context) func() {
		defer abort()
		defer context.AfterFunc(ctx, abort)()
		started, made, err := plan.run(launching, n.options.Containers)
		return func() {
			c.abort, c.made = nil, made
			n.launched(visitor, c, started, err, plan.session)
		}
	})
}

// launched goes on with a container that runs, or cannot.
func (n *Nest) launched(visitor actors.PID, c *cell, s Started, err error, session bool) {
	if err != nil {
		n.answer(visitor, cluster.ContainerAnswer_INVALID, "launch container "+c.key+": "+err.Error())
		c.exited, c.folder, c.end.Message = true, nil, err.Error() // nothing of it is left
		n.settle(c)
		n.forget(c)
		return
	}
	n.answer(visitor, cluster.ContainerAnswer_DONE, "")
	c.outlet = n.open(c.key, s)
	if c.console != nil && session {
		c.console.addReader(visitor, false)
	}
	n.begin(c)
	n.guard(c)
	if c.doomed {
		c.process.Kill(0)
	}
}

// guard ends a container that runs into its limit, with all that is below it.
func (n *Nest) guard(c *cell) {
	made := c.made
	if made == nil {
		return
	}
	n.context.Go(func(ctx context.Context) func() {
		select {
		case <-made.Limited():
			return func() {
				if !c.over {
					c.end.Limit = made.Limit()
					n.destroyTree(c)
				}
			}
		case <-c.process.Done():
			return nil
		case <-ctx.Done():
			return nil
		}
	})
}

// Adopt makes a program that somebody else launched known: a task of a group, as
// a container below its executor's, or what is the whole of an executor's
// container. It is forgotten when it ends.
func (n *Nest) Adopt(id *mesos.ContainerID, s Started) {
	key := validate.ContainerKey(id)
	o := n.open(key, s)
	if id.Parent == nil {
		n.mains[key] = &o
		if o.console != nil {
			o.console.start()
			n.watch(o.process, o.console.expire)
		}
		return
	}
	n.born++
	c := &cell{id: id, key: key, number: n.born, adopted: true, outlet: o}
	n.cells[key] = c
	n.begin(c)
}

// begin carries the input and output of a container until its end.
func (n *Nest) begin(c *cell) {
	if c.console != nil {
		c.console.start()
	}
	n.watch(c.process, func() { n.ended(c) })
}

// watch waits for the end of a process.
func (n *Nest) watch(p program.Process, ended func()) {
	n.context.Go(func(ctx context.Context) func() {
		select {
		case <-p.Done():
			return ended
		case <-ctx.Done():
			return nil
		}
	})
}

// ended takes down what is below a container whose process is gone.
func (n *Nest) ended(c *cell) {
	c.exited, c.end.Status = true, proto.Int32(int32(c.process.Status()))
	if l := c.process.Limit(); l != nil {
		c.end.Limit = l
	}
	if c.console != nil {
		c.console.expire()
	}
	for _, below := range n.cells {
		if below.parent == c {
			n.destroyTree(below)
		}
	}
	n.settle(c)
}

// settle ends a container when nothing is left of it and below it.
func (n *Nest) settle(c *cell) {
	if c.over || !c.exited || c.below > 0 || n.discard(c) {
		return
	}
	c.over = true
	n.retire(c)
	waiters := c.waiters
	c.waiters = nil
	for _, tell := range waiters {
		tell(c.end)
	}
	switch {
	case c.parent != nil:
		c.parent.below--
		n.settle(c.parent)
	case c.id.Parent != nil:
		if c.adopted {
			n.forget(c)
		}
		n.finish(c.root())
	case n.dismissed[c.key]:
		n.forget(c)
	}
}

const (
	// discardAgain is between two attempts to remove what was made for a container,
	// and discardWait bounds one of them.
	discardAgain = 5 * time.Second
	discardWait  = time.Minute
)

// discard removes what was made for a container in which nothing runs any more,
// and then settles it. It is false when there is nothing to remove.
func (n *Nest) discard(c *cell) bool {
	made := c.made
	if made == nil || c.discarding {
		return made != nil
	}
	c.discarding = true
	n.context.Go(func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, discardWait)
		defer cancel()
		err := made.Destroy(ctx)
		return func() {
			if err != nil {
				n.log.Error("a container was not removed; trying again", zap.String("container", c.key), zap.Duration("in", discardAgain), zap.Error(err))
				n.context.After(discardAgain, func() {
					c.discarding = false
					n.settle(c)
				})
				return
			}
			c.made = nil
			n.settle(c)
		}
	})
	return true
}

// End ends all that is below an executor's container, forgets it, and then goes
// on.
func (n *Nest) End(root string, then func()) {
	n.endings[root] = then
	for _, c := range n.inOrder() {
		if c.root() == root {
			c.destroy()
		}
	}
	n.finish(root)
}

// finish goes on with End when nothing is left.
func (n *Nest) finish(root string) {
	then := n.endings[root]
	if then == nil {
		return
	}
	cells := n.inOrder()
	cells = slices.DeleteFunc(cells, func(c *cell) bool { return c.root() != root })
	if slices.ContainsFunc(cells, func(c *cell) bool { return !c.over }) {
		return
	}
	delete(n.endings, root)
	delete(n.mains, root)
	n.letGo(root)
	for _, c := range cells {
		delete(n.cells, c.key) // its sandbox goes with the executor's
	}
	then()
}

// Dismiss ends a container that stands alone, with all below it, and forgets it.
// It is false when there is none of that id.
func (n *Nest) Dismiss(id *mesos.ContainerID) bool {
	c := n.cells[validate.ContainerKey(id)]
	if c == nil || id.Parent != nil {
		return false
	}
	n.dismissed[c.key] = true
	n.destroyTree(c)
	if c.over {
		n.forget(c)
	}
	return true
}

// destroyTree ends a container and all below it.
func (n *Nest) destroyTree(c *cell) {
	c.destroy()
	for _, below := range n.cells {
		if below.parent == c {
			n.destroyTree(below)
		}
	}
}

// remove forgets a container that has ended, with its sandbox.
func (n *Nest) remove(visitor actors.PID, key string) {
	c := n.cells[key]
	switch {
	case n.options.Root(key) != nil:
		n.answer(visitor, cluster.ContainerAnswer_REFUSED, "container "+key+" is an executor's")
	case c == nil:
		n.answer(visitor, cluster.ContainerAnswer_DONE, "") // again
	case !c.over:
		n.answer(visitor, cluster.ContainerAnswer_REFUSED, "container "+key+" has not ended")
	default:
		n.context.Go(func(context.Context) func() {
			var err error
			if c.folder != nil {
				err = c.folder.remove()
			}
			return func() {
				if err != nil {
					n.answer(visitor, cluster.ContainerAnswer_REFUSED, fmt.Sprintf("remove container %s: %v", key, err))
					return
				}
				n.forget(c)
				n.answer(visitor, cluster.ContainerAnswer_DONE, "")
			}
		})
	}
}

// forget drops a container that is over, with those below it.
func (n *Nest) forget(c *cell) {
	if n.cells[c.key] != c {
		return
	}
	delete(n.cells, c.key)
	if c.folder != nil {
		n.reclaim(c)
	}
	for _, below := range n.inOrder() {
		if below.parent == c {
			n.forget(below)
		}
	}
	if c.id.Parent == nil {
		delete(n.dismissed, c.key)
		n.options.Removed(c.id)
	}
}
