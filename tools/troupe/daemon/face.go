package daemon

import (
	"time"

	"troupe/actors/inspect"
	"troupe/slave"
	"troupe/slave/api"
	"troupe/slave/api/containers"
	executorapi "troupe/slave/api/executor"
	"troupe/slave/container/fetcher"
	"troupe/slave/container/fetcher/cache"
	"troupe/slave/container/sandbox"
)

// mountAgent mounts an agent's routes.
func mountAgent(d *Daemon, views *api.View, figures api.Collector, collector *sandbox.Collector, m *meter, o AgentOptions) {
	sys := d.System
	executorapi.Mount(sys, sys.PID(slave.Name), views, executorapi.Options{Heartbeat: o.ExecutorHeartbeat})
	api.MountProcesses(sys, views, sys, sys.PID(slave.Name))
	var capabilities []string
	for _, c := range o.Config.Capabilities {
		capabilities = append(capabilities, c.String())
	}
	others := containers.List(sys, sys.PID(slave.Name))
	figures.Ask(others)
	api.Mount(sys, views, api.Info{
		Version: o.Config.Version, Program: o.Program, Started: time.Now(), PID: "slave(1)@" + sys.Address(), Hostname: o.Network.Hostname,
		Capabilities: capabilities, Flags: o.Flags, LogFile: o.Logging.File, Log: d.log, Measure: m.measure,
		Containers: containers.Handler(sys, sys.PID(slave.Name), o.StreamHeartbeat), Others: others,
		Metrics: []func(func(string, float64)){inspect.Machine, func(put func(key string, value float64)) {
			succeeded, failed, pending := collector.Counts()
			put("gc/path_removals_succeeded", float64(succeeded))
			put("gc/path_removals_failed", float64(failed))
			put("gc/path_removals_pending", float64(pending))
			if age, err := collector.MaxAge(); err == nil { // the agent tells of a disk that cannot be read
				put("slave/executor_directory_max_allowed_age_secs", age.Seconds())
			}
		}, fetches(o.Isolation.Fetching), m.figures},
	})
}

// fetches are the figures of what containers have fetched. What of them cannot be
// read is left out: the cache is no reason to show nothing else.
func fetches(s fetcher.Settings) func(func(string, float64)) {
	c := cache.Cache{Dir: s.CacheDir, Size: s.CacheSize}
	return func(put func(key string, value float64)) {
		put("containerizer/fetcher/cache_size_total_bytes", float64(s.CacheSize))
		if used, err := c.Used(); err == nil {
			put("containerizer/fetcher/cache_size_used_bytes", float64(used))
		}
		if n, err := c.Counts(); err == nil {
			put("containerizer/fetcher/task_fetches_succeeded", float64(n.Succeeded))
			put("containerizer/fetcher/task_fetches_failed", float64(n.Failed))
		}
	}
}
