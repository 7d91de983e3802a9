package pod_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/executor"
	"troupe/messages/mesos"
	executorpb "troupe/messages/mesos/executor"
)

func policy(grace time.Duration) *mesos.KillPolicy {
	return &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: proto.Int64(int64(grace))}}
}

// patient is a task that names its grace.
func patient(id string, grace time.Duration) *mesos.TaskInfo {
	info := sleep(id)
	info.KillPolicy = policy(grace)
	return info
}

// killWith ends a task by a policy of the kill's own.
func (r *rig) killWith(id string, p *mesos.KillPolicy) {
	r.Event(&executorpb.Event{
		Type: executorpb.Event_KILL.Enum(), Kill: &executorpb.Event_Kill{TaskId: &mesos.TaskID{Value: &id}, KillPolicy: p},
	})
}

// about tells whether a grace is what was asked for, less what has passed since.
func about(got, want time.Duration) bool { return got <= want && got > want-time.Minute }

// TestPoliciesOfAGroup: that of the kill counts before the task's own, and each of
// the others ends within its own, or 3 s.
func TestPoliciesOfAGroup(t *testing.T) {
	r := start(t, "")
	r.LaunchGroup(patient("T1", time.Hour), patient("T2", 2*time.Hour), sleep("T3"))
	ps := r.launched(t, 3)
	r.killWith("T1", policy(5*time.Hour))
	if g := ps["T1"].Killed(t); !about(g, 5*time.Hour) {
		t.Errorf("the one that is killed has %s", g)
	}
	ps["T1"].Exit(0)
	r.WantStates(t, "T1", killing, killed) // whatever its exit
	if g := ps["T2"].Killed(t); !about(g, 2*time.Hour) {
		t.Errorf("another with a policy has %s", g)
	}
	if g := ps["T3"].Killed(t); g > 3*time.Second || g < time.Second {
		t.Errorf("another without one has %s", g)
	}
	for _, id := range []string{"T2", "T3"} {
		ps[id].Exit(15)
		r.WantStates(t, id, killing, killed)
	}
	<-r.gone
}

// TestKillsOfSeveral: who is asked to end already keeps his grace when another of
// the group ends first.
func TestKillsOfSeveral(t *testing.T) {
	r := start(t, "")
	r.LaunchGroup(sleep("T1"), sleep("T2"))
	ps := r.launched(t, 2)
	r.killWith("T1", policy(time.Hour))
	ps["T1"].Killed(t)
	r.killWith("T2", policy(time.Minute))
	ps["T2"].Killed(t)
	ps["T2"].Exit(15)
	r.WantStates(t, "T2", killing, killed)
	ps["T1"].Exit(15)
	r.WantStates(t, "T1", killing, killed)
	if n := ps["T1"].Kills(); n != 0 {
		t.Errorf("it was killed %d times more", n)
	}
	<-r.gone
}

// TestTimeIsUpInAGroup ends the task without grace and without TASK_KILLING, and
// the rest of its group as any failure does.
func TestTimeIsUpInAGroup(t *testing.T) {
	r := start(t, "")
	hasty := patient("T1", time.Hour)
	hasty.MaxCompletionTime = &mesos.DurationInfo{Nanoseconds: proto.Int64(1)}
	r.LaunchGroup(hasty, sleep("T2"))
	ps := r.launched(t, 2)
	if g := ps["T1"].Killed(t); g != 0 {
		t.Errorf("a grace of %s", g)
	}
	ps["T1"].Exit(9)
	st := r.WantStates(t, "T1", failed)
	if st.GetReason() != mesos.TaskStatus_REASON_MAX_COMPLETION_TIME_REACHED {
		t.Errorf("status %v", st)
	}
	ps["T2"].Killed(t)
	ps["T2"].Exit(15)
	if st := r.WantStates(t, "T2", killing, killed); st.Reason != nil {
		t.Errorf("status %v", st)
	}
	<-r.gone
}

// TestShutdownOfGroups gives every task what is left of the executor's own grace,
// which neither a kill nor another's end makes shorter.
func TestShutdownOfGroups(t *testing.T) {
	r := start(t, "", func(c *executor.Config) { c.ShutdownGracePeriod = time.Hour })
	r.LaunchGroup(sleep("T1"), patient("T2", time.Second))
	ps := r.launched(t, 2)
	r.Shutdown()
	for id, p := range ps {
		if g := p.Killed(t); !about(g, time.Hour-2*time.Second) {
			t.Errorf("%s has %s", id, g)
		}
	}
	r.Kill("T2")
	ps["T1"].Exit(15)
	r.WantStates(t, "T1", killing, killed)
	ps["T2"].Exit(0)
	r.WantStates(t, "T2", killing, killed)
	if n := ps["T2"].Kills(); n != 0 {
		t.Errorf("it was killed %d times more", n)
	}
	<-r.gone
}

// TestLaunchOfOneFails: its group is killed, and hears why from it alone.
func TestLaunchOfOneFails(t *testing.T) {
	r := start(t, "")
	r.LaunchGroup(sleep("T1"), &mesos.TaskInfo{TaskId: sleep("T2").TaskId})
	if st := r.WantStates(t, "T2", starting, failed); st.GetReason() != mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED ||
		!strings.Contains(st.GetMessage(), "command.value") {
		t.Errorf("status %v", st)
	}
	p := r.launcher.Next(t)
	p.Killed(t)
	p.Exit(15)
	for {
		st := r.Update(t, "T1")
		if st.GetState() == killed {
			break
		}
		if s := st.GetState(); s != starting && s != running && s != killing {
			t.Fatalf("status %v", st)
		}
	}
	<-r.gone
}
