package actors

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// Context is an actor's access to its system. All methods may be called only
// by the actor itself: in Init, Finalize, its handlers and continuations.
type Context struct {
	sys        *System
	self       *origin
	parent     *Context
	actor      Actor
	proto      actor.Context // protoactor's side of this actor
	invoker    actor.MessageInvoker
	loop       func() // work, bound once
	current    *envelope
	last       handler // the row used last: most actors get runs of one type
	handlers   []handler
	rare       *extras
	box        mailbox
	longest    longestHandler
	failure    atomic.Pointer[failure] // the last panic
	restarts   atomic.Uint32
	generation uint16 // counts restarts; continuations of an earlier one are dropped
	stopping   bool
}

// extras is what not every actor needs.
type extras struct {
	any        func(c *Context, m proto.Message)
	exited     func(c *Context, e Exited)
	asks       map[uint64]*pendingAsk
	links      map[PID]uint64 // to the number of the link
	nextLink   uint64
	timers     *Timer // list
	ctx        context.Context
	cancel     context.CancelFunc
	log        *zap.Logger
	restart    *restartPolicy
	stopReason string
}

// longestHandler is the slowest handling since the start, or the slowest few in a
// row of an actor that had been quick before. It is written
// by the runner and read by others.
type longestHandler struct {
	limit time.Duration // what the next must exceed; the runner's own
	quick bool          // the last span was; the runner's own
	seen  atomic.Pointer[slowHandler]
}

type slowHandler struct {
	took time.Duration
	what string
}

func (c *Context) ensureExtras() *extras {
	if c.rare == nil {
		c.rare = &extras{}
	}
	return c.rare
}

// Self is this actor's address, with the incarnation of its system.
func (c *Context) Self() PID { return c.self.pid }

// Sender is who sent the message being handled: zero when unknown, and in
// continuations and timers.
func (c *Context) Sender() PID {
	if from := c.current.from; from != nil && from.pid.Name != "" {
		return from.pid
	}
	return PID{}
}

// Principal is the authenticated name of the connection that the message came
// on, and of who an actor of this system is SpeakingFor: "" without
// authentication, from any other here, and in continuations.
func (c *Context) Principal() string {
	if from := c.current.from; from != nil {
		return from.principal
	}
	return ""
}

// Send sends m to an actor anywhere. It never blocks; what cannot be delivered
// becomes a dead letter.
func (c *Context) Send(to PID, m proto.Message) { c.sys.send(c.self, to, m, 0) }

// Asked tells whether the message being handled is a question: its sender waits
// for a Reply.
func (c *Context) Asked() bool { return c.current.ask != 0 }

// Reply answers the message being handled. The sender gets m as the result of
// its Ask, or as a message if it used Send.
func (c *Context) Reply(m proto.Message) { c.replyTo(c.current.from, c.current.ask, m) }

// ReplyLater returns Reply for the message being handled, to be called once,
// in this actor's queue, when there is an answer.
func (c *Context) ReplyLater() func(m proto.Message) {
	from, ask := c.current.from, c.current.ask
	return func(m proto.Message) { c.replyTo(from, ask, m) }
}

func (c *Context) replyTo(from *origin, ask uint64, m proto.Message) {
	switch {
	case from == nil || from.pid.Name == "":
		c.sys.dead.note(c.self.pid, PID{}, typeName(m), reasonNoSender)
	case ask == 0:
		c.sys.send(c.self, from.pid, m, 0)
	default:
		c.sys.reply(c.self, from.pid, m, ask)
	}
}

// Spawn starts a child, which stops with this actor; see System.Spawn. Finalize
// gets ErrStopped: a child born then would never be stopped.
func (c *Context) Spawn(name string, a Actor, o ...SpawnOption) (PID, error) {
	if c.box.closed { // read by the goroutine that writes it
		return PID{}, fmt.Errorf("spawn %q: parent %q: %w", name, c.self.pid.Name, ErrStopped)
	}
	return c.sys.spawn(c, name, a, o)
}

// Stop stops this actor after the current handler. What is still queued becomes
// dead letters.
func (c *Context) Stop() { c.stopNow(reasonStopped) }

func (c *Context) stopNow(reason string) {
	if c.stopping {
		return
	}
	c.stopping = true
	c.ensureExtras().stopReason = reason
	c.proto.Stop(c.proto.Self())
}

// Log is the system's logger, with this actor's name.
func (c *Context) Log() *zap.Logger {
	x := c.ensureExtras()
	if x.log == nil {
		x.log = c.sys.logger.With(zap.String("actor", c.self.pid.Name))
	}
	return x.log
}

// Receive is called by protoactor with its lifecycle messages; envelopes go
// past it.
func (c *Context) Receive(p actor.Context) {
	switch p.Message().(type) {
	case *actor.Stopping:
		c.beginStop()
	case *actor.Stopped:
		c.endStop()
	}
}

func (c *Context) handle(e *envelope) {
	switch e.kind {
	case kindMessage:
		c.dispatch(e.msg)
	case kindReply:
		c.replied(e)
	case kindRun:
		if e.generation == c.generation {
			e.run(c)
		}
	case kindAlways:
		e.run(c)
	case kindStop:
		c.Stop()
	}
}

func (c *Context) dispatch(m proto.Message) {
	typ := reflect.TypeOf(m)
	if c.last.typ == typ {
		c.last.run(c, m)
		return
	}
	for i := range c.handlers {
		if c.handlers[i].typ == typ {
			c.last = c.handlers[i]
			c.last.run(c, m)
			return
		}
	}
	if c.rare != nil && c.rare.any != nil {
		c.rare.any(c, m)
		return
	}
	c.sys.unhandled.note(c.Sender(), c.self.pid, typeName(m), reasonNoHandler)
	if ask := c.current.ask; ask != 0 {
		c.sys.failAsk(c.Sender(), ask, fmt.Errorf("%w: %s", ErrUndelivered, reasonNoHandler))
	}
}

// describe names what e carries, for logs and the slowest handler.
func (e *envelope) describe() string {
	switch e.kind {
	case kindMessage:
		return typeName(e.msg)
	case kindReply:
		return "reply " + typeName(e.msg)
	case kindStop:
		return "stop"
	default:
		return "continuation"
	}
}

func (c *Context) noteLongest(d time.Duration, s *span) {
	c.longest.limit = d
	if d < slowEnough {
		// Not worth an allocation: the first messages of an actor each beat the last.
		return
	}
	last := envelope{kind: s.last, msg: s.msg}
	what := last.describe()
	if s.count > 1 {
		what = fmt.Sprintf("%s, last of %d", what, s.count)
	}
	c.longest.seen.Store(&slowHandler{took: d, what: what})
}

// slowEnough is the shortest handling that is remembered with its type.
const slowEnough = 100 * time.Microsecond

// typeName is the full protobuf name of m.
func typeName(m proto.Message) string {
	if m == nil {
		return "<nil>"
	}
	if v := reflect.ValueOf(m); v.Kind() == reflect.Pointer && v.IsNil() {
		return fmt.Sprintf("%T(nil)", m)
	}
	return string(m.ProtoReflect().Descriptor().FullName())
}
