package conformance

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// yard is where an operator has containers: in that of a task.
type yard struct {
	t *testing.T
	*mesosclient.Endpoint
	root *mesos.ContainerID
	ctx  context.Context // of every call: none may hang
}

// newYard launches a task.
func (f *framework) newYard(c *cluster) *yard {
	f.t.Helper()
	offer := f.offer()
	f.accept(offer, launch(shell(offer, "yard", "exec sleep 1000")))
	status := f.update("yard", mesos.TaskState_TASK_RUNNING)
	ctx, cancel := context.WithTimeout(f.t.Context(), processtest.Patience)
	f.t.Cleanup(cancel)
	return &yard{
		f.t, &mesosclient.Endpoint{Address: c.agent, Path: mesosclient.OperatorPath, Encoding: f.Encoding},
		status.GetContainerStatus().GetContainerId(), ctx,
	}
}

// nested is the id of a container below the task's.
func (y *yard) nested(name string) *mesos.ContainerID {
	return &mesos.ContainerID{Value: proto.String(name), Parent: y.root}
}

// says makes a call and checks its status.
func (y *yard) says(status int, call *agent.Call) *mesosclient.Answer {
	y.t.Helper()
	a, err := y.Call(y.ctx, call, nil)
	if refused := (*mesosclient.Refused)(nil); err != nil && !errors.As(err, &refused) {
		y.t.Fatal(err)
	}
	if a.Status != status {
		y.t.Errorf("%v: %s, want %d", call, a, status)
	}
	return a
}

func launchContainer(id *mesos.ContainerID, line string) *agent.Call {
	return &agent.Call{Type: agent.Call_LAUNCH_CONTAINER.Enum(), LaunchContainer: &agent.Call_LaunchContainer{
		ContainerId: id, Command: &mesos.CommandInfo{Value: proto.String(line)},
	}}
}

func waitContainer(id *mesos.ContainerID) *agent.Call {
	return &agent.Call{Type: agent.Call_WAIT_CONTAINER.Enum(), WaitContainer: &agent.Call_WaitContainer{ContainerId: id}}
}

func killContainer(id *mesos.ContainerID, signal int32) *agent.Call {
	return &agent.Call{Type: agent.Call_KILL_CONTAINER.Enum(), KillContainer: &agent.Call_KillContainer{ContainerId: id, Signal: &signal}}
}

func removeContainer(id *mesos.ContainerID) *agent.Call {
	return &agent.Call{Type: agent.Call_REMOVE_CONTAINER.Enum(), RemoveContainer: &agent.Call_RemoveContainer{ContainerId: id}}
}

func attachOutput(id *mesos.ContainerID) *agent.Call {
	return &agent.Call{Type: agent.Call_ATTACH_CONTAINER_OUTPUT.Enum(), AttachContainerOutput: &agent.Call_AttachContainerOutput{ContainerId: id}}
}

// ended waits for a container's end, and is what wait(2) gave.
func (y *yard) ended(id *mesos.ContainerID) int32 {
	y.t.Helper()
	r := &agent.Response{}
	if err := y.Ask(y.ctx, waitContainer(id), r); err != nil {
		y.t.Fatal(err)
	}
	return r.GetWaitContainer().GetExitStatus()
}

// Containers that operators launch below a task, or alone: launched, waited for,
// signalled and removed; and the answers to what cannot be.
func TestContainersOfOperators(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("yard"))
		y := f.newYard(c)
		for _, id := range []*mesos.ContainerID{y.nested("lasts"), {Value: proto.String("alone-" + f.FrameworkID)}} {
			y.says(http.StatusOK, launchContainer(id, "exec sleep 1000"))
			y.says(http.StatusAccepted, launchContainer(id, "exec sleep 1000"))
			y.says(http.StatusInternalServerError, removeContainer(id)) // it runs
			y.says(http.StatusOK, killContainer(id, 15))
			if status := y.ended(id); status != 15 {
				t.Errorf("a container that got SIGTERM: %d", status)
			}
			y.says(http.StatusOK, removeContainer(id))
			y.says(http.StatusOK, removeContainer(id))
			y.says(http.StatusNotFound, waitContainer(id))
			y.says(http.StatusNotFound, killContainer(id, 9))
			y.says(http.StatusNotFound, attachOutput(id))
			y.says(http.StatusOK, launchContainer(id, "exit 3")) // anew
			if status := y.ended(id); status != 3<<8 {
				t.Errorf("a container that exited with 3: %d", status)
			}
			y.says(http.StatusOK, removeContainer(id))
		}
		y.says(http.StatusBadRequest, launchContainer(y.nested("a/b"), "true"))
		y.says(http.StatusBadRequest, launchContainer(y.nested(strings.Repeat("x", 300)), "true"))
		y.says(http.StatusNotFound, waitContainer(&mesos.ContainerID{Value: proto.String("a"), Parent: &mesos.ContainerID{Value: proto.String("nobody")}}))
		y.olderCalls()
		f.say(kill("yard"))
		f.update("yard", mesos.TaskState_TASK_KILLED)
		f.teardown()
	})
}

