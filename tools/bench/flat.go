package main

import (
	"context"
	"errors"
	"runtime/metrics"
	"slices"
	"time"

	"troupe/tools/simulate"
)

// flat is the work of that name: the machines of a whole cluster under the
// simulator's clock, for ten minutes of it.
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
		{"live heap of the whole cluster", slices.Max(last) / (1 << 30), "GiB", target{atMost: 2}},
		{"growth, last fifth over the middle", slices.Max(last) / slices.Max(middle), "ratio", target{atMost: 1.05}},
		{"real time for 10 min", took.Seconds(), "s", target{}},
	}, nil
}

// sampleHeap reads what the last garbage collection left, at steady intervals.
func sampleHeap(stop <-chan struct{}) []float64 {
	const name = "/gc/heap/live:bytes"
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var heaps []float64
	for {
		sample := []metrics.Sample{{Name: name}}
		metrics.Read(sample)
		heaps = append(heaps, float64(sample[0].Value.Uint64()))
		select {
		case <-stop:
			return heaps
		case <-tick.C:
		}
	}
}
