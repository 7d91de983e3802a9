package updates

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

var one = Key{Framework: "F", Task: "T"}

// status has n as its message and in its uuid.
func status(n int, state mesos.TaskState) *mesos.TaskStatus {
	return &mesos.TaskStatus{
		State: state.Enum(), Message: proto.String(fmt.Sprint(n)), Uuid: fmt.Appendf(nil, "%016d", n),
	}
}

func uuid(n int) UUID { return UUID(fmt.Appendf(nil, "%016d", n)) }

// say puts effects in one line.
func say(effects []Effect) string {
	text := ""
	for _, e := range effects {
		switch e := e.(type) {
		case Forward:
			text += fmt.Sprintf("forward %s/%s (latest %s); ", e.Key.Task, e.Status.GetMessage(), e.Latest)
		case SetTimer:
			text += fmt.Sprintf("set %s %v; ", e.Key.Task, e.After)
		case CancelTimer:
			text += fmt.Sprintf("cancel %s; ", e.Key.Task)
		case Acknowledged:
			text += fmt.Sprintf("acknowledged %s/%s last=%v; ", e.Key.Task, e.Status.GetMessage(), e.Last)
		}
	}
	return text
}

func TestOneOutstandingUpdateAtATime(t *testing.T) {
	s := New()
	for _, c := range []struct {
		in   Input
		want string
	}{
		{Add{one, status(1, mesos.TaskState_TASK_STARTING)}, ""},
		{Resume{}, "forward T/1 (latest TASK_STARTING); set T 10s; "},
		{Add{one, status(2, mesos.TaskState_TASK_RUNNING)}, ""},
		{Add{one, status(2, mesos.TaskState_TASK_RUNNING)}, ""}, // repeated
		{RetryDue{one}, "forward T/1 (latest TASK_RUNNING); set T 20s; "},
		{Acknowledge{one, uuid(2)}, ""}, // not the head
		{Acknowledge{one, uuid(1)}, "acknowledged T/1 last=false; forward T/2 (latest TASK_RUNNING); set T 10s; "},
		{Acknowledge{one, uuid(1)}, ""}, // repeated
		{Acknowledge{one, uuid(2)}, "acknowledged T/2 last=false; cancel T; "},
		{RetryDue{one}, ""}, // was on its way
		{Add{one, status(1, mesos.TaskState_TASK_STARTING)}, ""}, // remembered
		{Add{one, status(3, mesos.TaskState_TASK_FINISHED)}, "forward T/3 (latest TASK_FINISHED); set T 10s; "},
		{Add{one, status(4, mesos.TaskState_TASK_RUNNING)}, ""}, // after the end
		{Pause{}, "cancel T; "},
		{Pause{}, ""},
		{RetryDue{one}, ""},
		{Resume{}, "forward T/3 (latest TASK_FINISHED); set T 10s; "},
		{Acknowledge{one, uuid(3)}, "acknowledged T/3 last=true; cancel T; "},
		{Acknowledge{one, uuid(3)}, ""}, // the stream is gone
	} {
		if got := say(s.Step(time.Time{}, c.in)); got != c.want {
			t.Errorf("%T%v: got %q, want %q", c.in, c.in, got, c.want)
		}
	}
	if keys := s.Keys(); len(keys) != 0 {
		t.Errorf("streams are left: %v", keys)
	}
}

func TestRetriesDoubleUpToTenMinutes(t *testing.T) {
	s := New()
	s.Step(time.Time{}, Resume{})
	s.Step(time.Time{}, Add{one, status(1, mesos.TaskState_TASK_RUNNING)})
	wait := RetryMin
	for range 12 {
		wait = min(2*wait, RetryMax)
		effects := s.Step(time.Time{}, RetryDue{one})
		if got := effects[len(effects)-1]; got != (SetTimer{one, wait}) {
			t.Fatalf("got %v, want a wait of %v", got, wait)
		}
	}
	if wait != 10*time.Minute {
		t.Errorf("the longest wait is %v", wait)
	}
}

