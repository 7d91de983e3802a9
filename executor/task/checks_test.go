package task

import (
	"errors"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/executor/check"
	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

// checked is a task with both checks, without grace.
func checked() *mesos.TaskInfo {
	return &mesos.TaskInfo{
		HealthCheck: &mesos.HealthCheck{
			Type: mesos.HealthCheck_HTTP.Enum(), Http: &mesos.HealthCheck_HTTPCheckInfo{Port: proto.Uint32(80)},
			GracePeriodSeconds: proto.Float64(0), ConsecutiveFailures: proto.Uint32(2),
		},
		Check: &mesos.CheckInfo{Type: mesos.CheckInfo_TCP.Enum(), Tcp: &mesos.CheckInfo_Tcp{Port: proto.Uint32(80)}},
	}
}

// told is an answer of one of the checks.
func told(s int, w check.Which, r check.Result) []at {
	return []at{{s, Checked{check.Due{Which: w}}}, {s, Checked{check.Done{Which: w, Result: r}}}}
}

// TestWhatIsKnownStays: what one check says is in what another makes known.
func TestWhatIsKnownStays(t *testing.T) {
	up, down, code := check.Result{Code: 200, Connected: true}, check.Result{Code: 500}, "http://127.0.0.1:80 answered 500"
	in := slices.Concat(
		[]at{{0, Start{}}, {0, Launched{}}},
		told(15, check.General, up), told(15, check.Health, up), told(25, check.General, check.Result{}), told(25, check.Health, down),
		told(35, check.Health, up), told(45, check.Health, down), told(55, check.Health, down),
		told(56, check.General, up), []at{{57, Exited{Status: 0}}},
	)
	play(t, NewMachine(checked(), true), in, []string{
		"STARTING check=type:TCPtcp:{}", "launch", "RUNNING check=type:TCPtcp:{}", "Wait", "Wait",
		"Run", "RUNNING TASK_CHECK_STATUS_UPDATED check=type:TCPtcp:{succeeded:true}", "Wait",
		"Run", "RUNNING TASK_HEALTH_CHECK_STATUS_UPDATED healthy=true check=type:TCPtcp:{succeeded:true}", "Wait",
		"Run", "RUNNING TASK_CHECK_STATUS_UPDATED healthy=true check=type:TCPtcp:{succeeded:false}", "Wait",
		"Run", "RUNNING TASK_HEALTH_CHECK_STATUS_UPDATED healthy=false check=type:TCPtcp:{succeeded:false}: health check failed, 1 in a row: " + code, "Wait",
		"Run", "RUNNING TASK_HEALTH_CHECK_STATUS_UPDATED healthy=true check=type:TCPtcp:{succeeded:false}", "Wait",
		"Run", "RUNNING TASK_HEALTH_CHECK_STATUS_UPDATED healthy=false check=type:TCPtcp:{succeeded:false}: health check failed, 1 in a row: " + code, "Wait",
		"Run", "RUNNING TASK_HEALTH_CHECK_STATUS_UPDATED healthy=false check=type:TCPtcp:{succeeded:false}: health check failed, 2 in a row: " + code,
		"KILLING check=type:TCPtcp:{}", "Cancel", "Cancel", "signal 3s",
		"KILLED healthy=false check=type:TCPtcp:{}: its health check failed 2 times in a row: " + code + "; Command exited with status 0",
	})
}

func TestChecksEndWithTheTask(t *testing.T) {
	start := []at{{0, Start{}}, {0, Launched{}}}
	started := []string{"STARTING check=type:TCPtcp:{}", "launch", "RUNNING check=type:TCPtcp:{}", "Wait", "Wait"}
	for name, c := range map[string]struct {
		in   []at
		want []string
	}{
		"it exits": {
			[]at{{1, Exited{Status: 0}}, {15, Checked{check.Due{}}}},
			[]string{"Cancel", "Cancel", "FINISHED check=type:TCPtcp:{}: Command exited with status 0"},
		},
		"it is killed": {
			append([]at{{1, Kill{}}}, told(15, check.Health, check.Result{Err: errors.New("no")})...),
			[]string{"KILLING check=type:TCPtcp:{}", "Cancel", "Cancel", "signal 3s"},
		},
		"it is destroyed": {[]at{{1, Destroy{}}, {2, Kill{}}}, []string{"Cancel", "Cancel", "signal 0s"}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, NewMachine(checked(), true), append(start, c.in...), append(started, c.want...))
		})
	}
	play(t, NewMachine(checked(), false), []at{{0, Start{}}, {0, Kill{}}, {1, Launched{}}, {16, Checked{check.Due{}}}},
		[]string{"STARTING check=type:TCPtcp:{}", "launch", "abort", "signal 2s"})
}

// TestChecksNeverOutliveATask: whatever checks say and whenever, nothing of
// them is told after a kill or the end, every update of a task with a check
// has a status of it, and only the kill by the health check says so.
func TestChecksNeverOutliveATask(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := NewMachine(checked(), true)
		now, killed, sick, terminal := time.Unix(0, 0), false, 0, 0
		step := func(in Input) {
			for _, e := range m.Step(now, in) {
				switch e := e.(type) {
				case Check:
					if _, ends := e.Effect.(check.Cancel); killed && !ends {
						rt.Fatalf("%T after the kill", e.Effect)
					}
				case Update:
					killed = killed || e.State == mesos.TaskState_TASK_KILLING
					if e.Check == nil || killed && e.State == mesos.TaskState_TASK_RUNNING {
						rt.Fatalf("update %+v", e)
					}
					if e.Reason != nil && *e.Reason == mesos.TaskStatus_REASON_TASK_HEALTH_CHECK_STATUS_UPDATED {
						sick++
						if *e.Healthy {
							sick = 0
						}
					}
					if tasks.Terminal(e.State) {
						terminal++
						if (e.Healthy != nil) != (sick == 2) {
							rt.Fatalf("%d failures, then %+v", sick, e)
						}
					}
				}
			}
		}
		step(Start{})
		step(Launched{})
		for range rapid.IntRange(0, 20).Draw(rt, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(rt, "ms")) * time.Millisecond)
			which := check.Which(rapid.IntRange(0, 1).Draw(rt, "which"))
			result := check.Result{Code: rapid.SampledFrom([]int{200, 500}).Draw(rt, "code"), Connected: rapid.Bool().Draw(rt, "connected")}
			if rapid.IntRange(0, 9).Draw(rt, "kill") == 0 {
				step(Kill{})
			}
			for _, a := range told(0, which, result) {
				step(a.in)
			}
		}
		step(Exited{Status: 15})
		step(Checked{check.Due{}})
		if terminal != 1 {
			rt.Fatalf("%d ends", terminal)
		}
	})
}
