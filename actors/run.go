package actors

import (
	"runtime/debug"
	"time"
)

// Runner decides who runs actors: goroutines in production, a seeded stepper in
// tests.
type Runner interface {
	// Run calls f once, soon, in any goroutine but never before returning to a
	// caller that holds locks: it must not call f itself.
	Run(f func())
	// Batch is after how many messages an actor makes room for others.
	Batch() int
}

// goroutines is the Runner of production: a goroutine per actor that has work.
type goroutines struct{}

func (goroutines) Run(f func()) { go f() }
func (goroutines) Batch() int   { return 300 }

// started is the origin of the clock that handlers are timed with: reading only
// the monotonic clock is half the price of time.Now.
var started = time.Now()

type runState uint8

const (
	runIdle runState = iota
	runYield
	runAgain
)

// work is what the runner runs.
func (c *Context) work() {
	for {
		switch c.batch(c.sys.batch) {
		case runIdle:
			return
		case runYield:
			c.sys.runner.Run(c.loop)
			return
		case runAgain:
		}
	}
}

// batch handles up to n envelopes. A panic ends it early.
func (c *Context) batch(n int) (state runState) {
	defer func() {
		if r := recover(); r != nil {
			c.panicked(r, debug.Stack())
			state = runAgain
		}
	}()
	last := time.Since(started)
	for n > 0 {
		if c.box.systemWaits.Load() {
			c.invoker.InvokeSystemMessage(c.box.takeSystem())
			continue
		}
		e, idle := c.box.take()
		if idle {
			return runIdle
		}
		if e == nil {
			continue
		}
		n--
		c.current = e
		c.invoker.InvokeUserMessage(c)
		now := time.Since(started)
		if d := now - last; d > c.longest.limit {
			c.noteLongest(d, e)
		}
		last = now
		*e = envelope{}
		c.current = &noEnvelope
	}
	return runYield
}

// noEnvelope stands for "no message is being handled".
var noEnvelope envelope
