package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
	"github.com/google/uuid"
	cmap "github.com/orcaman/concurrent-map"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"
	"go.uber.org/zap/zapcore"
	"google.golang.org/protobuf/proto"
)

// System is a set of actors with one address and one start. An operating
// system process has one; tests have several.
type System struct {
	address     string
	incarnation string
	logger      *zap.Logger
	limits      Limits
	onPanic     func(Panic)
	runner      Runner
	visits      bool // links' goroutines may run actors
	batch       int

	births    births
	table     *table
	transport Transport
	routes    routes
	outside   *origin // sends what no actor sends
	asks      outsideAsks
	dead      *lostMessages
	unhandled *lostMessages
	working   sync.WaitGroup // Context.Go
}

// births is where actors come from: protoactor's side, which learns from
// current whom it makes.
type births struct {
	core      *actor.ActorSystem
	props     *actor.Props
	anonymous atomic.Uint64

	mu      sync.Mutex // held while protoactor spawns
	current *Context
	closed  bool
}

// New makes a system and starts listening.
func New(o Options) (*System, error) {
	s := &System{
		incarnation: uuid.NewString(),
		logger:      o.Logger,
		limits:      *o.Limits.withDefaults(defaultLimits),
		onPanic:     o.OnPanic,
		routes:      routes{guard: o.Guard},
		runner:      o.Runner,
		table:       newTable(),
		asks:        outsideAsks{waiting: make(map[uint64]outsideAsk)},
	}
	if s.logger == nil {
		s.logger = zap.NewNop()
	}
	if s.runner == nil {
		s.runner, s.visits = goroutines{}, true
	}
	s.routes.unready.Store(o.Unready)
	s.batch = max(1, s.runner.Batch())
	s.dead = newLostMessages("dead letter", s.logger, o.OnDeadLetter)
	s.unhandled = newLostMessages("unhandled message", s.logger, o.OnUnhandled)
	s.births.begin(s.logger)
	if err := s.connect(o); err != nil {
		return nil, fmt.Errorf("start actor system: %w", err)
	}
	return s, nil
}

// begin makes ready for births.
func (b *births) begin(logger *zap.Logger) {
	b.core = newCore(logger)
	b.props = actor.PropsFromProducer(
		func() actor.Actor { return b.current },
		actor.WithMailbox(func() actor.Mailbox { return (*protoMailbox)(b.current) }),
	)
}

// end says whether it was called for the first time. There are no births after.
func (b *births) end() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	already := b.closed
	b.closed = true
	return !already
}

// newCore makes protoactor's system without what it costs too much or does
// behind our back: 32,768 map shards, and an event stream whose subscribers
// answer and log dead letters from a goroutine with a clock.
func newCore(logger *zap.Logger) *actor.ActorSystem {
	warnings, err := zapcore.NewIncreaseLevelCore(logger.Core(), zapcore.WarnLevel)
	if err != nil {
		warnings = logger.Core() // lets through less than warnings already
	}
	core := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(zapslog.NewHandler(warnings, zapslog.WithName("protoactor")))
	}))
	const buckets = 8
	slices := &actor.SliceMap{LocalPIDs: make([]cmap.ConcurrentMap, buckets)}
	for i := range slices.LocalPIDs {
		slices.LocalPIDs[i] = cmap.New()
	}
	core.ProcessRegistry.LocalPIDs = slices
	core.EventStream = eventstream.NewEventStream()
	return core
}

// PID is the address of this system's actor with that name, running or not.
func (s *System) PID(name string) PID {
	return PID{Name: name, Address: s.address, Incarnation: s.incarnation}
}

// Address is the host:port of this system; port 0 when it does not listen.
func (s *System) Address() string { return s.address }

// Incarnation identifies this start of the system.
func (s *System) Incarnation() string { return s.incarnation }

// Send sends m to an actor anywhere; see Context.Send.
func (s *System) Send(to PID, m proto.Message) { s.send(nil, to, m, 0) }

// Do runs f in a local actor's queue, in order. It is false when there is no
// such actor; f is not called when the actor stops first.
func (s *System) Do(to PID, f func(*Context)) bool {
	if where, _ := s.locate(to); where != atHome {
		return false
	}
	c := s.table.get(to.Name)
	return c != nil && c.post(envelope{kind: kindAlways, run: f}) == posted
}

// Stop stops a local actor after what is queued for it now, and waits until it
// has. An actor that does not exist has stopped. Never call it from inside an
// actor: there is Context.Stop.
func (s *System) Stop(ctx context.Context, pid PID) error {
	where, reason := s.locate(pid)
	if where == abroad {
		reason = "not an actor of this system"
	}
	if where != atHome {
		return fmt.Errorf("stop %s: %s", pid, reason)
	}
	c := s.table.get(pid.Name)
	if c == nil {
		return nil
	}
	c.post(envelope{kind: kindStop})
	if err := wait(ctx, c.finished()); err != nil {
		return fmt.Errorf("stop %s: %w", pid, err)
	}
	return nil
}

