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
	bundles  bundles
	minimums []resources.Quantities
	chance   uint64
	stats    Stats

	master Peer // empty between epochs
	epoch  uint64
	registry
	quotas
	agenda
	loans loans
	working

	now     time.Time // of this step
	dawn    time.Time // that instants are counted from; see instant
	effects []Effect  // of this step
}

// registry is who is known in an epoch.
type registry struct {
	domain   *mesos.DomainInfo // of the master; may be nil
	expected int               // agents that the master's registry knows
	holding  bool              // nothing is offered until enough of them are there

	order      order
	lottery    *drf.Lottery // that is the order; nil unless chance has a say
	byID       map[agentID]*agent
	agents     []*agent // every agent, at its position
	frameworks map[frameworkID]*framework
	clients    map[uint64]*leaf // by the number that filters have
	views      map[sight]*view
}

// quotas are the sums that quota is kept by.
type quotas struct {
	tops     map[string]*top
	touched  []*top               // whose place in subsets may be another
	required resources.Quantities // that guarantees lack, of all roles
	headroom resources.Quantities // free and open on active agents
	withheld withheld
	debts    []debt // that the master was asked to collect
	looked   uint64 // how often for roles that lack their guarantee
}

// agenda is what passes are to look at, and when.
type agenda struct {
	rest      []*agent     // those that have something free
	dirty     []*agent     // for the next pass
	fresh     []*leaf      // to be shown all that is free, in the next pass
	everybody bool         // is to be, as there were too many of them
	askers    []*framework // that have requests, who asked last at the end
	wakes     wakes
	clock     schedule
}

// working is the memory that passes use again, and what outlasts epochs.
type working struct {
	numbers uint64  // of clients, handed out, in all epochs
	out     []grant // of this pass
	grants  []grant // of one agent, not handed over yet
	look    look    // at one agent
	layers  []*bundle
	left    []resources.Milli
	spare   []*agent // memory for the next list of dirty agents
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
	a := &Allocator{options: o, bundles: newBundles()}
	a.minimums = vectors(&a.bundles.index, o.Minimums)
	a.look.onRoot, a.look.onClient = a.serve, a.serveNext
	a.forget()
	return a
}

// Step takes one input and returns what is to be done, in order.
func (a *Allocator) Step(now time.Time, in Input) []Effect {
	if a.dawn.IsZero() {
		a.dawn = now.Add(-longBefore)
	}
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
	case *cluster.TakeResources:
		return a.takeResources(m)
	case *cluster.SuppressOffers:
		return a.suppressOffers(m)
	case *cluster.ReviveOffers:
		return a.reviveOffers(m)
	case *cluster.UpdateWeights:
		return a.setWeights(m.Weights)
	case *cluster.UpdateQuota:
		return a.setQuotas("configs", m.Configs)
	case *cluster.RequestResources:
		return a.requestResources(m)
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
	if err := a.setQuotas("quotas", m.Quotas); err != nil {
		return err
	}
	a.hesitate(len(m.Quotas) > 0)
	a.beginLending()
	return nil
}

// end forgets the epoch and its master.
func (a *Allocator) end() {
	if a.master == "" {
		return
	}
	a.do(Unlink{a.master}, CancelTimer{passKey}, CancelTimer{wakeKey}, CancelTimer{recoveryKey}, CancelTimer{recallKey}, CancelTimer{lendKey})
	a.master = ""
	a.forget()
}

func (a *Allocator) forget() {
	var uncounted []int
	for _, name := range a.options.NotShared {
		uncounted = append(uncounted, a.bundles.index.Number(name))
	}
	a.registry = registry{
		byID: make(map[agentID]*agent), frameworks: make(map[frameworkID]*framework),
		clients: make(map[uint64]*leaf), views: make(map[sight]*view),
	}
	a.arrange(uncounted...)
	a.quotas = quotas{tops: make(map[string]*top)}
	a.agenda = agenda{}
	a.loans = newLoans()
}

func (a *Allocator) setWeights(weights []*cluster.StartAllocator_Weight) error {
	for i, w := range weights {
		if err := checkWeight(w); err != nil {
			return field.At("weights", i, err)
		}
	}
	for i, w := range weights {
		if err := a.order.SetWeight(w.GetRole(), w.GetWeight()); err != nil {
			return field.At("weights", i, err)
		}
	}
	return nil
}

func (a *Allocator) do(effects ...Effect) { a.effects = append(a.effects, effects...) }

func (a *Allocator) note(level Level, text string, fields ...Field) {
	a.do(Note{level, text, fields})
}
