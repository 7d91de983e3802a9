package validate

import (
	"fmt"
	"math"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

func res(text string) []*mesos.Resource { return resources.MustParse(text).Proto() }

func task1() *mesos.TaskInfo {
	return &mesos.TaskInfo{
		Name: ptr("t"), TaskId: &mesos.TaskID{Value: ptr("t1")}, AgentId: &mesos.AgentID{Value: ptr("S0")},
		Resources: res("cpus:1;mem:32;ports:[31000-31001]"),
		Command:   &mesos.CommandInfo{Value: ptr("true")},
	}
}

func custom(text string) *mesos.ExecutorInfo {
	return &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: ptr("e")}, Command: &mesos.CommandInfo{Value: ptr("./e")}, Resources: res(text)}
}

func volumeOf(id string) *mesos.Resource {
	r := res("disk(web):1")[0]
	r.Disk = &mesos.Resource_DiskInfo{
		Persistence: &mesos.Resource_DiskInfo_Persistence{Id: &id},
		Volume:      &mesos.Volume{Mode: mesos.Volume_RW.Enum(), ContainerPath: ptr("data")},
	}
	return r
}

// with is a task's volume v, changed.
func with(change func(*mesos.Resource)) func(*mesos.TaskInfo) {
	return func(x *mesos.TaskInfo) {
		volume := volumeOf("v")
		change(volume)
		x.Resources = append(x.Resources, volume)
	}
}

func limit(name string, amount float64) map[string]*mesos.Value_Scalar {
	return map[string]*mesos.Value_Scalar{name: {Value: &amount}}
}

