package state

import (
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/tasks"
)

// reconcile is RECONCILE: for no tasks, the state of every one that is not
// terminal; else the state of each one named, as far as it is known.
func (m *Machine) reconcile(f *framework, call *scheduler.Call_Reconcile) {
	if len(call.GetTasks()) == 0 {
		for _, t := range f.order {
			if !tasks.Terminal(t.reportable()) {
				m.answerState(f, t)
			}
		}
		return
	}
	for _, q := range call.GetTasks() {
		m.reconcileTask(f, TaskID(q.GetTaskId().GetValue()), AgentID(q.GetAgentId().GetValue()))
	}
}

// reportable is the state that the framework has heard of, or soon will.
func (t *task) reportable() mesos.TaskState {
	if t.updated {
		return t.reported
	}
	return t.view.State
}

func (m *Machine) answerState(f *framework, t *task) {
	status := m.masterStatus(t.view, t.reportable(), mesos.TaskStatus_REASON_RECONCILIATION, "Reconciliation: Latest task state")
	if d := t.view.Last().Detail; d != nil {
		status.Healthy, status.CheckStatus, status.ContainerStatus = d.Healthy, d.Check, d.Container
	}
	m.forward(f, status)
}

// unknownToAgent is why a task is gone that an agent should have.
const unknownToAgent = "Reconciliation: Task is unknown to the agent"

// reconcileTask answers for one task; the agent may be empty. While an agent
// that might have it is on its way back, there is no answer.
func (m *Machine) reconcileTask(f *framework, id TaskID, on AgentID) {
	if t := f.tasks[id]; t != nil {
		m.answerState(f, t)
		return
	}
	if was := f.unreachableByID[id]; was != nil && on == "" {
		on = was.Agent
	}
	state, at := mesos.TaskState_TASK_UNKNOWN, (*mesos.TimeInfo)(nil)
	message := "Reconciliation: Task is unknown"
	record := m.registry.Agent(string(on))
	switch {
	case m.inTransition(on):
		return
	case on == "":
	case m.agents.byID[on] != nil:
		state, message = mesos.TaskState_TASK_GONE, unknownToAgent
	case record.GetStatus() == cluster.AgentRecord_UNREACHABLE:
		state, message, at = mesos.TaskState_TASK_UNREACHABLE, "Reconciliation: Task is unreachable", record.GetSince()
	case record.GetStatus() == cluster.AgentRecord_GONE:
		state, message = mesos.TaskState_TASK_GONE_BY_OPERATOR, "Reconciliation: Task's agent is gone"
	}
	status := m.masterStatus(&view.Task{TaskSpec: &view.TaskSpec{ID: id, Agent: on}}, f.lossState(state),
		mesos.TaskStatus_REASON_RECONCILIATION, message)
	status.UnreachableTime = at
	m.forward(f, status)
}

// inTransition tells whether an agent, or with an empty id any agent, is to
// say yet what it runs.
func (m *Machine) inTransition(id AgentID) bool {
	if id == "" {
		return len(m.agents.recovered) > 0 || len(m.agents.returning) > 0
	}
	a := m.agents.byID[id]
	return m.agents.recovered[id] != nil || m.agents.returning[id] || a != nil && a.leaving
}

// reconcileOperations answers that no operation is known, as far as the agents
// can be asked.
func (m *Machine) reconcileOperations(f *framework, call *scheduler.Call_ReconcileOperations) {
	for _, q := range call.GetOperations() {
		on := AgentID(q.GetAgentId().GetValue())
		record := m.registry.Agent(string(on))
		state := mesos.OperationState_OPERATION_UNKNOWN
		switch {
		case on == "":
		case m.agents.recovered[on] != nil:
			state = mesos.OperationState_OPERATION_RECOVERING
		case m.agents.byID[on] != nil:
		case record.GetStatus() == cluster.AgentRecord_UNREACHABLE:
			state = mesos.OperationState_OPERATION_UNREACHABLE
		case record.GetStatus() == cluster.AgentRecord_GONE:
			state = mesos.OperationState_OPERATION_GONE_BY_OPERATOR
		}
		m.tell(f, &scheduler.Event{
			Type: scheduler.Event_UPDATE_OPERATION_STATUS.Enum(),
			UpdateOperationStatus: &scheduler.Event_UpdateOperationStatus{Status: &mesos.OperationStatus{
				OperationId: q.GetOperationId(), State: &state, AgentId: q.GetAgentId(),
				ResourceProviderId: q.GetResourceProviderId(), Message: new("Reconciliation: Operation is not known to the master"),
			}},
		})
	}
}
