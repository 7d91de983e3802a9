package actors

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// Timer is a function that waits for its time. It belongs to one actor.
type Timer struct {
	c          *Context
	clock      Alarm
	f          func()
	every      time.Duration // 0: once
	dead       bool
	prev, next *Timer
}

// After calls f in this actor's queue once, d from now, unless the timer or the
// actor was stopped.
func (c *Context) After(d time.Duration, f func()) *Timer { return c.startTimer(d, 0, f) }

// Every calls f in this actor's queue again and again, the first time d from
// now and then d after it was called last: a slow actor gets no backlog of them.
// It panics when d is not positive.
func (c *Context) Every(d time.Duration, f func()) *Timer {
	if d <= 0 {
		panic(fmt.Sprintf("actors: Every: interval %v is not positive", d))
	}
	return c.startTimer(d, d, f)
}

func (c *Context) startTimer(d, every time.Duration, f func()) *Timer {
	t := &Timer{c: c, f: f, every: every}
	x := c.ensureExtras()
	if t.next = x.timers; t.next != nil {
		t.next.prev = t
	}
	x.timers = t
	fire := func(*Context) { t.fire() }
	t.clock = c.sys.runner.AfterFunc(d, func() { c.post(envelope{kind: kindAlways, run: fire}) })
	return t
}

// fire runs in the actor's queue.
func (t *Timer) fire() {
	if t.dead {
		return
	}
	if t.every > 0 {
		t.clock.Reset(t.every)
	} else {
		t.Stop()
	}
	t.f()
}

// Stop ends the timer: f is not called any more, even if its time had come. To
// be called by the actor that owns the timer; again is harmless.
func (t *Timer) Stop() {
	if t == nil || t.dead {
		return
	}
	t.dead = true
	t.clock.Stop()
	x := t.c.rare
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		x.timers = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	}
	t.prev, t.next = nil, nil
}

// Go runs work in a goroutine of its own; ctx ends when the actor stops or
// restarts. What work returns (it may be nil) is called in this actor's queue,
// unless the actor has stopped or restarted since. A panic of work is a panic
// of the actor.
func (c *Context) Go(work func(ctx context.Context) (then func())) {
	x := c.ensureExtras()
	if x.ctx == nil {
		x.ctx, x.cancel = context.WithCancel(context.Background())
	}
	ctx, generation := x.ctx, c.generation
	c.sys.working.Add(1)
	go func() {
		defer c.sys.working.Done()
		then := guarded(ctx, work)
		if then != nil {
			c.post(envelope{kind: kindRun, generation: generation, run: func(*Context) { then() }})
		}
	}()
}

// workPanic carries a panic of off-mailbox work into the actor's queue.
type workPanic struct {
	value any
	stack []byte
}

func guarded(ctx context.Context, work func(ctx context.Context) func()) (then func()) {
	defer func() {
		if r := recover(); r != nil {
			p := workPanic{value: r, stack: debug.Stack()}
			then = func() { panic(p) }
		}
	}()
	return work(ctx)
}
