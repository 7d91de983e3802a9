package simulate

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state"
)

// hostNode is an executor host's process.
type hostNode struct {
	*process
	agent      *agentNode
	id         state.HostID
	pid        int32
	taken      bool             // the agent has answered the greeting
	containers []*containerNode // that have not ended, in the order of their launch
	ended      []*cluster.ContainerEnded
	over       bool
	excused    bool // what ends in it now ends for a reason
}

func newHostNode(a *agentNode, id state.HostID, number int) *hostNode {
	h := &hostNode{
		process: a.net.process(fmt.Sprintf("agent%d-host%d:0", a.number, number)), agent: a, id: id, pid: int32(number),
	}
	h.site = a.site
	return h
}

func (h *hostNode) boot() {
	if h.over {
		return
	}
	h.process.start()
	h.actors["host"] = h
	h.greet()
}

// end kills the process with all that it holds.
func (h *hostNode) end(why string) {
	h.over = true
	h.process.kill()
	delete(h.net.processes, h.address)
	for _, c := range h.containers {
		c.record()
		c.die("its host ended: " + why)
	}
	h.containers = nil
	h.agent.hostEnded(h.id, why)
}

// greet tells the agent what the host holds, until it answers.
func (h *hostNode) greet() {
	h.taken = false
	m := &cluster.HostReady{HostId: proto.String(string(h.id)), Pid: proto.Int32(h.pid), Ended: h.ended[:len(h.ended):len(h.ended)]}
	for _, c := range h.containers {
		m.Containers = append(m.Containers, &cluster.HostedContainer{ContainerId: c.id})
	}
	h.toAgent("host", m)
	h.watch("host", h.agentActor())
	h.setTimer("greet", time.Second, h.greet)
}

func (h *hostNode) agentActor() string { return "agent@" + h.agent.address }

func (h *hostNode) toAgent(who string, m proto.Message) { h.send(who, h.agentActor(), m) }

// repeat sends the ends of containers that the agent has not acknowledged.
func (h *hostNode) repeat() {
	if len(h.ended) == 0 {
		return
	}
	h.setTimer("repeat", 5*time.Second, func() {
		h.tellAll()
		h.repeat()
	})
}

func (h *hostNode) tellAll() {
	for _, m := range h.ended {
		if h.taken {
			h.toAgent("host", m)
		}
	}
}

func (h *hostNode) exited(string) {
	h.taken = false
	h.setTimer("greet", h.net.between(100*time.Millisecond, time.Second), h.greet)
}

func (h *hostNode) receive(_ string, m proto.Message) {
	switch m := m.(type) {
	case *cluster.HostReadyAck:
		h.taken = true
		h.cancelTimer("greet")
		h.tellAll()
		h.repeat()
	case *cluster.LaunchContainer:
		h.launch(m)
	case *cluster.DestroyContainer:
		if c := h.find(m.ContainerId.GetValue()); c != nil {
			h.agent.cluster.oracle.launchCut(c)
			c.end(9, "destroyed by its agent")
		} else {
			h.tellEnded(m.ContainerId, -1, nil)
		}
	case *cluster.UpdateContainer:
		if c := h.find(m.ContainerId.GetValue()); c != nil {
			c.amounts = m.Amounts
		}
	case *cluster.ContainerEndedAck:
		h.ended = slices.DeleteFunc(h.ended, func(e *cluster.ContainerEnded) bool {
			return e.ContainerId.GetValue() == m.ContainerId.GetValue()
		})
	case *cluster.StopHost:
		if len(h.containers) == 0 && len(h.ended) == 0 {
			h.end("asked to stop")
		}
	}
}

func (h *hostNode) find(id string) *containerNode {
	for _, c := range h.containers {
		if c.id.GetValue() == id {
			return c
		}
	}
	return nil
}

func (h *hostNode) launch(m *cluster.LaunchContainer) {
	if c := h.find(m.ContainerId.GetValue()); c != nil {
		if c.begun {
			h.toAgent("host", &cluster.ContainerLaunched{ContainerId: m.ContainerId})
		}
		return
	}
	c := &containerNode{
		host: h, id: m.ContainerId, kind: m.GetKind(), framework: m.Framework.Id, info: m.Executor,
		amounts: m.Amounts, bodily: h.agent.cluster.bodilyOf(m.ContainerId.GetValue()),
	}
	h.containers = append(h.containers, c)
	h.agent.cluster.oracle.containerStarted(h.agent, c)
	h.later(h.net.between(time.Millisecond, 20*time.Millisecond), func() { c.fetch(c.making, c.made) })
}

// made tells that a container is there, and lets its executor begin.
func (c *containerNode) made() {
	if c.dead {
		return
	}
	c.host.actors[c.actor()] = c
	c.host.toAgent("host", &cluster.ContainerLaunched{ContainerId: c.id})
	c.begin()
}

// tellEnded has no limit, or that which ended the container.
func (h *hostNode) tellEnded(id *mesos.ContainerID, status int32, limit *cluster.ContainerLimit) {
	m := &cluster.ContainerEnded{ContainerId: id, Status: &status, Limit: limit}
	h.ended = append(h.ended, m)
	if h.taken {
		h.toAgent("host", m)
	}
	h.repeat()
}
