package task

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/executor/program"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

var overMemory = &cluster.ContainerLimit{
	Reason: mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY.Enum(), Message: proto.String("too much"),
}

func grace(d time.Duration) *mesos.KillPolicy {
	return &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: proto.Int64(int64(d))}}
}

// at is an input some seconds after the start.
type at struct {
	s  int
	in Input
}

func show(e Effect) string {
	switch e := e.(type) {
	case Launch:
		return "launch"
	case Abort:
		return "abort"
	case Signal:
		return "signal " + e.Grace.String()
	case SetDeadline:
		return "deadline " + e.After.String()
	case Update:
		s := strings.TrimPrefix(e.State.String(), "TASK_")
		if e.Reason != nil {
			s += " " + strings.TrimPrefix(e.Reason.String(), "REASON_")
		}
		if e.Healthy != nil {
			s += fmt.Sprintf(" healthy=%t", *e.Healthy)
		}
		if e.Check != nil {
			s += " check=" + strings.Join(strings.Fields(e.Check.String()), "")
		}
		if e.Message != "" {
			s += ": " + e.Message
		}
		return s
	case Check:
		return fmt.Sprintf("%T", e.Effect)[len("check."):]
	}
	return "?"
}

func TestMachine(t *testing.T) {
	start := []at{{0, Start{}}, {0, Launched{}}}
	started := []string{"STARTING", "launch", "RUNNING"}
	for _, c := range []struct {
		name string
		info *mesos.TaskInfo
		in   []at
		want []string
	}{
		{name: "finishes", in: []at{{1, Exited{Status: 0}}}, want: []string{"FINISHED: Command exited with status 0"}},
		{name: "fails", in: []at{{1, Exited{Status: 3 << 8}}}, want: []string{"FAILED: Command exited with status 3"}},
		{name: "is shot", in: []at{{1, Exited{Status: 9}}}, want: []string{"FAILED: Command terminated with signal Killed"}},
		{name: "is lost", in: []at{{1, Exited{Status: -1}}}, want: []string{"FAILED: Command terminated with unknown status"}},
		{
			name: "killed, even with status 0",
			in:   []at{{1, Kill{}}, {2, Exited{Status: 0}}, {3, Exited{Status: 0}}, {3, Kill{}}},
			want: []string{"KILLING", "signal 3s", "KILLED: Command exited with status 0"},
		},
		{
			name: "grace of the task", info: &mesos.TaskInfo{KillPolicy: grace(time.Minute)},
			in: []at{{1, Kill{}}}, want: []string{"KILLING", "signal 1m0s"},
		},
		{
			name: "grace of the kill comes first", info: &mesos.TaskInfo{KillPolicy: grace(time.Minute)},
			in: []at{{1, Kill{grace(time.Second)}}}, want: []string{"KILLING", "signal 1s"},
		},
		{
			name: "a negative grace is none",
			in:   []at{{1, Kill{grace(-time.Second)}}}, want: []string{"KILLING", "signal 0s"},
		},
		{
			name: "a later kill only shortens, counting from the first",
			in:   []at{{0, Kill{grace(10 * time.Second)}}, {1, Kill{grace(20 * time.Second)}}, {2, Kill{grace(5 * time.Second)}}, {3, Kill{grace(time.Second)}}},
			want: []string{"KILLING", "signal 10s", "signal 3s", "signal 0s"},
		},
		{name: "no limit of time", info: &mesos.TaskInfo{MaxCompletionTime: grace(0).GracePeriod}},
		{
			name: "destroyed", in: []at{{0, Kill{}}, {1, Destroy{}}, {1, Exited{Status: 9}}},
			want: []string{"KILLING", "signal 3s", "signal 0s", "KILLED: Command terminated with signal Killed"},
		},
		{
			name: "runs out of time", info: &mesos.TaskInfo{MaxCompletionTime: grace(time.Minute).GracePeriod},
			in: []at{{60, Deadline{}}, {60, Kill{}}, {61, Exited{Status: 9}}},
			want: []string{
				"deadline 1m0s", "signal 0s",
				"FAILED MAX_COMPLETION_TIME_REACHED: ran longer than max_completion_time 1m0s; Command terminated with signal Killed",
			},
		},
		{
			name: "killed before its time is up", info: &mesos.TaskInfo{MaxCompletionTime: grace(time.Minute).GracePeriod},
			in:   []at{{59, Kill{}}, {60, Deadline{}}, {61, Exited{Status: 15}}},
			want: []string{"deadline 1m0s", "KILLING", "signal 3s", "KILLED: Command terminated with signal Terminated"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, NewMachine(c.info, true), append(start, c.in...), append(started, c.want...))
		})
	}
}

