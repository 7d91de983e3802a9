package api

import (
	"github.com/prometheus/client_golang/prometheus"

	"troupe/master/state/view"
)

// Collector gives a view's figures to Prometheus.
type Collector struct{ view *View }

// NewCollector returns a collector of v's figures, for a registry.
func NewCollector(v *View) Collector { return Collector{v} }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("troupe", "master", name), help, labels, nil)
}

var (
	descAgents     = desc("agents", "Agents by state.", "state")
	descFrameworks = desc("frameworks", "Frameworks by state.", "state")
	descOffers     = desc("offers_outstanding", "Offers that frameworks have not answered.")
	descTasks      = desc("tasks", "Tasks by state.", "state")
	descResources  = desc("resources", "Scalar resources of connected agents, in their units.", "name", "revocable")
	descUsed       = desc("resources_used", "Scalar resources that tasks and executors hold.", "name", "revocable")
	descEnded      = desc("tasks_ended_total", "Tasks that reached a terminal state.", "state")
	descRegistered = desc("agent_registrations_total", "Agents that registered, and that came back.", "kind")
	descRemoved    = desc("agent_removals_total", "Agents that are no longer registered, by cause.", "cause")
	descOffered    = desc("offers_total", "Offers made, and how they ended.", "end")
	descCalls      = desc("calls_total", "Calls of frameworks by type.", "type")
	descRecovery   = desc("recovery_seconds", "From the start until no agent of the registry was awaited any more; 0 while some are.")
	descRemovals   = desc("removals_total", "Agents noticed to be lost, made unreachable, and back before that.", "step")
	descDropped    = desc("messages_dropped_total", "Messages that were of no use.")
)

// Describe sends the descriptions of all figures.
func (c Collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descAgents, descFrameworks, descOffers, descTasks, descResources, descUsed,
		descEnded, descRegistered, descRemoved, descOffered, descCalls, descDropped, descRecovery, descRemovals,
	} {
		to <- d
	}
}

// Collect sends the figures of one snapshot.
func (c Collector) Collect(to chan<- prometheus.Metric) {
	s := c.view.Snapshot()
	collectGauges(to, s)
	collectCounters(to, &s.Counters)
}

func collectGauges(to chan<- prometheus.Metric, s *view.Snapshot) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	agents := countAgents(s)
	gauge(descAgents, float64(agents.connected), "connected")
	gauge(descAgents, float64(agents.inactive), "disconnected")
	gauge(descAgents, float64(agents.recovered), "recovered")
	gauge(descAgents, float64(s.Unreachable), "unreachable")
	gauge(descAgents, float64(agents.deactivated), "deactivated")
	gauge(descRecovery, s.Counters.Recovery.Seconds())
	f := countFrameworks(s)
	gauge(descFrameworks, float64(f.connected), "connected")
	gauge(descFrameworks, float64(f.all-f.connected), "disconnected")
	gauge(descFrameworks, float64(len(s.Completed)), "completed")
	gauge(descOffers, float64(f.offers))
	for _, state := range gauges {
		gauge(descTasks, float64(s.Counters.Live[state]), lower(state.String(), "TASK_"))
	}
	gauge(descTasks, float64(s.Counters.UnreachableTasks), "unreachable")
	total := totalOf(s)
	for a, amount := range total {
		gauge(descResources, amount.Float(), a.Name, yesNo(a.Revocable))
		gauge(descUsed, s.Used[a].Float(), a.Name, yesNo(a.Revocable))
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func collectCounters(to chan<- prometheus.Metric, c *view.Counters) {
	count := func(d *prometheus.Desc, value int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	for _, state := range totals {
		count(descEnded, c.Terminal[state], lower(state.String(), "TASK_"))
	}
	count(descRegistered, c.AgentRegistrations, "new")
	count(descRegistered, c.AgentReregistrations, "back")
	for cause, name := range map[view.RemovalCause]string{
		view.Unhealthy: "unhealthy", view.Unregistered: "unregistered", view.Replaced: "replaced", view.Ended: "gone",
	} {
		count(descRemoved, c.AgentRemovals[cause], name)
	}
	for step, name := range [...]string{
		view.RemovalScheduled: "scheduled", view.RemovalCompleted: "completed", view.RemovalCanceled: "canceled",
	} {
		count(descRemovals, c.Removals[step], name)
	}
	count(descOffered, c.OffersMade, "made")
	for end, name := range map[view.OfferEnd]string{
		view.Accepted: "accepted", view.Declined: "declined", view.Rescinded: "rescinded", view.Overtaken: "overtaken", view.Discarded: "discarded",
	} {
		count(descOffered, c.OffersEnded[end], name)
	}
	for call, n := range c.Calls {
		count(descCalls, n, lower(call.String(), ""))
	}
	dropped := int64(0)
	for _, n := range c.Invalid {
		dropped += n
	}
	count(descDropped, dropped)
}
