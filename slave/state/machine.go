package state

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state/view"
	"troupe/slave/updates"
)

// The ids of everything, by the names that the read side has for them.
type (
	FrameworkID = view.FrameworkID
	ExecutorID  = view.ExecutorID
	TaskID      = view.TaskID
	ContainerID = view.ContainerID
	HostID      = view.HostID
	OperationID = view.OperationID
)

// CustomExecutors is what executors in a process of their own get, to reach the
// agent. Their framework cannot override it.
type CustomExecutors struct {
	// As NAME=value.
	Environment []string
	// Signs the token by which each proves who it is; nil: they get none.
	TokenKey []byte
}

// Config is what a machine is told once. A zero duration or number means its
// default.
type Config struct {
	// What the agent says of itself, without an id.
	Info         *mesos.AgentInfo
	Version      string
	Capabilities []mesos.AgentInfo_Capability_Type
	// "ip:port", where executors find the agent.
	Endpoint string
	// What every executor has in its environment, as NAME=value.
	Environment []string
	Custom      CustomExecutors
	Containers
	// How many containers a host holds; 64.
	ContainersPerHost int
	// The first wait between two attempts to register; 1 s.
	RegistrationBackoff time.Duration
	// From a container's launch until its executor must have subscribed; 1 min.
	ExecutorRegistration time.Duration
	// From the agent's own start until a host of its last life must have come
	// back; 2 s. One gets HostPatience more when some executor has.
	ExecutorReregistration time.Duration
	// The longest wait of executors between attempts to reach a lost agent;
	// 500 ms.
	ExecutorRetry time.Duration
	// From SHUTDOWN until an executor is killed; 5 s.
	ShutdownGrace time.Duration
	// How long an executor may be without its agent; 15 min.
	RecoveryTimeout time.Duration
	// How long a host may take to be ready, and to return; 30 s.
	HostPatience time.Duration
	// What an agent may say of itself that it did not say when it got its id:
	// more of everything, or nothing.
	Additive bool
	// End everything that an earlier agent process left, and then the agent.
	Cleanup bool
	// Where a container's folder is; a pure function.
	Sandbox func(agent string, f FrameworkID, e ExecutorID, c ContainerID) string
	// The same, for a container that is no executor's; nil where there are none.
	StandaloneSandbox func(c ContainerID) string
	// Chance for ids and jitter: equal seeds give equal agents.
	Seed [2]uint64
}

// Containers is what hosts are told of how containers are made.
type Containers struct {
	// Run executors as the user that their framework names.
	SwitchUser bool
	// How containers are isolated; see cluster.LaunchContainer.
	Isolation []byte
	// What is requested of CPUs is their limit, too; see package amounts.
	QuotaCPUs bool
	// Sandboxes of containers that are not executors' own are collected when these
	// end, not with their executor's or by their client.
	CollectInner bool
	// Volumes can be mounted, so that they may be wanted in ways that links cannot
	// show.
	MountVolumes bool
	// Where the folder of a volume is; a pure function. Nil where there are none.
	VolumeFolder func(Volume) string
}

func (c Config) withDefaults() Config {
	c.ContainersPerHost = cmp.Or(c.ContainersPerHost, 64)
	c.RegistrationBackoff = cmp.Or(c.RegistrationBackoff, time.Second)
	c.ExecutorRegistration = cmp.Or(c.ExecutorRegistration, time.Minute)
	c.ExecutorReregistration = cmp.Or(c.ExecutorReregistration, 2*time.Second)
	c.ExecutorRetry = cmp.Or(c.ExecutorRetry, 500*time.Millisecond)
	c.ShutdownGrace = cmp.Or(c.ShutdownGrace, 5*time.Second)
	c.RecoveryTimeout = cmp.Or(c.RecoveryTimeout, 15*time.Minute)
	c.HostPatience = cmp.Or(c.HostPatience, 30*time.Second)
	if c.StandaloneSandbox == nil {
		c.StandaloneSandbox = func(ContainerID) string { return "" } // no host launches such a container
	}
	return c
}

// Machine is the agent. It is not safe for concurrent use.
type Machine struct {
	cfg     Config
	info    *mesos.AgentInfo // with the id, once there is one
	before  *mesos.AgentInfo // as the journal has it; nil when it has none
	chance  chance
	master  registration
	journal journal
	streams *updates.Streams
	stock   stock

	frameworks  map[FrameworkID]*framework
	containers  map[ContainerID]*executor // until their executors have ended
	hosts       map[HostID]*host
	subscribers map[Peer]*executor
	// What is on its way to the journal: ends of containers, and the agent's
	// word on tasks that it does not have.
	going     map[ContainerID]bool
	disowning map[updates.Key]bool
	last      struct { // numbers
		host int
		task uint64
	}

	leaving leaving
	drain   *mesos.DrainConfig // nil while no drain is under way
	exited  bool
	now     time.Time
	out     []Effect
}

