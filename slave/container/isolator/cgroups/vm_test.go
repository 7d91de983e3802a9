package cgroups_test

import (
	"testing"

	"troupe/tools/vm"
)

// All tests of the isolators here once more, with control groups as other machines
// have them.
func TestMachines(t *testing.T) {
	const here = "troupe/slave/container/isolator/cgroups"
	suites := []vm.Suite{{Package: here, SkipTests: "TestMachines"}}
	for _, name := range []string{"kill", "cpu", "mem", "pids", "cpuset", "devices", "hugetlb", "blkio", "net_cls", "perf_event"} {
		suites = append(suites, vm.Suite{Package: here + "/" + name})
	}
	built := vm.Machine{}.Build(t, suites...)
	for name, groups := range map[string]vm.Groups{"version 2": vm.Version2, "version 1": vm.Version1, "hybrid": vm.Hybrid} {
		t.Run(name, func(t *testing.T) {
			m := vm.Machine{Groups: groups, Modules: []string{"loop", "ext4", "tcp_diag"}, Arguments: []string{"hugepages=16"}}
			m.TestBuilt(t, built...)
		})
	}
}
