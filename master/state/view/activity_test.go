package view

import (
	"testing"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
)

func TestWhatAFrameworkDidIsCounted(t *testing.T) {
	m := newTestModel()
	for _, e := range []Event{
		Told{f1, int32(scheduler.Event_SUBSCRIBED)},
		Told{f1, int32(scheduler.Event_OFFERS)},
		Called{f1, int32(scheduler.Call_ACCEPT)},
		Called{f1, int32(scheduler.Call_ACCEPT)},
		Called{f1, maxType},
		Called{f1, -1},
		Called{"stranger", int32(scheduler.Call_ACCEPT)},
		Operated{f1, int32(mesos.Offer_Operation_LAUNCH)},
		Operated{f1, int32(mesos.Offer_Operation_RESERVE)},
		TaskRefused{f1, &mesos.TaskStatus{State: mesos.TaskState_TASK_ERROR.Enum()}},
	} {
		m.Apply(e)
	}
	task := newTask("t", mesos.TaskState_TASK_RUNNING)
	m.Apply(TaskAdded{task})
	ended := with(task, mesos.TaskState_TASK_FAILED)
	m.Apply(TaskUpdated{Task: ended, Before: mesos.TaskState_TASK_RUNNING})
	m.Apply(TaskUpdated{Task: ended, Before: mesos.TaskState_TASK_FAILED}) // told again

	a := m.Snapshot().Frameworks[0].Activity
	for _, c := range []struct {
		what      string
		got, want int64
	}{
		{"SUBSCRIBE", a.Calls(scheduler.Call_SUBSCRIBE), 1},
		{"ACCEPT", a.Calls(scheduler.Call_ACCEPT), 2},
		{"calls of no type", a.Calls(maxType), 0},
		{"all calls", a.AllCalls(), 3},
		{"OFFERS", a.Events(scheduler.Event_OFFERS), 1},
		{"all events", a.AllEvents(), 2},
		{"LAUNCH", a.Operations(mesos.Offer_Operation_LAUNCH), 1},
		{"all operations", a.AllOperations(), 2},
		{"TASK_ERROR", a.Terminal(mesos.TaskState_TASK_ERROR), 1},
		{"TASK_FAILED", a.Terminal(mesos.TaskState_TASK_FAILED), 1},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.what, c.got, c.want)
		}
	}
}

func TestFiguresAreNoRevision(t *testing.T) {
	m := newTestModel()
	version, revision := m.Version(), m.Revision()
	m.Apply(Called{f1, int32(scheduler.Call_REVIVE)})
	if m.Version() != version+1 || m.Revision() != revision {
		t.Errorf("a call makes version %d of %d, revision %d of %d", m.Version(), version, m.Revision(), revision)
	}
	m.Apply(TaskAdded{newTask("t", mesos.TaskState_TASK_RUNNING)})
	if m.Version() != version+2 || m.Revision() != revision+1 {
		t.Errorf("a task makes version %d of %d, revision %d of %d", m.Version(), version, m.Revision(), revision)
	}
}

func TestTasksThatEndedHoldNothing(t *testing.T) {
	m := newTestModel()
	m.Apply(TaskAdded{newTask("t1", mesos.TaskState_TASK_RUNNING)})
	m.Apply(TaskAdded{newTask("t2", mesos.TaskState_TASK_FINISHED)})
	m.Apply(OffersMade{[]*Offer{{ID: "o", Framework: f1, Agent: "a1", Role: "web", Resources: resources.MustParse("cpus:2")}}})
	u := m.Snapshot().Frameworks[0].Usage(func() {})
	if !u.Used.Equal(resources.MustParse("cpus:1;mem:8")) || !u.Offered.Equal(resources.MustParse("cpus:2")) {
		t.Errorf("used is %v, offered %v", u.Used, u.Offered)
	}
}
