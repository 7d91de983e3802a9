package work

import (
	"strings"
	"testing"
	"time"

	"troupe/messages/mesos"
)

// reports steps and returns the reports.
func reports(m *Machine, in Input) (all []Progress) {
	for _, e := range m.Step(time.Time{}, in) {
		if r, ok := e.(Report); ok {
			all = append(all, r.Report)
		}
	}
	return all
}

// An attempt that runs is followed to its end as if nothing had happened.
func TestResumedWhileItRuns(t *testing.T) {
	m := New()
	r := rig{t, m}
	r.want(Resume{Task: &Task{ID: "T", Command: "x"}, Ended: 2}, "watch T.3", "suppress")
	if p := reports(m, Updated{status("T.3", mesos.TaskState_TASK_RUNNING)}); len(p) != 1 || p[0].Attempt != 3 || p[0].TaskID != "T.3" {
		t.Errorf("%+v", p)
	}
	if p := reports(m, Updated{status("T.3", mesos.TaskState_TASK_FINISHED)}); len(p) != 1 || !p[0].Final {
		t.Errorf("%+v", p)
	}
}

// One that nobody knows was never launched: it is no failure, and another follows.
// The failures of before count.
func TestResumedAndUnknown(t *testing.T) {
	m := New()
	m.Step(time.Time{}, Resume{Task: &Task{ID: "T", Command: "x", Retries: 2}, Ended: 1})
	if p := reports(m, Updated{status("T.2", mesos.TaskState_TASK_UNKNOWN)}); len(p) != 1 || p[0].Final || p[0].RetryIn == 0 {
		t.Fatalf("%+v", p)
	}
	for _, want := range []struct {
		id    string
		final bool
	}{{"T.3", false}, {"T.4", true}} {
		m.Step(time.Time{}, TimerFired{timerRetry + "T"})
		launched := m.Step(time.Time{}, Offers{[]*mesos.Offer{offer("O"+want.id, "cpus:1;mem:64")}})[0].(Launch).Tasks
		if id := launched[0].GetTaskId().GetValue(); id != want.id {
			t.Fatalf("launched %s, want %s", id, want.id)
		}
		p := reports(m, Updated{status(want.id, mesos.TaskState_TASK_FAILED)})
		if len(p) != 1 || p[0].Final != want.final {
			t.Errorf("%s: %+v", want.id, p)
		}
	}
}

func TestResumeRefuses(t *testing.T) {
	m := New()
	for want, in := range map[string]Resume{
		"ended: -1: is negative": {Task: &Task{ID: "T", Command: "x"}, Ended: -1},
		"one of command":         {Task: &Task{ID: "T"}},
	} {
		if p := reports(m, in); len(p) != 1 || !p[0].Final || !strings.Contains(p[0].Err.Error(), want) {
			t.Errorf("%+v, want %q", p, want)
		}
	}
}
