package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"troupe/tools/simulate"
)

// flat is the work of that name: the machines of a whole cluster under the
// simulator's clock, for ten minutes of it. The cluster is at rest but for the
// heartbeats of 50,000 agents and 500 tasks that come and go: what is reachable
// must not grow between the middle of that time and its end.
func flat(_ context.Context, l load) ([]figure, error) {
	stop, heaps := make(chan struct{}), make(chan []float64)
	go func() { heaps <- sampleHeap(stop) }()
	begun := time.Now()
	report, err := simulate.Simulate(simulate.Options{
		Masters: 1, Agents: l.of(multitudeAgents), Frameworks: 1, Tasks: 500, Duration: 10 * time.Minute, FaultEvery: -1, Trace: -1,
	})
	took := time.Since(begun)
	close(stop)
	samples := <-heaps
	if err != nil {
		return nil, err
	}
	for _, run := range report.Runs {
		if run.Failure != "" {
			return nil, errors.New(run.Failure)
		}
	}
	middle, last := samples[len(samples)*2/5:len(samples)*3/5+1], samples[len(samples)*4/5:]
	return []figure{
		{"reachable heap of the whole cluster", slices.Max(last) / (1 << 30), "GiB", target{atMost: 2}},
		{"growth, last fifth over the middle", mean(last) / mean(middle), "ratio", target{atMost: 1.05}},
		{"real time for 10 min", took.Seconds(), "s", target{}},
	}, nil
}

// sampleEvery is long enough for the collections to be a small part of the work.
const sampleEvery = time.Second

// sampleHeap collects garbage at steady intervals, and reads what is left: all
// that is reachable, and nothing that is not.
func sampleHeap(stop <-chan struct{}) []float64 {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	var heaps []float64
	for {
		heaps = append(heaps, float64(readMemory().heap))
		select {
		case <-stop:
			return heaps
		case <-tick.C:
		}
	}
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
