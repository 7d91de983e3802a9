package linux

import (
	"testing"

	"troupe/tools/vm"
)

// What depends on the architecture, once more on arm64: what the kernel is asked for,
// and by which numbers. How processes escape and are caught does not, and an emulated
// processor would take minutes for that.
func TestOnARM64(t *testing.T) {
	const here, isolators = "troupe/slave/container/linux", "troupe/slave/container/isolator/"
	m := vm.Machine{
		Arch: "arm64", Groups: vm.Hybrid, CPUs: 1,
		Files: map[string]string{"/work/testdata": "../isolator/linux/seccomp/testdata"},
		// Busybox has these too, but others: they give up what set-uid gives, for one.
		Binaries: []string{"/bin/sh", "/usr/bin/cat", "/usr/bin/id", "/usr/bin/setpriv"},
		Packages: []string{"coreutils", "dash", "libc6", "libcap-ng0", "libpcre2-8-0", "libselinux1", "util-linux"},
	}
	m.Test(t,
		vm.Suite{
			Package:   here,
			Run:       "Launch|Status|Signals|PIDNamespace|Mounts|Enter|Refusals|Special|OutOfReach",
			SkipTests: "WhoStopsWhatEnters",
		},
		vm.Suite{Package: here + "/init"},
		vm.Suite{Package: isolators + "linux/capabilities"},
		vm.Suite{Package: isolators + "linux/nnp"},
		vm.Suite{Package: isolators + "linux/seccomp", SkipTests: "TestProgramsMeanWhatProfilesSay"},
		vm.Suite{Package: isolators + "posix/rlimits"},
	)
}
