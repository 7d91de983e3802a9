package cron_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/frameworks/cron"
	"troupe/frameworks/cron/board"
	"troupe/frameworks/cron/plan"
	"troupe/frameworks/frameworktest"
	"troupe/frameworks/store"
	"troupe/messages/mesos"
)

// manyJobs are on the disk when a benchmark begins.
const manyJobs = 100_000

// BenchmarkLaunchDelay has 100,000 jobs in a file, each of which runs every 100 s,
// a thousand a second. An operation is a run, from when it was due to when its
// task reaches the master. The figures: the median and the 99th and 99.9th of a
// hundred delays, in ms.
func BenchmarkLaunchDelay(b *testing.B) {
	due := func(now time.Time, i int) string {
		return fmt.Sprintf("R/%s/PT100S", now.Add(time.Duration(i)*time.Millisecond).UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	w := crowd(b, due)
	delays := make([]time.Duration, 0, b.N)
	for b.Loop() {
		delays = append(delays, <-w.launched)
	}
	w.report(delays)
}

// BenchmarkLaunchStorm has the same jobs due in the same moment. An operation is
// a run. It also has the memory that a job costs with its place on the board while
// nothing runs.
func BenchmarkLaunchStorm(b *testing.B) {
	w := crowd(b, func(now time.Time, _ int) string {
		return fmt.Sprintf("R/%s/PT24H", now.Add(time.Minute).UTC().Format(time.RFC3339))
	})
	delays := []time.Duration{<-w.launched}
	for b.Loop() {
		if len(delays) < manyJobs {
			delays = append(delays, <-w.launched)
		}
	}
	w.report(delays)
	b.ReportMetric(w.perJob, "B/job")
}

// settled is how long a framework that was started may take to make up for what
// was due meanwhile.
const settled = 10 * time.Second

// crowded is a framework with many jobs, on a master in name only.
type crowded struct {
	b        *testing.B
	ready    atomic.Int64       // in ms: what was due before does not count
	launched chan time.Duration // how late
	perJob   float64            // bytes
}

func (w *crowded) report(delays []time.Duration) {
	slices.Sort(delays)
	at := func(fraction float64) float64 {
		return float64(delays[int(fraction*float64(len(delays)-1))].Microseconds()) / 1000
	}
	w.b.ReportMetric(at(0.5), "ms-p50")
	w.b.ReportMetric(at(0.99), "ms-p99")
	w.b.ReportMetric(at(0.999), "ms-p99.9")
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// crowd starts the framework with jobs that are due as told.
func crowd(b *testing.B, due func(now time.Time, i int) string) *crowded {
	b.Helper()
	w := &crowded{b: b, launched: make(chan time.Duration, 10*manyJobs)}
	file, err := store.OpenFile(filepath.Join(b.TempDir(), "cron.db"), "cron")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = file.Close() })
	fill(b, file, due)
	sys, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	m := frameworktest.New(b, sys, w.script)
	for i := range 50 {
		m.Agent(b, fmt.Sprint("S", i), "cpus:64;mem:262144;disk:1000000")
	}
	election := frameworktest.NewElection()
	election.Lead(m)
	before := heap()
	var jobs board.Board
	published, all := 0, make(chan struct{})
	c, err := cron.New(b.Context(), cron.Options{
		Framework: frameworks.Options{Name: "cron", Detector: election}, Store: file,
		Publish: func(p plan.Publish) {
			jobs.Publish(p)
			if published++; published == manyJobs {
				close(all)
			}
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, sys) }()
	b.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, sys.Close(context.Background())); err != nil {
			b.Error(err)
		}
	})
	<-all
	w.perJob = (heap() - before) / manyJobs
	w.ready.Store(time.Now().Add(settled).UnixMilli())
	return w
}

// script says how late a task is, and ends it.
func (w *crowded) script(info *mesos.TaskInfo) []mesos.TaskState {
	millis, _, _ := strings.Cut(strings.TrimPrefix(info.GetTaskId().GetValue(), "ct:"), ":")
	due, err := strconv.ParseInt(millis, 10, 64)
	if err != nil {
		w.b.Error(err)
	}
	if ready := w.ready.Load(); ready > 0 && due > ready {
		w.launched <- time.Since(time.UnixMilli(due))
	}
	return []mesos.TaskState{running, finished}
}

// fill puts the jobs of an earlier life into a store.
func fill(b *testing.B, s store.Store, due func(now time.Time, i int) string) {
	b.Helper()
	now := time.Now()
	m := plan.New(plan.Options{})
	m.Step(now, plan.Loaded{})
	changes := map[string][]byte{}
	for i := range manyJobs {
		effects := m.Step(now, plan.Put{Request: uint64(i), Job: plan.Job{
			Name: fmt.Sprintf("job-%06d", i), CPUs: 0.1, Mem: 32, Trigger: plan.Trigger{Schedule: due(now, i)},
			Command: plan.Command{Text: "/usr/local/bin/report --all"}, About: plan.About{Owner: "ops@example.com"},
		}})
		for _, e := range effects {
			if p, ok := e.(plan.Persist); ok {
				for _, ch := range p.Changes {
					changes[ch.Key] = ch.Value
				}
				m.Step(now, plan.Persisted{Number: p.Number})
			}
		}
	}
	if err := s.Apply(b.Context(), changes); err != nil {
		b.Fatal(err)
	}
}
