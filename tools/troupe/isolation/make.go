package isolation

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/isolator/cgroups/blkio"
	"troupe/slave/container/isolator/cgroups/cpu"
	"troupe/slave/container/isolator/cgroups/cpuset"
	"troupe/slave/container/isolator/cgroups/devices"
	"troupe/slave/container/isolator/cgroups/hugetlb"
	"troupe/slave/container/isolator/cgroups/kill"
	"troupe/slave/container/isolator/cgroups/mem"
	netcls "troupe/slave/container/isolator/cgroups/net_cls"
	perfevent "troupe/slave/container/isolator/cgroups/perf_event"
	"troupe/slave/container/isolator/cgroups/pids"
	"troupe/slave/container/isolator/disk"
	"troupe/slave/container/isolator/disk/du"
	"troupe/slave/container/isolator/disk/xfs"
	environmentsecret "troupe/slave/container/isolator/environment_secret"
	"troupe/slave/container/isolator/filesystem/linux"
	"troupe/slave/container/isolator/filesystem/sharing"
	"troupe/slave/container/isolator/gpu/nvidia"
	"troupe/slave/container/isolator/linux/capabilities"
	"troupe/slave/container/isolator/linux/nnp"
	"troupe/slave/container/isolator/linux/seccomp"
	"troupe/slave/container/isolator/logs"
	nscgroup "troupe/slave/container/isolator/namespaces/cgroup"
	"troupe/slave/container/isolator/namespaces/ipc"
	"troupe/slave/container/isolator/namespaces/pid"
	"troupe/slave/container/isolator/namespaces/uts"
	"troupe/slave/container/isolator/posix/rlimits"
	hostpath "troupe/slave/container/isolator/volume/host_path"
	volumes "troupe/slave/container/isolator/volume/persistent"
	sandboxpath "troupe/slave/container/isolator/volume/sandbox_path"
	secrets "troupe/slave/container/isolator/volume/secret"
	"troupe/slave/container/plan"
	"troupe/slave/container/secret"
)

// maker makes the isolators of some settings.
type maker struct {
	Settings
	report func(error)
	tree   *cgroups.Tree // nil until one is needed
	// devices is nil until it is made, which is after those who call it.
	devices *devices.Isolator
}

// groups are the machine's control groups.
func (m *maker) groups() (*cgroups.Tree, error) {
	if m.tree != nil {
		return m.tree, nil
	}
	if _, err := os.Stat(m.Cgroups.Hierarchy); err != nil {
		return nil, fmt.Errorf("control groups: %w", err)
	}
	tree, err := cgroups.Open(m.Cgroups.settings())
	m.tree = tree
	return tree, err
}

func (m *maker) resolver() (secret.Resolver, error) { return secret.Open(m.Security.Secrets) }

