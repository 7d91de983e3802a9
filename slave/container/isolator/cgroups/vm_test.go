package cgroups_test

import (
	"testing"

	"troupe/tools/vm"
)

// The tests of the isolators here once more, with control groups as other machines
// have them. What takes long is not tested on every one of them: with version 1 it
// is tested on this one.
func TestMachines(t *testing.T) {
	const (
		here = "troupe/slave/container/isolator/cgroups"
		long = "TestHogLivesWithoutLimit|TestNoSharesWithoutIsolator|TestNoQuotaWithoutLimit|TestUpdate"
	)
	suites := []vm.Suite{{Package: here, SkipTests: "TestMachines"}}
	for _, name := range []string{"kill", "cpu", "mem", "pids", "cpuset", "devices", "hugetlb", "blkio", "net_cls", "perf_event"} {
		suites = append(suites, vm.Suite{Package: here + "/" + name})
	}
	built := vm.Machine{}.Build(t, suites...)
	for _, m := range []struct {
		name   string
		groups vm.Groups
		skip   string
	}{
		{"version 2", vm.Version2, "^$"},
		{"version 1", vm.Version1, long + "|TestShares|TestForkBomb"},
		{"hybrid", vm.Hybrid, long},
		// containerd/cgroups looks for a hierarchy per controller.
		{"together", vm.Together, long + "|TestShares|TestForkBomb|TestFiguresAgree"},
	} {
		t.Run(m.name, func(t *testing.T) {
			var suites []vm.Built
			for _, s := range built {
				suites = append(suites, s.Skipping(m.skip))
			}
			machine := vm.Machine{Groups: m.groups, Modules: []string{"loop", "ext4", "tcp_diag"}, Arguments: []string{"hugepages=16"}}
			machine.TestBuilt(t, suites...)
		})
	}
}