// wait is the cause of ctx's end, unless done is closed by then: a deadline
// that has passed blames nobody who is ready.
func wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-done:
		return nil
	default:
		return context.Cause(ctx)
	}
}

// Close stops all actors after what is queued for them, flushes what they have
// sent, and waits for work started by Context.Go. When ctx is done first it
// gives up, closes the transport all the same, and names who did not stop.
func (s *System) Close(ctx context.Context) error {
	if !s.births.end() {
		return nil
	}
	return errors.Join(s.stopAll(ctx), s.transport.Close(ctx), s.awaitWork(ctx))
}

func (s *System) stopAll(ctx context.Context) error {
	var roots []*Context
	for _, c := range s.table.all() {
		if c.parent == nil {
			roots = append(roots, c)
			c.post(envelope{kind: kindStop})
		}
	}
	var errs []error
	for _, c := range roots {
		if err := wait(ctx, c.finished()); err != nil {
			errs = append(errs, fmt.Errorf("close: actor %q has not stopped: %w", c.self.pid.Name, err))
		}
	}
	return errors.Join(errs...)
}

func (s *System) awaitWork(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.working.Wait()
		close(done)
	}()
	if err := wait(ctx, done); err != nil {
		return fmt.Errorf("close: work off the mailbox goes on: %w", err)
	}
	return nil
}

// place says where an address leads.
type place uint8

const (
	atHome place = iota
	abroad
	nowhere
)

func (s *System) locate(p PID) (where place, reason string) {
	if p.Address != s.address {
		if p.Address == "" || p.Name == "" {
			return nowhere, reasonBadAddress
		}
		return abroad, ""
	}
	if p.Incarnation == "" || p.Incarnation == s.incarnation {
		return atHome, ""
	}
	if s.anonymousAddress() {
		// Others on this host have the same address with port 0.
		return abroad, ""
	}
	return nowhere, reasonIncarnation
}

func (s *System) send(from *origin, to PID, m proto.Message, ask uint64) {
	if m == nil {
		s.undelivered(from, to, nil, ask, reasonNil)
		return
	}
	where, reason := s.locate(to)
	switch where {
	case atHome:
		s.deliver(to, envelope{kind: kindMessage, msg: m, from: from, ask: ask})
	case abroad:
		s.sendAbroad(from, to, m, ask)
	case nowhere:
		s.undelivered(from, to, m, ask, reason)
	}
}

// reply sends m as the answer to a question of to's.
func (s *System) reply(from *origin, to PID, m proto.Message, ask uint64) {
	if m == nil {
		s.undelivered(from, to, nil, 0, reasonNil)
		return
	}
	if where, _ := s.locate(to); where == atHome {
		s.deliver(to, envelope{kind: kindReply, msg: m, from: from, ask: ask})
		return
	}
	to.Name = markAsk(to.Name, ask)
	s.sendAbroad(from, to, m, 0)
}

// deliver posts e to an actor of this system.
func (s *System) deliver(to PID, e envelope) {
	if c := s.put(to, e); c != nil {
		s.runner.Run(c.loop)
	}
}

// put posts e to an actor of this system, and gives the actor when the caller
// has to run it.
func (s *System) put(to PID, e envelope) *Context {
	reason := reasonNoActor
	if c := s.table.get(to.Name); c != nil {
		result, woken := c.put(e)
		switch result {
		case posted:
			if woken {
				return c
			}
			return nil
		case refusedFull:
			reason = reasonFull
		case refusedClosed:
			reason = reasonStopped
		}
	} else if e.kind == kindReply && to.Name == outsideName {
		if s.asks.resolve(e.ask, e.from.pid, askResult{m: e.msg}) {
			return nil
		}
		reason = reasonLateReply
	}
	if e.kind == kindReply {
		e.ask = 0
	}
	s.undelivered(e.from, to, e.msg, e.ask, reason)
	return nil
}

// undelivered counts a dead letter and lets a local asker know.
func (s *System) undelivered(from *origin, to PID, m proto.Message, ask uint64, reason string) {
	var sender PID
	if from != nil {
		sender = from.pid
	}
	s.dead.note(sender, to, typeName(m), reason)
	if ask != 0 {
		s.failAsk(sender, ask, fmt.Errorf("%w: %s", ErrUndelivered, reason))
	}
}

// failAsk tells a local asker that its question is lost.
func (s *System) failAsk(asker PID, ask uint64, err error) {
	if where, _ := s.locate(asker); where != atHome {
		return
	}
	if asker.Name == outsideName {
		s.asks.resolve(ask, PID{}, askResult{err: err})
		return
	}
	if c := s.table.get(asker.Name); c != nil {
		c.postAskFailure(ask, err)
	}
}
