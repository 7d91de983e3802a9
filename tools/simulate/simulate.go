// Package simulate runs whole clusters in one goroutine: the machines of the
// master, its registry, the allocator, the agents and the schedulers, under a
// virtual clock, on a network and on devices that fail as a seed decides.
// Oracles watch every task and every update. The same seed gives the same
// trace, so what fails once fails again.
//
// The console's command simulate, the benchmarks and tests import it.
package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
	o, err := o.withDefaults()
	if err != nil {
		return Report{}, err
	}
	var report Report
	for i := range o.Seeds {
		report.Runs = append(report.Runs, newSimulation(o, o.Seed+uint64(i)).run())
	}
	return report, nil
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
