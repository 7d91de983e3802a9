package master

import (
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/master/state"
	"troupe/messages/cluster"
)

// Observer is the actor that watches one agent: it pings, and reports when too
// many pings in a row stay unanswered, and when they are answered again.
type Observer struct {
	every  time.Duration
	limit  int
	report func(silent bool)
	// The rest is the actor's own.
	agent     actors.PID
	connected bool
	missed    int
	reported  bool
	timer     *actors.Timer
}

// Init begins to ping.
func (o *Observer) Init(c *actors.Context) {
	actors.Handle(c, func(c *actors.Context, _ *cluster.Pong) {
		if c.Sender().WellKnown() == o.agent.WellKnown() {
			o.missed = 0
			if o.reported {
				o.reported = false
				o.report(false)
			}
		}
	})
	o.timer = c.Every(o.every, func() { o.tick(c) })
	o.ping(c)
}

func (o *Observer) ping(c *actors.Context) {
	c.Send(o.agent, &cluster.Ping{Connected: &o.connected})
}

// tick counts the ping before as unanswered until its Pong resets the count.
func (o *Observer) tick(c *actors.Context) {
	o.missed++
	if o.missed >= o.limit && !o.reported {
		o.reported = true
		o.report(true)
	}
	o.ping(c)
}

// turn gives the agent a new address or state. An agent that is connected has
// just spoken: what went unanswered before does not count.
func (o *Observer) turn(agent actors.PID, connected bool) {
	if connected {
		o.missed, o.reported = 0, false
	}
	o.agent, o.connected = agent, connected
}

// observe starts an agent's observer, or turns it.
func (m *Master) observe(c *actors.Context, e state.Observe) {
	agent, connected := m.peers.pid(e.Peer), e.Connected
	if w := m.observers[e.Agent]; w.observer != nil {
		m.sys.Do(w.pid, func(*actors.Context) { w.observer.turn(agent, connected) })
		return
	}
	self := c.Self()
	o := &Observer{
		every: m.options.PingTimeout, limit: m.options.MaxPingTimeouts, agent: agent, connected: connected,
		report: func(silent bool) {
			var word state.Input = state.AgentAnswered{Agent: e.Agent}
			if silent {
				word = state.AgentSilent{Agent: e.Agent}
			}
			m.sys.Do(self, func(c *actors.Context) { m.step(c, word) })
		},
	}
	m.observed++
	pid, err := c.Spawn(m.observerName(e.Agent), o)
	if err != nil {
		m.log.Error("An agent cannot be observed", zap.String("agent", string(e.Agent)), zap.Error(err))
		return
	}
	m.observers[e.Agent] = watch{o, pid}
}

// watch is an observer and where it is.
type watch struct {
	observer *Observer
	pid      actors.PID
}

func (m *Master) unobserve(id state.AgentID) {
	if w := m.observers[id]; w.observer != nil {
		delete(m.observers, id)
		m.sys.Do(w.pid, func(c *actors.Context) { c.Stop() })
	}
}

// observerName is observer/S3 for an agent of this master that is observed for
// the first time. Ids that another master gave, and agents that come back
// while their last observer still stops, get a number that nobody else has.
func (m *Master) observerName(id state.AgentID) string {
	short, own := strings.CutPrefix(string(id), m.options.Config.MasterID+"-")
	name := observers + short
	taken := m.sys.Do(m.sys.PID(name), func(*actors.Context) {})
	if !own || taken || address.ValidateName(name) != nil {
		return observers + strconv.Itoa(m.observed)
	}
	return name
}
