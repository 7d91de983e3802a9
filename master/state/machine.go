package state

import (
	"errors"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/master/state/view"
	"troupe/messages/mesos"
)

// The ids of everything, by the names that the read side has for them.
type (
	AgentID     = view.AgentID
	FrameworkID = view.FrameworkID
	TaskID      = view.TaskID
	ExecutorID  = view.ExecutorID
	OfferID     = view.OfferID
)

// Config is what a machine is told once. A zero duration means its default.
type Config struct {
	// This master's id: a UUID of its own per start, so that the ids of agents
	// and frameworks that are made of it never repeat.
	MasterID string
	// The cluster's id, by its registry; agents of another are refused. Empty:
	// nobody is.
	ClusterID string
	// Shown to frameworks; may be nil.
	Info *mesos.MasterInfo
	// The allocator's address.
	Allocator Peer
	// How long an agent may be away before it is unreachable; 10 min.
	AgentReregisterTimeout time.Duration
	// How fast agents may become unreachable; no limit by default.
	AgentRemovalRate Rate
	// Above 0 to 1: the share of the registry's agents that may stay away after
	// a change of leaders; when more do, the master ends. 1.
	RecoveryAgentRemovalLimit float64
	// What agents are told as their limit without a ping; 75 s.
	TotalPingTimeout time.Duration
	// After which unanswered offers are rescinded; 0 means never.
	OfferTimeout time.Duration
	// To how many frameworks at once the allocator may offer the same; 0 and 1
	// mean one. The first of them that accepts has it.
	OfferOverlap int
	// Between HEARTBEAT events; 15 s.
	HeartbeatInterval time.Duration
	// Between two prunings of the registry; 15 min.
	RegistryPruneInterval time.Duration
	// Of unreachable and gone agents in the registry; 2 weeks.
	RegistryMaxAgentAge time.Duration
	// Of each of the two; 0 means 102,400.
	RegistryMaxAgentCount int
	Limits                Limits
	Admission
	// When not empty, frameworks may have no other roles, and nothing is set for
	// others.
	Roles []string
	// Of roles, for a registry that has no weights yet.
	Weights []*mesos.WeightInfo
	// Of which hosts alone agents are offered; nil: of all.
	Whitelist Hosts
}

// Admission is whom a master takes, and how fast.
type Admission struct {
	// Refuse frameworks and tasks that run as root.
	RefuseRoot bool
	// Refuse agents that do not say where they stand.
	RequireAgentDomain bool
	// How fast the calls of frameworks are taken; nil: as they come. Their qps are
	// above 0, and no principal is named twice.
	RateLimits *mesos.RateLimits
}

// Limits bounds what is remembered of the past, here and on the read side.
type Limits = view.Limits

func (c Config) withDefaults() Config {
	setDefault(&c.AgentReregisterTimeout, 10*time.Minute)
	setDefault(&c.RecoveryAgentRemovalLimit, 1)
	setDefault(&c.TotalPingTimeout, 75*time.Second)
	setDefault(&c.HeartbeatInterval, 15*time.Second)
	setDefault(&c.RegistryPruneInterval, 15*time.Minute)
	setDefault(&c.RegistryMaxAgentAge, 14*24*time.Hour)
	setDefault(&c.RegistryMaxAgentCount, 102400)
	c.Limits = c.Limits.WithDefaults()
	return c
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Machine is a master's state. It is not safe for concurrent use.
type Machine struct {
	cfg        Config
	now        time.Time
	began      time.Time // to lead
	recovered  bool      // no agent of the registry is awaited any more
	out        []Effect
	registry   registry.Registry
	agents     agentTable
	removals   removals
	frameworks frameworkTable
	offers     offerTable
	operations operationTable
	inverse    inverseTable
	standing   standing
	rates      rates
	allocator  allocatorLink
	// What goes on when the registrar answered, by the key of its Persist.
	waiting     map[uint64]func(error)
	lastPersist uint64
	halted      bool
}

// New returns a machine that waits for Started.
func New(cfg Config) *Machine {
	cfg = cfg.withDefaults()
	return &Machine{
		cfg:        cfg,
		agents:     newAgentTable(),
		removals:   removals{waiting: make(map[AgentID]due)},
		frameworks: newFrameworkTable(),
		offers:     offerTable{byID: make(map[OfferID]*offer)},
		operations: newOperationTable(),
		inverse:    inverseTable{byID: make(map[OfferID]*inverseOffer), stirred: make(map[*agent]bool)},
		waiting:    make(map[uint64]func(error)),
		rates:      newRates(cfg.RateLimits),
	}
}

// maxKept is how many effects Step keeps room for.
const maxKept = 1 << 14

// Step takes one input and returns what is to be done about it. The slice is
// valid until the next Step. After a Halt every input is ignored.
func (m *Machine) Step(now time.Time, in Input) []Effect {
	clear(m.out)
	m.out = m.out[:0]
	if cap(m.out) > maxKept {
		m.out = nil
	}
	if m.halted {
		return nil
	}
	m.now = now
	switch in := in.(type) {
	case Started:
		m.start(in.Registry)
	case Received:
		m.receive(in)
	case PeerExited:
		m.peerExited(in.Peer)
	case TimerFired:
		m.timerFired(in.Key)
	case Persisted:
		m.persisted(in)
	case AgentSilent:
		m.agentSilent(in.Agent)
	case AgentAnswered:
		m.agentAnswered(in.Agent)
	case HostsListed:
		m.hostsListed(in.Hosts)
	}
	m.settleInverseOffers()
	return m.out
}

func (m *Machine) emit(e Effect) { m.out = append(m.out, e) }

func (m *Machine) send(to Peer, message proto.Message) { m.emit(Send{to, message}) }

func (m *Machine) publish(e view.Event) { m.emit(Publish{e}) }

func (m *Machine) note(level Level, text string, fields ...Field) {
	m.emit(Note{level, text, fields})
}

// drop counts a message that was of no use, and says why.
func (m *Machine) drop(kind view.Kind, from Peer, why string, fields ...Field) {
	m.publish(view.Judged{Kind: kind})
	m.note(Warn, "Dropped a message: "+why, append(fields, Field{"from", string(from)})...)
}

// persist asks for an operation and goes on with then when it is durable, or
// when the registry forbade it. The failure of the store goes nowhere: it
// halts the machine.
func (m *Machine) persist(op registry.Operation, then func(conflict error)) {
	m.persistChanges(op, func(_ []registry.Change, conflict error) { then(conflict) })
}

// persistChanges is persist for who needs to know what became different.
func (m *Machine) persistChanges(op registry.Operation, then func(changes []registry.Change, conflict error)) {
	m.lastPersist++
	m.waiting[m.lastPersist] = func(err error) {
		var changes []registry.Change
		if err == nil {
			m.registry, changes, err = registry.Apply(m.registry, op)
		}
		then(changes, err)
	}
	m.emit(Persist{m.lastPersist, op})
}

// changes tells whether an operation has anything to do.
func (m *Machine) changes(op registry.Operation) bool {
	return registry.Differs(m.registry, op)
}

func (m *Machine) persisted(in Persisted) {
	if in.Err != nil && !errors.Is(in.Err, registry.ErrConflict) {
		m.halted = true
		m.emit(Halt{in.Err})
		return
	}
	then := m.waiting[in.Key]
	if then == nil {
		m.note(Warn, "The registrar answered what was not asked", Field{"key", strconv.FormatUint(in.Key, 10)})
		return
	}
	delete(m.waiting, in.Key)
	then(in.Err)
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()/1000) / 1e6 }
