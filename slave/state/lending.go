package state

import (
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/slave/state/check"
	"troupe/slave/state/view"
)

// estimated takes in what the agent lends from now on.
func (m *Machine) estimated(lent resources.Resources) {
	if m.stock.lends && m.stock.lent.Equal(lent) {
		return
	}
	m.stock.lends, m.stock.lent = true, lent
	m.publishAgent()
	m.tellLent()
}

// tellLent tells a master, which forgets with the registration.
func (m *Machine) tellLent() {
	if m.stock.lends && m.id() != nil && !m.leaving.on() {
		m.send(m.master.peer, &cluster.UpdateAgentResources{AgentId: m.id(), OversubscribedResources: m.stock.lent.Proto()})
	}
}

// preempt ends a container that was lent what its owner needs. One that ends
// already, or has ended, is no error, nor is one whose host has yet to come back
// to a new agent process: that is for a later correction.
func (m *Machine) preempt(in Preempted) {
	e := m.containers[in.Container]
	if e == nil || e.phase >= view.Terminating || e.unclaimed() {
		return
	}
	m.note(Info, "An executor is ended for the sake of others", Field{"framework", string(e.framework.id())},
		Field{"executor", string(e.id())}, Field{"why", in.Why})
	e.fate = fate{
		state: e.framework.lost(mesos.TaskState_TASK_GONE), reason: mesos.TaskStatus_REASON_CONTAINER_PREEMPTED,
		message: "What the container was lent is needed: " + in.Why,
	}
	m.count(view.ExecutorsPreempted)
	m.destroy(e)
}

// Held is an executor's container, and what it may use.
type Held struct {
	Container ContainerID
	Sandbox   string
	// The process of its host; 0 while it has none.
	Host int32
	// Of the executor and its tasks that have not ended.
	Allocated resources.Resources
	// Role that it is allocated to.
	Role string
}

func (e *executor) unclaimed() bool { return e.host != nil && e.host.id == unclaimed }

// Held lists the containers that have not ended, but for those whose hosts have
// yet to come back.
func (m *Machine) Held() []Held {
	var list []Held
	for _, e := range sorted(m.containers) {
		if e.unclaimed() {
			continue
		}
		h := Held{Container: e.container, Sandbox: e.sandbox}
		if e.host != nil {
			h.Host = e.host.pid
		}
		var lists [][]*mesos.Resource
		if !e.generated() { // what that has for itself, nobody is charged for
			lists = append(lists, e.info.GetResources())
		}
		for _, t := range e.inOrder() {
			if !check.Over(t.next) {
				lists = append(lists, t.info.GetResources())
			}
		}
		for _, l := range lists {
			if r, err := resources.New(l...); err == nil { // a launch was checked
				h.Allocated = h.Allocated.Add(r.Unallocate())
				h.Role = allocatedTo(r, h.Role)
			}
		}
		list = append(list, h)
	}
	return list
}

// allocatedTo is the role that resources are allocated to, or the one that is known
// already: a container is of one.
func allocatedTo(r resources.Resources, known string) string {
	for e := range r.All() {
		if known == "" {
			known = e.AllocatedTo()
		}
	}
	return known
}
