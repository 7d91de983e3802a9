package cgroups_test

import (
	"testing"

	"troupe/tools/vm"
)

// All tests of the isolators here once more, on version 2.
func TestVersion2(t *testing.T) {
	const here = "troupe/slave/container/isolator/cgroups"
	vm.Machine{}.Test(t,
		vm.Suite{Package: here, SkipTests: "TestVersion2"},
		vm.Suite{Package: here + "/kill"},
		vm.Suite{Package: here + "/cpu"},
		vm.Suite{Package: here + "/mem"},
	)
}
