package service_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"troupe/actors"
	"troupe/actors/actortest"
	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	"troupe/frameworks/loop"
	"troupe/frameworks/service"
	"troupe/frameworks/service/board"
	"troupe/frameworks/service/state"
	"troupe/frameworks/store"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// town is a master, and lives of a service, on a network under a virtual clock.
type town struct {
	t        *testing.T
	network  *actortest.Network
	election *frameworktest.Election
	master   *frameworktest.Master
	store    *store.Memory
}

func newTown(t *testing.T) *town {
	w := &town{
		t: t, network: actortest.NewNetwork(actortest.NetworkOptions{Seed: 1, Delay: time.Millisecond}),
		election: frameworktest.NewElection(), store: store.NewMemory(),
	}
	w.master = frameworktest.New(t, w.system("m1:1"), func(*mesos.TaskInfo) []mesos.TaskState {
		return []mesos.TaskState{mesos.TaskState_TASK_RUNNING}
	})
	w.election.Lead(w.master)
	return w
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

// life is one process of a service.
type life struct {
	*service.Service
	machine *little
	board   *board.Board
	events  []state.Event
	prober  *prober
	metrics *service.Metrics
	cancel  context.CancelFunc
	ended   chan error
}

// prober finds every instance healthy, at once.
type prober struct {
	report func(state.Input)
	probes []string
}

func (p *prober) Start(e state.StartProbes) {
	p.probes = append(p.probes, "start "+e.Instance.Task)
	p.report(state.Probed{Task: e.Instance.Task, Result: state.HealthResult{Healthy: true}})
}

func (p *prober) Stop(e state.StopProbes) { p.probes = append(p.probes, "stop "+e.Task) }

// live begins a life, with a store of its own.
func (w *town) live(s loop.Content) *life {
	w.t.Helper()
	return w.liveQuietly(s, nil)
}

// liveQuietly begins a life that asks quiet before it ends tasks.
func (w *town) liveQuietly(s loop.Content, quiet func(ctx context.Context, task string) error) *life {
	w.t.Helper()
	l := &life{machine: newLittle(), board: board.New(), metrics: service.NewMetrics(), ended: make(chan error, 1)}
	var err error
	l.Service, err = service.New(w.t.Context(), service.Options{
		Framework: frameworks.Options{Name: "test", Detector: w.election, FailoverTimeout: time.Hour},
		Store:     s, Machine: l.machine, Board: l.board, Metrics: l.metrics, Quiet: quiet,
		Prober: func(report func(state.Input)) service.Prober { l.prober = &prober{report: report}; return l.prober },
		Events: func(e state.Event) { l.events = append(l.events, e) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	sys := w.system("service:0")
	go func() { l.ended <- l.Run(ctx, sys) }()
	actortest.Pass(2 * time.Second)
	return l
}

func (l *life) end(t *testing.T) {
	t.Helper()
	l.cancel()
	if err := <-l.ended; err != nil {
		t.Errorf("the service ended with %v", err)
	}
}

// more asks for one more task.
func (l *life) more(t *testing.T) {
	t.Helper()
	a, err := l.Do(t.Context(), func(n uint64) state.Input { return state.ResetDelay{Request: n} })
	if err != nil || a.Deployment != "d1" {
		t.Errorf("answer %+v, %v", a, err)
	}
	actortest.Pass(10 * time.Second)
}

// What is asked for runs, is acknowledged when it is durable, shown, told and
// checked; the end of the process ends nothing, and the next one goes on.
func TestAServiceLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		w.master.Agent(t, "S1", "cpus:1")
		l := w.live(w.store)
		if err := l.Settled(t.Context()); err != nil {
			t.Error(err)
		}
		if st := l.Status(); !st.Connected || st.Framework == "" {
			t.Errorf("status %+v", st)
		}
		framework := l.Status().Framework
		l.more(t)
		w.master.Await(t, "acknowledgement", func(tasks map[string]*frameworktest.Task) bool { return tasks["t1"] != nil })
		w.master.AwaitCall(t, scheduler.Call_ACKNOWLEDGE, nil)
		w.master.AwaitCall(t, scheduler.Call_ACCEPT, func(c *scheduler.Call) bool {
			f := c.GetAccept().GetFilters() // what is left is offered again at once
			return f != nil && f.RefuseSeconds != nil && f.GetRefuseSeconds() == 0
		})
		view := l.board.App("/a")
		if view == nil || len(view.Instances) != 1 || view.Instances[0].State != mesos.TaskState_TASK_RUNNING {
			t.Fatalf("view %+v; heard %v", view, l.machine.heard)
		}
		if len(l.events) != 1 || l.events[0].Occasion != state.StatusSeen {
			t.Errorf("events %+v", l.events)
		}
		if !slices.Equal(l.prober.probes, []string{"start t1"}) || len(l.machine.probed) != 1 {
			t.Errorf("probes %v, results %v", l.prober.probes, l.machine.probed)
		}
		actortest.Pass(2 * time.Minute)
		if l.machine.rang.IsZero() {
			t.Error("the timer did not fire")
		}
		if l.Kept() != nil {
			t.Errorf("kept before anything was: %q", l.Kept())
		}
		if err := l.Keep(t.Context(), []byte("callbacks")); err != nil {
			t.Error(err)
		}
		l.end(t)

		next := w.live(w.store.Reopen())
		if next.Status().Framework != framework || next.machine.loaded != 2 || string(next.Kept()) != "callbacks" {
			t.Errorf("the next life: %+v, %d records", next.Status(), next.machine.loaded)
		}
		actortest.Pass(time.Minute)
		if next.machine.tasks["t1"] != mesos.TaskState_TASK_RUNNING { // which it was told when it asked
			t.Errorf("tasks %v, heard %v", next.machine.tasks, next.machine.heard)
		}
		if _, err := next.Do(t.Context(), func(n uint64) state.Input { return state.KillTasks{Request: n, Tasks: []string{"t1"}} }); err != nil {
			t.Error(err)
		}
		w.master.AwaitCall(t, scheduler.Call_KILL, func(c *scheduler.Call) bool {
			return c.GetKill().GetKillPolicy().GetGracePeriod().GetNanoseconds() == 1 // no grace at all
		})
		actortest.Pass(time.Second)
		if next.board.App("/a") != nil || !slices.Contains(next.prober.probes, "stop t1") {
			t.Errorf("after its end: %v, probes %v", next.board.App("/a"), next.prober.probes)
		}
		next.end(t)
	})
}

// A task is ended when nobody uses it any more, or has for too long; once, however
// often that is asked for.
func TestTasksAreEndedQuietly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		w.master.Agent(t, "S1", "cpus:1")
		w.master.Agent(t, "S2", "cpus:1")
		unused := make(chan struct{})
		asked := map[string]int{}
		l := w.liveQuietly(w.store, func(ctx context.Context, task string) error {
			asked[task]++
			if task == "t2" {
				<-ctx.Done()
				return ctx.Err()
			}
			<-unused
			return nil
		})
		l.more(t)
		l.more(t)
		for range 3 {
			if _, err := l.Do(t.Context(), func(n uint64) state.Input { return state.KillTasks{Request: n, Tasks: []string{"t1"}} }); err != nil {
				t.Error(err)
			}
		}
		actortest.Pass(5 * time.Second)
		if got := l.machine.state("t1"); got != mesos.TaskState_TASK_RUNNING {
			t.Errorf("it was ended while in use: %v", got)
		}
		close(unused)
		actortest.Pass(time.Second)
		if got := l.machine.state("t1"); got != mesos.TaskState_TASK_KILLED || asked["t1"] != 1 {
			t.Errorf("it is %v; asked %v", got, asked)
		}
		if _, err := l.Do(t.Context(), func(n uint64) state.Input { return state.KillTasks{Request: n, Tasks: []string{"t2"}} }); err != nil {
			t.Error(err)
		}
		actortest.Pass(9 * time.Second)
		if got := l.machine.state("t2"); got != mesos.TaskState_TASK_RUNNING {
			t.Errorf("after 9 s: %v", got)
		}
		actortest.Pass(2 * time.Second)
		if got := l.machine.state("t2"); got != mesos.TaskState_TASK_KILLED {
			t.Errorf("after 11 s: %v", got)
		}
		// What is waited for when the process ends is left to the next one.
		l.more(t)
		l.end(t)
	})
}

