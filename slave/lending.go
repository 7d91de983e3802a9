package slave

import (
	"context"
	"time"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/slave/state"
	"troupe/slave/state/slack"
)

// Meter measures what an agent's containers use. Its methods may block, and are
// called from any goroutine.
type Meter interface {
	// CPU is the time that each of the sandboxes has used whose containers a host
	// holds; what could not be measured is absent.
	CPU(host int, sandboxes []string) map[string]time.Duration
	// Load is the machine's; see slack.Sample.
	Load() ([3]float64, error)
}

// Lending is what an agent does with what is allocated, but not used. The zero
// value does nothing.
type Lending struct {
	// Nil: nothing is lent.
	Estimator slack.Estimator
	// Between two estimates; 15 s.
	Interval time.Duration
	// Nil: nothing that was lent is taken back.
	Controller slack.Controller
	// The least time between two corrections; a second at least.
	CorrectionInterval time.Duration
	// Must be set if one of the others is.
	Meter Meter
}

const (
	estimateInterval = 15 * time.Second
	leastCorrection  = time.Second
)

// lend begins to estimate and to correct.
func (a *Agent) lend(c *actors.Context) {
	l := a.options.Lending
	if l.Estimator != nil {
		a.sampleEvery(c, l.Interval, func(s slack.Sample) {
			a.step(c, state.Estimated{Resources: l.Estimator.Estimate(s)})
		})
	}
	if l.Controller != nil {
		a.sampleEvery(c, max(l.CorrectionInterval, leastCorrection), func(s slack.Sample) {
			for _, k := range l.Controller.Correct(s) {
				a.step(c, state.Preempted{Container: state.ContainerID(k.Container), Why: k.Why})
			}
		})
	}
}

// sampleEvery measures off the actor's queue, and never twice at once.
func (a *Agent) sampleEvery(c *actors.Context, interval time.Duration, then func(slack.Sample)) {
	var measure func()
	measure = func() {
		held := a.machine.Held()
		c.Go(func(context.Context) func() {
			s, err := sampleOf(a.options.Lending.Meter, held)
			return func() {
				if err != nil {
					a.log.Warn("The machine's load was not measured", zap.Error(err))
				}
				then(s)
				c.After(interval, measure)
			}
		})
	}
	measure()
}

// sampleOf asks each host once.
func sampleOf(meter Meter, held []state.Held) (slack.Sample, error) {
	byHost := map[int32][]string{}
	for _, h := range held {
		if h.Host != 0 && h.Sandbox != "" {
			byHost[h.Host] = append(byHost[h.Host], h.Sandbox)
		}
	}
	used := map[string]time.Duration{}
	for host, sandboxes := range byHost {
		for sandbox, cpu := range meter.CPU(int(host), sandboxes) {
			used[sandbox] = cpu
		}
	}
	load, err := meter.Load()
	if err != nil {
		load = [3]float64{-1, -1, -1}
	}
	s := slack.Sample{At: time.Now(), Load: load}
	for _, h := range held {
		cpu, known := used[h.Sandbox]
		s.Containers = append(s.Containers, slack.Container{
			ID: string(h.Container), Allocated: h.Allocated, Measured: known, CPU: cpu,
		})
	}
	return s, err
}
