package frameworktest_test

import (
	"fmt"
	"time"

	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// A task that fails is launched again, after a while that doubles. A test passes
// its t where this example, which has none, passes Panics.
func Example() {
	stage := frameworktest.NewStage(frameworktest.Panics{})
	stage.Agent("S1", "cpus:4;mem:1024")
	tasks := frameworks.NewTasks(func(p frameworks.Progress) {
		fmt.Println(p.Task.ID, "attempt", p.Attempt, p.State)
	})
	stage.Run(frameworks.Options{}, tasks)
	tasks.Add(&frameworks.Task{ID: "job", Command: "make", Retries: 3, Backoff: 10 * time.Minute, BackoffMax: time.Hour})
	stage.Advance(0)

	stage.Update("job", mesos.TaskState_TASK_FAILED)
	stage.Advance(time.Minute)
	fmt.Println("a minute later:", stage.Live())
	waited := stage.Until("the next attempt", time.Hour, func() bool { return len(stage.Live()) > 0 })
	fmt.Println("it took more than another minute:", waited > time.Minute)
	// Output:
	// job attempt 1 TASK_RUNNING
	// job attempt 1 TASK_FAILED
	// a minute later: []
	// job attempt 2 TASK_RUNNING
	// it took more than another minute: true
}

// keeper keeps one task running, wherever there is room.
type keeper struct {
	frameworks.Base
	launched int
	runs     bool
}

func (k *keeper) Offers(d *frameworks.Driver, offers []*mesos.Offer) {
	for _, o := range offers {
		if k.runs {
			d.Decline([]*mesos.Offer{o}, time.Hour)
			continue
		}
		k.runs = true
		k.launched++
		id := fmt.Sprintf("web.%d", k.launched)
		d.Launch(o, &mesos.TaskInfo{
			Name: new("web"), TaskId: &mesos.TaskID{Value: &id}, Resources: o.GetResources(),
			Command: &mesos.CommandInfo{Value: new("serve")},
		})
	}
}

func (k *keeper) Update(d *frameworks.Driver, st *mesos.TaskStatus) bool {
	if st.GetState() == mesos.TaskState_TASK_UNREACHABLE {
		k.runs = false
		d.Revive()
	}
	return true
}

// An agent is lost, and the task begins anew elsewhere.
func ExampleStage_LoseAgent() {
	stage := frameworktest.NewStage(frameworktest.Panics{})
	stage.Agent("S1", "cpus:1;mem:64")
	stage.Run(frameworks.Options{}, &keeper{})
	stage.Agent("S2", "cpus:1;mem:64")
	stage.LoseAgent("S1")
	for _, id := range []string{"web.1", "web.2"} {
		fmt.Println(id, stage.Task(id).Agent(), stage.Task(id).State)
	}
	// Output:
	// web.1 S1 TASK_UNREACHABLE
	// web.2 S2 TASK_RUNNING
}

// A scheduler is killed, and the next one is the same framework: the task is
// asked for until its fate is known.
func ExampleStage_Crash() {
	stage := frameworktest.NewStage(frameworktest.Panics{})
	stage.Agent("S1", "cpus:1;mem:64")
	o := frameworks.Options{FailoverTimeout: 7 * 24 * time.Hour}
	stage.Run(o, &keeper{})
	stage.Crash()
	stage.Update("web.1", mesos.TaskState_TASK_FINISHED)
	stage.Advance(6 * 24 * time.Hour)

	stage.Run(o, &keeper{runs: true}).Watch("web.1", "S1")
	stage.Advance(time.Second)
	fmt.Println(stage.Framework().GetId().GetValue(), "subscribed:", stage.Subscribed())
	fmt.Println("asked for:", len(stage.Calls(scheduler.Call_RECONCILE)) > 0, "acknowledged:", stage.Task("web.1").Acknowledged())
	// Output:
	// F1 subscribed: true
	// asked for: true acknowledged: true
}

// A script says what happens to tasks by themselves.
func ExampleStage_Script() {
	stage := frameworktest.NewStage(frameworktest.Panics{})
	stage.Script(frameworktest.Ends(time.Hour, mesos.TaskState_TASK_FINISHED))
	stage.Agent("S1", "cpus:2;mem:64")
	tasks := frameworks.NewTasks(nil)
	stage.Run(frameworks.Options{}, tasks)
	for i := range 6 {
		tasks.Add(&frameworks.Task{ID: fmt.Sprint(i), Command: "x", Resources: "cpus:1"})
	}
	tasks.Close()
	began := stage.Now()
	stage.Until("the end", 24*time.Hour, func() bool { _, ended := stage.Ended(); return ended })
	fmt.Println("six hours of work on two processors:", stage.Now().Sub(began).Round(time.Hour))
	// Output:
	// six hours of work on two processors: 3h0m0s
}
