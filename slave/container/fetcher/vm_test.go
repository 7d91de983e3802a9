//go:build !vm

package fetcher

import (
	"testing"

	"troupe/tools/vm"
)

// TestInMachine runs the tests of this package that have the tag vm, on a network
// that is as bad as they like.
func TestInMachine(t *testing.T) {
	vm.Machine{Modules: []string{"sch_netem"}, Binaries: []string{"/usr/sbin/tc"}}.Test(t,
		vm.Suite{Package: "troupe/slave/container/fetcher", Tags: "vm", Run: "Network", Args: []string{"-test.v"}},
	)
}
