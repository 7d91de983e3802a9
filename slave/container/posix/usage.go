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

// usageOf sums up what pids use; those that are gone count nothing.
func usageOf(pids []int) container.Usage {
	var sum container.Usage
	page := uint64(os.Getpagesize())
	for _, pid := range pids {
		s, err := readStat(pid)
		if err != nil {
			continue
		}
		sum.Add(container.Usage{
			User:   time.Duration(s.utime+s.cutime) * tick,
			System: time.Duration(s.stime+s.cstime) * tick,
			RSS:    s.rss * page,
		})
		if s.state != 'Z' {
			sum.Add(container.Usage{Processes: 1, Threads: s.threads})
		}
	}
	return sum
}

// UsageBySandbox attributes each child of the process host, with its
// descendants, to the sandbox it works in. Sandboxes without a process are
// absent. For the agent, which knows hosts and sandboxes but not what runs in
// them.
func UsageBySandbox(host int, sandboxes []string) map[string]container.Usage {
	wanted := setOf(sandboxes)
	usage := map[string]container.Usage{}
	for _, child := range children(host) {
		if sandbox := worksIn(child, wanted); sandbox != "" {
			u := usage[sandbox]
			u.Add(usageOf(tree(child)))
			usage[sandbox] = u
		}
	}
	return usage
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
