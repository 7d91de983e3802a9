package slave

import (
	"context"
	"time"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/slave/state"
	"troupe/slave/state/slack"
	"troupe/slave/state/view"
)

// Meter measures what an agent's containers use. Its methods may block, and are
// called from any goroutine.
type Meter interface {
	// Measure is what each of the containers has used.
	Measure(held []state.Held) []Used
	// Load is the machine's; see slack.Sample.
	Load() ([3]float64, error)
}

// Used is what a container has used.
type Used struct {
	// Known: it was measured.
	Known bool
	// Since it began.
	CPU time.Duration
	// In bytes, now.
	Memory uint64
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
	// Nil: nobody is told what roles leave.
	History *slack.History
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
	if l.History != nil {
		a.sampleEvery(c, slack.HistoryStep, func(s slack.Sample) {
			a.options.Publisher.Publish(view.SlackChanged{Slack: l.History.Add(s)})
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

func sampleOf(meter Meter, held []state.Held) (slack.Sample, error) {
	load, err := meter.Load()
	if err != nil {
		load = [3]float64{-1, -1, -1}
	}
	used := meter.Measure(held)
	s := slack.Sample{At: time.Now(), Load: load}
	for i, h := range held {
		s.Containers = append(s.Containers, slack.Container{
			ID: string(h.Container), Role: h.Role, Allocated: h.Allocated,
			Measured: used[i].Known, CPU: used[i].CPU, Memory: used[i].Memory,
		})
	}
	return s, err
}
