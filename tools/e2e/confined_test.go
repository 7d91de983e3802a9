//go:build vm

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
	"troupe/messages/tasks"
	"troupe/tools/processtest"
)

// everything is an --isolation of all that does not exclude each other and that the
// virtual machine has.
const everything = "cgroups/all,namespaces/pid,namespaces/ipc,namespaces/uts,namespaces/cgroup,filesystem/linux,disk/xfs," +
	"volume/sandbox_path,volume/host_path,posix/rlimits,linux/capabilities,linux/nnp"

// whole is a cluster whose agent isolates by everything, and a framework that
// keeps several tasks at once.
type whole struct {
	*grouped
	k    *keeper
	free float64 // projects of XFS, before there were tasks
}

// TestConfined: on control groups of version 2 and quotas of XFS each limit bites
// one task, whose framework is told so, and its neighbours notice nothing, nor that
// their agent is killed meanwhile; nothing is left of all that in the end.
func TestConfined(t *testing.T) {
	c := &whole{grouped: newWorld(t).groupedWith("--isolation="+everything, "--cgroups_enable_cfs", "--cgroups_max_pids=48", "--cgroups_cpu_enable_pids_and_tids_count",
		"--xfs_kill_containers", "--container_disk_watch_interval=500ms")}
	c.k = c.keepFor(5 * processtest.Patience)
	c.free = c.freeProjects()

	c.launch("neighbour", "cpus:0.1;mem:32;disk:8", "exec sleep 100000")
	c.reaches("neighbour", mesos.TaskState_TASK_RUNNING)
	c.memory()
	c.processes()
	c.disk()
	c.group()
	c.nested()
	c.withoutAgent()
	c.cpu()

	c.kill("neighbour")
	c.hasProjects(0)
	c.clean()
	c.end()
}

// task is one that runs a shell command.
func (c *whole) task(o *mesos.Offer, id, given, command string) *mesos.TaskInfo {
	return &mesos.TaskInfo{
		Name: &id, TaskId: &mesos.TaskID{Value: &id}, AgentId: o.AgentId,
		Resources: resources.MustParse(given).Allocate("r").Proto(), Command: &mesos.CommandInfo{Value: &command},
	}
}

func (c *whole) launch(id, given, command string) {
	c.t.Helper()
	o := c.k.offer(resources.MustParse(given))
	c.k.accept(o, &mesos.Offer_Operation{Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{
		TaskInfos: []*mesos.TaskInfo{c.task(o, id, given, command)},
	}})
}

// reaches waits until a task is known to be in a state; that it has ended otherwise
// is an error.
func (c *whole) reaches(id string, want mesos.TaskState) *mesos.TaskStatus {
	c.t.Helper()
	for {
		u := c.k.told[id]
		switch {
		case u != nil && u.GetState() == want:
			return u
		case u != nil && tasks.Terminal(u.GetState()):
			c.t.Fatalf("%s: %v, want %v", id, u, want)
		}
		c.k.next()
	}
}

// kill ends a task that runs.
func (c *whole) kill(id string) {
	c.t.Helper()
	if u := c.k.told[id]; u.GetState() != mesos.TaskState_TASK_RUNNING {
		c.t.Errorf("before it was killed: %v", u)
	}
	c.k.say(&scheduler.Call{Type: scheduler.Call_KILL.Enum(), Kill: &scheduler.Call_Kill{TaskId: &mesos.TaskID{Value: &id}}})
	c.reaches(id, mesos.TaskState_TASK_KILLED)
}

// limited checks that a task ended as it wanted more than it had.
func (c *whole) limited(u *mesos.TaskStatus, reason mesos.TaskStatus_Reason, resource, message string) {
	c.t.Helper()
	used := u.GetLimitation().GetResources()
	if u.GetReason() != reason || !strings.Contains(u.GetMessage(), message) || len(used) != 1 || used[0].GetName() != resource {
		c.t.Errorf("%v, want %v: %s", u, reason, message)
	}
}

func (c *whole) memory() {
	c.launch("hog", "cpus:0.5;mem:32;disk:8", hog)
	u := c.reaches("hog", mesos.TaskState_TASK_FAILED)
	c.limited(u, mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY, "mem", "Memory limit exceeded: Requested: 32MB")
}

// processes: a shell that forks more than it may says so and ends.
func (c *whole) processes() {
	c.launch("forks", "cpus:0.5;mem:64;disk:8", "for i in $(seq 60); do sleep 100000 & echo $i; done; echo survived")
	if u := c.reaches("forks", mesos.TaskState_TASK_FAILED); u.GetReason() != mesos.TaskStatus_REASON_COMMAND_EXECUTOR_FAILED && u.Reason != nil {
		c.t.Errorf("%v", u)
	}
	started, said := c.output("forks", "stdout"), c.output("forks", "stderr")
	if !strings.Contains(said, "fork") || !strings.Contains(started, "\n30\n") || strings.Contains(started, "survived") {
		c.t.Errorf("it says %q, having started %q", said, started)
	}
}

