package state

import (
	"fmt"
	"path"
	"time"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/validate"
)

// maxGuests bounds the containers that are no executor's, those that have ended
// and were not removed included.
const maxGuests = 1000

// maxWaiting bounds the calls that wait for one host.
const maxWaiting = 1000

// waitingCall is one that its host has yet to be ready for.
type waitingCall struct {
	from Peer
	call *cluster.ContainerCall
}

// containerCall sends a call about a container to the host that has it, and
// finds a host for a new container that is no executor's. The host answers.
// Only the agent's own process asks.
func (m *Machine) containerCall(from Peer, msg *cluster.ContainerCall) {
	if from.address() != m.cfg.Endpoint {
		m.stranger(Received{From: from, Message: msg})
		return
	}
	if msg.GetCall().GetType() == agent.Call_GET_CONTAINERS {
		m.listContainers(from, msg.GetCall())
		return
	}
	id, err := validate.ContainerCall(msg.GetCall())
	if err != nil {
		m.answerCall(from, cluster.ContainerAnswer_INVALID, err.Error())
		return
	}
	root := rootOf(id)
	h := m.hostOf(root)
	switch {
	case h != nil:
	case m.recovering():
		m.answerCall(from, cluster.ContainerAnswer_BUSY, "The agent has yet to hear of the containers of an earlier agent process")
		return
	case m.containers[root] != nil:
		m.answerCall(from, cluster.ContainerAnswer_BUSY, "The container is being launched")
		return
	case id.Parent == nil && validate.LaunchOf(msg.GetCall()) != nil:
		if h = m.hostGuest(from, root); h == nil {
			return
		}
	default:
		m.answerCall(from, outcomeWithout(id, msg.GetCall()), "There is no container "+string(root))
		return
	}
	m.forwardCall(h, from, &cluster.ContainerCall{Call: msg.GetCall()})
}

// listContainers asks every host that is there.
func (m *Machine) listContainers(from Peer, call *agent.Call) {
	var hosts []string
	for _, h := range sorted(m.hosts) {
		if h.peer != "" && h.end == nil {
			hosts = append(hosts, string(h.peer))
		}
	}
	if len(hosts) == 0 {
		m.answerCall(from, cluster.ContainerAnswer_DONE, "There is no host")
		return
	}
	count, visitor := int32(len(hosts)), string(from)
	for _, h := range hosts {
		m.send(from, &cluster.ContainerCallSent{Host: &h, Hosts: &count})
		m.send(Peer(h), &cluster.ContainerCall{Call: call, Visitor: &visitor})
	}
}

// outcomeWithout is what becomes of a call about a container of which even the
// outermost parent is not there.
func outcomeWithout(id *mesos.ContainerID, c *agent.Call) cluster.ContainerAnswer_Outcome {
	switch {
	case validate.LaunchOf(c) != nil:
		return cluster.ContainerAnswer_INVALID
	case c.GetType() != agent.Call_REMOVE_CONTAINER && c.GetType() != agent.Call_REMOVE_NESTED_CONTAINER:
		return cluster.ContainerAnswer_UNKNOWN
	case id.Parent == nil:
		return cluster.ContainerAnswer_DONE // again
	}
	return cluster.ContainerAnswer_REFUSED
}

func rootOf(id *mesos.ContainerID) ContainerID {
	for id.Parent != nil {
		id = id.Parent
	}
	return ContainerID(id.GetValue())
}

// hostOf has a container; nil when none is known to.
func (m *Machine) hostOf(root ContainerID) *host {
	if e := m.containers[root]; e != nil {
		return e.host
	}
	for _, h := range m.hosts {
		if h.guests[root] {
			return h
		}
	}
	return nil
}

// hostGuest finds a host for a container that is no executor's; nil when it must
// not be.
func (m *Machine) hostGuest(from Peer, root ContainerID) *host {
	guests := 0
	for _, h := range m.hosts {
		guests += len(h.guests)
	}
	switch {
	case m.leaving.on():
		m.answerCall(from, cluster.ContainerAnswer_INVALID, "The agent is being shut down")
		return nil
	case guests >= maxGuests:
		m.answerCall(from, cluster.ContainerAnswer_INVALID,
			fmt.Sprintf("There are %d standalone containers: remove some that have ended", guests))
		return nil
	}
	h := m.roomyHost()
	h.guests[root] = true
	m.publishHost(h)
	return h
}

