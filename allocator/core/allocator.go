package core

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/allocator/drf"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Allocator knows, for one epoch, the agents and frameworks of a master, and
// who holds or is offered what. It is not safe for concurrent use.
type Allocator struct {
	options  Options
	index    resources.Index
	minimums []resources.Quantities
	chance   uint64

	master Peer // empty between epochs
	epoch  uint64

	domain   *mesos.DomainInfo // of the master; may be nil
	expected int               // agents that the master's registry knows

	tree       *drf.Tree
	agents     map[agentID]*agent
	order      []*agent // every agent, at its position
	frameworks map[frameworkID]*framework
	quotas     map[string]bounds // by role
	dirty      []*agent          // for the next pass
	wakes      wakes
	clock      schedule
	stats      Stats

	now     time.Time // of this step
	effects []Effect  // of this step
	scratch resources.Quantities
}

// Stats counts what an allocator has, and has done since it was made.
type Stats struct {
	Agents, Frameworks int
	// Passes made, looks at an agent on behalf of a client, and allocations
	// handed out.
	Passes, Looks, Allocations uint64
	// Refused messages: of strangers, and those that cannot be.
	Refused uint64
}

// New returns an allocator that waits for StartAllocator.
func New(o Options) *Allocator {
	if o.Interval <= 0 {
		o.Interval = time.Second
	}
	if o.Minimums == nil {
		o.Minimums = DefaultMinimums()
	}
	a := &Allocator{options: o}
	a.minimums = vectors(&a.index, o.Minimums)
	a.forget()
	return a
}

// Step takes one input and returns what is to be done, in order.
func (a *Allocator) Step(now time.Time, in Input) []Effect {
	a.now, a.effects = now, nil
	switch in := in.(type) {
	case Received:
		a.receive(in)
	case TimerFired:
		a.onTimer(in.Key)
	case PeerExited:
		if in.Peer == a.master {
			a.end()
		}
	case Seeded:
		a.chance = in.Seed
	}
	a.reschedule()
	return a.effects
}

// Stats returns the counts as of the last step.
func (a *Allocator) Stats() Stats {
	s := a.stats
	s.Agents, s.Frameworks = len(a.agents), len(a.frameworks)
	return s
}

func (a *Allocator) receive(in Received) {
	var err error
	if start, ok := in.Message.(*cluster.StartAllocator); ok {
		err = a.start(in.From, start)
	} else if in.From != a.master || a.master == "" {
		err = field.Invalid("sender", string(in.From), "is not the master of this epoch")
	} else {
		err = a.apply(in.Message)
	}
	if err != nil {
		a.stats.Refused++
		a.note(Warn, "message refused", Field{"message", nameOf(in.Message)},
			Field{"sender", string(in.From)}, Field{"error", err.Error()})
	}
}

func nameOf(m proto.Message) string {
	if m == nil {
		return "nil"
	}
	return string(m.ProtoReflect().Descriptor().FullName())
}

// apply hands a message of the master to its method. Each checks all of the
// message before it changes anything.
func (a *Allocator) apply(message proto.Message) error {
	switch m := message.(type) {
	case *cluster.AddAgent:
		return a.addAgent(m)
	case *cluster.UpdateAgent:
		return a.updateAgent(m)
	case *cluster.RemoveAgent:
		return a.removeAgent(m)
	case *cluster.AddFramework:
		return a.addFramework(m)
	case *cluster.DeactivateFramework:
		return a.deactivateFramework(m)
	case *cluster.RemoveFramework:
		return a.removeFramework(m)
	case *cluster.RecoverResources:
		return a.recoverResources(m)
	case *cluster.SuppressOffers:
		return a.suppressOffers(m)
	case *cluster.ReviveOffers:
		return a.reviveOffers(m)
	case *cluster.UpdateWeights:
		return a.setWeights(m.Weights)
	case *cluster.UpdateQuota:
		return a.setQuotas("configs", m.Configs)
	case *cluster.RequestResources:
		return nil // fairness needs no hints
	}
	return fmt.Errorf("not a message for an allocator")
}

// start begins an epoch with nothing but weights and quotas.
func (a *Allocator) start(from Peer, m *cluster.StartAllocator) error {
	if from == "" {
		return field.Missing("sender")
	}
	a.end()
	a.master, a.epoch = from, m.GetEpoch()
	a.do(Link{a.master})
	a.note(Info, "epoch started", Field{"master", string(from)}, Field{"epoch", fmt.Sprint(a.epoch)})
	a.domain, a.expected = m.Domain, int(m.GetExpectedAgents())
	if err := a.setWeights(m.Weights); err != nil {
		return err
	}
	return a.setQuotas("quotas", m.Quotas)
}

// end forgets the epoch and its master.
func (a *Allocator) end() {
	if a.master == "" {
		return
	}
	a.do(Unlink{a.master}, CancelTimer{passKey}, CancelTimer{wakeKey})
	a.master = ""
	a.forget()
}

func (a *Allocator) forget() {
	var uncounted []int
	for _, name := range a.options.NotShared {
		uncounted = append(uncounted, a.index.Number(name))
	}
	a.tree = drf.New(uncounted...)
	a.agents = make(map[agentID]*agent)
	a.frameworks = make(map[frameworkID]*framework)
	a.quotas = make(map[string]bounds)
	a.domain, a.expected = nil, 0
	a.order, a.dirty, a.wakes, a.clock = nil, nil, nil, schedule{}
}

func (a *Allocator) setWeights(weights []*cluster.StartAllocator_Weight) error {
	for i, w := range weights {
		if err := checkWeight(w); err != nil {
			return field.At("weights", i, err)
		}
	}
	for i, w := range weights {
		if err := a.tree.SetWeight(w.GetRole(), w.GetWeight()); err != nil {
			return field.At("weights", i, err)
		}
	}
	return nil
}

func (a *Allocator) do(effects ...Effect) { a.effects = append(a.effects, effects...) }

func (a *Allocator) note(level Level, text string, fields ...Field) {
	a.do(Note{level, text, fields})
}
