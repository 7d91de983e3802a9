package api

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/state/view"
)

// figure is something that is known of a container.
type figure struct {
	name, help string
	counter    bool
	// of is nil where it is not known.
	of func(u *mesos.ResourceStatistics) *float64
}

// taskFigures are told of tasks that have a container for themselves, of executors
// that do not run one such task alone, and of what clients of the API have launched.
var taskFigures = []figure{
	{"cpu_user_seconds_total", "CPU time that its processes have spent in user mode.", true, func(u *mesos.ResourceStatistics) *float64 { return u.CpusUserTimeSecs }},
	{"cpu_system_seconds_total", "CPU time that the kernel has spent for its processes.", true, func(u *mesos.ResourceStatistics) *float64 { return u.CpusSystemTimeSecs }},
	{"cpus_requested", "CPUs that it was given.", false, func(u *mesos.ResourceStatistics) *float64 { return u.CpusSoftLimit }},
	{"cpus_limit", "CPUs that it cannot exceed.", false, func(u *mesos.ResourceStatistics) *float64 { return u.CpusLimit }},
	{"cpu_periods_total", "Periods of the kernel's CPU quota in which it ran.", true, func(u *mesos.ResourceStatistics) *float64 { return small(u.CpusNrPeriods) }},
	{"cpu_throttled_periods_total", "Periods in which it used up its CPU quota and was stopped.", true, func(u *mesos.ResourceStatistics) *float64 { return small(u.CpusNrThrottled) }},
	{"cpu_throttled_seconds_total", "Time for which its processes were stopped for the CPU quota.", true, func(u *mesos.ResourceStatistics) *float64 { return u.CpusThrottledTimeSecs }},
	{"memory_bytes", "Memory that it uses: all that counts against its limit, or what its processes hold where no more is known.", false, memoryOf},
	{"memory_rss_bytes", "Anonymous memory, or what its processes hold where no more is known.", false, func(u *mesos.ResourceStatistics) *float64 { return large(u.MemRssBytes) }},
	{"memory_cache_bytes", "Page cache that counts as its memory.", false, func(u *mesos.ResourceStatistics) *float64 { return large(u.MemCacheBytes) }},
	{"memory_mapped_file_bytes", "Files that are mapped into its memory.", false, func(u *mesos.ResourceStatistics) *float64 { return large(u.MemMappedFileBytes) }},
	{"memory_swap_bytes", "Its memory that is swapped out.", false, func(u *mesos.ResourceStatistics) *float64 { return large(u.MemSwapBytes) }},
	{"memory_requested_bytes", "Memory that it was given.", false, func(u *mesos.ResourceStatistics) *float64 { return large(u.MemSoftLimitBytes) }},
	{"memory_limit_bytes", "Memory that it cannot exceed.", false, func(u *mesos.ResourceStatistics) *float64 { return large(u.MemLimitBytes) }},
	{"memory_pressure_low_total", "Times that the kernel reclaimed its memory.", true, func(u *mesos.ResourceStatistics) *float64 { return large(u.MemLowPressureCounter) }},
	{"memory_pressure_medium_total", "Times that its memory began to swap, or its cache to go.", true, func(u *mesos.ResourceStatistics) *float64 { return large(u.MemMediumPressureCounter) }},
	{"memory_pressure_critical_total", "Times that it was about to run out of memory.", true, func(u *mesos.ResourceStatistics) *float64 { return large(u.MemCriticalPressureCounter) }},
	{"disk_used_bytes", "Disk that its sandbox takes.", false, func(u *mesos.ResourceStatistics) *float64 { return large(u.DiskUsedBytes) }},
	{"disk_limit_bytes", "Disk that its sandbox may take.", false, func(u *mesos.ResourceStatistics) *float64 { return large(u.DiskLimitBytes) }},
	{"io_read_bytes_total", "Bytes that it has read from block devices.", true, func(u *mesos.ResourceStatistics) *float64 { return moved(u, mesos.CgroupInfo_Blkio_READ) }},
	{"io_written_bytes_total", "Bytes that it has written to block devices.", true, func(u *mesos.ResourceStatistics) *float64 { return moved(u, mesos.CgroupInfo_Blkio_WRITE) }},
	{"processes", "Its processes.", false, func(u *mesos.ResourceStatistics) *float64 { return small(u.Processes) }},
	{"threads", "Their threads.", false, func(u *mesos.ResourceStatistics) *float64 { return small(u.Threads) }},
}

func small(n *uint32) *float64 {
	if n == nil {
		return nil
	}
	return proto.Float64(float64(*n))
}

func large(n *uint64) *float64 {
	if n == nil {
		return nil
	}
	return proto.Float64(float64(*n))
}

func memoryOf(u *mesos.ResourceStatistics) *float64 {
	if u.MemTotalBytes != nil {
		return large(u.MemTotalBytes)
	}
	return large(u.MemRssBytes)
}

