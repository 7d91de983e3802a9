package isolation

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"troupe/slave/container/containerizer"
	"troupe/slave/container/fetcher"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/logs"
)

// Settings are how containers are isolated. The zero value isolates nothing.
type Settings struct {
	// Names are the isolators, complete and in the order in which they prepare; see
	// Expand.
	Names    []string `json:"names,omitempty"`
	Cgroups  Cgroups  `json:"cgroups,omitzero"`
	Security Security `json:"security,omitzero"`
	Disk     Disk     `json:"disk,omitzero"`
	// Fetching is how commands get their URIs.
	Fetching fetcher.Settings `json:"fetching,omitzero"`
	// Logs bounds what is kept of the output; nil keeps all.
	Logs *logs.Settings `json:"logs,omitempty"`
	Perf Perf           `json:"perf,omitzero"`
	// In bytes; nil leaves what the kernel has.
	SharedMemory *uint64 `json:"shared_memory,omitempty"`
	// Containers may not ask for the namespaces of the agent.
	OwnPID bool `json:"own_pid,omitempty"`
	OwnIPC bool `json:"own_ipc,omitempty"`
	// HostPaths may be made on the machine for volumes, with all below them.
	HostPaths []string `json:"host_paths,omitempty"`
	// GPUs are those that tasks may have, by number; nil: all.
	GPUs []int `json:"gpus,omitempty"`
}

// Cgroups are settings of the isolators cgroups/….
type Cgroups struct {
	// Where the kernel's controllers are mounted, and the folder of ours in them.
	Hierarchy string `json:"hierarchy,omitempty"`
	Root      string `json:"root,omitempty"`
	// Quota holds containers to their CPUs also while others idle.
	Quota bool `json:"quota,omitempty"`
	// Swap counts as memory.
	LimitSwap bool `json:"limit_swap,omitempty"`
	// Count processes and threads.
	Count bool `json:"count,omitempty"`
	// RevocableLow gives revocable CPUs a hundredth of the weight.
	RevocableLow bool `json:"revocable_low,omitempty"`
	// Devices, as Mesos's DeviceWhitelist in JSON, beside those that all have.
	Devices json.RawMessage `json:"devices,omitempty"`
	// How long a container may take to end.
	DestroyTimeout time.Duration `json:"destroy_timeout,omitempty"`
}

// Security is what limits what programs can do.
type Security struct {
	// Lists of names, as in Mesos's CapabilityInfo; nil: all.
	Effective      *[]string `json:"effective,omitempty"`
	Bounding       *[]string `json:"bounding,omitempty"`
	SeccompDir     string    `json:"seccomp_dir,omitempty"`
	SeccompProfile string    `json:"seccomp_profile,omitempty"`
}

// Disk is how the space of sandboxes is bounded.
type Disk struct {
	// Enforce ends what has used more than it may.
	Enforce bool `json:"enforce,omitempty"`
	// Between two looks of disk/du.
	Interval time.Duration `json:"interval,omitempty"`
	// The project ids of disk/xfs, both included.
	ProjectFirst uint32 `json:"project_first,omitempty"`
	ProjectLast  uint32 `json:"project_last,omitempty"`
	// Kill ends what has used more; else its writes fail. Headroom, in bytes, is
	// how much more it may write until then.
	Kill     bool   `json:"kill,omitempty"`
	Headroom uint64 `json:"headroom,omitempty"`
	// WorkDir is the agent's.
	WorkDir string `json:"work_dir,omitempty"`
}

// Perf is what cgroups/perf_event samples.
type Perf struct {
	Events   []string      `json:"events,omitempty"`
	Interval time.Duration `json:"interval,omitempty"`
	Duration time.Duration `json:"duration,omitempty"`
}

// JSON is the settings for hosts.
func (s Settings) JSON() ([]byte, error) { return json.Marshal(s) }

// Parse reads what JSON wrote; nothing means the zero value. An unknown setting,
// of a newer agent, is an error: it may promise something.
func Parse(text []byte) (Settings, error) {
	var s Settings
	if len(text) == 0 {
		return s, nil
	}
	if err := decode(text, &s); err != nil {
		return s, fmt.Errorf("settings of isolation: %w", err)
	}
	return s, nil
}

// Set is the isolators that the settings name. An error says what the kernel, or
// something else, lacks for one of them.
func (s Settings) Set() (*isolator.Set, error) {
	list := make([]isolator.Isolator, 0, len(s.Names))
	for _, name := range s.Names {
		i := slices.IndexFunc(table, func(r row) bool { return r.name == name })
		if i < 0 {
			return nil, fmt.Errorf("isolator %q is not known here", name)
		}
		one, err := table[i].make(s)
		if err != nil {
			return nil, fmt.Errorf("isolator %s: %w", name, err)
		}
		list = append(list, one)
	}
	if s.Logs != nil {
		one, err := logs.New(*s.Logs)
		if err != nil {
			return nil, fmt.Errorf("container_logger: %w", err)
		}
		list = append(list, one)
	}
	return isolator.NewSet(list...), nil
}

// Means is all that containers are made with.
func (s Settings) Means() (containerizer.Means, error) {
	set, err := s.Set()
	return containerizer.Means{Isolators: set, Fetcher: fetcher.Client{
		Settings: s.Fetching,
		// This very program, also after its file was replaced.
		Path: fmt.Sprintf("/proc/%d/exe", os.Getpid()), Args: []string{"troupe", "fetch"}, Env: fetcher.Environment(os.LookupEnv),
	}}, err
}
