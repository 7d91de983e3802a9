package daemon

import (
	"time"

	"troupe/actors/inspect"
	"troupe/slave"
	"troupe/slave/api"
	"troupe/slave/api/containers"
	executorapi "troupe/slave/api/executor"
	"troupe/slave/container/posix"
	"troupe/slave/container/sandbox"
)

// mountAgent mounts an agent's routes.
func mountAgent(d *Daemon, views *api.View, collector *sandbox.Collector, o AgentOptions) {
	sys := d.System
	executorapi.Mount(sys, sys.PID(slave.Name), views, executorapi.Options{Heartbeat: o.ExecutorHeartbeat})
	api.MountProcesses(sys, views, sys, sys.PID(slave.Name))
	var capabilities []string
	for _, c := range o.Config.Capabilities {
		capabilities = append(capabilities, c.String())
	}
	api.Mount(sys, views, api.Info{
		Version: o.Config.Version, Program: o.Program, Started: time.Now(), PID: "slave(1)@" + sys.Address(), Hostname: o.Network.Hostname,
		Capabilities: capabilities, Flags: o.Flags, LogFile: o.Logging.File, Log: d.log, Usage: usage,
		Containers: containers.Handler(sys, sys.PID(slave.Name), o.StreamHeartbeat), Others: containers.List(sys, sys.PID(slave.Name)),
		Metrics: []func(func(string, float64)){inspect.Machine, func(put func(key string, value float64)) {
			succeeded, failed, pending := collector.Counts()
			put("gc/path_removals_succeeded", float64(succeeded))
			put("gc/path_removals_failed", float64(failed))
			put("gc/path_removals_pending", float64(pending))
			if age, err := collector.MaxAge(); err == nil { // the agent tells of a disk that cannot be read
				put("slave/executor_directory_max_allowed_age_secs", age.Seconds())
			}
		}},
	})
}

// usage is what a host's containers use, by their sandboxes.
func usage(host int, sandboxes []string) map[string]api.Usage {
	all := make(map[string]api.Usage, len(sandboxes))
	for sandbox, u := range posix.UsageBySandbox(host, sandboxes) {
		all[sandbox] = api.Usage(u)
	}
	return all
}

// meter measures what containers use by the kernel's books.
type meter struct{}

// CPU implements slave.Meter.
func (meter) CPU(host int, sandboxes []string) map[string]time.Duration {
	used := make(map[string]time.Duration, len(sandboxes))
	for sandbox, u := range posix.UsageBySandbox(host, sandboxes) {
		used[sandbox] = u.User + u.System
	}
	return used
}

// Load implements slave.Meter.
func (meter) Load() ([3]float64, error) { return posix.Load() }
