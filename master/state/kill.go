package state

import (
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// kill is KILL. A task that is not known is reconciled instead.
func (m *Machine) kill(f *framework, call *scheduler.Call_Kill) {
	id := TaskID(call.GetTaskId().GetValue())
	t := f.tasks[id]
	switch {
	case t == nil:
		m.reconcileTask(f, id, AgentID(call.GetAgentId().GetValue()))
	case call.AgentId != nil && call.GetAgentId().GetValue() != string(t.agent.id()):
		m.object(f.peer(), badRequest, field.Invalid("kill.agent_id", call.GetAgentId().GetValue(), "is not where task %q runs, %s", id, t.agent.id()))
	default:
		m.killTask(t, call.GetKillPolicy())
	}
}

// killTask tells a task's agent, at once or when it is back. A task that has
// ended is about to say so.
func (m *Machine) killTask(t *task, policy *mesos.KillPolicy) {
	if t.terminal() {
		return
	}
	order := &cluster.KillTask{FrameworkId: t.framework.view.Info.GetId(), TaskId: t.protoID(), KillPolicy: policy}
	a := t.agent
	t.killed = true
	if a.connected() {
		m.send(a.peer(), order)
		return
	}
	for i, k := range a.kills {
		if k.GetTaskId().GetValue() == string(t.view.ID) && k.GetFrameworkId().GetValue() == string(t.framework.id()) {
			a.kills[i] = order
			return
		}
	}
	a.kills = append(a.kills, order)
}

// shutdown is SHUTDOWN of an executor.
func (m *Machine) shutdown(f *framework, call *scheduler.Call_Shutdown) {
	a := m.agents.byID[AgentID(call.GetAgentId().GetValue())]
	if a == nil || !a.connected() {
		m.drop(view.Others, f.peer(), "a SHUTDOWN to an agent that is not connected", Field{"agent", call.GetAgentId().GetValue()})
		return
	}
	m.send(a.peer(), &cluster.ShutdownExecutor{FrameworkId: f.view.Info.GetId(), ExecutorId: call.GetExecutorId()})
}