// olderCalls makes the calls that Mesos had before containers could be alone.
func (y *yard) olderCalls() {
	y.t.Helper()
	id, signal := y.nested("older"), int32(15)
	y.says(http.StatusOK, &agent.Call{Type: agent.Call_LAUNCH_NESTED_CONTAINER.Enum(), LaunchNestedContainer: &agent.Call_LaunchNestedContainer{
		ContainerId: id, Command: &mesos.CommandInfo{Value: proto.String("exec sleep 1000")},
	}})
	y.says(http.StatusOK, &agent.Call{Type: agent.Call_KILL_NESTED_CONTAINER.Enum(), KillNestedContainer: &agent.Call_KillNestedContainer{
		ContainerId: id, Signal: &signal,
	}})
	r := &agent.Response{}
	if err := y.Ask(y.ctx, &agent.Call{Type: agent.Call_WAIT_NESTED_CONTAINER.Enum(), WaitNestedContainer: &agent.Call_WaitNestedContainer{
		ContainerId: id,
	}}, r); err != nil || r.GetWaitNestedContainer().GetExitStatus() != signal {
		y.t.Errorf("a nested container that got SIGTERM: %v, %v", err, r)
	}
	y.says(http.StatusOK, &agent.Call{Type: agent.Call_REMOVE_NESTED_CONTAINER.Enum(), RemoveNestedContainer: &agent.Call_RemoveNestedContainer{
		ContainerId: id,
	}})
	y.says(http.StatusNotFound, waitContainer(id))
}

// session runs a command for as long as its stream lasts.
func (y *yard) session(id *mesos.ContainerID, line string, container *mesos.ContainerInfo, headers map[string]string) *mesosclient.Stream {
	y.t.Helper()
	s, err := y.Open(y.ctx, &agent.Call{
		Type: agent.Call_LAUNCH_NESTED_CONTAINER_SESSION.Enum(), LaunchNestedContainerSession: &agent.Call_LaunchNestedContainerSession{
			ContainerId: id, Command: &mesos.CommandInfo{Value: proto.String(line)}, Container: container,
		},
	}, headers)
	if err != nil {
		y.t.Fatal(err)
	}
	return s
}

// output reads a stream to its end, as what was written to stdout and stderr.
func (y *yard) output(s *mesosclient.Stream) (out, errs string) {
	y.t.Helper()
	for {
		p := &agent.ProcessIO{}
		if err := s.Next(p); errors.Is(err, io.EOF) {
			return out, errs
		} else if err != nil {
			y.t.Fatalf("after %q and %q: %v", out, errs, err)
		}
		if d := p.GetData(); d.GetType() == agent.ProcessIO_Data_STDERR {
			errs += string(d.GetData())
		} else {
			out += string(d.GetData())
		}
	}
}

func input(data string) *agent.Call {
	return &agent.Call{Type: agent.Call_ATTACH_CONTAINER_INPUT.Enum(), AttachContainerInput: &agent.Call_AttachContainerInput{
		Type: agent.Call_AttachContainerInput_PROCESS_IO.Enum(), ProcessIo: &agent.ProcessIO{
			Type: agent.ProcessIO_DATA.Enum(), Data: &agent.ProcessIO_Data{Type: agent.ProcessIO_Data_STDIN.Enum(), Data: []byte(data)},
		},
	}}
}

// attach begins to give input to a container.
func (y *yard) attach(id *mesos.ContainerID) *mesosclient.Feed {
	y.t.Helper()
	feed := y.Feed(y.ctx)
	if err := feed.Send(&agent.Call{Type: agent.Call_ATTACH_CONTAINER_INPUT.Enum(), AttachContainerInput: &agent.Call_AttachContainerInput{
		Type: agent.Call_AttachContainerInput_CONTAINER_ID.Enum(), ContainerId: id,
	}}); err != nil {
		y.t.Fatal(err)
	}
	return feed
}

