package validate

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/mesos/executor"
)

func TestExecutorCall(t *testing.T) {
	valid := func() *executor.Call {
		return &executor.Call{
			Type: executor.Call_UPDATE.Enum(), ExecutorId: &mesos.ExecutorID{Value: ptr("X")}, FrameworkId: &mesos.FrameworkID{Value: ptr("F")},
			Update: &executor.Call_Update{Status: &mesos.TaskStatus{
				TaskId: &mesos.TaskID{Value: ptr("T")}, State: mesos.TaskState_TASK_RUNNING.Enum(),
				Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(), Uuid: []byte("0123456789abcdef"),
			}},
		}
	}
	run(t, valid, ExecutorCall, []check[*executor.Call]{
		{"valid", func(*executor.Call) {}, ""},
		{"its own id", func(c *executor.Call) { c.Update.Status.ExecutorId = c.ExecutorId }, ""},
		{"type", func(c *executor.Call) { c.Type = nil }, "type: must be set"},
		{"update", func(c *executor.Call) { c.Update = nil }, "update: must be set"},
		{"status", func(c *executor.Call) { c.Update.Status = nil }, "update.status: must be set"},
		{"task", func(c *executor.Call) { c.Update.Status.TaskId = nil }, "update.status.task_id: must be set"},
		{"uuid", func(c *executor.Call) { c.Update.Status.Uuid = []byte("x") }, `update.status.uuid: "x": must be of 16 bytes`},
		{"source", func(c *executor.Call) { c.Update.Status.Source = nil }, `update.status.source: "SOURCE_MASTER": must be SOURCE_EXECUTOR`},
		{"state", func(c *executor.Call) { c.Update.Status.State = mesos.TaskState_TASK_STAGING.Enum() }, `update.status.state: "TASK_STAGING": is not for executors to say`},
		{"executor", func(c *executor.Call) { c.Update.Status.ExecutorId = &mesos.ExecutorID{Value: ptr("Y")} }, `update.status.executor_id: "Y": must be the caller's, "X"`},
		{"subscribe", func(c *executor.Call) { c.Type = executor.Call_SUBSCRIBE.Enum() }, "subscribe: must be set"},
		{"message", func(c *executor.Call) { c.Type = executor.Call_MESSAGE.Enum() }, "message: must be set"},
		{"heartbeat", func(c *executor.Call) { c.Type = executor.Call_HEARTBEAT.Enum() }, ""},
	})
}

// below is the id of a container with parents, the outermost first.
func below(values ...string) *mesos.ContainerID {
	var id *mesos.ContainerID
	for _, v := range values {
		id = &mesos.ContainerID{Value: &v, Parent: id}
	}
	return id
}

