package api

import (
	"time"

	"troupe/messages/json"
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

func (s *server) writeContainers(w *json.Writer, snapshot *view.Snapshot) {
	w.BeginArray()
	for _, c := range s.samples(snapshot) {
		w.BeginObject()
		w.Field("container_id", string(c.executor.Container))
		writeWhose(w, c)
		w.Key("status")
		w.BeginObject()
		w.Key("container_id")
		w.BeginObject()
		w.Field("value", string(c.executor.Container))
		w.EndObject()
		if pid := c.pid(); pid != 0 {
			w.Field("executor_pid", pid)
		}
		w.EndObject()
		w.EndObject()
	}
	w.EndArray()
}

// pid is the executor's process, or the one of the host that it lives in.
func (c *sample) pid() int {
	switch {
	case c.executor.Pid != 0:
		return int(c.executor.Pid)
	case c.host != nil:
		return int(c.host.Pid)
	}
	return 0
}

func (s *server) writeStatistics(w *json.Writer, snapshot *view.Snapshot) {
	w.BeginArray()
	for _, c := range s.samples(snapshot) {
		w.BeginObject()
		writeWhose(w, c)
		w.EndObject()
	}
	w.EndArray()
}

func writeWhose(w *json.Writer, c sample) {
	x := c.executor
	w.Field("executor_id", string(x.ID))
	w.Field("executor_name", x.Info.GetName())
	w.Field("framework_id", string(x.Framework))
	w.Field("source", x.Info.GetSource())
	limits := used(x)
	mem := uint64(limits.Scalar("mem").Float() * megabyte)
	w.Key("statistics")
	w.BeginObject()
	w.Field("cpus_soft_limit", limits.Scalar("cpus").Float())
	if c.known {
		w.Field("cpus_system_time_secs", c.usage.System.Seconds())
		w.Field("cpus_user_time_secs", c.usage.User.Seconds())
		w.Field("mem_rss_bytes", c.usage.RSS)
		w.Field("processes", c.usage.Processes)
		w.Field("threads", c.usage.Threads)
	}
	w.Field("mem_limit_bytes", mem)
	w.Field("mem_soft_limit_bytes", mem)
	at := c.at
	if at.IsZero() {
		at = time.Now()
	}
	w.Field("timestamp", float64(at.UnixMicro())/1e6)
	w.EndObject()
}