// table has the isolators that there are, in the order in which they prepare:
// what a container sees of the file system and its volumes, what it is held to,
// what it may not do, its namespaces, its groups, and last those groups that go by
// what others have planned.
var table = []row{
	{name: posixFilesystem, make: unmovedBy(posixFilesystem)},
	{name: sharedFilesystem, make: func(*maker) (isolator.Isolator, error) { return sharing.New() }},
	{name: linuxFilesystem, make: func(*maker) (isolator.Isolator, error) { return linux.New() }},
	{name: persistent, implied: true, make: func(*maker) (isolator.Isolator, error) { return volumes.New(), nil }},
	{name: sandboxPath, make: func(*maker) (isolator.Isolator, error) { return sandboxpath.New(), nil }},
	{name: hostPath, make: func(m *maker) (isolator.Isolator, error) {
		return hostpath.New(hostpath.Settings{ForceCreation: m.HostPaths})
	}},
	{name: secretVolume, make: func(m *maker) (isolator.Isolator, error) {
		r, err := m.resolver()
		return secrets.New(r), err
	}},
	{name: secretVariables, make: func(m *maker) (isolator.Isolator, error) {
		r, err := m.resolver()
		return environmentsecret.New(r), err
	}},
	{name: "posix/cpu", make: unmovedBy("posix/cpu")},
	{name: "posix/mem", make: unmovedBy("posix/mem")},
	{name: "disk/du", make: func(m *maker) (isolator.Isolator, error) {
		return du.New(du.Options{Records: disk.In(m.WorkDir), Interval: m.Disk.Interval, Enforce: m.Disk.Enforce, Failed: m.report})
	}},
	{name: "disk/xfs", make: func(m *maker) (isolator.Isolator, error) {
		return xfs.New(xfs.Options{
			WorkDir: m.WorkDir, Records: disk.In(m.WorkDir), First: m.Disk.ProjectFirst, Last: m.Disk.ProjectLast,
			Kill: m.Disk.Kill, Headroom: m.Disk.Headroom, Interval: m.Disk.Interval, Failed: m.report,
		})
	}},
	{name: gpus, make: func(m *maker) (isolator.Isolator, error) {
		return nvidia.New(nvidia.Settings{
			Claims: filepath.Join(m.WorkDir, "meta", "gpus"), Devices: m.GPUs,
			Grant: func(c *isolator.Container, has, lost []plan.Device) error { return m.devices.Grant(c, has, lost) },
		})
	}},
	{name: "posix/rlimits", make: func(*maker) (isolator.Isolator, error) { return rlimits.New() }},
	{name: "linux/capabilities", make: func(m *maker) (isolator.Isolator, error) {
		return capabilities.New(capabilities.Settings{Effective: m.Security.Effective.info(), Bounding: m.Security.Bounding.info()})
	}},
	{name: "linux/nnp", make: func(*maker) (isolator.Isolator, error) { return nnp.New() }},
	{name: "linux/seccomp", make: func(m *maker) (isolator.Isolator, error) {
		return seccomp.New(seccomp.Settings{Dir: m.Security.SeccompDir, Profile: m.Security.SeccompProfile})
	}},
	{name: "namespaces/pid", make: func(m *maker) (isolator.Isolator, error) { return pid.New(m.OwnPID) }},
	{name: "namespaces/ipc", make: func(m *maker) (isolator.Isolator, error) {
		return ipc.New(ipc.Options{ShmSize: m.SharedMemory, DisallowSharing: m.OwnIPC})
	}},
	{name: "namespaces/uts", make: func(*maker) (isolator.Isolator, error) { return uts.New() }},
	{name: "namespaces/cgroup", make: func(*maker) (isolator.Isolator, error) { return nscgroup.New() }},
	{name: "cgroups/cpu", make: grouped(func(m *maker, t *cgroups.Tree) (isolator.Isolator, error) {
		return cpu.New(t, cpu.Settings{CFS: m.Cgroups.Quota, LowPriority: m.Cgroups.RevocableLow, Count: m.Cgroups.Count})
	})},
	{name: "cgroups/mem", make: grouped(func(m *maker, t *cgroups.Tree) (isolator.Isolator, error) {
		return mem.New(t, mem.Settings{LimitSwap: m.Cgroups.LimitSwap})
	})},
	{name: "cgroups/pids", make: grouped(func(m *maker, t *cgroups.Tree) (isolator.Isolator, error) {
		return pids.New(t, pids.Settings{Max: m.Cgroups.MaxPIDs})
	})},
	{name: "cgroups/blkio", make: grouped(func(_ *maker, t *cgroups.Tree) (isolator.Isolator, error) { return blkio.New(t) })},
	{name: "cgroups/cpuset", make: grouped(func(_ *maker, t *cgroups.Tree) (isolator.Isolator, error) { return cpuset.New(t) })},
	{name: "cgroups/hugetlb", make: grouped(func(_ *maker, t *cgroups.Tree) (isolator.Isolator, error) { return hugetlb.New(t) })},
	{name: "cgroups/net_cls", make: grouped(func(m *maker, t *cgroups.Tree) (isolator.Isolator, error) {
		return netcls.New(t, m.Cgroups.Classes)
	})},
	{name: "cgroups/perf_event", make: grouped(func(m *maker, t *cgroups.Tree) (isolator.Isolator, error) {
		return perfevent.New(t, perfevent.Settings(m.Cgroups.Perf))
	})},
	{name: "cgroups/devices", make: grouped(func(m *maker, t *cgroups.Tree) (isolator.Isolator, error) {
		rules, err := devices.Rules(m.Cgroups.Devices.whitelist())
		if err != nil {
			return nil, err
		}
		m.devices, err = devices.New(t, rules)
		return m.devices, err
	})},
	{name: killing, implied: true, make: grouped(func(_ *maker, t *cgroups.Tree) (isolator.Isolator, error) { return kill.New(t) })},
	{name: rotation, implied: true, make: func(m *maker) (isolator.Isolator, error) { return logs.New(*m.Logs) }},
}

// grouped is of an isolator that needs the machine's control groups.
func grouped(make func(*maker, *cgroups.Tree) (isolator.Isolator, error)) func(*maker) (isolator.Isolator, error) {
	return func(m *maker) (isolator.Isolator, error) {
		t, err := m.groups()
		if err != nil {
			return nil, err
		}
		return make(m, t)
	}
}

// Set is the isolators that the settings name. An error says what the kernel, or
// something else, lacks for one of them. report is told of what goes wrong behind
// somebody's back, from any goroutine.
func (s Settings) Set(report func(error)) (*isolator.Set, error) {
	m := &maker{Settings: s, report: report}
	list := make([]isolator.Isolator, 0, len(s.Names))
	for _, name := range s.Names {
		i := slices.IndexFunc(table, func(r row) bool { return r.name == name })
		if i < 0 {
			return nil, fmt.Errorf("isolator %q is not known here", name)
		}
		one, err := table[i].make(m)
		if err != nil {
			if !strings.HasPrefix(err.Error(), name) {
				err = fmt.Errorf("%s: %w", name, err)
			}
			return nil, err
		}
		list = append(list, one)
	}
	return isolator.NewSet(list...), nil
}

// unmoved is an isolator that holds to nothing: what it stands for is so without
// it, as the accounting of processes by the agent.
type unmoved string

func unmovedBy(name string) func(*maker) (isolator.Isolator, error) {
	return func(*maker) (isolator.Isolator, error) { return unmoved(name), nil }
}

// Name implements isolator.Isolator.
func (u unmoved) Name() string { return string(u) }

// Prepare implements isolator.Isolator.
func (unmoved) Prepare(context.Context, *isolator.Container, *plan.Plan) error { return nil }
