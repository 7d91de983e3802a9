package isolation

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
	"troupe/tools/cgrouptest"
	"troupe/tools/cgrouptest/unshared"
)

func TestMain(m *testing.M) { os.Exit(cgrouptest.Main(m)) }

// TestEverythingHolds a program: with all that cgroups/all stands for, also where
// isolators share a hierarchy.
func TestEverythingHolds(t *testing.T) {
	groups := Cgroups{Hierarchy: "/sys/fs/cgroup", Root: cgrouptest.Root(t)}
	set := everythingOf(t, groups)
	for _, name := range []string{"hugetlb", "perf_event", "net_cls"} { // which few machines have
		for _, at := range []string{"/sys/fs/cgroup/" + name, "/sys/fs/cgroup/all"} {
			if _, err := os.Stat(at); err == nil && !set.Has("cgroups/"+name) {
				t.Errorf("%s is mounted, and cgroups/%s not in %v", at, name, set.Names())
			}
		}
	}
	c := &isolator.Container{ID: []string{"box"}, Amounts: isolator.Amounts{CPUs: 1, Mem: 64 << 20}}
	inner := &isolator.Container{ID: []string{"box", "inner"}, Parent: c, Shared: true}
	for _, c := range []*isolator.Container{c, inner} {
		p := &plan.Plan{}
		if err := set.Prepare(t.Context(), c, p); err != nil {
			t.Fatal(err)
		}
		cgrouptest.Start(t, p, "wait")
	}
	var u mesos.ResourceStatistics
	if err := set.Usage(c, &u); err != nil || u.GetMemTotalBytes() == 0 || u.CpusUserTimeSecs == nil || u.BlkioStatistics == nil {
		t.Errorf("%v, %v", &u, err)
	}
	if err := errors.Join(set.Kill(t.Context(), c), set.Cleanup(t.Context(), inner), set.Cleanup(t.Context(), c)); err != nil {
		t.Error(err)
	}
	for _, pattern := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		if left, err := filepath.Glob(pattern + groups.Root + "/box"); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}
}

func everythingOf(t *testing.T, groups Cgroups) *isolator.Set {
	t.Helper()
	names, err := Expand(everyCgroup, groups.settings())
	if err != nil {
		t.Fatal(err)
	}
	set, err := Settings{Names: names, Cgroups: groups}.Set(func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestLacksAreNamed: where a hierarchy of version 1 is not mounted, cgroups/all goes
// without what is in it, and what needs it is refused, with what to do. What can end
// containers is never gone without.
func TestLacksAreNamed(t *testing.T) {
	groups := Cgroups{Hierarchy: "/sys/fs/cgroup", Root: cgrouptest.Root(t)}
	tree, err := cgroups.Open(groups.settings())
	if err != nil {
		t.Fatal(err)
	}
	if tree.Version() == 2 {
		return // has one hierarchy
	}
	for controller, names := range map[string][]string{
		"memory": {"cgroups/mem"}, "pids": {"cgroups/pids"}, "cpuset": {"cgroups/cpuset"}, "devices": {"cgroups/devices"},
		"hugetlb": {"cgroups/hugetlb"}, "perf_event": {"cgroups/perf_event"}, "net_cls": {"cgroups/net_cls"}, "freezer": {"cgroups/kill"},
	} {
		unshared.Run(t, func() {
			if err := unmounted(controller); err != nil {
				t.Error(err)
				return
			}
			all, err := Expand(everyCgroup, groups.settings())
			if err != nil && !strings.Contains(err.Error(), "none are mounted") {
				t.Error(err)
			}
			for _, name := range names {
				if slices.Contains(all, name) && name != killing {
					t.Errorf("%s without %s has %s", everyCgroup, controller, name)
				}
				_, err := Settings{Names: []string{name}, Cgroups: groups}.Set(func(error) {})
				if err == nil || !strings.HasPrefix(err.Error(), name) || !strings.Contains(err.Error(), "mount") {
					t.Errorf("%s without %s: %v", name, controller, err)
				}
			}
		})
	}
}

// unmounted takes a hierarchy of version 1 out of sight; none is no error.
func unmounted(controller string) error {
	data, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if at := slices.Index(f, "-"); at > 4 && f[at+1] == "cgroup" && slices.Contains(strings.Split(f[len(f)-1], ","), controller) {
			if err := unix.Unmount(f[4], unix.MNT_DETACH); err != nil {
				return fmt.Errorf("umount %s: %w", f[4], err)
			}
		}
	}
	return nil
}