// New makes a machine that waits for Started.
func New(cfg Config) *Machine {
	cfg = cfg.withDefaults()
	return &Machine{
		cfg: cfg, info: cfg.Info, chance: cfg.Seed, streams: updates.New(),
		frameworks:  map[FrameworkID]*framework{},
		containers:  map[ContainerID]*executor{},
		hosts:       map[HostID]*host{},
		subscribers: map[Peer]*executor{},
		going:       map[ContainerID]bool{},
		disowning:   map[updates.Key]bool{},
		stock:       stock{known: map[OperationID]*operation{}},
	}
}

// Step takes one input in and returns what is to be done, in order. After
// Exit it returns nothing.
func (m *Machine) Step(now time.Time, in Input) []Effect {
	if m.exited {
		return nil
	}
	m.now, m.out = now, nil
	switch in := in.(type) {
	case Started:
		m.recover(in)
	case MasterDetected:
		m.masterDetected(in.Master)
	case Received:
		m.receive(in)
	case PeerExited:
		m.peerExited(in.Peer)
	case TimerFired:
		m.timerFired(in.Key)
	case Checkpointed:
		m.checkpointed(in)
	case JournalStalled:
		m.journalStalled(in.Err)
	case SandboxMade:
		m.sandboxMade(in)
	case VolumesChanged:
		m.volumesChanged(in)
	case VolumesLinked:
		m.volumesLinked(in)
	case HostStarted:
		m.hostStarted(in)
	case HostEnded:
		m.hostEnded(in)
	case Swept:
		m.swept(in)
	case StraysFound:
		m.straysFound(in.Containers)
	case Estimated:
		m.estimated(in.Resources)
	case Preempted:
		m.preempt(in)
	case ShutdownOrdered:
		m.leave(in.Reason, true)
	}
	m.exitWhenEmpty()
	return m.out
}

func (m *Machine) emit(e Effect) { m.out = append(m.out, e) }

func (m *Machine) send(to Peer, msg proto.Message) {
	if to != "" {
		m.emit(Send{to, msg})
	}
}

func (m *Machine) note(l Level, text string, fields ...Field) { m.emit(Note{l, text, fields}) }

func (m *Machine) publish(e view.Event) { m.emit(Publish{e}) }

func (m *Machine) count(c view.Counter) { m.publish(view.Counted{Counter: c}) }

// id is the agent's; nil before the first registration.
func (m *Machine) id() *mesos.AgentID { return m.info.GetId() }

// ID is the agent's; empty before the first registration.
func (m *Machine) ID() string { return m.id().GetValue() }

// Sandboxes lists those of the containers that have not ended.
func (m *Machine) Sandboxes() []string {
	var list []string
	for _, e := range sorted(m.containers) {
		list = append(list, m.sandbox(e))
	}
	return list
}

// HasHosts tells whether there is a host, or may be one.
func (m *Machine) HasHosts() bool { return len(m.hosts) > 0 }

func (m *Machine) exit(reason string, err error) {
	m.exited = true
	m.emit(Exit{reason, err})
}

// journal numbers checkpoints and knows those that are on their way.
type journal struct {
	last    uint64
	waiting []entry
	stalled string // why nothing becomes durable; "" while it does
}

type entry struct {
	key     uint64
	records []*cluster.JournalRecord
	then    func()
}

// checkpoint makes records durable, then goes on with then, which may be nil.
func (m *Machine) checkpoint(then func(), records ...*cluster.JournalRecord) {
	m.journal.last++
	m.journal.waiting = append(m.journal.waiting, entry{m.journal.last, records, then})
	m.emit(Checkpoint{m.journal.last, records})
}

// drained goes on with then once all checkpoints so far are durable.
func (j *journal) drained(then func()) {
	if len(j.waiting) == 0 {
		then()
		return
	}
	last := &j.waiting[len(j.waiting)-1]
	before := last.then
	last.then = func() {
		if before != nil {
			before()
		}
		then()
	}
}

func (m *Machine) checkpointed(in Checkpointed) {
	if in.Err != nil {
		// Nothing can be promised any more. What runs goes on in its hosts.
		m.exit("the journal failed", in.Err)
		return
	}
	if len(m.journal.waiting) == 0 || m.journal.waiting[0].key != in.Key {
		m.note(Warn, "The journal answered what was not asked", Field{"key", strconv.FormatUint(in.Key, 10)})
		return
	}
	then := m.journal.waiting[0].then
	m.journal.waiting[0] = entry{} // let it be collected
	m.journal.waiting = m.journal.waiting[1:]
	if then != nil {
		then()
	}
}

// sorted gives a map's values in the order of their keys, so that the map's
// own order never reaches an effect.
func sorted[K cmp.Ordered, V any](values map[K]V) []V {
	list := make([]V, 0, len(values))
	for _, k := range keysOf(values) {
		list = append(list, values[k])
	}
	return list
}

func keysOf[K cmp.Ordered, V any](values map[K]V) []K { return slices.Sorted(maps.Keys(values)) }
