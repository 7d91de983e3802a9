package api

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"troupe/messages/mesos"
	"troupe/slave/state/view"
)

// Collector gives a view's figures to Prometheus, and those of its containers.
type Collector struct {
	view   *View
	meter  meter
	others *atomic.Pointer[Others]
}

// NewCollector returns a collector of v's figures, for a registry; see Info for
// measure.
func NewCollector(v *View, measure Measure) Collector {
	return Collector{v, newMeter(measure), new(atomic.Pointer[Others])}
}

// Ask has it tell, from now on, of the containers that others lists, too.
func (c Collector) Ask(others Others) { c.others.Store(&others) }

// listWait is how long hosts may take to say what they hold: who gathers figures
// waits for that.
const listWait = 2 * time.Second

// containers are all that there are, measured; listed tells that hosts have said in
// time which those of clients are.
func (c Collector) containers(s *view.Snapshot) (all []sample, listed bool) {
	all = containersOf(s, true)
	if ask := c.others.Load(); ask != nil {
		ctx, cancel := context.WithTimeout(context.Background(), listWait)
		defer cancel()
		others, err := (*ask)(ctx)
		listed = err == nil
		all = withOthers(all, others, true, true)
	}
	return c.meter.fill(s, all), listed
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("troupe", "agent", name), help, labels, nil)
}

var (
	descRegistered = desc("registered", "1 while the master knows this agent.")
	descFrameworks = desc("frameworks", "Frameworks that have executors or tasks here.")
	descExecutors  = desc("executors", "Executors by phase.", "phase")
	descTasks      = desc("tasks", "Tasks by state.", "state")
	descEnded      = desc("tasks_ended_total", "Tasks that reached a terminal state.", "state")
	descHosts      = desc("executor_hosts", "Processes that hold executors.")
	descResources  = desc("resources", "Scalar resources of the agent, in their units.", "name")
	descUsed       = desc("resources_used", "Scalar resources that executors and tasks hold.", "name")
	descLimited    = desc("tasks_limited_total", "Tasks that ended as they wanted more than they may have, by what that was.", "resource")
	descListed     = desc("containers_listed", "1 if all hosts have said in time which containers of API clients they hold: what is not listed has no figures.")
	descEvents     = desc("events_total", "What happened, by kind.", "kind")
)

// limitations are words for the reasons of tasks that wanted more than they may
// have.
var limitations = map[mesos.TaskStatus_Reason]string{
	mesos.TaskStatus_REASON_CONTAINER_LIMITATION:        "other",
	mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY: "memory",
	mesos.TaskStatus_REASON_CONTAINER_LIMITATION_DISK:   "disk",
}

// Describe sends the descriptions of all figures.
func (c Collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descRegistered, descFrameworks, descExecutors, descTasks, descEnded, descHosts, descResources, descUsed, descLimited, descListed, descEvents,
		descMeanAllocated, descMeanUsed, descP95Used, descPeakUsed, descSlack,
	} {
		to <- d
	}
	for _, d := range slices.Concat(descsOfTasks, descsOfExecutors, descsOfContainers) {
		to <- d
	}
}

// Collect sends the figures of one snapshot.
func (c Collector) Collect(to chan<- prometheus.Metric) {
	s := c.view.Snapshot()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	count := func(d *prometheus.Desc, value int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	gauge(descRegistered, number(s.Agent.Registered))
	gauge(descFrameworks, float64(len(s.Frameworks)))
	gauge(descHosts, float64(len(s.Hosts)))
	f := figuresOf(s)
	for _, phase := range phases {
		gauge(descExecutors, float64(f.executors[phase]), phase.String())
	}
	for _, state := range live {
		gauge(descTasks, float64(f.tasks[state]), word(state))
	}
	for _, state := range ended {
		count(descEnded, s.Ended[state], word(state))
	}
	total, taken := totalOf(s.Agent), allocated(s)
	for _, name := range always {
		gauge(descResources, total.Scalar(name).Float(), name)
		gauge(descUsed, taken.Scalar(name).Float(), name)
	}
	for reason, word := range limitations {
		count(descLimited, s.Limited[reason], word)
	}
	for _, counter := range counters {
		count(descEvents, s.Counters[counter], string(counter))
	}
	for _, r := range s.Slack {
		collectSlack(r, gauge)
	}
	containers, listed := c.containers(s)
	gauge(descListed, number(listed))
	collectContainers(containers, to)
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

var _ prometheus.Collector = Collector{}

var _ interface{ Publish(view.Event) } = (*View)(nil)
