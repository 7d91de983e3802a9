package cron

import (
	"time"

	"go.uber.org/zap"

	"troupe/frameworks/cron/plan"
)

// perform carries out what one input has led to, in order. Whoever asked is
// answered last, and so finds on the board what was done.
func (c *Cron) perform(effects []plan.Effect) {
	for _, e := range effects {
		c.performOne(e)
	}
	for _, e := range effects {
		if a, ok := e.(plan.Answer); ok {
			c.loop.Answer(a.Request, a.Err)
		}
	}
	c.settle()
}

func (c *Cron) performOne(e plan.Effect) {
	switch e := e.(type) {
	case plan.Persist:
		c.persist(e)
	case plan.Launch:
		c.enqueue(e)
	case plan.Watch:
		c.tasks[e.Task] = &task{}
		c.driver.Watch(e.Task, "")
	case plan.Kill:
		c.kill(e.Task)
	case plan.Acknowledge:
		c.acknowledge(e.Task)
	case plan.SetTimer:
		c.loop.SetTimer(e.At, func(now time.Time) []plan.Effect { return c.machine.Step(now, plan.TimerFired{}) })
	case plan.Publish:
		c.options.Publish(e)
	case plan.Notify:
		c.metrics.occasions.WithLabelValues(string(e.Occasion)).Inc()
		c.options.Notify(e)
	case plan.Fail:
		c.log.Error("The plan cannot go on", zap.Error(e.Err))
		c.loop.Fail(e.Err)
	}
}

func (c *Cron) persist(e plan.Persist) {
	changes := make(map[string][]byte, len(e.Changes))
	for _, ch := range e.Changes {
		changes[ch.Key] = ch.Value
	}
	c.loop.Persist(changes, func(err error) event {
		return func(now time.Time) []plan.Effect {
			return c.machine.Step(now, plan.Persisted{Number: e.Number, Err: err})
		}
	})
}

// enqueue has a run wait for an offer.
func (c *Cron) enqueue(e plan.Launch) {
	wanted := time.Now()
	if e.Run.Launches == 1 && e.Run.Attempt == 0 {
		wanted = e.Run.Due
	}
	c.tasks[e.Run.Task()] = &task{wanted: wanted}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue.Add(time.Now(), e.Run, e.Job) {
		c.demand.ask = true
	}
}

// kill ends a task; one that still waits for an offer at once.
func (c *Cron) kill(id string) {
	c.mu.Lock()
	waited := c.queue.Remove(id)
	c.mu.Unlock()
	if waited {
		c.tell(plan.TaskEnded{Task: id, Outcome: plan.Killed, Message: "killed while it waited for an offer"})
		return
	}
	c.driver.Kill(id, 0)
}

const (
	// reviveWait is the least time between two calls for offers, and reviveShare
	// what each offer that was declined since adds to it: who has many agents and
	// few jobs at a time is not to spend its time on declining.
	reviveWait    = 10 * time.Millisecond
	reviveShare   = 50 * time.Microsecond
	reviveWaitMax = 5 * time.Second
)

// demand is what the cluster was told of the need for offers.
type demand struct {
	ask        bool // offers have to be asked for
	suppressed bool // none are wanted, as far as the cluster knows
	waits      bool // until they may be asked for again
	last       time.Time
	declined   int // since then
}

// settle ends an input: offers are asked for when there is something new to
// launch, and not wanted when there is nothing.
func (c *Cron) settle() {
	c.mu.Lock()
	waiting := c.queue.Len()
	c.mu.Unlock()
	d := &c.demand
	switch {
	case waiting > 0 && (d.ask || d.suppressed):
		c.revive(d)
	case waiting == 0:
		d.ask = false
		if !d.suppressed {
			d.suppressed = true
			c.driver.Suppress()
		}
	}
}

// revive asks for offers, now or as soon as may be.
func (c *Cron) revive(d *demand) {
	wait := min(reviveWait+time.Duration(d.declined)*reviveShare, reviveWaitMax) - time.Since(d.last)
	if d.waits {
		return
	}
	if wait > 0 {
		d.waits = true
		c.later(wait, func(time.Time) []plan.Effect {
			d.waits = false
			return nil // what follows an event asks
		})
		return
	}
	*d = demand{last: time.Now()}
	c.metrics.revives.Inc()
	c.driver.Revive()
}
