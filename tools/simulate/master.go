package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	allocatorcore "troupe/allocator/core"
	"troupe/master/registry"
	"troupe/master/state"
	"troupe/messages/cluster"
)

const (
	pingEvery   = 15 * time.Second
	pingsMissed = 5
)

// masterActor is the actor of the master at an address; empty if that is.
func masterActor(address string) string {
	if address == "" {
		return ""
	}
	return "master@" + address
}

// masterNode is a master's process. When it leads, it holds the master, its
// registrar and observers and the allocator. The quorum outlives it.
type masterNode struct {
	*process
	cluster   *simulation
	number    int
	epoch     uint64         // of its leadership; 0 while it was not elected
	machine   *state.Machine // nil until it leads
	allocator *allocatorNode
	observers map[state.AgentID]*observer
	// The registrar's.
	current registry.Registry
	writing bool
	queue   []state.Persist
}

// observer pings one agent.
type observer struct {
	peer      string
	connected bool
	missed    int
	reported  bool
	answers   func() // tells that an agent that was reported answers again
}

func newMasterNode(c *simulation, number int) *masterNode {
	return &masterNode{process: c.net.process(fmt.Sprintf("master%d:5050", number)), cluster: c, number: number}
}

// boot starts the process, which waits to be elected.
func (m *masterNode) boot() {
	m.process.start()
	m.epoch, m.machine, m.allocator = 0, nil, nil
	m.writing, m.queue = false, nil
	if q := m.cluster.quorum; q.single() {
		q.choose(m)
	}
}

// load reads the registry and begins to lead.
func (m *masterNode) load() {
	q := m.cluster.quorum
	m.later(m.cluster.diskTime(), func() {
		if !q.reaches(m.process) || m.epoch != q.epoch {
			m.resign("it cannot read the registry")
			return
		}
		records, err := q.load()
		if err == nil {
			m.current, err = registry.New(records)
		}
		if err != nil {
			m.cluster.fail("%s reads the registry: %v", m.address, err)
			return
		}
		m.cluster.oracle.registryRead(m.epoch)
		m.lead()
	})
}

func (m *masterNode) lead() {
	m.observers = make(map[state.AgentID]*observer)
	m.allocator = &allocatorNode{master: m}
	m.allocator.begin()
	m.machine = state.New(state.Config{
		MasterID:               fmt.Sprintf("M%d.%d", m.number, m.life),
		Allocator:              state.Peer(m.pid("allocator")),
		OfferOverlap:           m.cluster.manners.overlap,
		AgentReregisterTimeout: m.cluster.options.AgentReregisterTimeout,
		AgentRemovalRate:       m.cluster.removalRate(),
	})
	m.actors["master"] = m
	m.step(state.Started{Registry: m.current})
}

// resign ends the process, which somebody starts again.
func (m *masterNode) resign(why string) {
	m.net.note("%s exits: %s", m.address, why)
	m.down(m.net.between(time.Second, 10*time.Second))
}

// crash kills the process.
func (m *masterNode) crash() { m.down(m.net.between(100*time.Millisecond, 30*time.Second)) }

func (m *masterNode) down(d time.Duration) {
	m.process.kill()
	m.machine = nil
	m.net.after(d, m.boot)
}

func (m *masterNode) leads() bool { return m.up && m.machine != nil }

func (m *masterNode) receive(from string, message proto.Message) {
	m.step(state.Received{From: state.Peer(from), Message: message})
}

func (m *masterNode) exited(peer string) { m.step(state.PeerExited{Peer: state.Peer(peer)}) }

func (m *masterNode) step(in state.Input) {
	life := m.life
	for _, effect := range m.decide(in) {
		if m.burns() {
			m.crash()
		}
		if !m.up || m.life != life {
			return
		}
		m.perform(effect)
	}
}

// decide asks the machine what is to be done.
func (m *masterNode) decide(in state.Input) []state.Effect {
	received, _ := in.(state.Received)
	m.cluster.oracle.masterHears(received.Message)
	if p, ok := received.Message.(*cluster.Preempt); ok {
		before := m.machine.Consumed(topOf(p.GetRole()))
		effects := slices.Clone(m.machine.Step(m.now(), in))
		m.cluster.oracle.masterPreempts(m, p.GetRole(), before, effects)
		return effects
	}
	return slices.Clone(m.machine.Step(m.now(), in))
}

