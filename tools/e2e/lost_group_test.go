package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

// group launches tasks that share a fate, once, and passes on what it is told.
type group struct {
	frameworks.Base
	t        *testing.T
	scripts  map[string]string
	launched bool
	heard    map[string]bool // updates, which are repeated until they are acknowledged
	news     chan *mesos.TaskStatus
}

func (g *group) Offers(d *frameworks.Driver, offers []*mesos.Offer) {
	if g.launched {
		d.Decline(offers, time.Hour)
		return
	}
	g.launched = true
	left, err := resources.New(offers[0].GetResources()...)
	if err != nil {
		g.t.Error(err)
	}
	take := func(what string) []*mesos.Resource {
		taken, rest, ok := left.Take(resources.MustParse(what))
		if !ok {
			g.t.Errorf("no %s in %s", what, left)
		}
		left = rest
		return taken.Proto()
	}
	x := &mesos.ExecutorInfo{
		Type: mesos.ExecutorInfo_DEFAULT.Enum(), ExecutorId: &mesos.ExecutorID{Value: proto.String("group")},
		FrameworkId: offers[0].GetFrameworkId(), Resources: take("cpus:0.1;mem:32;disk:1"),
	}
	var list []*mesos.TaskInfo
	for id, script := range g.scripts {
		list = append(list, &mesos.TaskInfo{
			Name: &id, TaskId: &mesos.TaskID{Value: &id}, Resources: take("cpus:0.1;mem:32"),
			Command: &mesos.CommandInfo{Value: &script},
		})
	}
	d.LaunchGroup(offers[0], x, list...)
	d.Decline(offers[1:], 0)
}

func (g *group) Update(_ *frameworks.Driver, st *mesos.TaskStatus) bool {
	if id := string(st.GetUuid()); !g.heard[id] {
		g.heard[id] = true
		g.news <- st
	}
	return true
}

// told waits until a state has been told of so many tasks.
func (g *group) told(state mesos.TaskState, count int) {
	g.t.Helper()
	for seen := map[string]bool{}; len(seen) < count; {
		if st := next(g.t, state.String(), g.news); st.GetState() == state {
			seen[st.GetTaskId().GetValue()] = true
		} else if tasks.Terminal(st.GetState()) {
			g.t.Fatalf("before all are %s: %v", state, st)
		}
	}
}

// runGroup has a framework of its own run a group until the test ends.
func (i *grouped) runGroup(scripts map[string]string) *group {
	g := &group{t: i.t, scripts: scripts, heard: map[string]bool{}, news: make(chan *mesos.TaskStatus, 99)}
	o := frameworks.Options{Master: fmt.Sprintf("127.0.0.1:%d", i.masterPort), Name: "groups"}
	ended := make(chan error, 1)
	go func() { ended <- frameworks.Run(i.t.Context(), o, g) }()
	i.t.Cleanup(func() { <-ended })
	return g
}

// recorded is how many ends of tasks of groups inits have recorded.
func (i *grouped) recorded() (count int) {
	files, err := filepath.Glob(filepath.Join(i.dir, "agent", "meta", "exits", "*.tasks", "*"))
	if err != nil {
		i.t.Fatal(err)
	}
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil && regexp.MustCompile(`^\d+\n$`).Match(text) {
			count++
		}
	}
	return count
}

// TestEndsOfAGroupThatOnlyTheInitsKnow: tasks of a group end, of which one has told
// before, while their host cannot tell, and it dies. Each is told of once, and by
// how it ended; who had not is told that its executor is gone.
func TestEndsOfAGroupThatOnlyTheInitsKnow(t *testing.T) {
	for _, both := range []bool{false, true} {
		t.Run(fmt.Sprintf("agent too %t", both), func(t *testing.T) {
			w := newWorld(t)
			i := w.grouped()
			ready, early := filepath.Join(w.dir, "go"), filepath.Join(w.dir, "early")
			await := func(file string) string { return fmt.Sprintf("until [ -e %s ]; do sleep 0.01; done; ", file) }
			g := i.runGroup(map[string]string{
				"early": await(early) + "exit 0", "good": await(ready) + "exit 0", "bad": await(ready) + "exit 7", "on": "exec sleep 1000",
			})
			g.told(mesos.TaskState_TASK_RUNNING, 4)
			touch(t, early)
			if st := next(t, "the first end", g.news); st.GetTaskId().GetValue() != "early" || st.GetState() != mesos.TaskState_TASK_FINISHED {
				t.Fatalf("who ended first: %v", st)
			}
			eventually(t, "the record of what is told is gone", func() bool { return i.recorded() == 0 })
			for _, h := range i.hosts() {
				if err := syscall.Kill(h.PID, syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
			}
			touch(t, ready)
			eventually(t, "the inits have recorded the ends", func() bool { return i.recorded() == 2 })
			if both {
				i.agent.kill()
			}
			i.killHosts()
			if both {
				i.begin()
			}
			g.ends(map[string]string{
				"good": "TASK_FINISHED.*exited with status 0", "bad": "TASK_FAILED.*exited with status 7",
				"on": "TASK_FAILED.*REASON_EXECUTOR_(TERMINATED|REREGISTRATION_TIMEOUT)|TASK_(LOST|GONE)",
			})
			i.clean()
			select {
			case st := <-g.news:
				t.Errorf("told after the end: %v", st)
			default:
			}
			i.end()
		})
	}
}

// ends waits for the end of tasks, and of no other.
func (g *group) ends(want map[string]string) {
	g.t.Helper()
	for len(want) > 0 {
		st := next(g.t, "an end", g.news)
		got := fmt.Sprintf("%s %s %s", st.GetState(), st.GetReason(), st.GetMessage())
		pattern, known := want[st.GetTaskId().GetValue()]
		if !known {
			g.t.Fatalf("told of %v; still wanted: %v", st, want)
		}
		if !regexp.MustCompile(pattern).MatchString(got) {
			g.t.Errorf("%s: %s; want %s", st.GetTaskId().GetValue(), got, pattern)
		}
		delete(want, st.GetTaskId().GetValue())
	}
}
