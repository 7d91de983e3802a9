package conformance

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// able is info with one more capability.
func able(info *mesos.FrameworkInfo, what mesos.FrameworkInfo_Capability_Type) *mesos.FrameworkInfo {
	info.Capabilities = append(info.Capabilities, &mesos.FrameworkInfo_Capability{Type: what.Enum()})
	return info
}

// explains waits until the allocator says why a framework is offered nothing.
func (c *cluster) explains(f *framework, why string) {
	c.t.Helper()
	processtest.Eventually(c.t, "it is explained: "+why, func() bool {
		return strings.Contains(c.get("/allocator/explain?framework="+f.FrameworkID), why)
	})
}

// never checks that no offer came.
func (f *framework) never() {
	f.t.Helper()
	if e, _, _ := f.find(isOffers); e != nil {
		f.t.Errorf("offered: %v", e)
	}
}

// TestRolesByPriority: the role of the greatest weight is offered everything, one
// of a lower weight what that gives back, although its share is less.
func TestRolesByPriority(t *testing.T) {
	c := newWorld(t)
	c.masterFlags = []string{"--role_sorter=priority", "--weights=first=2"}
	c.start()
	first := subscribe(t, c.master, mesosclient.JSON{}, inRole("first", "first"))
	offer := first.offer()
	first.accept(offer, launch(shell(offer, "holds", "sleep 1000")))
	first.acknowledge(first.update("holds", mesos.TaskState_TASK_RUNNING))
	rest := first.offer()
	second := subscribe(t, c.master, mesosclient.JSON{}, inRole("second", "second"))
	for range 5 {
		first.say(decline(rest, 0))
		rest = first.offer()
	}
	second.never()
	first.say(&scheduler.Call{Type: scheduler.Call_SUPPRESS.Enum()})
	first.say(decline(rest, 0))
	second.offer()
	first.teardown()
	second.teardown()
}

// TestFrameworksByLot: a framework that holds something is drawn, too, which by
// DRF is never offered what one with nothing can have.
func TestFrameworksByLot(t *testing.T) {
	c := newWorld(t)
	c.masterFlags = []string{"--framework_sorter=random"}
	c.start()
	rich := subscribe(t, c.master, mesosclient.JSON{}, describe("rich"))
	offer := rich.offer()
	rich.accept(offer, launch(shell(offer, "holds", "sleep 1000")))
	rich.acknowledge(rich.update("holds", mesos.TaskState_TASK_RUNNING))
	rich.say(decline(rich.offer(), 0))
	poor := subscribe(t, c.master, mesosclient.JSON{}, describe("poor"))
	processtest.Eventually(t, "the one with a task is drawn", func() bool {
		if e, _, _ := poor.find(isOffers); e != nil {
			for _, o := range e.GetOffers().GetOffers() {
				poor.say(decline(o, 0))
			}
		}
		e, _, _ := rich.find(isOffers)
		return e != nil
	})
	poor.teardown()
	rich.teardown()
}

func isOffers(e *scheduler.Event) bool { return e.GetType() == scheduler.Event_OFFERS }

// TestOffersOfOtherRegions: an agent far from the masters is for frameworks that
// know of regions.
func TestOffersOfOtherRegions(t *testing.T) {
	at := func(region string) string {
		return fmt.Sprintf(`--domain={"fault_domain":{"region":{"name":%q},"zone":{"name":"z"}}}`, region)
	}
	c := newWorld(t)
	c.masterFlags, c.agentFlags = []string{at("here")}, []string{at("there")}
	c.start()
	local := subscribe(t, c.master, mesosclient.JSON{}, describe("local"))
	c.explains(local, "another region")
	aware := subscribe(t, c.master, mesosclient.JSON{}, able(describe("aware"), mesos.FrameworkInfo_Capability_REGION_AWARE))
	offer := aware.offer()
	if got := offer.GetDomain().GetFaultDomain().GetRegion().GetName(); got != "there" {
		t.Errorf("the offer's region is %q", got)
	}
	aware.accept(offer, launch(shell(offer, "far", "true")))
	aware.update("far", mesos.TaskState_TASK_FINISHED)
	local.never()
	local.teardown()
	aware.teardown()
}