func TestAStreamIsBounded(t *testing.T) {
	s := New()
	for n := range 2 * MaxPending {
		s.Step(time.Time{}, Add{one, status(n, mesos.TaskState_TASK_RUNNING)})
	}
	if got := len(s.Pending(one)); got != MaxPending {
		t.Errorf("%d updates are pending", got)
	}
	s.Step(time.Time{}, Add{one, status(2*MaxPending, mesos.TaskState_TASK_FAILED)})
	if !s.Terminated(one) {
		t.Error("there was no room for the end")
	}
}

// TestNewsOfChecksReplaceEachOther once many updates wait: the newest is kept,
// in its place, and what was replaced is still known.
func TestNewsOfChecksReplaceEachOther(t *testing.T) {
	told := func(n int, r mesos.TaskStatus_Reason) *mesos.TaskStatus {
		u := status(n, mesos.TaskState_TASK_RUNNING)
		u.Reason = r.Enum()
		return u
	}
	const health, check = mesos.TaskStatus_REASON_TASK_HEALTH_CHECK_STATUS_UPDATED, mesos.TaskStatus_REASON_TASK_CHECK_STATUS_UPDATED
	s := New()
	for n := range 5 * MaxPending {
		s.Step(time.Time{}, Add{one, told(n, []mesos.TaskStatus_Reason{health, check}[n%2])})
	}
	p := s.Pending(one)
	if len(p) != MaxNews || string(p[0].GetUuid()) != string(status(0, 0).GetUuid()) ||
		string(p[MaxNews-1].GetUuid()) != string(status(5*MaxPending-1, 0).GetUuid()) {
		t.Fatalf("%d are pending, the last is %v", len(p), p[len(p)-1])
	}
	if !s.Knows(one, uuid(5*MaxPending-2)) {
		t.Error("what was replaced is not known")
	}
	for n, u := range []*mesos.TaskStatus{
		status(6*MaxPending, mesos.TaskState_TASK_RUNNING), told(6*MaxPending+1, health), status(6*MaxPending+2, mesos.TaskState_TASK_FAILED),
	} {
		s.Step(time.Time{}, Add{one, u})
		if got := len(s.Pending(one)); got != MaxNews+1+n {
			t.Errorf("after %v %d are pending", u, got)
		}
	}
}

// TestRepeatForwardsOneFrameworksHeads at once, and waits anew.
func TestRepeatForwardsOneFrameworksHeads(t *testing.T) {
	s := New()
	other := Key{Framework: "G", Task: "U"}
	idle := Key{Framework: "F", Task: "V"}
	s.Step(time.Time{}, Add{one, status(1, mesos.TaskState_TASK_RUNNING)})
	s.Step(time.Time{}, Add{other, status(2, mesos.TaskState_TASK_RUNNING)})
	if got := say(s.Step(time.Time{}, Repeat{"F"})); got != "" {
		t.Errorf("without a master: %s", got)
	}
	s.Step(time.Time{}, Resume{})
	s.Step(time.Time{}, RetryDue{one})
	s.Step(time.Time{}, Add{idle, status(3, mesos.TaskState_TASK_RUNNING)})
	s.Step(time.Time{}, Acknowledge{idle, uuid(3)})
	if got, want := say(s.Step(time.Time{}, Repeat{"F"})), "forward T/1 (latest TASK_RUNNING); set T 10s; "; got != want {
		t.Errorf("did %q, want %q", got, want)
	}
}

func TestCloseForgets(t *testing.T) {
	s := New()
	s.Step(time.Time{}, Resume{})
	s.Step(time.Time{}, Add{one, status(1, mesos.TaskState_TASK_RUNNING)})
	if got, want := say(s.Step(time.Time{}, Close{one})), "cancel T; "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := say(s.Step(time.Time{}, Close{one})); got != "" || s.Head(one) != nil || s.Knows(one, uuid(1)) {
		t.Errorf("something is left: %q", got)
	}
}

