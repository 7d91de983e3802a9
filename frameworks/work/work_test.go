package work

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

const (
	running     = mesos.TaskState_TASK_RUNNING
	finished    = mesos.TaskState_TASK_FINISHED
	failed      = mesos.TaskState_TASK_FAILED
	killed      = mesos.TaskState_TASK_KILLED
	dropped     = mesos.TaskState_TASK_DROPPED
	unreachable = mesos.TaskState_TASK_UNREACHABLE
)

func offer(id, has string) *mesos.Offer {
	return &mesos.Offer{
		Id: &mesos.OfferID{Value: &id}, FrameworkId: &mesos.FrameworkID{Value: proto.String("F1")},
		AgentId: &mesos.AgentID{Value: proto.String("S-" + id)}, Hostname: proto.String("host"),
		Resources: resources.MustParse(has).Allocate("web").Proto(),
	}
}

func status(id string, st mesos.TaskState) *mesos.TaskStatus {
	return &mesos.TaskStatus{TaskId: &mesos.TaskID{Value: &id}, State: st.Enum()}
}

func show(effects []Effect) []string {
	var out []string
	for _, e := range effects {
		switch e := e.(type) {
		case Launch:
			s := "launch on " + e.Offer.GetId().GetValue() + ":"
			for _, t := range e.Tasks {
				s += " " + t.GetTaskId().GetValue()
			}
			out = append(out, s)
		case Decline:
			s := fmt.Sprintf("decline for %s:", e.Refuse)
			for _, o := range e.Offers {
				s += " " + o.GetValue()
			}
			out = append(out, s)
		case Suppress:
			out = append(out, "suppress")
		case Revive:
			out = append(out, "revive")
		case KillAttempt:
			out = append(out, "kill "+e.ID)
		case Watch:
			out = append(out, "watch "+e.ID)
		case SetTimer:
			out = append(out, fmt.Sprintf("timer %s in %s", e.Key, e.After))
		case AllDone:
			out = append(out, "all done")
		case Report:
			out = append(out, showReport(e.Report))
		}
	}
	return out
}

func showReport(p Progress) string {
	s := fmt.Sprintf("%s attempt %d %s", p.Task.ID, p.Attempt, strings.TrimPrefix(p.State.String(), "TASK_"))
	if p.Final {
		s += " final"
	}
	if p.Err != nil {
		s += ": " + p.Err.Error()
	}
	return s
}

type rig struct {
	t *testing.T
	m *Machine
}

