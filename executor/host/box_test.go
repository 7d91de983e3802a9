package host_test

import (
	"errors"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/executor/executortest"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

func memoryLimit() *cluster.ContainerLimit {
	return &cluster.ContainerLimit{
		Reason: mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY.Enum(), Message: proto.String("too much memory"),
		Resources: []*mesos.Resource{{Name: proto.String("mem"), Scalar: &mesos.Value_Scalar{Value: proto.Float64(64)}}},
	}
}

// TestContainerIsMadeFirst, as it was ordered, and removed before its end is told.
func TestContainerIsMadeFirst(t *testing.T) {
	r := start(t)
	r.order("C1", custom, func(m *cluster.LaunchContainer) {
		m.Isolation, m.User, m.Amounts = []byte("{}"), proto.String("u"), &cluster.ContainerAmounts{Cpus: proto.Float64(1)}
		m.Executor.Command.User = proto.String("other")
	})
	b := r.launcher.Opened(t)
	if b.ID.GetValue() != "C1" || string(b.Isolation) != "{}" || b.User != "other" || b.Amounts.GetCpus() != 1 || b.Sandbox != "/tmp" {
		t.Errorf("asked for %+v", b)
	}
	p := r.launcher.Next(t)
	if p.Spec.Container != b {
		t.Error("the program is not in its container")
	}
	r.wantLaunched(t, "C1")
	b.Resist(errors.New("busy"))
	p.Exit(0)
	b.Resist(nil)
	b.Gone(t)
	r.wantEnded(t, "C1")
}

// TestLimitOfContainer ends it, and is told with its end; a built-in executor says
// nothing of its own.
func TestLimitOfContainer(t *testing.T) {
	r := start(t)
	r.order("C1", custom)
	b, p := r.launcher.Opened(t), r.launcher.Next(t)
	b.Exceed(memoryLimit())
	p.Killed(t)
	p.Exit(9)
	b.Gone(t)
	if m := r.wantEnded(t, "C1"); !proto.Equal(m.GetLimit(), memoryLimit()) {
		t.Errorf("%v", m)
	}

	r.order("C2", cmd)
	b = r.launcher.Opened(t)
	r.wantLaunched(t, "C2")
	r.Subscribed(t)
	r.Launch(task("C2"))
	p = r.launcher.Next(t)
	r.WantStates(t, "C2", starting, running)
	b.Exceed(memoryLimit())
	p.Killed(t)
	p.Exit(9)
	if m, _ := executortest.AwaitFrom(t, r.Agent, func(m *cluster.ContainerEnded) bool { return m.GetContainerId().GetValue() == "C2" }); m.GetLimit().GetMessage() != "too much memory" {
		t.Errorf("%v", m)
	}
}

// TestNothingWatchesWhatIsGone: a host outlives thousands of containers.
func TestNothingWatchesWhatIsGone(t *testing.T) {
	r := start(t)
	watching := func() bool {
		var all strings.Builder
		if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
			t.Fatal(err)
		}
		return strings.Contains(all.String(), "(*Host).watch")
	}
	until := func(want bool, what string) {
		t.Helper()
		late, look := time.After(3*time.Minute), time.NewTicker(time.Millisecond)
		defer look.Stop()
		for watching() != want {
			select {
			case <-look.C:
			case <-late:
				t.Fatal(what)
			}
		}
	}
	r.order("C1", custom)
	p := r.launcher.Next(t)
	until(true, "nobody watches a container's limits")
	p.Exit(0)
	r.wantEnded(t, "C1")
	until(false, "the limits of a container that is gone are still watched")
}

// TestContainerThatCannotBeMade ends with the words for it.
func TestContainerThatCannotBeMade(t *testing.T) {
	r := start(t)
	r.launcher.Refuse(errors.New("no such URI"))
	r.order("C1", cmd)
	if m := r.wantEnded(t, "C1"); m.GetMessage() != "launch container: no such URI" || m.Status != nil {
		t.Errorf("%v", m)
	}
}

// TestDestroyWhileItIsMade gives that up at once.
func TestDestroyWhileItIsMade(t *testing.T) {
	r := start(t)
	release := r.launcher.Hold()
	defer release()
	r.order("C1", cmd)
	b := r.launcher.Opened(t)
	b.Progress("fetching x")
	progress := executortest.Await[*cluster.ContainerProgress](t, r.Agent, nil)
	if progress.GetContainerId().GetValue() != "C1" || progress.GetDoing() != "fetching x" {
		t.Errorf("%v", progress)
	}
	r.Send(r.host, &cluster.DestroyContainer{ContainerId: containerID("C1")})
	if m := r.wantEnded(t, "C1"); !strings.Contains(m.GetMessage(), "canceled") {
		t.Errorf("%v", m)
	}
}

// TestAmountsAreUpdated, the newest last, also those that come while it is made.
func TestAmountsAreUpdated(t *testing.T) {
	r := start(t)
	release := r.launcher.Hold()
	r.order("C1", custom)
	b := r.launcher.Opened(t)
	update := func(cpus float64) {
		r.Send(r.host, &cluster.UpdateContainer{ContainerId: containerID("C1"), Amounts: &cluster.ContainerAmounts{Cpus: &cpus}})
	}
	update(1)
	update(2)
	b.Progress("x") // behind the updates
	executortest.Await[*cluster.ContainerProgress](t, r.Agent, nil)
	release()
	last := 0.0
	for last != 2 {
		last = b.Updated(t).GetCpus()
	}
	update(3)
	if a := b.Updated(t); a.GetCpus() != 3 {
		t.Errorf("%v", a)
	}
	p := r.launcher.Next(t)
	p.Exit(0)
	r.wantEnded(t, "C1")
}

// TestGroupsAreTold with the launch, and whenever the agent asks what is held.
func TestGroupsAreTold(t *testing.T) {
	r := start(t)
	release := r.launcher.Hold()
	r.order("C1", cmd)
	groups := &mesos.CgroupInfo{NetCls: &mesos.CgroupInfo_NetCls{Classid: proto.Uint32(0x100001)}}
	r.launcher.Opened(t).SetGroups(groups)
	release()
	if m := r.wantLaunched(t, "C1"); !proto.Equal(m.GetCgroupInfo(), groups) {
		t.Errorf("launched: %v", m)
	}
	r.Send(r.host, &cluster.LaunchContainer{ContainerId: containerID("C1"), Kind: cluster.LaunchContainer_COMMAND.Enum()})
	if m := r.wantLaunched(t, "C1"); !proto.Equal(m.GetCgroupInfo(), groups) {
		t.Errorf("launched again: %v", m)
	}
}