// output is what a task has written.
func (c *whole) output(task, name string) string {
	c.t.Helper()
	found, err := filepath.Glob(filepath.Join(c.dir, "agent", "slaves", "*", "frameworks", "*", "executors", task, "runs", "*-*", name))
	if err != nil || len(found) != 1 {
		c.t.Fatalf("%s of %s: %v, %v", name, task, found, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

func (c *whole) disk() {
	c.launch("fills", "cpus:0.5;mem:32;disk:4", "dd if=/dev/zero of=file bs=1M count=10 && sync file && exec sleep 100000")
	u := c.reaches("fills", mesos.TaskState_TASK_FAILED)
	c.limited(u, mesos.TaskStatus_REASON_CONTAINER_LIMITATION_DISK, "disk", "exceeds its quota 4MB")
}

// shared is a folder of the executor's sandbox that tasks of a group have as theirs.
func shared() *mesos.ContainerInfo {
	return &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{{
		ContainerPath: proto.String("shared"), Mode: mesos.Volume_RW.Enum(),
		Source: &mesos.Volume_Source{Type: mesos.Volume_Source_SANDBOX_PATH.Enum(), SandboxPath: &mesos.Volume_Source_SandboxPath{
			Type: mesos.Volume_Source_SandboxPath_PARENT.Enum(), Path: proto.String("common"),
		}},
	}}}
}

// together launches tasks as a group, after operations.
func (c *whole) together(o *mesos.Offer, id string, before []*mesos.Offer_Operation, group ...*mesos.TaskInfo) {
	c.t.Helper()
	c.k.accept(o, append(before, &mesos.Offer_Operation{Type: mesos.Offer_Operation_LAUNCH_GROUP.Enum(), LaunchGroup: &mesos.Offer_Operation_LaunchGroup{
		Executor: &mesos.ExecutorInfo{
			Type: mesos.ExecutorInfo_DEFAULT.Enum(), FrameworkId: &mesos.FrameworkID{Value: &c.k.FrameworkID}, ExecutorId: &mesos.ExecutorID{Value: &id},
			Resources: resources.MustParse("cpus:0.1;mem:32;disk:8").Allocate("r").Proto(),
		},
		TaskGroup: &mesos.TaskGroupInfo{Tasks: group},
	}})...)
}

// group: tasks of a group share a folder, and one of them keeps something in a
// persistent volume, which is there for the next group.
func (c *whole) group() {
	o := c.k.offer(resources.MustParse("cpus:1;mem:128;disk:96"))
	writer := c.task(o, "writer", "cpus:0.1;mem:32", "echo kept >data/file && echo said >shared/file.new && mv shared/file.new shared/file")
	writer.Container = shared()
	writer.Resources = append(writer.Resources, volume())
	reader := c.task(o, "reader", "cpus:0.1;mem:32", "until [ -e shared/file ]; do sleep 0.1; done; test \"$(cat shared/file)\" = said && test ! -e data/file")
	reader.Container = shared()
	c.together(o, "group", []*mesos.Offer_Operation{
		{Type: mesos.Offer_Operation_RESERVE.Enum(), Reserve: &mesos.Offer_Operation_Reserve{Resources: []*mesos.Resource{reserved()}}},
		{Type: mesos.Offer_Operation_CREATE.Enum(), Create: &mesos.Offer_Operation_Create{Volumes: []*mesos.Resource{volume()}}},
	}, writer, reader)
	c.reaches("writer", mesos.TaskState_TASK_FINISHED)
	c.reaches("reader", mesos.TaskState_TASK_FINISHED)

	o = c.k.offer(resources.MustParse("cpus:1;mem:128;disk:8").Add(sumOf(c.t, volume())))
	again := c.task(o, "again", "cpus:0.1;mem:32", "test \"$(cat data/file)\" = kept")
	again.Resources = append(again.Resources, volume())
	c.together(o, "again-group", nil, again)
	c.reaches("again", mesos.TaskState_TASK_FINISHED)
	c.hasProjects(2) // the neighbour, and the volume

	c.k.accept(c.k.offer(sumOf(c.t, volume())),
		&mesos.Offer_Operation{Type: mesos.Offer_Operation_DESTROY.Enum(), Destroy: &mesos.Offer_Operation_Destroy{Volumes: []*mesos.Resource{volume()}}},
		&mesos.Offer_Operation{Type: mesos.Offer_Operation_UNRESERVE.Enum(), Unreserve: &mesos.Offer_Operation_Unreserve{Resources: []*mesos.Resource{reserved()}}})
	eventually(c.t, "the volume is gone", func() bool {
		return !processtest.Exists(filepath.Join(c.dir, "agent", "volumes", "roles", "r", "v1"))
	})
}

// nested: of a group whose tasks have limits of their own one runs into its, where
// all together have room.
func (c *whole) nested() {
	o := c.k.offer(resources.MustParse("cpus:1;mem:320;disk:16"))
	tight := c.task(o, "tight", "cpus:0.5;mem:32", hog)
	roomy := c.task(o, "roomy", "cpus:0.1;mem:256", "exec sleep 100000")
	for _, task := range []*mesos.TaskInfo{tight, roomy} {
		task.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), LinuxInfo: &mesos.LinuxInfo{ShareCgroups: proto.Bool(false)}}
	}
	c.together(o, "limits", nil, tight, roomy)
	u := c.reaches("tight", mesos.TaskState_TASK_FAILED)
	c.limited(u, mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY, "mem", "Memory limit exceeded: Requested: 32MB")
	c.reaches("roomy", mesos.TaskState_TASK_KILLED)
}

