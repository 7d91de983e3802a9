package cron

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the figures of a Cron, for /metrics. One is made before the Cron
// that fills it.
type Metrics struct {
	delay           prometheus.Histogram
	revives         prometheus.Counter
	ends, occasions *prometheus.CounterVec
	of              atomic.Pointer[Cron]
}

var _ prometheus.Collector = (*Metrics)(nil)

// delayBuckets are in seconds.
var delayBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600}

// NewMetrics makes Metrics, of no Cron yet.
func NewMetrics() *Metrics {
	name := func(n, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "troupe", Subsystem: "cron", Name: n, Help: help}
	}
	return &Metrics{
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "troupe", Subsystem: "cron", Name: "launch_delay_seconds", Buckets: delayBuckets,
			Help: "From when a run was due to when its task was given to the master.",
		}),
		revives:   prometheus.NewCounter(prometheus.CounterOpts(name("offers_asked_total", "Calls for offers."))),
		ends:      prometheus.NewCounterVec(prometheus.CounterOpts(name("tasks_ended_total", "Tasks that ended, by outcome.")), []string{"outcome"}),
		occasions: prometheus.NewCounterVec(prometheus.CounterOpts(name("occasions_total", "What people may be told of, by occasion.")), []string{"occasion"}),
	}
}

func (m *Metrics) watch(c *Cron) { m.of.Store(c) }

func (m *Metrics) launched(delay time.Duration) { m.delay.Observe(max(delay, 0).Seconds()) }

func desc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("troupe", "cron", name), help, nil, nil)
}

var (
	connectedDesc = desc("connected", "1 while the master is connected.")
	queuedDesc    = desc("tasks_queued", "Tasks that wait for an offer.")
	stepsDesc     = desc("steps_total", "Inputs that the plan has taken in.")
	busyDesc      = desc("busy_seconds_total", "Time spent in these and what they led to.")
	longestDesc   = desc("step_longest_seconds", "The longest of them.")
	inputsDesc    = desc("inputs_queued", "Inputs that wait for the plan.")
	requestsDesc  = desc("requests_waiting", "Requests that wait for their answers.")
	writesDesc    = desc("store_writes_total", "Writes to the store.")
	batchesDesc   = desc("store_batches_total", "Batches of changes that were written with them.")
)

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, c := range []prometheus.Collector{m.delay, m.revives, m.ends, m.occasions} {
		c.Describe(to)
	}
	for _, d := range []*prometheus.Desc{
		connectedDesc, queuedDesc, stepsDesc, busyDesc, longestDesc, inputsDesc, requestsDesc, writesDesc, batchesDesc,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	for _, c := range []prometheus.Collector{m.delay, m.revives, m.ends, m.occasions} {
		c.Collect(to)
	}
	c := m.of.Load()
	if c == nil {
		return
	}
	c.mu.Lock()
	queued, connected := c.queue.Len(), 0.0
	if c.connected {
		connected = 1
	}
	c.mu.Unlock()
	f := c.loop.Figures()
	gauge := func(d *prometheus.Desc, v float64) { to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	counter := func(d *prometheus.Desc, v float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v)
	}
	gauge(connectedDesc, connected)
	gauge(queuedDesc, float64(queued))
	counter(stepsDesc, float64(f.Steps))
	counter(busyDesc, f.Busy.Seconds())
	gauge(longestDesc, f.Longest.Seconds())
	gauge(inputsDesc, float64(f.Queued))
	gauge(requestsDesc, float64(f.Waiting))
	counter(writesDesc, float64(f.Writes))
	counter(batchesDesc, float64(f.Batches))
}