// forwardCall sends a call on as soon as its host is ready.
func (m *Machine) forwardCall(h *host, from Peer, c *cluster.ContainerCall) {
	switch {
	case h.end != nil || h.id == unclaimed:
		m.answerCall(from, cluster.ContainerAnswer_BUSY, "The host of the container has ended, or has yet to come back")
		return
	case h.peer == "" && len(h.waiting) >= maxWaiting:
		m.answerCall(from, cluster.ContainerAnswer_BUSY, "The host of the container is away")
		return
	case h.peer == "":
		h.waiting = append(h.waiting, waitingCall{from, c})
		return
	}
	visitor := string(from)
	c.Visitor = &visitor
	if id, err := validate.ContainerCall(c.GetCall()); err == nil && id.Parent == nil && validate.LaunchOf(c.GetCall()) != nil {
		sandbox := m.cfg.StandaloneSandbox(rootOf(id))
		c.Sandbox, c.Environment, c.SwitchUser, c.Isolation = &sandbox, m.baseEnvironment(), &m.cfg.SwitchUser, m.cfg.Isolation
	}
	peer := string(h.peer)
	m.send(from, &cluster.ContainerCallSent{Host: &peer})
	m.send(h.peer, c)
}

// flushCalls goes on with the calls that waited for a host.
func (m *Machine) flushCalls(h *host) {
	waiting := h.waiting
	h.waiting = nil
	for _, w := range waiting {
		m.forwardCall(h, w.from, w.call)
	}
}

func (m *Machine) answerCall(to Peer, outcome cluster.ContainerAnswer_Outcome, message string) {
	m.send(to, &cluster.ContainerAnswer{Outcome: outcome.Enum(), Message: &message})
}

// containerRemoved forgets a container that was no executor's.
func (m *Machine) containerRemoved(from Peer, id ContainerID) {
	h := m.hostOf(id)
	if h == nil || h.peer != from || !h.guests[id] {
		return
	}
	delete(h.guests, id)
	m.publishHost(h)
	m.stopIdle(h)
}

// takeGuest believes a host that has a container which is no executor's.
func (m *Machine) takeGuest(h *host, c *cluster.HostedContainer, guests map[ContainerID]bool) {
	id := ContainerID(c.GetContainerId().GetValue())
	if m.containers[id] != nil {
		m.send(h.peer, &cluster.DestroyContainer{ContainerId: c.GetContainerId()})
		return
	}
	guests[id] = true
	if m.leaving.on() {
		m.dismissGuest(h, id)
	}
}

// dismissGuests ends what is no executor's, for an agent that leaves. It is the
// host's until that says that nothing is left.
func (m *Machine) dismissGuests(h *host) {
	for _, w := range h.waiting { // what was to be launched never was
		if id, err := validate.ContainerCall(w.call.GetCall()); err == nil && id.Parent == nil && validate.LaunchOf(w.call.GetCall()) != nil {
			delete(h.guests, rootOf(id))
		}
	}
	m.refuseWaiting(h, "The agent is being shut down")
	if h.peer == "" {
		return // it is told when it is there
	}
	for _, id := range keysOf(h.guests) {
		m.dismissGuest(h, id)
	}
}

func (m *Machine) dismissGuest(h *host, id ContainerID) {
	value := string(id)
	m.send(h.peer, &cluster.DestroyContainer{ContainerId: &mesos.ContainerID{Value: &value}})
}

// loseGuests gives up the containers and calls of a host that has ended.
func (m *Machine) loseGuests(h *host) {
	for _, id := range keysOf(h.guests) {
		m.emit(RetireStandalone{id})
	}
	h.guests = map[ContainerID]bool{}
	m.refuseWaiting(h, "The host of the container ended: "+*h.end)
}

func (m *Machine) refuseWaiting(h *host, why string) {
	for _, w := range h.waiting {
		m.answerCall(w.from, cluster.ContainerAnswer_BUSY, why)
	}
	h.waiting = nil
}

// sandboxRetired lets go of the sandbox of a container that a client, or an executor
// of ours, has launched and that has ended.
func (m *Machine) sandboxRetired(from Peer, msg *cluster.SandboxRetired) {
	root := rootOf(msg.GetContainerId())
	h := m.hostOf(root)
	if !m.cfg.CollectInner || h == nil || h.peer != from || validate.ContainerID("container_id", msg.GetContainerId()) != nil {
		return
	}
	around := m.sandboxOf(root)
	if around == "" {
		return
	}
	inner := ""
	for at := msg.GetContainerId(); at.GetParent() != nil; at = at.GetParent() {
		inner = path.Join("containers", at.GetValue(), inner)
	}
	m.emit(RetireInner{around, inner, time.Unix(0, msg.GetSince()).UTC(), msg.GetReclaimed()})
}

// sandboxOf is that of a container that is within no other.
func (m *Machine) sandboxOf(root ContainerID) string {
	if e := m.containers[root]; e != nil {
		return e.sandbox
	}
	return m.cfg.StandaloneSandbox(root)
}

// guestRemains are a host's containers that are no executor's.
func (m *Machine) guestRemains(h *host) []Remains {
	var list []Remains
	for _, id := range keysOf(h.guests) {
		list = append(list, Remains{Container: id, Sandbox: m.cfg.StandaloneSandbox(id)})
	}
	return list
}