// withoutAgent: what runs when the agent is killed runs on, in the same processes,
// and can be measured and killed by the next.
func (c *whole) withoutAgent() {
	o := c.k.offer(resources.MustParse("cpus:1;mem:128;disk:16"))
	c.together(o, "lasting", nil, c.task(o, "one", "cpus:0.1;mem:32", "exec sleep 100000"), c.task(o, "other", "cpus:0.1;mem:32", "exec sleep 100000"))
	c.reaches("one", mesos.TaskState_TASK_RUNNING)
	c.reaches("other", mesos.TaskState_TASK_RUNNING)
	before := c.inside()
	c.agent.kill()
	if now := c.inside(); !slices.Equal(now, before) {
		c.t.Errorf("in groups are %v without the agent, and were %v", now, before)
	}
	c.begin()
	eventually(c.t, "the agent measures what it finds", func() bool { return len(c.statistics()) == 2 })
	if now := c.inside(); !slices.Equal(now, before) {
		c.t.Errorf("in groups are %v with the next agent, and were %v", now, before)
	}
	c.kill("one")
	c.reaches("other", mesos.TaskState_TASK_KILLED)
}

// inside are the processes in groups of containers.
func (c *whole) inside() []string {
	c.t.Helper()
	var all []string
	err := filepath.WalkDir("/sys/fs/cgroup/"+c.root, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "cgroup.procs" {
			var text []byte
			text, err = os.ReadFile(path)
			all = append(all, strings.Fields(string(text))...)
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// figures are those of ResourceStatistics that there are on version 2 for every
// executor.
var figures = strings.Fields(`timestamp processes threads
	cpus_user_time_secs cpus_system_time_secs cpus_limit cpus_soft_limit cpus_nr_periods cpus_nr_throttled cpus_throttled_time_secs
	mem_total_bytes mem_limit_bytes mem_soft_limit_bytes mem_file_bytes mem_cache_bytes mem_anon_bytes mem_rss_bytes mem_mapped_file_bytes
	mem_unevictable_bytes mem_kmem_usage_bytes mem_kmem_tcp_usage_bytes mem_swap_bytes mem_total_memsw_bytes
	disk_limit_bytes disk_used_bytes disk_statistics blkio_statistics`)

// statistics are those of executors, by their ids.
func (c *whole) statistics() map[string]map[string]any {
	c.t.Helper()
	var list []struct {
		Executor   string         `json:"executor_id"`
		Statistics map[string]any `json:"statistics"`
	}
	if err := json.Unmarshal([]byte(get(c.t, c.agentPort, "/monitor/statistics")), &list); err != nil {
		c.t.Fatal(err)
	}
	all := map[string]map[string]any{}
	for _, e := range list {
		all[e.Executor] = e.Statistics
	}
	return all
}

// cpu: a task that wants more than its share is throttled, and everything about it
// is measured.
func (c *whole) cpu() {
	c.launch("spins", "cpus:0.2;mem:32;disk:8", "while :; do :; done")
	c.reaches("spins", mesos.TaskState_TASK_RUNNING)
	var s map[string]any
	eventually(c.t, "it is throttled", func() bool {
		s = c.statistics()["spins"]
		n, _ := s["cpus_nr_throttled"].(float64)
		return n > 3
	})
	for _, name := range figures {
		if _, ok := s[name]; !ok {
			c.t.Errorf("the statistics lack %s: %v", name, s)
		}
	}
	for name, want := range map[string]float64{"cpus_limit": 0.2, "mem_limit_bytes": 32 << 20, "disk_limit_bytes": 8 << 20} {
		if s[name] != want {
			c.t.Errorf("%s is %v, want %v", name, s[name], want)
		}
	}
	c.kill("spins")
}

// hasProjects waits until so many ids of quotas are in use.
func (c *whole) hasProjects(n float64) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("%v projects of XFS are in use", n), func() bool { return c.free-c.freeProjects() == n })
}

// freeProjects is how many ids of quotas nobody has.
func (c *whole) freeProjects() float64 {
	c.t.Helper()
	var all map[string]float64
	if err := json.Unmarshal([]byte(get(c.t, c.agentPort, "/metrics/snapshot")), &all); err != nil {
		c.t.Fatal(err)
	}
	free, ok := all["containerizer/mesos/disk/project_ids_free"]
	if !ok {
		c.t.Error("nothing tells of projects that are free")
	}
	return free
}