func (m *masterNode) perform(effect state.Effect) {
	switch e := effect.(type) {
	case state.Send:
		m.send("master", string(e.To), e.Message)
	case state.SetTimer:
		m.setTimer("master/"+e.Key, e.After, func() { m.step(state.TimerFired{Key: e.Key}) })
	case state.CancelTimer:
		m.cancelTimer("master/" + e.Key)
	case state.Link:
		m.watch("master", string(e.Peer))
	case state.Unlink:
		m.unwatch("master", string(e.Peer))
	case state.Persist:
		m.queue = append(m.queue, e)
		m.write()
	case state.Observe:
		m.observe(e)
	case state.Unobserve:
		delete(m.observers, e.Agent)
		delete(m.actors, observerName(e.Agent))
		m.cancelTimer(observerName(e.Agent))
	case state.Halt:
		m.resign(e.Err.Error())
	}
}

// write makes queued operations durable, all that wait in one go, as the
// registrar does.
func (m *masterNode) write() {
	if m.writing || len(m.queue) == 0 {
		return
	}
	m.writing = true
	batch := m.queue
	m.queue = nil
	verdicts := make([]error, len(batch))
	next := m.current
	var changes []registry.Change
	for i, p := range batch {
		var made []registry.Change
		next, made, verdicts[i] = registry.Apply(next, p.Operation)
		changes = append(changes, made...)
	}
	m.cluster.quorum.write(m, changes, func(err error) {
		m.writing = false
		if err == nil {
			m.current = next
		}
		life := m.life
		for i, p := range batch {
			if m.up && m.life == life {
				m.step(state.Persisted{Key: p.Key, Err: cmp.Or(err, verdicts[i])})
			}
		}
		if m.up && m.life == life {
			m.write()
		}
	})
}

func observerName(id state.AgentID) string { return "observer/" + string(id) }

func (m *masterNode) observe(e state.Observe) {
	o := m.observers[e.Agent]
	if o == nil {
		o = &observer{answers: func() { m.step(state.AgentAnswered{Agent: e.Agent}) }}
		m.observers[e.Agent] = o
		m.actors[observerName(e.Agent)] = o
		m.ping(e.Agent, o, m.net.between(0, pingEvery))
	}
	if o.peer != string(e.Peer) {
		o.missed, o.reported = 0, false
	}
	o.peer, o.connected = string(e.Peer), e.Connected
}

func (m *masterNode) ping(id state.AgentID, o *observer, wait time.Duration) {
	m.setTimer(observerName(id), wait, func() {
		m.ping(id, o, pingEvery)
		m.send(observerName(id), o.peer, &cluster.Ping{Connected: proto.Bool(o.connected)})
		o.missed++
		if o.missed > pingsMissed && !o.reported {
			o.reported = true
			m.step(state.AgentSilent{Agent: id})
		}
	})
}

func (o *observer) receive(from string, _ proto.Message) {
	if from != o.peer {
		return
	}
	o.missed = 0
	if o.reported {
		o.reported = false
		o.answers()
	}
}

func (o *observer) exited(string) {}

// allocatorNode is the allocator's actor.
type allocatorNode struct {
	master *masterNode
	core   *allocatorcore.Allocator
}

// begin puts a new allocator in the actor's place.
func (a *allocatorNode) begin() {
	a.core = allocatorcore.New(a.master.cluster.manners.allocator())
	a.master.actors["allocator"] = a
	a.master.cluster.oracle.stir()
	a.step(allocatorcore.Seeded{Seed: a.master.net.chance.Uint64()})
}

func (a *allocatorNode) receive(from string, m proto.Message) {
	a.step(allocatorcore.Received{From: allocatorcore.Peer(from), Message: m})
}

func (a *allocatorNode) exited(peer string) {
	a.step(allocatorcore.PeerExited{Peer: allocatorcore.Peer(peer)})
}

func (a *allocatorNode) step(in allocatorcore.Input) {
	p := a.master.process
	life := p.life
	for _, effect := range a.core.Step(p.now(), in) {
		if p.burns() {
			a.master.crash()
		}
		if !p.up || p.life != life {
			return
		}
		switch e := effect.(type) {
		case allocatorcore.Send:
			p.send("allocator", string(e.To), e.Message)
		case allocatorcore.SetTimer:
			p.setTimer("allocator/"+e.Key, e.After, func() {
				if a.master.allocator == a {
					a.step(allocatorcore.TimerFired{Key: e.Key})
				}
			})
		case allocatorcore.CancelTimer:
			p.cancelTimer("allocator/" + e.Key)
		case allocatorcore.Link:
			p.watch("allocator", string(e.Peer))
		case allocatorcore.Unlink:
			p.unwatch("allocator", string(e.Peer))
		}
	}
}

// replaceAllocator lets the allocator's actor die and come back empty.
func (m *masterNode) replaceAllocator() {
	m.net.note("the allocator is replaced")
	m.stopActor("allocator")
	m.allocator = &allocatorNode{master: m}
	m.allocator.begin()
}
