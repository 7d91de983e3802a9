package actors

import (
	"runtime"
	"runtime/debug"
	"time"

	"google.golang.org/protobuf/proto"
)

// Runner decides who runs actors, and when their timers fire: goroutines and the
// clock in production, a seeded stepper in tests.
type Runner interface {
	// Run calls f once, soon, in any goroutine but never before returning to a
	// caller that holds locks: it must not call f itself.
	Run(f func())
	// Batch is after how many messages an actor makes room for others.
	Batch() int
	// AfterFunc calls f once, in any goroutine, when d has passed.
	AfterFunc(d time.Duration, f func()) Alarm
}

// Alarm is what time.AfterFunc gives: f is not called when Stop, or Reset, says
// true.
type Alarm interface {
	Stop() bool
	Reset(d time.Duration) bool
}

// goroutines is the Runner of production: a goroutine per actor that has work.
type goroutines struct{}

func (goroutines) Run(f func()) { go f() }
func (goroutines) Batch() int   { return 300 }
func (goroutines) AfterFunc(d time.Duration, f func()) Alarm {
	return time.AfterFunc(d, f)
}

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
func (c *Context) work() { c.workFor(c.sys.batch) }

// visit is an actor that the goroutine of a link runs, for a few messages: then
// the runner goes on.
type visit Context

const fewMessages = 4

// Do implements remote.Work.
func (v *visit) Do() { (*Context)(v).workFor(fewMessages) }

// Go implements remote.Work.
func (v *visit) Go() { v.sys.runner.Run(v.loop) }

// workFor runs the actor for up to n messages.
func (c *Context) workFor(n int) {
	for {
		switch c.batch(n) {
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
	s := span{c: c, begun: time.Since(started)}
	for n > 0 {
		if c.box.systemWaits.Load() {
			s.end()
			c.invoker.InvokeSystemMessage(c.box.takeSystem())
			s.restart()
			continue
		}
		if c.box.dry() {
			s.end() // once idle, nothing here is the runner's own any more
		}
		e, idle := c.box.take()
		if idle {
			return runIdle
		}
		if e == nil {
			runtime.Gosched()
			s.restart()
			continue
		}
		n--
		s.begin(e)
		c.handle(e)
		*e = envelope{}
		c.current = &noEnvelope
		if s.count >= s.most {
			s.end()
		}
	}
	s.end()
	return runYield
}

// span is some handlings in a row that are counted and timed together: telling
// other cores and reading the clock cost as much as handling a small message.
type span struct {
	c     *Context
	begun time.Duration // since started
	count int
	most  int
	last  envelopeKind
	msg   proto.Message
}

const (
	// longSpan is the most messages of a span. It takes a busy actor whose last
	// span took less than quick a message; all others count each message.
	longSpan = 16
	quick    = time.Microsecond
	busySpan = 4 * longSpan // messages that were taken at once
)

// begin is called with the envelope about to be handled.
func (s *span) begin(e *envelope) {
	c := s.c
	c.current = e
	if s.count == 0 {
		s.most = 1
		if c.longest.quick && len(c.box.out) >= busySpan {
			s.most = longSpan
		}
		c.box.handled.Store(c.box.taken)
	}
	s.count++
	s.last, s.msg = e.kind, e.msg
}

// restart is called when something else than messages took time.
func (s *span) restart() { s.begun = time.Since(started) }

func (s *span) end() {
	if s.count == 0 {
		return
	}
	now := time.Since(started)
	took := now - s.begun
	if took > s.c.longest.limit {
		s.c.noteLongest(took, s)
	}
	s.c.longest.quick = took < time.Duration(s.count)*quick
	s.begun, s.count, s.msg = now, 0, nil
}

// noEnvelope stands for "no message is being handled".
var noEnvelope envelope