// moved are the bytes of an operation on all block devices.
func moved(u *mesos.ResourceStatistics, o mesos.CgroupInfo_Blkio_Operation) *float64 {
	if u.BlkioStatistics == nil {
		return nil
	}
	sum := 0.0
	for _, device := range u.BlkioStatistics.Throttling {
		if device.Device == nil {
			continue // the sum of all
		}
		for _, v := range device.IoServiceBytes {
			if v.GetOp() == o {
				sum += float64(v.GetValue())
			}
		}
	}
	return &sum
}

// Labels by their names' order, as Prometheus wants them.
const (
	labelContainer   = "container"
	labelExecutor    = "executor"
	labelFramework   = "framework"
	labelFrameworkID = "framework_id"
	labelRole        = "role"
	labelTask        = "task"
)

var (
	taskLabels        = []string{labelExecutor, labelFramework, labelFrameworkID, labelRole, labelTask}
	executorLabels    = taskLabels[:4]
	descsOfTasks      = descsOf("task", "task", taskLabels)
	descsOfExecutors  = descsOf("executor", "executor, its tasks included", executorLabels)
	descsOfContainers = descsOf("container", "container that a client of the API has launched", append([]string{labelContainer}, executorLabels...))
)

// descsOf are those of taskFigures.
func descsOf(subject, whose string, labels []string) []*prometheus.Desc {
	var all []*prometheus.Desc
	for _, f := range taskFigures {
		name := prometheus.BuildFQName("troupe", subject, f.name)
		all = append(all, prometheus.NewDesc(name, "Of a running "+whose+": "+f.help, labels, nil))
	}
	return all
}

// value is a figure of one container.
type value struct {
	desc    *prometheus.Desc
	labels  []*dto.LabelPair // of all figures of the container
	value   *float64
	counter bool
}

// Desc implements prometheus.Metric.
func (v *value) Desc() *prometheus.Desc { return v.desc }

// Write implements prometheus.Metric.
func (v *value) Write(to *dto.Metric) error {
	to.Label = v.labels
	if v.counter {
		to.Counter = &dto.Counter{Value: v.value}
	} else {
		to.Gauge = &dto.Gauge{Value: v.value}
	}
	return nil
}

// whose is what tells containers apart: no two have one at a time, or nothing at
// all could be gathered. It is what the labels say.
type whose struct {
	// Of one that a client of the API has launched, with those that it is in, the
	// outermost first; empty for others.
	container string
	executor  view.ExecutorID // empty if it stands alone
	framework view.FrameworkID
	task      view.TaskID // empty unless the container is a task's own
}

func whoseIs(c *sample) (w whose, descs []*prometheus.Desc) {
	descs = descsOfExecutors
	if x := c.executor; x != nil {
		w.executor, w.framework = x.ID, x.Framework
	}
	switch {
	case c.task != nil:
		w.task, descs = c.task.ID(), descsOfTasks
	case c.executor == nil || len(c.measured.ID) > 1:
		w.container, descs = strings.Join(c.measured.ID, "."), descsOfContainers
	}
	return w, descs
}

func (w whose) labels(c *sample) []*dto.LabelPair {
	var all []*dto.LabelPair
	if w.container != "" {
		all = append(all, pair(labelContainer, w.container))
	}
	role := ""
	if c.executor != nil {
		role = c.role()
	}
	all = append(all, pair(labelExecutor, string(w.executor)), pair(labelFramework, nameOf(c.framework)),
		pair(labelFrameworkID, string(w.framework)), pair(labelRole, role))
	if w.task != "" {
		all = append(all, pair(labelTask, string(w.task)))
	}
	return all
}

// collectContainers sends what is known of every container. As many are told of
// as run now.
func collectContainers(samples []sample, to chan<- prometheus.Metric) {
	told := map[whose]bool{}
	for i := range samples {
		c := &samples[i]
		key, descs := whoseIs(c)
		if told[key] || c.statistics == nil || key.container == "" && c.task == nil && c.executor.Generated {
			continue // a generated executor is told of as its task
		}
		told[key] = true
		labels := key.labels(c)
		for n, f := range taskFigures {
			if x := f.of(c.statistics); x != nil {
				to <- &value{desc: descs[n], labels: labels, value: x, counter: f.counter}
			}
		}
	}
}

// nameOf is a framework's name; f may be nil.
func nameOf(f *view.Framework) string {
	if f == nil {
		return ""
	}
	return f.Info.GetName()
}

// pair is a label; what is not UTF-8 would keep everything from being gathered.
func pair(name, value string) *dto.LabelPair {
	value = strings.ToValidUTF8(value, "\uFFFD")
	return &dto.LabelPair{Name: &name, Value: &value}
}
