package service

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"troupe/messages/mesos"
)

// Metrics are the figures of a Service, as a prometheus.Collector. They may be
// registered before there is a Service.
type Metrics struct {
	service atomic.Pointer[Service]

	offers, calls, operations, updates, events *prometheus.CounterVec
	tasks, refused                             prometheus.Counter

	described []*prometheus.Desc
}

// The figures that are read when they are asked for, in the order of described.
const (
	apps = iota
	instances
	deployments
	connected
	steps
	busy
	longest
	queued
	waiting
	writes
	batches
	gauges
)

// NewMetrics makes figures that are all 0.
func NewMetrics() *Metrics {
	counters := func(name, label, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "troupe", Subsystem: "service", Name: name, Help: help}, []string{label})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "troupe", Subsystem: "service", Name: name, Help: help})
	}
	m := &Metrics{
		offers:     counters("offers_total", "fate", "Offers: received, accepted, declined, rescinded."),
		calls:      counters("calls_total", "type", "Calls to the master that are not about offers."),
		operations: counters("operations_total", "type", "Operations on accepted offers."),
		updates:    counters("updates_total", "state", "News of tasks that came, repetitions included."),
		events:     counters("events_total", "occasion", "What people were told of."),
		tasks:      counter("tasks_launched_total", "Tasks that were launched."),
		refused:    counter("calls_refused_total", "Calls that came to nothing."),
		described:  make([]*prometheus.Desc, gauges),
	}
	for i, d := range map[int][2]string{
		apps:        {"apps", "Apps that there are."},
		instances:   {"instances", "Instances, by the state of their task."},
		deployments: {"deployments", "Deployments that are not done."},
		connected:   {"connected", "1 while the master is reached."},
		steps:       {"steps_total", "Inputs that the core has taken in."},
		busy:        {"steps_seconds_total", "Time that it took for them."},
		longest:     {"step_longest_seconds", "The longest of them."},
		queued:      {"inputs_queued", "Inputs that wait for the core."},
		waiting:     {"requests_waiting", "Requests that wait for an answer."},
		writes:      {"writes_total", "Writes to the store."},
		batches:     {"batches_total", "Batches of changes that were written."},
	} {
		var labels []string
		if i == instances {
			labels = []string{"state"}
		}
		m.described[i] = prometheus.NewDesc("troupe_service_"+d[0], d[1], labels, nil)
	}
	return m
}

func (m *Metrics) watch(s *Service) { m.service.Store(s) }

// accepted counts what is done with an offer.
func (m *Metrics) accepted(operations []*mesos.Offer_Operation) {
	m.offers.WithLabelValues("accepted").Inc()
	for _, o := range operations {
		m.operations.WithLabelValues(o.GetType().String()).Inc()
		m.tasks.Add(float64(len(o.GetLaunch().GetTaskInfos()) + len(o.GetLaunchGroup().GetTaskGroup().GetTasks())))
	}
}

func (m *Metrics) counted() []prometheus.Collector {
	return []prometheus.Collector{m.offers, m.calls, m.operations, m.updates, m.events, m.tasks, m.refused}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, c := range m.counted() {
		c.Describe(to)
	}
	for _, d := range m.described {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	for _, c := range m.counted() {
		c.Collect(to)
	}
	s := m.service.Load()
	if s == nil {
		return // another process leads
	}
	put := func(which int, kind prometheus.ValueType, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(m.described[which], kind, value, labels...)
	}
	all := s.options.Board.Apps()
	byState := map[string]int{}
	for _, v := range all {
		for _, i := range v.Instances {
			byState[i.State.String()]++
		}
	}
	for state, n := range byState {
		put(instances, prometheus.GaugeValue, float64(n), state)
	}
	put(apps, prometheus.GaugeValue, float64(len(all)))
	put(deployments, prometheus.GaugeValue, float64(len(s.options.Board.Deployments())))
	reached := 0.0
	if s.Status().Connected {
		reached = 1
	}
	put(connected, prometheus.GaugeValue, reached)
	f := s.loop.Figures()
	put(steps, prometheus.CounterValue, float64(f.Steps))
	put(busy, prometheus.CounterValue, f.Busy.Seconds())
	put(longest, prometheus.GaugeValue, f.Longest.Seconds())
	put(queued, prometheus.GaugeValue, float64(f.Queued))
	put(waiting, prometheus.GaugeValue, float64(f.Waiting))
	put(writes, prometheus.CounterValue, float64(f.Writes))
	put(batches, prometheus.CounterValue, float64(f.Batches))
}
