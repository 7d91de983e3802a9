package host

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/executor/program"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

const (
	// progressEvery bounds how often the agent is told that a launch takes its time.
	progressEvery = 3 * time.Second
	// discardAgain is between two attempts to remove what was made for a container.
	discardAgain = 5 * time.Second
	// discardWait bounds one of them.
	discardWait = time.Minute
)

// box is what holds a container's programs to what they may use.
type box struct {
	// made is nil before it is, and once it was removed.
	made program.Container
	// removed is closed when it was; nil before it is made.
	removed chan struct{}
	// abort gives the making of it up; nil unless that is under way.
	abort func()
	// amounts are the newest, while older ones are being set; nil if there are none.
	amounts *cluster.ContainerAmounts
	setting bool
	// limit is what it ended for; nil if it did not.
	limit *cluster.ContainerLimit
	// told is when the agent last heard that its launch goes on.
	told time.Time
}

// in is s within the container.
func (b *box) in(s program.Spec) program.Spec {
	s.Container = b.made
	return s
}

// limited knows the container's limit; nil is none.
func (b *box) limited(l *cluster.ContainerLimit) {
	if b.limit == nil {
		b.limit = l
	}
}

// open makes what holds a container, off the queue, and fetches what its command
// wants.
func (h *Host) open(c *container, m *cluster.LaunchContainer) {
	opening, abort := context.WithCancel(context.Background())
	c.abort = abort
	contents := program.Contents{
		ID: c.id, Sandbox: m.GetSandbox(), User: userOf(m), Info: m.GetExecutor().GetContainer(), Command: m.GetExecutor().GetCommand(),
		Isolation: m.GetIsolation(), Amounts: m.GetAmounts(), Progress: h.progressOf(c),
	}
	h.context.Go(func(ctx context.Context) func() {
		defer abort()
		defer context.AfterFunc(ctx, abort)()
		made, err := h.options.Containers.Open(opening, contents)
		return func() {
			c.abort = nil
			if err != nil {
				var limited *program.LimitError
				if errors.As(err, &limited) {
					c.limited(limited.Limit)
				}
				h.end(c, nil, "launch container: "+err.Error())
				return
			}
			c.made, c.removed, c.spec.Container = made, make(chan struct{}), made
			h.watch(c, made)
			h.setAmounts(c)
			h.opened(c, m)
		}
	})
}

// userOf is whom the programs of a container run as.
func userOf(m *cluster.LaunchContainer) string {
	if user := m.GetExecutor().GetCommand().GetUser(); user != "" && m.GetUser() != "" {
		return user
	}
	return m.GetUser()
}

// progressOf passes on, now and then, that a launch goes on.
func (h *Host) progressOf(c *container) func(string) {
	return func(doing string) {
		h.system.Do(h.context.Self(), func(*actors.Context) { h.progress(c, doing) })
	}
}

func (h *Host) progress(c *container, doing string) {
	if now := time.Now(); c.abort != nil && now.Sub(c.told) >= progressEvery {
		c.told = now
		h.send(&cluster.ContainerProgress{ContainerId: c.id, Doing: &doing})
	}
}

// watch ends a container that has run into a limit. Its executor is not to tell of
// it: the agent gives its tasks their end, with the reason.
func (h *Host) watch(c *container, made program.Container) {
	removed := c.removed
	h.context.Go(func(ctx context.Context) func() {
		select {
		case <-made.Limited():
		case <-removed:
			return nil
		case <-ctx.Done():
			return nil
		}
		return func() {
			if c.closing {
				return
			}
			c.limited(made.Limit())
			if c.mute != nil {
				c.mute()
			}
			c.destroy()
		}
	})
}

// update changes what a container may use.
func (h *Host) update(id *mesos.ContainerID, a *cluster.ContainerAmounts) {
	if c := h.containers[id.GetValue()]; c != nil {
		c.amounts = a
		h.setAmounts(c)
	}
}

// setAmounts sets the newest amounts, off the queue and one after the other.
func (h *Host) setAmounts(c *container) {
	if c.made == nil || c.amounts == nil || c.setting || c.closing {
		return
	}
	a, made := c.amounts, c.made
	c.amounts, c.setting = nil, true
	h.context.Go(func(context.Context) func() {
		err := made.Update(a)
		return func() {
			c.setting = false
			if err != nil {
				h.log.Error("what a container may use was not changed", zap.String("container", c.id.GetValue()), zap.Error(err))
			}
			h.setAmounts(c)
		}
	})
}

// discard removes what was made for a container, and then goes on. It is not given
// up: what may be left of it uses what others would be given.
func (h *Host) discard(c *container, then func()) {
	made := c.made
	if made == nil {
		then()
		return
	}
	h.context.Go(func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, discardWait)
		defer cancel()
		err := made.Destroy(ctx)
		return func() {
			if err != nil {
				h.log.Error("a container was not removed; trying again", zap.String("container", c.id.GetValue()),
					zap.Duration("in", discardAgain), zap.Error(err))
				h.context.After(discardAgain, func() { h.discard(c, then) })
				return
			}
			c.made = nil
			close(c.removed)
			then()
		}
	})
}
