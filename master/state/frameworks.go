package state

import (
	"fmt"
	"slices"
	"time"

	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
	"troupe/messages/validate"
)

// framework is one that the registry admitted, or that an agent knows: until it
// is completed.
type framework struct {
	seq int
	// The picture last published; its info always carries the id.
	view *view.Framework
	can  abilities
	// Live tasks, by id and as a list in which each knows its place.
	tasks map[TaskID]*task
	order []*task
	// Tasks on agents that became unreachable, the oldest first.
	unreachable     []*view.Task
	unreachableByID map[TaskID]*view.Task
	unreachableAt   map[AgentID]int // how many of them, by agent
	offers          map[OfferID]*offer
	executors       map[*executor]bool
	// Agents that named it with another info while it was not connected.
	outdated map[AgentID]bool
	// Where it answered an inverse offer, and is not asked again for a time.
	quietAt map[*agent]bool
	// The resources that its last task named, so that equal ones share memory.
	last taskShape
	// The registry operation that ends it is under way.
	leaving bool
	// That operation is durable: it is being removed.
	ending bool
}

// taskShape remembers what a list of resources came to.
type taskShape struct {
	protos []*mesos.Resource
	value  resources.Resources
	role   string
}

func (f *framework) id() FrameworkID { return f.view.ID }
func (f *framework) peer() Peer      { return Peer(f.view.Peer) }
func (f *framework) connected() bool { return f.view.Connected }
func (f *framework) active() bool    { return f.view.Active }

// plays tells whether f is subscribed in role.
func (f *framework) plays(role string) bool { return slices.Contains(f.view.Roles, role) }

// abilities are the capabilities that the master heeds.
type abilities struct {
	partitionAware, multiRole, reservationRefinement bool
}

func abilitiesOf(info *mesos.FrameworkInfo) abilities {
	var can abilities
	for _, c := range info.GetCapabilities() {
		switch c.GetType() {
		case mesos.FrameworkInfo_Capability_PARTITION_AWARE:
			can.partitionAware = true
		case mesos.FrameworkInfo_Capability_MULTI_ROLE:
			can.multiRole = true
		case mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT:
			can.reservationRefinement = true
		}
	}
	return can
}

// lossState is what a lost task's state is called: of for frameworks that
// know about partitions, TASK_LOST for the others.
func (f *framework) lossState(of mesos.TaskState) mesos.TaskState {
	if f.can.partitionAware {
		return of
	}
	return mesos.TaskState_TASK_LOST
}

// rolesOf lists the roles that a framework's info names.
func rolesOf(info *mesos.FrameworkInfo) []string {
	return slices.Sorted(slices.Values(validate.Roles(info)))
}

// frameworkTable finds frameworks.
type frameworkTable struct {
	byID   map[FrameworkID]*framework
	byPeer map[Peer]*framework
	// Subscriptions that wait for the registry: how many of an id, and who asks
	// for an id of its own.
	admitting map[FrameworkID]int
	asking    map[Peer]bool
	next, seq int
	born      uint64 // how many tasks so far
}

func newFrameworkTable() frameworkTable {
	return frameworkTable{
		byID:      make(map[FrameworkID]*framework),
		byPeer:    make(map[Peer]*framework),
		admitting: make(map[FrameworkID]int),
		asking:    make(map[Peer]bool),
	}
}

// completed tells whether a framework is over for good.
func (m *Machine) completed(id FrameworkID) bool {
	return m.registry.Framework(string(id)).GetStatus() == cluster.FrameworkRecord_COMPLETED
}

// newFrameworkID returns the next id that no framework brought along.
func (m *Machine) newFrameworkID() FrameworkID {
	t := &m.frameworks
	for {
		id := FrameworkID(fmt.Sprintf("%s-%04d", m.cfg.MasterID, t.next))
		t.next++
		if t.byID[id] == nil && t.admitting[id] == 0 && m.registry.Framework(string(id)) == nil {
			return id
		}
	}
}

// ordered lists the frameworks as they came to be known.
func (t *frameworkTable) ordered() []*framework {
	all := make([]*framework, 0, len(t.byID))
	for _, f := range t.byID {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *framework) int { return a.seq - b.seq })
	return all
}

// addFramework makes a framework part of the cluster.
func (m *Machine) addFramework(picture view.Framework) *framework {
	f := &framework{
		seq:             m.frameworks.seq,
		view:            &picture,
		can:             abilitiesOf(picture.Info),
		tasks:           make(map[TaskID]*task),
		unreachableByID: make(map[TaskID]*view.Task),
		unreachableAt:   make(map[AgentID]int),
		offers:          make(map[OfferID]*offer),
		executors:       make(map[*executor]bool),
	}
	m.frameworks.seq++
	m.frameworks.byID[picture.ID] = f
	m.publish(view.FrameworkAdded{Framework: f.view})
	return f
}

// learnFramework adds a framework that only an agent knows: the registry had
// forgotten it, or is from a time before it held frameworks. It has no failover
// timer: nobody knows when it was last seen.
func (m *Machine) learnFramework(id FrameworkID, info *mesos.FrameworkInfo) {
	f := m.addFramework(view.Framework{
		ID: id, Info: info, Recovered: true, Roles: rolesOf(info), Registered: m.now,
	})
	m.tellAllocator(f.addition())
	m.note(Info, "A framework is known from an agent", Field{"framework", string(id)})
}

// changeFramework publishes a picture that differs.
func (m *Machine) changeFramework(f *framework, change func(*view.Framework)) {
	next := *f.view
	change(&next)
	f.view = &next
	m.publish(view.FrameworkChanged{Framework: f.view})
}

// frameworkDisconnected gives a framework whose link broke time to come back.
func (m *Machine) frameworkDisconnected(f *framework) {
	delete(m.frameworks.byPeer, f.peer())
	m.changeFramework(f, func(v *view.Framework) { v.Connected, v.Active, v.Peer = false, false, "" })
	m.emit(CancelTimer{timerHeartbeat + "/" + string(f.id())})
	m.tellAllocator(&cluster.DeactivateFramework{FrameworkId: f.view.Info.GetId()})
	m.discardOffers(f)
	if f.leaving {
		return
	}
	timeout := failoverTimeout(f.view.Info)
	m.note(Info, "A framework disconnected", Field{"framework", string(f.id())}, Field{"failover_timeout", timeout.String()})
	if timeout <= 0 {
		m.endFramework(f, nil)
		return
	}
	m.emit(SetTimer{timerFailover + "/" + string(f.id()), timeout})
}

func failoverTimeout(info *mesos.FrameworkInfo) time.Duration {
	return time.Duration(info.GetFailoverTimeout() * float64(time.Second))
}

func (m *Machine) failoverTimedOut(id FrameworkID) {
	f := m.frameworks.byID[id]
	if f == nil || f.connected() || m.frameworks.admitting[id] > 0 {
		return
	}
	m.note(Info, "A framework did not come back in time", Field{"framework", string(id)})
	m.endFramework(f, nil)
}

func (m *Machine) heartbeat(id FrameworkID) {
	f := m.frameworks.byID[id]
	if f == nil || !f.connected() {
		return
	}
	m.tell(f, &scheduler.Event{Type: scheduler.Event_HEARTBEAT.Enum()})
	m.emit(SetTimer{timerHeartbeat + "/" + string(id), m.cfg.HeartbeatInterval})
}
