package session

import (
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/tasks"
)

// uuidLength is the length of a status uuid in bytes.
const uuidLength = 16

// onUpdate delivers what is news to the author, and answers repetitions of
// what the author has already taken in.
func (s *Session) onUpdate(e *scheduler.Event) {
	st := e.GetUpdate().GetStatus()
	id, uuid := st.GetTaskId().GetValue(), string(st.GetUuid())
	if id == "" || uuid != "" && len(uuid) != uuidLength {
		s.note(Warn, "update with a malformed task_id or uuid", "task", id)
		return
	}
	if uuid != "" && s.past.acked.has(uuid) {
		s.acknowledge(st)
		return
	}
	if s.tasks[id] == nil && (s.past.done.has(id) || uuid == "" && isOver(st.GetState()) && s.past.over.has(id)) {
		// One fate: whatever else is said of it, the author knows its end.
		if uuid != "" {
			s.acknowledge(st)
		}
		return
	}
	t := s.track(st.GetTaskId(), st.GetAgentId())
	t.settled = st.GetState() != mesos.TaskState_TASK_UNREACHABLE
	if s.stale(t, st) {
		return
	}
	t.state = st.GetState()
	if uuid != "" {
		t.handling = uuid
	}
	s.do(Deliver{Event: e})
	if !t.settled {
		s.askAgain()
	}
	if uuid == "" && isOver(t.state) {
		s.forget(t)
	}
}

// stale tells whether an update says nothing new: the author has it in hand,
// or the task's end, or a reconciliation repeats the known state.
func (s *Session) stale(t *task, st *mesos.TaskStatus) bool {
	if t.handling != "" && tasks.Terminal(t.state) {
		return true // what comes with a uuid comes again, and is acknowledged then
	}
	if uuid := string(st.GetUuid()); uuid != "" {
		return t.handling == uuid
	}
	return st.GetReason() == mesos.TaskStatus_REASON_RECONCILIATION && st.GetState() == t.state &&
		t.state != mesos.TaskState_TASK_STAGING
}

// handled acknowledges. Between subscriptions nothing is sent: the agent
// repeats the update, which is then acknowledged unseen.
func (s *Session) handled(st *mesos.TaskStatus) {
	uuid, id := string(st.GetUuid()), st.GetTaskId().GetValue()
	if uuid != "" {
		s.past.acked.add(uuid)
		s.acknowledge(st)
	}
	if t := s.tasks[id]; t != nil && uuid != "" && t.handling == uuid {
		t.handling = ""
		if isOver(t.state) {
			s.forget(t)
		}
	}
	if s.tasks[id] == nil && tasks.Terminal(st.GetState()) {
		s.past.done.add(id)
	}
}

func (s *Session) acknowledge(st *mesos.TaskStatus) {
	if s.phase != subscribed {
		return
	}
	if st.GetAgentId().GetValue() == "" {
		s.note(Warn, "update with uuid names no agent and cannot be acknowledged",
			"task", st.GetTaskId().GetValue())
		return
	}
	s.call(&scheduler.Call{
		Type: scheduler.Call_ACKNOWLEDGE.Enum(),
		Acknowledge: &scheduler.Call_Acknowledge{
			AgentId: st.GetAgentId(), TaskId: st.GetTaskId(), Uuid: st.GetUuid(),
		},
	})
}
