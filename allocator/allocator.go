// Package allocator is the actor that decides who is offered what: the shell
// of allocator/core. The master's process spawns it beside the master; since
// the two only exchange messages, it may also run elsewhere, and anything that
// speaks troupe.cluster's allocator.proto may take its place. Wiring imports
// it. See DESIGN.md for how it decides and what that costs.
package allocator

import (
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/allocator/core"
	"troupe/messages/cluster"
)

// Name is the actor's well-known name.
const Name = "allocator"

// Options of the actor.
type Options struct {
	core.Options
	// Seed of the order in which agents are looked at.
	Seed uint64
	// Anywhere lets a master of another system be obeyed. Without it nobody who
	// merely reaches the port can take the allocator from the master beside it.
	Anywhere bool
}

// Allocator is the actor. It waits for StartAllocator from a master.
type Allocator struct {
	core     *core.Allocator
	seed     uint64
	anywhere bool
	foreign  uint64 // messages of other systems, refused
	timers   map[string]*actors.Timer
	linked   map[core.Peer]actors.PID
	stats    atomic.Pointer[core.Stats]
	figures  figures
	log      *zap.Logger
}

// New returns an actor to be spawned once, as Name.
func New(o Options) *Allocator {
	a := &Allocator{
		core:     core.New(o.Options),
		seed:     o.Seed,
		anywhere: o.Anywhere,
		timers:   make(map[string]*actors.Timer),
		linked:   make(map[core.Peer]actors.PID),
		figures:  newFigures(),
	}
	a.stats.Store(&core.Stats{})
	return a
}

// Stats returns the counts as of the last message, from any goroutine.
func (a *Allocator) Stats() core.Stats { return *a.stats.Load() }

// Init installs the handlers.
func (a *Allocator) Init(c *actors.Context) {
	a.log = c.Log().WithOptions(zap.WrapCore(sample))
	c.HandleAny(a.received)
	c.HandleExited(func(c *actors.Context, e actors.Exited) {
		a.step(c, core.PeerExited{Peer: peer(e.PID)})
	})
	a.step(c, core.Seeded{Seed: a.seed})
}

// sample bounds what a flood of bad messages writes: of lines with one text,
// the first 20 of every second, and then every 1000th. Stats counts them all.
func sample(core zapcore.Core) zapcore.Core {
	return zapcore.NewSamplerWithOptions(core, time.Second, 20, 1000)
}

func (a *Allocator) received(c *actors.Context, m proto.Message) {
	from := c.Sender()
	if !a.anywhere && !from.IsZero() && (from.Address != c.Self().Address || from.Incarnation != c.Self().Incarnation) {
		a.foreign++
		a.publishStats()
		a.log.Warn("message refused: its sender is of another system",
			zap.String("message", string(m.ProtoReflect().Descriptor().FullName())), zap.Stringer("sender", from))
		return
	}
	if ask, ok := m.(*cluster.ExplainOffers); ok {
		c.Reply(a.core.Explain(time.Now(), ask.GetFrameworkId().GetValue()))
		return
	}
	a.step(c, core.Received{From: peer(from), Principal: c.Principal(), Message: m})
}

func peer(p actors.PID) core.Peer { return core.Peer(p.String()) }

func (a *Allocator) step(c *actors.Context, in core.Input) {
	for _, effect := range a.core.Step(time.Now(), in) {
		a.perform(c, effect)
	}
	a.publishStats()
	a.rolesChanged(c)
}

func (a *Allocator) publishStats() {
	stats := a.core.Stats()
	stats.Refused += a.foreign
	a.stats.Store(&stats)
}

func (a *Allocator) perform(c *actors.Context, effect core.Effect) {
	switch e := effect.(type) {
	case core.Send:
		c.Send(a.linked[e.To], e.Message)
	case core.SetTimer:
		a.stopTimer(e.Key)
		asked := time.Now()
		a.timers[e.Key] = c.After(e.After, func() {
			delete(a.timers, e.Key)
			a.timed(asked, func() { a.step(c, core.TimerFired{Key: e.Key}) })
		})
	case core.CancelTimer:
		a.stopTimer(e.Key)
	case core.Link:
		a.linked[e.Peer] = c.Sender() // the core links whom it has just heard
		c.Link(c.Sender())
	case core.Unlink:
		c.Unlink(a.linked[e.Peer])
		delete(a.linked, e.Peer)
	case core.Note:
		note(a.log, e)
	}
}

func (a *Allocator) stopTimer(key string) {
	if t, ok := a.timers[key]; ok {
		t.Stop()
		delete(a.timers, key)
	}
}

func note(log *zap.Logger, n core.Note) {
	fields := make([]zap.Field, len(n.Fields))
	for i, f := range n.Fields {
		fields[i] = zap.String(f.Name, f.Value)
	}
	switch n.Level {
	case core.Debug:
		log.Debug(n.Text, fields...)
	case core.Info:
		log.Info(n.Text, fields...)
	case core.Warn:
		log.Warn(n.Text, fields...)
	}
}
