package cgroups

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Settings are those of every isolator here.
type Settings struct {
	// Hierarchy is where control groups are mounted, usually /sys/fs/cgroup.
	Hierarchy string
	// Root is the folder in each hierarchy below which containers have theirs, such
	// as "mesos", or "agents.slice/mesos". Slashes around it do not count.
	Root string
	// DestroyTimeout bounds how long the end of a container waits for the kernel
	// to let go of its groups; 0 is a minute.
	DestroyTimeout time.Duration
}

// Tree is where the groups of containers are.
type Tree struct {
	settings Settings
	mounts   []mount
	unified  *mount
}

// Open finds the control groups of this process's mount namespace.
func Open(s Settings) (*Tree, error) {
	data, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("cgroups: %w", err)
	}
	return open(s, data)
}

func open(s Settings, mountinfo []byte) (*Tree, error) {
	s.Hierarchy = filepath.Clean(s.Hierarchy)
	s.Root = strings.Trim(filepath.Clean("/"+s.Root), "/")
	if s.Root == "" {
		return nil, fmt.Errorf("cgroups: root: a name is needed, as containers have no place in the root group")
	}
	if s.DestroyTimeout <= 0 {
		s.DestroyTimeout = time.Minute
	}
	mounts, err := parseMountinfo(mountinfo)
	if err != nil {
		return nil, fmt.Errorf("cgroups: %w", err)
	}
	if len(mounts) == 0 {
		return nil, fmt.Errorf("cgroups: none are mounted: mount -t cgroup2 cgroup2 %s, or use --isolation=posix/cpu,posix/mem", s.Hierarchy)
	}
	return &Tree{settings: s, mounts: mounts, unified: unified(mounts, s.Hierarchy)}, nil
}

// Version is that of the control groups that are used: 1 or 2.
func (t *Tree) Version() int {
	if t.unified != nil {
		return 2
	}
	return 1
}

// Controllers are the names of those that this machine has for containers, in
// alphabetical order.
func (t *Tree) Controllers() ([]string, error) {
	if t.unified != nil {
		return enabled(t.unified.point, "cgroup.controllers")
	}
	var names []string
	for _, m := range t.mounts {
		if m.unified {
			continue
		}
		for _, s := range m.subsystems {
			if _, ok := known[s]; ok {
				names = append(names, s)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// known are the subsystems of version 1, with the kernel's option that each
// needs.
var known = map[string]string{
	"cpu": "CONFIG_CGROUP_SCHED", "cpuacct": "CONFIG_CGROUP_CPUACCT", "cpuset": "CONFIG_CPUSETS_V1", "memory": "CONFIG_MEMCG_V1",
	"devices": "CONFIG_CGROUP_DEVICE", "freezer": "CONFIG_CGROUP_FREEZER", "blkio": "CONFIG_BLK_CGROUP", "pids": "CONFIG_CGROUP_PIDS",
	"hugetlb": "CONFIG_CGROUP_HUGETLB", "net_cls": "CONFIG_CGROUP_NET_CLASSID", "net_prio": "CONFIG_CGROUP_NET_PRIO",
	"perf_event": "CONFIG_CGROUP_PERF",
}

// Controller finds one by its name ("memory", "cpu"), makes the root folder of
// containers in it, and sees that it can be written. An error says what is
// missing and what to do about it. On version 2 an empty name is for the groups
// as such, and "freezer", "cpuacct", "devices" and "perf_event" are parts of
// every group.
func (t *Tree) Controller(name string) (*Controller, error) {
	if t.unified != nil {
		return t.controller2(name)
	}
	m := holder(t.mounts, name, t.settings.Hierarchy)
	if m == nil {
		return nil, t.unbound(name)
	}
	if m.readOnly {
		return nil, readOnly(name, m)
	}
	c := &Controller{tree: t, name: name, base: filepath.Join(m.point, t.settings.Root), cpus: slices.Contains(m.subsystems, "cpuset")}
	if err := c.mkdirAll(m.point, t.settings.Root); err != nil {
		return nil, fmt.Errorf("cgroups: the root folder of containers in %s: %w", name, err)
	}
	return c, nil
}

func readOnly(name string, m *mount) error {
	what := "the " + name + " subsystem"
	if m.unified {
		what = "version 2"
	}
	return fmt.Errorf("cgroups: %s is mounted read-only at %s: make it writable (mount -o remount,rw %s), or use --isolation without cgroups/...: %w",
		what, m.point, m.point, unix.EROFS)
}

// unbound says why a subsystem of version 1 is not there.
func (t *Tree) unbound(name string) error {
	at := filepath.Join(t.settings.Hierarchy, name)
	option, ok := known[name]
	if !ok {
		return fmt.Errorf("cgroups: there is no subsystem %q", name)
	}
	data, err := os.ReadFile("/proc/cgroups")
	if err != nil {
		return fmt.Errorf("cgroups: subsystem %s: %w", name, err)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) != 4 || f[0] != name {
			continue
		}
		if f[3] != "1" {
			return fmt.Errorf("cgroups: subsystem %s is disabled in this kernel: remove cgroup_disable=%s from its command line", name, name)
		}
		return fmt.Errorf("cgroups: subsystem %s is not mounted: mkdir -p %s && mount -t cgroup -o %s cgroup %s", name, at, name, at)
	}
	return fmt.Errorf("cgroups: this kernel has no subsystem %s: it needs %s", name, option)
}
