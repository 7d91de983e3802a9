package session

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

func (s *Session) onOffers(e *scheduler.Event) {
	for _, o := range e.GetOffers().GetOffers() {
		s.offers[o.GetId().GetValue()] = o.GetAgentId()
	}
	s.do(Deliver{Event: e})
}

// onRescind passes on only what the author still holds.
func (s *Session) onRescind(e *scheduler.Event) {
	id := e.GetRescind().GetOfferId().GetValue()
	if _, held := s.offers[id]; !held {
		return
	}
	delete(s.offers, id)
	s.do(Deliver{Event: e})
}

// Offers counts the offers that the author holds.
func (s *Session) Offers() int { return len(s.offers) }

// accept follows the tasks that it launches from here on. An id that still
// runs is refused: the master's TASK_ERROR for the second could not be told
// from the end of the first.
func (s *Session) accept(c *scheduler.Call) {
	launched := launchedTasks(c.GetAccept())
	seen := map[string]bool{}
	for _, t := range launched {
		id := t.GetTaskId().GetValue()
		if s.tasks[id] != nil || seen[id] {
			s.do(Refused{Call: c, Err: fmt.Errorf("call ACCEPT: task_id %q is in use", id)})
			return
		}
		seen[id] = true
	}
	if s.phase != subscribed {
		s.drop(c, launched)
		return
	}
	for _, o := range c.GetAccept().GetOfferIds() {
		delete(s.offers, o.GetValue())
	}
	for _, t := range launched {
		s.past.over.remove(t.GetTaskId().GetValue())
		s.past.done.remove(t.GetTaskId().GetValue())
		s.track(t.GetTaskId(), t.GetAgentId()).settled = true
	}
	s.call(&scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), Accept: c.GetAccept()})
}

func launchedTasks(a *scheduler.Call_Accept) []*mesos.TaskInfo {
	var tasks []*mesos.TaskInfo
	for _, op := range a.GetOperations() {
		tasks = append(tasks, op.GetLaunch().GetTaskInfos()...)
		tasks = append(tasks, op.GetLaunchGroup().GetTaskGroup().GetTasks()...)
	}
	return tasks
}

// drop gives tasks that cannot be launched for want of a master their one
// fate here, so that authors need no second way to hear of it.
func (s *Session) drop(c *scheduler.Call, launched []*mesos.TaskInfo) {
	if len(launched) == 0 {
		s.do(Refused{Call: c, Err: fmt.Errorf("call ACCEPT: %w", ErrNotSubscribed)})
		return
	}
	state := mesos.TaskState_TASK_LOST
	if s.partitionAware() {
		state = mesos.TaskState_TASK_DROPPED
	}
	for _, t := range launched {
		s.do(Deliver{Event: &scheduler.Event{
			Type: scheduler.Event_UPDATE.Enum(),
			Update: &scheduler.Event_Update{Status: &mesos.TaskStatus{
				TaskId:    t.GetTaskId(),
				AgentId:   t.GetAgentId(),
				State:     state.Enum(),
				Source:    mesos.TaskStatus_SOURCE_MASTER.Enum(),
				Reason:    mesos.TaskStatus_REASON_MASTER_DISCONNECTED.Enum(),
				Message:   proto.String("not launched: " + ErrNotSubscribed.Error()),
				Timestamp: proto.Float64(float64(s.now.UnixNano()) / 1e9),
			}},
		}})
	}
}

func (s *Session) partitionAware() bool {
	for _, c := range s.framework.GetCapabilities() {
		if c.GetType() == mesos.FrameworkInfo_Capability_PARTITION_AWARE {
			return true
		}
	}
	return false
}

// decline leaves out offers that are void already.
func (s *Session) decline(c *scheduler.Call) {
	var ids []*mesos.OfferID
	for _, o := range c.GetDecline().GetOfferIds() {
		if _, held := s.offers[o.GetValue()]; held {
			delete(s.offers, o.GetValue())
			ids = append(ids, o)
		}
	}
	if len(ids) == 0 || s.phase != subscribed {
		return
	}
	s.call(&scheduler.Call{
		Type:    scheduler.Call_DECLINE.Enum(),
		Decline: &scheduler.Call_Decline{OfferIds: ids, Filters: c.GetDecline().GetFilters()},
	})
}
