package frameworktest

import (
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

// lose is what the master says of an agent that it does not hear any more.
func (m *cluster) lose(a *agent) {
	if a.away {
		return
	}
	a.away = true
	m.rescind(func(of *agent) bool { return of != a })
	state := mesos.TaskState_TASK_LOST
	for _, c := range m.framework.GetCapabilities() {
		if c.GetType() == mesos.FrameworkInfo_Capability_PARTITION_AWARE {
			state = mesos.TaskState_TASK_UNREACHABLE
		}
	}
	for _, t := range m.on(a) {
		t.State = state
		m.hearsay(t, mesos.TaskStatus_REASON_AGENT_REMOVED)
	}
	m.failure(a)
}

// comeBack is what an agent says that registers again.
func (m *cluster) comeBack(a *agent) {
	if !a.away {
		return
	}
	a.away, a.declined = false, false
	for _, t := range m.on(a) {
		t.State = mesos.TaskState_TASK_RUNNING
		m.hearsay(t, mesos.TaskStatus_REASON_AGENT_REREGISTERED)
	}
	for _, id := range slices.Sorted(maps.Keys(m.tasks)) {
		if t := m.tasks[id]; t.agent == a && len(t.unacknowledged) > 0 {
			m.forward(t.unacknowledged[0])
		}
	}
	m.offer()
}

// remove ends an agent for good.
func (m *cluster) remove(a *agent) {
	m.rescind(func(of *agent) bool { return of != a })
	gone := m.on(a)
	delete(m.agents, a.Name)
	a.away = true
	for _, t := range gone {
		t.State, t.used, t.unacknowledged = mesos.TaskState_TASK_GONE_BY_OPERATOR, resources.Resources{}, nil
		m.hearsay(t, mesos.TaskStatus_REASON_AGENT_REMOVED_BY_OPERATOR)
	}
	m.failure(a)
}

// on are the tasks of an agent that have not ended, as far as the agent knows.
func (m *cluster) on(a *agent) []*Task {
	var list []*Task
	for _, id := range slices.Sorted(maps.Keys(m.tasks)) {
		if t := m.tasks[id]; t.agent == a && !t.used.IsEmpty() && (!tasks.Terminal(t.State) || a.away) {
			list = append(list, t)
		}
	}
	return list
}

// hearsay is what the master says of a task by itself: nobody acknowledges it.
func (m *cluster) hearsay(t *Task, why mesos.TaskStatus_Reason) {
	m.forward(&mesos.TaskStatus{
		TaskId: t.Info.GetTaskId(), AgentId: t.Info.GetAgentId(), State: t.State.Enum(),
		Source: mesos.TaskStatus_SOURCE_MASTER.Enum(), Reason: why.Enum(),
	})
}

func (m *cluster) failure(a *agent) {
	m.emit(&scheduler.Event{
		Type:    scheduler.Event_FAILURE.Enum(),
		Failure: &scheduler.Event_Failure{AgentId: &mesos.AgentID{Value: proto.String(a.Name)}},
	})
}

// abandon is the end of a connection: of the framework, too, when nobody comes
// back before its failover timeout.
func (m *cluster) abandon() {
	m.disconnect()
	f := m.framework
	if m.removed == f.GetId().GetValue() {
		return
	}
	m.after(time.Duration(f.GetFailoverTimeout()*float64(time.Second)), func() {
		if m.scheduler.IsZero() && m.framework == f {
			m.end()
		}
	})
}

// end removes the framework: its tasks are killed, and nobody is told of them.
func (m *cluster) end() {
	m.removed = m.framework.GetId().GetValue()
	for _, id := range slices.Sorted(maps.Keys(m.tasks)) {
		if t := m.tasks[id]; !tasks.Terminal(t.State) {
			t.State = mesos.TaskState_TASK_KILLED
			t.agent.free, t.agent.declined = t.agent.free.Add(t.used), false
			t.used = resources.Resources{}
		}
		m.tasks[id].unacknowledged = nil
	}
}
