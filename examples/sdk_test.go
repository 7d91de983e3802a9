package examples

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks"
	"troupe/frameworks/files"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

// pod launches one group of two tasks and follows it to its end.
type pod struct {
	frameworks.Base
	t        *testing.T
	launched bool
	states   map[string][]string
}

func (p *pod) Offers(d *frameworks.Driver, offers []*mesos.Offer) {
	if p.launched {
		d.Decline(offers, time.Hour)
		return
	}
	p.launched = true
	left, err := resources.New(offers[0].GetResources()...)
	if err != nil {
		p.t.Error(err)
	}
	take := func(what string) []*mesos.Resource {
		taken, rest, ok := left.Take(resources.MustParse(what))
		if !ok {
			p.t.Errorf("no %s in %s", what, left)
		}
		left = rest
		return taken.Proto()
	}
	task := func(id, command string) *mesos.TaskInfo {
		return &mesos.TaskInfo{
			Name: &id, TaskId: &mesos.TaskID{Value: &id}, Resources: take("cpus:0.1;mem:32"),
			Command: &mesos.CommandInfo{Value: &command},
		}
	}
	x := &mesos.ExecutorInfo{
		Type: mesos.ExecutorInfo_DEFAULT.Enum(), ExecutorId: &mesos.ExecutorID{Value: proto.String("pod")},
		FrameworkId: offers[0].GetFrameworkId(), Resources: take("cpus:0.1;mem:32;disk:1"),
	}
	d.LaunchGroup(offers[0], x, task("steady", "sleep 300"), task("weak", "sleep 0.2; exit 4"))
	d.Decline(offers[1:], 0)
}

func (p *pod) Update(d *frameworks.Driver, st *mesos.TaskStatus) bool {
	id := st.GetTaskId().GetValue()
	p.states[id] = append(p.states[id], strings.TrimPrefix(st.GetState().String(), "TASK_")+" "+st.GetMessage())
	over := 0
	for _, s := range p.states {
		name, _, _ := strings.Cut(s[len(s)-1], " ")
		if tasks.Terminal(mesos.TaskState(mesos.TaskState_value["TASK_"+name])) {
			over++
		}
	}
	if over == 2 {
		d.Teardown()
	}
	return true
}

func run(t *testing.T, o frameworks.Options, s frameworks.Scheduler) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return frameworks.Run(ctx, o, s)
}

func TestPodSharesItsFate(t *testing.T) {
	p := &pod{t: t, states: map[string][]string{}}
	if err := run(t, frameworks.Options{Master: cluster(t), Name: "pod"}, p); err != nil {
		t.Fatal(err, p.states)
	}
	want := map[string]string{
		"steady": "[STARTING  RUNNING  KILLING  KILLED Command terminated with signal Terminated]",
		"weak":   "[STARTING  RUNNING  FAILED Command exited with status 4]",
	}
	for id, states := range want {
		if got := fmt.Sprint(p.states[id]); got != states {
			t.Errorf("%s: %s, want %s", id, got, states)
		}
	}
}

func TestKillGivesTimeToSayGoodbye(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	var last frameworks.Progress
	list := frameworks.NewTasks(func(p frameworks.Progress) { last = p })
	list.Add(&frameworks.Task{
		ID: "polite", Grace: patience,
		Command: fmt.Sprintf("cd %s; trap 'touch goodbye; exit 0' TERM; touch ready; while :; do sleep 0.05; done", dir),
	})
	go func() {
		await(t, "the trap to be set", func() bool { return exists(filepath.Join(dir, "ready")) })
		list.Kill("polite")
		list.Close()
	}()
	if err := run(t, frameworks.Options{Master: cluster(t), Name: "kill"}, list); err != nil {
		t.Fatal(err)
	}
	if last.State != mesos.TaskState_TASK_KILLED || !exists(filepath.Join(dir, "goodbye")) {
		t.Errorf("ended as %s without a goodbye", last.State)
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// await polls until a condition holds. It may be called from any goroutine.
func await(t *testing.T, what string, holds func() bool) {
	late := time.NewTimer(patience)
	defer late.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late.C:
			t.Errorf("waited in vain for %s", what)
			return
		}
	}
}

// TestSchedulerThatReturnsFindsItsTask: the first life of the scheduler leaves
// a running task behind, the second is told of it.
func TestSchedulerThatReturnsFindsItsTask(t *testing.T) {
	o := frameworks.Options{
		Master: cluster(t), Name: "returning", FailoverTimeout: time.Hour,
		Store: frameworks.FileStore(filepath.Join(t.TempDir(), "id")),
	}
	life, die := context.WithCancelCause(t.Context())
	defer die(nil)
	died := fmt.Errorf("the first life is over")
	first := frameworks.NewTasks(func(p frameworks.Progress) {
		if p.State == mesos.TaskState_TASK_RUNNING {
			die(died)
		}
	})
	first.Add(&frameworks.Task{ID: "lasting", Command: "sleep 300"})
	if err := frameworks.Run(life, o, first); err != died {
		t.Fatal(err)
	}
	second := &finder{task: "lasting"}
	if err := run(t, o, second); err != nil {
		t.Fatal(err)
	}
	if !second.resumed || second.state != mesos.TaskState_TASK_RUNNING {
		t.Errorf("resumed %t, the task is %s", second.resumed, second.state)
	}
}

// finder leaves when it has heard of its task.
type finder struct {
	frameworks.Base
	task    string
	resumed bool
	state   mesos.TaskState
}

func (f *finder) Connected(d *frameworks.Driver, _ string, _ *mesos.MasterInfo, resumed bool) {
	f.resumed = resumed
	d.Watch(f.task, "")
}

func (f *finder) Update(d *frameworks.Driver, st *mesos.TaskStatus) bool {
	if st.GetTaskId().GetValue() == f.task && st.GetState() == mesos.TaskState_TASK_RUNNING {
		f.state = st.GetState()
		d.Teardown()
	}
	return true
}

// A framework brings its tasks what they need: a program and a folder, over HTTP.
func TestFilesReachTasks(t *testing.T) {
	server, err := files.Start(files.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	folder, out := t.TempDir(), t.TempDir()
	if err := os.Chmod(out, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "word"), []byte("brought"), 0o644); err != nil {
		t.Fatal(err)
	}
	program, err := server.Bytes("program", []byte("#!/bin/sh\ncat word > \"$1\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := server.Folder("data", folder)
	if err != nil {
		t.Fatal(err)
	}
	ends, err := frameworks.RunTasks(t.Context(), frameworks.Options{Master: cluster(t), Name: "files", HTTP: &frameworks.HTTP{}}, nil,
		&frameworks.Task{ID: "a", Command: fmt.Sprintf("%s && %s && ./program %s/result", program.Fetch(), data.Fetch(), out)})
	if err != nil || len(ends) != 1 || ends[0].Failure() != nil {
		t.Fatal(err, ends)
	}
	if got, err := os.ReadFile(filepath.Join(out, "result")); err != nil || string(got) != "brought" {
		t.Errorf("%q, %v", got, err)
	}
}
