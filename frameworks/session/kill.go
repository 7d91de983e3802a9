package session

import (
	"time"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

const (
	timerKill = "kill"

	// A KILL is repeated after a wait that starts here and doubles. A kill
	// policy's grace comes first, so that a patient kill is not repeated early.
	killWait    = 5 * time.Second
	killWaitMax = time.Minute
)

type kill struct {
	policy  *mesos.KillPolicy
	repeats int
}

func killKey(task string) string { return timerKill + "/" + task }

// killTask wants a task to end, and says so until it has.
func (s *Session) killTask(c *scheduler.Call_Kill) {
	id := c.GetTaskId().GetValue()
	if s.tasks[id] == nil && s.past.over.has(id) {
		s.note(Debug, "kill of a task that has ended", "task", id)
		return
	}
	t := s.track(c.GetTaskId(), c.GetAgentId())
	t.kill = &kill{policy: c.GetKillPolicy()}
	if s.phase == subscribed {
		s.sendKill(t)
	}
}

func (s *Session) sendKill(t *task) {
	s.call(&scheduler.Call{
		Type: scheduler.Call_KILL.Enum(),
		Kill: &scheduler.Call_Kill{TaskId: t.id, AgentId: t.agent, KillPolicy: t.kill.policy},
	})
	wait := doubled(killWait, killWaitMax, t.kill.repeats)
	if g := t.kill.policy.GetGracePeriod().GetNanoseconds(); g > 0 {
		wait = max(wait, time.Duration(g))
	}
	s.do(SetTimer{Key: killKey(t.id.GetValue()), After: wait + s.chance.below(wait/4)})
}

func (s *Session) repeatKill(id string) {
	t := s.tasks[id]
	if t == nil || t.kill == nil || s.phase != subscribed {
		return
	}
	t.kill.repeats++
	s.sendKill(t)
}

// repeatKills follows a subscription: what was said before may be lost.
func (s *Session) repeatKills() {
	for _, id := range s.taskIDs() {
		if t := s.tasks[id]; t.kill != nil {
			t.kill.repeats = 0
			s.sendKill(t)
		}
	}
}
