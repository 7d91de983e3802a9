package conformance

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// tty asks for a terminal.
func tty(rows, columns uint32) *mesos.ContainerInfo {
	return &mesos.ContainerInfo{
		Type:    mesos.ContainerInfo_MESOS.Enum(),
		TtyInfo: &mesos.TTYInfo{WindowSize: &mesos.TTYInfo_WindowSize{Rows: &rows, Columns: &columns}},
	}
}

func control(c *agent.ProcessIO_Control) *agent.Call {
	call := input("")
	call.AttachContainerInput.ProcessIo = &agent.ProcessIO{Type: agent.ProcessIO_CONTROL.Enum(), Control: c}
	return call
}

func resize(rows, columns uint32) *agent.Call {
	return control(&agent.ProcessIO_Control{Type: agent.ProcessIO_Control_TTY_INFO.Enum(), TtyInfo: tty(rows, columns).GetTtyInfo()})
}

func beat() *agent.Call {
	return control(&agent.ProcessIO_Control{
		Type:      agent.ProcessIO_Control_HEARTBEAT.Enum(),
		Heartbeat: &agent.ProcessIO_Control_Heartbeat{Interval: &mesos.DurationInfo{Nanoseconds: proto.Int64(30e9)}},
	})
}

// watch reads what a container writes from now on.
func (y *yard) watch(id *mesos.ContainerID) *mesosclient.Stream {
	y.t.Helper()
	s, err := y.Open(y.ctx, attachOutput(id), nil)
	if err != nil {
		y.t.Fatal(err)
	}
	return s
}

// until reads a stream until it has said something, and is all that it has said.
func (y *yard) until(s *mesosclient.Stream, last string) string {
	y.t.Helper()
	var out string
	for !strings.Contains(out, last) {
		p := &agent.ProcessIO{}
		if err := s.Next(p); err != nil {
			y.t.Fatalf("after %q: %v", out, err)
		}
		out += string(p.GetData().GetData())
	}
	return out
}

// attachments launch a task as the whole of an executor's container, and as one
// of a group, and are the container that it is in.
var attachments = map[string]func(f *framework, task func(*mesos.Offer) *mesos.TaskInfo) *mesos.ContainerID{
	"command task": func(f *framework, task func(*mesos.Offer) *mesos.TaskInfo) *mesos.ContainerID {
		offer := f.offer()
		info := task(offer)
		f.accept(offer, launch(info))
		return f.update(info.GetTaskId().GetValue(), mesos.TaskState_TASK_RUNNING).GetContainerStatus().GetContainerId()
	},
	"task of a group": func(f *framework, task func(*mesos.Offer) *mesos.TaskInfo) *mesos.ContainerID {
		offer := f.offer()
		info := task(offer)
		f.accept(offer, &mesos.Offer_Operation{Type: mesos.Offer_Operation_LAUNCH_GROUP.Enum(), LaunchGroup: &mesos.Offer_Operation_LaunchGroup{
			Executor: &mesos.ExecutorInfo{
				Type: mesos.ExecutorInfo_DEFAULT.Enum(), FrameworkId: &mesos.FrameworkID{Value: &f.FrameworkID},
				ExecutorId: &mesos.ExecutorID{Value: proto.String("group of " + info.GetTaskId().GetValue())}, Resources: []*mesos.Resource{scalar("cpus", 0.1), scalar("mem", 32), scalar("disk", 8)},
			},
			TaskGroup: &mesos.TaskGroupInfo{Tasks: []*mesos.TaskInfo{info}},
		}})
		id := f.update(info.GetTaskId().GetValue(), mesos.TaskState_TASK_RUNNING).GetContainerStatus().GetContainerId()
		if id.Parent == nil {
			f.t.Errorf("the container of a group's task is %v", id)
		}
		return id
	},
}

func (c *cluster) yardOf(t *testing.T, enc mesosclient.Encoding) *yard {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), processtest.Patience)
	t.Cleanup(cancel)
	return &yard{t, &mesosclient.Endpoint{Address: c.agent, Path: mesosclient.OperatorPath, Encoding: enc}, nil, ctx}
}

