package commands

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"troupe/slave/container/isolator/cgroups"
	"troupe/tools/troupe/flags"
	"troupe/tools/troupe/isolation"
)

// isolationFlags say how an agent's containers are made.
type isolationFlags struct {
	names    string
	launcher string
	groups   groupFlags
	security securityFlags
	disk     diskFlags
	shm      flags.Bytes
	// Of namespaces that containers may not share with the agent.
	ownPID, ownIPC bool
	hostPaths      string
	gpus           string
}

// groupFlags are those of control groups.
type groupFlags struct {
	hierarchy, root                  string
	quota, swap, count, lowRevocable bool
	maxPIDs                          uint64
	devices                          string
	destroy                          flags.Duration
	// Of samples, and of the classes of packets.
	events                       string
	sampleInterval, sampleLength flags.Duration
	primary, secondary           string
}

func (g *groupFlags) add(set *pflag.FlagSet) {
	set.StringVar(&g.hierarchy, "cgroups_hierarchy", "/sys/fs/cgroup", "where the kernel's control groups are mounted")
	set.StringVar(&g.root, "cgroups_root", "mesos", "the group in which containers have theirs")
	flags.Bool(set, &g.quota, "cgroups_enable_cfs", false, "hold containers to their CPUs also while others idle (cgroups/cpu)")
	flags.Bool(set, &g.swap, "cgroups_limit_swap", false, "count swap as memory (cgroups/mem)")
	flags.Bool(set, &g.count, "cgroups_cpu_enable_pids_and_tids_count", false, "count processes and threads (cgroups/cpu)")
	flags.Bool(set, &g.lowRevocable, "revocable_cpu_low_priority", true, "revocable CPUs yield to others (cgroups/cpu)")
	set.Uint64Var(&g.maxPIDs, "cgroups_max_pids", 0, "processes and threads that a container may have (cgroups/pids); 0 does not bound them")
	set.StringVar(&g.devices, "allowed_devices", "", `devices that containers may use beside those that all may (cgroups/devices), as {"allowed_devices": [{"device": {"path": "/dev/x"}, "access": {"read": true}}]}`)
	set.StringVar(&g.events, "perf_events", "", "what is counted in samples of containers (cgroups/perf_event): events of perf list, with commas between")
	duration(set, &g.sampleInterval, "perf_interval", time.Minute, "between the beginnings of two samples")
	duration(set, &g.sampleLength, "perf_duration", 10*time.Second, "of a sample")
	set.StringVar(&g.primary, "cgroups_net_cls_primary_handle", "", "upper half of the class that packets of containers carry (cgroups/net_cls), like 0x0010; by default none is given")
	set.StringVar(&g.secondary, "cgroups_net_cls_secondary_handles", "", "lower halves of those classes, of which each container has its own: the first and the last, like 0x0001,0x1000; by default all")
	duration(set, &g.destroy, "cgroups_destroy_timeout", time.Minute, "for the kernel to let go of a container's groups")
}

// securityFlags are those that take privileges away.
type securityFlags struct {
	effective, bounding string
	dir, profile        string
	secrets             string
}

func (s *securityFlags) add(set *pflag.FlagSet) {
	set.StringVar(&s.effective, "effective_capabilities", "", `capabilities of tasks that name none (linux/capabilities), as {"capabilities": ["NET_RAW"]}; by default what their user has`)
	set.StringVar(&s.bounding, "bounding_capabilities", "", "the most that a task may have or get (linux/capabilities), in the same form; by default all")
	set.StringVar(&s.dir, "seccomp_config_dir", "", "folder of the profiles that tasks may name (linux/seccomp)")
	set.StringVar(&s.profile, "seccomp_profile_name", "", "profile of tasks that name none, in --seccomp_config_dir")
	set.Var((*folderValue)(&s.secrets), "secret_resolver", "file:///PATH of the folder of secrets that tasks may refer to; by default they have to bring their values")
}

// folderValue is file:///PATH, of which no file is read in its place.
type folderValue string

// Set implements pflag.Value.
func (f *folderValue) Set(s string) error {
	*f = folderValue(s)
	return nil
}

// String implements pflag.Value.
func (f *folderValue) String() string { return string(*f) }

// Type implements pflag.Value.
func (*folderValue) Type() string { return "path" }

// diskFlags bound the space of sandboxes.
type diskFlags struct {
	enforce, kill bool
	interval      flags.Duration
	projects      string
	headroom      flags.Bytes
}

