package api

import (
	"net/url"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/slave/state/view"
)

const megabyte = 1 << 20

// sample is a container with what it used at a moment.
type sample struct {
	executor *view.ExecutorTree
	host     *view.Host // nil when it has none yet
	usage    Usage
	known    bool
	at       time.Time
}

// samples measures every container, host by host.
func (s *server) samples(snapshot *view.Snapshot) []sample {
	var all []sample
	byHost := map[view.HostID][]string{}
	for _, f := range snapshot.Frameworks {
		for _, x := range f.Executors {
			all = append(all, sample{executor: x})
			byHost[x.Host] = append(byHost[x.Host], x.Sandbox)
		}
	}
	for _, h := range snapshot.Hosts {
		var usage map[string]Usage
		if s.info.Usage != nil && h.Pid != 0 && len(byHost[h.ID]) > 0 {
			usage = s.info.Usage(int(h.Pid), byHost[h.ID])
		}
		for i := range all {
			if all[i].executor.Host == h.ID {
				all[i].host, all[i].at = h, time.Now()
				all[i].usage, all[i].known = usage[all[i].executor.Sandbox]
			}
		}
	}
	return all
}

func (s *server) writeContainers(w *json.Writer, snapshot *view.Snapshot, q url.Values) {
	only := q.Get("container_id")
	w.BeginArray()
	for _, c := range s.samples(snapshot) {
		if only != "" && only != string(c.executor.Container) {
			continue
		}
		w.BeginObject()
		w.Field("container_id", string(c.executor.Container))
		writeWhose(w, c)
		w.Field("status", c.status())
		w.EndObject()
	}
	w.EndArray()
}

// pid is the executor's process, or the one of the host that it lives in.
func (c *sample) pid() int32 {
	switch {
	case c.executor.Pid != 0:
		return c.executor.Pid
	case c.host != nil:
		return c.host.Pid
	}
	return 0
}

func (c *sample) status() *mesos.ContainerStatus {
	status := &mesos.ContainerStatus{ContainerId: &mesos.ContainerID{Value: proto.String(string(c.executor.Container))}}
	if pid := c.pid(); pid != 0 {
		status.ExecutorPid = proto.Uint32(uint32(pid))
	}
	return status
}

// statistics are what the container may use, and used if that is known.
func (c *sample) statistics() *mesos.ResourceStatistics {
	at := c.at
	if at.IsZero() {
		at = time.Now()
	}
	limits := used(c.executor)
	mem := uint64(limits.Scalar("mem").Float() * megabyte)
	statistics := &mesos.ResourceStatistics{
		Timestamp:     proto.Float64(float64(at.UnixMicro()) / 1e6),
		CpusSoftLimit: proto.Float64(limits.Scalar("cpus").Float()),
		MemLimitBytes: &mem, MemSoftLimitBytes: &mem,
	}
	if c.known {
		statistics.CpusUserTimeSecs = proto.Float64(c.usage.User.Seconds())
		statistics.CpusSystemTimeSecs = proto.Float64(c.usage.System.Seconds())
		statistics.MemRssBytes = &c.usage.RSS
		statistics.Processes = proto.Uint32(uint32(c.usage.Processes))
		statistics.Threads = proto.Uint32(uint32(c.usage.Threads))
	}
	return statistics
}

func writeWhose(w *json.Writer, c sample) {
	x := c.executor
	w.Field("executor_id", string(x.ID))
	w.Field("executor_name", x.Info.GetName())
	w.Field("framework_id", string(x.Framework))
	w.Field("source", x.Info.GetSource())
	w.Field("statistics", c.statistics())
}