func TestTaskInfo(t *testing.T) {
	type T = *mesos.TaskInfo
	withExecutor := func(e *mesos.ExecutorInfo) func(T) { return func(x T) { x.Command, x.Executor = nil, e } }
	run(t, task1, TaskInfo, []check[T]{
		{"valid", func(T) {}, ""},
		{"id", func(x T) { x.TaskId.Value = ptr("a\nb") }, `task_id.value: "a\nb": must not contain '\n'`},
		{"no agent", func(x T) { x.AgentId = nil }, `agent_id.value: "": must not be empty`},
		{"no resources", func(x T) { x.Resources = nil }, `resources: must be set`},
		{"bad resource", func(x T) { x.Resources[1].Scalar.Value = ptr(math.Inf(1)) }, `resources[1].(mem).scalar.value: +Inf: is not a finite number`},
		{"neither command nor executor", func(x T) { x.Command = nil }, `"t1": must have either a command or an executor`},
		{"command and executor", func(x T) { x.Executor = custom("cpus:0.1") }, `"t1": must have either a command or an executor`},
		{"executor", withExecutor(custom("cpus:0.1")), ""},
		{"executor without command", withExecutor(&mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: ptr("e")}}), `executor.command: must be set`},
		{"executor for groups", withExecutor(&mesos.ExecutorInfo{Type: mesos.ExecutorInfo_DEFAULT.Enum()}), `executor.type: DEFAULT: must be CUSTOM for a task outside a group`},
		{"same port", withExecutor(custom("ports:[31001-31005]")), `resources.ports: [31001-31001]: is used twice`},
		{"kill grace", func(x T) {
			x.KillPolicy = &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: ptr(int64(-1))}}
		}, `kill_policy.grace_period.nanoseconds: -1: is negative`},
		{"completion time", func(x T) { x.MaxCompletionTime = &mesos.DurationInfo{Nanoseconds: ptr(int64(-5))} }, `max_completion_time.nanoseconds: -5: is negative`},
		{"limit", func(x T) { x.Limits = limit("cpus", 2) }, ""},
		{"no limit", func(x T) { x.Limits = limit("mem", math.Inf(1)) }, ""},
		{"limit below request", func(x T) { x.Limits = limit("mem", 31.999) }, `limits[mem].value: 31.999: is below the request, 32`},
		{"limit of disk", func(x T) { x.Limits = limit("disk", 1) }, `limits[disk]: must not be set: only cpus and mem can have limits`},
		{"limit without request", func(x T) { x.Limits, x.Resources = limit("mem", 1), res("cpus:1") }, `limits[mem].value: 1: limits what the task does not request`},
		{"half revocable", func(x T) {
			x.Resources = append(x.Resources, proto.CloneOf(x.Resources[0]))
			x.Resources[3].Revocable = &mesos.Resource_RevocableInfo{}
		}, `resources[3].name: "cpus": is revocable in one place and not in another`},
		{"two roles", func(x T) {
			x.Resources = append(resources.MustParse("cpus:1").Allocate("a").Proto(), resources.MustParse("mem:1").Allocate("b").Proto()...)
		}, `resources[1].allocation_info.role: "b": is not that of the others, "a"`},
		{"role of one alone", func(x T) { x.Resources[1].AllocationInfo = &mesos.Resource_AllocationInfo{Role: ptr("a")} }, ""},
		{"volume", with(func(*mesos.Resource) {}), ""},
		{"read-only volume", with(func(r *mesos.Resource) { r.Disk.Volume.Mode = mesos.Volume_RO.Enum() }), ""},
		{"volume nowhere", with(func(r *mesos.Resource) { r.Disk.Volume = nil }), `resources[3].disk.volume: must be set`},
		{"volume outside", with(func(r *mesos.Resource) { r.Disk.Volume.ContainerPath = ptr("../../x") }), `resources[3].disk.volume.container_path: "../../x": must not lead out of the sandbox`},
		{"volume of the host", with(func(r *mesos.Resource) { r.Disk.Volume.HostPath = ptr("/") }), `resources[3].disk.volume.host_path: "/": must not be set for a persistent volume`},
		{"use of a disk", with(func(r *mesos.Resource) { r.Disk.Persistence = nil }), `resources[3].disk.volume: "data": must not be set without disk.persistence`},
		{"empty disk", with(func(r *mesos.Resource) { r.Disk = &mesos.Resource_DiskInfo{} }), `resources[3].disk: must not be set and empty`},
		{"volumes of two roles", func(x T) {
			other := volumeOf("v")
			other.Reservations = res("disk(ads):1")[0].Reservations
			x.Resources = append(x.Resources, volumeOf("v"), other)
		}, ""},
		{"shared volume twice", func(x T) {
			shared := volumeOf("v")
			shared.Shared = &mesos.Resource_SharedInfo{}
			x.Resources = append(x.Resources, shared, shared)
		}, ""},
		{"volume twice", func(x T) { x.Resources = append(x.Resources, volumeOf("v"), volumeOf("v")) }, `resources[4].disk.persistence.id: "v": is there twice`},
		{"cgroups of its own", func(x T) {
			x.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), LinuxInfo: &mesos.LinuxInfo{ShareCgroups: ptr(false)}}
		}, `container.linux_info.share_cgroups: false: must be true for a task outside a group`},
		{"docker without docker", func(x T) { x.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_DOCKER.Enum()} }, `container.docker: must be set`},
		{"volume with nothing", func(x T) {
			x.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{{ContainerPath: ptr("p")}}}
		}, `container.volumes[0]: "p": must have one of host_path, image and source, not 0`},
		{"volume source", func(x T) {
			x.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{{ContainerPath: ptr("p"), Source: &mesos.Volume_Source{Type: mesos.Volume_Source_SECRET.Enum()}}}}
		}, `container.volumes[0].source.secret: must be set`},
	})
	run(t, task1, TaskInfo, containerChecks())
	run(t, task1, TaskInfo, executorChecks())
	if TaskInfo(nil) == nil {
		t.Error("no task is valid")
	}
}