// TestOffersOfGPUs: agents that have GPUs are for frameworks that want some.
func TestOffersOfGPUs(t *testing.T) {
	c := newWorld(t)
	c.agentFlags = []string{"--resources=cpus:8;mem:2048;disk:1024;gpus:2"}
	c.start()
	plain := subscribe(t, c.master, mesosclient.JSON{}, describe("plain"))
	c.explains(plain, "GPU_RESOURCES")
	wanting := subscribe(t, c.master, mesosclient.JSON{}, able(describe("wanting"), mesos.FrameworkInfo_Capability_GPU_RESOURCES))
	offer := wanting.offerOf(scalar("gpus", 2))
	one, half := shell(offer, "one", "sleep 1000"), shell(offer, "half", "true")
	one.Resources = append(one.Resources, scalar("gpus", 1))
	half.Resources = append(half.Resources, scalar("gpus", 0.5))
	wanting.accept(offer, launch(one, half))
	wanting.update("half", mesos.TaskState_TASK_ERROR)
	wanting.acknowledge(wanting.update("one", mesos.TaskState_TASK_RUNNING))
	if has(wanting.offerOf(scalar("gpus", 1)), scalar("gpus", 2)) {
		t.Error("a GPU that is used is offered")
	}
	plain.never()
	plain.teardown()
	wanting.teardown()
}

// mounted is where a file system of its own is mounted, for the time of the test.
func mounted(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("disk1", dir, "tmpfs", 0, "size=200m"); err != nil {
		t.Fatalf("to mount a file system takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestMountDisks: a disk of its own is one volume, as a whole, and what a task
// writes there is on that disk.
func TestMountDisks(t *testing.T) {
	disk := mounted(t)
	c := newWorld(t)
	c.agentFlags = []string{fmt.Sprintf(`--resources=[
		{"name":"cpus","type":"SCALAR","scalar":{"value":4}}, {"name":"mem","type":"SCALAR","scalar":{"value":512}},
		{"name":"disk","type":"SCALAR","scalar":{"value":200},"disk":{"source":{"type":"MOUNT","mount":{"root":%q}}}}]`, disk)}
	c.start()
	on := func(amount float64, volume string) *mesos.Resource {
		r := reserved(amount, volume)
		if r.Disk == nil {
			r.Disk = &mesos.Resource_DiskInfo{}
		}
		r.Disk.Source = &mesos.Resource_DiskInfo_Source{
			Type: mesos.Resource_DiskInfo_Source_MOUNT.Enum(), Mount: &mesos.Resource_DiskInfo_Source_Mount{Root: proto.String(disk)},
		}
		return as("web", r)
	}
	f := subscribe(t, c.master, mesosclient.JSON{}, webFramework("disks"))
	offer := f.offer()
	f.accept(offer, named("reserve", reserveOp(on(200, ""))),
		named("part", createOp(on(100, "part"))), named("whole", createOp(on(200, "whole"))),
		launch(onVolume(offer, "writer", "echo kept > data/file", on(200, "whole"))))
	f.operated("reserve", mesos.OperationState_OPERATION_FINISHED)
	f.operated("part", mesos.OperationState_OPERATION_ERROR)
	f.operated("whole", mesos.OperationState_OPERATION_FINISHED)
	f.update("writer", mesos.TaskState_TASK_FINISHED)
	kept, err := filepath.Glob(filepath.Join(disk, "file"))
	if err != nil || len(kept) != 1 {
		t.Errorf("%s has %v, %v", disk, kept, err)
	}
	f.teardown()
}

// TestRateLimits: calls beyond a principal's rate and capacity are refused, those
// of others are not.
func TestRateLimits(t *testing.T) {
	c := newWorld(t)
	c.masterFlags = []string{`--rate_limits={"limits":[{"principal":"eager","qps":0.001,"capacity":1}]}`}
	c.start()
	eager, calm := describe("eager"), describe("calm")
	eager.Principal, calm.Principal = proto.String("eager"), proto.String("calm")
	limited, free := subscribe(t, c.master, mesosclient.JSON{}, eager), subscribe(t, c.master, mesosclient.JSON{}, calm)
	revive := &scheduler.Call{Type: scheduler.Call_REVIVE.Enum()}
	limited.say(revive)
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan string, 2)
	for range 2 { // one waits for its turn, for which there is no room for the other
		go func() {
			a, err := limited.Say(ctx, revive)
			answers <- fmt.Sprint(a, err)
		}()
	}
	if got := <-answers; !strings.Contains(got, "503") || !strings.Contains(got, "REVIVE dropped: capacity(1) exceeded") {
		t.Errorf("a call beyond the capacity: %s", got)
	}
	for range 5 {
		free.say(revive)
	}
	cancel()
	if got := <-answers; !strings.Contains(got, context.Canceled.Error()) {
		t.Errorf("a call whose turn it is not: %s", got)
	}
	free.teardown()
}
