package cron_test

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
	"troupe/frameworks/cron"
	"troupe/frameworks/cron/board"
	"troupe/frameworks/cron/plan"
	"troupe/frameworks/frameworktest"
	"troupe/frameworks/store"
	"troupe/messages/mesos"
)

const (
	running     = mesos.TaskState_TASK_RUNNING
	finished    = mesos.TaskState_TASK_FINISHED
	failed      = mesos.TaskState_TASK_FAILED
	unreachable = mesos.TaskState_TASK_UNREACHABLE
)

// town is a master, a disk and a cron process, under a virtual clock.
type town struct {
	t        *testing.T
	network  *actortest.Network
	election *frameworktest.Election
	master   *frameworktest.Master
	disk     *store.Memory
	// lag is how long a write takes; nil: no time.
	lag     func() time.Duration
	masters int
	process
}

// process is one life of the framework.
type process struct {
	lives   int
	cron    *cron.Cron
	metrics *cron.Metrics
	board   *board.Board
	told    []plan.Notify
	stop    context.CancelFunc
	ended   chan error
}

// inTown runs a test in a town with one agent of four CPUs.
func inTown(t *testing.T, script func(*mesos.TaskInfo) []mesos.TaskState, test func(t *testing.T, w *town)) {
	synctest.Test(t, func(t *testing.T) {
		w := &town{t: t, election: frameworktest.NewElection(), disk: store.NewMemory()}
		w.network = actortest.NewNetwork(actortest.NetworkOptions{Seed: 1, Delay: time.Millisecond})
		w.master = frameworktest.New(t, w.system("m0:1"), script)
		w.master.Agent(t, "S1", "cpus:4;mem:4096;disk:4096")
		w.election.Lead(w.master)
		w.start(cron.Options{})
		defer w.end()
		actortest.Pass(time.Second)
		test(t, w)
	})
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

// start begins a life of the framework.
func (w *town) start(o cron.Options) {
	w.t.Helper()
	w.lives++
	w.board, w.told, w.ended = new(board.Board), nil, make(chan error, 1)
	o.Framework = frameworks.Options{Name: "cron", Detector: w.election, FailoverTimeout: time.Hour}
	o.Store, o.Publish = &slowDisk{w.disk, w.lag}, w.board.Publish
	w.metrics = cron.NewMetrics()
	o.Metrics = w.metrics
	o.Notify = func(n plan.Notify) { w.told = append(w.told, n) }
	c, err := cron.New(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.cron = c
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	sys, ended := w.system(w.address()), w.ended
	go func() { ended <- c.Run(ctx, sys) }()
}

// slowDisk takes its time.
type slowDisk struct {
	*store.Memory
	lag func() time.Duration
}

func (s *slowDisk) Apply(ctx context.Context, changes map[string][]byte) error {
	if s.lag != nil {
		<-time.After(s.lag())
	}
	return s.Memory.Apply(ctx, changes)
}

func (w *town) address() string { return fmt.Sprintf("c%d:1", w.lives) }

// end ends this life in order.
func (w *town) end() {
	w.t.Helper()
	w.stop()
	if err := <-w.ended; err != nil {
		w.t.Errorf("the framework ended with %v", err)
	}
}

// crash ends this life as SIGKILL does, and begins the next one.
func (w *town) crash() {
	w.t.Helper()
	w.network.Crash(w.address())
	w.disk = w.disk.Reopen()
	w.stop()
	if err := <-w.ended; err != nil && !strings.Contains(err.Error(), "closed") {
		w.t.Errorf("the framework ended with %v", err)
	}
	w.start(cron.Options{})
}

// moveMaster has another master lead, which knows as much.
func (w *town) moveMaster() {
	w.t.Helper()
	w.network.Crash(fmt.Sprintf("m%d:1", w.masters))
	w.masters++
	w.master = w.master.Successor(w.t, w.system(fmt.Sprintf("m%d:1", w.masters)))
	w.election.Lead(w.master)
}

// do asks for something that must succeed.
func (w *town) do(request func(number uint64) plan.Input) {
	w.t.Helper()
	if err := w.cron.Do(w.t.Context(), request); err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) put(j plan.Job) {
	w.t.Helper()
	w.do(func(n uint64) plan.Input { return plan.Put{Request: n, Job: j} })
}

// every is a job that runs so often from now on.
func every(name, period string) plan.Job {
	return plan.Job{
		Name: name, CPUs: 0.1, Mem: 16, Trigger: plan.Trigger{Schedule: "R/" + time.Now().Format(time.RFC3339) + "/" + period},
		Command: plan.Command{Text: "true"},
	}
}

// figure is a metric without labels.
func (w *town) figure(name string) float64 {
	w.t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(w.metrics)
	families, err := registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "troupe_cron_"+name {
			m := f.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	w.t.Fatalf("there is no figure %s", name)
	return 0
}

// tasks are those that the master knows, oldest first.
func (w *town) tasks() map[string]mesos.TaskState {
	all := map[string]mesos.TaskState{}
	w.master.Await(w.t, "nothing", func(tasks map[string]*frameworktest.Task) bool {
		for id, t := range tasks {
			all[id] = t.State
		}
		return true
	})
	return all
}

// history is how a job's attempts came out.
func (w *town) history(job string) string {
	v := w.board.Job(job)
	if v == nil {
		return "no such job"
	}
	var all []string
	for _, a := range v.State.History {
		all = append(all, string(a.Outcome))
	}
	for _, r := range v.Runs {
		all = append(all, string(r.Phase))
	}
	return strings.Join(all, " ")
}

func (w *town) occasions() string {
	var all []string
	for _, n := range w.told {
		all = append(all, string(n.Occasion))
	}
	return strings.Join(slices.Compact(all), ", ")
}

var errDisk = errors.New("the disk is full")
