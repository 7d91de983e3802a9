package state

import (
	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/tasks"
)

// Shared by all events of their types.
var (
	updateType  = scheduler.Event_UPDATE.Enum()
	messageType = scheduler.Event_MESSAGE.Enum()
	failureType = scheduler.Event_FAILURE.Enum()
)

// statusUpdate takes an agent's update in and passes it on, if its framework
// is connected; if not, the agent repeats it.
func (m *Machine) statusUpdate(from Peer, msg *cluster.StatusUpdate) {
	a := m.agents.byPeer[from]
	if a == nil || string(a.id()) != msg.GetAgentId().GetValue() {
		m.drop(view.StatusUpdates, from, "a status update of an agent that is not connected there",
			Field{"agent", msg.GetAgentId().GetValue()})
		return
	}
	status := msg.GetStatus()
	uuid, ok := uuidOf(status.GetUuid())
	if status == nil {
		m.drop(view.StatusUpdates, from, "status is absent")
		return
	}
	if !ok && status.Uuid != nil {
		m.drop(view.StatusUpdates, from, "status.uuid does not have 16 bytes", Field{"task", status.GetTaskId().GetValue()})
		return
	}
	id := FrameworkID(msg.GetFrameworkId().GetValue())
	f := m.frameworks.byID[id]
	if f == nil {
		m.drop(view.StatusUpdates, from, "a status update of a framework that is not known", Field{"framework", string(id)})
		if m.completed(id) {
			m.send(from, &cluster.ShutdownFramework{FrameworkId: msg.GetFrameworkId()})
		}
		return
	}
	t := f.tasks[TaskID(status.GetTaskId().GetValue())]
	if t != nil && t.agent != a {
		m.drop(view.StatusUpdates, from, "a status update of a task that runs on another agent",
			Field{"task", string(t.view.ID)}, Field{"agent", string(t.agent.id())})
		return
	}
	m.publish(view.Judged{Kind: view.StatusUpdates, Valid: true})
	if t != nil {
		status = t.preemption(status)
		m.takeUpdate(t, status, newestState(msg), uuid, ok)
	}
	m.forward(f, status)
}

// newestState is what an update's task is now.
func newestState(msg *cluster.StatusUpdate) mesos.TaskState {
	if msg.LatestState != nil {
		return msg.GetLatestState()
	}
	return msg.GetStatus().GetState()
}

func (m *Machine) takeUpdate(t *task, status *mesos.TaskStatus, newest mesos.TaskState, uuid [16]byte, hasUUID bool) {
	repeated := hasUUID && t.updated && t.uuid == uuid
	t.reported = status.GetState()
	if hasUUID {
		t.uuid, t.updated, t.waiting = uuid, true, true
	}
	switch {
	case !repeated:
		m.updateTask(t, status, newest)
	case newest != t.view.State && !t.terminal():
		m.updateTask(t, nil, newest)
	}
}

// tell sends an event to a framework that is connected.
func (m *Machine) tell(f *framework, e *scheduler.Event) {
	m.publish(view.Told{Framework: f.id(), Type: int32(e.GetType())})
	m.send(f.peer(), e)
}

// forward passes a status on to a framework that is there to hear it.
func (m *Machine) forward(f *framework, status *mesos.TaskStatus) {
	if f.connected() {
		m.tell(f, &scheduler.Event{Type: updateType, Update: &scheduler.Event_Update{Status: status}})
	}
}

// masterStatus is a status that the master itself gives a task.
func (m *Machine) masterStatus(t *view.Task, state mesos.TaskState, reason mesos.TaskStatus_Reason, message string) *mesos.TaskStatus {
	s := &mesos.TaskStatus{
		TaskId:    &mesos.TaskID{Value: new(string(t.ID))},
		State:     &state,
		Message:   &message,
		Source:    mesos.TaskStatus_SOURCE_MASTER.Enum(),
		Reason:    &reason,
		Timestamp: new(seconds(m.now)),
	}
	if t.Agent != "" {
		s.AgentId = &mesos.AgentID{Value: new(string(t.Agent))}
	}
	if t.Executor != "" {
		s.ExecutorId = &mesos.ExecutorID{Value: new(string(t.Executor))}
	}
	return s
}

// refuseTask answers the launch of a task that never was.
func (m *Machine) refuseTask(f *framework, info *mesos.TaskInfo, state mesos.TaskState, reason mesos.TaskStatus_Reason, message string) {
	status := m.masterStatus(&view.Task{TaskSpec: &view.TaskSpec{
		ID: TaskID(info.GetTaskId().GetValue()), Agent: AgentID(info.GetAgentId().GetValue()),
		Executor: ExecutorID(info.GetExecutor().GetExecutorId().GetValue()),
	}}, state, reason, message)
	m.note(Info, "Refused a task: "+message, Field{"framework", string(f.id())}, Field{"task", info.GetTaskId().GetValue()})
	m.publish(view.TaskRefused{Framework: f.id(), Status: status})
	m.forward(f, status)
}

