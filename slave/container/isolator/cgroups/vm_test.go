package cgroups_test

import (
	"slices"
	"testing"

	"troupe/tools/vm"
)

// The tests of the isolators here once more, with control groups as other machines
// have them: all on version 2, and of version 1, which this machine has, those for
// which it matters what is mounted where, or what it does not mount.
func TestMachines(t *testing.T) {
	const (
		here = "troupe/slave/container/isolator/cgroups"
		long = "TestHogLivesWithoutLimit|TestNoSharesWithoutIsolator|TestNoQuotaWithoutLimit|TestUpdate"
	)
	names := []string{"", "/kill", "/cpu", "/mem", "/pids", "/cpuset", "/devices", "/hugetlb", "/blkio", "/net_cls", "/perf_event"}
	suites := make([]vm.Suite, len(names))
	for i, name := range names {
		suites[i] = vm.Suite{Package: here + name, SkipTests: "TestMachines"}
	}
	// What cgroups/all is there, and that it can be had all at once.
	const all = "agent"
	names, suites = append(names, all), append(suites, vm.Suite{Package: "troupe/tools/troupe/isolation", Run: "TestEverything|TestLacks"})
	built := vm.Machine{}.Build(t, suites...)
	for _, m := range []struct {
		name     string
		groups   vm.Groups
		packages []string
		skip     string
	}{
		{"version 2", vm.Version2, names, "^$"},
		{"version 1", vm.Version1, []string{"", "/hugetlb", "/blkio", "/net_cls", "/perf_event"}, long},
		{"hybrid", vm.Hybrid, names, long},
		// containerd/cgroups looks for a hierarchy per controller.
		{"together", vm.Together, []string{"", "/kill", "/mem", "/cpuset", "/devices", "/net_cls"}, long + "|TestFiguresAgree"},
	} {
		t.Run(m.name, func(t *testing.T) {
			var suites []vm.Built
			for i, name := range names {
				if name == all || slices.Contains(m.packages, name) {
					suites = append(suites, built[i].Skipping(m.skip))
				}
			}
			machine := vm.Machine{Groups: m.groups, Modules: []string{"loop", "ext4", "tcp_diag"}, Arguments: []string{"hugepages=16"}}
			machine.TestBuilt(t, suites...)
		})
	}
}
