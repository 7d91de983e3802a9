package conformance

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// Every row of the error table of the calls about containers.
func TestRefusedContainerCalls(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("refused containers"))
		y := f.newYard(c)
		for _, prefix := range []string{"", "/slave(1)"} {
			refuse(t, c.agent, prefix+mesosclient.OperatorPath, enc, launches(t, enc, y))
		}
		y.refusedInput()
		f.say(kill("yard"))
		f.update("yard", mesos.TaskState_TASK_KILLED)
		f.teardown()
	})
}

// launches are those that cannot be, and calls about containers that are not there.
func launches(t *testing.T, enc mesosclient.Encoding, y *yard) []request {
	var all []request
	add := func(name string, status int, says string, call *agent.Call) {
		all = append(all, request{name: name, body: encoded(t, enc, call), status: status, says: says})
	}
	launch := func(id *mesos.ContainerID, change func(*agent.Call_LaunchContainer)) *agent.Call {
		call := launchContainer(id, "true")
		change(call.LaunchContainer)
		return call
	}
	alone := &mesos.ContainerID{Value: proto.String("alone")}
	twice := &mesos.ContainerID{Value: proto.String("b"), Parent: y.nested("a")}
	has := func(change func(*mesos.Resource)) func(*agent.Call_LaunchContainer) {
		return func(l *agent.Call_LaunchContainer) {
			l.Resources = []*mesos.Resource{scalar("cpus", 1)}
			change(l.Resources[0])
		}
	}
	add("no id", 400, "container_id", launch(nil, func(*agent.Call_LaunchContainer) {}))
	add("an empty id", 400, "container_id", launchContainer(&mesos.ContainerID{Value: proto.String("")}, "true"))
	add("a point", 400, "container_id", launchContainer(y.nested("a.b"), "true"))
	add("a space", 400, "container_id", launchContainer(y.nested("a b"), "true"))
	add("too long an id", 400, "242", launchContainer(&mesos.ContainerID{Value: proto.String(strings.Repeat("x", 243))}, "true"))
	add("no command", 400, "command", launch(alone, func(l *agent.Call_LaunchContainer) { l.Command = nil }))
	add("a volume", 400, "volumes", launch(alone, func(l *agent.Call_LaunchContainer) {
		l.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{{
			Mode: mesos.Volume_RW.Enum(), ContainerPath: proto.String("/a"), HostPath: proto.String("/b"),
		}}}
	}))
	add("negative resources", 400, "resources", launch(alone, has(func(r *mesos.Resource) { r.Scalar.Value = proto.Float64(-1) })))
	add("reserved resources, alone", 400, "unreserved", launch(alone, has(func(r *mesos.Resource) {
		r.Reservations = []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_STATIC.Enum(), Role: proto.String("a")}}
	})))
	add("revocable resources, alone", 400, "revocable", launch(alone, has(func(r *mesos.Resource) { r.Revocable = &mesos.Resource_RevocableInfo{} })))
	add("resources two levels below", 400, "second level", launch(twice, has(func(*mesos.Resource) {})))
	add("limits two levels below", 400, "second level", launch(twice, func(l *agent.Call_LaunchContainer) {
		l.Limits = map[string]*mesos.Value_Scalar{"cpus": {Value: proto.Float64(1)}}
	}))
	add("below nobody", 400, "parent|no container", launchContainer(twice, "true"))
	add("nested, and alone", 400, "parent", &agent.Call{
		Type: agent.Call_LAUNCH_NESTED_CONTAINER.Enum(), LaunchNestedContainer: &agent.Call_LaunchNestedContainer{
			ContainerId: alone, Command: &mesos.CommandInfo{Value: proto.String("true")},
		},
	})
	add("waiting for nobody, nested and alone", 400, "parent", &agent.Call{
		Type: agent.Call_WAIT_NESTED_CONTAINER.Enum(), WaitNestedContainer: &agent.Call_WaitNestedContainer{ContainerId: alone},
	})
	add("waiting for nobody", 404, "", waitContainer(y.nested("nobody")))
	add("killing nobody", 404, "", killContainer(y.nested("nobody"), 9))
	add("killing by no signal", 400, "signal", killContainer(y.root, 0))
	add("removing a task's", 500, "executor", removeContainer(y.root))
	add("reading nobody", 404, "cannot be found", attachOutput(y.nested("nobody")))
	return all
}

