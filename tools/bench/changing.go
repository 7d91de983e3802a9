package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/api"
	"troupe/master/state/view"
	"troupe/master/store"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

const (
	changingAgents = 100
	// Events before anybody listens: as many as the stream keeps, and more.
	changingBefore = 20_000
)

// changingRole is the process of a master that shows tasks which live and end, so
// many a minute. It prints its address.
func changingRole(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("changing takes a rate, not %q", args)
	}
	rate, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	v := api.NewView(view.Limits{})
	defer v.Close()
	s, err := lead(context.Background(), store.NewMemory("bench"), v)
	if err != nil {
		return err
	}
	if err := show(s, v); err != nil {
		return err
	}
	c := newChanges(v)
	for range changingBefore {
		c.one()
	}
	go c.run(rate)
	fmt.Fprintln(out, s.Address())
	return untilEOF(in) // the process ends with all that it has
}

// changes makes tasks that are added, start, run and finish.
type changes struct {
	view  *api.View
	has   resources.Resources
	count int
}

func newChanges(v *api.View) *changes {
	v.Publish(view.FrameworkAdded{Framework: &view.Framework{ID: "F", Info: frameworkInfo(0), Roles: []string{"*"}}})
	for i := range changingAgents {
		v.Publish(view.AgentAdded{Agent: &view.Agent{
			ID: view.AgentID(agentID(i).GetValue()), Status: view.Connected,
			Info: &mesos.AgentInfo{Id: agentID(i), Hostname: proto.String("hostname")},
		}})
	}
	return &changes{view: v, has: resources.MustParse("cpus:0.1;mem:5")}
}

// run makes so many tasks a minute, a tenth of a second's at a time.
func (c *changes) run(rate int) {
	begun := time.Now()
	done := 0
	for range time.Tick(100 * time.Millisecond) {
		for due := int(time.Since(begun).Minutes() * float64(rate)); done < due; done++ {
			c.one()
		}
	}
}

// one is the life of a task.
func (c *changes) one() {
	c.count++
	on := agentID(c.count % changingAgents)
	t := &view.Task{State: mesos.TaskState_TASK_STAGING, TaskSpec: &view.TaskSpec{
		ID: view.TaskID(fmt.Sprint("task-", c.count)), Name: "task", Framework: "F", Agent: view.AgentID(on.GetValue()), Role: "*",
		Resources: c.has,
	}}
	c.view.Publish(view.TaskAdded{Task: t})
	for _, state := range []mesos.TaskState{mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_FINISHED} {
		now := float64(time.Now().UnixMicro()) / 1e6
		next := &view.Task{TaskSpec: t.TaskSpec, State: state, Statuses: append(t.Statuses[:len(t.Statuses):len(t.Statuses)], view.Status{
			State: state, Source: mesos.TaskStatus_SOURCE_EXECUTOR, Reason: view.NoReason, Timestamp: now,
		})}
		c.view.Publish(view.TaskUpdated{Task: next, Before: t.State, Status: &mesos.TaskStatus{
			TaskId: &mesos.TaskID{Value: proto.String(string(t.ID))}, State: state.Enum(), AgentId: on,
			Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(), Timestamp: &now, Uuid: []byte("0123456789abcdef"),
		}})
		t = next
	}
	c.view.Publish(view.TaskRemoved{Task: t})
}
