package cgroups_test

import (
	"testing"

	"troupe/tools/vm"
)

// All tests of the isolators here once more, on version 2.
func TestVersion2(t *testing.T) {
	const here = "troupe/slave/container/isolator/cgroups"
	suites := []vm.Suite{{Package: here, SkipTests: "TestVersion2"}}
	for _, name := range []string{"kill", "cpu", "mem", "pids", "cpuset", "devices", "hugetlb", "blkio", "net_cls", "perf_event"} {
		suites = append(suites, vm.Suite{Package: here + "/" + name})
	}
	vm.Machine{Modules: []string{"loop", "ext4"}}.Test(t, suites...)
}