// A session takes input and gives output, to several who look, as records of
// either label; it ends with its command, or when nobody holds it any more.
func TestSessions(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("sessions"))
		y := f.newYard(c)
		labelled := map[string]string{"Accept": mesosclient.RecordIO, "Message-Accept": enc.MediaType()}
		s := y.session(y.nested("cat"), "cat; echo done >&2; exit 4", nil, labelled)
		other, err := y.Open(y.ctx, attachOutput(y.nested("cat")), nil)
		if err != nil {
			t.Fatal(err)
		}
		feed := y.attach(y.nested("cat"))
		for _, piece := range []string{"hello ", "\x00\xff", ""} {
			if err := feed.Send(input(piece)); err != nil {
				t.Fatal(err)
			}
		}
		if a, err := feed.End(); err != nil || a.Status != http.StatusOK {
			t.Errorf("the input's answer: %v, %v", a, err)
		}
		for i, stream := range []*mesosclient.Stream{s, other} {
			if out, errs := y.output(stream); out != "hello \x00\xff" || errs != "done\n" {
				t.Errorf("stream %d: %q and %q", i, out, errs)
			}
		}
		if status := y.ended(y.nested("cat")); status != 4<<8 {
			t.Errorf("the session's command: %d", status)
		}
		y.onATerminal()
		y.abandoned()
		f.say(kill("yard"))
		f.update("yard", mesos.TaskState_TASK_KILLED)
		f.teardown()
	})
}

// onATerminal has a session with a terminal of some size, which changes.
func (y *yard) onATerminal() {
	y.t.Helper()
	size := func(rows, columns uint32) *mesos.TTYInfo {
		return &mesos.TTYInfo{WindowSize: &mesos.TTYInfo_WindowSize{Rows: &rows, Columns: &columns}}
	}
	s := y.session(y.nested("tty"), "stty -echo; stty size; read line; stty size; echo got $line",
		&mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), TtyInfo: size(40, 100)}, nil)
	first := &agent.ProcessIO{}
	if err := s.Next(first); err != nil || !strings.HasPrefix(string(first.GetData().GetData()), "40 100") {
		y.t.Fatalf("%v, %v", first, err)
	}
	feed := y.attach(y.nested("tty"))
	resize := input("")
	resize.AttachContainerInput.ProcessIo = &agent.ProcessIO{
		Type: agent.ProcessIO_CONTROL.Enum(), Control: &agent.ProcessIO_Control{Type: agent.ProcessIO_Control_TTY_INFO.Enum(), TtyInfo: size(30, 90)},
	}
	for _, record := range []*agent.Call{resize, input("a line\n")} {
		if err := feed.Send(record); err != nil {
			y.t.Fatal(err)
		}
	}
	if out, errs := y.output(s); out != "30 90\r\ngot a line\r\n" || errs != "" {
		y.t.Errorf("on a terminal: %q and %q", out, errs)
	}
	if a, err := feed.End(); err != nil || a.Status != http.StatusOK {
		y.t.Errorf("the terminal's input: %v, %v", a, err)
	}
}

// abandoned has a session end with its client's connection.
func (y *yard) abandoned() {
	y.t.Helper()
	s := y.session(y.nested("abandoned"), "exec cat", nil, nil)
	first := y.attach(y.nested("abandoned"))
	if err := first.Send(input("x")); err != nil {
		y.t.Fatal(err)
	}
	if err := s.Next(&agent.ProcessIO{}); err != nil { // now it is known to be attached
		y.t.Fatal(err)
	}
	second := y.attach(y.nested("abandoned"))
	if a, err := second.Answer(); err != nil || a.Status != http.StatusConflict {
		y.t.Errorf("a second one who gives input: %v, %v", a, err)
	}
	if err := s.Close(); err != nil {
		y.t.Fatal(err)
	}
	if status := y.ended(y.nested("abandoned")); status != 9 {
		y.t.Errorf("a session whose client is gone: %d", status)
	}
	if a, err := first.End(); err == nil && a.Status != http.StatusOK {
		y.t.Errorf("the input of a session that is gone: %v", a)
	}
}