// refusedInput sends a session what it does not take; each ends the input, and
// nothing else.
func (y *yard) refusedInput() {
	y.t.Helper()
	id := y.nested("strict")
	s := y.session(id, "cat; exit 3", nil, nil)
	part := func(io *agent.ProcessIO) *agent.Call {
		call := input("")
		call.AttachContainerInput.ProcessIo = io
		return call
	}
	data := func(d *agent.ProcessIO_Data) *agent.Call {
		return part(&agent.ProcessIO{Type: agent.ProcessIO_DATA.Enum(), Data: d})
	}
	first := func(kind agent.Call_AttachContainerInput_Type) *agent.Call {
		return &agent.Call{Type: agent.Call_ATTACH_CONTAINER_INPUT.Enum(), AttachContainerInput: &agent.Call_AttachContainerInput{
			Type: kind.Enum(), ContainerId: id,
		}}
	}
	says := func(name, text string, records ...*agent.Call) {
		y.t.Helper()
		var a *mesosclient.Answer
		var err error
		processtest.Eventually(y.t, "nobody else has the input", func() bool {
			feed := y.Feed(y.ctx)
			for _, r := range records {
				if feed.Send(r) != nil {
					break // it is answered already
				}
			}
			a, err = feed.End()
			return err != nil || a.Status != http.StatusConflict
		})
		if err != nil || a.Status != http.StatusBadRequest || !strings.Contains(string(a.Body), text) {
			y.t.Errorf("%s: %v, %v; want %q", name, a, err, text)
		}
	}
	says("input first", "CONTAINER_ID", first(agent.Call_AttachContainerInput_PROCESS_IO))
	named := first(agent.Call_AttachContainerInput_CONTAINER_ID)
	says("the id twice", "PROCESS_IO", named, named)
	says("another call", "ATTACH_CONTAINER_INPUT", named, &agent.Call{Type: agent.Call_GET_HEALTH.Enum()})
	says("nothing", "process_io", named, part(nil))
	says("of no type", "process_io.type", named, part(&agent.ProcessIO{}))
	says("no data", "data", named, data(nil))
	says("output", "STDIN", named, data(&agent.ProcessIO_Data{Type: agent.ProcessIO_Data_STDERR.Enum(), Data: []byte("x")}))
	says("data without data", "data.data", named, data(&agent.ProcessIO_Data{Type: agent.ProcessIO_Data_STDIN.Enum()}))
	says("no control", "control", named, part(&agent.ProcessIO{Type: agent.ProcessIO_CONTROL.Enum()}))
	says("no size", "window_size", named, control(&agent.ProcessIO_Control{Type: agent.ProcessIO_Control_TTY_INFO.Enum(), TtyInfo: &mesos.TTYInfo{}}))
	says("no heartbeat", "heartbeat", named, control(&agent.ProcessIO_Control{Type: agent.ProcessIO_Control_HEARTBEAT.Enum()}))
	says("a size, and no terminal", "terminal", named, resize(1, 1))
	processtest.Eventually(y.t, "after all that it takes what can be", func() bool {
		feed := y.attach(id)
		for _, piece := range []string{"words", ""} {
			if feed.Send(input(piece)) != nil {
				break
			}
		}
		a, err := feed.End()
		if err != nil || a.Status != http.StatusOK && a.Status != http.StatusConflict {
			y.t.Fatalf("the input's answer: %v, %v", a, err)
		}
		return a.Status == http.StatusOK
	})
	if out, _ := y.output(s); out != "words" {
		y.t.Errorf("the session wrote %q", out)
	}
	if status := y.ended(id); status != 3<<8 {
		y.t.Errorf("the session's command: %d", status)
	}
	y.says(http.StatusOK, removeContainer(id))
}
