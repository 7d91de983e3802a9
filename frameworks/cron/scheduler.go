package cron

import (
	"time"

	"go.uber.org/zap"

	"troupe/frameworks"
	"troupe/frameworks/cron/plan"
	"troupe/messages/masters"
	"troupe/messages/mesos"
	mesosscheduler "troupe/messages/mesos/scheduler"
	"troupe/messages/tasks"
)

const (
	// refuse is for how long an offer that did not fit is not made again, and
	// refuseIdle when nothing waits: a Revive comes first.
	refuse     = 5 * time.Second
	refuseIdle = 10 * time.Minute
)

// scheduler is the Cron as its framework calls it.
type scheduler Cron

var _ frameworks.Scheduler = (*scheduler)(nil)

func (s *scheduler) cron() *Cron { return (*Cron)(s) }

// Connected notes the framework's id.
func (s *scheduler) Connected(_ *frameworks.Driver, id string, m *mesos.MasterInfo, _ bool) {
	address, err := masters.Address(m)
	if err != nil {
		address = "" // it does not say
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.framework, s.master, s.connected = id, address, true
}

// Disconnected is for readers: no offer is ever held.
func (s *scheduler) Disconnected(*frameworks.Driver, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.master, s.connected = "", false
}

// Offers are dealt out among what waits.
func (s *scheduler) Offers(_ *frameworks.Driver, offers []*mesos.Offer) {
	s.loop.Put(func(now time.Time) []plan.Effect {
		s.cron().deal(now, offers)
		return nil
	})
}

// Rescinded: what was launched on the offer comes back as dropped.
func (s *scheduler) Rescinded(*frameworks.Driver, string) {}

// Update tells the plan. An end is acknowledged when the plan has it on the disk;
// everything else may be lost, since the cluster is asked again.
func (s *scheduler) Update(_ *frameworks.Driver, st *mesos.TaskStatus) bool {
	s.loop.Put(func(now time.Time) []plan.Effect { return s.cron().onStatus(now, st) })
	return !tasks.Terminal(st.GetState())
}

// deal launches what fits, and declines the rest.
func (c *Cron) deal(now time.Time, offers []*mesos.Offer) {
	var unused []*mesos.Offer
	for _, o := range offers {
		c.mu.Lock()
		launched := c.queue.Offer(now, o)
		c.see(o)
		for _, info := range launched {
			c.places[info.GetTaskId().GetValue()] = o.GetAgentId().GetValue()
		}
		c.mu.Unlock()
		if len(launched) == 0 {
			unused = append(unused, o)
			continue
		}
		for _, info := range launched {
			c.metrics.launched(now.Sub(c.tasks[info.GetTaskId().GetValue()].wanted))
		}
		c.driver.Launch(o, launched...)
	}
	if len(unused) == 0 {
		return
	}
	c.demand.declined += len(unused)
	wait := refuse
	c.mu.Lock()
	if c.queue.Len() == 0 {
		wait = refuseIdle
	}
	c.mu.Unlock()
	c.driver.Decline(unused, wait)
}

// Message is of a job's own executor, to whom the framework has nothing to say.
func (s *scheduler) Message(*frameworks.Driver, *mesosscheduler.Event_Message) {}

// Failure: updates of the tasks follow.
func (s *scheduler) Failure(*frameworks.Driver, *mesosscheduler.Event_Failure) {}

// Other is nothing that the framework has asked for.
func (s *scheduler) Other(*frameworks.Driver, *mesosscheduler.Event) {}

// Refused warns.
func (s *scheduler) Refused(_ *frameworks.Driver, call *mesosscheduler.Call, err error) {
	s.log.Warn("A call was refused", zap.Stringer("type", call.GetType()), zap.Error(err))
}
