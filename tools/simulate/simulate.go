// Package simulate runs whole clusters, each in one goroutine: the machines of
// the masters, their registry, the allocators, the agents and the schedulers,
// under a virtual clock, on a network and on devices that fail as a seed
// decides. Oracles watch every task, every update and all that is said. The
// same seed gives the same trace, so what fails once fails again. DESIGN.md
// says more.
//
// The console's command simulate, the benchmarks and tests import it.
package simulate

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Run is what came of one seed.
type Run struct {
	Seed uint64
	// Of the trace: equal for equal runs.
	Hash uint64
	// Lines of the trace, and messages sent.
	Steps, Messages uint64
	// In virtual time.
	Lasted time.Duration
	// How many tasks came to each end.
	Ends map[string]int
	// Which law was broken, and how; empty when none was.
	Failure string
	// The end of the trace of a run that failed, and how to repeat it.
	Trace  []string
	Replay string
}

// Report is what came of all seeds, in their order.
type Report struct{ Runs []Run }

// Failed counts the runs in which a law was broken.
func (r Report) Failed() int {
	n := 0
	for _, run := range r.Runs {
		if run.Failure != "" {
			n++
		}
	}
	return n
}

// Simulate runs every seed. The error is about the options.
func Simulate(o Options) (Report, error) {
	var report Report
	err := Each(context.Background(), o, func(r Run) { report.Runs = append(report.Runs, r) })
	return report, err
}

// Each runs every seed, as many at a time as there are processors, and hands
// over each run in the order of the seeds. When ctx is done, no other begins.
// The error is about the options.
func Each(ctx context.Context, o Options, each func(Run)) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	runs := make([]chan Run, o.Seeds)
	for i := range runs {
		runs[i] = make(chan Run, 1)
	}
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), o.Seeds) {
		go func() {
			for i := next.Add(1) - 1; i < int64(o.Seeds); i = next.Add(1) - 1 {
				if ctx.Err() == nil {
					runs[i] <- o.run(o.Seed + uint64(i))
				}
				close(runs[i])
			}
		}()
	}
	for _, c := range runs {
		if r, ran := <-c; ran {
			each(r)
		}
	}
	return nil
}

// run lets a cluster live. Only one that breaks a law needs a trace, for which
// it lives once more.
func (o Options) run(seed uint64) Run {
	r := newSimulation(o, seed, false).run()
	if r.Failure != "" && o.Trace > 0 {
		r = newSimulation(o, seed, true).run()
	}
	return r
}

// String is a line, or with a failure several.
func (r Run) String() string {
	var b strings.Builder
	verdict := "ok"
	if r.Failure != "" {
		verdict = "FAILED: " + r.Failure
	}
	fmt.Fprintf(&b, "seed %d: %s (%s simulated, %d messages, trace %016x", r.Seed, verdict, r.Lasted.Round(time.Second), r.Messages, r.Hash)
	for _, state := range slices.Sorted(maps.Keys(r.Ends)) {
		fmt.Fprintf(&b, ", %d %s", r.Ends[state], strings.TrimPrefix(state, "TASK_"))
	}
	b.WriteString(")\n")
	if r.Failure != "" {
		for _, line := range r.Trace {
			b.WriteString("  " + line + "\n")
		}
		fmt.Fprintf(&b, "  again: %s\n", r.Replay)
	}
	return b.String()
}