// containerChecks covers containers and their volumes.
func containerChecks() []check[*mesos.TaskInfo] {
	type T = *mesos.TaskInfo
	volume := func(source *mesos.Volume_Source) func(T) {
		return func(x T) {
			x.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{{ContainerPath: ptr("p"), Mode: mesos.Volume_RW.Enum(), Source: source}}}
		}
	}
	list := []check[T]{
		{"type", func(x T) { x.Container = &mesos.ContainerInfo{} }, ``},
		{"unknown type", func(x T) { x.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_Type(9).Enum()} }, `container.type: 9: must be DOCKER or MESOS`},
		{"docker name", func(x T) {
			x.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_DOCKER.Enum(), Docker: &mesos.ContainerInfo_DockerInfo{
				Image: ptr("i"), Parameters: []*mesos.Parameter{{Key: ptr("env"), Value: ptr("A=B")}, {Key: ptr("name"), Value: ptr("x")}},
			}}
		}, `container.docker.parameters[1].key: "name": is not for tasks to choose`},
		{"no container path", func(x T) {
			x.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{{HostPath: ptr("/x")}}}
		}, `container.volumes[0].container_path: must be set`},
		{"two sources", func(x T) {
			x.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{{ContainerPath: ptr("p"), HostPath: ptr("/x"), Image: &mesos.Image{}}}}
		}, `container.volumes[0]: "p": must have one of host_path, image and source, not 2`},
		{"unknown source", volume(&mesos.Volume_Source{}), `container.volumes[0].source.type: UNKNOWN: is not known`},
	}
	list[0].want = `container.docker: must be set` // an absent type reads as the first, DOCKER
	for field, c := range map[string]struct {
		kind mesos.Volume_Source_Type
		full *mesos.Volume_Source
	}{
		"docker_volume":                  {mesos.Volume_Source_DOCKER_VOLUME, &mesos.Volume_Source{DockerVolume: &mesos.Volume_Source_DockerVolume{}}},
		"host_path":                      {mesos.Volume_Source_HOST_PATH, &mesos.Volume_Source{HostPath: &mesos.Volume_Source_HostPath{}}},
		"sandbox_path":                   {mesos.Volume_Source_SANDBOX_PATH, &mesos.Volume_Source{SandboxPath: &mesos.Volume_Source_SandboxPath{}}},
		"csi_volume.static_provisioning": {mesos.Volume_Source_CSI_VOLUME, &mesos.Volume_Source{CsiVolume: &mesos.Volume_Source_CSIVolume{StaticProvisioning: &mesos.Volume_Source_CSIVolume_StaticProvisioning{}}}},
	} {
		c.full.Type = c.kind.Enum()
		list = append(list,
			check[T]{field, volume(c.full), ""},
			check[T]{"no " + field, volume(&mesos.Volume_Source{Type: c.kind.Enum()}), "container.volumes[0].source." + field + ": must be set"})
	}
	return list
}

// executorChecks covers executors of single tasks.
func executorChecks() []check[*mesos.TaskInfo] {
	type T = *mesos.TaskInfo
	with := func(change func(e *mesos.ExecutorInfo)) func(T) {
		return func(x T) {
			x.Command, x.Executor = nil, custom("cpus:0.1")
			change(x.Executor)
		}
	}
	return []check[T]{
		{"executor id", with(func(e *mesos.ExecutorInfo) { e.ExecutorId.Value = ptr("") }), `executor.executor_id.value: "": must not be empty`},
		{"framework id", with(func(e *mesos.ExecutorInfo) { e.FrameworkId = &mesos.FrameworkID{Value: ptr("a/b")} }), `executor.framework_id.value: "a/b": must not contain '/'`},
		{"unknown type", with(func(e *mesos.ExecutorInfo) { e.Type = mesos.ExecutorInfo_UNKNOWN.Enum() }), `executor.type: UNKNOWN: must be DEFAULT or CUSTOM`},
		{"resources", with(func(e *mesos.ExecutorInfo) { e.Resources[0].Name = ptr("") }), `executor.resources[0].name: "": must not be empty`},
		{"grace", with(func(e *mesos.ExecutorInfo) {
			e.ShutdownGracePeriod = &mesos.DurationInfo{Nanoseconds: ptr(int64(-1))}
		}), `executor.shutdown_grace_period.nanoseconds: -1: is negative`},
		{"command", with(func(e *mesos.ExecutorInfo) { e.Command.Value = ptr("\x00") }), `executor.command.value: "\x00": contains a zero byte`},
		{"same item of a set", func(x T) {
			x.Command, x.Executor = nil, custom("set:{a,b}")
			x.Resources = append(x.Resources, res("set:{b}")...)
		}, `resources.set: {b}: is used twice`},
	}
}

