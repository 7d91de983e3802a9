package session

import (
	"time"

	"troupe/messages/mesos/scheduler"
)

const (
	timerReconcile    = "reconcile"
	timerReconcileAll = "reconcile-all"

	// The first question goes out at once; unanswered tasks are asked for again
	// after a wait that starts here and doubles. No answer is what a master
	// gives while it waits for agents to come back.
	reconcileWait    = 5 * time.Second
	reconcileWaitMax = 5 * time.Minute
	// Everything is asked for again at this pace, whatever happened.
	reconcileAllWait = 15 * time.Minute
	// One call names no more tasks than this, to bound the message.
	reconcileBatch = 1000
)

// startReconciling follows a subscription.
func (s *Session) startReconciling() {
	s.reconciles = 0
	for _, t := range s.tasks {
		t.settled = false
	}
	if s.resumed {
		s.reconcile(nil)
	}
	s.reconcileOutstanding()
	s.do(SetTimer{Key: timerReconcileAll, After: s.reconcileAllIn()})
}

func (s *Session) reconcileAllIn() time.Duration {
	return reconcileAllWait*9/10 + s.chance.below(reconcileAllWait/5)
}

func (s *Session) reconcileAll() {
	if s.phase == subscribed {
		s.resumed = true
		s.startReconciling()
	}
}

// reconcileOutstanding asks for every task that is not settled.
func (s *Session) reconcileOutstanding() {
	if s.phase != subscribed {
		return
	}
	var tasks []*scheduler.Call_Reconcile_Task
	for _, id := range s.taskIDs() {
		if t := s.tasks[id]; !t.settled {
			tasks = append(tasks, &scheduler.Call_Reconcile_Task{TaskId: t.id, AgentId: t.agent})
		}
	}
	if len(tasks) == 0 {
		s.reconciles = 0
		return
	}
	for len(tasks) > 0 {
		n := min(len(tasks), reconcileBatch)
		s.reconcile(tasks[:n:n])
		tasks = tasks[n:]
	}
	s.armReconcile()
	s.reconciles++
}

// askAgain goes on asking for a task that became unreachable. Should its agent
// come back without it, to a master that does not miss it, nobody else tells.
func (s *Session) askAgain() {
	s.reconciles = 0
	s.armReconcile()
}

func (s *Session) armReconcile() {
	d := doubled(reconcileWait, reconcileWaitMax, s.reconciles)
	s.do(SetTimer{Key: timerReconcile, After: d/2 + s.chance.below(d/2)})
}

// reconcile asks for the named tasks, or for all of the framework's.
func (s *Session) reconcile(tasks []*scheduler.Call_Reconcile_Task) {
	s.call(&scheduler.Call{
		Type:      scheduler.Call_RECONCILE.Enum(),
		Reconcile: &scheduler.Call_Reconcile{Tasks: tasks},
	})
}
