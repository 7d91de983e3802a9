package frameworks_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/actortest"
	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	words "troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// town is a network of systems under a virtual clock.
type town struct {
	t       *testing.T
	network *actortest.Network
}

func newTown(t *testing.T) *town {
	return &town{t, actortest.NewNetwork(actortest.NetworkOptions{Seed: 1, Delay: time.Millisecond})}
}

func (w *town) system(address string) *actors.System {
	w.t.Helper()
	sys, err := actors.New(w.network.Join(address, actors.Options{}))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := sys.Close(context.Background()); err != nil {
			w.t.Error(err)
		}
	})
	return sys
}

// start starts a scheduler that looks for its master.
func (w *town) start(e *frameworktest.Election, o frameworks.Options, s frameworks.Scheduler) <-chan error {
	w.t.Helper()
	o.Name, o.Detector = "test", e
	ended := make(chan error, 1)
	if _, err := frameworks.Start(w.system("scheduler:0"), actors.PID{}, o, s, func(err error) { ended <- err }); err != nil {
		w.t.Fatal(err)
	}
	return ended
}

// careful launches one task on each offer, and acknowledges an update when the
// test says that it is durable.
type careful struct {
	frameworks.Base
	driver    *frameworks.Driver
	launches  int
	news      []*mesos.TaskStatus
	connected []string // leader by leader
	lost      int
	at        time.Time // of the last subscription
}

func (c *careful) Connected(d *frameworks.Driver, _ string, _ *mesos.MasterInfo, resumed bool) {
	c.driver, c.at = d, time.Now()
	c.connected = append(c.connected, fmt.Sprint(resumed))
}

func (c *careful) Disconnected(*frameworks.Driver, string) { c.lost++ }

func (c *careful) Offers(d *frameworks.Driver, offers []*mesos.Offer) {
	for _, o := range offers {
		c.launches++
		id := fmt.Sprint("T", c.launches)
		d.Launch(o, &mesos.TaskInfo{
			Name: &id, TaskId: &mesos.TaskID{Value: &id}, Resources: o.GetResources(), Command: &mesos.CommandInfo{Value: proto.String("true")},
		})
	}
}

func (c *careful) Update(_ *frameworks.Driver, st *mesos.TaskStatus) bool {
	c.news = append(c.news, st)
	return false
}

// states are the news of one task.
func (c *careful) states(task string) string {
	var all []string
	for _, st := range c.news {
		if st.GetTaskId().GetValue() == task {
			all = append(all, st.GetState().String())
		}
	}
	return strings.Join(all, " ")
}

// staysRunning is a script of tasks that do not end by themselves.
func staysRunning(*mesos.TaskInfo) []mesos.TaskState { return []mesos.TaskState{running} }

// When the master is lost and another one leads, the scheduler is with it within
// a second, with its id, and hears of each task what it had not acknowledged.
func TestSchedulerFollowsTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		election := frameworktest.NewElection()
		first := frameworktest.New(t, w.system("m1:1"), staysRunning)
		first.Agent(t, "S1", "cpus:1")
		first.Agent(t, "S2", "cpus:1")
		s := new(careful)
		w.start(election, frameworks.Options{FailoverTimeout: time.Hour}, s)
		actortest.Pass(time.Minute)
		if len(s.connected) != 0 {
			t.Fatal("connected to nobody")
		}
		election.Lead(first)
		actortest.Pass(time.Second)
		if s.states("T1") != "TASK_RUNNING" || s.states("T2") != "TASK_RUNNING" {
			t.Fatalf("news: %v", s.news)
		}
		s.driver.Acknowledge(s.news[0])
		actortest.Pass(time.Second)

		w.network.Crash("m1:1")
		election.Nobody()
		actortest.Pass(10 * time.Second)
		if s.lost != 1 {
			t.Errorf("told %d times that the master is lost", s.lost)
		}
		second := first.Successor(t, w.system("m2:1"))
		second.Update(t, "T1", finished) // while nobody led
		elected := time.Now()
		election.Lead(second)
		actortest.Pass(2 * time.Second)
		if took := s.at.Sub(elected); took < 0 || took > time.Second {
			t.Errorf("it took %s to turn to the new leader", took)
		}
		if !slices.Equal(s.connected, []string{"false", "true"}) {
			t.Errorf("connected %v", s.connected)
		}
		sub := second.AwaitCall(t, scheduler.Call_SUBSCRIBE, nil).GetSubscribe().GetFrameworkInfo()
		if sub.GetId().GetValue() != "F1" || sub.GetFailoverTimeout() != 3600 {
			t.Errorf("subscribed as %v", sub)
		}
		if got := s.states("T1"); got != "TASK_RUNNING TASK_FINISHED" && got != "TASK_RUNNING TASK_FINISHED TASK_FINISHED" {
			t.Errorf("T1: %s", got)
		}
		// What T2 said first is still with the author, who is not told twice.
		if got := s.states("T2"); got != "TASK_RUNNING" {
			t.Errorf("T2: %s", got)
		}
		second.AwaitCall(t, scheduler.Call_RECONCILE, func(c *scheduler.Call) bool { return len(c.GetReconcile().GetTasks()) == 0 })
		second.AwaitCall(t, scheduler.Call_RECONCILE, func(c *scheduler.Call) bool { return len(c.GetReconcile().GetTasks()) == 2 })
		s.driver.Leave()
		actortest.Pass(time.Second)
	})
}