func TestUUIDOf(t *testing.T) {
	for n := range 20 {
		if _, ok := UUIDOf(make([]byte, n)); ok != (n == 16) {
			t.Errorf("%d bytes: %v", n, ok)
		}
	}
}

// network carries updates one way and acknowledgements back; it loses,
// repeats and delays what it likes.
type network struct {
	forwards []Forward
	acks     []Acknowledge
}

// TestDelivery: whatever is lost, repeated, delayed or paused, each task's
// updates arrive in order, each at least once, and nothing stays behind.
func TestDelivery(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, net := New(), &network{}
		timers := map[Key]bool{}
		added, arrived := map[Key][]string{}, map[Key][]string{}
		step := func(in Input) {
			for _, e := range s.Step(time.Time{}, in) {
				switch e := e.(type) {
				case Forward:
					net.forwards = append(net.forwards, e)
				case SetTimer:
					timers[e.Key] = true
				case CancelTimer:
					if !timers[e.Key] {
						t.Fatalf("cancels a timer of %v that is not set", e.Key)
					}
					delete(timers, e.Key)
				}
			}
		}
		deliver := func(f Forward) {
			m := f.Status.GetMessage()
			if !slices.Contains(arrived[f.Key], m) {
				arrived[f.Key] = append(arrived[f.Key], m)
			}
			id, _ := UUIDOf(f.Status.GetUuid())
			net.acks = append(net.acks, Acknowledge{f.Key, id})
		}
		number := 0
		keys := []Key{{"F", "a"}, {"F", "b"}, {"G", "a"}}
		states := []mesos.TaskState{mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_FAILED}
		ended := map[Key]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				k := rapid.SampledFrom(keys).Draw(t, "key")
				if ended[k] {
					return
				}
				number++
				u := status(number, rapid.SampledFrom(states).Draw(t, "state"))
				ended[k] = tasks.Terminal(u.GetState())
				added[k] = append(added[k], u.GetMessage())
				for range rapid.IntRange(1, 3).Draw(t, "times") {
					step(Add{k, u})
				}
			},
			"deliver": func(t *rapid.T) {
				if len(net.forwards) > 0 {
					deliver(rapid.SampledFrom(net.forwards).Draw(t, "which")) // and it may come again
				}
			},
			"acknowledge": func(t *rapid.T) {
				if len(net.acks) > 0 {
					step(rapid.SampledFrom(net.acks).Draw(t, "which"))
				}
			},
			"lose": func(*rapid.T) { *net = network{} },
			"retry": func(t *rapid.T) {
				if k := rapid.SampledFrom(keys).Draw(t, "key"); timers[k] {
					delete(timers, k)
					step(RetryDue{k})
				}
			},
			"pause":  func(*rapid.T) { step(Pause{}) },
			"resume": func(*rapid.T) { step(Resume{}) },
		})
		// The network becomes a good one, and the timers do their work.
		step(Resume{})
		for rounds := 0; len(net.forwards) > 0; rounds++ {
			if rounds > 10*number+10 {
				t.Fatal("updates are forwarded without end")
			}
			now := net.forwards
			net.forwards = nil
			for _, f := range now {
				deliver(f)
			}
			acks := net.acks
			net.acks = nil
			for _, a := range acks {
				step(a)
			}
		}
		for k, want := range added {
			if !slices.Equal(arrived[k], want) {
				t.Fatalf("%v: arrived %v, want %v", k, arrived[k], want)
			}
			if s.Head(k) != nil {
				t.Fatalf("%v still has a head", k)
			}
			if ended[k] && slices.Contains(s.Keys(), k) {
				t.Fatalf("%v has ended but is kept", k)
			}
		}
		if len(timers) != 0 {
			t.Fatalf("timers are left: %v", timers)
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	s := New()
	s.Step(time.Time{}, Resume{})
	u := status(1, mesos.TaskState_TASK_FINISHED)
	for b.Loop() {
		s.Step(time.Time{}, Add{one, u})
		s.Step(time.Time{}, Acknowledge{one, uuid(1)})
	}
}
