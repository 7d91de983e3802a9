package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/master"
	"troupe/master/api"
	"troupe/master/state/view"
	"troupe/master/store"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// changeEvery is how often the state that is shown changes.
const changeEvery = 10 * time.Millisecond

// showingRole is the process of a master with its HTTP face, and of agents that
// brought what they run, whose frameworks have as many completed tasks. The state
// changes all the time. Arguments: the file of the registry, the agents, the
// frameworks on each, and the tasks of each of those. It prints its address.
func showingRole(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 4 {
		return fmt.Errorf("showing takes a file, agents, frameworks and tasks, not %q", args)
	}
	var agents, frameworks, tasks int
	if err := numbers(args[1:], &agents, &frameworks, &tasks); err != nil {
		return err
	}
	file, err := store.Open(args[0], "bench")
	if err != nil {
		return err
	}
	v := api.NewView(view.Limits{CompletedTasks: math.MaxInt32})
	defer v.Close()
	s, err := lead(context.Background(), file, v)
	if err != nil {
		return err
	}
	if err := show(s, v); err != nil {
		return err
	}
	register, err := spawnSenders(s, agents, frameworks, tasks)
	if err != nil {
		return err
	}
	register()
	complete(v, agents, frameworks, tasks)
	go change(v)
	fmt.Fprintln(out, s.Address())
	return untilEOF(in) // the process ends with all that it has
}

// show mounts the face of a master.
func show(s *actors.System, v *api.View) error {
	host, port, err := net.SplitHostPort(s.Address())
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	info := api.Info{
		Version: "1", Started: time.Now(), Elected: time.Now(), MasterID: uuid.NewString(), Hostname: host, Port: number,
		PID: "master@" + s.Address(), Master: &mesos.MasterInfo{
			Id: proto.String("m"), Ip: proto.Uint32(0), Port: proto.Uint32(uint32(number)), Hostname: &host,
		},
	}
	api.Mount(s, v, info)
	api.MountOperator(s, v, info, func(ctx context.Context, request proto.Message) (proto.Message, error) {
		return s.Ask(ctx, s.PID(master.Name), request)
	})
	return nil
}

// complete shows as many tasks that ended as agents brought.
func complete(v *api.View, agents, frameworks, tasks int) {
	has := resources.MustParse("cpus:0.1;mem:5")
	for f := range frameworks {
		id := view.FrameworkID(frameworkInfo(f).GetId().GetValue())
		live := agents * tasks
		for i := range live {
			on := agentID(i % agents)
			t := runningTask(on, nil, fmt.Sprintf("done-%d-%d", f, i))
			shown := &view.Task{State: mesos.TaskState_TASK_FINISHED, TaskSpec: &view.TaskSpec{
				ID: view.TaskID(t.GetTaskId().GetValue()), Name: t.GetName(), Framework: id, Agent: view.AgentID(on.GetValue()),
				Role: "*", Resources: has, Extra: &view.TaskExtra{Labels: t.GetLabels()},
			}}
			v.Publish(view.TaskAdded{Task: shown})
			v.Publish(view.TaskRemoved{Task: shown, Rank: live})
		}
	}
}

// change shows an agent anew, again and again.
func change(v *api.View) {
	agent := v.Snapshot().Agents[0]
	for range time.Tick(changeEvery) {
		v.Publish(view.AgentChanged{Agent: agent})
	}
}