func (d *diskFlags) add(set *pflag.FlagSet) {
	flags.Bool(set, &d.enforce, "enforce_container_disk_quota", false, "end containers that have used more of the disk than they may (disk/du)")
	duration(set, &d.interval, "container_disk_watch_interval", 15*time.Second, "between two looks at what containers use of the disk")
	set.StringVar(&d.projects, "xfs_project_range", "[5000-10000]", "ids of quotas that are given to containers (disk/xfs)")
	flags.Bool(set, &d.kill, "xfs_kill_containers", false, "end containers that have used more of the disk than they may, instead of failing their writes (disk/xfs)")
	d.headroom = 10 << 20
	set.Var(&d.headroom, "xfs_quota_headroom", "what containers may write beyond their quota until they are ended (--xfs_kill_containers)")
}

func (i *isolationFlags) add(set *pflag.FlagSet) {
	set.StringVar(&i.names, "isolation", "posix/cpu,posix/mem", "what containers are held to and how they are measured: a list of "+strings.Join(isolation.Known(), ", ")+"; also cgroups/all, and the older names process, cgroups and posix/disk")
	set.StringVar(&i.launcher, "launcher", "", "linux, or posix, which refuses an --isolation that takes more than plain processes; what it takes by default")
	i.groups.add(set)
	i.security.add(set)
	i.disk.add(set)
	set.Var(&i.shm, "default_container_shm_size", "what a container's own /dev/shm may hold (namespaces/ipc); by default half of the memory")
	flags.Bool(set, &i.ownPID, "disallow_sharing_agent_pid_namespace", false, "refuse containers that want to see all processes (namespaces/pid)")
	flags.Bool(set, &i.ownIPC, "disallow_sharing_agent_ipc_namespace", false, "refuse containers that want the machine's shared memory (namespaces/ipc)")
	set.StringVar(&i.hostPaths, "host_path_volume_force_creation", "", "folders, with colons between, in which host paths of volumes are made when they do not exist (volume/host_path)")
	set.StringVar(&i.gpus, "nvidia_gpu_devices", "", "GPUs that containers may have (gpu/nvidia), by their numbers in the order of nvidia-smi, as 0,2; by default all")
}

