package session

import (
	"bytes"
	"fmt"
	"slices"

	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
)

func (s *Session) receive(in Received) {
	e, ok := in.Message.(*executor.Event)
	switch {
	case !sameActor(in.From, s.config.Agent):
		s.note("message from somebody who is not the agent", "from", string(in.From))
		return
	case !ok:
		s.note("message of a type that executors do not receive",
			"type", string(in.Message.ProtoReflect().Descriptor().FullName()))
		return
	}
	switch e.GetType() {
	case executor.Event_SUBSCRIBED:
		s.onSubscribed(e)
	case executor.Event_LAUNCH:
		if s.launch(e.GetLaunch().GetTask()) {
			s.do(Deliver{Event: e})
		}
	case executor.Event_LAUNCH_GROUP:
		s.launchGroup(e)
	case executor.Event_ACKNOWLEDGED:
		s.acknowledged(e)
	case executor.Event_KILL, executor.Event_MESSAGE, executor.Event_SHUTDOWN:
		s.do(Deliver{Event: e})
	case executor.Event_ERROR:
		s.end(fmt.Errorf("agent refused the executor: %s", e.GetError().GetMessage()))
	case executor.Event_HEARTBEAT:
	default:
		s.note("event of unknown type", "type", e.GetType().String())
	}
}

// onSubscribed believes the answer to a SUBSCRIBE that was sent since the link
// broke last. What was sent before may have reached an agent that came up
// meanwhile, and of its end nobody would tell; it is there, so it is asked again
// at once.
func (s *Session) onSubscribed(e *executor.Event) {
	switch {
	case s.subscribed:
		return
	case !s.asked:
		s.subscribe()
		return
	}
	s.subscribed, s.lost = true, false
	for _, u := range s.updates[s.listed:] {
		s.sendUpdate(u)
	}
	s.do(CancelTimer{Key: timerSubscribe})
	s.do(CancelTimer{Key: timerRecovery})
	s.awaitAcknowledgements()
	s.do(Deliver{Event: e})
}

// launch takes a task into account, unless it is there already.
func (s *Session) launch(t *mesos.TaskInfo) bool {
	id := t.GetTaskId().GetValue()
	if id == "" || s.tasks[id] != nil {
		s.note("launch of a task that is there already, or has no id", "task", id)
		return false
	}
	s.tasks[id] = &entry{info: t}
	s.order = append(s.order, id)
	return true
}

// launchGroup is all or nothing.
func (s *Session) launchGroup(e *executor.Event) {
	group := e.GetLaunchGroup().GetTaskGroup().GetTasks()
	seen := map[string]bool{}
	for _, t := range group {
		id := t.GetTaskId().GetValue()
		if id == "" || s.tasks[id] != nil || seen[id] {
			s.note("launch of a group with a task that is there already, or has no id", "task", id)
			return
		}
		seen[id] = true
	}
	for _, t := range group {
		s.launch(t)
	}
	s.do(Deliver{Event: e})
}

func (s *Session) acknowledged(e *executor.Event) {
	id, uuid := e.GetAcknowledged().GetTaskId().GetValue(), e.GetAcknowledged().GetUuid()
	i := slices.IndexFunc(s.updates, func(u *mesos.TaskStatus) bool {
		return bytes.Equal(u.GetUuid(), uuid) && u.GetTaskId().GetValue() == id
	})
	if i < 0 {
		return
	}
	s.updates = slices.Delete(s.updates, i, i+1)
	if i < s.listed {
		s.listed--
	}
	if t := s.tasks[id]; t != nil {
		t.known = true
		if t.over && !slices.ContainsFunc(s.updates, func(u *mesos.TaskStatus) bool {
			return u.GetTaskId().GetValue() == id
		}) {
			delete(s.tasks, id)
			s.order = slices.DeleteFunc(s.order, func(o string) bool { return o == id })
		}
	}
	s.do(Deliver{Event: e})
	if s.finishing && len(s.updates) == 0 {
		s.end(nil)
	}
}
