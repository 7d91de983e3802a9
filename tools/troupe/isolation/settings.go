package isolation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/fetcher"
	"troupe/slave/container/isolator/cgroups"
	netcls "troupe/slave/container/isolator/cgroups/net_cls"
	"troupe/slave/container/isolator/gpu/nvidia"
	"troupe/slave/container/isolator/logs"
)

// Settings are how containers are made. The zero value isolates nothing.
type Settings struct {
	// Names are the isolators, complete and in the order in which they prepare; see
	// Expand.
	Names    []string `json:"names,omitempty"`
	Cgroups  Cgroups  `json:"cgroups,omitzero"`
	Security Security `json:"security,omitzero"`
	Disk     Disk     `json:"disk,omitzero"`
	// Fetching is how commands get their URIs.
	Fetching fetcher.Settings `json:"fetching,omitzero"`
	// Logs is nil where output is kept whole.
	Logs *logs.Settings `json:"logs,omitempty"`
	// SharedMemory is what a container's /dev/shm holds, in bytes; 0 leaves it to
	// the kernel.
	SharedMemory uint64 `json:"shared_memory,omitempty"`
	// Containers may not ask for the namespaces of the agent.
	OwnPID bool `json:"own_pid,omitempty"`
	OwnIPC bool `json:"own_ipc,omitempty"`
	// HostPaths may be made on the machine for volumes; with colons between.
	HostPaths string `json:"host_paths,omitempty"`
	// GPUs are those that containers may have, by their places in the order of
	// nvidia-smi; nil: all.
	GPUs []int `json:"gpus,omitempty"`
	// WorkDir is the agent's, absolute.
	WorkDir string `json:"work_dir,omitempty"`
}

// Cgroups are settings of the isolators cgroups/….
type Cgroups struct {
	// Where the kernel's controllers are mounted, and the folder of ours in them.
	Hierarchy string `json:"hierarchy,omitempty"`
	Root      string `json:"root,omitempty"`
	// Quota holds containers to their CPUs also while others idle.
	Quota bool `json:"quota,omitempty"`
	// LimitSwap counts swap as memory.
	LimitSwap bool `json:"limit_swap,omitempty"`
	// Count counts processes and threads.
	Count bool `json:"count,omitempty"`
	// RevocableLow gives revocable CPUs a hundredth of the weight.
	RevocableLow bool `json:"revocable_low,omitempty"`
	// MaxPIDs bounds the processes and threads of a container; 0 does not.
	MaxPIDs uint64          `json:"max_pids,omitempty"`
	Perf    Perf            `json:"perf,omitzero"`
	Classes netcls.Settings `json:"classes,omitzero"`
	// Devices that containers may use beside those that all may.
	Devices *Devices `json:"devices,omitempty"`
	// How long a container may take to end; 0 is a minute.
	DestroyTimeout time.Duration `json:"destroy_timeout,omitempty"`
}

// Perf is what cgroups/perf_event samples; see perfevent.Settings.
type Perf struct {
	Events   []string      `json:"events,omitempty"`
	Interval time.Duration `json:"interval,omitempty"`
	Duration time.Duration `json:"duration,omitempty"`
}

func (c Cgroups) settings() cgroups.Settings {
	return cgroups.Settings{Hierarchy: c.Hierarchy, Root: c.Root, DestroyTimeout: c.DestroyTimeout}
}

// Security is what limits what programs can do.
type Security struct {
	// Nil is all.
	Effective *Capabilities `json:"effective,omitempty"`
	Bounding  *Capabilities `json:"bounding,omitempty"`
	// A folder of profiles, and the one in it for containers that name none.
	SeccompDir     string `json:"seccomp_dir,omitempty"`
	SeccompProfile string `json:"seccomp_profile,omitempty"`
	// Secrets is where references to secrets are looked up; see secret.Open.
	Secrets string `json:"secrets,omitempty"`
}

// Disk is how the space of sandboxes is bounded.
type Disk struct {
	// Enforce has disk/du end what has used more than it may.
	Enforce bool `json:"enforce,omitempty"`
	// Interval is that between two looks.
	Interval time.Duration `json:"interval,omitempty"`
	// The project ids of disk/xfs, both included.
	ProjectFirst uint32 `json:"project_first,omitempty"`
	ProjectLast  uint32 `json:"project_last,omitempty"`
	// Kill has disk/xfs end what has used more; else its writes fail. Headroom, in
	// bytes, is how much more it may write until then.
	Kill     bool   `json:"kill,omitempty"`
	Headroom uint64 `json:"headroom,omitempty"`
}

// Capabilities and Devices travel as JSON, in Mesos's form.
type (
	// Capabilities is a list of them.
	Capabilities struct{ mesos.CapabilityInfo }
	// Devices is a list of what may be done with which.
	Devices struct{ mesos.DeviceWhitelist }
)

func (c *Capabilities) info() *mesos.CapabilityInfo {
	if c == nil {
		return nil
	}
	return &c.CapabilityInfo
}

func (d *Devices) whitelist() *mesos.DeviceWhitelist {
	if d == nil {
		return nil
	}
	return &d.DeviceWhitelist
}

// MarshalJSON implements json.Marshaler.
func (c *Capabilities) MarshalJSON() ([]byte, error) { return write(&c.CapabilityInfo) }

// UnmarshalJSON implements json.Unmarshaler.
func (c *Capabilities) UnmarshalJSON(text []byte) error {
	return protojson.Unmarshal(text, &c.CapabilityInfo)
}

// MarshalJSON implements json.Marshaler.
func (d *Devices) MarshalJSON() ([]byte, error) { return write(&d.DeviceWhitelist) }

// UnmarshalJSON implements json.Unmarshaler.
func (d *Devices) UnmarshalJSON(text []byte) error {
	return protojson.Unmarshal(text, &d.DeviceWhitelist)
}

func write(m proto.Message) ([]byte, error) {
	return protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
}

// Rotate has output kept as l says.
func (s *Settings) Rotate(l logs.Settings) {
	s.Logs, s.Names = &l, append(slices.Clone(s.Names), rotation)
}

// Default is what an agent has whose flags say nothing of isolation.
func Default(f fetcher.Settings) Settings {
	return Settings{Names: []string{posixFilesystem, secretVariables, "posix/cpu", "posix/mem"}, Fetching: f}
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
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&s)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("there is more behind them")
		}
	}
	if err != nil {
		return Settings{}, fmt.Errorf("settings of isolation: %w", err)
	}
	return s, nil
}

// Count is how many GPUs containers are given; nil where they are given none. It
// is asked of settings whose Set could be made.
func (s Settings) Count() (*int, error) {
	if !slices.Contains(s.Names, gpus) {
		return nil, nil
	}
	all, err := nvidia.Discover("/")
	if err == nil {
		all, err = nvidia.Select(all, s.GPUs)
	}
	n := len(all)
	return &n, err
}

// MountsVolumes tells that persistent volumes can be mounted.
func (s Settings) MountsVolumes() bool { return slices.Contains(s.Names, persistent) }

// HoldsLimits tells that tasks can be held to limits of CPUs and memory.
func (s Settings) HoldsLimits() bool {
	return slices.Contains(s.Names, "cgroups/cpu") && slices.Contains(s.Names, "cgroups/mem")
}