// A master that leads anew at its old address is subscribed to within a second,
// however long it was away.
func TestMasterThatReturnsIsFoundAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		election := frameworktest.NewElection()
		m := frameworktest.New(t, w.system("m1:1"), staysRunning)
		election.Lead(m)
		s := new(careful)
		w.start(election, frameworks.Options{}, s)
		actortest.Pass(time.Second)
		w.network.Crash("m1:1")
		actortest.Pass(time.Hour)
		again := m.Successor(t, w.system("m1:1"))
		elected := time.Now()
		election.Lead(again)
		actortest.Pass(2 * time.Second)
		if took := s.at.Sub(elected); took < 0 || took > time.Second {
			t.Errorf("it took %s", took)
		}
		s.driver.Leave()
		actortest.Pass(time.Second)
	})
}

// A link that breaks, and a master that says that it does not lead, are doubted;
// the first says where to look.
func TestLeadersAreDoubted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		election := frameworktest.NewElection()
		sys := w.system("m1:1")
		standby := actortest.NewProbe(t, sys, "master")
		m2 := frameworktest.InfoOf(actors.PID{Name: "master", Address: "m2:1"}, 1)
		election.Lead(&frameworktest.Master{PID: sys.PID("master")})
		s := new(careful)
		w.start(election, frameworks.Options{}, s)
		_, from := actortest.Expect[*scheduler.Call](standby, time.Minute)
		stranger := actortest.NewProbe(t, w.system("m3:1"), "master")
		stranger.Send(from, &words.NotLeading{})
		actortest.Pass(time.Second)
		if d := election.Doubts(); len(d) != 0 {
			t.Errorf("a stranger raised doubts: %v", d)
		}
		standby.Send(from, &words.NotLeading{Leader: m2})
		actortest.Pass(100 * time.Millisecond)
		standby.Send(from, &words.NotLeading{})
		actortest.Pass(100 * time.Millisecond)
		w.network.Crash("m1:1")
		actortest.Pass(100 * time.Millisecond)
		want := []frameworktest.Doubt{{Leader: "m1:1", Hint: "m2:1"}, {Leader: "m1:1"}, {Leader: "m1:1"}}
		if got := election.Doubts(); !slices.Equal(got, want) {
			t.Errorf("doubts %v, want %v", got, want)
		}
	})
}

