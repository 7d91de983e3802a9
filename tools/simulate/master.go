package simulate

import (
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
	masterAddress = "master:5050"
	masterActor   = "master@" + masterAddress
	pingEvery     = 15 * time.Second
	pingsMissed   = 5
)

// masterNode is the master's process: the master, its registrar and observers
// and the allocator. The store outlives it.
type masterNode struct {
	*process
	cluster   *simulation
	store     registry.Registry
	machine   *state.Machine
	allocator *allocatorNode
	observers map[state.AgentID]*observer
	writing   bool
	queue     []state.Persist
}

// observer pings one agent.
type observer struct {
	peer      string
	connected bool
	missed    int
	reported  bool
}

func newMasterNode(c *simulation) *masterNode {
	return &masterNode{process: c.net.process(masterAddress), cluster: c}
}

// boot starts the process with what the store holds.
func (m *masterNode) boot() {
	m.process.start()
	m.observers = make(map[state.AgentID]*observer)
	m.writing, m.queue = false, nil
	m.allocator = &allocatorNode{master: m}
	m.allocator.begin()
	m.machine = state.New(state.Config{
		MasterID:               fmt.Sprintf("M%d", m.life),
		Allocator:              state.Peer(m.pid("allocator")),
		AgentReregisterTimeout: m.cluster.options.AgentReregisterTimeout,
	})
	m.actors["master"] = m
	m.step(state.Started{Registry: m.store})
}

func (m *masterNode) receive(from string, message proto.Message) {
	m.step(state.Received{From: state.Peer(from), Message: message})
}

func (m *masterNode) exited(peer string) { m.step(state.PeerExited{Peer: state.Peer(peer)}) }

func (m *masterNode) step(in state.Input) {
	for _, effect := range slices.Clone(m.machine.Step(m.net.now, in)) {
		m.perform(effect)
	}
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
		m.cluster.fail("the master halted: %v", e.Err)
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
	answers := make([]error, len(batch))
	life := m.life
	m.net.after(m.cluster.diskTime(), func() {
		if m.life != life || !m.up && m.net.oneIn(2) {
			return // the process died first
		}
		for i, p := range batch {
			m.store, _, answers[i] = registry.Apply(m.store, p.Operation)
		}
		if !m.up {
			return
		}
		m.writing = false
		for i, p := range batch {
			m.step(state.Persisted{Key: p.Key, Err: answers[i]})
		}
		m.write()
	})
}

func observerName(id state.AgentID) string { return "observer/" + string(id) }

func (m *masterNode) observe(e state.Observe) {
	o := m.observers[e.Agent]
	if o == nil {
		o = &observer{}
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
	if from == o.peer {
		o.missed, o.reported = 0, false
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
	a.core = allocatorcore.New(allocatorcore.Options{})
	a.master.actors["allocator"] = a
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
	for _, effect := range a.core.Step(p.net.now, in) {
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
