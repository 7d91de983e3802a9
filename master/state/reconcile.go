package state

import (
	"google.golang.org/protobuf/proto"

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

// reconcileOperations is RECONCILE_OPERATIONS: for no operations, the status of
// every one that is known and has an id; else of each one named. No answer needs
// to be acknowledged.
func (m *Machine) reconcileOperations(f *framework, call *scheduler.Call_ReconcileOperations) {
	if len(call.GetOperations()) == 0 {
		for _, o := range m.operations.ordered(f.id()) {
			if o.name() != "" {
				m.sendOperationStatus(f, o.unreliable())
			}
		}
		return
	}
	for _, q := range call.GetOperations() {
		if o := m.operations.byName[operationName{f.id(), q.GetOperationId().GetValue()}]; o != nil {
			m.sendOperationStatus(f, o.unreliable())
			continue
		}
		state, why := m.unknownOperation(AgentID(q.GetAgentId().GetValue()))
		m.sendOperationStatus(f, &mesos.OperationStatus{
			OperationId: q.GetOperationId(), State: &state, AgentId: q.GetAgentId(),
			ResourceProviderId: q.GetResourceProviderId(), Message: new("Reconciliation: " + why),
		})
	}
}

// unreliable is an operation's status without what asks for an acknowledgement.
func (o *operation) unreliable() *mesos.OperationStatus {
	status := proto.CloneOf(o.view.Status)
	status.Uuid = nil
	return status
}

// unknownOperation is the state of an operation that is not known, on an agent;
// the id may be empty.
func (m *Machine) unknownOperation(on AgentID) (mesos.OperationState, string) {
	record := m.registry.Agent(string(on))
	switch {
	case on == "":
	case m.agents.recovered[on] != nil || m.agents.returning[on]:
		return mesos.OperationState_OPERATION_RECOVERING, "Agent is recovered but has not re-registered"
	case m.agents.byID[on] != nil:
	case record.GetStatus() == cluster.AgentRecord_UNREACHABLE:
		return mesos.OperationState_OPERATION_UNREACHABLE, "Agent is unreachable"
	case record.GetStatus() == cluster.AgentRecord_GONE:
		return mesos.OperationState_OPERATION_GONE_BY_OPERATOR, "Agent is gone"
	}
	return mesos.OperationState_OPERATION_UNKNOWN, "Operation is unknown"
}