// Offers that nobody needs are declined, for as long as the machine says; what the
// cluster tells reaches it.
func TestWhatTheClusterTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		l := w.live(w.store)
		l.more(t)
		w.master.Agent(t, "S1", "cpus:1")
		actortest.Pass(time.Second)
		w.master.Agent(t, "S2", "cpus:1")
		w.master.AwaitCall(t, scheduler.Call_DECLINE, func(c *scheduler.Call) bool {
			return c.GetDecline().GetFilters().GetRefuseSeconds() == time.Hour.Seconds()
		})
		w.master.LoseAgent(t, "S2")
		actortest.Pass(time.Second)
		if l.machine.lost == "" {
			t.Errorf("nothing of the lost agent: %v", l.machine.heard)
		}
		w.master.Restart(t)
		actortest.Pass(time.Minute)
		if n := strings.Count(fmt.Sprint(l.machine.heard), "state.Connected"); n != 2 || !slices.Contains(l.machine.heard, "state.Disconnected") {
			t.Errorf("%d connections; heard %v", n, l.machine.heard)
		}
		l.end(t)
	})
}

// What cannot be written ends the service; nobody who asked is told that it was.
func TestAStoreThatFailsEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		l := w.live(w.store)
		full := errors.New("disk full")
		w.store.FailWith(full)
		if _, err := l.Do(t.Context(), func(n uint64) state.Input { return state.ResetDelay{Request: n} }); !errors.Is(err, loop.ErrEnded) {
			t.Errorf("answer: %v", err)
		}
		if err := <-l.ended; !errors.Is(err, full) {
			t.Errorf("the service ended with %v", err)
		}
	})
}

