//go:build !vm

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"troupe/tools/processtest"
	"troupe/tools/vm"
)

// prepared builds the program and runs the tests.
func prepared(m *testing.M) int { return processtest.Run(m, &built) }

// TestInMachine runs tests of isolation, and those that have the tag vm, where there
// are control groups of version 2 alone, and quotas of XFS: a whole cluster is in the
// machine.
func TestInMachine(t *testing.T) {
	program := filepath.Join(t.TempDir(), "troupe")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "troupe/tools/troupe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build troupe: %v\n%s", err, out)
	}
	vm.Machine{
		Memory: 1024, Timeout: 12 * time.Minute, Modules: []string{"xfs", "loop"}, Binaries: []string{"/usr/sbin/mkfs.xfs"},
		Files: map[string]string{"/usr/bin/troupe": program},
	}.Test(t, vm.Suite{
		Package: "troupe/tools/e2e", Tags: "vm", Args: []string{"-test.v", "-test.timeout=10m"},
		Run: "^(TestConfined|TestContainersOfNobody|TestEndThatOnlyTheInitKnows|TestLimitWithoutAnAgent)$",
	})
}
