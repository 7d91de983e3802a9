package frameworktest

import (
	"encoding/binary"
	"slices"
	"time"

	"troupe/actors"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// AgentWith is Agent for one of which more is to be said.
func (s *Stage) AgentWith(a Agent) {
	s.t.Helper()
	if err := s.cluster.join(a); err != nil {
		s.t.Fatal(err)
	}
	s.settle()
}

// Now is what the clock shows.
func (s *Stage) Now() time.Time { return s.clock.time() }

// Advance lets time pass: everything that is due until then happens, in its order.
func (s *Stage) Advance(d time.Duration) {
	s.t.Helper()
	until := s.Now().Add(d)
	s.settle()
	for s.clock.next(until) {
		s.settle()
	}
	s.clock.set(until)
}

// Until lets time pass until a condition holds, and returns how much did. It fails
// the test when that is not within a time.
func (s *Stage) Until(what string, within time.Duration, holds func() bool) time.Duration {
	s.t.Helper()
	since := s.Now()
	s.settle()
	for !holds() {
		if !s.clock.next(since.Add(within)) {
			s.t.Fatalf("waited in vain for %s; %s", what, s.cluster.summary())
		}
		s.settle()
	}
	return s.Now().Sub(since)
}

// Update reports a state of a task, as its agent does; edit, if there is one,
// changes the status.
func (s *Stage) Update(task string, st mesos.TaskState, edit ...func(*mesos.TaskStatus)) {
	s.t.Helper()
	known, err := s.cluster.task(task)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cluster.update(known, st, func(status *mesos.TaskStatus) {
		for _, e := range edit {
			e(status)
		}
	})
	s.cluster.offer()
	s.settle()
}

// LoseAgent cuts an agent off: its tasks are reported as unreachable, or as lost to
// a framework that knows no such state, and it offers nothing. They run on.
func (s *Stage) LoseAgent(name string) {
	s.t.Helper()
	s.fate(name, (*cluster).lose)
}

// ReturnAgent is the end of LoseAgent: what still runs there is reported again.
func (s *Stage) ReturnAgent(name string) {
	s.t.Helper()
	s.fate(name, (*cluster).comeBack)
}

// RemoveAgent is an operator's word that an agent never comes back: its tasks are
// gone.
func (s *Stage) RemoveAgent(name string) {
	s.t.Helper()
	s.fate(name, (*cluster).remove)
}

func (s *Stage) fate(name string, befalls func(*cluster, *agent)) {
	s.t.Helper()
	a, err := s.cluster.agent(name)
	if err != nil {
		s.t.Fatal(err)
	}
	befalls(s.cluster, a)
	s.settle()
}

// StopMaster ends the master, so that nobody leads until StartMaster. Tasks run on.
func (s *Stage) StopMaster() {
	s.t.Helper()
	s.down = true
	s.cluster.disconnect()
	for _, l := range s.lives {
		l.lose("connection reset by peer")
	}
	s.settle()
}

// StartMaster lets a master lead that knows what the agents tell it. Schedulers
// subscribe within seconds, which have to pass.
func (s *Stage) StartMaster() {
	s.t.Helper()
	s.down = false
	s.settle()
}

// Rescind takes back every offer.
func (s *Stage) Rescind() {
	s.t.Helper()
	s.cluster.rescind(func(*agent) bool { return false })
	s.settle()
}

// Event sends any event.
func (s *Stage) Event(e *scheduler.Event) {
	s.t.Helper()
	s.cluster.emit(e)
	s.settle()
}

// Fail ends the framework with an ERROR event.
func (s *Stage) Fail(message string) {
	s.t.Helper()
	s.cluster.fail(message)
	s.settle()
}

// HoldKills lets tasks survive KILL, or not any more.
func (s *Stage) HoldKills(on bool) { s.cluster.holdsKills = on }

// send brings an event to a scheduler that lives.
func (s *Stage) send(to actors.PID, e *scheduler.Event) {
	i := slices.IndexFunc(s.lives, func(l *life) bool { return l.pid == to })
	if i < 0 {
		return
	}
	l := s.lives[i]
	l.Do(func() {
		if l.linked {
			l.inbox.Received(masterPID.String(), "", e)
		}
	})
}

// uuid counts.
func (s *Stage) uuid() []byte {
	s.updates++
	return binary.BigEndian.AppendUint64(make([]byte, 8), s.updates)
}

func (s *Stage) settle() {
	s.t.Helper()
	if !s.clock.settle() {
		s.t.Fatal("work of the scheduler's does not come back")
	}
}
