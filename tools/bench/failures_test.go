package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/master"
	"troupe/master/registry"
	"troupe/master/state/view"
	"troupe/master/store"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state"
)

// TestReturningAgentsSayWhatTheyRun: an agent of a failover registers again by
// itself with all its tasks, and again after its link broke.
func TestReturningAgentsSayWhatTheyRun(t *testing.T) {
	s, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	messages := make(chan *cluster.ReregisterAgent, 100)
	_, err = s.Spawn(master.Name, actorFunc(func(c *actors.Context) {
		actors.Handle(c, func(_ *actors.Context, m *cluster.ReregisterAgent) { messages <- m })
		c.HandleAny(func(*actors.Context, proto.Message) {})
	}))
	if err != nil {
		t.Fatal(err)
	}
	all, err := makeAgents(3, 2, true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		for _, a := range all[1:] { // the first two share a hub
			if err := a.hub.transport.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if err := end(s); err != nil {
			t.Error(err)
		}
	}()
	if all[0].hub != all[1].hub || all[1].hub == all[2].hub {
		t.Error("two agents were to share a link")
	}
	for _, a := range all {
		a.post(state.MasterDetected{Master: state.Peer(master.Name + "@" + s.Address())})
	}
	came := make(map[string]bool)
	for len(came) < len(all) {
		select {
		case m := <-messages:
			came[m.GetAgent().GetId().GetValue()] = true
			checkReturn(t, m)
		case <-time.After(3 * time.Minute):
			t.Fatalf("only %v came", came)
		}
	}
}

func checkReturn(t *testing.T, m *cluster.ReregisterAgent) {
	t.Helper()
	if len(m.GetTasks()) != tasksPerAgent || len(m.GetFrameworks()) != failoverFrameworks {
		t.Errorf("%d tasks of %d frameworks", len(m.GetTasks()), len(m.GetFrameworks()))
	}
	for _, task := range m.GetTasks() {
		if task.GetState() != mesos.TaskState_TASK_RUNNING || len(task.GetStatuses()) != 1 {
			t.Errorf("task %v", task)
		}
	}
}

// TestRegistryOf: what a leader recovers is what was made for it.
func TestRegistryOf(t *testing.T) {
	dir, path, err := registryOf(t.Context(), 7)
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file, err := store.Open(path, "other")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := file.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	known, err := registry.New(records)
	if err != nil || known.Len() != 7+failoverFrameworks {
		t.Errorf("%d records, %v", known.Len(), err)
	}
	for i := range 7 {
		if known.Agent(agentID(i).GetValue()).GetAgent().GetHostname() != agentInfo(i).GetHostname() {
			t.Errorf("agent %d is not there", i)
		}
	}
}

type deaf struct{}

func (deaf) Publish(view.Event) {}

// TestMusterWaitsForAll: it tells once, and not before the last is there.
func TestMusterWaitsForAll(t *testing.T) {
	connected := view.AgentAdded{Agent: &view.Agent{Status: view.Connected}}
	framework := view.FrameworkChanged{Framework: &view.Framework{ID: "f", Connected: true}}
	events := []view.Event{
		view.AgentAdded{Agent: &view.Agent{Status: view.Recovered}},
		view.FrameworkAdded{Framework: &view.Framework{ID: "f"}},
		connected,
		view.TaskAdded{},
		framework, framework,
		view.TaskAdded{},
		connected,
	}
	m := &muster{
		Publisher: deaf{}, agents: 2, tasks: 2, frameworks: 1, begun: time.Now(),
		subscribed: make(map[view.FrameworkID]bool), all: make(chan time.Duration, 1),
	}
	for i, e := range events {
		if len(m.all) != 0 {
			t.Fatalf("all were known after %d of %d events", i, len(events))
		}
		m.Publish(e)
	}
	if _, err := m.await(); err != nil {
		t.Error(err)
	}
	m.Publish(view.AgentChanged{})
	if len(m.all) != 0 {
		t.Error("it told twice")
	}
}

// TestAgentsPerLink: no process needs more links than it may have files.
func TestAgentsPerLink(t *testing.T) {
	for _, agents := range []int{1, 5_000, 20_000, 50_000, 10_000_000} {
		per, err := agentsPerLink(agents)
		if err != nil {
			t.Fatal(err)
		}
		one, err := agentsPerLink(1)
		if err != nil || one != 1 {
			t.Fatalf("one agent: %d per link, %v", one, err)
		}
		if per < 1 || (agents+per-1)/per > 1<<20 {
			t.Errorf("%d agents: %d per link", agents, per)
		}
	}
}

func TestPeakOfThisProcess(t *testing.T) {
	peak, err := peakOf(os.Getpid())
	if err != nil || peak < 1<<20 {
		t.Errorf("%d bytes, %v", peak, err)
	}
	if _, err := peakOf(-1); err == nil {
		t.Error("a process that cannot be has a peak")
	}
}

// TestScaffold: where no test is, a failure is an error, and what was begun is
// ended in reverse.
func TestScaffold(t *testing.T) {
	s := &scaffold{dir: t.TempDir()}
	var order []int
	s.Cleanup(func() { order = append(order, 1) })
	s.Cleanup(func() { order = append(order, 2) })
	s.Helper()
	if dir := s.TempDir(); filepath.Dir(dir) != s.dir {
		t.Errorf("folder %s is not in %s", dir, s.dir)
	}
	if err := s.end(); err != nil || fmt.Sprint(order) != "[2 1]" {
		t.Errorf("%v, %v", order, err)
	}
	s.Cleanup(func() { s.Fatalf("no %s", "luck") })
	if err := s.end(); err == nil || err.Error() != "no luck" {
		t.Errorf("error %v", err)
	}
	s.Cleanup(func() { panic("a defect") })
	defer func() {
		if recover() != "a defect" {
			t.Error("a defect was taken for a failure")
		}
	}()
	_ = s.end()
}

func TestMedianAndLongest(t *testing.T) {
	times := []time.Duration{5, 1, 4, 2, 3}
	if median(times) != 3 || longest(times) != 5 {
		t.Errorf("median %v, longest %v", median(times), longest(times))
	}
	if least(0, 7) != 7 || least(5, 7) != 5 || least(9, 7) != 7 {
		t.Error("least is not the least")
	}
	if mean([]float64{1, 2, 6}) != 3 {
		t.Error("mean is not the mean")
	}
}

// TestRolesRefuseWrongArguments: each names what it takes.
func TestRolesRefuseWrongArguments(t *testing.T) {
	for name, args := range map[string][][]string{
		"leader":     {{}, {"f", "x", "1", "1"}},
		"returning":  {{}, {"x", "1", "true"}, {"1", "x", "true"}, {"1", "1", "x"}},
		"reregister": {{}, {"f", "1", "x", "1"}},
	} {
		for _, list := range args {
			var out bytes.Buffer
			if err := runChild(name, list, strings.NewReader(""), &out); err == nil || out.Len() > 0 {
				t.Errorf("%s %q: error %v, printed %q", name, list, err, out.String())
			}
		}
	}
}
