package state

import (
	"time"

	"troupe/messages/mesos"
)

// fate is how an app's instances have ended. It is kept, so that one that fails
// again and again does not begin anew with every failover.
type fate struct {
	Wait    time.Duration `json:",omitempty"` // that the last failure has cost
	Until   time.Time     // before which nothing is launched
	Failure *Failure      `json:",omitempty"`
}

// failed has an app wait before it is launched again, each time longer. When it
// could have been launched for as long as it may have to wait at most, it begins
// with the shortest.
func (s *service) failed() {
	b := s.app.Backoff
	now := s.m.now
	switch {
	case s.fate.Wait == 0 || now.Sub(s.fate.Until) > b.Most:
		s.fate.Wait = min(b.First, b.Most)
	case now.Before(s.fate.Until): // others of it have just failed
	default:
		s.fate.Wait = time.Duration(min(float64(s.fate.Wait)*b.Factor, float64(b.Most)))
	}
	if until := now.Add(s.fate.Wait); until.After(s.fate.Until) {
		s.fate.Until = until
	}
	s.m.dirty.fates[s.id] = s
	s.touch()
}

// undelay has an app be launched at once.
func (s *service) undelay() {
	s.fate.Wait, s.fate.Until = 0, time.Time{}
	s.m.alarms.set(&s.delayed, time.Time{})
	s.m.dirty.fates[s.id] = s
	s.changed(nil)
	s.touch()
}

// unfortunate tells whether a task that ended so has failed. One that was asked to
// end has not, nor one that never began since its offer was void.
func unfortunate(st *mesos.TaskStatus) bool {
	switch st.GetState() {
	case mesos.TaskState_TASK_FINISHED, mesos.TaskState_TASK_FAILED, mesos.TaskState_TASK_ERROR, mesos.TaskState_TASK_GONE:
		return true
	case mesos.TaskState_TASK_DROPPED:
		return st.GetReason() != mesos.TaskStatus_REASON_INVALID_OFFERS && st.GetReason() != mesos.TaskStatus_REASON_RECONCILIATION
	case mesos.TaskState_TASK_KILLED:
		return st.Healthy != nil && !st.GetHealthy()
	}
	return false
}

// mourn keeps how a task ended that should not have.
func (s *service) mourn(i *instance, st *mesos.TaskStatus) {
	message := st.GetMessage()
	if len(message) > mostMessage {
		message = message[:mostMessage]
	}
	s.fate.Failure = &Failure{
		Task: i.Task, Agent: i.Agent, Host: i.Host.Hostname, State: st.GetState(), Message: message, At: s.m.now, Version: i.Version,
	}
	s.m.dirty.fates[s.id] = s
	s.changed(nil)
}

// mostMessage is how much of a task's message is kept, in bytes.
const mostMessage = 1000
