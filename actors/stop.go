package actors

import (
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"
)

// Panic is what OnPanic is told about a panic in an actor.
type Panic struct {
	PID   PID
	Type  string // what was being handled: a full protobuf name, or "continuation"
	Value any
	Stack []byte
}

// restartPolicy is the state of WithRestart.
type restartPolicy struct {
	fresh  func() Actor
	most   int
	within time.Duration
	recent []time.Time
	total  int
}

// allows counts a restart at now, unless there were too many.
func (p *restartPolicy) allows(now time.Time) bool {
	kept := p.recent[:0]
	for _, at := range p.recent {
		if now.Sub(at) < p.within {
			kept = append(kept, at)
		}
	}
	p.recent = kept
	if len(p.recent) >= p.most {
		return false
	}
	p.recent = append(p.recent, now)
	p.total++
	return true
}

// panicked is called by the runner after a handler of c panicked.
func (c *Context) panicked(value any, stack []byte) {
	if w, ok := value.(workPanic); ok {
		value, stack = w.value, w.stack
	}
	what := c.current.describe()
	if c.current != &noEnvelope {
		*c.current = envelope{}
		c.current = &noEnvelope
	}
	c.Log().Error("actor panicked", zap.String("message_type", what),
		zap.String("panic", fmt.Sprint(value)), zap.ByteString("stack", stack))
	c.failure.Store(&failure{at: time.Now(), what: what, text: fmt.Sprint(value)})
	if c.stopping {
		return
	}
	if r := c.rare.restart; r != nil && r.allows(time.Now()) && c.restartAs(r.fresh) {
		return
	}
	c.stopNow(fmt.Sprintf("panic: %v", value))
	if c.sys.onPanic != nil {
		c.sys.onPanic(Panic{PID: c.self.pid, Type: what, Value: value, Stack: stack})
	}
}

// failure is the last panic of an actor, for readers.
type failure struct {
	at   time.Time
	what string
	text string
}

// restartAs puts a new actor in the place of the one that panicked. It says
// whether that was made and its Init went well.
func (c *Context) restartAs(fresh func() Actor) bool {
	c.let()
	c.generation++
	c.restarts.Add(1)
	c.sys.retireChildren(c)
	for _, child := range c.proto.Children() {
		c.proto.Stop(child)
	}
	old := c.rare
	c.rare = &extras{restart: old.restart, log: old.log, nextLink: old.nextLink}
	c.handlers, c.last = nil, handler{}
	if c.initialize(fresh) != nil {
		c.actor = failedInit{}
		return false
	}
	return true
}

// let drops everything the actor waits for: timers, answers, work, links.
func (c *Context) let() {
	x := c.rare
	if x == nil {
		return
	}
	for x.timers != nil {
		x.timers.Stop()
	}
	for ask, p := range x.asks {
		p.timer.Stop()
		delete(x.asks, ask)
	}
	if x.cancel != nil {
		x.cancel()
	}
	for p := range x.links {
		delete(x.links, p)
		c.sys.unlink(c, p)
	}
}

// beginStop: from here on nothing is handled. Children stop next.
func (c *Context) beginStop() {
	c.stopping = true
	c.let()
	for _, e := range c.box.drain() {
		if e.kind <= kindReply {
			c.sys.undelivered(e.from, c.self.pid, e.msg, e.ask, reasonStopped)
		}
	}
}

// endStop: all children have stopped. What Finalize sends goes out before any
// Exited.
func (c *Context) endStop() {
	c.finalize()
	reason := reasonStopped
	if c.rare != nil && c.rare.stopReason != "" {
		reason = c.rare.stopReason
	}
	c.sys.table.remove(c)
	b := &c.box
	b.mu.Lock()
	sh := b.share()
	sh.finished, sh.reason = true, reason
	watchers := sh.watchers
	sh.watchers = nil
	if sh.done != nil {
		close(sh.done)
	}
	b.mu.Unlock()
	for k, w := range watchers {
		c.sys.tellExited(k, w, reason)
	}
}

func (c *Context) finalize() {
	f, ok := c.actor.(Finalizer)
	if !ok {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			c.Log().Error("panic in Finalize", zap.Any("panic", r), zap.ByteString("stack", debug.Stack()))
		}
	}()
	f.Finalize(c)
}

// finished is closed once the actor has stopped.
func (c *Context) finished() <-chan struct{} {
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	sh := c.box.share()
	if sh.done == nil {
		sh.done = make(chan struct{})
		if sh.finished {
			close(sh.done)
		}
	}
	return sh.done
}

// retireChildren frees the names of c's descendants, which are about to stop,
// for the actor that takes c's place.
func (s *System) retireChildren(c *Context) {
	for _, other := range s.table.all() {
		for p := other.parent; p != nil; p = p.parent {
			if p == c {
				s.table.remove(other)
				break
			}
		}
	}
}
