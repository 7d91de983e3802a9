package posix

import (
	"os"
	"path/filepath"
	"strconv"
	"time"

	"troupe/slave/container"
)

// tick is the unit of times in /proc: USER_HZ, which is 100 on every
// architecture that Go supports on Linux.
const tick = time.Second / 100

// page is the unit of memory in /proc, in bytes.
var page = uint64(os.Getpagesize())

// usageOf sums up what pids use; those that are gone count nothing.
func usageOf(pids []int) container.Usage {
	var sum container.Usage
	for _, pid := range pids {
		if s, err := readStat(pid); err == nil {
			sum.Add(usageIn(s))
		}
	}
	return sum
}

// KillBySandbox ends every process of the machine that was started in one of
// the sandboxes, with its descendants: for when the host that held them is
// gone and cannot do it. A process that merely looks into a sandbox, such as
// a person's shell, is left alone. It returns when they are gone, or with an error
// that names those which this process may not kill.
func KillBySandbox(sandboxes []string) error {
	wanted := setOf(sandboxes)
	return killAll(func() []int {
		entries, err := os.ReadDir("/proc")
		if err != nil {
			return nil
		}
		var pids []int
		for _, e := range entries {
			pid, err := strconv.Atoi(e.Name())
			if err == nil && pid != os.Getpid() && startedIn(pid, wanted) != "" {
				pids = append(pids, tree(pid)...)
			}
		}
		return pids
	}, sendTo)
}

func setOf(paths []string) map[string]bool {
	set := make(map[string]bool, len(paths))
	for _, p := range paths {
		set[filepath.Clean(p)] = true
	}
	return set
}
