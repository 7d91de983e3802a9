package state

import (
	"troupe/master/registry"
	"troupe/messages/cluster"
	"troupe/messages/mesos/master"
)

// What HTTP calls the answers to an operator.
const (
	badRequest  = 400
	notFound    = 404
	conflict    = 409
	unavailable = 503
)

// operatorCall carries out a call of the operator API that changes something.
func (m *Machine) operatorCall(in Received, call *master.Call) {
	switch call.GetType() {
	case master.Call_TEARDOWN:
		m.operatorTeardown(in, call.GetTeardown().GetFrameworkId().GetValue())
	case master.Call_MARK_AGENT_GONE:
		m.markGone(in, AgentID(call.GetMarkAgentGone().GetAgentId().GetValue()))
	case master.Call_DRAIN_AGENT:
		m.drainAgent(in, call.GetDrainAgent())
	case master.Call_DEACTIVATE_AGENT:
		m.changeWish(in, registry.DeactivateAgent{AgentID: call.GetDeactivateAgent().GetAgentId().GetValue()})
	case master.Call_REACTIVATE_AGENT:
		m.reactivateAgent(in, call.GetReactivateAgent().GetAgentId().GetValue())
	default:
		m.refuseRequest(in, badRequest, "call.type: "+call.GetType().String()+": is none that the master's actor carries out")
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
