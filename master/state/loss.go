package state

import (
	"time"

	"troupe/master/registry"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/redact"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

// agentSilent is the observer's word that an agent does not answer.
func (m *Machine) agentSilent(id AgentID) {
	if m.agents.byID[id] != nil {
		m.scheduleRemoval(id, silent)
	}
}

// returnTimedOut ends the time that a disconnected agent had to come back.
func (m *Machine) returnTimedOut(id AgentID) {
	if a := m.agents.byID[id]; a != nil && !a.connected() {
		m.scheduleRemoval(id, notBack)
	}
}

// markUnreachable first makes it durable that an agent is unreachable.
func (m *Machine) markUnreachable(a *agent, why string) {
	if a.leaving || m.agents.returning[a.id()] {
		return
	}
	a.leaving = true
	since := m.now
	m.note(Warn, "An agent "+why+", and becomes unreachable", Field{"agent", string(a.id())})
	m.persist(registry.MarkUnreachable{AgentID: string(a.id()), At: since}, func(conflict error) {
		if conflict != nil {
			m.note(Warn, "The registry knows better: "+conflict.Error())
		}
		m.onAgentLost(a, view.AgentRemoved{ID: a.id(), Cause: view.Unhealthy, Unreachable: true, At: since})
	})
}

// removeAgent first makes it durable that an agent is no more.
func (m *Machine) removeAgent(a *agent, cause view.RemovalCause) {
	a.leaving = true
	m.rescindAgentOffers(a)
	at := m.now
	m.persist(registry.RemoveAgent{AgentID: string(a.id())}, func(conflict error) {
		if conflict != nil {
			m.note(Warn, "The registry knows better: "+conflict.Error())
		}
		m.onAgentLost(a, view.AgentRemoved{ID: a.id(), Cause: cause, At: at})
	})
}

// onAgentLost gives up an agent: its tasks get their last word from here, its
// offers are rescinded, and every framework hears of it.
func (m *Machine) onAgentLost(a *agent, event view.AgentRemoved) {
	a.lost = true
	m.tellAllocator(&cluster.RemoveAgent{AgentId: a.view.Info.GetId()})
	for len(a.tasks) > 0 {
		m.loseTask(a.tasks[len(a.tasks)-1], event)
	}
	for _, e := range a.orderedExecutors() {
		m.removeExecutor(e)
	}
	m.loseOperations(a, event)
	m.rescindAgentOffers(a)
	m.forgetAgent(a)
	m.publish(event)
	m.note(Warn, "An agent is no longer registered", Field{"agent", string(event.ID)})
	m.agentFailed(event.ID)
}

// agentFailed tells every framework that an agent is lost.
func (m *Machine) agentFailed(id AgentID) {
	for _, f := range m.frameworks.ordered() {
		if f.connected() {
			m.tell(f, &scheduler.Event{Type: failureType, Failure: &scheduler.Event_Failure{
				AgentId: &mesos.AgentID{Value: new(string(id))},
			}})
		}
	}
}

// loseTask ends what is known of a task on a lost agent. One that is terminal
// keeps its state.
func (m *Machine) loseTask(t *task, event view.AgentRemoved) {
	f := t.framework
	fate := view.Completed
	if event.Unreachable {
		fate = view.Unreachable
	}
	if t.terminal() {
		m.removeTask(t, fate)
		return
	}
	state, reason := mesos.TaskState_TASK_LOST, mesos.TaskStatus_REASON_AGENT_REMOVED
	switch {
	case event.Unreachable:
		state = f.lossState(mesos.TaskState_TASK_UNREACHABLE)
	case event.Cause == view.Ended && f.can.partitionAware:
		state, reason = mesos.TaskState_TASK_GONE_BY_OPERATOR, mesos.TaskStatus_REASON_AGENT_REMOVED_BY_OPERATOR
	}
	status := m.masterStatus(t.view, state, reason, "Agent "+string(event.ID)+" removed: "+causes[event.Cause])
	if event.Unreachable {
		status.UnreachableTime = timeInfo(event.At)
	}
	m.updateTask(t, status, state)
	m.removeTask(t, fate)
	m.forward(f, status)
}

var causes = [...]string{
	view.Unhealthy:    "unreachable",
	view.Unregistered: "it shut down",
	view.Replaced:     "another agent registered at its address",
	view.Ended:        "marked gone by an operator",
	view.TakenDown:    "its machine was taken down by an operator",
}

func timeInfo(t time.Time) *mesos.TimeInfo { return &mesos.TimeInfo{Nanoseconds: new(t.UnixNano())} }

// learnTask makes what an agent says of a task true here. It returns nil for a
// task that cannot be, and for one that is over: an agent that stayed, and
// repeats what it wrote before it got the last acknowledgement, names it still.
// What a task needs that is new here is left to the caller to count as used.
func (m *Machine) learnTask(a *agent, reported *mesos.Task, stayed bool, needs *[]resources.Resources) *task {
	f := m.frameworks.byID[FrameworkID(reported.GetFrameworkId().GetValue())]
	id := TaskID(reported.GetTaskId().GetValue())
	if f == nil {
		if !m.completed(FrameworkID(reported.GetFrameworkId().GetValue())) {
			m.note(Warn, "An agent named a task of a framework that it did not name", Field{"agent", string(a.id())}, Field{"task", string(id)})
		}
		return nil
	}
	if id == "" {
		m.note(Warn, "An agent named a task without an id", Field{"agent", string(a.id())})
		return nil
	}
	if t := f.tasks[id]; t != nil {
		if t.agent != a {
			m.note(Warn, "Two agents name one task", Field{"task", string(id)}, Field{"agent", string(a.id())}, Field{"other", string(t.agent.id())})
			return nil
		}
		a.hold(needs) // of which some may be this task's, named twice
		m.correctTask(t, reported)
		return t
	}
	if stayed && tasks.Terminal(reported.GetState()) {
		return nil
	}
	t := m.adoptTask(f, a, id, reported)
	if t != nil && !t.freed {
		*needs = append(*needs, t.view.Resources)
	}
	return t
}

// hold counts what is needed as used.
func (a *agent) hold(needs *[]resources.Resources) {
	a.used = a.used.Add(underlying(*needs))
	*needs = nil
}

// correctTask gives a known task the state that its agent knows.
func (m *Machine) correctTask(t *task, reported *mesos.Task) {
	if reported.StatusUpdateState != nil {
		t.reported = reported.GetStatusUpdateState()
		if uuid, ok := uuidOf(reported.GetStatusUpdateUuid()); ok && !(t.updated && t.uuid == uuid) {
			t.uuid, t.updated, t.waiting = uuid, true, false
		}
	}
	if reported.GetState() != t.view.State && !t.terminal() {
		m.updateTask(t, lastStatus(reported), reported.GetState())
	}
}

func lastStatus(t *mesos.Task) *mesos.TaskStatus {
	if n := len(t.GetStatuses()); n > 0 {
		return t.GetStatuses()[n-1]
	}
	return nil
}

// adoptTask adds a task that this master did not know, or had given up.
func (m *Machine) adoptTask(f *framework, a *agent, id TaskID, reported *mesos.Task) *task {
	need, role, err := allocated(f, reported.GetResources())
	if err != nil {
		m.note(Warn, "An agent named a task that cannot be: "+err.Error(), Field{"agent", string(a.id())}, Field{"task", string(id)})
		return nil
	}
	picture := &view.Task{TaskSpec: reportedSpec(f, a, reported), State: reported.GetState()}
	picture.Role, picture.Resources = role, need
	for _, s := range reported.GetStatuses() {
		picture.Statuses = withStatus(picture.Statuses, s)
	}
	known := f.takeBack(id)
	if known {
		m.publish(view.TaskForgotten{Framework: f.id(), Task: id})
	}
	e := a.executors[executorKey{f, picture.Executor}]
	t := m.addTask(f, a, e, picture)
	m.correctTask(t, reported)
	if known && !tasks.Terminal(t.view.State) {
		m.forward(f, m.masterStatus(t.view, t.view.State, mesos.TaskStatus_REASON_AGENT_REREGISTERED, "Task is back with its agent"))
	}
	return t
}

func reportedSpec(f *framework, a *agent, t *mesos.Task) *view.TaskSpec {
	s := &view.TaskSpec{
		ID: TaskID(t.GetTaskId().GetValue()), Name: t.GetName(), Framework: f.id(), Agent: a.id(),
		Executor: ExecutorID(t.GetExecutorId().GetValue()),
	}
	if t.User != nil || t.Labels != nil || t.Discovery != nil || t.Container != nil ||
		t.HealthCheck != nil || t.KillPolicy != nil || len(t.GetLimits()) > 0 {
		s.Extra = &view.TaskExtra{
			User: t.GetUser(), Labels: t.Labels, Discovery: t.Discovery, Container: redact.Container(t.Container),
			HealthCheck: redact.HealthCheck(t.HealthCheck), KillPolicy: t.KillPolicy, Limits: t.GetLimits(),
		}
	}
	return s
}