func TestMachineBeforeItRuns(t *testing.T) {
	failed := LaunchFailed{errors.New("no such file")}
	for _, c := range []struct {
		name string
		in   []at
		want []string
	}{
		{
			"cannot be launched",
			[]at{{0, Start{}}, {0, failed}, {0, Kill{}}},
			[]string{"STARTING", "launch", "FAILED CONTAINER_LAUNCH_FAILED: no such file"},
		},
		{
			"wants too much while it is launched",
			[]at{{0, Start{}}, {0, LaunchFailed{Err: &program.LimitError{Limit: overMemory}}}},
			[]string{"STARTING", "launch", "FAILED CONTAINER_LIMITATION_MEMORY: too much"},
		},
		{
			"killed for a limit",
			[]at{{0, Start{}}, {0, Launched{}}, {1, Kill{}}, {1, Exited{Status: 9, Limit: overMemory}}},
			[]string{"STARTING", "launch", "RUNNING", "signal 3s", "FAILED CONTAINER_LIMITATION_MEMORY: too much"},
		},
		{
			"killed while it is launched",
			[]at{{0, Start{}}, {0, Kill{}}, {1, Launched{}}, {2, Exited{Status: 15}}},
			[]string{"STARTING", "launch", "abort", "signal 2s", "KILLED: Command terminated with signal Terminated"},
		},
		{
			"killed and not launched",
			[]at{{0, Start{}}, {0, Kill{}}, {1, failed}},
			[]string{"STARTING", "launch", "abort", "KILLED: killed before it was launched"},
		},
		{
			"launched too late",
			[]at{{0, Start{}}, {0, Kill{}}, {9, Launched{}}},
			[]string{"STARTING", "launch", "abort", "signal 0s"},
		},
	} {
		t.Run(c.name, func(t *testing.T) { play(t, NewMachine(nil, false), c.in, c.want) })
	}
}

func play(t *testing.T, m *Machine, in []at, want []string) {
	t.Helper()
	var got []string
	for _, a := range in {
		for _, e := range m.Step(time.Unix(int64(a.s), 0), a.in) {
			got = append(got, show(e))
		}
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("effects:\n%s\nwant:\n%s", g, w)
	}
}

// TestOneFate: whatever happens in whatever order, a task that ends gets
// exactly one terminal state, last, and its force never moves to later.
func TestOneFate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := NewMachine(&mesos.TaskInfo{MaxCompletionTime: grace(time.Minute).GracePeriod}, rapid.Bool().Draw(rt, "killing"))
		now := time.Unix(0, 0)
		terminal, launches := 0, 0
		var force time.Time
		step := func(in Input) {
			for _, e := range m.Step(now, in) {
				switch e := e.(type) {
				case Launch:
					launches++
				case Signal:
					if f := now.Add(e.Grace); e.Grace > 0 && !force.IsZero() && f.After(force) {
						rt.Fatalf("force moves from %s to %s", force, f)
					} else {
						force = f
					}
				case Update:
					if terminal > 0 {
						rt.Fatalf("%s after the end", e.State)
					}
					if tasks.Terminal(e.State) {
						terminal++
					}
				}
			}
		}
		step(Start{})
		step(Launched{})
		for range rapid.IntRange(0, 10).Draw(rt, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(rt, "ms")) * time.Millisecond)
			step(rapid.SampledFrom([]Input{
				Kill{}, Kill{grace(time.Second)}, Kill{grace(time.Minute)}, Destroy{}, Deadline{},
			}).Draw(rt, "input"))
		}
		step(Exited{Status: rapid.SampledFrom([]int{0, 256, 9}).Draw(rt, "status")})
		step(Exited{})
		if terminal != 1 || launches != 1 || !m.Over() {
			rt.Errorf("%d ends, %d launches, over %t", terminal, launches, m.Over())
		}
	})
}
