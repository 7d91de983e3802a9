package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"troupe/tools/simulate"
)

// flatTime is how long the cluster lives, by the simulator's clock.
const flatTime = 10 * time.Minute

// flat is the work of that name: the machines of a whole cluster under the
// simulator's clock. It is at rest but for the heartbeats of 50,000 agents and
// 500 tasks that come and go: what is reachable after each of its last minutes
// must not be more than it was in the middle of its life.
func flat(_ context.Context, l load) ([]figure, error) {
	var heaps []float64
	begun := time.Now()
	report, err := simulate.Simulate(simulate.Options{
		Masters: 1, Agents: l.of(multitudeAgents), Frameworks: 1, Tasks: 500, Duration: flatTime, FaultEvery: -1, Trace: -1,
		EachMinute: func() { heaps = append(heaps, float64(readMemory().heap)) },
	})
	took := time.Since(begun)
	if err != nil {
		return nil, err
	}
	for _, run := range report.Runs {
		if run.Failure != "" {
			return nil, errors.New(run.Failure)
		}
	}
	if minutes := int(flatTime / time.Minute); len(heaps) != minutes {
		return nil, fmt.Errorf("%d minutes were looked at, not %d", len(heaps), minutes)
	}
	middle, last := heaps[4:6], heaps[8:]
	return []figure{
		{"reachable heap of the whole cluster", slices.Max(heaps) / (1 << 30), "GiB", target{atMost: 2}},
		{"growth, minutes 9, 10 over 5, 6", mean(last) / mean(middle), "ratio", target{atMost: 1.05}},
		{"real time", took.Seconds(), "s", target{}},
	}, nil
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
