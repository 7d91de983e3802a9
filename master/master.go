package master

import (
	"fmt"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/master/registry"
	"troupe/master/state"
)

// Master is the actor that schedulers, agents and operators speak to. It gives
// its machine everything that happens, and performs what that decides.
type Master struct {
	options    Options
	sys        *actors.System
	machine    *state.Machine
	leadership *Leadership
	registrar  *Registrar
	registry   registry.Registry // as read at the start
	peers      peers
	elsewhere  actors.PID // the allocator, when it is named without an incarnation
	timers     map[string]*actors.Timer
	observers  map[state.AgentID]watch
	observed   int // observers so far
	// Who waits for an answer, by what the question was called.
	asking map[uint64]func(proto.Message)
	asked  uint64
	// Why the whitelist could not be read the last time; empty if it could.
	whitelistError string
	log            *zap.Logger
}

// Init begins the leadership.
func (m *Master) Init(c *actors.Context) {
	m.log = c.Log().WithOptions(zap.WrapCore(sample))
	m.timers = make(map[string]*actors.Timer)
	m.observers = make(map[state.AgentID]watch)
	m.asking = make(map[uint64]func(proto.Message))
	m.peers = newPeers()
	if pid := m.peers.pid(m.options.Config.Allocator); pid.Incarnation == "" {
		m.elsewhere = pid
	}
	c.HandleAny(m.received)
	c.HandleExited(m.exited)
	m.step(c, state.Started{Registry: m.registry})
	m.registry = registry.Registry{}
	m.watchWhitelist(c)
}

func (m *Master) received(c *actors.Context, msg proto.Message) {
	in := state.Received{From: m.from(c.Sender()), Principal: c.Principal(), Message: msg}
	if state.IsRequest(msg, c.Asked()) {
		m.asked++
		in.Ask = m.asked
		m.asking[in.Ask] = c.ReplyLater()
	}
	m.step(c, in)
}

// from is what the machine calls a sender. An allocator in another process is
// known to it by its well-known name, whichever start of it speaks: the epoch
// tells them apart.
func (m *Master) from(sender actors.PID) state.Peer {
	if sender.WellKnown() == m.elsewhere {
		sender = m.elsewhere
	}
	return m.peers.of(sender)
}

func (m *Master) exited(c *actors.Context, e actors.Exited) {
	p := m.peers.of(e.PID)
	m.step(c, state.PeerExited{Peer: p})
	m.peers.forget(e.PID)
}

// step performs the effects of one input, in order; of one that leads no more
// there are none.
func (m *Master) step(c *actors.Context, in state.Input) {
	if m.leadership.Err() != nil {
		return
	}
	for _, effect := range m.machine.Step(time.Now(), in) {
		m.perform(c, effect)
	}
}

func (m *Master) perform(c *actors.Context, effect state.Effect) {
	switch e := effect.(type) {
	case state.Send:
		c.Send(m.peers.pid(e.To), e.Message)
	case state.Answer:
		m.answer(e)
	case state.Publish:
		m.options.Publisher.Publish(e.Event)
	case state.SetTimer:
		m.setTimer(c, e)
	case state.CancelTimer:
		m.timers[e.Key].Stop()
		delete(m.timers, e.Key)
	case state.Persist:
		m.persist(c, e)
	case state.Link:
		c.Link(m.peers.pid(e.Peer))
	case state.Unlink:
		pid := m.peers.pid(e.Peer)
		c.Unlink(pid)
		m.peers.forget(pid)
	case state.Observe:
		m.observe(c, e)
	case state.Unobserve:
		m.unobserve(e.Agent)
	case state.Note:
		m.write(e)
	case state.Halt:
		m.log.Error("This master can no longer lead", zap.Error(e.Err))
		m.leadership.finish(fmt.Errorf("master: %w", e.Err))
	}
}

// answer answers who asked.
func (m *Master) answer(e state.Answer) {
	if reply := m.asking[e.Ask]; reply != nil {
		delete(m.asking, e.Ask)
		reply(e.Reply)
	}
}

func (m *Master) setTimer(c *actors.Context, e state.SetTimer) {
	m.timers[e.Key].Stop()
	m.timers[e.Key] = c.After(e.After, func() {
		delete(m.timers, e.Key)
		m.step(c, state.TimerFired{Key: e.Key})
	})
}

// persist asks the registrar, whose answer is an input.
func (m *Master) persist(c *actors.Context, e state.Persist) {
	self := c.Self()
	answer := func(err error) {
		m.sys.Do(self, func(c *actors.Context) { m.step(c, state.Persisted{Key: e.Key, Err: err}) })
	}
	asked := m.sys.Do(m.sys.PID(RegistrarName), func(c *actors.Context) { m.registrar.Apply(c, e.Operation, answer) })
	if !asked {
		answer(errNoRegistrar)
	}
}

// sample bounds what a flood of bad input writes: of lines with one text, the
// first 20 of every second, and then every 1000th. The counters count them all.
func sample(core zapcore.Core) zapcore.Core {
	return zapcore.NewSamplerWithOptions(core, time.Second, 20, 1000)
}

var levels = [...]zapcore.Level{
	state.Debug: zapcore.DebugLevel,
	state.Info:  zapcore.InfoLevel,
	state.Warn:  zapcore.WarnLevel,
}

// write logs a note; whether the level is on is asked before its fields are
// converted.
func (m *Master) write(n state.Note) {
	entry := m.log.Check(levels[n.Level], n.Text)
	if entry == nil {
		return
	}
	fields := make([]zap.Field, 0, len(n.Fields))
	for _, f := range n.Fields {
		fields = append(fields, zap.String(f.Name, f.Value))
	}
	entry.Write(fields...)
}
