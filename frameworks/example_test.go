package frameworks_test

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	"troupe/messages/mesos"
)

// quiet stands in for testing.T where there is none.
type quiet struct{ frameworktest.TB }

func (quiet) Helper()           {}
func (quiet) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// cluster is a master in name only; its tasks finish at once.
func cluster() (master string, end func()) {
	sys, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		panic(err)
	}
	m := frameworktest.New(quiet{}, sys, nil)
	m.Agent(quiet{}, "S1", "cpus:4;mem:1024;ports:[31000-31999]")
	return sys.Address(), func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := sys.Close(ctx); err != nil {
			panic(err)
		}
	}
}

// The shortest framework: tasks in, results out.
func ExampleRunTasks() {
	master, end := cluster()
	defer end()
	ends, err := frameworks.RunTasks(context.Background(), frameworks.Options{Master: master, Name: "example"}, nil,
		&frameworks.Task{ID: "a", Command: "echo one", Resources: "cpus:1;mem:64"},
		&frameworks.Task{ID: "b", Command: "echo two", Retries: 3, Backoff: time.Second})
	if err != nil {
		fmt.Println(err)
	}
	for _, p := range ends {
		fmt.Println(p.Task.ID, p.State, p.Failure())
	}
	// Output:
	// a TASK_FINISHED <nil>
	// b TASK_FINISHED <nil>
}

// A framework that may be given work while it runs, and is closed when there
// is no more.
func ExampleTasks() {
	master, end := cluster()
	defer end()
	var tasks *frameworks.Tasks
	tasks = frameworks.NewTasks(func(p frameworks.Progress) {
		fmt.Println(p.Task.ID, p.State)
		if p.Final && p.Task.ID == "first" {
			tasks.Add(&frameworks.Task{ID: "second", Command: "echo after the first"})
			tasks.Close()
		}
	})
	tasks.Add(&frameworks.Task{ID: "first", Command: "echo first"})
	if err := frameworks.Run(context.Background(), frameworks.Options{Master: master, Name: "example"}, tasks); err != nil {
		fmt.Println(err)
	}
	// Output:
	// first TASK_RUNNING
	// first TASK_FINISHED
	// second TASK_RUNNING
	// second TASK_FINISHED
}

// Tasks that are of use only together: none is launched before there is room
// for all, each finds the others' hosts in its environment, and none is left
// alone.
func ExampleTasks_AddGang() {
	master, end := cluster()
	defer end()
	tasks := frameworks.NewTasks(func(p frameworks.Progress) {
		if p.Final {
			fmt.Println(p.Task.ID, p.State)
		}
	})
	ranks := &frameworks.Gang{ID: "solver", Hold: time.Minute, Retries: 3}
	for i := range 3 {
		ranks.Members = append(ranks.Members, &frameworks.Task{
			ID: fmt.Sprintf("rank-%d", i), Command: `solve --rank=$GANG_RANK --of=$GANG_SIZE --hosts=$GANG_HOSTS --ports=$GANG_PORTS`,
			Resources: "cpus:1;mem:64", Ports: 1, Constraints: [][]string{{"hostname", "LIKE", "host-.*"}, {"hostname", "MAX_PER", "4"}},
		})
	}
	if err := tasks.AddGang(ranks); err != nil {
		fmt.Println(err)
	}
	tasks.Close()
	if err := frameworks.Run(context.Background(), frameworks.Options{Master: master, Name: "example"}, tasks); err != nil {
		fmt.Println(err)
	}
	// Output:
	// rank-0 TASK_FINISHED
	// rank-1 TASK_FINISHED
	// rank-2 TASK_FINISHED
}

// Tasks of which no two run on one host.
func ExampleTask_constraints() {
	master, end := cluster()
	defer end()
	alone := [][]string{{"hostname", "UNIQUE"}}
	ends, err := frameworks.RunTasks(context.Background(), frameworks.Options{Master: master, Name: "example"}, nil,
		&frameworks.Task{ID: "a", Command: "probe", Constraints: alone},
		&frameworks.Task{ID: "b", Command: "probe", Constraints: [][]string{{"hostname", "NEAR", "a"}}})
	if err != nil {
		fmt.Println(err)
	}
	for _, p := range ends {
		fmt.Println(p.Task.ID, p.State, p.Failure())
	}
	// Unordered output:
	// a TASK_FINISHED <nil>
	// b TASK_ERROR task "b": constraints[0][1]: "NEAR": must be one of UNIQUE, CLUSTER, GROUP_BY, LIKE, UNLIKE, MAX_PER, IS
}

// one launches a single task on whatever is offered first.
type one struct {
	frameworks.Base
	launched bool
}

func (s *one) Offers(d *frameworks.Driver, offers []*mesos.Offer) {
	if s.launched {
		d.Decline(offers, time.Hour)
		return
	}
	s.launched = true
	d.Launch(offers[0], &mesos.TaskInfo{
		Name: proto.String("one"), TaskId: &mesos.TaskID{Value: proto.String("one")},
		Resources: offers[0].GetResources(), Command: &mesos.CommandInfo{Value: proto.String("echo one")},
	})
	d.Decline(offers[1:], 0)
}

func (s *one) Update(d *frameworks.Driver, st *mesos.TaskStatus) bool {
	fmt.Println(st.GetTaskId().GetValue(), st.GetState())
	if st.GetState() == mesos.TaskState_TASK_FINISHED {
		d.Teardown()
	}
	return true
}

// A Scheduler of one's own sees offers and updates as they are.
func ExampleRun() {
	master, end := cluster()
	defer end()
	if err := frameworks.Run(context.Background(), frameworks.Options{Master: master, Name: "example"}, &one{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// one TASK_RUNNING
	// one TASK_FINISHED
}