// Tasks on a terminal: their output from when one is attached, their input, the
// size of the window, the end of input, and what is left in the sandbox.
func TestAttachToTasksOnATerminal(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("terminals"))
		for name, launched := range attachments {
			y := c.yardOf(t, enc)
			id := launched(f, func(offer *mesos.Offer) *mesos.TaskInfo {
				task := shell(offer, name, "echo unheard; stty -echo; read start; stty size; read go; stty size; cat; echo bye; exit 3")
				task.Container = tty(40, 100)
				return task
			})
			out, feed := y.watch(id), y.attach(id)
			send := func(records ...*agent.Call) {
				for _, record := range records {
					if err := feed.Send(record); err != nil {
						t.Fatal(err)
					}
				}
			}
			send(beat(), input("start\n"))
			seen := y.until(out, "40 100")
			send(resize(30, 90), input("go\n"))
			seen += y.until(out, "30 90")
			send(input("a line\n"))
			seen += y.until(out, "a line")
			if a, err := y.attach(id).Answer(); err != nil || a.Status != http.StatusConflict {
				t.Errorf("%s: a second one who gives input: %v, %v", name, a, err)
			}
			send(input("\x04")) // the end, on a terminal
			rest, errs := y.output(out)
			if seen += rest; !strings.HasSuffix(seen, "bye\r\n") || errs != "" {
				t.Errorf("%s: %q and %q", name, seen, errs)
			}
			if a, err := feed.End(); err != nil || a.Status != http.StatusOK {
				t.Errorf("%s: the input's answer: %v, %v", name, a, err)
			}
			if status := f.update(name, mesos.TaskState_TASK_FAILED); !strings.Contains(status.GetMessage(), "3") {
				t.Errorf("%s: %v", name, status)
			}
		}
		f.teardown()
	})
}

// Tasks without a terminal: their output and errors from when one is attached,
// for any number, and no input.
func TestAttachToTasksWithoutATerminal(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("files"))
		for name, launched := range attachments {
			y := c.yardOf(t, enc)
			gate := filepath.Join(t.TempDir(), "gate")
			id := launched(f, func(offer *mesos.Offer) *mesos.TaskInfo {
				return shell(offer, name, "echo unheard; while [ ! -e '"+gate+"' ]; do sleep 0.05; done; echo heard; echo error >&2")
			})
			one, other := y.watch(id), y.watch(id)
			if a, err := y.attach(id).Answer(); err != nil || a.Status != http.StatusBadRequest {
				t.Errorf("%s: input: %v, %v", name, a, err)
			}
			if err := os.WriteFile(gate, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, s := range []*mesosclient.Stream{one, other} {
				if out, errs := y.output(s); strings.TrimPrefix(out, "unheard\n") != "heard\n" || errs != "error\n" {
					t.Errorf("%s: %q and %q", name, out, errs)
				}
			}
			f.update(name, mesos.TaskState_TASK_FINISHED)
		}
		f.teardown()
	})
}

// One who gives input leaves and another comes at once, and one attaches when the
// agent has been killed and is back: the task notices neither.
func TestAttachAgain(t *testing.T) {
	c := newCluster(t)
	f := subscribe(t, c.master, mesosclient.Protobuf{}, describe("again"))
	id := attachments["command task"](f, func(offer *mesos.Offer) *mesos.TaskInfo {
		task := shell(offer, "echoing", "stty -echo; exec cat")
		task.Container = tty(1, 1)
		return task
	})
	for _, word := range []string{"one", "two"} {
		y := c.yardOf(t, mesosclient.Protobuf{})
		var out *mesosclient.Stream
		processtest.Eventually(t, "the agent lets somebody attach", func() (attached bool) {
			var err error
			out, err = y.Open(y.ctx, attachOutput(id), nil)
			return err == nil
		})
		feed := y.attach(id)
		if err := feed.Send(input(word + "\n")); err != nil {
			t.Fatal(err)
		}
		y.until(out, word)
		for _, next := range []string{"at once", "again", ""} {
			// Whoever has the answer finds the input free.
			if a, err := feed.End(); err != nil || a.Status != http.StatusOK {
				t.Fatalf("the input's answer: %v, %v", a, err)
			}
			if next == "" {
				break
			}
			feed = y.attach(id)
			if err := feed.Send(input(next + "\n")); err != nil {
				t.Fatal(err)
			}
			y.until(out, next)
		}
		if err := out.Close(); err != nil {
			t.Error(err)
		}
		c.restartAgent()
	}
	f.say(kill("echoing"))
	f.update("echoing", mesos.TaskState_TASK_KILLED)
	y := c.yardOf(t, mesosclient.Protobuf{})
	processtest.Eventually(t, "nothing is left to attach to", func() bool {
		a, err := y.Call(y.ctx, attachOutput(id), nil)
		return errors.As(err, new(*mesosclient.Refused)) && a.Status == http.StatusNotFound
	})
	f.teardown()
}