func TestTaskGroup(t *testing.T) {
	type G = *mesos.TaskGroupInfo
	executor := &mesos.ExecutorInfo{Type: mesos.ExecutorInfo_DEFAULT.Enum(), ExecutorId: &mesos.ExecutorID{Value: ptr("e")}, Resources: res("cpus:0.1;mem:32;disk:32;ports:[31005-31005]")}
	valid := func() G {
		a, b := task1(), task1()
		b.TaskId.Value, b.Resources = ptr("t2"), res("cpus:1;ports:[31002-31003]")
		return &mesos.TaskGroupInfo{Tasks: []*mesos.TaskInfo{a, b}}
	}
	run(t, valid, func(g G) error { return TaskGroup(executor, g) }, []check[G]{
		{"valid", func(G) {}, ""},
		{"empty", func(g G) { g.Tasks = nil }, `task_group.tasks: must be set`},
		{"same id", func(g G) { g.Tasks[1].TaskId.Value = ptr("t1") }, `task_group.tasks[1].task_id.value: "t1": is there twice`},
		{"executor inside", func(g G) { g.Tasks[0].Executor = executor }, `task_group.tasks[0].executor: must not be set within a group`},
		{"no command", func(g G) { g.Tasks[0].Command = nil }, `task_group.tasks[0].command: must be set`},
		{"same port as another", func(g G) { g.Tasks[1].Resources = res("ports:[31001-31003]") }, `task_group.tasks[1].resources.ports: [31001-31001]: is used twice`},
		{"same port as the executor", func(g G) { g.Tasks[0].Resources = res("ports:[31005-31006]") }, `task_group.tasks[0].resources.ports: [31005-31005]: is used twice`},
		{"limits with shared cgroups", func(g G) { g.Tasks[0].Limits = limit("cpus", 4) }, `task_group.tasks[0].limits: must not be set when container.linux_info.share_cgroups is true`},
		{"half shared cgroups", func(g G) {
			g.Tasks[1].Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), LinuxInfo: &mesos.LinuxInfo{ShareCgroups: ptr(false)}}
		}, `task_group.tasks[1].container.linux_info.share_cgroups: false: must be the same for all tasks of a group`},
		{"health check of another network", func(g G) {
			g.Tasks[0].Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), NetworkInfos: []*mesos.NetworkInfo{{}}, LinuxInfo: &mesos.LinuxInfo{ShareCgroups: ptr(true)}}
			g.Tasks[0].HealthCheck = &mesos.HealthCheck{Type: mesos.HealthCheck_TCP.Enum(), Tcp: &mesos.HealthCheck_TCPCheckInfo{Port: ptr(uint32(1))}}
		}, `task_group.tasks[0].health_check.type: TCP: cannot reach a task of a group that has a network of its own`},
		{"docker", func(g G) {
			g.Tasks[1].Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_DOCKER.Enum(), Docker: &mesos.ContainerInfo_DockerInfo{Image: ptr("x")}}
		}, `task_group.tasks[1].container.type: DOCKER: must be MESOS within a group`},
	})
	for want, e := range map[string]*mesos.ExecutorInfo{
		`executor.type: UNKNOWN: must be DEFAULT or CUSTOM`:                 custom("cpus:1"),
		`executor.executor_id.value: "": must not be empty`:                 {Type: mesos.ExecutorInfo_DEFAULT.Enum()},
		`executor.command: must not be set when type is DEFAULT`:            {Type: mesos.ExecutorInfo_DEFAULT.Enum(), ExecutorId: executor.ExecutorId, Command: &mesos.CommandInfo{}},
		`executor.resources[0].shared: must not be set for an executor`:     {Type: mesos.ExecutorInfo_DEFAULT.Enum(), ExecutorId: executor.ExecutorId, Resources: []*mesos.Resource{sharedVolume()}},
		`executor.resources.mem: 31.5: must be at least 32 for task groups`: {Type: mesos.ExecutorInfo_DEFAULT.Enum(), ExecutorId: executor.ExecutorId, Resources: res("cpus:0.1;mem:31.5;disk:1")},
	} {
		if err := TaskGroup(e, valid()); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func sharedVolume() *mesos.Resource {
	r := volumeOf("v")
	r.Shared = &mesos.Resource_SharedInfo{}
	return r
}

func TestLargeGroupsAreChecked(t *testing.T) {
	g := &mesos.TaskGroupInfo{}
	for i := range 5_000 {
		x := task1()
		x.TaskId.Value, x.Resources = ptr(fmt.Sprint("t", i)), res(fmt.Sprintf("cpus:1;ports:[%d-%d]", 2*i, 2*i))
		g.Tasks = append(g.Tasks, x)
	}
	e := &mesos.ExecutorInfo{Type: mesos.ExecutorInfo_DEFAULT.Enum(), ExecutorId: &mesos.ExecutorID{Value: ptr("e")}, Resources: res("cpus:0.1;mem:32;disk:32")}
	if err := TaskGroup(e, g); err != nil {
		t.Error(err)
	}
}

func FuzzTaskInfo(f *testing.F) {
	for _, seed := range []*mesos.TaskInfo{task1(), {}} {
		data, err := proto.MarshalOptions{AllowPartial: true}.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x := new(mesos.TaskInfo)
		if (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(data, x) != nil {
			return
		}
		if err := TaskInfo(x); err == nil && (x.Command == nil) == (x.Executor == nil) {
			t.Errorf("%v is valid", x)
		}
		_ = TaskGroup(x.GetExecutor(), &mesos.TaskGroupInfo{Tasks: []*mesos.TaskInfo{x}})
		_ = ExecutorInfo(x.GetExecutor())
	})
}