// settings checks the flags and turns them into a value.
func (i *isolationFlags) settings() (isolation.Settings, error) {
	s := isolation.Settings{
		Cgroups: isolation.Cgroups{
			Hierarchy: i.groups.hierarchy, Root: i.groups.root, Quota: i.groups.quota, LimitSwap: i.groups.swap, Count: i.groups.count,
			RevocableLow: i.groups.lowRevocable, MaxPIDs: i.groups.maxPIDs, DestroyTimeout: time.Duration(i.groups.destroy),
		},
		Security:     isolation.Security{SeccompDir: i.security.dir, SeccompProfile: i.security.profile, Secrets: i.security.secrets},
		Disk:         isolation.Disk{Enforce: i.disk.enforce, Interval: time.Duration(i.disk.interval), Kill: i.disk.kill, Headroom: uint64(i.disk.headroom)},
		SharedMemory: uint64(i.shm), OwnPID: i.ownPID, OwnIPC: i.ownIPC, HostPaths: i.hostPaths,
	}
	if err := positive(
		namedDuration{"cgroups_destroy_timeout", i.groups.destroy}, namedDuration{"perf_interval", i.groups.sampleInterval},
		namedDuration{"perf_duration", i.groups.sampleLength}, namedDuration{"container_disk_watch_interval", i.disk.interval},
	); err != nil {
		return s, err
	}
	for _, set := range []func(*isolation.Settings) error{i.setNames, i.setLists, i.setProjects, i.setGPUs, i.groups.setPerf, i.groups.setClasses} {
		if err := set(&s); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (i *isolationFlags) setNames(s *isolation.Settings) error {
	var err error
	s.Names, err = isolation.Expand(i.names, cgroups.Settings{Hierarchy: i.groups.hierarchy, Root: i.groups.root})
	if err != nil {
		return flagError("isolation", i.names, err.Error())
	}
	switch i.launcher {
	case "", "linux":
		return nil
	case "posix":
		if name := isolation.Confining(s.Names); name != "" {
			return flagError("launcher", i.launcher, "starts plain processes, and --isolation has "+name+", which takes more: name linux, or leave that out")
		}
		return nil
	}
	return flagError("launcher", i.launcher, "is neither linux nor posix")
}

func (i *isolationFlags) setLists(s *isolation.Settings) error {
	for _, list := range []struct {
		name, text, needs string
		into              func() proto.Message
	}{
		{"allowed_devices", i.groups.devices, "cgroups/devices", func() proto.Message {
			s.Cgroups.Devices = new(isolation.Devices)
			return &s.Cgroups.Devices.DeviceWhitelist
		}},
		{"effective_capabilities", i.security.effective, "linux/capabilities", func() proto.Message {
			s.Security.Effective = new(isolation.Capabilities)
			return &s.Security.Effective.CapabilityInfo
		}},
		{"bounding_capabilities", i.security.bounding, "linux/capabilities", func() proto.Message {
			s.Security.Bounding = new(isolation.Capabilities)
			return &s.Security.Bounding.CapabilityInfo
		}},
	} {
		if list.text == "" {
			continue
		}
		if err := protojson.Unmarshal([]byte(list.text), list.into()); err != nil {
			return flagError(list.name, list.text, "is not in the form that --help shows: "+err.Error())
		}
	}
	return i.needed(s.Names)
}

// needed refuses what nothing would keep: settings of isolators that are not named.
func (i *isolationFlags) needed(names []string) error {
	for _, f := range []struct {
		name, value, needs string
		given              bool
	}{
		{"cgroups_enable_cfs", "true", "cgroups/cpu", i.groups.quota},
		{"cgroups_limit_swap", "true", "cgroups/mem", i.groups.swap},
		{"cgroups_max_pids", strconv.FormatUint(i.groups.maxPIDs, 10), "cgroups/pids", i.groups.maxPIDs > 0},
		{"perf_events", i.groups.events, "cgroups/perf_event", i.groups.events != ""},
		{"cgroups_net_cls_primary_handle", i.groups.primary, "cgroups/net_cls", i.groups.primary != ""},
		{"allowed_devices", i.groups.devices, "cgroups/devices", i.groups.devices != ""},
		{"effective_capabilities", i.security.effective, "linux/capabilities", i.security.effective != ""},
		{"bounding_capabilities", i.security.bounding, "linux/capabilities", i.security.bounding != ""},
		{"seccomp_profile_name", i.security.profile, "linux/seccomp", i.security.profile != ""},
		{"seccomp_config_dir", i.security.dir, "linux/seccomp", i.security.dir != ""},
		{"default_container_shm_size", i.shm.String(), "namespaces/ipc", i.shm > 0},
		{"disallow_sharing_agent_pid_namespace", "true", "namespaces/pid", i.ownPID},
		{"disallow_sharing_agent_ipc_namespace", "true", "namespaces/ipc", i.ownIPC},
		{"enforce_container_disk_quota", "true", "disk/du", i.disk.enforce && !contains(names, "disk/xfs")},
		{"xfs_kill_containers", "true", "disk/xfs", i.disk.kill},
		{"host_path_volume_force_creation", i.hostPaths, "volume/host_path", i.hostPaths != ""},
		{"nvidia_gpu_devices", i.gpus, "gpu/nvidia", i.gpus != ""},
	} {
		if f.given && !contains(names, f.needs) {
			return flagError(f.name, f.value, "is kept by "+f.needs+" alone: name that in --isolation, too")
		}
	}
	return nil
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func (i *isolationFlags) setProjects(s *isolation.Settings) error {
	first, last, ok := strings.Cut(strings.Trim(strings.TrimSpace(i.disk.projects), "[]"), "-")
	from, err := strconv.ParseUint(strings.TrimSpace(first), 10, 32)
	if err == nil && ok {
		var to uint64
		to, err = strconv.ParseUint(strings.TrimSpace(last), 10, 32)
		if err == nil && from > 0 && to >= from {
			s.Disk.ProjectFirst, s.Disk.ProjectLast = uint32(from), uint32(to)
			return nil
		}
	}
	return flagError("xfs_project_range", i.disk.projects, "is no range of ids above 0, like [5000-10000]")
}

func (i *isolationFlags) setGPUs(s *isolation.Settings) error {
	if i.gpus == "" {
		return nil
	}
	for text := range strings.SplitSeq(i.gpus, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
		if err != nil {
			return flagError("nvidia_gpu_devices", i.gpus, "is no list of numbers, like 0,2")
		}
		s.GPUs = append(s.GPUs, int(n))
	}
	return nil
}
