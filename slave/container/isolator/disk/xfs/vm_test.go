//go:build !vm

package xfs

import (
	"testing"

	"troupe/tools/vm"
)

// TestInMachine runs the tests of this package that have the tag vm, where the
// kernel has quotas of XFS.
func TestInMachine(t *testing.T) {
	vm.Machine{Modules: []string{"xfs", "loop"}, Binaries: []string{"/usr/sbin/mkfs.xfs"}}.Test(t,
		vm.Suite{Package: "troupe/slave/container/isolator/disk/xfs", Tags: "vm", Args: []string{"-test.v"}},
	)
}