// A second scheduler with the stored id takes the framework over: it hears of
// what the first has not acknowledged, and the first is told why it ends.
func TestSecondSchedulerTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		election := frameworktest.NewElection()
		m := frameworktest.New(t, w.system("m1:1"), staysRunning)
		m.Agent(t, "S1", "cpus:1")
		election.Lead(m)
		o := frameworks.Options{FailoverTimeout: time.Hour, Store: frameworks.FileStore(filepath.Join(t.TempDir(), "id"))}
		old, next := new(careful), new(careful)
		oldEnd := w.start(election, o, old)
		actortest.Pass(time.Second)
		if old.states("T1") != "TASK_RUNNING" {
			t.Fatalf("news: %v", old.news)
		}
		nextEnd := w.start(election, o, next)
		actortest.Pass(time.Second)
		select {
		case err := <-oldEnd:
			if !errors.Is(err, frameworks.ErrReplaced) || errors.Is(err, frameworks.ErrRemoved) {
				t.Errorf("the first ended with %v", err)
			}
		default:
			t.Error("the first goes on")
		}
		if next.states("T1") != "TASK_RUNNING" || !slices.Equal(next.connected, []string{"true"}) {
			t.Errorf("the second: %v, %v", next.connected, next.news)
		}
		old.driver.Acknowledge(old.news[0]) // too late
		next.driver.Acknowledge(next.news[0])
		m.AwaitCall(t, scheduler.Call_ACKNOWLEDGE, nil)
		next.driver.Teardown()
		actortest.Pass(time.Second)
		if err := <-nextEnd; err != nil {
			t.Errorf("the second ended with %v", err)
		}
		// The framework is no more: the next life is another one.
		if id, err := o.Store.Load(); id != "" || err != nil {
			t.Errorf("after the teardown %q is stored, %v", id, err)
		}
	})
}

// Who comes back with the id of a framework that was removed is told so.
func TestRemovedFrameworkDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		election := frameworktest.NewElection()
		m := frameworktest.New(t, w.system("m1:1"), nil)
		election.Lead(m)
		store := frameworks.FileStore(filepath.Join(t.TempDir(), "id"))
		s := new(careful)
		w.start(election, frameworks.Options{Store: store}, s)
		actortest.Pass(time.Second)
		s.driver.Teardown()
		actortest.Pass(time.Second)
		if err := store.Save("F1"); err != nil { // as after a crash that the teardown outlived
			t.Fatal(err)
		}
		ended := w.start(election, frameworks.Options{Store: store}, new(careful))
		actortest.Pass(time.Second)
		if err := <-ended; !errors.Is(err, frameworks.ErrRemoved) {
			t.Errorf("ended with %v", err)
		}
	})
}

// An update is the agent's until what the author makes of it is durable: a
// scheduler that is killed before is told again in its next life.
func TestNothingIsAcknowledgedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		election := frameworktest.NewElection()
		m := frameworktest.New(t, w.system("m1:1"), staysRunning)
		m.Agent(t, "S1", "cpus:1")
		election.Lead(m)
		o := frameworks.Options{FailoverTimeout: time.Hour, Store: frameworks.FileStore(filepath.Join(t.TempDir(), "id"))}
		first := new(careful)
		w.start(election, o, first)
		actortest.Pass(time.Second)
		w.network.Crash("scheduler:0")
		m.Update(t, "T1", finished)
		actortest.Pass(time.Minute)
		second := new(careful)
		w.start(election, o, second)
		actortest.Pass(time.Second)
		if got := second.states("T1"); got != "TASK_RUNNING" && got != "TASK_RUNNING TASK_FINISHED" {
			t.Fatalf("the second life was told %q", got)
		}
		for acknowledged := 0; acknowledged < len(second.news); acknowledged++ {
			if second.news[acknowledged].GetUuid() != nil {
				second.driver.Acknowledge(second.news[acknowledged])
			}
			actortest.Pass(time.Second)
		}
		if got := second.states("T1"); !strings.HasSuffix(got, "TASK_FINISHED") {
			t.Errorf("the second life was told %q", got)
		}
		second.driver.Leave()
		actortest.Pass(time.Second)
	})
}

func TestSearchThatFailsEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		for want, spoil := range map[string]func(*frameworktest.Election){
			"wrong password":   func(e *frameworktest.Election) { e.Fail(errors.New("wrong password")) },
			"patience is over": func(*frameworktest.Election) {},
		} {
			election := frameworktest.NewElection()
			ended := w.start(election, frameworks.Options{Patience: time.Minute, Master: "zk://me:secret@z:1/m"}, new(careful))
			spoil(election)
			actortest.Pass(time.Hour)
			err := <-ended
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("ended with %v, want %q", err, want)
			}
		}
		if _, err := frameworks.Start(w.system("scheduler:0"), actors.PID{}, frameworks.Options{Name: "x"}, new(careful), func(error) {}); err == nil {
			t.Error("a framework without a master starts")
		}
	})
}