func TestContainerCall(t *testing.T) {
	valid := func() *agent.Call {
		return &agent.Call{Type: agent.Call_LAUNCH_CONTAINER.Enum(), LaunchContainer: &agent.Call_LaunchContainer{
			ContainerId: below("r", "c"), Command: &mesos.CommandInfo{Value: ptr("true")},
			Container: &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), TtyInfo: &mesos.TTYInfo{}},
		}}
	}
	part := func(c *agent.Call) *agent.Call_LaunchContainer { return c.LaunchContainer }
	run(t, valid, func(c *agent.Call) error { _, err := ContainerCall(c); return err }, []check[*agent.Call]{
		{"valid", func(*agent.Call) {}, ""},
		{"no id", func(c *agent.Call) { part(c).ContainerId = nil }, "launch_container.container_id: must be set"},
		{"empty", func(c *agent.Call) { part(c).ContainerId = below("r", "") }, `launch_container.container_id: "": must not be empty`},
		{"slash in a parent", func(c *agent.Call) { part(c).ContainerId = below("r/x", "c") }, `launch_container.container_id: "r/x": must not contain '/'`},
		{"point", func(c *agent.Call) { part(c).ContainerId = below("a.b") }, `launch_container.container_id: "a.b": must not contain '.'`},
		{"longest", func(c *agent.Call) { part(c).ContainerId = below(strings.Repeat("r", 200), strings.Repeat("c", 41)) }, ""},
		{"other call", func(c *agent.Call) { c.Type = agent.Call_GET_HEALTH.Enum() }, `type: "GET_HEALTH": is not about a container`},
		{"no command", func(c *agent.Call) { part(c).Command = nil }, "launch_container.command.value: must be set"},
		{"volumes", func(c *agent.Call) {
			part(c).Container.Volumes = []*mesos.Volume{{ContainerPath: ptr("/x"), HostPath: ptr("/y")}}
		}, "launch_container.container.volumes: is not supported for such containers"},
		{"negative resources", func(c *agent.Call) { part(c).Resources = []*mesos.Resource{amount(-1)} }, "launch_container.resources[0].(cpus).scalar.value: -1: is negative"},
		{"resources below", func(c *agent.Call) { part(c).Resources = []*mesos.Resource{amount(1)} }, ""},
		{"resources two levels below", func(c *agent.Call) {
			part(c).ContainerId, part(c).Resources = below("r", "c", "d"), []*mesos.Resource{amount(1)}
		}, "launch_container.resources: cannot be given to a container at the second level or below"},
		{"limits two levels below", func(c *agent.Call) {
			part(c).ContainerId, part(c).Limits = below("r", "c", "d"), map[string]*mesos.Value_Scalar{"cpus": {Value: ptr(1.0)}}
		}, "launch_container.limits: cannot be given to a container at the second level or below"},
		{"resources alone", func(c *agent.Call) { part(c).ContainerId, part(c).Resources = below("c"), []*mesos.Resource{amount(1)} }, ""},
		{"reserved alone", func(c *agent.Call) {
			part(c).ContainerId, part(c).Resources = below("c"), []*mesos.Resource{amount(1)}
			part(c).Resources[0].Reservations = []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_STATIC.Enum(), Role: ptr("a")}}
		}, `launch_container.resources[0].reservations: "cpus": a container that stands alone has unreserved resources only`},
		{"revocable alone", func(c *agent.Call) {
			part(c).ContainerId, part(c).Resources = below("c"), []*mesos.Resource{amount(1)}
			part(c).Resources[0].Revocable = &mesos.Resource_RevocableInfo{}
		}, `launch_container.resources[0].revocable: "cpus": a container that stands alone has no revocable resources`},
		{"docker", func(c *agent.Call) {
			part(c).Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_DOCKER.Enum(), Docker: &mesos.ContainerInfo_DockerInfo{Image: ptr("x")}}
		}, "launch_container.container.type: is not supported for such containers"},
	})
	tooLong := valid()
	part(tooLong).ContainerId = below(strings.Repeat("r", 200), strings.Repeat("c", 42))
	if _, err := ContainerCall(tooLong); err == nil || !strings.Contains(err.Error(), "242") {
		t.Errorf("243 bytes: %v", err)
	}
}

func amount(cpus float64) *mesos.Resource {
	return &mesos.Resource{Name: ptr("cpus"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &cpus}}
}

func TestContainerInput(t *testing.T) {
	valid := func() *agent.Call {
		return &agent.Call{Type: agent.Call_ATTACH_CONTAINER_INPUT.Enum(), AttachContainerInput: &agent.Call_AttachContainerInput{
			Type: agent.Call_AttachContainerInput_PROCESS_IO.Enum(), ProcessIo: &agent.ProcessIO{
				Type: agent.ProcessIO_DATA.Enum(), Data: &agent.ProcessIO_Data{Type: agent.ProcessIO_Data_STDIN.Enum(), Data: []byte{}},
				Control: &agent.ProcessIO_Control{
					Type: agent.ProcessIO_Control_TTY_INFO.Enum(), TtyInfo: &mesos.TTYInfo{WindowSize: &mesos.TTYInfo_WindowSize{}},
					Heartbeat: &agent.ProcessIO_Control_Heartbeat{},
				},
			},
		}}
	}
	in := func(c *agent.Call) *agent.Call_AttachContainerInput { return c.AttachContainerInput }
	io := func(c *agent.Call) *agent.ProcessIO { return c.AttachContainerInput.ProcessIo }
	control := func(c *agent.Call) *agent.ProcessIO_Control {
		io(c).Type = agent.ProcessIO_CONTROL.Enum()
		return io(c).Control
	}
	const path = "attach_container_input.process_io"
	run(t, valid, ContainerInput, []check[*agent.Call]{
		{"data", func(*agent.Call) {}, ""},
		{"a size", func(c *agent.Call) { control(c) }, ""},
		{"a heartbeat", func(c *agent.Call) { control(c).Type = agent.ProcessIO_Control_HEARTBEAT.Enum() }, ""},
		{"another call", func(c *agent.Call) { c.Type = agent.Call_GET_HEALTH.Enum() }, `type: "GET_HEALTH": must be ATTACH_CONTAINER_INPUT, as that of the first record`},
		{"a first record again", func(c *agent.Call) { in(c).Type = agent.Call_AttachContainerInput_CONTAINER_ID.Enum() }, `attach_container_input.type: "CONTAINER_ID": must be PROCESS_IO after the first record`},
		{"nothing", func(c *agent.Call) { in(c).ProcessIo = nil }, path + ": must be set"},
		{"no type", func(c *agent.Call) { io(c).Type = nil }, path + `.type: "UNKNOWN": must be DATA or CONTROL`},
		{"no data", func(c *agent.Call) { io(c).Data = nil }, path + ".data: must be set"},
		{"output", func(c *agent.Call) { io(c).Data.Type = agent.ProcessIO_Data_STDOUT.Enum() }, path + `.data.type: "STDOUT": must be STDIN`},
		{"no data in the data", func(c *agent.Call) { io(c).Data.Data = nil }, path + ".data.data: must be set"},
		{"no control", func(c *agent.Call) { control(c); io(c).Control = nil }, path + ".control: must be set"},
		{"control of no type", func(c *agent.Call) { control(c).Type = nil }, path + `.control.type: "UNKNOWN": must be TTY_INFO or HEARTBEAT`},
		{"no size", func(c *agent.Call) { control(c).TtyInfo = nil }, path + ".control.tty_info: must be set"},
		{"no size in the size", func(c *agent.Call) { control(c).TtyInfo.WindowSize = nil }, path + ".control.tty_info.window_size: must be set"},
		{"no heartbeat", func(c *agent.Call) {
			control(c).Type = agent.ProcessIO_Control_HEARTBEAT.Enum()
			io(c).Control.Heartbeat = nil
		}, path + ".control.heartbeat: must be set"},
	})
}

