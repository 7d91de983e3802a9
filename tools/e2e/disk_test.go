package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// filling has 16 MB written by a task that was given 4 MB of disk, and returns how
// that ended. It goes on for five seconds if nobody ends it.
// An offer may be that of an agent's process that was killed.
func (k *keeper) filling(task string) *mesos.TaskStatus {
	k.t.Helper()
	for n := 0; ; n++ {
		if u := k.fill(fmt.Sprint(task, n)); u.GetReason() != mesos.TaskStatus_REASON_INVALID_OFFERS || n == 5 {
			return u
		}
	}
}

func (k *keeper) fill(task string) *mesos.TaskStatus {
	k.t.Helper()
	const given = "cpus:1;mem:32;disk:4"
	o := k.offer(resources.MustParse(given))
	info := &mesos.TaskInfo{
		Name: &task, TaskId: &mesos.TaskID{Value: &task}, AgentId: o.AgentId,
		Resources: resources.MustParse(given).Allocate("r").Proto(),
		Command:   &mesos.CommandInfo{Value: proto.String("dd if=/dev/zero of=file bs=1M count=16 && sync file && sleep 5")},
	}
	k.accept(o, &mesos.Offer_Operation{Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{TaskInfos: []*mesos.TaskInfo{info}}})
	return k.end(task)
}

// TestDiskQuota: a task that uses more disk than it was given fails for that where
// quotas are enforced, and nowhere else.
func TestDiskQuota(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	k := c.keep()
	c.agent.kill()
	c.startAgent("--isolation=disk/du", "--container_disk_watch_interval=100ms")
	if u := k.filling("free"); u.GetState() != mesos.TaskState_TASK_FINISHED {
		t.Errorf("without enforcement it ended %v", u)
	}
	c.agent.kill()
	c.startAgent("--isolation=disk/du", "--container_disk_watch_interval=100ms", "--enforce_container_disk_quota")
	u := k.filling("held")
	if u.GetState() != mesos.TaskState_TASK_FAILED || u.GetReason() != mesos.TaskStatus_REASON_CONTAINER_LIMITATION_DISK ||
		!strings.Contains(u.GetMessage(), "disk usage") || !strings.Contains(u.GetMessage(), "exceeds its quota 4MB") {
		t.Errorf("it ended %v", u)
	}
	if list := u.GetLimitation().GetResources(); len(list) != 1 || list[0].GetName() != "disk" || list[0].GetScalar().GetValue() <= 4 {
		t.Errorf("it used %v", list)
	}
	c.end()
}

// TestVolumesAreMounted: with mounts a volume can be at a path outside of the
// sandbox, and be read without being written, by any path.
func TestVolumesAreMounted(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	k := c.keep()
	c.agent.kill()
	c.startAgent("--isolation=filesystem/linux")
	folder, at := filepath.Join(w.dir, "agent", "volumes", "roles", "r", "v1"), t.TempDir()
	k.run(resources.MustParse("cpus:1;mem:32;disk:64"), "echo kept > data/file",
		&mesos.Offer_Operation{Type: mesos.Offer_Operation_RESERVE.Enum(), Reserve: &mesos.Offer_Operation_Reserve{Resources: []*mesos.Resource{reserved()}}},
		&mesos.Offer_Operation{Type: mesos.Offer_Operation_CREATE.Enum(), Create: &mesos.Offer_Operation_Create{Volumes: []*mesos.Resource{volume()}}})
	for n, path := range []string{"read", at} {
		v := volume()
		v.Disk.Volume = &mesos.Volume{ContainerPath: &path, Mode: mesos.Volume_RO.Enum()}
		task, command := fmt.Sprint("reads-", n), "cat "+path+"/file && ! echo x > "+path+"/file && ! echo x > "+folder+"/file"
		o := k.offer(resources.MustParse("cpus:1;mem:32").Add(sumOf(t, volume())))
		l := launch(o, task, command)
		l.Launch.TaskInfos[0].Resources = append(resources.MustParse("cpus:1;mem:32").Allocate("r").Proto(), v)
		k.accept(o, l)
		if u := k.end(task); u.GetState() != mesos.TaskState_TASK_FINISHED {
			t.Errorf("%s: %v", command, u)
		}
	}
	if got, err := os.ReadFile(filepath.Join(folder, "file")); err != nil || string(got) != "kept\n" {
		t.Errorf("the volume has %q, %v", got, err)
	}
	if list, err := os.ReadDir(at); err != nil || len(list) > 0 {
		t.Errorf("the machine sees %v, %v", list, err)
	}
	c.end()
}
