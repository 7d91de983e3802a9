package state

import (
	"troupe/master/registry"
	"troupe/messages/cluster"
)

// What HTTP calls the answers to an operator.
const (
	badRequest  = 400
	notFound    = 404
	conflict    = 409
	outdated    = 412
	unavailable = 503
)

// agentRequest carries out what an operator wants of an agent.
func (m *Machine) agentRequest(in Received, msg *cluster.AgentRequest) {
	id := msg.GetAgentId().GetValue()
	if msg.Action == nil {
		m.refuseRequest(in, badRequest, "action: is absent")
		return
	}
	switch msg.GetAction() {
	case cluster.AgentRequest_MARK_GONE:
		m.markGone(in, AgentID(id))
	case cluster.AgentRequest_DRAIN:
		m.drainAgent(in, id, msg.GetDrain())
	case cluster.AgentRequest_DEACTIVATE:
		m.changeWish(in, AgentID(id), registry.DeactivateAgent{AgentID: id})
	case cluster.AgentRequest_REACTIVATE:
		m.reactivateAgent(in, id)
	}
}

// acceptRequest answers an operator's request that was carried out.
func (m *Machine) acceptRequest(in Received) {
	m.emit(Answer{To: in.From, Ask: in.Ask, Reply: &cluster.OperatorReply{}})
}

// refuseRequest answers an operator's request that cannot be.
func (m *Machine) refuseRequest(in Received, status uint32, why string) {
	m.emit(Answer{To: in.From, Ask: in.Ask, Reply: &cluster.OperatorReply{Error: &why, StatusCode: &status}})
}

// operatorKill kills any framework's task.
func (m *Machine) operatorKill(in Received, msg *cluster.KillTaskRequest) {
	id := TaskID(msg.GetTaskId().GetValue())
	var found []*task
	for _, f := range m.frameworks.ordered() {
		if msg.FrameworkId != nil && msg.GetFrameworkId().GetValue() != string(f.id()) {
			continue
		}
		if t := f.tasks[id]; t != nil {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		m.refuseRequest(in, notFound, "task_id: "+string(id)+": no such task is live")
	case 1:
		m.killTask(found[0], msg.GetKillPolicy())
		m.acceptRequest(in)
	default:
		m.refuseRequest(in, badRequest, "framework_id: must be set: several frameworks have a task "+string(id))
	}
}

// operatorTeardown removes any framework. It is answered when that is durable.
func (m *Machine) operatorTeardown(in Received, id string) {
	f := m.frameworks.byID[FrameworkID(id)]
	if f == nil {
		m.refuseRequest(in, badRequest, "framework_id: "+id+": no such framework")
		return
	}
	scheduler := f.peer()
	m.endFramework(f, func() {
		if scheduler != "" {
			m.sendError(scheduler, "Framework was torn down by an operator")
		}
		m.acceptRequest(in)
	})
}