func TestContainerCallsOfOlderForms(t *testing.T) {
	alone, nested := below("c"), below("r", "c")
	for _, id := range []*mesos.ContainerID{alone, nested} {
		for _, c := range []*agent.Call{
			{Type: agent.Call_WAIT_NESTED_CONTAINER.Enum(), WaitNestedContainer: &agent.Call_WaitNestedContainer{ContainerId: id}},
			{Type: agent.Call_KILL_NESTED_CONTAINER.Enum(), KillNestedContainer: &agent.Call_KillNestedContainer{ContainerId: id, Signal: proto.Int32(15)}},
			{Type: agent.Call_REMOVE_NESTED_CONTAINER.Enum(), RemoveNestedContainer: &agent.Call_RemoveNestedContainer{ContainerId: id}},
			{Type: agent.Call_LAUNCH_NESTED_CONTAINER_SESSION.Enum(), LaunchNestedContainerSession: &agent.Call_LaunchNestedContainerSession{ContainerId: id, Command: &mesos.CommandInfo{Value: ptr("x")}}},
		} {
			got, err := ContainerCall(c)
			if (err == nil) != (id == nested) || err == nil && ContainerKey(got) != "r.c" {
				t.Errorf("%v: %v, %v", c, got, err)
			}
			if !AboutContainer(c.GetType()) {
				t.Errorf("%v is not about a container", c.GetType())
			}
		}
	}
	for kind, want := range map[agent.Call_AttachContainerInput_Type]bool{
		agent.Call_AttachContainerInput_CONTAINER_ID: true, agent.Call_AttachContainerInput_PROCESS_IO: false, agent.Call_AttachContainerInput_UNKNOWN: false,
	} {
		_, err := ContainerCall(&agent.Call{
			Type: agent.Call_ATTACH_CONTAINER_INPUT.Enum(), AttachContainerInput: &agent.Call_AttachContainerInput{ContainerId: alone, Type: kind.Enum()},
		})
		if (err == nil) != want {
			t.Errorf("a first record of type %v: %v", kind, err)
		}
	}
	for signal, want := range map[int32]bool{-1: false, 0: false, 1: true, 64: true, 65: false} {
		_, err := ContainerCall(&agent.Call{Type: agent.Call_KILL_CONTAINER.Enum(), KillContainer: &agent.Call_KillContainer{ContainerId: alone, Signal: &signal}})
		if (err == nil) != want {
			t.Errorf("signal %d: %v", signal, err)
		}
	}
	if got := SignalOf(&agent.Call{KillContainer: &agent.Call_KillContainer{ContainerId: alone}}); got != 9 {
		t.Errorf("without one, signal %d", got)
	}
}

// FuzzContainerID: ids that are taken have keys of their own, that are paths of
// one part and of bounded length.
func FuzzContainerID(f *testing.F) {
	f.Add("r", "c")
	f.Add("a.b", "")
	f.Add("..", "x y")
	f.Fuzz(func(t *testing.T, root, child string) {
		id := below(root, child)
		if ContainerID("id", id) != nil {
			return
		}
		key := ContainerKey(id)
		if len(key) > MaxContainerID || strings.ContainsAny(key, "/\x00") || strings.Count(key, ".") != 1 {
			t.Errorf("the key is %q", key)
		}
	})
}
