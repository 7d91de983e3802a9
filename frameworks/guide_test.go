package frameworks_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	"troupe/frameworks/store"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

// The framework of docs/writing-a-framework.md, whose code is from here.

// fleet keeps a number of copies of a command running.
type fleet struct {
	frameworks.Base
	command string
	want    int
	copies  map[string]string // the agent of each, by task id
	store   store.Store
}

var copyNeeds = resources.MustParse("cpus:0.5;mem:128")

// newFleet takes up what an earlier process has left.
func newFleet(ctx context.Context, command string, want int, kept store.Store) (*fleet, error) {
	f := &fleet{command: command, want: want, copies: map[string]string{}, store: kept}
	all, err := kept.Load(ctx)
	for id, agent := range all {
		f.copies[id] = string(agent)
	}
	return f, err
}

// Connected asks for what runs already.
func (f *fleet) Connected(d *frameworks.Driver, _ string, _ *mesos.MasterInfo, _ bool) {
	for id, agent := range f.copies {
		d.Watch(id, agent)
	}
}

func (f *fleet) Offers(d *frameworks.Driver, offers []*mesos.Offer) {
	for _, o := range offers {
		has, err := resources.New(o.GetResources()...)
		taken, _, fits := has.Take(copyNeeds)
		if err != nil || !fits || len(f.copies) >= f.want {
			d.Decline([]*mesos.Offer{o}, 10*time.Minute)
			continue
		}
		id, agent := "copy-"+rand.Text(), o.GetAgentId().GetValue()
		f.copies[id] = agent
		f.save(d, id, []byte(agent), func() {
			d.Launch(o, &mesos.TaskInfo{
				Name: &f.command, TaskId: &mesos.TaskID{Value: &id}, Resources: taken.Proto(),
				Command: &mesos.CommandInfo{Value: &f.command},
			})
		})
	}
}

// Update forgets a copy that has ended; the cluster forgets it after that.
func (f *fleet) Update(d *frameworks.Driver, st *mesos.TaskStatus) bool {
	id, state := st.GetTaskId().GetValue(), st.GetState()
	if !tasks.Terminal(state) && state != mesos.TaskState_TASK_UNKNOWN {
		return true
	}
	delete(f.copies, id)
	f.save(d, id, nil, func() {
		d.Acknowledge(st)
		d.Revive()
	})
	return false
}

// save writes, and does the rest when that is durable.
func (f *fleet) save(d *frameworks.Driver, id string, agent []byte, then func()) {
	d.Go(func(ctx context.Context) func() {
		err := f.store.Apply(ctx, map[string][]byte{id: agent})
		return func() {
			if err != nil {
				d.Log().Error("The fleet cannot be kept", zap.Error(err))
				d.Leave()
				return
			}
			then()
		}
	})
}

func TestFleet(t *testing.T) {
	stage := frameworktest.NewStage(t)
	kept := store.NewMemory()
	o := frameworks.Options{Name: "fleet", FailoverTimeout: 7 * 24 * time.Hour}
	run := func() {
		f, err := newFleet(t.Context(), "serve", 3, kept)
		if err != nil {
			t.Fatal(err)
		}
		stage.Run(o, f)
	}
	run()
	for _, agent := range []string{"S1", "S2", "S3", "S4"} {
		stage.Agent(agent, "cpus:1;mem:256")
	}
	if n := len(stage.Live()); n != 3 {
		t.Fatalf("%d copies", n)
	}
	// One dies while nobody looks, and another takes its place.
	first := stage.Live()[0]
	stage.Crash()
	stage.Update(first, mesos.TaskState_TASK_FAILED)
	stage.Advance(24 * time.Hour)
	run()
	stage.Until("three copies", time.Minute, func() bool { return len(stage.Live()) == 3 })
	if !stage.Task(first).Acknowledged() {
		t.Error("the end of the first is not acknowledged")
	}
	// One that was written down was never launched.
	stage.Crash()
	if err := kept.Apply(t.Context(), map[string][]byte{"ghost": []byte("S1"), stage.Live()[0]: nil}); err != nil {
		t.Fatal(err)
	}
	run()
	stage.Until("the ghost's successor", time.Hour, func() bool { return len(stage.Live()) == 4 })
}

// Every line of code in the guide is code that is compiled and run.
func TestTheGuideIsTrue(t *testing.T) {
	guide, err := os.ReadFile("../docs/writing-a-framework.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources []byte
	for _, name := range []string{"guide_test.go", "example_test.go", "../examples/hello/main.go", "frameworktest/example_test.go", "../examples/sdk_test.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, text...)
	}
	flat := func(text []byte) string { return string(bytes.Join(bytes.Fields(text), []byte(" "))) }
	all := flat(sources)
	blocks := strings.Split(string(guide), "```go\n")[1:]
	if len(blocks) < 5 {
		t.Errorf("%d pieces of code", len(blocks))
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		if !strings.Contains(all, flat([]byte(code))) {
			t.Errorf("not in the tests:\n%s", code)
		}
	}
}

// The same scheduler over HTTP: one option.
func ExampleHTTP() {
	o := frameworks.Options{
		Master: "zk://zk1.example.org:2181/mesos", Name: "fleet", Principal: "fleet",
		HTTP: &frameworks.HTTP{Secret: os.Getenv("FLEET_SECRET")},
	}
	fmt.Println(o.HTTP.JSON)
	// Output:
	// false
}

// A framework that comes back as itself, and a week later still finds its tasks.
func ExampleFileStore() {
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	o := frameworks.Options{
		Name: "fleet", FailoverTimeout: 7 * 24 * time.Hour, Store: frameworks.FileStore(dir + "/framework-id"),
	}
	stage := frameworktest.NewStage(frameworktest.Panics{})
	for range 2 {
		stage.Run(o, frameworks.Base{})
		fmt.Println(stage.Framework().GetId().GetValue())
		stage.Crash()
	}
	// Output:
	// F1
	// F1
}