func (r rig) want(in Input, lines ...string) {
	r.t.Helper()
	got := show(r.m.Step(time.Time{}, in))
	if !slices.Equal(got, lines) {
		r.t.Fatalf("%T: effects:\n%s\nwant:\n%s", in, strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}

func add(id string) Add { return Add{&Task{ID: id, Command: "true", Resources: "cpus:1"}} }

func TestOneTaskFromAddToDone(t *testing.T) {
	r := rig{t, New()}
	r.want(add("T1"), "revive")
	r.want(Offers{[]*mesos.Offer{offer("O1", "cpus:0.5"), offer("O2", "cpus:2;mem:10")}},
		"launch on O2: T1", "decline for 10m0s: O1", "suppress")
	r.want(Updated{status("T1", running)}, "T1 attempt 1 RUNNING")
	r.want(Close{})
	r.want(Updated{status("T1", finished)}, "T1 attempt 1 FINISHED final", "all done")
	r.want(Close{})
}

// What the master says of an ended task lacks the message and the data, so the
// agent's word is waited for; but not for ever.
func TestTheAgentsWordCounts(t *testing.T) {
	hearsay := status("T1", finished)
	hearsay.Reason = mesos.TaskStatus_REASON_RECONCILIATION.Enum()
	word := status("T1", finished)
	word.Uuid = []byte("0123456789abcdef")
	for _, in := range []Input{Updated{word}, TimerFired{"hearsay/T1"}} {
		r := rig{t, New()}
		r.want(add("T1"), "revive")
		r.want(Offers{[]*mesos.Offer{offer("O1", "cpus:1")}}, "launch on O1: T1", "suppress")
		r.want(Updated{hearsay}, "timer hearsay/T1 in 1m0s")
		r.want(Updated{hearsay})
		r.want(in, "T1 attempt 1 FINISHED final")
		r.want(TimerFired{"hearsay/T1"})
	}
}

func TestOffersAreFilledInOrder(t *testing.T) {
	r := rig{t, New()}
	for i := range 5 {
		r.m.Step(time.Time{}, add(fmt.Sprintf("T%d", i)))
	}
	r.want(Add{&Task{ID: "small", Command: "true", Resources: "cpus:0.1"}}, "revive")
	r.want(Offers{[]*mesos.Offer{offer("O1", "cpus:2.5"), offer("O2", "cpus:1"), offer("O3", "cpus:0.9")}},
		"launch on O1: T0 T1 small", "launch on O2: T2", "decline for 5s: O3")
}

func TestFailuresAreRetriedWithBackoff(t *testing.T) {
	r := rig{t, New()}
	o := Offers{[]*mesos.Offer{offer("O1", "cpus:1;mem:64")}}
	r.want(Add{&Task{ID: "T", Command: "true", Retries: 2, Backoff: time.Second, BackoffMax: 1500 * time.Millisecond}}, "revive")
	r.want(o, "launch on O1: T", "suppress")
	r.want(Updated{status("T", failed)}, "T attempt 1 FAILED", "timer retry/T in 1s")
	r.want(TimerFired{"retry/T"}, "revive")
	r.want(o, "launch on O1: T.2", "suppress")
	r.want(Updated{status("T", killed)})
	r.want(Updated{status("T.2", killed)}, "T attempt 2 KILLED", "timer retry/T in 1.5s")
	r.want(TimerFired{"retry/T"}, "revive")
	r.want(o, "launch on O1: T.3", "suppress")
	r.want(Updated{status("T.3", failed)}, "T attempt 3 FAILED final")
}

func TestWhatNeverRanIsNoFailure(t *testing.T) {
	r := rig{t, New()}
	o := Offers{[]*mesos.Offer{offer("O1", "cpus:1;mem:64")}}
	r.want(add("T"), "revive")
	r.want(o, "launch on O1: T", "suppress")
	r.want(Updated{status("T", dropped)}, "T attempt 1 DROPPED", "timer retry/T in 1s")
	r.want(TimerFired{"retry/T"}, "revive")
	r.want(o, "launch on O1: T.2", "suppress")
	lost := status("T.2", mesos.TaskState_TASK_LOST)
	lost.Reason = mesos.TaskStatus_REASON_INVALID_OFFERS.Enum()
	r.want(Updated{lost}, "T attempt 2 LOST", "timer retry/T in 2s")
	r.want(TimerFired{"retry/T"}, "revive")
	r.want(o, "launch on O1: T.3", "suppress")
	r.want(Updated{status("T.3", mesos.TaskState_TASK_ERROR)}, "T attempt 3 ERROR final")
}

func TestUnreachableTaskIsReplacedAndKilledWhenItReturns(t *testing.T) {
	r := rig{t, New()}
	o := Offers{[]*mesos.Offer{offer("O1", "cpus:1;mem:64")}}
	r.want(Add{&Task{ID: "T", Command: "true", Retries: Forever}}, "revive")
	r.want(o, "launch on O1: T", "suppress")
	r.want(Updated{status("T", unreachable)}, "kill T", "T attempt 1 UNREACHABLE", "timer retry/T in 1s")
	r.want(TimerFired{"retry/T"}, "revive")
	r.want(o, "launch on O1: T.2", "suppress")
	r.want(Updated{status("T", running)}, "kill T")
	r.want(Updated{status("T", killed)})
	r.want(Updated{status("T.2", finished)}, "T attempt 2 FINISHED final")
}

func TestKill(t *testing.T) {
	r := rig{t, New()}
	r.want(add("T1"), "revive")
	r.want(add("T2"))
	r.want(Kill{"T9"})
	r.want(Offers{[]*mesos.Offer{offer("O1", "cpus:1")}}, "launch on O1: T1")
	r.want(KillAll{}, "kill T1", "T2 attempt 0 KILLED final", "suppress")
	r.want(KillAll{})
	r.want(Updated{status("T1", killed)}, "T1 attempt 1 KILLED final")
	r.want(add("T1"), "revive")
	r.want(Kill{"T1"}, "T1 attempt 0 KILLED final", "suppress")
	r.want(Offers{[]*mesos.Offer{offer("O2", "cpus:1")}}, "decline for 10m0s: O2")
}

func TestPortsAreSpread(t *testing.T) {
	m := New()
	for i := range 3 {
		m.Step(time.Time{}, Add{&Task{
			ID: fmt.Sprintf("T%d", i), Command: "serve", Resources: "cpus:0.1", Ports: 2, Env: map[string]string{"B": "2", "A": "1"},
		}})
		out := m.Step(time.Time{}, Offers{[]*mesos.Offer{offer("O", "cpus:1;ports:[100-102,200-200]")}})
		info := out[0].(Launch).Tasks[0]
		r, err := resources.New(info.GetResources()...)
		if err != nil {
			t.Fatal(err)
		}
		if n := r.Ranges(resources.Ports).Count(); n != 2 || r.Scalar(resources.CPUs).String() != "0.1" {
			t.Fatalf("resources %s", r)
		}
		env := ""
		for _, v := range info.GetCommand().GetEnvironment().GetVariables() {
			env += v.GetName() + "=" + v.GetValue() + " "
		}
		want := [][]uint64{{100, 101}, {102, 200}, {100, 101}}[i]
		if env != fmt.Sprintf("PORT=%d PORT0=%d PORT1=%d A=1 B=2 ", want[0], want[0], want[1]) {
			t.Errorf("environment %s", env)
		}
	}
	r := rig{t, New()}
	r.want(Add{&Task{ID: "T", Command: "serve", Ports: 5}}, "revive")
	r.want(Offers{[]*mesos.Offer{offer("O", "cpus:1;mem:64;ports:[100-103]")}}, "decline for 5s: O")
}

func TestWhatIsLaunched(t *testing.T) {
	m := New()
	m.Step(time.Time{}, Add{&Task{
		ID: "T", Name: "name", Args: []string{"echo", "x"}, User: "ann", Data: []byte("d"), Grace: time.Second, MaxTime: time.Minute,
		Edit: func(i *mesos.TaskInfo) { i.Labels = &mesos.Labels{} },
	}})
	info := m.Step(time.Time{}, Offers{[]*mesos.Offer{offer("O", "cpus:1;mem:64")}})[0].(Launch).Tasks[0]
	c := info.GetCommand()
	if info.GetName() != "name" || c.GetShell() || c.GetValue() != "echo" || !slices.Equal(c.GetArguments(), []string{"echo", "x"}) ||
		c.GetUser() != "ann" || string(info.GetData()) != "d" || info.GetLabels() == nil || info.GetAgentId().GetValue() != "S-O" ||
		info.GetKillPolicy().GetGracePeriod().GetNanoseconds() != 1e9 || info.GetMaxCompletionTime().GetNanoseconds() != 60e9 {
		t.Errorf("%v", info)
	}
	if got := info.GetResources()[0].GetAllocationInfo().GetRole(); got != "web" {
		t.Errorf("allocated to %q", got)
	}
}

func TestExecutors(t *testing.T) {
	shared := &mesos.ExecutorInfo{
		ExecutorId: &mesos.ExecutorID{Value: proto.String("X")}, Command: &mesos.CommandInfo{Value: proto.String("run")},
		Resources: resources.MustParse("mem:32").Proto(),
	}
	m := New()
	for i := range 3 {
		m.Step(time.Time{}, Add{&Task{ID: fmt.Sprintf("T%d", i), Executor: shared, Resources: "cpus:1"}})
	}
	out := m.Step(time.Time{}, Offers{[]*mesos.Offer{offer("O1", "cpus:2;mem:40")}})
	infos := out[0].(Launch).Tasks
	if len(infos) != 2 || !proto.Equal(infos[0].GetExecutor(), infos[1].GetExecutor()) || infos[0].Command != nil {
		t.Fatalf("%v", infos)
	}
	if x := infos[0].GetExecutor(); x.GetFrameworkId().GetValue() != "F1" || x.GetResources()[0].GetAllocationInfo().GetRole() != "web" {
		t.Errorf("%v", x)
	}
	m.Step(time.Time{}, ExecutorGone{Agent: "S-O1", Executor: "X"})
	if out := show(m.Step(time.Time{}, Offers{[]*mesos.Offer{offer("O1", "cpus:1;mem:1")}})); out[0] != "decline for 5s: O1" {
		t.Errorf("a new executor without resources: %v", out)
	}

	m = New()
	own := proto.CloneOf(shared)
	own.ExecutorId, own.Resources = nil, nil
	m.Step(time.Time{}, Add{&Task{ID: "T", Executor: own}})
	infos = m.Step(time.Time{}, Offers{[]*mesos.Offer{offer("O1", "cpus:2;mem:40")}})[0].(Launch).Tasks
	if infos[0].GetExecutor().GetExecutorId().GetValue() != "T" {
		t.Errorf("%v", infos)
	}
}

func TestFailure(t *testing.T) {
	task := &Task{ID: "T"}
	st := status("T", failed)
	st.Message = proto.String("exited with status 3")
	for want, p := range map[string]Progress{
		`task "T", attempt 2: TASK_FAILED: exited with status 3`: {Task: task, Attempt: 2, State: failed, Status: st},
		`task "T", attempt 0: TASK_KILLED`:                       {Task: task, State: killed, Final: true},
	} {
		if err := p.Failure(); err == nil || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	for _, st := range []mesos.TaskState{running, finished} {
		if err := (Progress{Task: task, State: st}).Failure(); err != nil {
			t.Error(err)
		}
	}
}

func TestConditions(t *testing.T) {
	r := rig{t, New()}
	on := func(id string) *Task {
		return &Task{ID: "on-" + id, Command: "true", Accepts: func(o *mesos.Offer) bool { return o.GetId().GetValue() == id }}
	}
	r.want(Add{on("O2")}, "revive")
	r.want(Add{on("O1")}, "revive")
	r.want(Offers{[]*mesos.Offer{offer("O0", "cpus:9;mem:999"), offer("O1", "cpus:9;mem:999"), offer("O2", "cpus:9;mem:999")}},
		"launch on O1: on-O1", "launch on O2: on-O2", "decline for 10m0s: O0", "suppress")
}

func TestTasksThatCannotBe(t *testing.T) {
	for want, task := range map[string]*Task{
		`task "a/b": id: "a/b": must not contain '/'`:          {ID: "a/b", Command: "true"},
		`one of command, args and executor must be set, not 0`: {ID: "T"},
		`one of command, args and executor must be set, not 2`: {ID: "T", Command: "a", Args: []string{"b"}},
		`executor.command: must be set`:                        {ID: "T", Executor: &mesos.ExecutorInfo{}},
		`ports: 65536: is more than a host has, 65535`:         {ID: "T", Command: "true", Ports: 65536},
		`task "T": constraints[1][2]: "x": MAX_PER requires an integer`: {
			ID: "T", Command: "true", Constraints: [][]string{{"hostname", "UNIQUE"}, {"rack", "MAX_PER", "x"}},
		},
		`ports: -1: is negative`: {ID: "T", Command: "true", Ports: -1},
		`resources: "cpus:-1"`:   {ID: "T", Command: "true", Resources: "cpus:-1"},
		`task "known": id: "known": is the id of another task that is not do`: {ID: "known", Command: "true"},
	} {
		m := New()
		m.Step(time.Time{}, add("known"))
		got := show(m.Step(time.Time{}, Add{task}))
		if len(got) == 0 || !strings.Contains(got[0], "ERROR final: ") || !strings.Contains(got[0], want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	r := rig{t, New()}
	r.want(Close{}, "all done")
	r.want(add("T"), `T attempt 0 ERROR final: task "T": no more tasks are taken`)
}

// TestEveryTaskIsDoneOnce: whatever the cluster does, every task gets one
// final report, and no offer is overdrawn or left hanging.
func TestEveryTaskIsDoneOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := New()
		final := map[string]int{}
		live := []string{}
		timers := []string{}
		added := 0
		done := false
		step := func(in Input) {
			answered := map[string]bool{}
			for _, e := range m.Step(time.Time{}, in) {
				switch e := e.(type) {
				case Launch:
					answered[e.Offer.GetId().GetValue()] = true
					has, _ := resources.New(e.Offer.GetResources()...)
					for _, i := range e.Tasks {
						need, _ := resources.New(i.GetResources()...)
						var err error
						if has, err = has.Subtract(need); err != nil {
							rt.Fatalf("overdrawn: %v", err)
						}
						live = append(live, i.GetTaskId().GetValue())
					}
				case Decline:
					for _, o := range e.Offers {
						answered[o.GetValue()] = true
					}
				case SetTimer:
					timers = append(timers, e.Key)
				case Report:
					if e.Report.Final {
						final[e.Report.Task.ID]++
					}
				case AllDone:
					done = true
				}
			}
			if o, ok := in.(Offers); ok && len(answered) != len(o.Offers) {
				rt.Fatalf("%d of %d offers answered", len(answered), len(o.Offers))
			}
		}
		update := func(st mesos.TaskState) {
			if len(live) == 0 {
				return
			}
			i := rapid.IntRange(0, len(live)-1).Draw(rt, "attempt")
			id := live[i]
			if !tasks.Live(st) {
				live = slices.Delete(live, i, i+1)
			}
			step(Updated{status(id, st)})
		}
		rt.Repeat(map[string]func(*rapid.T){
			"add": func(*rapid.T) {
				step(Add{&Task{
					ID: fmt.Sprintf("T%d", added), Command: "x", Retries: rapid.IntRange(0, 2).Draw(rt, "retries"),
					Resources: rapid.SampledFrom([]string{"cpus:1", "cpus:0.5;mem:1"}).Draw(rt, "resources"),
				}})
				added++
			},
			"offer": func(*rapid.T) { step(Offers{[]*mesos.Offer{offer("O1", "cpus:1;mem:2"), offer("O2", "cpus:2")}}) },
			"update": func(*rapid.T) {
				update(rapid.SampledFrom([]mesos.TaskState{running, finished, failed, killed, dropped, unreachable}).Draw(rt, "state"))
			},
			"timer": func(*rapid.T) {
				if len(timers) > 0 {
					key := timers[0]
					timers = timers[1:]
					step(TimerFired{key})
				}
			},
			"kill": func(*rapid.T) { step(Kill{fmt.Sprintf("T%d", rapid.IntRange(0, added).Draw(rt, "task"))}) },
		})
		step(Close{})
		for i := 0; !done && i < 10*added+10; i++ {
			for _, k := range timers {
				step(TimerFired{k})
			}
			timers = nil
			step(Offers{[]*mesos.Offer{offer("O", "cpus:100;mem:100")}})
			for len(live) > 0 {
				update(finished)
			}
		}
		if !done || m.Open() != 0 || len(m.shapes) != 0 || len(m.live) != 0 {
			rt.Errorf("done %t, %d open, %d shapes, %d live", done, m.Open(), len(m.shapes), len(m.live))
		}
		for i := range added {
			if n := final[fmt.Sprintf("T%d", i)]; n != 1 {
				rt.Errorf("T%d: %d final reports", i, n)
			}
		}
	})
}

func BenchmarkTask(b *testing.B) {
	m := New()
	for i := range b.N {
		m.Step(time.Time{}, add(fmt.Sprintf("T%d", i)))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		for _, e := range m.Step(time.Time{}, Offers{[]*mesos.Offer{offer("O", "cpus:32;mem:1024")}}) {
			l, ok := e.(Launch)
			if !ok {
				continue
			}
			for _, i := range l.Tasks {
				n++
				m.Step(time.Time{}, Updated{status(i.GetTaskId().GetValue(), running)})
				m.Step(time.Time{}, Updated{status(i.GetTaskId().GetValue(), finished)})
			}
		}
	}
}
