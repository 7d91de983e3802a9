package frameworks_test

import (
	"slices"
	"strings"
	"testing"

	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

func pair(id string) *frameworks.Gang {
	return &frameworks.Gang{ID: id, Members: []*frameworks.Task{
		{ID: id + "-a", Command: "true", Resources: "cpus:2"},
		{ID: id + "-b", Command: "true", Resources: "cpus:2"},
	}}
}

// finals are the ids and states of final reports, for whoever waits.
func finals() (report func(frameworks.Progress), next func(n int) []string) {
	ends := make(chan string, 99)
	report = func(p frameworks.Progress) {
		if p.Final {
			ends <- p.Task.ID + " " + strings.TrimPrefix(p.State.String(), "TASK_")
		}
	}
	return report, func(n int) []string {
		var all []string
		for range n {
			all = append(all, <-ends)
		}
		slices.Sort(all)
		return all
	}
}

// A gang waits for what it lacks while tasks use what it cannot.
func TestGangBesideTasks(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, nil)
		report, next := finals()
		tasks := frameworks.NewTasks(report)
		tasks.Add(&frameworks.Task{ID: "small", Command: "true", Resources: "cpus:1"})
		if err := tasks.AddGang(pair("g")); err != nil {
			t.Fatal(err)
		}
		ended := run(t, m, sys, frameworks.Options{}, tasks)
		m.Agent(t, "S1", "cpus:2")
		m.Agent(t, "S2", "cpus:1")
		if got := next(1); got[0] != "small FINISHED" {
			t.Error(got)
		}
		m.Await(t, "just the small one", func(all map[string]*frameworktest.Task) bool { return len(all) == 1 })
		m.Agent(t, "S3", "cpus:2")
		if got := next(2); !slices.Equal(got, []string{"g-a FINISHED", "g-b FINISHED"}) {
			t.Error(got)
		}
		m.AwaitCall(t, scheduler.Call_SUPPRESS, nil)
		tasks.Close()
		if err := wait(t, ended); err != nil {
			t.Error(err)
		}
	})
}

// One member fails: the other is killed, and with no retries left that is it.
func TestGangFailsTogether(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, func(*mesos.TaskInfo) []mesos.TaskState { return []mesos.TaskState{running} })
		report, next := finals()
		tasks := frameworks.NewTasks(report)
		if err := tasks.AddGang(pair("g")); err != nil {
			t.Fatal(err)
		}
		tasks.Close()
		ended := run(t, m, sys, frameworks.Options{}, tasks)
		m.Agent(t, "S1", "cpus:2")
		m.Rescind()
		m.Agent(t, "S2", "cpus:4")
		m.Await(t, "both", func(all map[string]*frameworktest.Task) bool { return len(all) == 2 })
		m.Update(t, "g-b", mesos.TaskState_TASK_FAILED)
		if got := next(2); !slices.Equal(got, []string{"g-a KILLED", "g-b FAILED"}) {
			t.Error(got)
		}
		if err := wait(t, ended); err != nil {
			t.Error(err)
		}
	})
}

func TestGangKilledByAMembersName(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, nil)
		report, next := finals()
		tasks := frameworks.NewTasks(report)
		if err := tasks.AddGang(pair("g")); err != nil {
			t.Fatal(err)
		}
		if err := tasks.AddGang(&frameworks.Gang{ID: "none"}); err == nil || !strings.Contains(err.Error(), `gang "none": members: 0`) {
			t.Error(err)
		}
		ended := run(t, m, sys, frameworks.Options{}, tasks)
		m.Agent(t, "S1", "cpus:2")
		m.Restart(t)
		tasks.Kill("g-b")
		if got := next(2); !slices.Equal(got, []string{"g-a KILLED", "g-b KILLED"}) {
			t.Error(got)
		}
		tasks.Close()
		if err := wait(t, ended); err != nil {
			t.Error(err)
		}
	})
}