// A framework that the master has removed ends; the next life is a new one, with
// the same state.
func TestARemovedFrameworkBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		l := w.live(w.store)
		framework := l.Status().Framework
		l.more(t)
		w.master.Fail("Framework has been removed")
		if err := <-l.ended; !errors.Is(err, frameworks.ErrRemoved) || !strings.Contains(err.Error(), `framework "test"`) {
			t.Errorf("the service ended with %v", err)
		}
		next := w.live(w.store.Reopen())
		if id := next.Status().Framework; id == framework || id == "" || next.machine.loaded == 0 {
			t.Errorf("the next life is %q after %q, %d records", id, framework, next.machine.loaded)
		}
		next.end(t)
	})
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := service.NewMetrics()
		registry := prometheus.NewPedanticRegistry()
		if err := registry.Register(m); err != nil {
			t.Fatal(err)
		}
		if got := figure(t, registry, "troupe_service_tasks_launched_total"); got != 0 {
			t.Errorf("without a service: %v", got)
		}
		w := newTown(t)
		w.master.Agent(t, "S1", "cpus:1")
		l := w.live(w.store)
		l.more(t)
		all := prometheus.NewPedanticRegistry()
		if err := all.Register(l.metrics); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]float64{
			"troupe_service_apps": 1, "troupe_service_instances": 1, "troupe_service_connected": 1, "troupe_service_tasks_launched_total": 1,
		} {
			if got := figure(t, all, name); got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
		l.end(t)
	})
}

func figure(t *testing.T, from *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Fatalf("no figure %s", name)
	return 0
}