// acknowledge is ACKNOWLEDGE. With the acknowledgement of its terminal update
// a task is over.
func (m *Machine) acknowledge(f *framework, call *scheduler.Call_Acknowledge) {
	a := m.agents.byID[AgentID(call.GetAgentId().GetValue())]
	if a == nil || !a.connected() {
		m.drop(view.StatusUpdateAcks, f.peer(), "an acknowledgement to an agent that is not connected",
			Field{"agent", call.GetAgentId().GetValue()})
		return
	}
	t := f.tasks[TaskID(call.GetTaskId().GetValue())]
	if t != nil && (t.agent != a || !t.updated) {
		m.drop(view.StatusUpdateAcks, f.peer(), "an acknowledgement of an update that was not sent",
			Field{"task", string(t.view.ID)})
		return
	}
	m.publish(view.Judged{Kind: view.StatusUpdateAcks, Valid: true})
	if t != nil && sameUUID(t, call.GetUuid()) {
		t.waiting = false
		if tasks.Terminal(t.reported) {
			m.removeTask(t, view.Completed)
		}
	}
	m.send(a.peer(), &cluster.StatusUpdateAck{
		FrameworkId: f.view.Info.GetId(), AgentId: call.GetAgentId(), TaskId: call.GetTaskId(), Uuid: call.GetUuid(),
	})
}

// message is MESSAGE: best effort.
func (m *Machine) message(f *framework, call *scheduler.Call_Message) {
	a := m.agents.byID[AgentID(call.GetAgentId().GetValue())]
	if a == nil || !a.connected() {
		m.drop(view.FrameworkMessages, f.peer(), "a message to an agent that is not connected",
			Field{"agent", call.GetAgentId().GetValue()})
		return
	}
	m.publish(view.Judged{Kind: view.FrameworkMessages, Valid: true})
	m.send(a.peer(), &cluster.FrameworkMessage{
		FrameworkId: f.view.Info.GetId(), ExecutorId: call.GetExecutorId(), Data: call.GetData(),
	})
}

// agentAndFramework finds whom a message of an agent is about; nil when it may
// not speak for the agent, or the framework is not connected.
func (m *Machine) agentAndFramework(from Peer, id *mesos.AgentID, of *mesos.FrameworkID, kind view.Kind) (*agent, *framework) {
	a := m.agents.byPeer[from]
	if a == nil || string(a.id()) != id.GetValue() {
		m.drop(kind, from, "a message of an agent that is not connected there", Field{"agent", id.GetValue()})
		return nil, nil
	}
	f := m.frameworks.byID[FrameworkID(of.GetValue())]
	if f == nil {
		m.drop(kind, from, "a message to a framework that is not known", Field{"framework", of.GetValue()})
		return nil, nil
	}
	return a, f
}

func (m *Machine) executorMessage(from Peer, msg *cluster.ExecutorMessage) {
	a, f := m.agentAndFramework(from, msg.GetAgentId(), msg.GetFrameworkId(), view.ExecutorMessages)
	if a == nil {
		return
	}
	if !f.connected() {
		m.drop(view.ExecutorMessages, from, "a message to a framework that is not connected", Field{"framework", string(f.id())})
		return
	}
	m.publish(view.Judged{Kind: view.ExecutorMessages, Valid: true})
	m.tell(f, &scheduler.Event{Type: messageType, Message: &scheduler.Event_Message{
		AgentId: msg.GetAgentId(), ExecutorId: msg.GetExecutorId(), Data: msg.GetData(),
	}})
}

// executorExited frees what an executor held and tells its framework.
func (m *Machine) executorExited(from Peer, msg *cluster.ExecutorExited) {
	a, f := m.agentAndFramework(from, msg.GetAgentId(), msg.GetFrameworkId(), view.Others)
	if a == nil {
		return
	}
	if e := a.executors[executorKey{f, ExecutorID(msg.GetExecutorId().GetValue())}]; e != nil {
		m.removeExecutor(e)
	}
	if f.connected() {
		m.tell(f, &scheduler.Event{Type: failureType, Failure: &scheduler.Event_Failure{
			AgentId: msg.GetAgentId(), ExecutorId: msg.GetExecutorId(), Status: proto.Int32(msg.GetStatus()),
		}})
	}
}
